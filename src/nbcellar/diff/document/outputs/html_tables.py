"""Tables in HTML: found among the pieces of a page, their cells laid out in a grid.

Invariant: no grid has more than `MOST_CELLS` cells, whatever spans it claims: a table beyond is left where it is.
Reads what pandas writes (headers of several levels, indexes of several levels by spans, a Styler's captions).
"""

from __future__ import annotations

import msgspec

from nbcellar.diff.document.outputs.markup import Piece, attributes, plain

MOST_CELLS = 500_000
_MOST_SPAN = 10_000


class Row(msgspec.Struct):
    """Cells of one row; `heading` counts the cells at its beginning that are headings."""

    cells: list[str]
    heading: int = 0
    headings: int = 0
    in_head: bool = False


class Table(msgspec.Struct):
    """Rows of a table's body, each with as many cells as there are columns.

    columns: a label for each column, levels joined; labels: how many columns at the left are labels of rows.
    """

    caption: str
    columns: list[str]
    labels: int
    rows: list[list[str]]


class Page(msgspec.Struct):
    """Tables, and the pieces around them; `<table>` without attributes stands where a table was."""

    tables: list[Table]
    rest: list[Piece]


def read_page(found: list[Piece]) -> Page:
    """Take the tables out of a page."""
    page = Page([], [])
    at = 0
    while at < len(found):
        if found[at].tag != "table":
            page.rest.append(found[at])
            at += 1
            continue
        end = _end_of_table(found, at)
        table = _read_table(found[at + 1 : end])
        if table is None:
            page.rest += found[at:end]
        else:
            page.tables.append(table)
            page.rest.append(Piece("table", ""))
        at = end
    return page


def _end_of_table(found: list[Piece], begin: int) -> int:
    depth = 0
    for place in range(begin, len(found)):
        tag = found[place].tag
        if tag == "table":
            depth += 1
        elif tag == "/table":
            depth -= 1
            if not depth:
                return place + 1
    return len(found)


class _Grid:
    """Lays out cells, those that span rows and columns repeated."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.pending: dict[int, tuple[int, str, bool]] = {}  # by column: rows still to fill, with what, a heading
        self.count = 0

    def add(self, cells: list[tuple[str, bool, int, int]], *, in_head: bool) -> bool:
        """Add a row of (text, heading, colspan, rowspan); return false where the table is too large."""
        row: list[str] = []
        marks: list[bool] = []

        def carry() -> None:
            while self.pending and len(row) in self.pending:
                column = len(row)
                left, text, heading = self.pending[column]
                row.append(text)
                marks.append(heading)
                if left > 1:
                    self.pending[column] = (left - 1, text, heading)
                else:
                    del self.pending[column]

        for text, heading, across, down in cells:
            carry()
            if self.count + len(row) + across > MOST_CELLS:
                return False
            for _ in range(across):
                if down > 1:
                    self.pending[len(row)] = (down - 1, text, heading)
                row.append(text)
                marks.append(heading)
        carry()
        self.count += len(row)
        first = next((place for place, heading in enumerate(marks) if not heading), len(marks))
        self.rows.append(Row(row, first, sum(marks), in_head))
        return self.count <= MOST_CELLS


def _read_table(found: list[Piece]) -> Table | None:
    """Return a table; None for one without rows, one inside which are others, and one that is too large."""
    grid = _Grid()
    caption: list[str] = []
    texts: list[str] | None = None
    cells: list[tuple[str, bool, int, int]] = []
    shape = (False, 1, 1)
    in_row = in_head = False

    def close_cell() -> None:
        nonlocal texts
        if texts is not None:
            cells.append((plain("".join(texts)), *shape))
            texts = None

    for piece in found:
        tag = piece.tag
        if not tag:
            if texts is not None:
                texts.append(piece.text)
            elif piece.text.strip():
                return None  # a text between cells: a browser moves it out of the table
        elif tag in ("td", "th"):
            close_cell()
            texts, in_row = [], True
            shape = (tag == "th", *_spans(piece.text))
        elif tag in ("/td", "/th"):
            close_cell()
        elif tag in ("tr", "/tr", "thead", "tbody", "tfoot", "/thead", "/tbody", "/tfoot", "/table"):
            close_cell()
            if in_row and not grid.add(cells, in_head=in_head):
                return None
            cells, in_row = [], tag == "tr"
            if tag.removeprefix("/") != "tr":
                in_head = tag == "thead"
                grid.pending.clear()
        elif tag == "caption":
            texts = []
        elif tag == "/caption":
            caption, texts = texts or [], None
        elif tag in ("br", "p", "div", "/p", "/div", "li"):
            if texts is not None:
                texts.append(" ")
        elif tag == "table" or tag in (
            "img",
            "svg",
            "input",
            "button",
            "select",
            "#script",
            "script",
            "video",
            "canvas",
        ):
            return None  # more than text is in its cells
    close_cell()
    if in_row and not grid.add(cells, in_head=in_head):
        return None
    return _table(plain("".join(caption)), grid.rows)


def _spans(text: str) -> tuple[int, int]:
    if "span" not in text.lower():
        return 1, 1
    found = attributes(text)
    return _span(found.get("colspan", "")), _span(found.get("rowspan", ""))


def _span(text: str) -> int:
    text = text.strip()
    return min(max(int(text), 1), _MOST_SPAN) if text.isascii() and text.isdigit() and len(text) < 8 else 1


def _table(caption: str, rows: list[Row]) -> Table | None:
    head = [row for row in rows if row.in_head]
    body = [row for row in rows if not row.in_head]
    if not head and body and len(body) > 1 and body[0].headings == len(body[0].cells):
        head, body = body[:1], body[1:]
    width = max((len(row.cells) for row in rows), default=0)
    if not width or width * len(rows) > MOST_CELLS:
        return None
    labels = min((row.heading for row in body), default=0)
    names = [_label([row.cells[column] if column < len(row.cells) else "" for row in head]) for column in range(width)]
    padded = [row.cells if len(row.cells) == width else row.cells + [""] * (width - len(row.cells)) for row in body]
    return Table(caption, names, min(labels, width), padded)


def _label(levels: list[str]) -> str:
    return " / ".join(level for place, level in enumerate(levels) if level and level not in levels[:place])


__all__ = ["MOST_CELLS", "Page", "Row", "Table", "read_page"]
