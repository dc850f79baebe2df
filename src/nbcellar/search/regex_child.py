"""The process of `regexes.py`: reads questions, a JSON document a line, and answers likewise.

Run as a script, without this package; it must load nothing but the standard library. The first question is
[pattern, flags], each other one a list of texts. An answer that is a text is an error.
"""

from __future__ import annotations

import json
import re
import sys


def find(pattern: re.Pattern[str], text: str) -> list[tuple[int, list[tuple[int, int]]]]:
    """Return (number, spans) of each line that matches."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        spans = [match.span() for match in pattern.finditer(line)]
        if spans:
            found.append((number, [span for span in spans if span[0] < span[1]]))
    return found


def main() -> None:
    """Answer until the input ends."""
    pattern: re.Pattern[str] | None = None
    for question in sys.stdin.buffer:
        try:
            asked = json.loads(question)
            if pattern is None:
                pattern = re.compile(*asked)
                answer: object = []
            else:
                answer = [find(pattern, text) for text in asked]
        except (re.error, OverflowError, RecursionError, MemoryError, RuntimeError) as error:
            answer = str(error) or type(error).__name__
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
