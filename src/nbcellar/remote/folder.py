"""A folder as a remote: on a disk that several machines see, where SQLite's locks need not work."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from nbcellar.errors import CellarError, CorruptStoreError, NotFoundError, StoreUnavailableError
from nbcellar.files import written_beside
from nbcellar.remote.interface import checked


class Folder:
    """A remote in a folder, which is made when something is written."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def address(self) -> str:
        return self._path.as_uri()

    def read(self, name: str, *, most: int) -> bytes:
        with self._about(name), (self._path / checked(name)).open("rb") as file:
            data = file.read(most + 1)
        if len(data) > most:
            raise CorruptStoreError(f"{name} in {self.address} is larger than it can be")
        return data

    def write(self, name: str, data: bytes) -> None:
        path = self._path / checked(name)
        with self._about(name):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except FileNotFoundError as error:  # as below /proc: nothing can be made there
                raise StoreUnavailableError(
                    f"{self.address} cannot be made", hint="see its permissions and its disk"
                ) from error
            with written_beside(path, data) as aside:
                aside.replace(path)

    def size_of(self, name: str) -> int | None:
        try:
            with self._about(name):
                return (self._path / checked(name)).stat().st_size
        except NotFoundError:
            return None

    def remove(self, name: str) -> None:
        with self._about(name):
            (self._path / checked(name)).unlink(missing_ok=True)

    def close(self) -> None:
        pass

    @contextlib.contextmanager
    def _about(self, name: str) -> Iterator[None]:
        try:
            yield
        except CellarError:
            raise
        except FileNotFoundError:
            raise NotFoundError(f"{self.address} has no {name}") from None
        except OSError as error:
            raise StoreUnavailableError(
                f"{self.address} cannot be used: {error.strerror or error}", hint="see its permissions and its disk"
            ) from error


__all__ = ["Folder"]
