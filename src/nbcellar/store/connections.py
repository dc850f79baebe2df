"""A pool of SQLite connections that survives `fork`.

Invariant: a connection is used by one thread at a time and only in the process that opened it. Before a fork the pool
waits for connections in use and closes the idle ones, since SQLite keeps a table of locks for each process that a child
would inherit and believe. Not for: transactions (`transaction.py`).
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Callable

import apsw

from nbcellar.errors import StoreUnavailableError

_FORK_WAIT_S = 2.0


class ConnectionPool:
    """Connections that `connect` opens, kept for the next user."""

    def __init__(self, connect: Callable[[], apsw.Connection]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._idle: list[apsw.Connection] = []
        self._users = 0
        self._unusable = False
        self._closed = False
        _pools.add(self)

    def renew(self) -> None:
        """Close what is idle, so that the next users get new connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for db in idle:
            _close(db)

    def connection(self) -> Lent:
        """Lend a connection for a `with` block, after which it must have no open transaction or cursor."""
        return Lent(self)

    def close(self, *, checkpoint: bool = True) -> None:
        """Close what is idle; what is in use is closed when it comes back. Without `checkpoint` no file changes.

        Never fails: all that was committed is durable before, if need be in the WAL.
        """
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        if not checkpoint:
            _close_quickly(idle)
        for db in idle:
            _close(db)

    def take(self) -> apsw.Connection:
        """Return a connection that is the caller's until `give_back`."""
        with self._lock:
            if self._unusable:
                raise StoreUnavailableError(
                    "this process was forked while its parent was writing to the store",
                    hint="start it with the 'spawn' method",
                )
            if self._closed:
                raise StoreUnavailableError("the store was closed")
            self._users += 1
            if self._idle:
                return self._idle.pop()
        try:
            return self._connect()
        except BaseException:
            with self._lock:
                self._users -= 1
            raise

    def give_back(self, db: apsw.Connection) -> None:
        """Return a connection that `take` gave out."""
        with self._lock:
            self._users -= 1
            if not self._closed:
                self._idle.append(db)
                return
        _close(db)

    def before_fork(self) -> None:
        """Close idle connections and keep all others from being opened until the fork is over."""
        deadline = time.monotonic() + _FORK_WAIT_S
        self._lock.acquire()
        while self._users and time.monotonic() < deadline:
            self._lock.release()
            time.sleep(0.001)
            self._lock.acquire()
        idle, self._idle = self._idle, []
        _close_quickly(idle)  # a fork should not wait for a checkpoint

    def after_fork(self, *, in_child: bool) -> None:
        """Open the pool again; in a child whose parent was in the middle of something it stays shut for good."""
        if in_child and self._users:
            self._unusable = True
        self._lock.release()


def _close(db: apsw.Connection) -> None:
    with contextlib.suppress(apsw.Error):  # the last one empties the WAL, and the disk may be full or failing
        db.close()


def _close_quickly(connections: list[apsw.Connection]) -> None:
    for db in connections:
        with contextlib.suppress(apsw.Error):
            db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            db.close()


class Lent:
    """Context manager around one use of a connection."""

    __slots__ = ("_db", "_pool")

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._db: apsw.Connection | None = None

    def __enter__(self) -> apsw.Connection:
        self._db = self._pool.take()
        return self._db

    def __exit__(self, *exc: object) -> None:
        db, self._db = self._db, None
        if db is not None:
            self._pool.give_back(db)


_pools: weakref.WeakSet[ConnectionPool] = weakref.WeakSet()
_forking: list[ConnectionPool] = []


def _before_fork() -> None:
    _forking.extend(_pools)
    for pool in _forking:
        pool.before_fork()


def _after_fork(*, in_child: bool) -> None:
    while _forking:
        _forking.pop().after_fork(in_child=in_child)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=lambda: _after_fork(in_child=False),
        after_in_child=lambda: _after_fork(in_child=True),
    )
