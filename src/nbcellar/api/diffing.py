"""What changed between two commits: variables by value, without loading any of them.

Invariant: reads the store alone and unpickles nothing, so that it works whatever a kernel does, and on the history of
anybody. What cannot be compared is listed with the reason. Not for: how values are compared (`diff/`), how cells are
lined up (`diff_steps.py`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, TypeVar

import msgspec

from nbcellar.api import describe, diff_steps, views
from nbcellar.api.diff_sources import Sources, figure_png
from nbcellar.api.diff_surroundings import compare_surroundings
from nbcellar.api.diff_views import Diff, VariableDiff
from nbcellar.diff.model import ValueChange
from nbcellar.diff.pictures import compare_files
from nbcellar.diff.sides import Side
from nbcellar.diff.variables import compare_values_of, describe_value
from nbcellar.errors import CellarError, InvalidInputError, NotFoundError
from nbcellar.history.model import EMPTY_STATE, Covariable, State
from nbcellar.history.repository import Repository
from nbcellar.history.steps import undo_target
from nbcellar.ids import CommitId, Digest, NotebookId
from nbcellar.values.inert import UnreadableError
from nbcellar.values.manifest import decode_value
from nbcellar.values.stored import Budget, Stored

BUDGET_BYTES = 256 << 20
"""How much is read of one variable, both sides together."""


def diff(
    repository: Repository,
    notebook: NotebookId,
    before: CommitId,
    after: CommitId,
    *,
    names: Collection[str] = (),
    code: bool = True,
    variables: bool = True,
    pictures: bool = False,
    budget_bytes: int = BUDGET_BYTES,
) -> Diff:
    """Return what lies between two commits. Raises NotFoundError for a name that neither of them has."""
    compared = _Comparer(repository, notebook, before, after, pictures=pictures, budget_bytes=budget_bytes)
    way, base, steps, more = diff_steps.between(repository, before, after)
    found = compared.variables(names) if variables else ([], 0, [])
    return Diff(
        before=compared.line(before),
        after=compared.line(after),
        way=way,
        base=base.hex() if base is not None else None,
        steps=steps if code else [],
        more_steps=more if code else 0,
        variables=found[0],
        unchanged=found[1],
        equal=found[2],
        surroundings=compare_surroundings(repository, *compared.ambient()) if variables and not names else [],
        notes=compared.notes,
    )


def last_step(repository: Repository, commit: CommitId) -> CommitId:
    """Return the commit before the last thing that happened: a cell run with what followed it, an undo, a checkout."""
    node = repository.node(commit)
    if node.kind in diff_steps.JUMPS:
        return node.parent or commit
    try:
        return undo_target(repository, commit).target
    except InvalidInputError:  # the first commit
        return node.parent or commit


class _Comparer:
    """The states of two commits, and their values as they are asked for."""

    def __init__(
        self,
        repository: Repository,
        notebook: NotebookId,
        before: CommitId,
        after: CommitId,
        *,
        pictures: bool,
        budget_bytes: int,
    ) -> None:
        self.repository, self.notebook = repository, notebook
        self.notes: list[str] = []
        self.old, self.new = self._state(before), self._state(after)
        self._pictures = pictures
        self.both: Collection[str] = ()
        self._budget_bytes = budget_bytes
        self._sources = Sources(repository)

    def _state(self, commit: CommitId) -> State:
        try:
            state = self.repository.read_state(commit)
        except NotFoundError:
            self.notes.append(f"variables were not recorded at {commit.hex()[:8]}")
            return EMPTY_STATE
        return describe.with_doubts(self.repository, self.notebook, commit, state)

    def line(self, commit: CommitId) -> views.CommitLine:
        """Return one of the two commits in short."""
        read = self.repository.read_commit(commit)
        home = NotebookId(read.notebook)
        labels = describe.labels_of(self.repository, home).get(commit, [])
        return describe.commit_line(
            commit,
            read,
            path=self.repository.label(home),
            message=self.repository.message_of(home, commit),
            labels=labels,
            changed=(),
        )

    def ambient(self) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """Return the digests of what surrounds the variables, on both sides."""
        return self.old.ambient, self.new.ambient

    def variables(self, names: Collection[str]) -> tuple[list[VariableDiff], int, list[str]]:
        """Return the variables that differ by name, how many do not, and those that only were recorded anew."""
        old = {name: entry for entry in self.old.covariables for name in entry.names}
        new = {name: entry for entry in self.new.covariables for name in entry.names}
        unknown = [name for name in names if name not in old and name not in new]
        if unknown:
            raise NotFoundError(
                f"neither point has a variable '{unknown[0]}'", hint="the variables of a commit: cellar vars REF"
            )
        wanted = sorted(names) if names else sorted(old.keys() | new.keys())
        renamed = _renamed(old, new)
        self.both = old.keys() & new.keys()
        found, equal, unchanged = [], [], 0
        for name in wanted:
            was, now = old.get(name), new.get(name)
            if was is not None and now is not None:
                if (was.version, was.value) == (now.version, now.value):
                    unchanged += 1
                    continue
                change = self._changed(name, was, now)
                if change is None:
                    equal.append(name)
                else:
                    found.append(change)
            elif now is not None:
                found.append(self._one_sided(name, "added", now, renamed.get(name, "")))
            elif was is not None:
                found.append(self._one_sided(name, "removed", was, ""))
        return found, unchanged, equal

    def _changed(self, name: str, was: Covariable, now: Covariable) -> VariableDiff | None:
        before, after = describe.variable(was, name), describe.variable(now, name)
        made = VariableDiff(name=name, change="changed", before=before, after=after)
        if was.value is None or now.value is None:
            entry, side = (was, "before") if was.value is None else (now, "after")
            return msgspec.structs.replace(made, reason=f"not stored {side}: {entry.reason or 'no reason given'}")
        if was.names != now.names:
            self._note_sharing(name, was.names, now.names)
        if was.value == now.value and was.names.index(name) == now.names.index(name):
            another = msgspec.structs.replace(made, reason="it is now of another class of the notebook")
            return None if was.needs == now.needs else another
        sides = self._sides(was, now)
        if isinstance(sides, str):
            return msgspec.structs.replace(made, reason=sides)
        places = was.names.index(name), now.names.index(name)
        value = compare_values_of(name, places[1], *sides, places[0])
        picture = self._figure(name, was, now, after.type)
        if picture is not None:
            value = msgspec.structs.replace(value or picture, detail=picture.detail)
        return msgspec.structs.replace(made, value=_encodable(value)) if value is not None else None

    def _note_sharing(self, name: str, was: tuple[str, ...], now: tuple[str, ...]) -> None:
        """Say that variables share parts, or no longer do: a value alone does not show that."""
        for word, names in (("now shares", set(now) - set(was)), ("no longer shares", set(was) - set(now))):
            kept = sorted(other for other in names if other in self.both)
            if kept:
                self.notes.append(f"{name} {word} parts with {', '.join(kept)}")

    def _one_sided(
        self, name: str, change: Literal["added", "removed"], entry: Covariable, renamed_from: str
    ) -> VariableDiff:
        variable = describe.variable(entry, name)
        value: ValueChange | None = None
        reason = ""
        if entry.value is None:
            reason = f"not stored: {entry.reason or 'no reason given'}"
        elif entry.size_bytes <= 1 << 20:  # of a large one the preview says enough
            side = self._side(entry, Budget(self._budget_bytes))
            if isinstance(side, Side):
                value = _encodable(describe_value(name, change, entry.names.index(name), side))
        made = VariableDiff(name=name, change=change, value=value, reason=reason, renamed_from=renamed_from)
        return msgspec.structs.replace(made, **{"after" if change == "added" else "before": variable})

    def _figure(self, name: str, was: Covariable, now: Covariable, type: str) -> ValueChange | None:
        """Return the pictures of a figure: what its cells showed of it when its versions were recorded."""
        if not self._pictures or not type.startswith(("matplotlib.", "seaborn.", "plotly.")):
            return None
        before, after = (figure_png(self.repository, CommitId(entry.origin)) for entry in (was, now))
        detail = compare_files(before, after)
        return ValueChange(path=name, change="changed", detail=detail) if detail is not None else None

    def _sides(self, was: Covariable, now: Covariable) -> tuple[Side, Side] | str:
        budget = Budget(self._budget_bytes)
        before, after = self._side(was, budget), self._side(now, budget)
        if isinstance(before, str) or isinstance(after, str):
            return before if isinstance(before, str) else str(after)
        return before, after

    def _side(self, entry: Covariable, budget: Budget) -> Side | str:
        """Return a co-variable's value as it can be looked into, else why not."""
        assert entry.value is not None
        try:
            value = decode_value(self.repository.read_object(Digest(entry.value)))
            stored = Stored(value, self._read, budget)
        except (CellarError, UnreadableError) as error:
            return f"cannot be looked into: {error}"
        return Side(stored, entry.needs, self._sources.of(CommitId(entry.origin)), pictures=self._pictures)

    def _read(self, digest: Digest, size: int) -> bytes:
        """Return a block of a known size; what is wrong with it is said of the one variable it belongs to."""
        store = self.repository.store
        try:
            if store.info(digest).raw_bytes != size:
                raise UnreadableError("a block of it has another size than its manifest says")
            return store.read(digest)
        except CellarError as error:
            raise UnreadableError(str(error)) from None


