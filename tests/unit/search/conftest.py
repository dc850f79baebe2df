"""Histories whose texts are known, for search and for the scan for secrets."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from nbcellar.history.model import (
    COMMIT_FORMAT,
    CellRun,
    Commit,
    CommitKind,
    Covariable,
    Preview,
    StateDelta,
)
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId, KeyId, NotebookId
from nbcellar.notebook import tree
from nbcellar.notebook.codec import read
from nbcellar.store.interface import Kind
from nbcellar.store.memory import MemoryStore
from nbcellar.values.manifest import VALUE_FORMAT, Value, encode_value


class Key:
    """A signer with a key of its own."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self.key_id = KeyId(self._key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


def stream(text: str) -> dict[str, Any]:
    """Return an output that was printed."""
    return {"output_type": "stream", "name": "stdout", "text": text}


def bundle(**data: Any) -> dict[str, Any]:
    """Return a displayed output; `text_plain` means text/plain."""
    return {"output_type": "display_data", "metadata": {}, "data": {k.replace("_", "/"): v for k, v in data.items()}}


def document(*cells: str, outputs: Sequence[dict[str, Any]] = ()) -> bytes:
    """Return a notebook's file with these code cells; the last one has the outputs."""
    made = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"c{number}",
            "metadata": {},
            "outputs": list(outputs) if number == len(cells) - 1 else [],
            "source": source.splitlines(keepends=True),
        }
        for number, source in enumerate(cells)
    ]
    return (json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n").encode()


class Past:
    """One notebook of a repository, and short ways to record in it."""

    def __init__(self, repo: Repository, path: str = "a.ipynb") -> None:
        self.repo = repo
        self.key = Key()
        self.notebook: NotebookId = repo.notebook_for(Path(path), create=True)
        self._ticks = itertools.count(1)

    @property
    def head(self) -> CommitId | None:
        return self.repo.head(self.notebook).commit

    def cell(
        self,
        source: str = "pass",
        *,
        put: Mapping[str, str | bytes] | None = None,
        outputs: Sequence[Any] | None = None,
        file: bytes | None = None,
        drop: tuple[str, ...] = (),
        parent: CommitId | None = None,
        base: CommitId | None = None,
        fresh: bool = False,
        **fields: Any,
    ) -> CommitId:
        """Record a cell run. put: name -> preview (nothing is stored), or name -> bytes of the stored stream."""
        start = parent if parent is not None else self.head
        if parent is not None and parent != self.head:
            self.repo.move_head(self.notebook, parent)
        tick = next(self._ticks)
        with self.repo.begin(self.notebook, self.key) as recorder:
            entries = tuple(self._entry(name, value, recorder) for name, value in sorted((put or {}).items()))
            run = CellRun("c", source, tick)
            if outputs is not None:
                run = msgspec.structs.replace(run, outputs=recorder.put(Kind.OUTPUTS, json.dumps(outputs).encode()))
            if file is not None:
                fields["tree"], objects = tree.split(read(file))
                for part in objects:
                    recorder.put(Kind[part.kind], part.data, digest=part.digest)
            ambient = {
                name: bytes(recorder.put(Kind.AMBIENT, data)) for name, data in fields.pop("ambient", {}).items()
            }
            commit = Commit(
                format=COMMIT_FORMAT,
                notebook=self.notebook,
                parents=(start,) if start is not None else (),
                kind=fields.pop("kind", CommitKind.AUTO),
                time_ns=tick * 10**9,
                cell=fields.pop("cell", run),
                state=StateDelta(None if fresh else base or start, entries, drop, ambient=ambient),
                **fields,
            )
            made = recorder.commit(commit)
            recorder.finish()
        return made

    def _entry(self, name: str, value: str | bytes, recorder: Any) -> Covariable:
        version = (value.encode() if isinstance(value, str) else value)[:16].ljust(16, b".")
        if isinstance(value, str):
            return Covariable((name,), None, version, (Preview("str", value),), reason="a test")
        stored = recorder.put(Kind.VALUE, encode_value(Value(format=VALUE_FORMAT, python=(3, 11), inline=value)))
        return Covariable((name,), stored, version, (Preview("str", "<preview>"),), size_bytes=len(value))


@pytest.fixture
def past() -> Iterator[Past]:
    """An empty history in memory."""
    with make_past() as made:
        yield made.past


class make_past:
    """An empty history in memory, for tests that need several."""

    def __enter__(self) -> make_past:
        ticks = itertools.count(1)
        self._repo = Repository(MemoryStore(), Path("/nowhere"), by="ana@host", clock=lambda: next(ticks) * 10**9)
        self.past = Past(self._repo)
        return self

    def __exit__(self, *exc: object) -> None:
        self._repo.close()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Past]:
    """An empty history in a folder."""
    ticks = itertools.count(1)
    clock: Callable[[], int] = lambda: next(ticks) * 10**9  # noqa: E731
    with Repository.create(tmp_path, by="ana@host", clock=clock) as repo:
        yield Past(repo)
