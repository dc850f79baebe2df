"""Three-way merging of one cell: what is merged without a question, what is a conflict, what is dropped and said."""

from __future__ import annotations

from typing import Any

import msgspec

from nbcellar.ids import CellId
from nbcellar.merge.cells import merge_cell, only_ran
from nbcellar.merge.model import MergeSettings
from nbcellar.notebook.codec import read, write
from nbcellar.notebook.model import Cell, cell_to_json
from nbcellar.notebook.stale import is_stale

from . import notebooks as made

MARK = MergeSettings()


def code(source: str, printed: str | None = None, count: int | None = None, **more: Any) -> Cell:
    outputs = () if printed is None else ({"output_type": "stream", "name": "stdout", "text": [printed]},)
    return Cell(type="code", source=source, id=CellId("one"), outputs=outputs, execution_count=count, **more)


def but(cell: Cell, **changes: Any) -> Cell:
    return msgspec.structs.replace(cell, **changes)


def test_an_edit_and_a_run_are_both_kept_and_the_outputs_are_marked() -> None:
    base = code("x = 1", "1", 1)
    ours, theirs = but(base, source="x = 2"), code("x = 1", "one", 7)
    found = merge_cell(base, ours, theirs, MARK)
    assert not found.conflicts
    assert found.ours.source == "x = 2"
    assert found.ours.outputs == theirs.outputs
    assert is_stale(found.ours)
    assert not is_stale(but(found.ours, outputs=ours.outputs)), "a new run makes the mark void"


def test_an_edit_with_its_run_wins_over_a_mere_run() -> None:
    base = code("x = 1", "1", 1)
    ours, theirs = code("x = 2", "2", 5), code("x = 1", "one", 7)
    found = merge_cell(base, ours, theirs, MARK)
    assert (found.ours, found.conflicts) == (ours, ())
    assert [(entry.side, entry.what, entry.value) for entry in found.dropped] == [
        ("theirs", "outputs", list(theirs.outputs or ()))
    ]
    back = merge_cell(base, theirs, ours, MARK)
    assert back.ours == ours
    assert [entry.side for entry in back.dropped] == ["ours"]


def test_both_only_ran() -> None:
    base = code("x", "a", 1)
    ours, theirs = code("x", "b", 2), code("x", "c", 3)
    found = merge_cell(base, ours, theirs, MARK)
    assert found.ours == ours
    assert [entry.value for entry in found.dropped] == [list(theirs.outputs or ())]
    of_theirs = merge_cell(base, ours, theirs, MergeSettings(outputs="theirs"))
    assert of_theirs.ours == theirs
    none = merge_cell(base, ours, theirs, MergeSettings(outputs="none"))
    assert (none.ours.outputs, none.ours.execution_count) == ((), None)
    assert [entry.side for entry in none.dropped] == ["ours", "theirs"]


def test_only_counts_differ() -> None:
    base = code("x", "a", 1)
    found = merge_cell(base, code("x", "a", 2), code("x", "a", 3), MARK)
    assert (found.ours.execution_count, found.conflicts, found.dropped) == (2, (), ())


def test_cleared_outputs_give_way_to_a_run() -> None:
    base = code("x", "a", 1)
    found = merge_cell(base, code("x"), code("x", "b", 4), MARK)
    assert found.ours == code("x", "b", 4)
    assert not found.dropped


def test_a_conflict_of_sources_keeps_each_side_with_its_outputs() -> None:
    base, ours, theirs = code("x = 1", "1", 1), code("x = 2", "2", 2), code("x = 3", "3", 3)
    found = merge_cell(base, ours, theirs, MARK)
    assert found.conflicts == (("source",),)
    assert (found.ours, found.theirs) == (ours, theirs)
    assert not found.dropped


def test_both_edited_far_lines_and_the_outputs_are_of_neither() -> None:
    base = code("a = 1\nb = 1\nc = 1", "1", 1)
    ours, theirs = but(base, source="a = 2\nb = 1\nc = 1"), but(base, source="a = 1\nb = 1\nc = 2")
    found = merge_cell(base, ours, theirs, MARK)
    assert found.ours.source == "a = 2\nb = 1\nc = 2"
    assert is_stale(found.ours)


def test_tags_are_a_set() -> None:
    base = code("x", metadata={"tags": ["a", "b"]})
    ours, theirs = but(base, metadata={"tags": ["a", "b", "ours"]}), but(base, metadata={"tags": ["b", "theirs"]})
    found = merge_cell(base, ours, theirs, MARK)
    assert found.ours.metadata == {"tags": ["b", "ours", "theirs"]}
    assert not found.conflicts


def test_metadata_by_key() -> None:
    base = code("x", metadata={"a": 1, "b": {"c": 1}})
    ours, theirs = but(base, metadata={"a": 2, "b": {"c": 1}}), but(base, metadata={"a": 1, "b": {"c": 1, "d": 2}})
    assert merge_cell(base, ours, theirs, MARK).ours.metadata == {"a": 2, "b": {"c": 1, "d": 2}}
    clash = merge_cell(base, but(base, metadata={"a": 2}), but(base, metadata={"a": 3}), MARK)
    assert clash.conflicts == (("metadata", "a"),)
    assert (clash.ours.metadata, clash.theirs.metadata) == ({"a": 2}, {"a": 3})
    of_ours = merge_cell(
        base, but(base, metadata={"a": 2}), but(base, metadata={"a": 3}), MergeSettings(metadata="ours")
    )
    assert not of_ours.conflicts
    assert [(entry.what, entry.value) for entry in of_ours.dropped] == [("metadata.a", 3)]


