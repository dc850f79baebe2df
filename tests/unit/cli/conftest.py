"""A repository with a history that is the same each time, and a command line that runs on it."""

from __future__ import annotations

import io
import json
import os
import pickle
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from nbcellar.cli import main
from nbcellar.cli.console import Console
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
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId, NotebookId
from nbcellar.notebook import tree
from nbcellar.notebook.codec import read
from nbcellar.store.interface import Kind
from nbcellar.trust.keys import SigningKey, load_or_create
from nbcellar.values.manifest import VALUE_FORMAT, Value, encode_value

WRITE = bool(os.environ.get("NBCELLAR_WRITE_TRANSCRIPTS"))  # now: tests have an environment of their own
START_NS = 1_790_000_000 * 10**9  # 2026-09-21 14:13:20 UTC
MINUTE_NS = 60 * 10**9

DOCUMENT = {
    "cells": [
        {"cell_type": "markdown", "id": "m", "metadata": {}, "source": ["# Title"]},
        {"cell_type": "code", "execution_count": 1, "id": "c", "metadata": {}, "outputs": [], "source": ["x = 1"]},
    ],
    "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


# A manifest of nothing: these tests look at values but never load one.
VALUE = encode_value(Value(format=VALUE_FORMAT, python=(3, 11)))
VALUE_DIGEST = blake3(VALUE).digest()


def document(source: str = "x = 1") -> bytes:
    """Return a notebook's file whose code cell is `source`."""
    value = json.loads(json.dumps(DOCUMENT))
    value["cells"][1]["source"] = [source]
    return (json.dumps(value, indent=1) + "\n").encode()


def variable(name: str, text: str, *, type: str = "int", reason: str = "", uncertain: str = "") -> Covariable:
    """Return a co-variable of one name; nothing is stored when there is a reason."""
    version = f"{name}={text}".encode().ljust(16, b".")[:16]
    return Covariable(
        names=(name,),
        value=None if reason else VALUE_DIGEST,
        version=version,
        previews=(Preview(type=type, text=text, size_bytes=28),),
        reason=reason,
        uncertain=uncertain,
    )


# Manifests of the values that `kept` made, by digest, for the history to put.
PAYLOADS: dict[bytes, bytes] = {}


def kept(name: str, value: object, *, type: str = "", shape: tuple[int, ...] = (), text: str = "") -> Covariable:
    """Return a co-variable of one name whose value is stored as the engine would store a small one."""
    payload = encode_value(Value(format=VALUE_FORMAT, python=(3, 11), inline=pickle.dumps((value,), 5)))
    digest = blake3(payload).digest()
    PAYLOADS[digest] = payload
    kind = type or value.__class__.__name__
    preview = Preview(type=kind, text=text or repr(value)[:200], shape=shape, size_bytes=len(payload))
    return Covariable(names=(name,), value=digest, version=digest[:16], previews=(preview,), size_bytes=len(payload))


@dataclass
class History:
    """Builds a history commit by commit; the clock moves a minute with each."""

    repository: Repository
    notebook: NotebookId
    key: SigningKey
    now_ns: int = START_NS
    head: CommitId | None = None
    count: int = 0
    made: list[CommitId] = field(default_factory=list)

    def cell(
        self,
        source: str,
        *put: Covariable,
        drop: tuple[str, ...] = (),
        error: CellError | None = None,
        outputs: list[dict[str, Any]] | None = None,
        file: bytes | None = None,
    ) -> CommitId:
        """Record a cell run."""
        self.count += 1
        return self.add(
            CommitKind.AUTO,
            cell=CellRun(cell_id="c", source=source, execution_count=self.count, duration_s=0.25, error=error),
            state=StateDelta(base=self.head, put=put, drop=drop),
            outputs=outputs,
            file=file,
        )

    def add(
        self,
        kind: CommitKind,
        *,
        outputs: list[dict[str, Any]] | None = None,
        file: bytes | None = None,
        cell: CellRun | None = None,
        **fields: Any,
    ) -> CommitId:
        """Record a commit on top of the last one."""
        import msgspec

        self.now_ns += MINUTE_NS
        with self.repository.begin(self.notebook, self.key) as recorder:
            if outputs is not None and cell is not None:
                digest = recorder.put(Kind.OUTPUTS, json.dumps(outputs).encode())
                cell = msgspec.structs.replace(cell, outputs=digest)
            if file is not None:
                fields["tree"], objects = tree.split(read(file))
                for part in objects:
                    recorder.put(Kind[part.kind], part.data, digest=part.digest)
            recorder.put(Kind.VALUE, VALUE)
            state = fields.setdefault("state", StateDelta(base=self.head))
            for entry in state.put:
                if entry.value in PAYLOADS:
                    recorder.put(Kind.VALUE, PAYLOADS[entry.value])
            commit = Commit(
                format=COMMIT_FORMAT,
                notebook=self.notebook,
                parents=(self.head,) if self.head else (),
                kind=kind,
                time_ns=self.now_ns,
                author="ada@lab",
                cell=cell,
                **fields,
            )
            self.head = recorder.commit(commit)
            recorder.finish()
        self.made.append(self.head)
        return self.head


@dataclass
class Shell:
    """Runs commands in a folder with a fixed clock and returns what they print."""

    folder: Path
    environ: dict[str, str]
    clock: Callable[[], int]
    kernel_requests: Any = None
    width: int = 100
    out: str = ""
    err: str = ""

    def run(self, line: str) -> int:
        """Run one command line; `out` and `err` hold what it said."""
        out, err = io.StringIO(), io.StringIO()
        console = Console(
            out=out,
            err=err,
            environ=self.environ,
            folder=self.folder,
            width=self.width,
            clock=self.clock,
            kernel_requests=self.kernel_requests,
        )
        code = main.run(shlex.split(line), console)
        self.out, self.err = out.getvalue(), err.getvalue()
        return code

    def transcript(self, commands: Sequence[str], *, folder: str = "<work>") -> str:
        """Run commands and return them with what they say; `folder` stands for the one that they run in."""
        lines = []
        for line in commands:
            code = self.run(line)
            lines += [f"$ cellar {line}".rstrip(), self.out + self.err + (f"[exit {code}]\n" if code else "")]
        return "\n".join(lines).replace(str(self.folder), folder).replace("\x1b", "<esc>")

    def check_transcript(self, name: str, found: str) -> None:
        """Compare a transcript with the one that is kept, or keep it where that is asked for."""
        path = Path(__file__).parent / "transcripts" / f"{name}.txt"
        if WRITE:
            path.write_text(found, "utf-8")
        assert path.read_text("utf-8") == found

    def json(self, line: str) -> Any:
        """Run a command with --json and return its document."""
        assert self.run(f"{line} --json") in (0, 1, 4), self.err
        return json.loads(self.out)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment with folders of its own and no Jupyter in sight."""
    return {
        "HOME": str(tmp_path),
        "NBCELLAR_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
    }


@pytest.fixture
def history(tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    """A repository with one empty notebook, analysis.ipynb, whose commits have the same ids each time."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "analysis.ipynb").write_bytes(document())
    key = load_or_create(Path(environ["NBCELLAR_CONFIG_DIR"]))
    with Repository.create(folder, by="ada@lab", clock=lambda: START_NS) as repository:
        with monkeypatch.context() as patch:  # ids of commits follow from the notebook's, which is random
            patch.setattr("os.urandom", lambda count: b"\xab" * count)
            notebook = repository.notebook_for(folder / "analysis.ipynb", create=True)
        built = History(repository, notebook, key)
        repository.clock = lambda: built.now_ns
        yield built


@pytest.fixture
def shell(history: History, environ: dict[str, str]) -> Shell:
    """A command line in the folder of `history`."""
    return Shell(history.repository.root, environ, lambda: history.now_ns + 5 * MINUTE_NS)


@pytest.fixture
def analysis(history: History) -> History:
    """The history of a small analysis: three cells, one of which fails, a tag and a name."""
    history.cell("import math\nx = 1", variable("x", "1"), file=document())
    history.cell(
        "df = load()\nprint('rows', 3)",
        variable("df", "   a  b\n0  1  2", type="pandas.DataFrame"),
        variable("con", "<connection>", type="sqlite3.Connection", reason="cannot pickle 'sqlite3.Connection' object"),
        outputs=[
            {"output_type": "stream", "name": "stdout", "text": "rows \x1b[31m3\x1b[0m\n"},
            {"output_type": "display_data", "metadata": {}, "data": {"image/png": "AAAA", "text/plain": "<Figure>"}},
        ],
    )
    history.cell(
        "x = 2\ndel df\n1/0",
        variable("x", "2", uncertain="a thread may have changed it"),
        drop=("df",),
        error=CellError("ZeroDivisionError", "division by zero", 3),
    )
    history.add(CommitKind.NAMED, message="first result\n\nwith details", file=document("x = 2"))
    history.repository.create_tag(history.notebook, "v1", history.made[0])
    history.repository.create_branch(history.notebook, "trial", history.made[1])
    return history
