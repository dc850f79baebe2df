"""Which files a cell wrote: seen by the system in the working folder and the folders in it, whoever wrote them.

Linux tells through inotify, at the cost of two reads that find nothing; no function is wrapped, so libraries in C are
seen as well as `open`. Elsewhere, and where the system gives no watch, nothing is seen, and nothing said. Invariant:
never raises, never waits. Not seen: files elsewhere. Not for: what a cell's text says (`replay/sources.py`).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import sys
from pathlib import Path

MOST_NAMES = 20
_MOST_FOLDERS = 64
_BUFFER_BYTES = 1 << 16
_MODIFY, _CLOSE_WRITE, _MOVED_TO, _CREATE = 0x2, 0x8, 0x80, 0x100
_IS_FOLDER, _ONLY_FOLDER = 0x40000000, 0x01000000
_MASK = _MODIFY | _CLOSE_WRITE | _MOVED_TO | _CREATE | _ONLY_FOLDER
_HEAD = struct.Struct("iIII")


class Written:
    """Watches for one kernel. `begin` and `end` are called on its main thread."""

    _mask = _MASK

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
        self._handle = -1
        self._root = ""
        self._folders: dict[int, str] = {}

    def begin(self) -> None:
        """Forget what was written before the cell."""
        with contextlib.suppress(OSError):
            folder = os.getcwd()  # noqa: PTH109 - before each cell
            if folder != self._root:
                self._watch(folder)
            self._read()

    def end(self) -> tuple[str, ...]:
        """Return what was written since `begin`, relative to the working folder, sorted; the first twenty."""
        try:
            return tuple(sorted(self._read()))[:MOST_NAMES]
        except OSError:
            return ()

    def close(self) -> None:
        """Stop watching."""
        if self._handle >= 0:
            with contextlib.suppress(OSError):
                os.close(self._handle)
        self._handle, self._root, self._folders = -1, "", {}

    def _watch(self, folder: str) -> None:
        self.close()
        self._root = folder
        if self._library is None:
            return
        self._handle = self._library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._handle < 0 or not self._add(""):
            return
        for name in self._below(folder):
            self._add(name)

    def _below(self, folder: str) -> list[str]:
        """Return the folders in a folder that are watched, relative to it."""
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if is_of_interest(entry.name) and entry.is_dir()]
        return sorted(names)[: _MOST_FOLDERS - 1]

    def _add(self, name: str) -> bool:
        assert self._library is not None
        path = os.fsencode(Path(self._root) / name)
        number = self._library.inotify_add_watch(self._handle, path, ctypes.c_uint32(self._mask))
        if number >= 0:
            self._folders[number] = name
        return bool(number >= 0)

    def _read(self) -> set[str]:
        found: set[str] = set()
        while self._handle >= 0:
            try:
                data = os.read(self._handle, _BUFFER_BYTES)
            except BlockingIOError:
                break
            self._take(data, found)
        return found

    def _take(self, data: bytes, found: set[str]) -> None:
        at = 0
        while at + _HEAD.size <= len(data):
            number, mask, _, length = _HEAD.unpack_from(data, at)
            name = os.fsdecode(data[at + _HEAD.size : at + _HEAD.size + length].rstrip(b"\0"))
            at += _HEAD.size + length
            folder = self._folders.get(number)
            if folder is not None and not name:
                self._note_folder(folder, mask)
            if folder is None or not name or not is_of_interest(name):
                continue
            if not mask & _IS_FOLDER:
                self._note(f"{folder}/{name}" if folder else name, mask, found)
            elif mask & (_CREATE | _MOVED_TO) and not folder and len(self._folders) < _MOST_FOLDERS:
                self._add(name)

    def _note(self, path: str, mask: int, found: set[str]) -> None:
        found.add(path)

    def _note_folder(self, folder: str, mask: int) -> None:
        """Take what happened to a watched folder itself: nothing is written by that."""


def is_of_interest(name: str) -> bool:
    """False for what editors, Jupyter and Cellar itself write beside a notebook."""
    return not (name.startswith((".", "__pycache__")) or name.endswith((".ipynb", "~", ".pyc")))


__all__ = ["MOST_NAMES", "Written", "is_of_interest"]
