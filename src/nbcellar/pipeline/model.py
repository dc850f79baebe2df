"""What goes to a worker and what comes back, as frozen data that can be sent anywhere.

Invariant: a task holds no value of the user: it names commits that hold them. Not for: how results are found again
(`cache.py`).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

FACTS_FORMAT = 1

State = Literal["waiting", "running", "done", "cached", "failed", "blocked", "cancelled"]


class Take(msgspec.Struct, frozen=True):
    """Names to be taken from a result, which is a commit (in hexadecimal)."""

    commit: str
    names: tuple[str, ...]


class Again(msgspec.Struct, frozen=True):
    """A component to be run first, in the same process, for names that cannot be stored."""

    source: str
    cell_id: str
    takes: tuple[Take, ...]
    again: tuple[Again, ...]
    names: tuple[str, ...]
    parameters: dict[str, Any]
    definitions: tuple[str, ...]
    surroundings: tuple[str, ...]
    key: str


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a source says. texts: those that may be paths, in UTF-8 (surrogateescape); modules: top-level ones that
    it imports anywhere.

    lists: what it starts may list folders; patches: it has statements that may change modules, or classes in them.
    """

    texts: tuple[bytes, ...] = ()
    modules: tuple[str, ...] = ()
    lists: bool = False
    patches: bool = False

    @property
    def paths(self) -> list[str]:
        """The texts that may be paths."""
        return [text.decode("utf-8", "surrogateescape") for text in self.texts]


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One component to be run.

    key: the first part of its cache key, in hexadecimal: what is known before it runs. known: the facts that belong to
    it, to be kept with the result. takes: in the order of a serial run. parameters: sealed, as in `Facts`. definitions:
    results in which classes are looked for that the values need. surroundings: results whose changes of random state,
    options and the like are made first, in this order. streams: that of random streams, too, which begin by the key
    else. root: the folder of the project; folder: where the cell runs. is_alone: work that is in flight for another run
    will not do. store: the folder of a repository that this worker has for itself, if it does not use the project's;
    remote: the address by which its results come and go then.
    """

    id: str
    name: str
    source: str
    said: Said
    key: str
    known: dict[str, Any]
    takes: tuple[Take, ...] = ()
    again: tuple[Again, ...] = ()
    parameters: dict[str, Any] = {}
    definitions: tuple[str, ...] = ()
    surroundings: tuple[str, ...] = ()
    streams: bool = False
    root: str
    folder: str
    is_kept: bool = True
    is_alone: bool = False
    store: str = ""
    remote: str = ""


class Value(msgspec.Struct, frozen=True, omit_defaults=True):
    """One name that a component left. digest: of what is stored and of its classes; empty: nothing is, for a `reason`.

    together: other names whose objects share state with it.
    """

    digest: str = ""
    reason: str = ""
    together: tuple[str, ...] = ()


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a result depends on and what it is; kept, signed, in the result's commit.

    reads: name -> digest of each value it was given; shown: those of which only a run told. parameters: of these that
    it uses, in the form of `components.parameters.sealed`. files, folders: path -> digest of what was there (empty:
    nothing) when it was read; "file" or "folder" where it looked for that alone. written: the same, of what it wrote.
    times: path -> when a file was written, in nanoseconds, where it asked for that. distributions: name -> version;
    modules: name -> digest of the source; absent: those that it looked for and nobody had; origins: top-level module
    that its code imports -> file in its folder, or before that on sys.path; empty for one from elsewhere. surroundings:
    part -> digest, of parts that matter; consumed: those that it changed. seeds: code outside of the
    cell that it ran may have set a random stream. classes: uid -> digest, of classes from before it. dropped:
    names that it deleted. process: settings of the process that it changed, as they are then. patches: what it changed
    in modules. altered: classes that it was given and may have changed in place. notes: what cannot be seen of it.
    unsure: why the result is not used another time.
    """

    format: int = FACTS_FORMAT
    component: str = ""
    cell: str = ""
    notebook: str = ""
    key: str = ""
    code: str = ""
    python: str = ""
    reads: dict[str, str] = {}
    shown: tuple[str, ...] = ()
    parameters: dict[str, Any] = {}
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    written: dict[str, str] = {}
    links: dict[str, str] = {}
    times: dict[str, str] = {}
    environ: dict[str, str] = {}
    distributions: dict[str, str] = {}
    modules: dict[str, str] = {}
    absent: tuple[str, ...] = ()
    origins: dict[str, str] = {}
    surroundings: dict[str, str] = {}
    classes: dict[str, str] = {}
    consumed: tuple[str, ...] = ()
    process: dict[str, str] = {}
    patches: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    values: dict[str, Value] = {}
    seeds: bool = False
    dropped: tuple[str, ...] = ()
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    unsure: str = ""


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a component failed. `line` of its cell, from 1; 0: not known. missing: the name that a NameError names."""

    name: str
    message: str
    line: int = 0
    traceback: str = ""
    missing: str = ""


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a worker answers. commit: the result, in hexadecimal; outputs: nbformat outputs, a JSON list.

    defines: some value holds a class. surroundings: part -> digest of what it left changed, as in `cache.Result`.
    removed: what of the files that it wrote it took away in the end; they may be there, as others may have made them.
    """

    id: str
    commit: str = ""
    facts: Facts | None = None
    failure: Failure | None = None
    outputs: bytes = b"[]"
    seconds: float = 0.0
    defines: bool = False
    surroundings: dict[str, str] = {}
    removed: tuple[str, ...] = ()
    retire: str = ""  # why the worker's process should not be used again


__all__ = ["FACTS_FORMAT", "Again", "Facts", "Failure", "Outcome", "Said", "State", "Take", "Task", "Value"]
