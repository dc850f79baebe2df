"""What is looked for, and the lines of a text that hold it.

Invariant: `Matcher.match` yields a text if and only if one of its lines holds what is looked for (or, when that has
line breaks itself, the text does); quick tests before it only ever spare work. Lines end at "\\n". Not for: where the
texts come from (`find.py`).
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from typing import Protocol, TypeVar

import msgspec

from nbcellar.errors import InvalidInputError
from nbcellar.search.regexes import RegexProcess

LONGEST_QUERY = 10_000
MOST_LINES = 20
"""Of one text so many lines are given; the others are counted."""
_LONGEST_LINE = 4000
_AROUND = 200

_K = TypeVar("_K", bound=Hashable)
Span = tuple[int, int]


class Query(msgspec.Struct, frozen=True):
    """What is looked for. ignore_case None: unless `text` has a capital letter."""

    text: str
    ignore_case: bool | None = None
    is_regex: bool = False
    is_word: bool = False

    @property
    def ignores_case(self) -> bool:
        """Whether capital and small letters are the same."""
        if self.ignore_case is not None:
            return self.ignore_case
        letters = re.sub(r"\\.", "", self.text, flags=re.DOTALL) if self.is_regex else self.text
        return letters == letters.lower()


class Line(msgspec.Struct, frozen=True, array_like=True):
    """A line with what matches in it: number from 1, text, (start, end) of each match. Very long lines are cut."""

    number: int
    text: str
    spans: tuple[Span, ...]


class Lines(msgspec.Struct, frozen=True):
    """The matching lines of one text; `more` were left out."""

    lines: tuple[Line, ...]
    more: int = 0


class Matcher(Protocol):
    """Finds a query in texts."""

    def match(self, texts: Iterable[tuple[_K, str]]) -> Iterator[tuple[_K, Lines]]:
        """Yield key and lines of those texts that match, in order."""
        ...

    def close(self) -> None:
        """Let go of what the matcher holds."""
        ...


def make_matcher(query: Query, *, limit_s: float | None = None) -> Matcher:
    """Return a matcher. Raises InvalidInputError for an empty text or a wrong regular expression.

    limit_s: how long a regular expression may take for some texts at once, before it is given up with
    InvalidInputError; None: the default.
    """
    if not query.text:
        raise InvalidInputError("an empty text is everywhere", hint="say what to look for: cellar search TEXT")
    if len(query.text) > LONGEST_QUERY:
        raise InvalidInputError(f"a text of {len(query.text):,} characters is too long to look for")
    flags = int(re.IGNORECASE) if query.ignores_case else 0
    if query.is_regex:
        pattern = rf"(?<!\w)(?:{query.text})(?!\w)" if query.is_word else query.text
        return _RegexMatcher(RegexProcess(pattern, flags, limit_s=limit_s))
    escaped = re.escape(query.text)
    return _LiteralMatcher(query, re.compile(rf"(?<!\w){escaped}(?!\w)" if query.is_word else escaped, flags))


class _LiteralMatcher:
    def __init__(self, query: Query, pattern: re.Pattern[str]) -> None:
        self._text = query.text
        self._pattern = pattern
        self._folds = query.ignores_case
        self._lowered = query.text.lower() if query.text.isascii() else ""

    def match(self, texts: Iterable[tuple[_K, str]]) -> Iterator[tuple[_K, Lines]]:
        for key, text in texts:
            if self._may_match(text):
                found = self._lines(text)
                if found is not None:
                    yield key, found

    def close(self) -> None:
        pass

    def _may_match(self, text: str) -> bool:
        if not self._folds:
            return self._text in text
        # Outside of ASCII there are letters whose small form is longer, or is ASCII: the pattern knows them.
        if self._lowered and text.isascii():
            return self._lowered in text.lower()
        return True

    def _lines(self, text: str) -> Lines | None:
        if "\n" in self._text:
            return self._over_lines(text)
        spans = {}
        for number, line in enumerate(text.split("\n"), 1):
            found = [match.span() for match in self._pattern.finditer(line)]
            if found:
                spans[number] = found
        return lines_of(text, spans) if spans else None

    def _over_lines(self, text: str) -> Lines | None:
        """Return where a text of several lines begins."""
        spans: dict[int, list[Span]] = {}
        for match in self._pattern.finditer(text):
            start = match.start() - (text.rfind("\n", 0, match.start()) + 1)
            number = text.count("\n", 0, match.start()) + 1
            spans.setdefault(number, []).append((start, start + match[0].index("\n")))
        return lines_of(text, spans) if spans else None


class _RegexMatcher:
    _BATCH_CHARS = 1 << 18

    def __init__(self, process: RegexProcess) -> None:
        self._process = process

    def match(self, texts: Iterable[tuple[_K, str]]) -> Iterator[tuple[_K, Lines]]:
        batch: list[tuple[_K, str]] = []
        size = 0
        for key, text in texts:
            batch.append((key, text))
            size += len(text) + 1
            if size >= self._BATCH_CHARS:
                yield from self._ask(batch)
                batch, size = [], 0
        yield from self._ask(batch)

    def close(self) -> None:
        self._process.close()

    def _ask(self, batch: list[tuple[_K, str]]) -> Iterator[tuple[_K, Lines]]:
        if batch:
            answers = self._process.find([text for _, text in batch])
            for (key, text), spans in zip(batch, answers, strict=True):
                if spans:
                    yield key, lines_of(text, spans)


def lines_of(text: str, spans: dict[int, list[Span]]) -> Lines:
    """Return the lines with these numbers; what is too long is cut to the surroundings of its first match."""
    split = text.split("\n")
    chosen = sorted(spans)[:MOST_LINES]
    lines = tuple(_cut(number, split[number - 1].removesuffix("\r"), spans[number]) for number in chosen)
    return Lines(lines, len(spans) - len(chosen))


def _cut(number: int, text: str, spans: list[Span]) -> Line:
    if len(text) <= _LONGEST_LINE:
        return Line(number, text, tuple((min(a, len(text)), min(b, len(text))) for a, b in spans))
    start = max(spans[0][0] - _AROUND, 0)
    part = text[start : start + _LONGEST_LINE]
    inside = [(a - start, min(b - start, len(part))) for a, b in spans if a - start < len(part)]
    before, after = "…" if start else "", "…" if start + len(part) < len(text) else ""
    return Line(number, before + part + after, tuple((a + len(before), b + len(before)) for a, b in inside))


__all__ = ["MOST_LINES", "Line", "Lines", "Matcher", "Query", "make_matcher"]
