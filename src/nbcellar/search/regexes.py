"""Regular expressions in a process of their own, which is ended when one takes too long.

Python's expressions can take longer than the age of the universe on forty letters, hold the interpreter's lock
meanwhile, and cannot be stopped from another thread: in a kernel, `%cellar search` would hang the user's session.
Invariant: `find` returns or raises within the limit. Not for: texts without patterns (`query.py`).
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

from nbcellar.errors import InvalidInputError, StoreUnavailableError

LIMIT_S = 10.0
"""For some 250,000 characters of text at once."""

_SCRIPT = Path(__file__).with_name("regex_child.py")


class RegexProcess:
    """A child that looks for one pattern, line by line."""

    def __init__(self, pattern: str, flags: int, *, limit_s: float | None = None) -> None:
        """Raise InvalidInputError for a pattern that is none."""
        self._pattern = pattern
        self._limit_s = LIMIT_S if limit_s is None else limit_s
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_SCRIPT)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise StoreUnavailableError(f"cannot start a process to search in: {error}") from None
        try:
            answer = self._ask([pattern, flags])
        except BaseException:
            self.close()
            raise
        if isinstance(answer, str):
            self.close()
            message = f"'{pattern}' is no regular expression: {answer}"
            raise InvalidInputError(message, hint="without --regex it is taken as text")

    def find(self, texts: list[str]) -> list[dict[int, list[tuple[int, int]]]]:
        """Return for each text the matching lines: number from 1 -> (start, end) of each match that is not empty."""
        answer = self._ask(texts)
        if not isinstance(answer, list):
            raise InvalidInputError(f"the pattern '{self._pattern}' cannot be used: {answer}")
        return [{number: [(a, b) for a, b in spans] for number, spans in found} for found in answer]

    def close(self) -> None:
        """End the process; may be called twice."""
        self._process.kill()
        self._process.communicate()

    def _ask(self, question: object) -> object:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        timer = threading.Timer(self._limit_s, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:  # it was ended while it was written to
            line = b""
        finally:
            timer.cancel()
        if not line:
            raise InvalidInputError(
                f"the pattern '{self._pattern}' takes too long: it was given up after {self._limit_s:g} s",
                hint="repetitions inside repetitions, as in (a+)+, are the usual reason",
            )
        return json.loads(line)


__all__ = ["LIMIT_S", "RegexProcess"]
