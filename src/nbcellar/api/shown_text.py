"""Text with the colours of a terminal as spans: data for a view, never markup.

Invariant: the spans' texts one after the other are what a reader sees; takes a time linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from nbcellar.diff.document.outputs.terminal import last_state, without_colours, writable

_CODE = re.compile(r"\x1b\[([0-9;:]*)m")
_OVERWRITES = re.compile(r"\r(?!\n)|\x08|\x1b\[\d{0,4}[ABFGK]")
_MOST_SPANS = 5_000
_STEPS = (0, 95, 135, 175, 215, 255)


class Span(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A piece of text. `ink`, `paper`: "0" to "15" for a colour of the terminal's palette, "#rrggbb", or ""."""

    text: str
    ink: str = ""
    paper: str = ""
    bold: bool = False
    italic: bool = False
    underline: bool = False


def spans(text: str, most: int) -> tuple[list[Span], bool]:
    """Return the text in spans, and whether it was cut after `most` characters."""
    cut = len(text) > most
    text = writable(text[:most])
    if "\x1b" not in text or _OVERWRITES.search(text):
        shown = last_state(text)
        return [Span(text=shown)] if shown else [], cut
    found: list[Span] = []
    for span in _parse(text):
        if len(found) == _MOST_SPANS:
            return found, True
        found.append(span)
    return found, cut


def _parse(text: str) -> Iterator[Span]:
    style = Span(text="")
    at = 0
    for code in _CODE.finditer(text):
        piece = without_colours(text[at : code.start()])
        if piece:
            yield msgspec.structs.replace(style, text=piece)
        style, at = _styled(style, code.group(1)), code.end()
    piece = without_colours(text[at:])
    if piece:
        yield msgspec.structs.replace(style, text=piece)


def _styled(style: Span, codes: str) -> Span:
    values = [int(code) if code and len(code) < 4 else 0 for code in re.split("[;:]", codes)]
    rest = iter(values)
    for value in rest:
        if value == 0:
            style = Span(text="")
        elif value in (1, 3, 4):
            name = {1: "bold", 3: "italic", 4: "underline"}[value]
            style = msgspec.structs.replace(style, **{name: True})
        elif value in (22, 23, 24):
            name = {22: "bold", 23: "italic", 24: "underline"}[value]
            style = msgspec.structs.replace(style, **{name: False})
        elif value in (38, 48):
            colour = _extended(rest)
            style = msgspec.structs.replace(style, **{"ink" if value == 38 else "paper": colour})
        elif value in (39, 49):
            style = msgspec.structs.replace(style, **{"ink" if value == 39 else "paper": ""})
        else:
            for base, name, bright in ((30, "ink", 0), (40, "paper", 0), (90, "ink", 8), (100, "paper", 8)):
                if base <= value < base + 8:
                    style = msgspec.structs.replace(style, **{name: str(value - base + bright)})
    return style


def _extended(rest: Iterator[int]) -> str:
    """Return the colour after 38 or 48: one of 256, or red, green and blue."""
    form = next(rest, 0)
    if form == 2:
        return _rgb(*(next(rest, 0) for _ in range(3)))
    if form != 5:
        return ""
    number = next(rest, 0)
    if number < 16:
        return str(number)
    if number < 232:
        number -= 16
        return _rgb(_STEPS[number // 36 % 6], _STEPS[number // 6 % 6], _STEPS[number % 6])
    grey = 8 + 10 * (number - 232)
    return _rgb(grey, grey, grey)


def _rgb(red: int, green: int, blue: int) -> str:
    return f"#{min(red, 255):02x}{min(green, 255):02x}{min(blue, 255):02x}"


__all__ = ["Span", "spans"]
