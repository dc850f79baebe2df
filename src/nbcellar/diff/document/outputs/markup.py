"""Reading HTML into pieces: tags and texts, as much of a browser's reading as comparing outputs needs.

Invariant: takes a time linear in the text, whatever it holds: no place is looked at more than a fixed number of times.
Not for: judging HTML, or making it harmless.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import msgspec

from nbcellar.diff.document.outputs.noise import Ids

_NAME = re.compile(r"/?[a-zA-Z][a-zA-Z0-9:_-]{0,60}")
_ATTRIBUTE = re.compile(r"""([^\s=>"'/]{1,100})(?:\s{0,20}=\s{0,20}("[^"]*"|'[^']*'|[^\s"'>]+))?""")
# Most tags hold no quotes; a text follows.
_QUICK = re.compile(r"<(/?[a-zA-Z][a-zA-Z0-9:_-]{0,60})([^<>\"']{0,400})>([^<]*)")
_BLANKS = re.compile(r"\s+")
_MOST_ATTRIBUTES = 100_000  # characters of one tag in which attributes are told apart
_RAW = ("script", "style", "textarea", "title")  # their content is text up to the closing tag
_CLOSING = {tag: re.compile(f"</{tag}", re.IGNORECASE) for tag in _RAW}
VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "col", "wbr", "source", "area", "base", "embed", "param"})
_INLINE = frozenset(
    "a abbr b bdi cite code em i kbd label mark q s samp small span strong sub sup tt u var font".split()
)
_DEEPEST = 20


class Piece(msgspec.Struct):
    """A tag ("td", "/td"), a text (tag "") or the content of a script or style (tag "#script").

    `text` is what it holds: attributes as they are written, or text.
    """

    tag: str
    text: str


def pieces(source: str) -> Iterator[Piece]:
    """Yield the pieces of HTML in their order; comments are left out."""
    begin, length = source.find("<"), len(source)
    if begin:
        yield Piece("", source if begin < 0 else source[:begin])
    while 0 <= begin < length:
        quick = _QUICK.match(source, begin)
        if quick is not None:
            tag, held = quick.group(1).lower(), quick.group(2)
            yield Piece(tag, held)
            if tag not in _RAW:
                at = quick.end()
                if at > quick.end(2) + 1:
                    yield Piece("", quick.group(3))
                begin = at if at < length else -1
                continue
            at = quick.end(2) + 1
        else:
            piece, at = _odd(source, begin)
            tag = piece.tag if piece is not None else ""
            if piece is not None:
                yield piece
        if tag in _RAW:
            stop = _CLOSING[tag].search(source, at)
            until = stop.start() if stop is not None else length
            if until > at:
                yield Piece(f"#{tag}", source[at:until])
            at = until
        begin = source.find("<", at)
        if begin != at and at < length:
            yield Piece("", source[at:] if begin < 0 else source[at:begin])


def _odd(source: str, begin: int) -> tuple[Piece | None, int]:
    """Return what begins with a "<" that is no plain tag, and where it ends; None for a comment."""
    if source.startswith(("<!", "<?"), begin):
        closing = "-->" if source.startswith("<!--", begin) else ">"
        end = source.find(closing, begin + 2)
        return None, len(source) if end < 0 else end + len(closing)
    name = _NAME.match(source, begin + 1)
    if name is None:
        return Piece("", "<"), begin + 1
    end = _end_of_tag(source, begin)
    if end < 0:  # no ">" follows anywhere
        return Piece("", source[begin:]), len(source)
    return Piece(name.group().lower(), source[name.end() : end]), end + 1


def _end_of_tag(source: str, begin: int) -> int:
    """Return where a tag ends: at a ">" outside quotes, as far as a few tries find one, else at the first."""
    first = end = source.find(">", begin)
    for _ in range(8):
        if end < 0 or end - begin > _MOST_ATTRIBUTES:
            break
        inside = source[begin:end]
        if not (inside.count('"') % 2 or inside.count("'") % 2):
            return end
        if '="' not in inside and "='" not in inside:
            break
        end = source.find(">", end + 1)
    return first


def attributes(text: str) -> dict[str, str]:
    """Return the attributes of a tag, by name in lower case, their values with entities resolved."""
    found: dict[str, str] = {}
    for name, value in _ATTRIBUTE.findall(text[:_MOST_ATTRIBUTES]):
        if value[:1] in ('"', "'"):
            value = value[1:-1]
        found.setdefault(name.lower(), html.unescape(value) if "&" in value else value)
    return found


def plain(text: str) -> str:
    """Return a text as it is read: entities resolved, blanks run together."""
    if "&" in text:
        text = html.unescape(text)
    return _BLANKS.sub(" ", text).strip()


def lines(found: list[Piece], ids: Ids) -> list[str]:
    """Return pieces as indented lines, with generated ids numbered; tags inside a line of text stay in it."""
    written: list[str] = []
    line: list[str] = []
    depth = 0

    def flush() -> None:
        text = _BLANKS.sub(" ", "".join(line)).strip()
        if text:
            written.append("  " * min(depth, _DEEPEST) + text)
        line.clear()

    for piece in found:
        tag = piece.tag
        if not tag:
            line.append(html.unescape(piece.text) if "&" in piece.text else piece.text)
        elif tag[0] == "#":
            flush()
            content = ids.mask(piece.text).splitlines()
            written.extend("  " * min(depth, _DEEPEST) + text.rstrip() for text in content if text.strip())
        elif tag.removeprefix("/") in _INLINE:
            line.append(_tag(piece, ids))
        else:
            flush()
            if tag[0] == "/":
                depth = max(depth - 1, 0)
                continue
            line.append(_tag(piece, ids))
            flush()
            depth += tag not in VOID
    flush()
    return written


def _tag(piece: Piece, ids: Ids) -> str:
    if not piece.text.strip(" /\n\t"):
        return f"<{piece.tag}>"
    written = [f'{name}="{value}"' if value else name for name, value in sorted(attributes(piece.text).items())]
    return ids.mask(f"<{' '.join([piece.tag, *written])}>")


__all__ = ["Piece", "VOID", "attributes", "lines", "pieces", "plain"]
