"""Numbers inside lines of text: two lines that are the same but for their numbers, compared within a tolerance.

Invariant: what is taken for a number is written as one and stands alone: dates, times, versions, names with digits and
groups of thousands are text, and differ if a character does. Whole numbers on both sides are compared exactly.
Not for: arrays and columns of variables, which `diff/numbers.py` compares.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Context, Decimal

from nbcellar.diff.document.outputs.model import OutputSettings
from nbcellar.diff.document.outputs.noise import DIGITS, TOLERANCE
from nbcellar.diff.model import Changed, Example

MOST_EXAMPLES = 5
Place = str | Callable[[], str]  # where a number stands; asked for where it is told
# A sign only after something that is no word; at most 40 digits; neither a date, a time, a version nor 1,000.
_NUMBER = re.compile(
    r"(?<![\w.])(?<!\w[-/])(?<!\d[:,])"
    r"(?:[-+](?=[\d.]))?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][-+]?\d{1,4})?"
    r"(?!\w|[.,:/-]\d|\.\w)"
)
_SPACES = re.compile(r"[ \t]+")
_RULES = re.compile(r"-{3,}")
_DIGIT = re.compile(r"\d")
# Nothing is trapped: infinities and what is no number come out as such.
_CONTEXT = Context(prec=60, Emax=999_999, Emin=-999_999, traps=[])


def skeleton(line: str) -> tuple[str, list[str]]:
    """Return a line with its numbers taken out and its blanks and rules shortened, and the numbers."""
    if _DIGIT.search(line) is None:
        return _blanks(line), []
    numbers = _NUMBER.findall(line)
    return (_blanks(_NUMBER.sub("\0", line)), numbers) if numbers else (_blanks(line), [])


def _blanks(line: str) -> str:
    # Columns are as wide as their widest number.
    return _RULES.sub("---", _SPACES.sub(" ", line).replace(" \0", "\0"))


class Figures:
    """Counts numbers that were compared; the largest difference, and a few examples."""

    def __init__(self, settings: OutputSettings) -> None:
        self._absolute = _decimal(settings.absolute)
        self._relative = _decimal(settings.relative)
        self.compared = 0
        self.changed = 0
        self.tolerated = 0
        self.rewritten = 0
        self.same_number = 0
        self._largest: Decimal | None = None
        self._at: tuple[Place, str, str] = ("", "", "")
        self._examples: list[tuple[Place, str, str]] = []

    def same(self, before: Sequence[str], after: Sequence[str], at: Place) -> bool:
        """Return whether all of as many numbers are equal, or differ by no more than the tolerance."""
        changed = self.changed
        for old, new in zip(before, after, strict=True):
            self.compared += 1
            if old != new:
                self.compare(old, new, at)
        return self.changed == changed

    def compare(self, old: str, new: str, at: Place) -> bool:
        """Take in two numbers that are written differently; return whether the tolerance covers it."""
        a, b = Decimal(old), Decimal(new)
        apart = _CONTEXT.abs(_CONTEXT.subtract(a, b))
        whole = _is_whole(old), _is_whole(new)
        if not apart and not any(whole) and a.is_signed() == b.is_signed():
            self.rewritten += 1  # 1.5 and 1.500: a column is shown with as many digits as one of its numbers needs
            return True
        self.same_number += not apart
        if apart.is_finite() and (self._largest is None or apart > self._largest):
            self._largest, self._at = apart, (at, old, new)
        if self._covers(a, b, apart) and not all(whole):
            self.tolerated += 1
            return True
        self.changed += 1
        if len(self._examples) < MOST_EXAMPLES:
            self._examples.append((at, old, new))
        return False

    def _covers(self, a: Decimal, b: Decimal, apart: Decimal) -> bool:
        if not self._absolute and not self._relative:
            return False
        allowed = _CONTEXT.fma(self._relative, max(abs(a), abs(b)), self._absolute)
        return bool(apart.is_finite() and allowed.is_finite() and apart <= allowed)

    def noise(self) -> list[str]:
        """Return the names of what was found to be no change."""
        return [DIGITS] * bool(self.rewritten) + [TOLERANCE] * bool(self.tolerated)

    def result(self) -> Changed | None:
        """Return what was counted, None if no number differs."""
        if not self.changed and not self.tolerated:
            return None
        return Changed(
            compared=self.compared,
            changed=self.changed,
            largest=_float(self._largest),
            largest_at=_told(self._at[0]),
            largest_before=self._at[1],
            largest_after=self._at[2],
            same_number=self.same_number,
            examples=[Example(at=_told(at), before=old, after=new) for at, old, new in self._examples],
        )


def largest_in_words(numbers: Changed | None) -> str:
    """Return the largest difference in words, "" where there is none."""
    if numbers is None or numbers.largest is None:
        return ""
    if not numbers.largest:
        return "written otherwise"
    pair = f"{numbers.largest_before} -> {numbers.largest_after}"
    return (
        f"by {numbers.largest:.3g} at most ({pair})" if numbers.compared > 1 else f"by {numbers.largest:.3g} ({pair})"
    )


def count(number: int, thing: str) -> str:
    """Return how many there are of a thing, in words."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _told(at: Place) -> str:
    return at if isinstance(at, str) else at()


def _is_whole(text: str) -> bool:
    return "." not in text and "e" not in text and "E" not in text


def _decimal(number: float) -> Decimal:
    found = Decimal(repr(float(number)))
    return found if found.is_finite() and found > 0 else Decimal(0)


def _float(number: Decimal | None) -> float | None:
    if number is None:
        return None
    found = float(number)
    return found if found - found == 0 else None  # JSON knows no infinity


__all__ = ["Figures", "count", "largest_in_words", "skeleton"]
