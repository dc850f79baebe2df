"""Live co-variables and what a look at them finds, as data.

Invariant: a `Group` is changed by the tracker and the writer only. Not for: deciding anything (`tracker.py`).
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nbcellar.history.model import Covariable
from nbcellar.session.encode import Encoded, Results
from nbcellar.session.immutable import ATOMS
from nbcellar.session.importable import is_importable_module
from nbcellar.session.regions import Layout
from nbcellar.session.sharing import Span

if TYPE_CHECKING:
    from nbcellar.session.settling import Unused

NOTHING: Any = object()
SMALL_ATOM_BYTES = 4096


@dataclass(slots=True, eq=False)
class Group:
    """One live co-variable. `covariable` is set by the writer when the version is stored."""

    names: tuple[str, ...]
    roots: tuple[type, ...]  # notebook classes whose definition belongs to it
    hidden: tuple[type, ...]  # those of them that no name is bound to
    object_ids: tuple[int, ...]
    version: bytes  # what history calls this version
    baseline: bytes  # hash of the live objects; differs from version after a restore of, say, a set of strings
    shared: array[int]
    spans: tuple[Span, ...]
    needs: tuple[type, ...]
    needs_uids: tuple[str, ...]
    defines: tuple[str, ...]
    seconds: float
    size_bytes: int
    verified: int  # number of the observation that last hashed it
    stored: bytes = b""  # hash of the objects when they were stored, or rebuilt
    results: Results = field(default_factory=dict)  # what they had computed and kept by then
    reason: str = ""  # why it cannot be stored; empty: it can
    unsaved: str = ""  # why its value is not in the store though it can be stored: a limit; set by recorder and writer
    atom: object = NOTHING  # the one object, if it is immutable: then identity is enough
    covariable: Covariable | None = None
    fingerprint: int = 0  # of an opaque value, when it was last compared with a copy
    is_opaque: bool = False  # some class of it decides itself what its pickles hold
    is_codeless: bool = False  # nothing but numbers, texts and containers of them: it leads to no code
    is_plain: bool = False  # its short stream is all of it
    is_complete: bool = True  # `shared` and `spans` are known
    split: bool = False  # encoded in parts
    unused: Unused | None = None  # the value before its first use, to tell that from a change
    unstable: bool = False  # its pickle differs each time: only cells that name it count as changing it
    state: array[int] = field(default_factory=lambda: array("Q"))  # of what cannot be stored: ids that it reaches
    is_whole: bool = True  # `state` is all of it
    digests: list[tuple[bytes, ...]] = field(default_factory=list)  # stored digests, parallel, set by the writer

    @property
    def lacks(self) -> str:
        """Why there is no stored value; empty if there is, or will be."""
        return self.reason or self.unsaved


@dataclass(slots=True)
class Changed:
    """A new version: the group and what to store (None: it cannot be stored)."""

    group: Group
    objects: tuple[object, ...]
    encoded: Encoded | None
    layout: Layout | None
    unseen: bool = False  # found by the check of everything, not by the analysis
    doubtful: bytes = b""  # the former version, if it may be wrong since the observation `doubtful_since`
    doubtful_since: int = 0


@dataclass(slots=True)
class Observation:
    """What one look at the session found."""

    number: int
    changed: list[Changed]
    dropped_names: tuple[str, ...]
    dropped_definitions: tuple[str, ...]
    created: tuple[str, ...]
    modified: tuple[str, ...]
    deleted: tuple[str, ...]
    checked_all: bool
    seconds: float


@dataclass(slots=True, eq=False)
class Item:
    """A name (or a class that no name is bound to) that is being grouped anew."""

    name: str
    obj: object
    encoded: Encoded | None
    reason: str
    shared: array[int]
    spans: tuple[Span, ...]
    layout: Layout | None = None  # if it was computed


def is_same(old: Group, new: Group) -> bool:
    """True if a group that was made anew is what it was."""
    return old.names == new.names and old.baseline == new.baseline and old.defines == new.defines and not new.reason


def is_atom(obj: object) -> bool:
    """True for a short immutable value: while a name is bound to the same one, nothing has changed."""
    kind = type(obj)
    if kind is ModuleType:
        return is_importable_module(obj)  # type: ignore[arg-type]
    return kind in ATOMS and not (kind in (str, bytes) and len(obj) > SMALL_ATOM_BYTES)  # type: ignore[arg-type]
