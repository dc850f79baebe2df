"""Comparing texts that a cell printed or showed: by line and word, once noise and tolerated numbers are set aside.

Invariant: every line that differs in more than noise is in the result's counts. Lines that correspond but for noise are
shown as they are after.
"""

from __future__ import annotations

from typing import Any

from nbcellar.diff.align import Step, align
from nbcellar.diff.document.outputs import noise
from nbcellar.diff.document.outputs.figures import Figures, count, largest_in_words, skeleton
from nbcellar.diff.document.outputs.model import MimeChange, OutputSettings
from nbcellar.diff.document.outputs.terminal import last_state, without_colours, writable
from nbcellar.diff.model import Changed, TextChange
from nbcellar.diff.texts import compare_texts

_MOST_LINES = 1000  # that a result lists
_LONGEST_LINE = 20_000  # characters in which numbers are looked for
_CODE = frozenset({"application/javascript", "text/javascript", "text/html", "image/svg+xml", "text/latex", "text/css"})


def compare_text(mime: str, before: Any, after: Any, settings: OutputSettings) -> MimeChange | None:
    """Return what differs between two texts, None if nothing does. Values that are no texts are compared as JSON."""
    if not isinstance(before, str) or not isinstance(after, str):
        from nbcellar.diff.document.outputs.structure import compare_structure

        return compare_structure(mime, before, after, settings)
    if before == after:
        return None
    old, new = last_state(writable(before)), last_state(writable(after))
    if old == new:
        if not any(mark in text for mark in "\x1b\r\x08" for text in (before, after)):
            return _noise(mime, [noise.FORM])
        plain = without_colours(before), without_colours(after)
        return _noise(mime, [noise.COLOURS if plain[0] == plain[1] else noise.PROGRESS])
    if mime == "image/svg+xml":
        old, new = noise.Ids().mask(noise.mask_dates(old)), noise.Ids().mask(noise.mask_dates(new))
        if old == new:
            return _noise(mime, [noise.IDS if noise.mask_dates(before) != noise.mask_dates(after) else noise.TIMES])
    return compare_lines(mime, old, new, settings)


def text_alone(mime: str, value: str, *, is_new: bool) -> MimeChange:
    """Return a text that came or went, by its lines."""
    text = last_state(writable(value))
    detail = _compared("" if is_new else text, text if is_new else "", code=mime in _CODE)
    told = count(detail.added + detail.removed, "line")
    return MimeChange(mime=mime, change="added" if is_new else "removed", note=told, detail=detail)


def compare_lines(mime: str, old: str, new: str, settings: OutputSettings) -> MimeChange:
    """Return what differs between two different texts without control characters."""
    masked, found = noise.mask(old)
    masked_new, found_new = noise.mask(new)
    names = noise.differing(found, found_new)
    if masked == masked_new:
        return _noise(mime, names)
    ours, theirs = masked.splitlines(), masked_new.splitlines()
    if ours == theirs:
        return _noise(mime, [*names, noise.LINE_ENDS])
    figures = Figures(settings)
    steps = align(ours, theirs)
    left, quiet, aligned = _without_tolerated(ours, theirs, steps, figures)
    numbers = figures.result()
    names += figures.noise() + [noise.ALIGNMENT] * aligned
    if not left:
        return _noise(mime, names, numbers)
    detail = _shown((old, new), (ours, theirs), steps, quiet, code=mime in _CODE)
    return MimeChange(mime=mime, note=_summary(detail, numbers), noise=names, detail=detail, numbers=numbers)


def _noise(mime: str, names: list[str], numbers: Changed | None = None) -> MimeChange:
    summary = noise.only(names)
    if numbers is not None:
        summary += f": {count(numbers.compared, 'number')} compared, different {largest_in_words(numbers)}".rstrip()
    return MimeChange(mime=mime, note=summary, only_noise=True, noise=names, numbers=numbers)


def _without_tolerated(
    ours: list[str], theirs: list[str], steps: list[Step], figures: Figures
) -> tuple[list[Step], list[tuple[int, int]], bool]:
    """Compare numbers of lines that are else the same.

    Return the steps that remain, pairs of lines that are fine, and whether some of these differ in blanks: beside a
    number that changed they only keep columns in line.
    """
    compared: list[tuple[Step, bool, list[tuple[int, int]], list[tuple[int, int]]]] = []
    for step in steps:
        a, b = ours[step.a_start : step.a_stop], theirs[step.b_start : step.b_stop]
        one, other = [_skeleton(line) for line in a], [_skeleton(line) for line in b]
        pairs = _paired([text for text, _ in one], [text for text, _ in other])
        real = len(a) != len(pairs) or len(b) != len(pairs)
        fine, blanks = [], []
        for i, j in pairs:
            pair = (step.a_start + i, step.b_start + j)
            if one[i][1] == other[j][1]:
                blanks.append(pair)
            elif figures.same(one[i][1], other[j][1], f"line {pair[1] + 1}"):
                fine.append(pair)
            else:
                real = True
        compared.append((step, real, fine, blanks))
    aligned = bool(figures.changed or figures.noise())
    left = [step for step, real, _, blanks in compared if real or (blanks and not aligned)]
    quiet = [pair for _, _, fine, blanks in compared for pair in (fine + blanks if aligned else fine)]
    return left, quiet, aligned and any(blanks for _, _, _, blanks in compared)


def _skeleton(line: str) -> tuple[str, list[str]]:
    return skeleton(line) if len(line) <= _LONGEST_LINE else (line, [])


def _paired(one: list[str], other: list[str]) -> list[tuple[int, int]]:
    """Return the places of equal texts, rising on both sides."""
    if one == other:
        return [(place, place) for place in range(len(one))]
    pairs, x, y = [], 0, 0
    for step in [*align(one, other), Step(len(one), len(one), len(other), len(other))]:
        pairs += list(zip(range(x, step.a_start), range(y, step.b_start), strict=True))
        x, y = step.a_stop, step.b_stop
    return pairs


def _shown(
    texts: tuple[str, str],
    masked: tuple[list[str], list[str]],
    steps: list[Step],
    quiet: list[tuple[int, int]],
    *,
    code: bool,
) -> TextChange:
    """Return the lines that differ in more than noise; others are given the text after, so that they are equal."""
    lines, new_lines = (text.splitlines() for text in texts)
    if len(lines) == len(masked[0]) and len(new_lines) == len(masked[1]):
        x = y = 0
        for step in [*steps, Step(len(lines), len(lines), len(new_lines), len(new_lines))]:
            lines[x : step.a_start] = new_lines[y : step.b_start]
            x, y = step.a_stop, step.b_stop
        for i, j in quiet:
            lines[i] = new_lines[j]
    return _compared("\n".join(lines), "\n".join(new_lines), code=code)


def _compared(old: str, new: str, *, code: bool) -> TextChange:
    return compare_texts(old, new, code=code, most=_MOST_LINES)


def _summary(detail: TextChange, numbers: Changed | None) -> str:
    if detail.added == detail.removed:
        told = f"{count(detail.added, 'line')} changed"
    else:
        told = f"+{detail.added:,} -{detail.removed:,} lines"
    if numbers is None or not numbers.changed:
        return told
    return f"{told}, {count(numbers.changed, 'number')} {largest_in_words(numbers)}".rstrip()


__all__ = ["compare_lines", "compare_text", "text_alone"]
