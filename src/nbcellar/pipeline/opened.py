"""Which files and folders in the notebook's folder were opened, seen by the system: by libraries in C, too.

The system does not say who opened one. So what others open meanwhile is taken for the component's: it depends on a file
too many then, never on one too few. What was written by anybody is told apart: Python's own events tell whose that was,
unless the component started a program (`watching.py`). Invariant: never raises, never waits; without a watch nothing is
seen.
"""

from __future__ import annotations

import contextlib
import os

from nbcellar.session.written import Written, is_of_interest

_OPEN, _WRITES, _ONLY_FOLDER = 0x20, 0x2 | 0x8 | 0x80 | 0x100, 0x01000000
_MOST_FOLDERS = 256


class Opened(Written):
    """Watches a folder and all below it for one worker."""

    _mask = _OPEN | _WRITES | _ONLY_FOLDER

    def __init__(self) -> None:
        super().__init__()
        self._changed: set[str] = set()
        self._listed: set[str] = set()
        self._pending: set[str] = set()

    def take(self) -> tuple[set[str], set[str]]:
        """Return what was opened and not written since `begin`, and what was written, as whole paths."""
        with contextlib.suppress(OSError):
            found = self._read() | self._pending
            self._pending = set()
            changed, self._changed = self._changed, set()
            return self._whole(found - changed), self._whole(changed)
        return set(), set()

    def _whole(self, paths: set[str]) -> set[str]:
        return {os.path.join(self._root, path) for path in paths}  # noqa: PTH118

    def take_folders(self) -> set[str]:
        """Return the folders that were opened since `begin` or the last call, as whole paths; call `take` before.

        Python itself opens them, too, where it looks for a module.
        """
        listed, self._listed = self._listed, set()
        return {os.path.join(self._root, folder) if folder else self._root for folder in listed}  # noqa: PTH118

    def skip_folders(self) -> None:
        """Forget the folders that were opened so far."""
        with contextlib.suppress(OSError):
            self._pending |= self._read()
        self._listed = set()

    def begin(self) -> None:
        super().begin()
        self._changed, self._listed, self._pending = set(), set(), set()

    def _below(self, folder: str) -> list[str]:
        found: list[str] = []
        for place, names, _ in os.walk(folder):
            names[:] = sorted(name for name in names if is_of_interest(name) and not _is_environment(place, name))
            found += [os.path.relpath(os.path.join(place, name), folder) for name in names]  # noqa: PTH118
            if len(found) >= _MOST_FOLDERS:
                break
        return found[: _MOST_FOLDERS - 1]

    def _note(self, path: str, mask: int, found: set[str]) -> None:
        if mask & _WRITES:
            self._changed.add(path)
        else:
            found.add(path)

    def _note_folder(self, folder: str, mask: int) -> None:
        if mask & _OPEN:
            self._listed.add(folder)


def _is_environment(place: str, name: str) -> bool:
    """True for folders of installed code, which are many and no data."""
    whole = os.path.join(place, name)  # noqa: PTH118
    return name in ("node_modules", "site-packages") or os.path.exists(os.path.join(whole, "pyvenv.cfg"))  # noqa: PTH110, PTH118


__all__ = ["Opened"]
