"""How a run and the workers of a Dask cluster come to the same results: by one folder, or by a remote.

Invariant: a worker is used only after it has read what was written here a moment ago, where the results are going to
be. Not for: tasks and answers (`dask_executor.py`), what a worker does (`dask_task.py`).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec

from nbcellar import config
from nbcellar.errors import CellarError, InvalidInputError, StoreUnavailableError
from nbcellar.history.repository import FOLDER, Repository
from nbcellar.ids import CommitId
from nbcellar.pipeline import dask_task
from nbcellar.pipeline.dask_task import Errand, Seen
from nbcellar.pipeline.exchange import exchange_with
from nbcellar.pipeline.model import Task
from nbcellar.trust.keys import load_or_create


class Probe(NamedTuple):
    """What shows whether a worker comes to the results: it calls `function`, and sees `marker` if it does."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    marker: str


class Sharing(Protocol):
    """What the executor needs of it."""

    is_elsewhere: bool
    """Whether files may be others where a task runs."""

    def probe(self) -> contextlib.AbstractContextManager[Probe]:
        """Write what workers have to see, and take it away at the end."""
        ...

    def lacking(self, worker: str, seen: Seen) -> CellarError:
        """Return what to say of a worker that did not see it."""
        ...

    def errand(self, task: Task, run: str) -> Errand:
        """Return a task as it is carried."""
        ...

    def provide(self, task: Task) -> Future[None] | None:
        """Have what a task needs where its worker finds it; None: it is."""
        ...

    def bring(self, commit: str) -> Future[None] | None:
        """Have a result here; None: it is."""
        ...

    def close(self) -> None: ...


class InFolder:
    """All see the folder of the repository."""

    is_elsewhere = False

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextlib.contextmanager
    def probe(self) -> Iterator[Probe]:
        text = secrets.token_hex(16)
        try:
            number, path = tempfile.mkstemp(prefix="dask-", dir=self._root / FOLDER)
        except OSError as error:
            raise StoreUnavailableError(
                f"cannot write into {self._root / FOLDER}: {error.strerror or error}"
            ) from error
        try:
            with os.fdopen(number, "w", encoding="ascii") as file:
                file.write(text)
            yield Probe(dask_task.look, (path,), text)
        finally:
            Path(path).unlink()

    def lacking(self, worker: str, seen: Seen) -> CellarError:
        return InvalidInputError(
            f"the Dask worker {worker} does not see the repository in {self._root}",
            hint="values are handed over in that folder: put it on a disk that all workers have at the same path,"
            " or hand them over by an object store: --remote s3://BUCKET/FOLDER",
        )

    def errand(self, task: Task, run: str) -> Errand:
        return Errand(task=task, run=run)

    def provide(self, task: Task) -> Future[None] | None:
        return None

    def bring(self, commit: str) -> Future[None] | None:
        return None

    def close(self) -> None:
        pass


class ByRemote:
    """Each has a repository of its own; results go by a remote. What waits for the network does so in one thread."""

    is_elsewhere = True

    def __init__(self, root: Path, address: str) -> None:
        """Raises CellarError for an address that is none."""
        self._address = address
        self._repo = Repository.open(root, late=True)
        self._exchange = exchange_with(address, self._repo)
        self._remote = self._exchange.remote
        self._key = load_or_create(config.user_folder(os.environ)).key_id
        try:
            self._settings = (root / FOLDER / config.FILE_NAME).read_bytes()
        except OSError:
            self._settings = b""
        self._thread = ThreadPoolExecutor(1, "cellar-remote")

    @contextlib.contextmanager
    def probe(self) -> Iterator[Probe]:
        name, text = f"probes/1/{secrets.token_hex(16)}", secrets.token_hex(16)
        self._remote.write(name, text.encode("ascii"))
        try:
            yield Probe(dask_task.look_by, (self._address, name, self._repo.project, self._key), text)
        finally:
            self._remote.remove(name)

    def lacking(self, worker: str, seen: Seen) -> CellarError:
        said = f": {seen.trouble}" if seen.trouble else ""
        return InvalidInputError(
            f"the Dask worker {worker} does not come to {self._address} as the command does{said}",
            hint="give workers the same credentials and settings in their environment, and the same key of Cellar",
        )

    def errand(self, task: Task, run: str) -> Errand:
        carried = msgspec.structs.replace(task, remote=self._address)
        return Errand(task=carried, run=run, project=self._repo.project, settings=self._settings)

    def provide(self, task: Task) -> Future[None] | None:
        if self._exchange.knows_needs(task):
            return None
        return self._thread.submit(self._exchange.send_needs, self._repo, task)

    def bring(self, commit: str) -> Future[None] | None:
        return self._thread.submit(self._exchange.fetch, self._repo, CommitId(bytes.fromhex(commit)))

    def close(self) -> None:
        self._remote.close()  # before the thread, which may wait for it
        self._thread.shutdown(cancel_futures=True)
        self._repo.close()


__all__ = ["ByRemote", "InFolder", "Probe", "Sharing"]
