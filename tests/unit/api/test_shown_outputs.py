"""Outputs in their static form, where they were made to cost a server its time."""

from __future__ import annotations

import pytest

from nbcellar.api.shown_outputs import shown_outputs

_MANY = 20_000


def shown(html: str) -> tuple[str, str]:
    """Return how an output of HTML with a text beside it is shown, and the HTML."""
    data = {"text/html": html, "text/plain": "as text"}
    (found,) = shown_outputs([{"output_type": "display_data", "metadata": {}, "data": data}])
    return found.form, found.data


@pytest.mark.parametrize(
    "piece",
    [
        "<div>",
        "<DIV class='a'>",
        "<b>",
        "<ul><li>",
        "<li><dd>",
        "<div></x>",
        "<div><table></div></table>",
        '<div title="</div>">',
        '<div title="></div>">',
        "<div><!--></div>-->",
        "<div><![CDATA[</div>]]>",
        "<div><textarea></div></textarea>",
    ],
)
def test_elements_that_stand_in_each_other_without_end_are_not_read(piece: str) -> None:
    """Each would take the server minutes."""
    assert shown("before" + piece * _MANY) == ("text", "")


def test_a_quote_that_does_not_end_hides_no_element() -> None:
    assert shown('<div a">' + "<div>" * _MANY + '"') == ("text", "")


@pytest.mark.parametrize(
    "html",
    [
        "<table>" + "<tr><td>1</td><td class='x'>2</td></tr>" * 300 + "</table>",
        "<p>one" * 300,
        "<ul>" + "<li>one" * 300 + "</ul>",
        "<b>x</b><br>" * 300,
        "<div>" * 200 + "deep" + "</div>" * 200,
        "<!-- a -->" + '<div style="color: red" id="a-1">x</div>' * 300,
    ],
)
def test_what_is_long_but_not_deep_is_shown(html: str) -> None:
    assert shown(html)[0] == "html"
