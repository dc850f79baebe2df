"""The n-th call that changes a file fails, for every n of everything that writes.

Each run copies one prepared repository, does one thing in it (a cell, undo, checkout, a named commit, a log pack,
joining, gc, purge, forget, opening, making, rebuilding) and lets its n-th call fail, Python's or SQLite's, once or from
then on, with EIO or ENOSPC. Then: it succeeded, or said why in an error with a hint; the live variables are what they
were; when the fault is gone the next cell saves everything, a second try succeeds; in another process every
acknowledged commit is there and equal, and `check` is clean. Every n (or with `--stride`, every so many) fails once
with EIO; every fourth of these with ENOSPC, and every fourth for good.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy
from blake3 import blake3
from calls import Call, Calls, refuse
from support import SECRET, Ack, Notebook, Outcome, in_child, in_short, main, make_project, picture_of, verify

from nbcellar.api.maintenance import children_of
from nbcellar.errors import AlreadyExistsError, CellarError, NotFoundError
from nbcellar.history.forget import forget_variable
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId, Digest
from nbcellar.store.codec import Codec
from nbcellar.store.interface import Kind
from nbcellar.store.packs import PackWriter
from nbcellar.store.rebuild import rebuild
from nbcellar.store.repack import join_small_packs
from nbcellar.trust.keys import load_or_create

_SECRET_SEED = 77


class Fault:
    """Refuses the n-th call, or all from the n-th on."""

    def __init__(self, n: int, number: int, *, lasting: bool) -> None:
        self._n, self._number, self._lasting = n, number, lasting
        self.count = 0
        self.where = ""
        self.armed = False

    def __call__(self, call: Call) -> None:
        if not self.armed:
            return
        self.count += 1
        if self.count == self._n or (self._lasting and self.count > self._n):
            self.where = self.where or f"{call.kind} {Path(call.path).name}"
            refuse(call, self._number)


@dataclass
class Scene:
    """What an action works on."""

    folder: Path
    notebook: Notebook | None = None

    @property
    def session(self) -> Any:
        assert self.notebook is not None
        return self.notebook.live.session

    def cell(self, source: str) -> None:
        assert self.notebook is not None
        self.notebook.live.cell(source)

    @contextlib.contextmanager
    def repo(self) -> Iterator[Repository]:
        with Repository.open(self.folder / "project") as repo:
            yield repo


def _cell(scene: Scene) -> None:
    scene.cell(f"more = np.random.default_rng(5).integers(0, 256, 150_000, dtype='u1'); made = ['new']; {SECRET} = 1")


def _two_cells(scene: Scene) -> None:
    scene.cell("made = ['new']")
    scene.cell("made.append(2)")


def _undo(scene: Scene) -> None:
    scene.session.undo(2)


def _checkout(scene: Scene) -> None:
    assert scene.notebook is not None
    scene.session.checkout(CommitId(bytes.fromhex(scene.notebook.acks[3].commit)), None)


def _commit(scene: Scene) -> None:
    scene.session.commit("a name")


def _log(scene: Scene) -> None:
    with scene.repo() as repo:
        repo.write_log_pack()


def _join(scene: Scene) -> None:
    with scene.repo() as repo:
        join_small_packs(repo.store, at_least=2)  # type: ignore[arg-type]


def _gc(scene: Scene) -> None:
    with scene.repo() as repo:
        repo.gc(children_of)


def _purge(scene: Scene) -> None:
    with scene.repo() as repo:
        repo.gc(children_of, purge=True)


def _forget(scene: Scene) -> None:
    with scene.repo() as repo:
        key = load_or_create(scene.folder / "user")
        for info in repo.notebooks():
            with contextlib.suppress(NotFoundError):
                forget_variable(repo, info.id, SECRET, key=key, children_of=children_of)
    if found := files_with_secret(scene.folder):
        raise AssertionError(f"forgotten, but still in {found}")


def _open(scene: Scene) -> None:
    scene.notebook = Notebook(scene.folder, "a", 2, lambda what: None)
    scene.cell("import numpy as np")
    scene.notebook.live.repo.close()


def _make(scene: Scene) -> None:
    other = scene.folder / "other"
    try:
        Repository.create(other).close()
    except AlreadyExistsError:  # what failed came after the last step that matters
        Repository.open(other).close()


def _rebuild(scene: Scene) -> None:
    rebuild(scene.folder / "project" / ".cellar")
    with scene.repo() as repo:
        repo.rebuild_index()


WITH_SESSION: dict[str, Callable[[Scene], None]] = {
    "cell": _cell,
    "two cells": _two_cells,
    "undo": _undo,
    "checkout": _checkout,
    "commit": _commit,
}
WITHOUT: dict[str, Callable[[Scene], None]] = {
    "log pack": _log,
    "join": _join,
    "gc": _gc,
    "purge": _purge,
    "forget": _forget,
    "open": _open,
    "init": _make,
    "rebuild": _rebuild,
}
GOES_BACK = ("undo", "checkout")


def files_with_secret(folder: Path) -> list[str]:
    """Return the files that hold a piece of what `SECRET` held in the prepared repository."""
    piece = numpy.random.default_rng(_SECRET_SEED).bytes(90_000)[5000:5040]
    files = [path for path in (folder / "project" / ".cellar").rglob("*") if path.is_file()]
    return [str(path.relative_to(folder)) for path in files if piece in path.read_bytes()]


def prepare(folder: Path) -> list[dict[str, str]]:
    """Make a repository with some history, garbage, a pack of a dead writer and two log packs; return its acks."""
    make_project(folder)
    notebook = Notebook(folder, "a", 1, lambda what: None)
    while len(notebook.acks) < 14:
        notebook.step()
    notebook.live.cell(f"{SECRET} = np.random.default_rng({_SECRET_SEED}).bytes(90_000)  # secret")
    notebook.acknowledge("secret")
    repo = notebook.live.repo
    repo.write_log_pack()
    for number in range(3):
        with repo.store.begin() as transaction:
            transaction.put(Kind.BLOCK, numpy.random.default_rng(number).bytes(80_000))
            transaction.put(Kind.BLOCK, b"garbage %d" % number * 10)
            transaction.commit()
    notebook.live.cell("small = ['last']  # last")
    notebook.acknowledge("last")
    cellar = folder / "project" / ".cellar"
    writer = PackWriter(cellar)  # of a transaction whose process died before COMMIT
    noise = numpy.random.default_rng(9).bytes(70_000)
    writer.add(Digest(blake3(noise).digest()), Kind.BLOCK, Codec.RAW, len(noise), noise)
    writer.seal()
    repo.close()
    return [asdict(ack) for ack in notebook.acks]


def attempt(folder: Path, name: str, n: int, number: int, lasting: bool, acks: list[Ack]) -> dict[str, Any]:
    """Do it in this process with a fault; return what happened. The process dies without closing anything."""
    fault = Fault(n, number, lasting=lasting)
    with Calls(folder, fault):  # from the first on: a connection keeps the VFS that it was opened with
        return _attempt(Scene(folder), name, fault, acks)


def _attempt(scene: Scene, name: str, fault: Fault, acks: list[Ack]) -> dict[str, Any]:
    folder = scene.folder
    action = (WITH_SESSION | WITHOUT)[name]
    if name in WITH_SESSION:
        scene.notebook = Notebook(folder, "a", 2, lambda what: None)
        scene.notebook.acks = list(acks)
        scene.session.checkout(CommitId(bytes.fromhex(acks[-1].commit)), None)
        scene.cell("extra = ['extra']")
    (folder / "other").mkdir(exist_ok=True)  # where `init` makes a repository
    before = _picture(scene)
    found: dict[str, Any] = {"error": "", "new": [], "wrong": ""}
    fault.armed = True
    try:
        action(scene)
    except CellarError as error:
        found["error"] = str(error)
        if not error.hint:
            found["wrong"] = f"the error has no hint: {error}"
    except Exception as error:
        found["wrong"] = in_short(error)
    fault.armed = False
    found |= {"hit": bool(fault.where), "where": fault.where}
    if found["wrong"] or not fault.where:
        return found
    if name in GOES_BACK and found["error"] and _picture(scene) != before:
        found["wrong"] = f"it failed and left other variables: {found['error']}"
        return found
    try:  # the fault is gone
        if name in WITH_SESSION:
            scene.cell("after = 'the fault'  # after")
            assert scene.notebook is not None
            scene.notebook.acknowledge("after")
            found["new"] = [asdict(scene.notebook.acks[-1])]
        elif found["error"]:
            action(Scene(folder))
    except Exception as error:
        found["wrong"] = f"after the fault ({found['error']}): {in_short(error)}"
    return found


def _picture(scene: Scene) -> str:
    return picture_of(scene.notebook.live.ns) if scene.notebook is not None else ""


def nth_call(arguments: argparse.Namespace, outcome: Outcome) -> None:
    names = list(WITH_SESSION | WITHOUT)
    with tempfile.TemporaryDirectory(prefix="cellar-faults-") as place:
        template = Path(place) / "template"
        acks = [Ack(**ack) for ack in in_child(lambda: prepare(template))]
        for name in names if arguments.action < 0 else [names[arguments.action]]:
            hits = 0
            for number, lasting in ((errno.EIO, False), (errno.ENOSPC, False), (errno.EIO, True)):
                often = number == errno.EIO and not lasting
                stride = arguments.stride * (1 if often else 4)
                n = 1 + arguments.seed % stride
                while _one(template, acks, name, n, number, lasting, outcome):
                    n, hits = n + stride, hits + 1
                if often and stride == 1:
                    outcome.notes.append(f"{name} {n - 1}")
            if not hits:
                outcome.fail(f"{name}: no call was ever refused")
                if len(outcome.failures) > 200:
                    return


def _one(template: Path, acks: list[Ack], name: str, n: int, number: int, lasting: bool, outcome: Outcome) -> bool:
    """Run once on a copy; return False when it made fewer than n calls."""
    folder = template.parent / "run"
    shutil.copytree(template, folder)
    try:
        found = in_child(lambda: attempt(folder, name, n, number, lasting, acks))
        if not found["hit"]:
            if found["wrong"] or found["error"]:
                outcome.fail(f"{name}, no fault: {found['wrong'] or found['error']}")
            return False
        outcome.cycles += 1
        outcome.said += bool(found["error"])
        fails = "fail" if lasting else "fails"
        what = f"{name}, call {n} ({found['where']}) {fails} with {errno.errorcode[number]}"
        if found["wrong"]:
            outcome.fail(f"{what}: {found['wrong']}")
            return True
        promised = acks + [Ack(**ack) for ack in found["new"]]
        outcome.acknowledged += len(promised)
        verdict = verify(folder, promised, forgotten=name == "forget", values=3, seed=n)
        outcome.lost += len(verdict.lost)
        outcome.torn += len(verdict.torn)
        for text in (*verdict.lost, *verdict.torn, *verdict.problems):
            outcome.fail(f"{what}: {text}")
    except AssertionError as error:
        outcome.fail(f"{name}, call {n}, {errno.errorcode[number]}, lasting {lasting}: {error}")
    finally:
        shutil.rmtree(folder)
    return True


if __name__ == "__main__":
    main(nth_call, cycles=0, stride=1, action=-1)
