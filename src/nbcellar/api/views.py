"""What the commands and `nbcellar.open` give back: frozen data about a repository, made for people and programs.

Invariant: these classes are the schemas of `--json`; `docs/schemas/` is generated from them and a test compares. Ids
are full hexadecimal text, times are UTC, sizes are bytes, previews are text made when the value was recorded.

Not for: making them (`describe.py`, `api.py`), wording them for a terminal (`cli/`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from nbcellar.api.space_views import SizeOf, SizePart, ThinnedVariable

SCHEMA_VERSION = 1


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what is printed as one JSON document; `schema` grows when a field changes its meaning or goes."""

    schema: int = SCHEMA_VERSION


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """A name that points at a commit."""

    kind: Literal["head", "branch", "tag"]
    name: str


class CommitLine(msgspec.Struct, frozen=True, kw_only=True):
    """One commit in a listing. `notebook` is its path; `title` the first line of the message or of the source.

    `at` is the commit whose variables an undo, redo, checkout or restore went to. At most 24 changed names are listed;
    `more_changes` counts the rest. `thinned`: some values of its state were thinned out; `not_saved`: a limit of size,
    time or space kept some value from being stored.
    """

    id: str
    notebook: str
    parents: list[str]
    kind: str
    time: datetime
    title: str
    message: str = ""
    labels: list[Label] = []
    execution_count: int | None = None
    failed: bool = False
    uncertain: bool = False
    thinned: bool = False
    not_saved: bool = False
    added: list[str] = []
    changed: list[str] = []
    removed: list[str] = []
    more_changes: int = 0
    at: str | None = None


class Log(View, frozen=True, kw_only=True):
    """`cellar log --json`: commits, newest first."""

    commits: list[CommitLine]


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """A variable of a state. `stored` is false when only its preview is there; `reason` then says why.

    `shares_with` are the variables whose objects share memory or parts with it: they are restored together, and
    `together_bytes` is the size of all of them, where `size_bytes` is that of the one object without its parts.
    """

    name: str
    type: str
    preview: str
    version: str
    size_bytes: int
    shape: list[int] = []
    stored: bool = True
    reason: str = ""
    uncertain: str = ""
    shares_with: list[str] = []
    together_bytes: int = 0
    recorded_in: str = ""


class Variables(View, frozen=True, kw_only=True):
    """`cellar vars --json`: the variables of one commit's state, by name."""

    commit: str
    variables: list[Variable]


class VariableChange(msgspec.Struct, frozen=True, kw_only=True):
    """A variable that a commit added, changed or removed."""

    name: str
    change: Literal["added", "changed", "removed"]
    before: Variable | None = None
    after: Variable | None = None


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """How a cell failed; `line` counts from 1, 0 when it is not known."""

    name: str
    value: str
    line: int


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """An executed cell. `outputs` are nbformat outputs."""

    id: str
    source: str
    execution_count: int
    duration_s: float
    error: Failure | None = None
    outputs: list[dict[str, Any]] = []
    opened_for_writing: list[str] = []


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """Whose key signed a commit; `trust` is "own", "trusted", "untrusted" or "unsigned"."""

    key: str
    name: str
    trust: str


class Show(View, frozen=True, kw_only=True):
    """`cellar show --json`: one commit in full."""

    commit: CommitLine
    author: str
    cell: Cell | None
    changes: list[VariableChange]
    notes: list[str]
    signers: list[Signer]
    git_head: str = ""
    has_code: bool = False
    has_state: bool = False


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """A branch and where it points; `current` when HEAD is attached to it."""

    name: str
    commit: str
    current: bool
    title: str = ""


class Branches(View, frozen=True, kw_only=True):
    """`cellar branch --json`. `detached_at` is the commit of a detached HEAD."""

    notebook: str
    branches: list[Branch]
    detached_at: str | None = None


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag and where it points."""

    name: str
    commit: str
    title: str = ""


class Tags(View, frozen=True, kw_only=True):
    """`cellar tag --json`."""

    notebook: str
    tags: list[Tag]


class RefChange(msgspec.Struct, frozen=True, kw_only=True):
    """One ref before and after an operation, worded as a listing shows it; None is absent."""

    name: str
    before: str | None
    after: str | None


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the operation log. `undoes` is the number of the operation that it undid, 0 for none."""

    number: int
    time: datetime
    by: str
    kind: str
    notebook: str
    description: str
    undoes: int = 0
    changes: list[RefChange] = []


