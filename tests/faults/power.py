"""Power failures: what a disk may hold that kept only what was synced, from a record of every call.

One process works on a repository - cells, undo, checkout, commits, log packs, joining, gc, purge, forget - while each
call that changes a file is recorded, Python's and SQLite's (`calls.py`). Then the power fails after any of them: a
`Disk` gives the files that may be there, with nothing, all, some or half of what was not synced, file data and names
of folders apart. On each of these disks every commit that had been acknowledged must be there and equal, `check` clean,
and what was forgotten be in no file. Deterministic, and needs no privilege. `--mutant n` spoils the product first; the
rig must find that: 1 files are not synced, 2 folders are not, 3 SQLite synchronous=OFF, 4 NORMAL (and, with the
rollback journal of network file systems, 5 FULL).
"""

from __future__ import annotations

import argparse
import contextlib
import pickle
import random
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import numpy
from calls import Call, Calls
from support import SECRET, Ack, Notebook, Outcome, children_of, in_child, main, make_project, verify

from nbcellar.errors import NotFoundError
from nbcellar.history.forget import forget_variable
from nbcellar.store import database, files, packs
from nbcellar.store.repack import join_small_packs
from nbcellar.trust.keys import load_or_create

MUTANTS = {
    1: "files are not synced",
    2: "folders are not synced",
    3: "synchronous=OFF",
    4: "synchronous=NORMAL",
    5: "synchronous=FULL",
}
_SECTOR = 512
_FORGOTTEN_SEED = 4711


@dataclass
class FileOnDisk:
    """An inode: what is on stable storage, and what was done since."""

    stable: bytes = b""
    pending: list[Call] = field(default_factory=list)

    def sync(self) -> None:
        """Make all that was done stable."""
        self.stable, self.pending = _applied(self.stable, self.pending), []


class Disk:
    """The files below a folder as a power failure may leave them. Names and data are made stable by a sync only."""

    def __init__(self) -> None:
        self._stable: dict[str, FileOnDisk | None] = {}  # None: a folder
        self.now: dict[str, FileOnDisk | None] = {}
        self._names: list[tuple[str, str, FileOnDisk | None, bool]] = []  # folder, path, inode, is it there afterwards

    def take_in(self, folder: Path) -> None:
        """Start from what is in a folder, all of it stable."""
        for path in sorted(folder.rglob("*")):
            if not path.name.endswith("-shm"):
                self._stable[str(path)] = FileOnDisk(path.read_bytes()) if path.is_file() else None
        self.now = dict(self._stable)

    def apply(self, call: Call) -> None:
        """Follow one call."""
        inode = self.now.get(call.path)
        if call.kind in ("open", "mkdir"):
            if call.path not in self.now:
                self._name(call.path, FileOnDisk() if call.kind == "open" else None, True)
        elif call.kind in ("write", "truncate"):
            if inode is None:  # a file that was there before anybody looked
                return
            inode.pending.append(call)
        elif call.kind == "sync":
            if inode is not None:
                inode.sync()
            else:
                self._sync_names(call.path)
        elif call.kind in ("rename", "link"):
            self._name(call.target, inode, True)
            if call.kind == "rename":
                self._name(call.path, inode, False)
        elif call.kind == "unlink":
            self._name(call.path, inode, False)

    def write_to(self, source: Path, target: Path, mode: str, rng: random.Random) -> None:
        """Write what is left after a power failure; mode: nothing, all, some or half of what was not stable."""
        names = dict(self._stable)
        kept = self._names
        if mode == "nothing":
            kept = []
        elif mode == "half":
            kept = kept[: rng.randint(0, len(kept))]
        elif mode == "some":  # a file that is renamed may be there twice, but is not lost
            chosen = {id(change) for change in kept if rng.random() < 0.5}
            added = {id(inode) for change in kept if id(change) in chosen for inode in change[2:3] if change[3]}
            moved = {id(inode) for _, _, inode, there in kept if there}
            kept = [
                change
                for change in kept
                if id(change) in chosen and (change[3] or id(change[2]) not in moved or id(change[2]) in added)
            ]
        for _, path, inode, there in kept:
            if there:
                names[path] = inode
            else:
                names.pop(path, None)
        for path in sorted(names):
            copy = target / Path(path).relative_to(source)
            if not copy.parent.is_dir():  # its folder's name was lost, and with it all that is in it
                continue
            inode = names[path]
            if inode is None:
                copy.mkdir(exist_ok=True)
            else:
                copy.write_bytes(_applied(inode.stable, _survivors(inode.pending, mode, rng)))

    def _name(self, path: str, inode: FileOnDisk | None, there: bool) -> None:
        if there:
            self.now[path] = inode
        else:
            self.now.pop(path, None)
        self._names.append((str(Path(path).parent), path, inode, there))

    def _sync_names(self, folder: str) -> None:
        for where, path, inode, there in self._names:
            if where == folder:
                if there:
                    self._stable[path] = inode
                else:
                    self._stable.pop(path, None)
        self._names = [change for change in self._names if change[0] != folder]


