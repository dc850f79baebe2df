"""With `keep.auto`: have `cellar gc` run beside an idle kernel, once a day in a repository.

Invariant: the kernel itself does nothing of it: a process of its own reads the history and removes, so no cell that
starts meanwhile waits. Nothing is started where the setting is off. Not for: what is removed (`history/thin.py`).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

DAY_S = 86_400.0
MARK = "gc.auto"  # its time of change is when the last one was started, by whichever kernel


class Thinning:
    """Starts the process; belongs to one kernel."""

    def __init__(self, cellar_folder: Path) -> None:
        self._folder = cellar_folder
        self._process: subprocess.Popen[bytes] | None = None

    def start_if_due(self) -> None:
        """Start `cellar gc` unless one was started within a day."""
        if self._process is not None and self._process.poll() is None:
            return
        self._process = None
        if self._is_due():
            # Started elsewhere: with -m, modules in the current folder would come before the library's own.
            command = [sys.executable, "-m", "nbcellar.cli.main", "-C", str(self._folder.parent), "gc", "--yes"]
            nothing = subprocess.DEVNULL
            self._process = subprocess.Popen(
                command, cwd="/", stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True
            )

    def _is_due(self) -> bool:
        mark = self._folder / MARK
        with contextlib.suppress(FileNotFoundError):
            if abs(time.time() - mark.stat().st_mtime) < DAY_S:
                return False
        os.close(os.open(mark, os.O_WRONLY | os.O_CREAT, 0o600))
        os.utime(mark)
        return True


__all__ = ["MARK", "Thinning"]
