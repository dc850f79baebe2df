"""What a policy left out of a merge comes back where it belongs."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.merge.notebooks import code, notebook, text

from nbcellar.errors import NotFoundError
from nbcellar.merge.bringing_back import bring_back
from nbcellar.merge.model import Dropped, Merged
from nbcellar.merge.notebooks import merge_notebooks
from nbcellar.notebook.codec import write
from nbcellar.notebook.model import Notebook
from nbcellar.notebook.stale import is_stale
from nbcellar.notebook.validate import validate_file


def restored(merged: Merged, ours: Notebook, theirs: Notebook) -> Notebook:
    (entry,) = merged.dropped
    return bring_back(merged.notebook, entry, ours if entry.side == "ours" else theirs)


def printed(made: Notebook) -> list[str]:
    return ["".join(cell.outputs[0]["text"]) if cell.outputs else "" for cell in made.cells]


def test_outputs_come_to_the_cell_that_lost_them() -> None:
    base, ours, theirs = (notebook(text("t", "# T"), code("a", "1", said, 1)) for said in ("old", "mine", "yours"))
    merged = merge_notebooks(base, ours, theirs)
    assert printed(merged.notebook) == ["", "mine"]
    assert printed(restored(merged, ours, theirs)) == ["", "yours"]


def test_outputs_of_another_source_are_marked_as_such() -> None:
    base = notebook(code("a", "x = 1\ny = 1\n", "old", 1))
    ours = notebook(code("a", "x = 2\ny = 1\n", "mine", 2))
    theirs = notebook(code("a", "x = 1\ny = 1\nz = 3\n", "yours", 2))
    merged = merge_notebooks(base, ours, theirs)
    made = restored(merged, ours, theirs)
    assert printed(made) == ["yours"]
    assert is_stale(made.cells[0])
    again = bring_back(made, msgspec.structs.replace(merged.dropped[0], side="ours"), ours)
    assert printed(again) == ["mine"]


def test_a_cell_that_is_gone_comes_back_behind_its_neighbour() -> None:
    base = notebook(text("t", "# T"), code("a", "1", "old", 1), text("e", "end"))
    ours = notebook(text("t", "# T"), code("a", "1", "mine", 2), text("e", "end"))
    theirs = notebook(text("t", "# T"), text("e", "end"))
    merged = merge_notebooks(base, ours, theirs)
    assert printed(merged.notebook) == ["", ""]
    assert printed(restored(merged, ours, theirs)) == ["", "mine", ""]


def test_settings_that_programs_wrote_come_back() -> None:
    base, ours, theirs = (notebook(text("t", "T"), kernelspec={"name": name}) for name in ("a", "b", "c"))
    merged = merge_notebooks(base, ours, theirs)
    made = restored(merged, ours, theirs)
    assert (merged.notebook.kernel_name, made.kernel_name) == ("b", "c")


def test_what_comes_back_to_a_cell_that_is_text_now_is_the_cell_as_it_was() -> None:
    ran = code("a", "1", "mine", 2)
    made = bring_back(notebook(text("a", "1")), dropped(ran.outputs, 1), notebook(ran))
    assert (made.cells[0].type, printed(made)) == ("code", ["mine"])


def test_an_entry_of_another_merge_is_refused() -> None:
    with pytest.raises(NotFoundError, match="cell 7 is not in theirs"):
        bring_back(notebook(text("t", "T")), dropped([], 7), notebook(text("t", "T")))


def dropped(value: Any, number: int) -> Dropped:
    return Dropped(side="theirs", what="outputs", reason="", value=value, cell="a", number=number, path=("outputs",))


def test_the_result_is_valid_whatever_comes_back() -> None:
    base, ours, theirs = (
        notebook(code("a", "1", said, 1), code("b", "2", said, 1), kernelspec={"name": said, "display_name": said})
        for said in ("old", "mine", "yours")
    )
    merged = merge_notebooks(base, ours, theirs)
    made = merged.notebook
    for entry in merged.dropped:
        made = bring_back(made, entry, theirs if entry.side == "theirs" else ours)
    assert len(merged.dropped) == 3
    assert validate_file(write(made)) == ()