def _applied(data: bytes, changes: list[Call]) -> bytes:
    result = bytearray(data)
    for call in changes:
        if call.kind == "truncate":
            del result[call.offset :]
        else:
            if len(result) < call.offset:
                result += bytes(call.offset - len(result))
            result[call.offset : call.offset + len(call.data)] = call.data
    return bytes(result)


def _survivors(changes: list[Call], mode: str, rng: random.Random) -> list[Call]:
    """Return which writes reached the disk; with "half", the last of them in part."""
    if mode == "nothing":
        return []
    if mode == "all" or not changes:
        return changes
    if mode == "some":
        return [call for call in changes if rng.random() < 0.5]
    kept = changes[: rng.randint(0, len(changes))]
    if kept and kept[-1].kind == "write":
        last = kept[-1]
        cut = rng.randint(0, len(last.data) // _SECTOR) * _SECTOR
        kept[-1] = Call("write", last.path, last.data[:cut], last.offset)
    return kept


# the record -----------------------------------------------------------------------------------------------------------


@dataclass
class Record:
    """What one process did: calls, and after how many of them something was acknowledged or begun."""

    calls: list[Call] = field(default_factory=list)
    acks: list[tuple[int, Ack]] = field(default_factory=list)
    forgetting: list[int] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)


def work(folder: Path, seed: int, steps: int) -> Record:
    """Record a session that does everything, cleaning included."""
    record = Record()
    rng = random.Random(seed)
    with Calls(folder, lambda call: None, record.calls.append):
        notebook = Notebook(folder, "a", seed, lambda what: None)
        repo, key = notebook.live.repo, load_or_create(folder / "user")
        for number in range(steps):
            if number == 3:
                notebook.live.cell(f"{SECRET} = np.random.default_rng({_FORGOTTEN_SEED}).bytes(90_000)")
                notebook.live.cell(f"del {SECRET}")
            notebook.step()
            record.acks.append((len(record.calls), notebook.acks[-1]))
            what = rng.choices(["", "log", "join", "gc", "purge", "forget"], [80, 5, 5, 5, 3, 4])[0]
            if number == steps // 2:
                what = "forget"
            if what == "log":
                repo.write_log_pack()
            elif what == "join":
                join_small_packs(repo.store, at_least=2)  # type: ignore[arg-type]
            elif what in ("gc", "purge"):
                repo.gc(children_of, purge=what == "purge")
            elif what == "forget":
                record.forgetting.append(len(record.calls))
                with contextlib.suppress(NotFoundError):
                    notebook_id = notebook.live.session.notebook
                    forget_variable(repo, notebook_id, SECRET, key=key, children_of=children_of)
                    if number >= 3:
                        record.forgotten.append(len(record.calls))
        repo.close()
    return record


def spoil(mutant: int) -> None:
    """Make the product careless."""
    if mutant == 1:
        packs.sync_file = lambda descriptor: None  # type: ignore[assignment]
    elif mutant == 2:
        files.sync_folder = lambda folder: None  # type: ignore[assignment]
    elif mutant:
        careful, pragma = database.open_database, MUTANTS[mutant]

        def open_database(path: Path, *, late: bool = False) -> apsw.Connection:
            db = careful(path, late=late)
            db.execute(f"PRAGMA {pragma}")
            return db

        database.open_database = open_database  # type: ignore[assignment]


