"""Replacing by regular expressions what may differ in outputs.

A file has pairs of lines as nbval's has them; what else stands in it (names in brackets, comments) is for its readers:

    [times]
    regex: \\d\\d:\\d\\d:\\d\\d
    replace: TIME

Invariant: an expression that can take exponential time is refused (`repetitions.py`).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import Any

from nbcellar.errors import InvalidInputError
from nbcellar.notebook.plain import is_json_mime
from nbcellar.testing.repetitions import can_explode

Replacement = tuple["re.Pattern[str]", str]
_PAIR = re.compile(r"^regex: (.*)\n(?:[ \t]*\n)*replace: ?(.*)$", re.MULTILINE)


def read_replacements(text: str, name: str) -> tuple[Replacement, ...]:
    """Return the pairs of a file's text. Raises InvalidInputError, which names the line."""
    text = text.replace("\r\n", "\n")
    found = []
    for pair in _PAIR.finditer(text):
        where = f"{name}, line {text.count(chr(10), 0, pair.start()) + 1}"
        found.append((_compiled(pair[1], where), pair[2]))
        try:
            found[-1][0].sub(pair[2], "")  # names groups that there are
        except (re.error, IndexError) as error:
            raise InvalidInputError(f"{where}: '{pair[2]}' cannot replace '{pair[1]}': {error}") from None
    if not found or len(found) != len(re.findall(r"^regex:", text, re.MULTILINE)):
        raise InvalidInputError(
            f"{name}: not each 'regex:' has a 'replace:' in the line below" if found else f"{name} has no 'regex:'",
            hint="write pairs of lines, 'regex: PATTERN' and 'replace: TEXT'",
        )
    return tuple(found)


def sanitize(value: Any, replacements: Sequence[Replacement]) -> Any:
    """Return text with all replacements made, one after the other; in JSON those in its texts."""
    if isinstance(value, str):
        for pattern, text in replacements:
            value = pattern.sub(text, value)
        return value
    if isinstance(value, list):
        return [sanitize(item, replacements) for item in value]
    if isinstance(value, dict):
        return {key: sanitize(item, replacements) for key, item in value.items()}
    return value


def sanitize_bundle(bundle: dict[str, Any], replacements: Sequence[Replacement]) -> dict[str, Any]:
    """Return a MIME bundle with its texts sanitized; pictures and other bytes stay as they are."""
    if not replacements:
        return bundle
    return {mime: sanitize(value, replacements) if _is_text(mime) else value for mime, value in bundle.items()}


def _is_text(mime: str) -> bool:
    return mime.startswith("text/") or mime in ("image/svg+xml", "application/javascript") or is_json_mime(mime)


def _compiled(text: str, where: str) -> re.Pattern[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a FutureWarning of an expression that nbval takes
            pattern = re.compile(text)
    except re.error as error:
        raise InvalidInputError(f"{where}: '{text}' is no regular expression: {error}") from None
    if can_explode(text):
        raise InvalidInputError(
            f"{where}: '{text}' repeats a repetition, which can take exponential time",
            hint="write (a+)+ as a+, and (a*b*)* as [ab]*",
        )
    return pattern


__all__ = ["Replacement", "read_replacements", "sanitize", "sanitize_bundle"]
