"""What merging and resolving say to a person: conflicts, what is dropped, what was repaired."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from nbcellar.cli import text
from nbcellar.notebook.stale import STALE_WORDS

if TYPE_CHECKING:
    from nbcellar.api.merge_views import MergeReport
    from nbcellar.cli.console import Console


def report_lines(report: MergeReport, console: Console, *, notebook: str) -> Iterator[str]:
    """Yield the report, nothing for a merge without anything to say."""
    for repair in report.repairs:
        yield f"repaired: {text.one_line(repair, console.width - 10)}"
    for entry in report.dropped:
        where = f"cell {entry.cell} of {entry.side}" if entry.cell else f"notebook of {entry.side}"
        what = text.one_line(entry.what, 200)
        yield text.cut(f"dropped: {what} ({where}): {entry.reason}", console.width)
    for warning in report.warnings:
        yield f"warning: {text.one_line(warning, console.width - 9)}"
    for number in report.stale:
        yield text.cut(f"cell {number}: outputs are {STALE_WORDS}; run it again", console.width)
    if report.conflicts:
        count = text.plural(len(report.conflicts), "conflict")
        yield console.style(f"{count} left in {text.one_line(notebook, 200)}:", "red", "bold")
        for conflict in report.conflicts:
            place = f"cell {conflict.cell}" if conflict.cell else "the notebook's settings"
            said = text.one_line(conflict.said, 400) if conflict.said else _what(conflict.what)
            yield text.cut(f"  {conflict.id}  {place}: {said}", max(console.width, 400 if conflict.said else 0))


def _what(parts: Iterable[str]) -> str:
    named = list(parts)
    by_one = {"deleted by ours": "theirs", "deleted by theirs": "ours"}.get(", ".join(named))
    shown = f"{named[0]}, changed by {by_one}" if by_one else f"both changed {', '.join(named)}"
    return text.one_line(shown, 200)


__all__ = ["report_lines"]
