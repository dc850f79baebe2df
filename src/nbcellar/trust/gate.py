"""The one door through which stored bytes become objects: a pickle can run any code, so who made it is asked first.

Invariant: nothing is unpickled without a `LoadPermit`, and a permit is given only for a commit whose payload has its
digest, whose signature holds and whose signer is trusted in this project. No other module may unpickle (a test looks).
Not for: choosing what classes to find (the caller's `find_class`).
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterable
from typing import Protocol

from blake3 import blake3

from nbcellar.errors import CorruptStoreError, NotTrustedError
from nbcellar.ids import CommitId, KeyId
from nbcellar.trust.keys import fingerprint, verify

_CACHED_SIGNATURES = 65_536


class Decisions(Protocol):
    """What the gate asks; `decisions.TrustStore` is one."""

    def is_trusted(self, project: str, key_id: bytes) -> bool:
        """True if variables that `key_id` signed may be loaded in `project`."""
        ...


class Stream(Protocol):
    """A binary file, as far as unpickling reads it."""

    def read(self, size: int = -1, /) -> bytes: ...

    def readline(self, size: int = -1, /) -> bytes: ...


class LoadPermit:
    """Leave to load what one commit recorded; only `permit` makes it."""

    __slots__ = ("_commit_id", "_key_id", "_payload")

    def __init__(self, token: object, commit_id: CommitId, key_id: KeyId, payload: bytes) -> None:
        if token is not _TOKEN:
            raise NotTrustedError("a permit to load variables is given by the gate only")
        self._commit_id = commit_id
        self._key_id = key_id
        self._payload = payload

    @property
    def commit_id(self) -> CommitId:
        """The commit whose values may be loaded."""
        return self._commit_id

    @property
    def key_id(self) -> KeyId:
        """Who signed it."""
        return self._key_id

    def covers(self, digest: bytes) -> bool:
        """True if the signed payload names the object `digest` itself.

        A state of somebody else can say of any value that a trusted commit recorded it; only the payload can tell.
        """
        return len(digest) >= 16 and digest in self._payload

    def __reduce__(self) -> str:
        raise NotTrustedError("a permit to load variables cannot be stored")


_TOKEN = object()
_verified: dict[tuple[bytes, bytes, bytes], None] = {}


def permit(
    commit_id: CommitId, payload: bytes, signature: bytes, key_id: KeyId, *, project: str, decisions: Decisions
) -> LoadPermit:
    """Return leave to load what `commit_id` recorded.

    Raises CorruptStoreError when payload or signature do not fit, NotTrustedError when the signer is not trusted in
    `project`. That is asked at every call; that a signature holds is remembered.
    """
    if blake3(payload).digest() != commit_id:
        raise CorruptStoreError(f"the payload of commit {commit_id.hex()} does not match its id")
    if not _holds(key_id, commit_id, signature):
        raise CorruptStoreError(f"the signature of commit {commit_id.hex()} does not hold")
    if not decisions.is_trusted(project, key_id):
        name = fingerprint(key_id)
        raise NotTrustedError(
            f"commit {commit_id.hex()[:8]} was signed by {name}, who is not trusted in this project",
            hint=f"if you know that this key is genuine: cellar trust add {name}",
        )
    return LoadPermit(_TOKEN, commit_id, key_id, payload)


def unpickle(
    permit: LoadPermit,
    stream: bytes | Stream,
    *,
    buffers: Iterable[object] | None = None,
    find_class: Callable[[str, str], object],
) -> object:
    """Return the object that `stream` encodes; whatever its classes raise passes through.

    buffers: the out-of-band buffers, in order. find_class: maps module and qualified name to the object meant.
    """
    if type(permit) is not LoadPermit:
        raise NotTrustedError("variables are loaded with a permit only")
    file = io.BytesIO(stream) if isinstance(stream, (bytes, bytearray, memoryview)) else stream
    unpickler = _Unpickler(file, buffers=buffers)
    unpickler.find_class = find_class  # type: ignore[method-assign]
    return unpickler.load()


def unpickle_own(
    stream: bytes, *, buffers: Iterable[object] | None = None, find_class: Callable[[str, str], object]
) -> object:
    """Return the object in a stream that this process has made a moment ago from live objects, and kept in memory.

    No permit: nothing in it came from a store. Never for bytes that were read from anywhere.
    """
    unpickler = _Unpickler(io.BytesIO(stream), buffers=buffers)
    unpickler.find_class = find_class  # type: ignore[method-assign]
    return unpickler.load()


class _Unpickler(pickle.Unpickler):
    """Has a `__dict__`, so that `find_class` can be set without a Python-level method in between."""


def _holds(key_id: bytes, commit_id: bytes, signature: bytes) -> bool:
    known = (key_id, commit_id, signature)
    if known in _verified:
        return True
    if not verify(key_id, commit_id, signature):
        return False
    if len(_verified) >= _CACHED_SIGNATURES:
        _verified.clear()
    _verified[known] = None
    return True
