"""Makes the history of a long analysis: `python benchmarks/long_history.py FOLDER [--commits N]`.

The same seed makes the same history: cells of one to eight lines that load, clean, fit and plot; numbers, frames,
arrays and texts with their previews; a cell in fifty fails; now and then an undo, a named commit, a tag, or a turn back
to an older commit from where a branch goes on. Some days have many cells, with pauses between. Values are not stored.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections.abc import Callable
from pathlib import Path

import msgspec

from nbcellar.history.model import (
    COMMIT_FORMAT,
    CellError,
    CellRun,
    Commit,
    CommitKind,
    Covariable,
    Preview,
    StateDelta,
)
from nbcellar.history.recording import Recorder
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId, NotebookId
from nbcellar.store.interface import Kind
from nbcellar.trust.keys import SigningKey, load_or_create

_A_TRANSACTION = 50
_BEGIN_S = 1_790_000_000


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks/long_history.py", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--commits", type=int, default=10_000)
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    make(options.folder, options.commits)
    return 0


def make(root: Path, count: int, *, key: SigningKey | None = None, seed: int = 20260115) -> Path:
    """Record `count` commits in `analysis.ipynb` of a new repository; return the notebook."""
    root.mkdir(parents=True, exist_ok=True)
    path = root / "analysis.ipynb"
    path.write_text(json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n")
    with Repository.create(root, by="ada@lab") as repository:
        notebook = repository.notebook_for(path, create=True)
        _Analysis(repository, notebook, key or load_or_create(root / "config"), random.Random(seed)).run(count)
    return path


class _Analysis:
    def __init__(self, repository: Repository, notebook: NotebookId, key: SigningKey, rng: random.Random) -> None:
        self._repository = repository
        self._notebook = notebook
        self._key = key
        self._rng = rng
        self._made: list[CommitId] = []
        self._head: CommitId | None = None
        self._cells = 0
        self._time_s = float(_BEGIN_S)
        self._names: set[str] = set()
        self._turns = 0

    def run(self, count: int) -> None:
        while len(self._made) < count:
            if len(self._made) > 100 and self._rng.random() < 0.1:
                self._turn_back()
            with self._repository.begin(self._notebook, self._key) as recorder:
                for _ in range(min(_A_TRANSACTION, count - len(self._made))):
                    self._one(recorder)
                recorder.finish()
            if self._rng.random() < 0.1 and self._head is not None:
                name = f"v{len(self._made) / 1000:.2f}"
                self._repository.create_tag(self._notebook, name, self._head, force=True)

    def _turn_back(self) -> None:
        """Go back to an older commit, as a checkout does; what follows is a branch of its own."""
        self._turns += 1
        target = self._made[-self._rng.randrange(5, 90)]
        branch = f"{self._rng.choice(('try', 'model', 'plot', 'clean'))}-{self._turns}"
        self._repository.create_branch(self._notebook, branch, target)
        self._repository.move_head(self._notebook, target, branch=branch)
        self._head = target

    def _one(self, recorder: Recorder) -> None:
        rng = self._rng
        self._time_s += rng.uniform(5, 90) if rng.random() > 0.01 else rng.uniform(3_000, 60_000)
        chance = rng.random()
        if chance < 0.01 and len(self._made) > 10:
            self._undo(recorder)
        elif chance < 0.016:
            message = rng.choice(("baseline", "features of the week", "tuned: lr 0.01", "figures for the report"))
            self._commit(recorder, CommitKind.NAMED, message=f"{message} ({len(self._made)})", delta=self._delta(()))
        else:
            self._cell(recorder, failed=rng.random() < 0.02)

    def _cell(self, recorder: Recorder, *, failed: bool) -> None:
        rng = self._rng
        self._cells += 1
        source, variables = rng.choice(_CELLS)(rng, self._cells)
        entries = tuple(self._entry(name, preview) for name, preview in variables)
        text = "\n".join(f"epoch {n}: loss {rng.random():.4f}" for n in range(rng.randrange(4)))
        output = [{"output_type": "stream", "name": "stdout", "text": text}] if text else []
        error = CellError("ValueError", "could not convert string to float: 'n/a'", 1) if failed else None
        outputs = recorder.put(Kind.OUTPUTS, json.dumps(output).encode())
        run = CellRun(f"c{self._cells % 40}", source, self._cells, 10 ** rng.uniform(-3, 1.5), error, outputs)
        self._commit(recorder, CommitKind.AUTO, cell=run, delta=self._delta(() if failed else entries))

    def _undo(self, recorder: Recorder) -> None:
        target = self._made[-2]
        self._commit(recorder, CommitKind.UNDO, at=target, delta=StateDelta(target))

    def _delta(self, entries: tuple[Covariable, ...]) -> StateDelta:
        return StateDelta(self._head, entries)

    def _entry(self, name: str, preview: Preview) -> Covariable:
        self._names.add(name)
        version = self._rng.randbytes(16)
        return Covariable((name,), None, version, (preview,), reason="a made history has no values")

    def _commit(
        self,
        recorder: Recorder,
        kind: CommitKind,
        *,
        delta: StateDelta,
        cell: CellRun | None = None,
        message: str = "",
        at: CommitId | None = None,
    ) -> None:
        base = CommitId(delta.base) if delta.base is not None else None
        if base is not None and self._repository.has_commit(base):
            # A whole state now and then, as a session writes it: no reading folds the history from its start.
            whole = recorder.put(Kind.STATE, self._repository.complete_payload(delta))
            delta = msgspec.structs.replace(delta, complete=whole)
        self._head = recorder.commit(
            Commit(
                format=COMMIT_FORMAT,
                notebook=self._notebook,
                parents=(self._head,) if self._head is not None else (),
                kind=kind,
                time_ns=int(self._time_s * 1e9),
                author="ada@lab",
                message=message,
                cell=cell,
                state=delta,
                at=at,
            )
        )
        self._made.append(self._head)


_Made = tuple[str, tuple[tuple[str, Preview], ...]]


def _frame(rows: int, columns: int) -> Preview:
    return Preview("pandas.DataFrame", f"{rows} rows x {columns} columns", (rows, columns), rows * columns * 8)


def _load(rng: random.Random, count: int) -> _Made:
    week, rows = rng.randrange(52), rng.randrange(10_000, 90_000)
    code = f"# week {week}\nraw = pd.read_csv('data/week-{week:02}.csv', parse_dates=['when'])\nraw.head()"
    return code, (("raw", _frame(rows, 12)), ("week", Preview("int", str(week), (), 28)))


def _clean(rng: random.Random, count: int) -> _Made:
    column, rows = rng.choice(("price", "age", "score")), rng.randrange(8_000, 80_000)
    code = f"df = raw.dropna(subset=['{column}'])\ndf = df[df.{column} > {count % 9}]\nlen(df)"
    return code, (("df", _frame(rows, 11)),)


def _fit(rng: random.Random, count: int) -> _Made:
    rate, loss = rng.choice((0.1, 0.03, 0.01)), 1 / math.log(count + 2) + rng.random() / 10
    lines = [f"lr = {rate}", f"for epoch in range({1 + count % 5}):", "    model.step(df, lr=lr)"]
    lines += ["    loss = model.loss(df)", "    print(f'epoch {epoch}: loss {loss:.4f}')", "weights = model.weights()"]
    made = (("lr", Preview("float", str(rate), (), 24)), ("loss", Preview("float", f"{loss:.6f}", (), 24)))
    weights = Preview("numpy.ndarray", "[0.12, -0.4, …] float64", (64, 32), 64 * 32 * 8)
    return "\n".join(lines), (*made, ("weights", weights))


def _note(rng: random.Random, count: int) -> _Made:
    name = f"summary_{count % 40}"
    code = f"{name} = describe(df, by={rng.choice(('week', 'shop'))!r})\n{name}"
    return code, ((name, Preview("dict", f"{{'mean': {rng.random():.3f}, 'n': {count}}}", (), 232)),)


def _look(rng: random.Random, count: int) -> _Made:
    return f"df.plot.hist('{rng.choice(('price', 'age', 'score'))}', bins={10 + count % 40})", ()


_CELLS: tuple[Callable[[random.Random, int], _Made], ...] = (_load, _clean, _fit, _fit, _note, _look)


if __name__ == "__main__":
    raise SystemExit(main())
