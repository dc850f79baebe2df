"""Power failures on a file system in user space (FUSE), under several processes at once.

The file system keeps data and names in memory and, beside them, what was synced (`power.Disk`). One to three sessions
and sometimes a collector work on it; then the power fails: all they have is what was synced, and every acknowledged
commit must be there and equal. Half of the cycles in the mode of local disks (WAL), half in that of network file
systems, which is what a store takes on FUSE by itself. `--mutant n` as in `power.py`. Needs Linux, /dev/fuse, the right
to mount, libfuse and mfusepy; without them it says so and exits with 77.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import random
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from calls import Call
from power import MUTANTS, Disk, FileOnDisk, spoil
from support import PATIENCE_S, Ack, Actor, Outcome, collector_actor, main, make_project, notebook_actor, verify

from nbcellar.store.local import LocalStore

_FAIL = "/power-failure"
CANNOT = 77


def reason_not_to() -> str:
    """Return why no such file system can be mounted here, "" if it can."""
    if sys.platform != "linux" or not Path("/dev/fuse").exists():
        return "there is no /dev/fuse"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "/dev/fuse may not be opened"
    try:
        import mfusepy  # noqa: F401
    except ImportError:
        return "mfusepy is not installed (pip install mfusepy)"
    except OSError as error:
        return f"libfuse is not installed ({error}; apt-get install fuse3)"
    return ""


class _Operations:
    """The file system: `disk` follows what is synced, `data` is what processes see."""

    use_ns = True

    def __init__(self, root: Path, left: Path) -> None:
        self._root, self._left = root, left
        self._disk = Disk()
        self._disk.take_in(root)
        self._data: dict[int, bytearray] = {}
        self._open: dict[int, FileOnDisk] = {}
        self._next = 1
        self._dead = False
        self._inodes: dict[int, int] = {}
        self._kept: list[FileOnDisk] = []
        for inode in self._disk.now.values():
            if inode is not None:
                self._data[id(inode)] = bytearray(inode.stable)

    def __call__(self, name: str, *args: Any) -> Any:
        if self._dead:
            raise OSError(errno.EIO, "the power failed")
        return getattr(self, name)(*args)

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        inode = self._open.get(fh) if fh else None
        if inode is None:
            real = self._real(path)
            if path != "/" and real not in self._disk.now:
                raise OSError(errno.ENOENT, path)
            inode = self._disk.now.get(real)
            if inode is None:
                number = self._inodes.setdefault(hash(real), len(self._inodes) + 2)
                return {"st_mode": stat.S_IFDIR | 0o700, "st_nlink": 2, "st_ino": number, "st_uid": os.getuid()}
        links = sum(1 for other in self._disk.now.values() if other is inode)
        number = self._inodes.setdefault(id(inode), len(self._inodes) + 2)
        size = len(self._data[id(inode)])
        return {
            "st_mode": stat.S_IFREG | 0o600,
            "st_nlink": links,
            "st_size": size,
            "st_ino": number,
            "st_uid": os.getuid(),
            "st_blocks": (size + 511) // 512,
        }

    def statfs(self, path: str) -> dict[str, int]:
        """There is room: a session keeps a reserve of the disk free."""
        return {"f_bsize": 4096, "f_frsize": 4096, "f_blocks": 1 << 24, "f_bfree": 1 << 23, "f_bavail": 1 << 23}

    def readdir(self, path: str, fh: int) -> list[str]:
        folder = self._real(path).rstrip("/") + "/"
        names = [other[len(folder) :] for other in self._disk.now if other.startswith(folder)]
        return [".", "..", *(name for name in names if "/" not in name)]

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        if path == _FAIL:
            self._fail()
        self._apply("open", path)
        inode = self._disk.now[self._real(path)]
        assert inode is not None
        self._data[id(inode)] = bytearray()
        self._kept.append(inode)  # its id is not given to another
        return self._opened(inode)

    def open(self, path: str, flags: int) -> int:
        inode = self._disk.now.get(self._real(path))
        if inode is None:
            raise OSError(errno.ENOENT, path)
        return self._opened(inode)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return bytes(self._data[id(self._open[fh])][offset : offset + size])

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        inode = self._open[fh]
        content = self._data[id(inode)]
        if len(content) < offset:
            content += bytes(offset - len(content))
        content[offset : offset + len(data)] = data
        inode.pending.append(Call("write", "", bytes(data), offset))
        return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        inode = self._open[fh] if fh in self._open else self._disk.now[self._real(path)]
        assert inode is not None
        content = self._data[id(inode)]
        content += bytes(max(0, length - len(content)))
        del content[length:]
        inode.pending.append(Call("truncate", "", offset=length))
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        self._open[fh].sync()
        return 0

    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        self._apply("sync", path)
        return 0

    def rename(self, old: str, new: str) -> int:
        self._apply("rename", old, new)
        return 0

    def link(self, target: str, source: str) -> int:
        self._apply("link", source, target)
        return 0

    def unlink(self, path: str) -> int:
        self._apply("unlink", path)
        return 0

    rmdir = unlink

    def mkdir(self, path: str, mode: int) -> int:
        self._apply("mkdir", path)
        return 0

    def release(self, path: str, fh: int) -> int:
        self._open.pop(fh, None)
        return 0

    def _opened(self, inode: FileOnDisk) -> int:
        self._next += 1
        self._open[self._next] = inode
        return self._next

    def _apply(self, kind: str, path: str, target: str = "") -> None:
        self._disk.apply(Call(kind, self._real(path), target=self._real(target) if target else ""))

    def _real(self, path: str) -> str:
        return str(self._root) + path.rstrip("/")

    def _fail(self) -> None:
        """Leave what was synced, and do nothing more."""
        self._disk.write_to(self._root, self._left, "nothing", random.Random(0))
        self._dead = True
        (self._left / "done").touch()
        raise OSError(errno.EIO, "the power failed")


@contextlib.contextmanager
def mounted(root: Path, point: Path, left: Path) -> Iterator[None]:
    """Serve `root`, read into memory, at `point`; after the power failed, what was synced is in `left`."""

    def serve(say: Any) -> None:
        import mfusepy

        operations = _Operations(root, left)
        names = [name for name in vars(_Operations) if not name.startswith("_") and name != "use_ns"]

        def method(name: str) -> Any:
            return lambda self, *args: operations(name, *args)

        served = type("Served", (mfusepy.Operations,), {"use_ns": True} | {name: method(name) for name in names})()
        mfusepy.FUSE(
            served, str(point), foreground=True, nothreads=True, use_ino=True, hard_remove=True, attr_timeout=0,
            entry_timeout=0,
        )  # fmt: skip

    server = Actor(serve)
    deadline = time.monotonic() + PATIENCE_S
    while not os.path.ismount(point):  # pathlib raises where a dead server answers
        server.listen(0.01)
        if server.ended or time.monotonic() > deadline:
            server.finish()
            raise RuntimeError(f"the file system could not be mounted: {server.error[-300:]}")
    try:
        yield
    finally:
        server.kill()
        subprocess.run(["umount", "-l", point], check=False, capture_output=True)
        server.finish()


def power_fuse(arguments: argparse.Namespace, outcome: Outcome) -> None:
    if reason := reason_not_to():
        outcome.notes.append(f"not run: {reason}")
        outcome.rig += " (not run)"
        print(reason, file=sys.stderr)
        sys.exit(CANNOT)
    spoil(arguments.mutant)
    for cycle in range(arguments.cycles):
        rng = random.Random(f"{arguments.seed} {cycle}")
        local = arguments.mutant < 5 if arguments.mutant else cycle % 2 == 0
        pretend(local)
        with tempfile.TemporaryDirectory(prefix="cellar-faults-", ignore_cleanup_errors=True) as place:
            one_failure(Path(place), rng, cycle, outcome, "local" if local else "network")
        if outcome.failures and (arguments.mutant or len(outcome.failures) > 20):
            break
    if arguments.mutant:
        found, outcome.failures = outcome.failures, []
        outcome.rig += f": {MUTANTS[arguments.mutant]}"
        outcome.notes = [f"found after {outcome.cycles} power failures: {found[0][:160]}"] if found else []
        if not found:
            outcome.fail(f"the rig does not notice when {MUTANTS[arguments.mutant]}")


def pretend(local: bool) -> None:
    """Let stores believe that all disks are local, or that all are in a network, whatever they are."""
    for method in (LocalStore.open, LocalStore.create):
        method.__func__.__kwdefaults__["network"] = lambda folder: not local  # type: ignore[attr-defined]


def one_failure(place: Path, rng: random.Random, cycle: int, outcome: Outcome, mode: str) -> None:
    root, point, left = place / "root", place / "mount", place / "left"
    point.mkdir()
    left.mkdir()
    make_project(root)
    with mounted(root, point, left):
        actors = [notebook_actor(point, f"n{i}", cycle) for i in range(rng.randint(1, 3))]
        everyone = actors + ([collector_actor(point, cycle)] if rng.random() < 0.5 else [])
        rng.choice(actors).hear_something()
        until = time.monotonic() + rng.random() * 0.8
        while time.monotonic() < until:
            for actor in everyone:
                actor.listen(0.01)
        with contextlib.suppress(OSError):
            (point / _FAIL.strip("/")).touch()
        if not (left / "done").exists():
            raise RuntimeError("the power did not fail")
        (left / "done").unlink()
        for actor in everyone:
            actor.kill()
        for actor in everyone:
            actor.finish()
    acks: list[Ack] = [ack for actor in actors for ack in actor.acks()]
    forgotten = any({"begin": "forget"} in actor.said for actor in everyone)
    outcome.cycles += 1
    outcome.acknowledged += len(acks)
    what = f"cycle {cycle}, mode of a {mode} disk"
    try:
        verdict = verify(left, acks, forgotten=forgotten, values=12, seed=cycle)
    except AssertionError as error:
        outcome.torn += 1
        outcome.fail(f"{what}: {str(error).strip().splitlines()[-1]}")
        return
    outcome.lost += len(verdict.lost)
    outcome.torn += len(verdict.torn)
    for text in (*verdict.lost, *verdict.torn, *verdict.problems):
        outcome.fail(f"{what}: {text}")


if __name__ == "__main__":
    main(power_fuse, cycles=200, mutant=0)
