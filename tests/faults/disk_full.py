"""The disk is full, at fifty sizes: it is said, nothing that was saved is lost, and with room again all goes on.

A session works in a repository on a small tmpfs where that may be mounted, else on a disk whose size `calls.py` keeps
count of. When a cell is not saved, that is said with a hint; then room is made, and the next cell saves everything.
Between the sizes, `cellar gc` and `cellar check` run on the full disk. Afterwards all that was acknowledged is there.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import subprocess
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from calls import Call, Calls, refuse
from support import Ack, Notebook, Outcome, children_of, in_child, main, make_project, verify

from nbcellar.errors import CellarError

_SMALLEST, _STEP = 400_000, 60_000
_MOST_STEPS = 60


class Quota:
    """A disk of so many bytes: every file below a folder counts."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self._folder, self._size = folder, size_bytes

    def __call__(self, call: Call) -> None:
        if call.kind != "write":
            return
        path = Path(call.path)
        grows = call.offset + len(call.data) - (path.stat().st_size if path.exists() else 0)
        if grows > 0 and self._used() + grows > self._size:
            refuse(call, errno.ENOSPC)

    def grow(self, size_bytes: int) -> None:
        self._size = size_bytes

    def _used(self) -> int:
        total = 0
        for path in self._folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                total += path.stat().st_size
        return total


@contextlib.contextmanager
def small_disk(place: Path, size_bytes: int, *, counted: bool) -> Iterator[Any]:
    """Give what makes a disk of this size at `place` larger; a real one if this may mount, else a counted one."""
    place.mkdir()
    options = ["mount", "-t", "tmpfs", "-o"]
    if (
        not counted
        and os.geteuid() == 0
        and not subprocess.run(
            [*options, f"size={size_bytes}", "tmpfs", place], capture_output=True, check=False
        ).returncode
    ):
        try:
            yield lambda size: subprocess.run([*options, f"remount,size={size}", "tmpfs", place], check=True), None
        finally:
            subprocess.run(["umount", "-l", place], check=True)
    else:
        quota = Quota(place, size_bytes)
        yield quota.grow, quota


def fill(folder: Path, seed: int, grow: Any, quota: Quota | None) -> dict[str, Any]:
    """Work until the disk is full, make room, work on; return what was acknowledged and said."""
    found: dict[str, Any] = {"acks": [], "said": 0, "wrong": ""}
    with Calls(folder, quota) if quota is not None else contextlib.nullcontext():
        refused: list[str] = []

        def say(what: Any) -> None:
            if "refused" in what:
                refused.append(what["refused"])

        notebook = Notebook(folder, "a", seed, say)
        for _ in range(_MOST_STEPS):
            notebook.step()
            if refused:
                break
        if not refused and not any(ack.without for ack in notebook.acks):
            return found | {"wrong": "the disk was never full"}
        if (
            refused
            and not notebook.live.session.writer.failed
            and "not saved" not in refused[0]
            and "cannot" not in refused[0]
        ):
            return found | {"wrong": f"it is not said why: {refused[0]}"}
        for _ in range(3):  # as users do
            notebook.step()
        repo = notebook.live.repo
        for action in (lambda: repo.check(read_data=True), lambda: repo.gc(children_of), repo.write_log_pack):
            try:
                action()
            except CellarError as error:
                refused.append(str(error))
                if not error.hint:
                    return found | {"wrong": f"no hint: {error}"}
        grow(64 << 20)
        count = len(refused)
        notebook.live.cell("small = ['room again']  # room")
        notebook.acknowledge("room")
        for _ in range(3):
            notebook.step()
        if len(refused) > count:
            return found | {"wrong": f"with room again: {refused[-1]}"}
        repo.gc(children_of)
        found |= {"acks": [ack.__dict__ for ack in notebook.acks], "said": count}
    return found


def disk_full(arguments: argparse.Namespace, outcome: Outcome) -> None:
    for number in range(arguments.cycles):
        size = _SMALLEST + _STEP * number * arguments.stride
        with tempfile.TemporaryDirectory(prefix="cellar-faults-") as place:
            disk = Path(place) / "disk"
            with small_disk(disk, size, counted=bool(arguments.counted)) as (grow, quota):
                folder = disk / "work"
                what = f"a disk of {size:,} bytes"
                try:
                    in_child(partial(make_project, folder))
                    found = in_child(partial(fill, folder, arguments.seed + size, grow, quota))
                except AssertionError as error:
                    outcome.fail(f"{what}: {error}")
                    continue
                outcome.cycles += 1
                outcome.said += found["said"]
                if found["wrong"]:
                    outcome.fail(f"{what}: {found['wrong']}")
                    continue
                acks = [Ack(**ack) for ack in found["acks"]]
                outcome.acknowledged += len(acks)
                verdict = verify(folder, acks, forgotten=False)
                outcome.lost += len(verdict.lost)
                outcome.torn += len(verdict.torn)
                for text in (*verdict.lost, *verdict.torn, *verdict.problems):
                    outcome.fail(f"{what}: {text}")
    outcome.notes.append("a counted disk" if quota is not None else "a tmpfs")


if __name__ == "__main__":
    main(disk_full, cycles=50, stride=1, counted=0)
