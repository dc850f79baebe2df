"""What the rigs share: sessions that promise, what they promised, and whether it is kept.

A *rig* is a script that attacks a store and prints one `Outcome` as JSON. Its *actors* are forked processes; each tells
through a pipe what was acknowledged to it (`Ack`), so that what is believed outlives whoever is killed. Invariant: an
ack is sent after the product said "saved", and never before. Not for: deciding what goes wrong (the rigs).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # an actor is forked: no threads before that
_TESTS = Path(__file__).parent.parent
sys.path[:0] = [str(_TESTS.parent / "src"), str(_TESTS / "unit" / "session")]

import msgspec  # noqa: E402
import numpy  # noqa: E402, F401 - once, for all that are forked
from blake3 import blake3  # noqa: E402
from live import Live, describe  # type: ignore[import-not-found]  # noqa: E402

from nbcellar.api.maintenance import children_of  # noqa: E402
from nbcellar.errors import CellarError, NotFoundError  # noqa: E402
from nbcellar.history.forget import forget_variable  # noqa: E402
from nbcellar.history.repository import Repository  # noqa: E402
from nbcellar.ids import CommitId, NotebookId  # noqa: E402
from nbcellar.store.repack import join_small_packs  # noqa: E402
from nbcellar.trust.keys import load_or_create  # noqa: E402

PATIENCE_S = 120.0
"""After this long something hangs, which is a failure; nothing else depends on it."""

SECRET = "junk"
"""The variable that is taken out of history now and then; what it holds is not compared."""


@dataclass
class Outcome:
    """One line of the table: what a rig did, and what it found."""

    rig: str
    cycles: int = 0
    acknowledged: int = 0
    lost: int = 0
    torn: int = 0
    said: int = 0  # errors that were reported as such
    seconds: float = 0.0
    seed: int = 0
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)  # each a sentence

    def fail(self, text: str) -> None:
        self.failures.append(text)


@dataclass(frozen=True)
class Ack:
    """A commit that the product said is saved: its id, a word that only its cell has, a picture of the variables."""

    commit: str
    nonce: str
    picture: str
    without: tuple[str, ...] = ()  # what the commit says it does not hold: no room, or no time, for it


def main(rig: Callable[[argparse.Namespace, Outcome], None], *, cycles: int, **options: int) -> None:
    """Run a rig as a script; the outcome goes to stdout, and decides the exit code."""
    parser = argparse.ArgumentParser(description=(sys.modules["__main__"].__doc__ or "").split("\n")[0])
    parser.add_argument("--cycles", type=int, default=cycles)
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same choices")
    for name, value in options.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    arguments = parser.parse_args()
    outcome = Outcome(Path(sys.argv[0]).stem.replace("_", " "), seed=arguments.seed)
    started = time.monotonic()
    with own_home():
        rig(arguments, outcome)
    outcome.seconds = round(time.monotonic() - started, 1)
    print(json.dumps(asdict(outcome)))
    sys.exit(1 if outcome.failures else 0)


@contextlib.contextmanager
def own_home() -> Iterator[None]:
    """No rig reads or writes the developer's keys; kernels and commands that it starts run this checkout."""
    os.environ["PYTHONPATH"] = str(_TESTS.parent / "src")
    home = tempfile.mkdtemp(prefix="cellar-faults-home-")
    os.environ.update(HOME=home, NBCELLAR_CONFIG_DIR=f"{home}/config")
    try:
        yield
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def scratch(outcome: Outcome, where: Path | None = None) -> Iterator[Path]:
    """Give a folder with an empty repository, kept and named when something fails in it."""
    folder = Path(tempfile.mkdtemp(prefix="cellar-faults-", dir=where))
    before = len(outcome.failures)
    make_project(folder)
    yield folder
    if len(outcome.failures) > before:
        outcome.notes.append(f"kept: {folder}")
    else:
        shutil.rmtree(folder)


def make_project(folder: Path) -> None:
    """Make the repository and the key of its user."""
    (folder / "project").mkdir(parents=True)
    Repository.create(folder / "project").close()
    load_or_create(folder / "user")


# processes ------------------------------------------------------------------------------------------------------------


class Actor:
    """A forked process that talks through a pipe; everything it said is in `said` after `listen`."""

    def __init__(self, act: Callable[[Callable[[Any], None]], None]) -> None:
        self._reader, writer = os.pipe()
        self.said: list[Any] = []
        self.error = ""
        self.ended = False
        self._rest = b""
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._reader)
            _run(act, writer)
        os.close(writer)

    def listen(self, timeout_s: float = 0) -> None:
        """Take in what was said up to now; wait until something is, at most this long."""
        while not self.ended and select.select([self._reader], [], [], timeout_s)[0]:
            timeout_s = 0
            data = os.read(self._reader, 1 << 20)
            if not data:
                self.ended = True
                break
            *lines, self._rest = (self._rest + data).split(b"\n")
            self.said += [json.loads(line) for line in lines]

    def hear_something(self) -> None:
        """Wait until it has said something more, or ended."""
        count = len(self.said)
        deadline = time.monotonic() + PATIENCE_S
        while len(self.said) == count and not self.ended:
            self.listen(1.0)
            if time.monotonic() > deadline:
                raise TimeoutError("an actor says nothing")

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def finish(self, timeout_s: float = PATIENCE_S) -> int:
        """Hear all it says until its end; return its exit code, negative for a signal."""
        deadline = time.monotonic() + timeout_s
        while not self.ended:
            self.listen(1.0)
            if time.monotonic() > deadline:
                self.kill()
                self.error = "it hung"
        os.close(self._reader)
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.error = next((said["error"] for said in self.said if "error" in said), self.error)
        return code

    def acks(self) -> list[Ack]:
        return [Ack(**said["ack"]) for said in self.said if "ack" in said]


