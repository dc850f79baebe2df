"""Text outputs, by line and word."""

from __future__ import annotations

from typing import Any

from nbcellar.diff.model import TextChange
from nbcellar.diff.texts import compare_texts

MOST_LINES = 1000


def compare(mime: str, before: Any, after: Any) -> TextChange | None:
    """Return the lines that differ; None for what is no text."""
    old, new = ("" if side is None else side for side in (before, after))
    if not isinstance(old, str) or not isinstance(new, str):
        return None
    return compare_texts(old, new, most=MOST_LINES)


def compare_errors(mime: str, before: Any, after: Any) -> TextChange | None:
    """Return the lines of two errors that differ, the traceback first."""
    return compare_texts(_error_text(before), _error_text(after), most=MOST_LINES)


def _error_text(error: Any) -> str:
    if not isinstance(error, dict):
        return ""
    trace = error.get("traceback")
    lines = [str(line) for line in trace] if isinstance(trace, list) else []
    title = f"{error.get('ename', '')}: {error.get('evalue', '')}"
    return "\n".join(lines if lines and title in lines[-1] else [*lines, title])


__all__ = ["compare", "compare_errors"]
