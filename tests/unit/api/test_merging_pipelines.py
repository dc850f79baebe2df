"""Conflicts of a pipeline as the merge view gets them."""

from __future__ import annotations

from nbcellar.api.merging import decide, look, merge_versions
from nbcellar.api.merging_views import Decision
from nbcellar.components import editing
from nbcellar.components.reading import read_pipeline
from nbcellar.ids import CellId
from nbcellar.merge.model import Labels
from nbcellar.notebook.codec import write
from nbcellar.notebook.model import Cell, Notebook


def pipeline() -> Notebook:
    cells = [Cell(type="code", source=f"{id} = 1", id=CellId(id), outputs=()) for id in ("one", "two")]
    found = Notebook(cells=tuple(cells))
    return editing.add(editing.add(found, "one", "one"), "two", "two")


def test_a_circle_is_shown_by_its_edges_and_decided() -> None:
    base = pipeline()
    ours, theirs = editing.connect(base, "one", "two"), editing.connect(base, "two", "one")
    versions = merge_versions(write(base), write(ours), write(theirs), Labels())
    merged = versions.merged.notebook
    (conflict,) = look(merged, versions, target="n.ipynb", version="v").conflicts
    assert (conflict.kind, conflict.what, conflict.cell) == ("structure", ["edges"], 1)
    assert conflict.said.startswith("the edges 'one' -> 'two' (ours) and 'two' -> 'one' (theirs)")
    assert conflict.choices == ["ours", "theirs", "base"]
    assert [(value.label, value.there) for value in conflict.values] == [
        ("edge 'two' -> 'one'", ["theirs"]),
        ("edge 'one' -> 'two'", ["ours"]),
    ]
    decided = decide(merged, [Decision(id=conflict.id, pick="theirs")], (), versions)
    assert write(decided) == write(theirs)


def test_an_edge_that_was_left_out_is_brought_back() -> None:
    base = editing.connect(pipeline(), "one", "two")
    gone = Notebook(cells=(base.cells[1], Cell(type="markdown", source="# New", id=CellId("new"))))
    edited = Notebook(cells=(*base.cells, Cell(type="markdown", source="# Old", id=CellId("old"))))
    versions = merge_versions(write(base), write(gone), write(edited), Labels())
    found = look(versions.merged.notebook, versions, target="n.ipynb", version="v")
    (entry,) = found.dropped
    assert (entry.side, entry.what, entry.cell) == ("theirs", "edge 'one' -> 'two'", 2)
    back = decide(versions.merged.notebook, (), [entry.id], versions)
    assert read_pipeline(back).components[0].after == ("one",)