def _renamed(old: dict[str, Covariable], new: dict[str, Covariable]) -> dict[str, str]:
    """Return, for names that came, the name that the same value had before and has no longer."""
    gone: dict[bytes, str] = {}
    for name, entry in old.items():
        if name not in new and entry.value is not None and len(entry.names) == 1:
            gone[entry.value] = name
    return {
        name: gone[entry.value]
        for name, entry in new.items()
        if name not in old and entry.value is not None and len(entry.names) == 1 and entry.value in gone
    }


def _encodable(change: ValueChange) -> ValueChange:
    """Return a change whose texts can be written: what is no Unicode (lone surrogates) is spelled out."""
    try:
        msgspec.json.encode(change)
    except UnicodeEncodeError:
        return _spelled(change)
    return change


_Any = TypeVar("_Any")


def _spelled(value: _Any) -> _Any:
    found: Any = value
    if isinstance(value, str):
        found = value.encode("utf-8", "backslashreplace").decode()
    elif isinstance(value, list):
        found = [_spelled(item) for item in value]
    elif isinstance(value, msgspec.Struct):
        fields = {name: _spelled(getattr(value, name)) for name in value.__struct_fields__}
        found = msgspec.structs.replace(value, **fields)
    return found  # type: ignore[no-any-return]


__all__ = ["BUDGET_BYTES", "diff"]