def _run(act: Callable[[Callable[[Any], None]], None], writer: int) -> None:
    def say(what: Any) -> None:
        os.write(writer, json.dumps(what).encode() + b"\n")

    code = 1
    try:
        act(say)
        code = 0
    except BaseException:
        with contextlib.suppress(OSError):
            say({"error": traceback.format_exc()[-3000:]})
    finally:
        os._exit(code)


def in_short(error: BaseException) -> str:
    """Return an exception and the lines of the product that it passed."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "nbcellar" in frame.filename]
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames[-4:]))
    return f"{type(error).__name__}: {error} ({places})"


def in_child(work: Callable[[], Any]) -> Any:
    """Return what `work` returns in a forked process; raise AssertionError with its traceback."""
    actor = Actor(lambda say: say({"result": work()}))
    if actor.finish() or actor.error:
        raise AssertionError(actor.error or "the process died")
    return actor.said[-1]["result"]


# sessions -------------------------------------------------------------------------------------------------------------


def picture_of(namespace: dict[str, Any], without: Iterable[str] = ()) -> str:
    """Return a digest of all values with who is who, but for what may be forgotten and for `without`."""
    seen = {name: value for name, value in namespace.items() if name not in {SECRET, *without}}
    return blake3(repr(describe(seen)).encode()).hexdigest()[:16]


class Notebook:
    """A session that does something at random, again and again, and says what was saved."""

    def __init__(self, folder: Path, name: str, seed: int, say: Callable[[Any], None]) -> None:
        self.rng = random.Random(f"{name} {seed}")
        self.name, self._seed, self._say = name, seed, say
        self.live = Live(folder, notebook=f"{name}.ipynb")
        self.acks: list[Ack] = []
        self.count = 0

    def step(self) -> None:
        """Do one thing, wait until it is saved, and say so; or say that it was refused."""
        try:
            nonce = self._do_something()
        except CellarError as error:
            self._say({"refused": str(error)})
        else:
            self.acknowledge(nonce)

    def _do_something(self) -> str:
        session = self.live.session
        what = self.rng.choices(["cell", "cells", "undo", "checkout", "commit", "log"], [70, 8, 8, 6, 5, 3])[0]
        if what == "cell" or len(self.acks) < 4:
            return self.cell()
        if what == "cells":
            return [self.cell() for _ in range(3)][-1]
        if what == "undo":
            with contextlib.suppress(NotFoundError):
                session.undo(self.rng.randint(1, 2))
        elif what == "checkout":
            session.checkout(CommitId(bytes.fromhex(self.rng.choice(self.acks).commit)), None)
        elif what == "commit":
            session.commit(f"named {self.count}")
        else:
            self.live.repo.write_log_pack()
            session.wait_saved()  # a cell before may have been refused
        return ""

    def acknowledge(self, nonce: str) -> None:
        """Say what is saved; the caller has waited for it."""
        head = self.live.session.writer.position.head
        state = self.live.repo.read_state(head)
        without = tuple(sorted(name for entry in state.covariables if entry.value is None for name in entry.names))
        ack = Ack(head.hex(), nonce, picture_of(self.live.ns, without), without)
        self.acks.append(ack)
        self._say({"ack": asdict(ack)})

    def cell(self) -> str:
        """Run a cell that is like no other; return its nonce."""
        self.count += 1
        nonce = f"{self.name}-{self._seed}-{self.count}"
        self.live.cell(f"{self.source()}  # {nonce}")
        return nonce

    def source(self) -> str:
        rng, there = self.rng, self.live.ns
        number = rng.randrange(1 << 30)
        if "np" not in there:
            return "import random, numpy as np"
        choices = [
            f"small = [{number}, 'x']",
            f"text_{number % 5} = 'abc' * {number % 3000}",
            f"big = np.random.default_rng({number}).integers(0, 256, 150_000, dtype='u1')",
            f"middle = np.random.default_rng({number}).bytes(9_000)",
            f"{SECRET} = np.random.default_rng({number}).bytes(90_000)",
            "drawn = random.random()",
            f"def f(x): return x + {number}",
        ]
        if "small" in there:
            choices += ["alias = small", f"small.append({number})", f"small.append({number})", "del small"]
        if "big" in there:
            choices += [f"big[{number % 150_000}] += 1", "view = big[10:20]"]
        if SECRET in there:
            choices.append(f"del {SECRET}")
        return rng.choice(choices)


def notebook_actor(folder: Path, name: str, seed: int, steps: int = 1 << 30) -> Actor:
    """Start a process with one recording session."""

    def act(say: Callable[[Any], None]) -> None:
        notebook = Notebook(folder, name, seed, say)
        for _ in range(steps):
            notebook.step()
        notebook.live.repo.close()

    return Actor(act)


def collector_actor(folder: Path, seed: int) -> Actor:
    """Start a process that cleans up, without end: gc, purge, joining, log packs, forgetting."""

    def act(say: Callable[[Any], None]) -> None:
        rng = random.Random(seed)
        key = load_or_create(folder / "user")
        with Repository.open(folder / "project") as repo:
            while True:
                what = rng.choices(["gc", "purge", "join", "log", "forget"], [30, 15, 20, 20, 15])[0]
                say({"begin": what})
                try:
                    if what in ("gc", "purge"):
                        repo.gc(children_of, purge=what == "purge")
                    elif what == "join":
                        join_small_packs(repo.store, at_least=2)
                    elif what == "log":
                        repo.write_log_pack()
                    else:
                        for info in repo.notebooks():
                            with contextlib.suppress(NotFoundError):
                                forget_variable(repo, info.id, SECRET, key=key, children_of=children_of)
                except CellarError as error:
                    say({"refused": f"{what}: {error}"})
                say({"done": what})

    return Actor(act)


# the verdict ----------------------------------------------------------------------------------------------------------


class Verdict(msgspec.Struct):
    """What became of the promises."""

    lost: list[str] = []
    torn: list[str] = []
    problems: list[str] = []


def verify(folder: Path, acks: Iterable[Ack], *, forgotten: bool, values: int | None = None, seed: int = 0) -> Verdict:
    """Open the store and hold it to what was acknowledged, in a process of its own.

    forgotten: history may have been rewritten; commits are then known by their cells. values: of how many commits the
    variables are brought back and compared, None: of all.
    """
    found = in_child(lambda: msgspec.to_builtins(_verify(folder, list(acks), forgotten, values, seed)))
    return msgspec.convert(found, Verdict)


def _verify(folder: Path, acks: list[Ack], forgotten: bool, values: int | None, seed: int) -> Verdict:
    verdict = Verdict()
    cellar = folder / "project" / ".cellar"
    with Repository.open(folder / "project") as repo:
        left = sorted(path.name for path in (cellar / "tmp").iterdir())
        if left:
            verdict.problems.append(f"left in tmp after the sweep: {', '.join(left)}")
        problems = problems_of(repo)
        if any(_UNFINISHED in problem for problem in problems):  # as `check` says
            repo.gc(children_of)
            problems = problems_of(repo)
        verdict.problems += problems
        places = _places(repo, acks, forgotten)
    verdict.lost = [f"{ack.nonce or 'commit'} {ack.commit[:8]}" for ack, place in places if place is None]
    there = [(ack, place) for ack, place in places if place is not None]
    if values is not None and len(there) > values:
        there = random.Random(seed).sample(there, values)
    live = Live(folder, notebook="verify.ipynb")
    for ack, place in there:
        live.session.checkout(place, None)
        if picture_of(live.ns, ack.without) != ack.picture:
            verdict.torn.append(f"{ack.nonce or 'commit'} {ack.commit[:8]}: its variables are not what they were")
    live.session.wait_saved()
    live.repo.close()
    return verdict


_UNFINISHED = "finish it with: cellar gc"


def problems_of(repo: Repository) -> list[str]:
    """Return what the product's own check finds, holes in the operation log, and rows of unknown numbers."""
    report = repo.check(read_data=True)
    problems = [f"{problem.about}: {problem.reason}" for problem in report.history.problems]
    if report.store is not None:
        problems += [f"{problem.file}: {problem.reason}" for problem in report.store.problems]
    numbers = [record.number for record in repo.store.records()]
    if numbers != list(range(len(numbers), 0, -1)):
        problems.append("the operation log has holes")
    return problems


def _places(repo: Repository, acks: list[Ack], forgotten: bool) -> list[tuple[Ack, CommitId | None]]:
    """Return where each acknowledged commit is; what was rewritten and has no cell to know it by is left out."""
    if not forgotten:
        ids = [(ack, CommitId(bytes.fromhex(ack.commit))) for ack in acks]
        return [(ack, commit if _is_there(repo, commit) else None) for ack, commit in ids]
    by_nonce: dict[str, CommitId] = {}
    for commit in repo.index.ids():
        cell = repo.read_commit(commit).cell
        if cell is not None:
            by_nonce[cell.source.rpartition("# ")[2]] = commit
    return [(ack, by_nonce.get(ack.nonce)) for ack in acks if ack.nonce]


def _is_there(repo: Repository, commit: CommitId) -> bool:
    if not repo.index.has(commit):
        return False
    try:
        repo.read_signed(commit)
    except NotFoundError:
        return False
    return True


__all__ = ["Ack", "Actor", "Notebook", "NotebookId", "Outcome", "Verdict", "in_child", "main", "scratch", "verify"]
