"""What the kernel's main thread hands to the writer: one commit to make, as data."""

from __future__ import annotations

from dataclasses import dataclass, field

from nbcellar.history.model import CellRun, CommitKind, Covariable, Preview
from nbcellar.history.recording import Recorded
from nbcellar.ids import CommitId
from nbcellar.session.groups import Group
from nbcellar.session.pending import PendingValue


@dataclass(slots=True)
class Version:
    """A new version of a co-variable: `pending` is None when it cannot be stored (the group says why).

    stored: the version that it is, where the store holds it already.
    """

    group: Group
    previews: tuple[Preview, ...]
    pending: PendingValue | None
    uncertain: str = ""
    stored: Covariable | None = None


@dataclass(slots=True)
class Job:
    """One commit to write: `commit` is its id once written, `error` why it could not be."""

    kind: CommitKind
    time_ns: int
    cell: CellRun | None = None
    sender: tuple[str, int] = ("", 0)  # of the message that asked for the cell run: its client, and when
    outputs: bytes | None = None
    message: str = ""
    versions: list[Version] = field(default_factory=list)
    dropped: tuple[str, ...] = ()
    dropped_definitions: tuple[str, ...] = ()
    ambient: dict[str, bytes | None] = field(default_factory=dict)
    at: CommitId | None = None
    base: CommitId | None = None  # whose state the change is relative to; None with `fresh`: the empty one
    fresh: bool = False
    resync: bool = False  # everything there is, looked at anew: what the base holds already is left out
    parent: CommitId | None = None  # None: the last commit of this kernel
    state: bool = True
    epoch: int = 0  # the writer's when the job was made
    names: int = 0  # live names, to judge when a whole state is due
    notes: tuple[str, ...] = ()
    doubts: tuple[tuple[bytes, Job | None], ...] = ()  # versions in doubt since after a job (None: since ever)
    commit: CommitId | None = None
    recorded: Recorded | None = None
    error: Exception | None = None
