"""Running a cell again in IPython: nothing is shown, counted or remembered, and no hook of ours sees it.

Invariant: the shell's history, counters, last result and output channels are what they were. A silent run is one for
which IPython triggers no `pre_run_cell` and `post_run_cell`, so it is not recorded.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from nbcellar.session.names import as_text
from nbcellar.session.replay.execution import Execute, Ran

_KEPT = ("last_execution_succeeded", "last_execution_result")


def execute_in(shell: Any) -> Execute:
    """Return how to run cells in a shell."""

    def execute(source: str) -> Ran:
        from IPython.utils.capture import capture_output

        with _unseen(shell), capture_output() as captured:
            result = shell.run_cell(source, store_history=False, silent=True)
        error = result.error_before_exec or result.error_in_exec
        if isinstance(error, KeyboardInterrupt):
            raise error
        if error is None:
            return Ran(printed=captured.stdout)
        try:
            text = as_text(str(error)[:200])
        except Exception:  # an exception of the notebook's own
            text = ""
        return Ran(type(error).__name__, text, captured.stdout)

    return execute


def transform_in(shell: Any, source: str) -> str:
    """Return a cell as Python code; as it is, where it cannot be transformed."""
    try:
        return str(shell.transform_cell(source))
    except Exception:  # SyntaxError, or a transformer of the user's
        return source


@contextlib.contextmanager
def _unseen(shell: Any) -> Iterator[None]:
    kept = {name: getattr(shell, name) for name in _KEPT if hasattr(shell, name)}
    shell._showtraceback = lambda *args, **kwargs: None  # errors do not go through what `capture_output` captures
    try:
        yield
    finally:
        del shell._showtraceback
        for name, value in kept.items():
            setattr(shell, name, value)
