"""HTML of outputs: tables by row and cell, as pandas writes them; what is around them by line."""

from __future__ import annotations

import pandas as pd
import pytest

from nbcellar.diff.document.outputs.html_tables import read_page
from nbcellar.diff.document.outputs.markup import pieces
from nbcellar.diff.document.outputs.model import HtmlChange, MimeChange, OutputSettings, TableChange
from nbcellar.diff.document.outputs.registry import compare_mime

FRAME = pd.DataFrame({"name": ["a", "b", "c"], "size": [1, 2, 3], "share": [0.1, 0.25, 0.5]})
UUIDS = "3f2a1b3c-1111-4222-8333-444455556666", "3f2a1b3c-1111-4222-8333-444455556667"
STYLED = '<style>#T_{0}_row0_col1 {{color: red}}</style><table id="T_{0}"><thead><tr><th>&nbsp;</th><th id="T_{0}_level0_col0">a</th></tr></thead><tbody><tr><th id="T_{0}_level0_row0">0</th><td id="T_{0}_row0_col0">{1}</td></tr></tbody></table>'  # noqa: E501


def compare(before: str, after: str, settings: OutputSettings | None = None) -> MimeChange:
    return compare_mime("text/html", before, after, settings)


def html(frame: pd.DataFrame) -> str:
    return str(frame._repr_html_())  # type: ignore[operator]


def table(change: MimeChange) -> TableChange:
    assert isinstance(change.detail, HtmlChange)
    (found,) = change.detail.tables
    return found


def drawn(change: MimeChange) -> list[str]:
    return [f"{row.mark}{' '.join(row.cells)}" if row.cells else f"{row.mark}{row.label}" for row in table(change).rows]


def test_a_cell_is_told_by_row_and_column() -> None:
    changed = FRAME.copy()
    changed.loc[1, "size"] = 5
    change = compare(html(FRAME), html(changed))
    assert change.note == "table: 1 cell changed; 1 number by 3 (2 -> 5)"
    found = table(change)
    assert found.header == ["", "name", "size", "share"]
    assert drawn(change) == [" 0 a 1 0.10", "~1 b 5 0.25", " 2 c 3 0.50"]
    assert found.rows[1].before == {2: "2"}
    assert found.frame is not None
    (column,) = found.frame.columns
    assert column.name == "size" and column.cells is not None
    assert (column.cells.changed, column.cells.largest, column.cells.largest_at) == (1, 3.0, "1")


def test_digits_that_a_neighbour_needs_are_no_change() -> None:
    changed = FRAME.copy()
    changed.loc[1, "share"] = 0.2525
    change = compare(html(FRAME), html(changed))
    assert table(change).cells_changed == 1
    assert change.noise == ["digits shown of equal numbers"]


def test_a_row_that_is_gone_is_one_row_though_the_others_are_numbered_anew() -> None:
    change = compare(html(FRAME), html(FRAME.drop(index=1).reset_index(drop=True)))
    frame = table(change).frame
    assert frame is not None and (frame.rows_dropped, frame.rows_added, frame.rows_by) == (1, 0, "content")
    assert drawn(change)[1] == "-1 b 2 0.25"
    assert change.note.startswith("table: +0 -1 rows")


def test_rows_with_labels_are_told_by_them_wherever_they_stand() -> None:
    labelled = FRAME.set_index("name")
    change = compare(html(labelled), html(labelled.iloc[::-1]))
    assert change.note == "table: rows in another order"
    come = compare(html(labelled.drop(index="b")), html(labelled))
    frame = table(come).frame
    assert frame is not None and frame.added_labels == ["b"] and table(come).cells_changed == 0


def test_columns_come_and_go_by_name() -> None:
    change = compare(html(FRAME), html(FRAME.drop(columns="size").assign(new=1)))
    frame = table(change).frame
    assert frame is not None
    assert [(column.name, column.change) for column in frame.columns] == [("new", "added"), ("size", "removed")]
    assert table(change).cells_changed == 0


def test_indexes_and_headings_of_several_levels_are_read() -> None:
    columns = pd.MultiIndex.from_product([["x", "y"], ["u", "v"]])
    frame = pd.DataFrame([[1, 2, 3, 4], [5, 6, 7, 8]], pd.MultiIndex.from_tuples([("k", 1), ("k", 2)]), columns)
    changed = frame.copy()
    changed.iloc[1, 2] = 70
    change = compare(html(frame), html(changed))
    (row,) = [row for row in table(change).rows if row.mark == "~"]
    assert row.label == "k, 2"
    assert table(change).header[2:] == ["x / u", "x / v", "y / u", "y / v"]
    assert row.before == {4: "7"}