class Operations(View, frozen=True, kw_only=True):
    """`cellar op log --json`: operations, newest first."""

    operations: list[Operation]


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """A cell run that an undo took back or a redo brought back; `kind` is that of its commit: a start has no cell."""

    cell: str
    execution_count: int | None = None
    commit: str = ""
    kind: str = ""


class ReplayCell(msgspec.Struct, frozen=True, kw_only=True):
    """A cell that is run again: `effects` are what it wrote when it ran, and what its text says it does outside."""

    commit: str
    execution_count: int
    title: str
    duration_s: float = 0.0
    effects: list[str] = []
    failed: bool = False


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """Cells that were run again (`done`) or that could be, in their order, and the variables that they bring back.

    `cannot`: variables that no recorded cell can bring back, and why. `id` names just these cells for this command: as
    `replay=` it agrees to them, and the command asks again where others would run by then.
    """

    id: str = ""
    done: bool
    cells: list[ReplayCell]
    brings: list[str]
    cannot: dict[str, str] = {}


class SessionChange(View, frozen=True, kw_only=True):
    """`cellar undo|redo|checkout|restore --json`: what happened to the variables of the live session.

    `kept` stayed the very same objects, `loaded` came from the store, `removed` are gone; `uncertain` may not be what
    they were, `not_restored` could not be brought back: both say why. `target` is the commit whose state it is now;
    `threads` still run and may hold objects that were replaced; `code_file` is the file that holds the code.
    `replayed` came back because cells were run again; `unverified` are those of them of which nothing could be compared
    with the record. With `asks`, nothing was done yet: `replay` says which cells would run.
    """

    head: str
    branch: str | None = None
    kept: list[str] = []
    loaded: list[str] = []
    removed: list[str] = []
    replayed: list[str] = []
    unverified: dict[str, str] = {}
    replay: Replay | None = None
    asks: bool = False
    uncertain: dict[str, str] = {}
    not_restored: dict[str, str] = {}
    undone: list[Undone] = []
    notes: list[str] = []
    seconds: float = 0.0
    code_file: str | None = None
    target: str | None = None
    threads: list[str] = []


class OperationUndone(View, frozen=True, kw_only=True):
    """`cellar op undo --json`: the operation that was undone, and the one that did it.

    `session` is what happened to the variables of the live kernel, None when there is none or HEAD did not move.
    """

    undone: int
    operation: int
    description: str
    changes: list[RefChange]
    head_moved: bool = False
    session: SessionChange | None = None
    notes: list[str] = []


class NamedCommit(View, frozen=True, kw_only=True):
    """`cellar commit --json`: the commit that was made; `live` is false when no kernel took part."""

    id: str
    branch: str | None
    message: str
    live: bool
    notes: list[str] = []


class Kernel(msgspec.Struct, frozen=True, kw_only=True):
    """A live kernel that records; `detail` says why when it is busy, failing or cannot be asked.

    `host`: the machine it runs on, where that is another one.
    """

    pid: int
    notebook: str
    version: str
    started: datetime
    state: Literal["recording", "saving", "busy", "failing", "unknown"]
    detail: str = ""
    host: str = ""


class NotebookLine(msgspec.Struct, frozen=True, kw_only=True):
    """A notebook of the repository. `off` says why it is not recorded, empty when it is.

    `title` and `kind` are those of the newest commit; `missing`: the file is not at its path.
    """

    path: str
    id: str
    commits: int
    head: str | None
    branch: str | None
    last_time: datetime | None
    title: str = ""
    kind: str = ""
    missing: bool = False
    off: str = ""
    kernels: list[Kernel] = []


class Status(View, frozen=True, kw_only=True):
    """`cellar status --json`. `counted_bytes` is what counts for the cap: all but the trash; `cap_bytes` 0: no cap."""

    root: str
    project: str
    read_only: bool
    enabled: str
    notebooks: list[NotebookLine]
    stored_bytes: int
    cap_bytes: int = 0
    counted_bytes: int = 0
    kernels_elsewhere: list[Kernel] = []


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """A setting, its value and where the value came from."""

    key: str
    value: Any
    origin: str
    allowed: str
    description: str
    variable: str


