"""A process that runs notebooks from top to bottom, each in a process forked for it: what a pipeline is compared with.

    python plain_kernel.py        a line of JSON comes in: {"folder": ..., "cells": [...]}; a line goes out: [text, ...]

Invariant: knows nothing of Cellar; a text is what the cell printed, and the name of the error that ended it.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import sys

os.environ["MPLBACKEND"] = "agg"


def main() -> None:
    for name in ("numpy", "pandas", "matplotlib.pyplot"):
        importlib.import_module(name)
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    sys.path.pop(0)  # the tests' own folder
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            continue
        config = Config()
        config.HistoryManager.enabled = False
        texts = run(InteractiveShell.instance(config=config, colors="NoColor"), asked["folder"], asked["cells"])
        os.write(1, (json.dumps(texts) + "\n").encode())
        os._exit(0)


def run(shell: object, folder: str, cells: list[str]) -> list[str]:
    """Return what each cell printed."""
    sys.modules["__main__"] = shell.user_module  # type: ignore[attr-defined]
    sys.dont_write_bytecode = True
    os.chdir(folder)
    sys.path.insert(0, folder)
    shell.ast_node_interactivity = "none"  # type: ignore[attr-defined]  # results without a name are not printed
    texts = []
    for cell in cells:
        with contextlib.redirect_stdout(io.StringIO()) as output:
            shell.showtraceback = lambda *a, **k: None  # type: ignore[attr-defined]
            result = shell.run_cell(cell)  # type: ignore[attr-defined]
        error = result.error_before_exec or result.error_in_exec
        texts.append(output.getvalue() + (f"{type(error).__name__}\n" if error else ""))
    return texts


if __name__ == "__main__":
    main()
