"""What a user must hear while they work: that something is not being recorded. On the error stream, once each.

Invariant: a notice never raises into a cell, and says nothing twice; where nobody reads it (a notebook run from the
command line, which says it itself) there is none.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from nbcellar.history.model import NO_ROOM, is_not_saved

_MOST_NAMES = 5


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
        self._interrupted = recorder.session.interrupted
        self._unsaved: dict[str, str] = {}  # variables of which was said that they are not saved, and why

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
        if self._recorder.session.interrupted > self._interrupted:
            yield "Cellar: the interrupt also ended the saving of variables; they are saved with this cell"
        self._interrupted = self._recorder.session.interrupted
        yield from self._look_at_variables()

    def _look_at_variables(self) -> Iterator[str]:
        """Yield, once for each reason, which variables a limit keeps from being saved, and which are saved again."""
        tracked = self._recorder.session.tracker.by_name
        now = {name: group.lacks for name, group in tracked.items() if is_not_saved(group.lacks)}
        new = {name: why for name, why in now.items() if self._unsaved.get(name) != why}
        for why in dict.fromkeys(new.values()):
            names = sorted(name for name, reason in new.items() if reason == why)
            is_full = why.startswith(NO_ROOM)
            hint = "%cellar size, %cellar gc" if is_full else "settings: cellar config"
            verb = "is" if len(names) == 1 else "are"
            yield f"Cellar: {_listed(names)} {verb} not saved: {why.removeprefix(NO_ROOM)} ({hint})"
        saved = sorted(name for name in self._unsaved.keys() - now.keys() if name in tracked)
        if saved:
            yield f"Cellar: {_listed(saved)} {'is' if len(saved) == 1 else 'are'} saved again"
        self._unsaved = now


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_MOST_NAMES])
    return f"{shown} and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else shown


def _safely(look: Callable[[], Iterator[str]]) -> Callable[[Any], None]:
    def tell(result: Any) -> None:
        with contextlib.suppress(Exception):
            for line in look():
                sys.stderr.write(line + "\n")

    return tell


__all__ = ["Watcher", "say_once", "watch"]
