"""Running a cell again in IPython: nothing is shown, counted or remembered, and no hook of ours sees it.

Invariant: the shell's history, counters, last result, output channels, payloads and callbacks, the
handlers of signals and the hooks of `sys` are what they were. A silent run is one for which IPython triggers no
`pre_run_cell` and `post_run_cell`, so it is not recorded. Not for: variables and surroundings (`aside.py`).
"""

from __future__ import annotations

import contextlib
import io
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from nbcellar.session.names import as_text
from nbcellar.session.replay.execution import Execute, Ran
from nbcellar.session.signals import signals_held

_KEPT = ("last_execution_succeeded", "last_execution_result", "execution_count", "exit_now")
_HOOKS = ("excepthook", "displayhook", "unraisablehook", "breakpointhook", "stdin", "last_value", "last_type")
_LISTS = ("ast_transformers", "input_transformers_post")
_ABSENT = object()


class LeftError(Exception):
    """A cell wants to end the kernel, or to begin its namespace anew."""


def execute_in(shell: Any) -> Execute:
    """Return how to run cells in a shell."""

    def execute(source: str) -> Ran:
        from IPython.utils.capture import capture_output

        with _same_signals():
            stack = contextlib.ExitStack()
            try:
                with signals_held():
                    stack.enter_context(_unseen(shell))
                    stack.enter_context(capture_output(stdout=False, stderr=False))
                    written = stack.enter_context(_captured())
                result = shell.run_cell(source, store_history=False, silent=True)
                printed = written()
            finally:
                with signals_held():
                    stack.close()
        error = result.error_before_exec or result.error_in_exec
        if isinstance(error, KeyboardInterrupt):
            raise error
        if error is None:
            return Ran(printed=printed)
        try:
            text = as_text(str(error)[:200])
        except Exception:  # an exception of the notebook's own
            text = ""
        return Ran(type(error).__name__, text, printed)

    return execute


def transform_in(shell: Any, source: str) -> str:
    """Return a cell as Python code; as it is, where it cannot be transformed."""
    try:
        return str(shell.transform_cell(source))
    except Exception:  # SyntaxError, or a transformer of the user's
        return source


@contextlib.contextmanager
def _unseen(shell: Any) -> Iterator[None]:
    def leave(*_: object, **__: object) -> None:
        raise LeftError("it ends the kernel or clears its namespace")

    own = {"_showtraceback": lambda *args, **kwargs: None, "ask_exit": leave, "reset": leave}
    before = {name: vars(shell).get(name, _ABSENT) for name in own}
    with contextlib.ExitStack() as stack:
        stack.callback(_restore_attributes, shell, {name: getattr(shell, name, _ABSENT) for name in _KEPT})
        stack.callback(_restore_attributes, sys, {name: getattr(sys, name, _ABSENT) for name in _HOOKS})
        stack.enter_context(_same_lists(shell))
        vars(shell).update(own)  # errors do not go through what `capture_output` captures
        stack.callback(_restore_own, shell, before)
        yield


def _restore_own(shell: Any, before: dict[str, object]) -> None:
    for name, value in before.items():
        if value is _ABSENT:
            vars(shell).pop(name, None)
        else:
            vars(shell)[name] = value


def _restore_attributes(owner: Any, before: dict[str, object]) -> None:
    for name, value in before.items():
        if getattr(owner, name, _ABSENT) is value:
            continue
        if value is _ABSENT:
            delattr(owner, name)
        else:
            setattr(owner, name, value)


@contextlib.contextmanager
def _same_lists(shell: Any) -> Iterator[None]:
    """Keep what asks a front end for something, and callbacks; the notebook's own are not called meanwhile."""
    lists: list[list[Any]] = [found for name in _LISTS if isinstance(found := getattr(shell, name, None), list)]
    payloads = getattr(getattr(shell, "payload_manager", None), "_payload", None)
    if isinstance(payloads, list):
        lists.append(payloads)
    callbacks: dict[str, list[Any]] = getattr(getattr(shell, "events", None), "callbacks", {})
    lists += callbacks.values()
    before = [list(one) for one in lists]
    for one in callbacks.values():
        one[:] = [callback for callback in one if not _is_notebooks(callback)]
    try:
        yield
    finally:
        for one, items in zip(lists, before, strict=True):
            one[:] = items


def _is_notebooks(callback: Any) -> bool:
    function = getattr(callback, "__func__", callback)
    return getattr(function, "__module__", "__main__") == "__main__"


@contextlib.contextmanager
def _same_signals() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None and signal.getsignal(number) is not handler:
                with contextlib.suppress(OSError, ValueError):
                    signal.signal(number, handler)


@contextlib.contextmanager
def _captured() -> Iterator[Callable[[], str]]:
    """Take what is written to the standard streams; who keeps one of them (a log's handler) writes to the true one
    afterwards."""
    true = sys.stdout, sys.stderr
    out, err = _Stream(true[0]), _Stream(true[1])
    sys.stdout, sys.stderr = out, err
    try:
        yield out.text
    finally:
        sys.stdout, sys.stderr = true
        out.pass_on()
        err.pass_on()


class _Stream:
    """A stream that keeps what is written, until it is told to pass it on."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._kept: io.StringIO | None = io.StringIO()

    def text(self) -> str:
        return self._kept.getvalue() if self._kept is not None else ""

    def pass_on(self) -> None:
        self._kept = None

    def write(self, text: str) -> int:
        return int((self._kept if self._kept is not None else self._stream).write(text))

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if self._kept is None:
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