def test_strict_values() -> None:
    base = code("x", metadata={"a": 1})
    found = merge_cell(base, but(base, metadata={"a": True}), but(base, metadata={"a": 1.0}), MARK)
    assert found.conflicts == (("metadata", "a"),)


def test_run_times_never_conflict() -> None:
    base = code("x", "1", 1, metadata={"execution": {"start": "1"}, "collapsed": False})
    ours = code("x", "2", 2, metadata={"execution": {"start": "2"}, "collapsed": True})
    theirs = code("x", "3", 3, metadata={"execution": {"start": "3"}, "scrolled": True})
    found = merge_cell(base, ours, theirs, MARK)
    assert not found.conflicts
    assert found.ours.metadata["execution"] == {"start": "2"}


def test_ids_made_anew_do_not_conflict() -> None:
    base = code("x", "1", 1)
    ours, theirs = but(base, id=CellId("two")), code("y", "2", 2)
    assert merge_cell(base, ours, theirs, MARK).ours == but(theirs, id=CellId("two"))
    both = merge_cell(base, ours, but(theirs, id=CellId("three")), MARK)
    assert (both.ours.id, both.ours.source, both.conflicts) == ("two", "y", ())


def test_attachments_by_name() -> None:
    def note(**attachments: str) -> Cell:
        return Cell(type="markdown", source="![](attachment:a.png)", attachments=attachments or None)  # type: ignore[arg-type]

    found = merge_cell(note(a="1"), note(a="1", b="2"), note(a="3"), MARK)
    assert found.ours.attachments == {"a": "3", "b": "2"}
    clash = merge_cell(note(a="1"), note(a="2"), note(a="3"), MARK)
    assert clash.conflicts == (("attachments", "a"),)
    assert merge_cell(note(), note(), note(a="1"), MARK).ours.attachments == {"a": "1"}
    assert merge_cell(note(a="1"), note(), note(a="1", b="2"), MARK).ours.attachments == {"b": "2"}


def test_a_cell_that_became_text_has_no_outputs() -> None:
    base = code("x\n\ny", "1", 1)
    ours = Cell(type="markdown", source="x\n\ny", id=base.id)
    theirs = code("x\n\ny\n\nz", "2", 2)
    found = merge_cell(base, ours, theirs, MARK)
    assert (found.ours.type, found.ours.outputs, found.ours.source) == ("markdown", None, "x\n\ny\n\nz")
    assert [entry.what for entry in found.dropped] == ["outputs"]


def test_what_counts_as_a_mere_run() -> None:
    base = code("x", "1", 1, metadata={"tags": ["a"]})
    assert only_ran(
        base, code("x", "2", 5, metadata={"tags": ["a"], "execution": {}, "jupyter": {"outputs_hidden": True}})
    )
    assert not only_ran(base, code("x", "1", 1, metadata={"tags": []}))
    assert not only_ran(base, but(base, source="y"))
    assert not only_ran(base, but(base, type="raw"))
    assert not only_ran(base, but(base, attachments={"a": {}}))


def test_outputs_and_attachments_stay_with_a_type_that_may_have_them() -> None:
    base = made.text("a", "see ![x](attachment:a.png)\nmore", attachments={"a.png": {"image/png": "aa"}})
    added = made.text("a", base.source, attachments={"a.png": {"image/png": "aa"}, "b.png": {"image/png": "bb"}})
    became = made.code("a", base.source)
    merged = merge_cell(base, added, became, MARK)
    assert merged.conflicts == (("type",), ("attachments",))
    assert (merged.ours, merged.theirs) == (added, became)
    ran = made.code("a", "x = 1", "1", 1)
    merged = merge_cell(ran, made.code("a", "x = 2", "2", 2), made.text("a", "x is 3"), MARK)
    assert merged.conflicts == (("type",), ("source",))
    assert merged.ours.outputs and merged.theirs.outputs is None


def test_a_cell_that_became_text_has_no_keys_of_code() -> None:
    base = read(write(made.notebook(made.code("", "x = 1\ny = 2"), minor=4))).cells[0]
    ours = but(base, id=CellId("abcd"), keys=("cell_type", "execution_count", "id", "metadata", "outputs", "source"))
    merged = merge_cell(base, ours, made.text("", base.source), MARK)
    assert "execution_count" not in cell_to_json(merged.ours)


def test_marks_of_stale_outputs_are_no_decision() -> None:
    marks = [{"cellar": {"stale_outputs": digit * 16}} for digit in "ab"]
    ours, theirs = (made.code("a", "x", digit, 1, metadata=mark) for digit, mark in zip("ab", marks, strict=True))
    assert not merge_cell(made.code("a", "x", "c", 1), ours, theirs, MARK).conflicts
    assert only_ran(made.code("a", "x", "c", 1), ours)
