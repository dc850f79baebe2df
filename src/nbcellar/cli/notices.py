"""What a user must hear while they work: that something is not being recorded. On the error stream, once each.

Invariant: a notice never raises into a cell, and says nothing twice; where nobody reads it (a notebook run from the
command line, which says it itself) there is none.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_NOT_SAVED = ("over budget", "it is larger than the cap")


def watch(shell: Any, recorder: Any, environ: Mapping[str, str] = os.environ) -> None:
    """Say at the end of a cell what of the cells before it was not saved."""
    if recorder.session.repo.store.read_only:
        folder = recorder.session.repo.root / ".cellar"
        say_once(shell, f"Cellar does not record this notebook: {folder} cannot be written\n")
    elif not environ.get("NBCELLAR_HEADLESS"):
        watcher = Watcher(recorder)
        shell.events.register("post_run_cell", _safely(watcher.look))


def say_once(shell: Any, text: str) -> None:
    """Say at the end of the first cell why this kernel does not record."""

    def once(result: Any) -> None:
        shell.events.unregister("post_run_cell", once)
        sys.stderr.write(text)

    shell.events.register("post_run_cell", once)


class Watcher:
    """Remembers what was said. Mutable."""

    def __init__(self, recorder: Any) -> None:
        self._recorder = recorder
        self._failed = ""
        self._errors = 0
        self._too_large: set[str] = set()

    def look(self) -> Iterator[str]:
        """Yield what is new, as lines."""
        if not self._recorder.active:
            return
        failed = self._recorder.session.writer.failed
        text = "" if failed is None else str(failed)
        if bool(text) != bool(self._failed):
            yield f"Cellar: what you do is not being saved: {text}" if text else "Cellar: everything is saved again"
        self._failed = text
        errors = self._recorder.errors
        if len(errors) > self._errors:
            lines = [line for line in errors[-1].splitlines() if line.strip()]
            yield f"Cellar: a cell could not be recorded: {lines[-1] if lines else 'no reason given'} (%cellar status)"
        self._errors = len(errors)
        for name, group in sorted(self._recorder.session.tracker.by_name.items()):
            if group.reason.startswith(_NOT_SAVED) and name not in self._too_large:
                self._too_large.add(name)
                yield f"Cellar: '{name}' is not saved: {group.reason} (settings: cellar config)"


def _safely(look: Callable[[], Iterator[str]]) -> Callable[[Any], None]:
    def tell(result: Any) -> None:
        with contextlib.suppress(Exception):
            for line in look():
                sys.stderr.write(line + "\n")

    return tell


__all__ = ["Watcher", "say_once", "watch"]
