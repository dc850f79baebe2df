"""Nothing that a person saw is missed, and nothing is found that is not there."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.errors import InvalidInputError
from nbcellar.history.model import CellError, CellRun, CommitKind
from nbcellar.history.repository import Repository
from nbcellar.search.find import Found, find
from nbcellar.search.query import Query, make_matcher
from nbcellar.search.texts import outputs_texts, without_tags

from .conftest import Past, bundle, document, make_past, stream


def search(past: Past, text: str, limit_s: float | None = None, **options: Any) -> Found:
    """Return what is found; options of a query and of `find` together."""
    asked = {name: options.pop(name) for name in ("ignore_case", "is_regex", "is_word") if name in options}
    matcher = make_matcher(Query(text, **asked), limit_s=limit_s)
    try:
        return find(past.repo, [past.notebook], matcher, **options)
    finally:
        matcher.close()


def places(found: Found) -> list[tuple[str, int, str]]:
    """Return (where, line number, line) of every match."""
    return [(m.where, line.number, line.text) for c in found.commits for m in c.matches for line in m.lines.lines]


def test_a_text_is_found_in_code_outputs_messages_previews_and_documents(past: Past) -> None:
    past.cell(
        "a = 1\nneedle = 2",
        outputs=[stream("first\nthe needle\n"), bundle(text_html="<b>nee</b>dle", text_plain="a needle")],
        put={"x": "a needle in hay"},
        file=document("draft of needle", outputs=[stream("old needle\n")]),
    )
    past.cell(cell=None, kind=CommitKind.NAMED, message="found the needle\n\nreally")
    assert sorted(places(search(past, "needle"))) == [
        ("code", 2, "needle = 2"),
        ("document", 1, "draft of needle"),
        ("message", 1, "found the needle"),
        ("output", 1, "a needle"),
        ("output", 1, "old needle"),
        ("output", 2, "the needle"),
        ("variable", 1, "a needle in hay"),
    ]


def test_the_same_text_of_many_runs_is_one_match_that_names_the_first_and_stands_at_the_last(past: Past) -> None:
    first = past.cell("needle()")
    past.cell("other()")
    past.cell("needle()")
    last = past.cell("needle()")
    (commit,) = search(past, "needle").commits
    (match,) = commit.matches
    assert (commit.summary.id, match.commits, match.first) == (last, 3, first)


def test_a_cell_of_the_document_that_ran_as_it_stands_there_is_not_shown_twice(past: Past) -> None:
    past.cell("needle()", file=document("needle()", "another needle"))
    assert places(search(past, "needle")) == [("code", 1, "needle()"), ("document", 1, "another needle")]


def test_an_output_of_a_run_is_not_found_again_in_the_documents_after_it(past: Past) -> None:
    ran = past.cell("show()", outputs=[stream("a needle\n")])
    past.cell("more()", file=document("show()", outputs=[stream("a needle\n"), stream("old needle\n")]))
    found = search(past, "needle")
    assert {match.lines.lines[0].text: commit.summary.id for commit in found.commits for match in commit.matches} == {
        "a needle": ran,
        "old needle": past.head,
    }


def test_other_branches_are_counted_and_searched_when_asked(past: Past) -> None:
    start = past.cell("start")
    past.cell("needle on main")
    past.cell("aside", parent=start)
    found = search(past, "needle")
    assert (found.commits, found.elsewhere) == ((), 1)
    assert places(search(past, "needle", all_commits=True)) == [("code", 1, "needle on main")]


def test_small_letters_find_capitals_and_capitals_only_themselves(past: Past) -> None:
    past.cell("Needle\nneedle")
    assert len(places(search(past, "needle"))) == 2
    assert len(places(search(past, "Needle"))) == 1
    assert len(places(search(past, "NEEDLE", ignore_case=True))) == 2
    assert len(places(search(past, "needle", ignore_case=False))) == 1


def test_whole_words_and_expressions(past: Past) -> None:
    past.cell("df = 1\ndf2 = 2\nx = df")
    assert [number for _, number, _ in places(search(past, "df", is_word=True))] == [1, 3]
    assert [number for _, number, _ in places(search(past, r"^df\d? =", is_regex=True))] == [1, 2]
    assert [number for _, number, _ in places(search(past, r"df|x", is_regex=True, is_word=True))] == [1, 3]


def test_a_text_of_several_lines_is_found_where_it_begins(past: Past) -> None:
    past.cell("a\nfor x in y:\n    pass\nb")
    assert places(search(past, "y:\n    pass")) == [("code", 2, "for x in y:")]


def test_colours_and_tags_do_not_hide_a_text(past: Past) -> None:
    past.cell(outputs=[stream("nee\x1b[31mdle\x1b[0m"), bundle(text_html="a&nbsp;<td>needle</td><script>no</script>")])
    assert [text for _, _, text in places(search(past, "needle"))] == ["needle", "a\xa0 needle  "]
    assert places(search(past, "no</script>")) == []


def test_an_error_is_found_even_where_outputs_are_not_recorded(past: Past) -> None:
    past.cell(cell=CellRun("c", "1/0", 1, error=CellError("ZeroDivisionError", "division by needle", 1)))
    assert places(search(past, "needle")) == [("output", 1, "ZeroDivisionError: division by needle")]


def test_the_newest_message_counts(past: Past) -> None:
    commit = past.cell(cell=None, kind=CommitKind.NAMED, message="needle")
    past.repo.set_message(past.notebook, commit, "thread")
    assert places(search(past, "needle")) == []
    assert places(search(past, "thread")) == [("message", 1, "thread")]


def test_an_expression_that_takes_for_ever_is_given_up(past: Past) -> None:
    past.cell("a" * 64 + "!")
    with pytest.raises(InvalidInputError, match="takes too long"):
        search(past, "(a+)+$", limit_s=0.5, is_regex=True)


@pytest.mark.parametrize("pattern", ["(", "a{2,1}", "[z-a]", "(?P<x>)(?P<x>)", "\\", "(?<=a+)b"])
def test_what_is_no_expression_is_refused(past: Past, pattern: str) -> None:
    with pytest.raises(InvalidInputError, match="no regular expression"):
        search(past, pattern, is_regex=True)


def test_one_damaged_object_is_named_and_the_rest_is_searched(local: Past) -> None:
    local.cell("needle one", outputs=[stream("needle in an output")])
    local.cell("needle two")
    local.repo.close()
    with sqlite3.connect(local.repo.root / ".cellar" / "meta.db") as db:
        db.execute("UPDATE objects SET data = ? WHERE kind = 6", (b"[]",))
    db.close()
    with Repository.open(local.repo.root) as repo:
        local.repo = repo
        found = search(local, "needle")
    assert [text for _, _, text in places(found)] == ["needle two", "needle one"]
    assert len(found.damaged) == 1


def test_a_history_that_cannot_be_written_is_searched_and_stays_as_it_was(local: Past) -> None:
    local.cell("needle")
    local.repo.close()
    before = {path: path.read_bytes() for path in local.repo.root.rglob("*") if path.is_file()}
    with Repository.open(local.repo.root, read_only=True) as repo:
        local.repo = repo
        assert places(search(local, "needle")) == [("code", 1, "needle")]
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"[1, null, []]",
        b'[{"output_type": "stream"}]',
        b'[{"data": 3}]',
        b"\xff\xfe",
        b"[" * 100_000,
        b'[{"output_type": "error", "ename": [1], "evalue": null, "traceback": {}}]',
        b'[{"data": {"text/html": {}}}]',
    ],
)
def test_outputs_that_are_none_give_texts_or_none(payload: bytes) -> None:
    assert isinstance(outputs_texts(payload), list)


def test_tags_that_never_end_are_taken_out_in_linear_time() -> None:
    assert without_tags("<" * 200_000) == "<" * 200_000
    assert without_tags("<script>" * 2000).strip() == ""


WORDS = st.text(st.sampled_from("ab Kk\u212a\u0130\u00df\u017fsS\n(.*"), max_size=12)
NEEDLES = st.text(st.sampled_from("ab Kk\u212a\u00df\u017fsS(.*"), min_size=1, max_size=3)


def holds(text: str, query: Query) -> bool:
    """Say whether some line holds what is looked for, in the plainest way."""
    pattern = re.escape(query.text)
    if query.is_word:
        pattern = rf"(?<!\w){pattern}(?!\w)"
    flags = re.IGNORECASE if query.ignores_case else 0
    return any(re.search(pattern, line, flags) for line in text.split("\n"))


@given(
    st.lists(st.tuples(WORDS, WORDS, WORDS, st.booleans()), min_size=1, max_size=5),
    NEEDLES,
    st.sampled_from([None, True, False]),
    st.booleans(),
)
def test_what_is_found_is_what_looking_at_every_text_finds(
    cells: list[tuple[str, str, str, bool]], needle: str, ignore_case: bool | None, is_word: bool
) -> None:
    with make_past() as made:
        past = made.past
        seen = {("code", "start")}
        first = past.cell("start")
        for source, output, preview, aside in cells:
            past.cell(
                source,
                outputs=[stream(output)],
                put={"v": preview},
                file=document("not run: " + source),
                parent=first if aside else None,
            )
            seen |= {("code", source), ("output", output), ("variable", preview), ("document", "not run: " + source)}
        query = Query(needle, ignore_case, is_word=is_word)
        found = search(past, needle, ignore_case=ignore_case, is_word=is_word, all_commits=True)
        inside = search(past, needle, ignore_case=ignore_case, is_word=is_word)
        matched = {(where, text) for where, text in seen if holds(text, query)}
        # Previews are the text and the type, `str`.
        matched |= {("variable", text) for where, text in seen if where == "variable" and holds("str", query)}
        assert sum(len(c.matches) for c in found.commits) == len(matched)
        wanted = sorted((w, line) for w, t in matched for line in t.split("\n") if holds(line, query))
        assert sorted((w, line) for w, _, line in places(found) if line != "str") == wanted or holds("str", query)
        assert sum(len(c.matches) for c in inside.commits) + inside.elsewhere == len(matched)


@given(st.lists(WORDS, max_size=4), NEEDLES)
def test_an_expression_of_plain_letters_finds_what_the_text_finds(texts: list[str], needle: str) -> None:
    plain = make_matcher(Query(needle))
    as_regex = make_matcher(Query(re.escape(needle), ignore_case=Query(needle).ignores_case, is_regex=True))
    try:
        assert list(plain.match(enumerate(texts))) == list(as_regex.match(enumerate(texts)))
    finally:
        as_regex.close()
