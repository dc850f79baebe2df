"""A kernel that starts in a recorded notebook offers to bring the last session back, once, beside its first output.

Invariant: nothing is offered where nobody reads it (a notebook run from the command line), and nothing is loaded by it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def offer(shell: Any, recorder: Any, environ: Mapping[str, str] = os.environ) -> None:
    """Register the offer for the end of the first cell, if there is a session to bring back."""
    if environ.get("NBCELLAR_RECORD"):
        return
    earlier = recorder.session.earlier_session()
    if earlier is None:
        return
    names, time_ns = earlier
    text = sentence(names, time.time_ns() - time_ns)

    def once(result: Any) -> None:
        shell.events.unregister("post_run_cell", once)
        source = getattr(getattr(result, "info", None), "raw_cell", "") or ""
        if not source.lstrip().startswith("%cellar") and recorder.session.earlier_session() is not None:
            sys.stderr.write(text)

    shell.events.register("post_run_cell", once)
    recorder.on_name_error = _on_name_error(frozenset(names), lambda: recorder.session.has_restored)


def sentence(names: tuple[str, ...], age_ns: int) -> str:
    """Return the offer, one line."""
    count = "1 variable" if len(names) == 1 else f"{len(names)} variables"
    return f"Cellar: the last session of this notebook ({count}, {_age(age_ns)}) comes back with: %cellar restore\n"


def _age(age_ns: int) -> str:
    seconds = max(age_ns // 1_000_000_000, 0)
    for size, unit in _UNITS:
        if seconds >= size:
            number = seconds // size
            return f"{number} {unit}{'' if number == 1 else 's'} ago"
    return "just now"


def _on_name_error(names: frozenset[str], restored: Callable[[], bool]) -> Callable[[str], None]:
    said: list[str] = []

    def tell(name: str) -> None:
        if name in names and not said and not restored():
            said.append(name)
            sys.stderr.write(f"Cellar: '{name}' is in the last recorded session; bring it back with: %cellar restore\n")

    return tell
