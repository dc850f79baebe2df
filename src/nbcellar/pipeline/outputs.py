"""An IPython shell that runs components: no kernel, no history on disk; what a cell shows is collected.

Invariant: what a cell writes and displays comes out as nbformat outputs, in the order in which it was sent; what
programs wrote to the process's own streams stands at the end. Not for: what a cell changes (`running.py`).
"""

from __future__ import annotations

import builtins
import getpass
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from nbcellar.session.outputs import CELL_CAP_BYTES, OUTPUT_CAP_BYTES, OutputLog

_MOST_RAW = 1 << 20


class _Sent:
    """Where outputs go: the log of the component that runs."""

    log: OutputLog = OutputLog(OUTPUT_CAP_BYTES, CELL_CAP_BYTES)


class _Publisher(DisplayPublisher):
    def publish(
        self,
        data: Any,
        metadata: Any = None,
        source: Any = None,
        *,
        transient: Any = None,
        update: Any = False,
        **_: Any,
    ) -> None:
        kind = "update_display_data" if update else "display_data"
        _Sent.log.add(kind, {"data": data, "metadata": metadata or {}, "transient": transient or {}})

    def clear_output(self, wait: bool = False) -> None:
        _Sent.log.add("clear_output", {"wait": wait})


class _Hook(DisplayHook):
    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        content = {"data": format_dict, "metadata": md_dict or {}, "execution_count": self.prompt_count}
        _Sent.log.add("execute_result", content)

    def finish_displayhook(self) -> None:
        pass


class _Stream(io.TextIOBase):
    def __init__(self, name: str, descriptor: int) -> None:
        self._name, self._descriptor = name, descriptor

    def write(self, text: str) -> int:
        _Sent.log.add("stream", {"name": self._name, "text": str(text)})
        return len(text)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"


class Shell(InteractiveShell):
    """IPython without a terminal or a kernel."""

    display_pub_class = Type(_Publisher)
    displayhook_class = Type(_Hook)
    system = InteractiveShell.system_piped

    def init_history(self) -> None:
        self.config.HistoryManager.enabled = False
        super().init_history()  # type: ignore[no-untyped-call]

    def init_virtualenv(self) -> None:
        pass

    def enable_gui(self, gui: Any = None) -> None:
        """No loop of events runs here: figures are shown as outputs, whatever `%matplotlib` or `%gui` asks for."""

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        _Sent.log.add("error", {"ename": etype.__name__, "evalue": str(evalue), "traceback": list(stb)})


def make_shell() -> Shell:
    """Return the shell of this process, which becomes what `get_ipython()` gives."""
    config = Config()
    config.HistoryManager.enabled = False
    shell: Shell = Shell.instance(config=config, colors="Neutral")
    sys.modules["__main__"] = shell.user_module
    builtins.input = getpass.getpass = _ask
    magics: Any = shell.magics_manager
    magics.register_function(_autoreload, "line", "autoreload")
    return shell


def _autoreload(line: str) -> None:
    """Stands for `%autoreload` where another process loaded it: each component imports the user's modules anew."""


def _ask(prompt: object = "", *_: object, **__: object) -> str:
    """Stands for `input` and `getpass`."""
    raise StdinNotImplementedError(
        f"nobody is there to answer '{prompt}': a pipeline runs without a person; give the value as a parameter"
    )


@contextmanager
def collected() -> Iterator[OutputLog]:
    """Collect what is sent within; streams of programs in C and of other processes, too."""
    log = _Sent.log = OutputLog(OUTPUT_CAP_BYTES, CELL_CAP_BYTES)
    kept = sys.stdout, sys.stderr
    with tempfile.TemporaryFile() as raw:
        own = [(number, os.dup(number)) for number in (1, 2)]
        for number, _ in own:
            os.dup2(raw.fileno(), number)
        sys.stdout, sys.stderr = _Stream("stdout", 1), _Stream("stderr", 2)
        try:
            yield log
        finally:
            sys.stdout, sys.stderr = kept
            for number, copy in own:
                os.dup2(copy, number)
                os.close(copy)
            raw.seek(0)
            if text := raw.read(_MOST_RAW).decode("utf-8", "replace"):
                log.add("stream", {"name": "stdout", "text": text})


__all__ = ["Shell", "collected", "make_shell"]