def recorded(folder: Path, seed: int, steps: int, mutant: int) -> Any:
    """Do the work in this process and leave the record in a file."""
    make_project(folder)
    disk = Disk()
    disk.take_in(folder)
    spoil(mutant)
    main_module = sys.modules["__main__"]  # a session puts its own module there
    record = work(folder, seed, steps)
    sys.modules["__main__"] = main_module
    (folder.parent / "record").write_bytes(pickle.dumps((disk, record)))
    return len(record.calls)


def power(arguments: argparse.Namespace, outcome: Outcome) -> None:
    rng = random.Random(arguments.seed)
    while outcome.cycles < arguments.cycles:
        with tempfile.TemporaryDirectory(prefix="cellar-faults-") as place:
            folder = Path(place) / "work"
            seed = rng.randrange(1 << 30)
            in_child(partial(recorded, folder, seed, arguments.steps, arguments.mutant))
            data = (folder.parent / "record").read_bytes()
            count = min(arguments.cycles - outcome.cycles, arguments.states)
            fails = _moments(pickle.loads(data)[1], count, rng)
            disk, record = pickle.loads(data)
            done = 0
            for moment in fails:
                for call in record.calls[done:moment]:
                    disk.apply(call)
                done = moment
                _fail_here(disk, record, folder, moment, rng, outcome)
                if outcome.failures and (arguments.mutant or len(outcome.failures) > 20):
                    break
        if arguments.mutant and outcome.failures:
            break
    if arguments.mutant:
        found, outcome.failures = outcome.failures, []
        name = MUTANTS[arguments.mutant]
        outcome.rig += f": {name}"
        outcome.notes = [f"found after {outcome.cycles} power failures: {found[0][:160]}"] if found else []
        if not found:
            outcome.fail(f"the rig does not notice when {name}")


def _moments(record: Record, count: int, rng: random.Random) -> list[int]:
    """Return after how many calls the power fails, in order: right after something was promised, and anywhere."""
    promised = [moment for moment, _ in record.acks] + record.forgotten
    some = [rng.choice(promised) for _ in range(count // 2)]
    return sorted(some + [rng.randint(0, len(record.calls)) for _ in range(count - len(some))])


def _fail_here(disk: Disk, record: Record, folder: Path, moment: int, rng: random.Random, outcome: Outcome) -> None:
    mode = rng.choice(["nothing", "nothing", "all", "some", "half"])
    acks = [ack for since, ack in record.acks if since <= moment]
    left = Path(tempfile.mkdtemp(prefix="left-", dir=folder.parent))
    disk.write_to(folder, left, mode, rng)
    outcome.cycles += 1
    outcome.acknowledged += len(acks)
    what = f"after call {moment} of {len(record.calls)}, {mode} of what was not synced"
    try:
        forgotten = any(begun <= moment for begun in record.forgetting)
        verdict = verify(left, acks, forgotten=forgotten, values=5, seed=moment)
    except AssertionError as error:
        outcome.torn += 1
        outcome.fail(f"{what}: {str(error).strip().splitlines()[-1]}")
    else:
        outcome.lost += len(verdict.lost)
        outcome.torn += len(verdict.torn)
        for text in (*verdict.lost, *verdict.torn, *verdict.problems):
            outcome.fail(f"{what}: {text}")
        if any(done <= moment for done in record.forgotten) and (found := _forgotten_in(left)):
            outcome.fail(f"{what}: what was forgotten is in {', '.join(found)}")
    shutil.rmtree(left)


def _forgotten_in(folder: Path) -> list[str]:
    piece = numpy.random.default_rng(_FORGOTTEN_SEED).bytes(90_000)[5000:5040]
    return [str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and piece in p.read_bytes()]


if __name__ == "__main__":
    main(power, cycles=200, steps=40, states=50, mutant=0)