def test_a_styler_is_compared_without_its_generated_ids() -> None:
    assert compare(STYLED.format("1a2b3", 1), STYLED.format("4c5d6", 1)).noise == ["generated ids"]
    change = compare(STYLED.format("1a2b3", 1.5), STYLED.format("4c5d6", 2.5))
    assert change.note == "table: 1 cell changed; 1 number by 1 (1.5 -> 2.5)"
    colour = compare(STYLED.format("1a2b3", 1), STYLED.format("4c5d6", 1).replace("red", "blue"))
    assert not colour.only_noise and isinstance(colour.detail, HtmlChange) and colour.detail.text is not None


def test_cells_within_the_tolerance_are_noise() -> None:
    change = compare(html(FRAME), html(FRAME.assign(share=FRAME["share"] * 1.0001)), OutputSettings(relative=1e-2))
    assert change.only_noise


def test_what_is_around_tables_is_compared_by_line() -> None:
    page = "<div><h1>{}</h1><table><tr><td>1</td></tr></table><p>a <b>b</b></div>"
    change = compare(page.format("one"), page.format("two"))
    assert isinstance(change.detail, HtmlChange) and change.detail.text is not None and not change.detail.tables
    assert [line.text.strip() for line in change.detail.text.lines if line.mark != " "][:2] == ["one", "two"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<table><tr><td class=a>1</table>", "<table><tr><td class=b>1</table>"),
        ("<table><tr><td><b>1</b></table>", "<table><tr><td><i>1</i></table>"),
        ("<table><caption>a</caption><tr><td>1</table>", "<table><caption>b</caption><tr><td>1</table>"),
        (f"<p>{UUIDS[0]}", f"<p>{UUIDS[1]}"),
        ("<table><tr><td>1</table>", "<table><tr><td>1</table><table><tr><td>2</table>"),
        ("<table><tr><td><img src=a></table>", "<table><tr><td><img src=b></table>"),
        ("<table><tr><td>1<table><tr><td>2</table></table>", "<table><tr><td>1<table><tr><td>3</table></table>"),
        ("<table>x<tr><td>1</table>", "<table>y<tr><td>1</table>"),
        ("<script>f(1)</script>", "<script>f(2)</script>"),
    ],
)
def test_what_shows_or_may_show_is_a_change(before: str, after: str) -> None:
    assert not compare(before, after).only_noise


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        (f"<div id='{UUIDS[0]}'>", f"<div id='{UUIDS[1]}'>", "generated ids"),
        ("<p>a  b</p>", "<p>a b</p>", "layout of the markup"),
        ("<p>a<!-- b -->", "<p>a<!-- c -->", "layout of the markup"),
        ("<td>&lt;A at 0x7f0000000001&gt;", "<td>&lt;A at 0x7f0000000002&gt;", "memory addresses"),
        ('<div id="sk-container-id-1">', '<div id="sk-container-id-7">', "generated ids"),
    ],
)
def test_noise_is_named(before: str, after: str, name: str) -> None:
    change = compare(before, after)
    assert (change.only_noise, change.noise) == (True, [name])


def test_ids_that_no_longer_fit_together_are_a_change() -> None:
    first, second = UUIDS
    page = "<div id='{}'></div><script>draw('{}')</script>"
    assert compare(page.format(first, first), page.format(second, second)).only_noise
    assert not compare(page.format(first, first), page.format(first, second)).only_noise


def test_spans_are_laid_out() -> None:
    source = "<table><tr><th rowspan=2>a<th colspan=2>b<tr><td>1<td>2<tr><td rowspan=9>3<td>4</table>"
    (found,) = read_page(list(pieces(source))).tables
    assert (found.columns, found.rows) == (["a", "b", "b"], [["a", "1", "2"], ["3", "4", ""]])


def test_a_table_of_too_many_cells_is_left_among_the_lines() -> None:
    source = "<table>" + "<tr>" + "<td colspan=10000>x" * 60 + "</table>"
    page = read_page(list(pieces(source)))
    assert not page.tables and page.rest
    assert not compare(source, source.replace("x", "y", 1)).only_noise