class Config(View, frozen=True, kw_only=True):
    """`cellar config --json`."""

    settings: list[Setting]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at. `fix` is a command or a step, empty when nothing is to do."""

    what: str
    state: Literal["ok", "note", "problem"]
    detail: str
    fix: str = ""


class Doctor(View, frozen=True, kw_only=True):
    """`cellar doctor --json`."""

    findings: list[Finding]


class Size(View, frozen=True, kw_only=True):
    """`cellar size --json`. `parts` add up to `stored_bytes`, all of the folder.

    `variables`, largest first, and `notebooks`: see `SizeOf`. `ages`: what was first recorded in the last day, week
    and so on. `removable_bytes` is what `cellar gc` would remove, `trash_bytes` what waits in the trash; `cap_bytes` 0:
    no cap.
    """

    stored_bytes: int
    raw_bytes: int
    parts: list[SizePart]
    variables: list[SizeOf] = []
    notebooks: list[SizeOf] = []
    ages: list[SizePart] = []
    trash_bytes: int = 0
    removable_bytes: int = 0
    counted_bytes: int = 0
    cap_bytes: int = 0
    hints: list[str] = []


class Gc(View, frozen=True, kw_only=True):
    """`cellar gc --json`: what was removed, or would be (`dry_run`).

    `removed` is all of it: `unreachable` (nothing leads to it any more) and `thinned` (values of old states, by the
    settings keep.*; the largest variables come first). `kept_states` is how many states keep all their values, 0 when
    nothing is thinned out; `kept_bytes` is without the trash. `trash_bytes` wait in the trash; `freed_bytes` is by how
    much the folder became smaller.
    `again_cells` make again, in `again_seconds`, what is given up under a budget.
    """

    dry_run: bool
    removed_objects: int
    removed_bytes: int
    kept_objects: int
    kept_bytes: int
    unreachable_objects: int = 0
    unreachable_bytes: int = 0
    thinned_values: int = 0
    thinned_states: int = 0
    thinned_bytes: int = 0
    kept_states: int = 0
    again_cells: int = 0
    again_seconds: float = 0.0
    variables: list[ThinnedVariable] = []
    trash_bytes: int = 0
    freed_bytes: int = 0


class Check(View, frozen=True, kw_only=True):
    """`cellar check --json`. `not_read` says what this check did not look at, `thinned` counts values that were thinned
    out on purpose, which is no damage."""

    damaged: list[str]
    commits: int
    objects: int
    signatures: int = 0
    not_read: list[str] = []
    thinned: int = 0


class Forgotten(View, frozen=True, kw_only=True):
    """`cellar forget --json`. `shared_pieces` of the value stay, because other variables hold the same bytes;
    `sources_with_text` are commits whose code or message names the variable: these are not changed.

    Of a text: `replaced` counts where `***` stands in its place, by kind; `variables` held it and are dropped;
    `remaining` are places where it still is. `dry_run`: so it would be, nothing was changed.
    """

    what: str
    rewritten: int
    removed_bytes: int
    shared_pieces: int = 0
    sources_with_text: list[str] = []
    notes: list[str] = []
    replaced: dict[str, int] = {}
    variables: list[str] = []
    remaining: list[str] = []
    dry_run: bool = False


class Key(View, frozen=True, kw_only=True):
    """`cellar key show --json`."""

    key: str
    fingerprint: str
    path: str
    name: str = ""


class TrustedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key and what is decided about it for this project."""

    key: str
    name: str
    trust: str
    commits: int = 0


class Trust(View, frozen=True, kw_only=True):
    """`cellar trust ls --json`."""

    project: str
    keys: list[TrustedKey]


class Run(View, frozen=True, kw_only=True):
    """`cellar run --json`: how a headless run ended. `cell` counts from 1."""

    notebook: str
    cells: int
    executed: int
    seconds: float
    recorded: bool
    head: str | None = None
    out: str | None = None
    failed_cell: int | None = None
    error: Failure | None = None
    interrupted: bool = False
