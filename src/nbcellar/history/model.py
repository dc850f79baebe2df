"""Commits, states and previews as frozen data, with their canonical encoding.

Invariant: `encode_*` is deterministic, and `decode_*(encode_*(x)) == x`; a commit's id is the BLAKE3 of its encoding,
so parents, state and code are covered by its signature. A format number leads every payload; a higher one is refused
with UnsupportedFormatError. Not for: reading or writing a store (`repository.py`).
"""

from __future__ import annotations

import enum
from typing import TypeVar

import msgspec

from nbcellar.errors import CorruptStoreError, UnsupportedFormatError
from nbcellar.ids import CommitId, Digest

COMMIT_FORMAT = 1


class CommitKind(str, enum.Enum):
    """Why a commit was made."""

    AUTO = "auto"  # after a cell run
    NAMED = "named"  # `cellar commit`
    START = "start"  # a kernel started or was restarted: empty state
    ATTACH = "attach"  # recording began in a running kernel: the variables that were there
    BETWEEN = "between"  # a change that no cell run accounts for
    UNDO = "undo"
    REDO = "redo"
    CHECKOUT = "checkout"
    RESTORE = "restore"


class Preview(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """What a listing shows of a variable, as text made at capture time; nothing is unpickled to show it."""

    type: str  # "pandas.DataFrame"
    text: str  # one line or a short head
    shape: tuple[int, ...] = ()
    size_bytes: int = 0
    details: dict[str, msgspec.Raw] = {}  # by type: columns, dtypes, digests of columns (JSON-like msgpack)


class Covariable(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """One version of a co-variable: names whose objects share mutable state, captured and restored together.

    `names` is sorted; empty for a definition (a class) that only other values reach. `defines` are the uids of notebook
    classes whose definition this value holds, `needs` those it refers to. `value` is None when there is nothing stored:
    `reason` then says why. `version` tells versions apart even when nothing could be stored.
    """

    names: tuple[str, ...]
    value: bytes | None
    version: bytes
    previews: tuple[Preview, ...] = ()
    defines: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    reason: str = ""
    uncertain: str = ""  # not empty: why this version may not be what the variable held
    size_bytes: int = 0
    origin: bytes = b""  # commit that first recorded this version; empty: the commit that holds this entry
    codec: int = 1


class StateDelta(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """A state as changes to the state of the commit `base` (None: to the empty state).

    Applying: every co-variable in `put` replaces those that share a name or a defined uid with it; then the
    co-variables that hold a name in `drop` or define a uid in `drop_definitions` go. `ambient` parts replace or, with
    None, remove.
    """

    base: bytes | None
    put: tuple[Covariable, ...] = ()
    drop: tuple[str, ...] = ()
    drop_definitions: tuple[str, ...] = ()
    ambient: dict[str, bytes | None] = {}  # part name -> digest of an AMBIENT object
    complete: bytes | None = None  # digest of a STATE object that holds the whole state, now and then


class State(msgspec.Struct, frozen=True, array_like=True):
    """A whole state: what `StateDelta`s add up to. Origins are filled in."""

    covariables: tuple[Covariable, ...]
    ambient: dict[str, bytes]


class CellError(msgspec.Struct, frozen=True, array_like=True):
    """How a cell run failed."""

    name: str
    value: str
    line: int = 0  # line of the cell, from 1; 0 unknown


class CellRun(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """One execution of a cell."""

    cell_id: str
    source: str
    execution_count: int
    duration_s: float = 0.0
    error: CellError | None = None
    outputs: bytes | None = None  # digest of an OUTPUTS object
    opened_for_writing: tuple[str, ...] = ()
    reads: tuple[str, ...] | None = None  # variables there before that it can have used; ("*",) all, None not known
    after_unrecorded: bool = False  # something ran before it that is not recorded: its changes are among this one's


class Commit(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """A node of the history. `at` is the commit whose state an undo, redo, checkout or restore went to."""

    format: int
    notebook: str
    parents: tuple[bytes, ...]
    kind: CommitKind
    time_ns: int
    author: str = ""
    message: str = ""
    cell: CellRun | None = None
    state: StateDelta | None = None
    tree: bytes | None = None  # digest of a TREE object
    environment: bytes | None = None  # digest of an ENVIRONMENT object
    git_head: str = ""
    at: bytes | None = None
    notes: tuple[str, ...] = ()  # what was not recorded or is uncertain, for people


_T = TypeVar("_T")
_encoder = msgspec.msgpack.Encoder(order="deterministic")
_commit_decoder = msgspec.msgpack.Decoder(Commit)
_state_decoder = msgspec.msgpack.Decoder(State)


def encode_commit(commit: Commit) -> bytes:
    """Return the canonical payload whose BLAKE3 is the commit's id."""
    return _encoder.encode(commit)


def decode_commit(payload: bytes) -> Commit:
    """Raise UnsupportedFormatError for a newer format, CorruptStoreError for bytes that are no commit."""
    commit = _decode(_commit_decoder, payload, "commit")
    if commit.format > COMMIT_FORMAT:  # a newer one may well decode: fields at the end are passed over
        raise _newer("commit", commit.format)
    return commit


def encode_state(state: State) -> bytes:
    """Return a whole state as msgpack: format number, then the state."""
    return _encoder.encode((COMMIT_FORMAT, state))


def decode_state(payload: bytes) -> State:
    """Inverse of `encode_state`; errors as `decode_commit`."""
    number, raw = _split(payload, "state")
    if number > COMMIT_FORMAT:
        raise _newer("state", number)
    return _decode(_state_decoder, raw, "state")


def apply_delta(base: State, delta: StateDelta, *, commit: CommitId) -> State:
    """Return the state that `delta` makes of `base`; entries without an origin get `commit` as theirs."""
    names = {name for entry in delta.put for name in entry.names} | set(delta.drop)
    defined = {uid for entry in delta.put for uid in entry.defines} | set(delta.drop_definitions)
    kept = [c for c in base.covariables if names.isdisjoint(c.names) and defined.isdisjoint(c.defines)]
    new = [c if c.origin else msgspec.structs.replace(c, origin=commit) for c in delta.put]
    ambient = dict(base.ambient)
    for part, digest in delta.ambient.items():
        if digest is None:
            ambient.pop(part, None)
        else:
            ambient[part] = digest
    return State(tuple(kept + new), ambient)


EMPTY_STATE = State((), {})

NO_ROOM = "not saved: "
"""How the reason begins of a value that could have been stored, had there been room."""

_NOT_SAVED = (NO_ROOM, "over budget", "it is larger than the cap")


def is_not_saved(reason: str) -> bool:
    """True for the reason of a value that a limit of size, time or space kept from being stored."""
    return reason.startswith(_NOT_SAVED)


def _split(payload: bytes, what: str) -> tuple[int, bytes]:
    try:
        number, raw = msgspec.msgpack.decode(payload, type=tuple[int, msgspec.Raw])
    except msgspec.DecodeError as error:
        raise CorruptStoreError(f"stored bytes are no {what}: {error}") from None
    return number, bytes(raw)


def _decode(decoder: msgspec.msgpack.Decoder[_T], payload: bytes, what: str) -> _T:
    try:
        return decoder.decode(payload)
    except msgspec.DecodeError as error:
        number = _leading_number(payload)
        if number is not None and number > COMMIT_FORMAT:
            raise _newer(what, number) from None
        raise CorruptStoreError(f"stored bytes are no {what}: {error}") from None


def _newer(what: str, number: int) -> UnsupportedFormatError:
    return UnsupportedFormatError(
        f"{what} of format {number}; this Cellar reads up to {COMMIT_FORMAT}",
        hint="upgrade with: pip install --upgrade nbcellar",
    )


def _leading_number(payload: bytes) -> int | None:
    try:
        first = msgspec.msgpack.decode(payload)
    except msgspec.DecodeError:
        return None
    return first[0] if isinstance(first, list) and first and isinstance(first[0], int) else None


__all__ = [
    "COMMIT_FORMAT",
    "EMPTY_STATE",
    "NO_ROOM",
    "CellError",
    "CellRun",
    "Commit",
    "CommitKind",
    "Covariable",
    "Digest",
    "Preview",
    "State",
    "StateDelta",
    "apply_delta",
    "decode_commit",
    "decode_state",
    "encode_commit",
    "encode_state",
    "is_not_saved",
]
