"""What git calls: `cellar git filter-process`, drivers, hooks; the short way in, without the parser of commands.

Invariant: a call costs what its work costs: nothing is imported that another call needs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

CALLS = ("filter-process", "clean", "smudge")


def main(words: Sequence[str]) -> int:
    """Run one call of git's and return its exit code. Raises KeyError for one that is not known."""
    name, rest = words[0], words[1:]
    return _CALLS[name](rest)


def _say(text: str) -> None:
    sys.stderr.write(f"cellar: {text}\n")
    sys.stderr.flush()


def _filter_process(rest: Sequence[str]) -> int:
    from nbcellar.git.filter_process import run_process

    with open(0, "rb", buffering=1 << 18, closefd=False) as source, os.fdopen(1, "wb", 1 << 18, closefd=False) as target:
        return run_process(source, target, os.environ, _say)


def _filter_once(command: str, rest: Sequence[str]) -> int:
    from nbcellar.git.filter_process import run_once

    path = rest[0] if rest else ""
    return run_once(command, path, sys.stdin.buffer, sys.stdout.buffer, os.environ, _say)


_CALLS = {
    "filter-process": _filter_process,
    "clean": lambda rest: _filter_once("clean", rest),
    "smudge": lambda rest: _filter_once("smudge", rest),
}
