"""What a remote has to do; `opening.open_remote` gives one for an address."""

from __future__ import annotations

from typing import Protocol

from nbcellar.errors import InvalidInputError

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-/")


class Remote(Protocol):
    """Named bytes. Threads may share one. All raise StoreUnavailableError where the other side cannot be reached."""

    @property
    def address(self) -> str:
        """Where it is, without secrets."""
        ...

    def read(self, name: str, *, most: int) -> bytes:
        """Return what is there. Raises NotFoundError, and CorruptStoreError for more than `most` bytes."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Put it there, in the place of what was; a reader sees the one or the other."""
        ...

    def size_of(self, name: str) -> int | None:
        """Return how many bytes are there; None: nothing has that name."""
        ...

    def remove(self, name: str) -> None:
        """Take it away, if it is there."""
        ...

    def close(self) -> None:
        """End what is under way, as far as that can be; other threads that wait for it get an error."""
        ...


def checked(name: str) -> str:
    """Return a name that means the same in every kind of remote. Raises InvalidInputError."""
    if not name or not _LETTERS.issuperset(name) or any(not part for part in name.split("/")):
        raise InvalidInputError(f"{name[:80]!r} is no name in a remote")
    return name


__all__ = ["Remote", "checked"]
