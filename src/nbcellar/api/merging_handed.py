"""Merges of three given files, handed to a server process under ids that say nothing.

The files lie anywhere, so a browser never names them: the command that starts the server writes a list into a private
folder and passes that folder in an environment variable. The server writes there how each merge ended.

Invariant: the three versions are never written; what is written goes to the output alone, and a merge ends once.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
from blake3 import blake3

from nbcellar.api.jupyter_trust import keep_trusted
from nbcellar.api.merging import Versions, count_open, decide, look, merge_versions, result
from nbcellar.api.merging_views import Decision, MergeLook, MergeResult, MergeSaved
from nbcellar.api.notebook_files import read_bytes, write_bytes
from nbcellar.errors import ConflictError, NotFoundError
from nbcellar.merge.model import Labels, MergeSettings
from nbcellar.notebook.codec import read, write

VARIABLE = "CELLAR_HANDED"
_LIST = "merges.json"


class GivenMerge(msgspec.Struct, frozen=True, kw_only=True):
    """Three versions and where the merged notebook goes, whole paths; `base` "" where the sides have none in common.

    shown: what the output is called for a person. labels: what the versions are called: base, ours, theirs.
    """

    base: str
    ours: str
    theirs: str
    output: str
    shown: str
    labels: tuple[str, str, str] = ("base", "ours", "theirs")
    settings: MergeSettings = MergeSettings()


class MergeOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a merge ended: whether it was saved, and how many conflicts the output has."""

    saved: bool = False
    left: int = 0


def hand_over(folder: Path, merge: GivenMerge) -> str:
    """Write a merge into a private folder for the server that is started with `VARIABLE`; return its id."""
    id_ = secrets.token_hex(8)
    (folder / _LIST).write_bytes(msgspec.json.encode({id_: merge}))
    return id_


def outcome_of(folder: Path, id_: str) -> MergeOutcome | None:
    """Return how a merge ended, None if the server ended without a word."""
    try:
        return msgspec.json.decode((folder / f"{id_}.json").read_bytes(), type=MergeOutcome)
    except (OSError, msgspec.DecodeError):
        return None


class HandedMerge:
    """One merge in the server: the notebook as it is by now, and what was saved. For any thread."""

    def __init__(self, given: GivenMerge, environ: Mapping[str, str]) -> None:
        self._given = given
        self._environ = environ
        self._lock = threading.Lock()
        self._versions: Versions | None = None
        self._current = b""
        self.outcome = MergeOutcome()

    def look(self) -> MergeLook:
        """Return what is left to decide. Raises what reading the three files raises."""
        with self._lock:
            versions = self._read()
            found = look(read(self._current), versions, target=self._given.shown, version=_digest(self._current))
        base, ours, theirs = self._given.labels
        labels = msgspec.structs.replace(found.labels, base=base, ours=ours, theirs=theirs)
        return msgspec.structs.replace(found, labels=labels)

    def result_of(self, decisions: Sequence[Decision], back: Sequence[str], *, shown: bool = False) -> MergeResult:
        """Return the notebook with decisions taken; nothing is written."""
        with self._lock:
            versions = self._read()
            made = decide(read(self._current), decisions, back, versions)
        return result(made, shown=shown)

    def save(self, version: str, decisions: Sequence[Decision], back: Sequence[str]) -> MergeSaved:
        """Write the output. Raises ConflictError if another page saved meanwhile."""
        with self._lock:
            versions = self._read()
            if _digest(self._current) != version:
                raise ConflictError(f"{self._given.shown} was saved from another page meanwhile", hint="load it again")
            made = decide(read(self._current), decisions, back, versions)
            data = write(made)
            write_bytes(self._given.output, Path("/"), data)
            keep_trusted(versions.texts, data, self._environ)
            self._current = data
            self.outcome = MergeOutcome(saved=True, left=count_open(made))
        return MergeSaved(left=self.outcome.left, version=_digest(data))

    def _read(self) -> Versions:
        if self._versions is None:
            given = self._given
            base, ours, theirs = (
                read_bytes(name, Path("/")) if name else b"" for name in (given.base, given.ours, given.theirs)
            )
            self._versions = merge_versions(base, ours, theirs, Labels(*given.labels), given.settings)
            self._current = write(self._versions.merged.notebook)
        return self._versions


class HandedMerges:
    """All that was handed to this process. `on_end` is called, once, when each of them has ended."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        name = environ.get(VARIABLE)
        self._folder = Path(name) if name else None
        self._merges = {} if self._folder is None else _read_list(self._folder, environ)
        self._open = set(self._merges)
        self.on_end: Callable[[], None] = lambda: None

    def __bool__(self) -> bool:
        return bool(self._merges)

    def find(self, id_: str) -> HandedMerge:
        """Return a merge. Raises NotFoundError."""
        if id_ not in self._merges:
            raise NotFoundError("this merge is not known here", hint="start it again: cellar merge-file --web")
        return self._merges[id_]

    def end(self, id_: str) -> MergeOutcome:
        """Note how a merge ended. Raises NotFoundError."""
        outcome = self.find(id_).outcome
        if id_ in self._open:
            self._open.discard(id_)
            if self._folder is not None:
                aside = self._folder / f"{id_}.new"
                aside.write_bytes(msgspec.json.encode(outcome))
                aside.replace(self._folder / f"{id_}.json")
            if not self._open:
                self.on_end()
        return outcome

    def end_all(self) -> None:
        """Note of all that are open that they ended, as when the page was closed."""
        for id_ in sorted(self._open):
            self.end(id_)


def _read_list(folder: Path, environ: Mapping[str, str]) -> dict[str, HandedMerge]:
    listed = msgspec.json.decode((folder / _LIST).read_bytes(), type=dict[str, GivenMerge])
    return {id_: HandedMerge(given, environ) for id_, given in listed.items()}


def _digest(data: bytes) -> str:
    return blake3(data).hexdigest()


__all__ = ["VARIABLE", "GivenMerge", "HandedMerge", "HandedMerges", "MergeOutcome", "hand_over", "outcome_of"]
