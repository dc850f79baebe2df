"""Which cells of two notebooks correspond: laws for any cells, then the cases people meet."""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.diff.document.pairing import Pair, Pairing, Split, pair_cells
from nbcellar.ids import CellId
from nbcellar.notebook.model import Cell

BENCHMARKS = Path(__file__).parents[4] / "benchmarks"
LONG = "def clean(frame):\n    return frame.dropna()"
SOURCES = st.sampled_from(
    [
        "",
        "",
        "df.head()",
        "x = 1",
        "import os\nimport re",
        "import os\nimport sys\n",
        "# A",
        LONG,
        f"{LONG}\n\nclean(a)",
    ]
)
CELLS = st.lists(
    st.builds(
        Cell,
        type=st.sampled_from(["code", "markdown"]),
        source=SOURCES | st.text("ab \n", max_size=12),
        id=st.sampled_from([CellId(""), CellId("0"), CellId("1"), CellId("a"), CellId("b"), CellId("c")]),
        outputs=st.none() | st.just(({"output_type": "stream", "name": "stdout", "text": "1"},)),
    ),
    max_size=14,
)


def code(source: str, id: str = "") -> Cell:
    return Cell(type="code", source=source, id=CellId(id), outputs=())


def cells(*sources: str) -> list[Cell]:
    return [code(source) for source in sources]


def numbered(*sources: str) -> list[Cell]:
    """Return cells with the ids that nbstripout writes."""
    return [code(source, str(place)) for place, source in enumerate(sources)]


def placed(pairing: Pairing) -> dict[int, int]:
    return {pair.b: pair.a for pair in pairing.pairs}


def function(name: str, lines: int = 6) -> str:
    return "\n".join([f"def {name}(frame):", *(f"    frame['{name}_{n}'] = {name}({n})" for n in range(lines))])


@pytest.fixture
def inputs(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.delitem(sys.modules, "document_inputs", raising=False)
    return importlib.import_module("document_inputs")


@given(CELLS, CELLS, st.booleans())
def test_each_cell_is_paired_once_or_removed_or_added(a: list[Cell], b: list[Cell], blanks_move: bool) -> None:
    pairing = pair_cells(a, b, blanks_move=blanks_move)
    assert sorted([*(pair.a for pair in pairing.pairs), *pairing.removed]) == list(range(len(a)))
    assert sorted([*(pair.b for pair in pairing.pairs), *pairing.added]) == list(range(len(b)))
    assert [pair.b for pair in pairing.pairs] == sorted(pair.b for pair in pairing.pairs)


@given(CELLS, CELLS, st.booleans())
def test_cells_that_did_not_move_are_in_order_and_same_means_same(
    a: list[Cell], b: list[Cell], blanks_move: bool
) -> None:
    pairs = pair_cells(a, b, blanks_move=blanks_move).pairs
    stayed = [pair.a for pair in pairs if not pair.moved]
    assert stayed == sorted(stayed)
    for pair in pairs:
        same = (a[pair.a].type, a[pair.a].source) == (b[pair.b].type, b[pair.b].source)
        assert (pair.how == "same") == same


@given(CELLS)
def test_a_notebook_is_paired_with_itself_cell_by_cell(a: list[Cell]) -> None:
    copy = [msgspec.structs.replace(cell) for cell in a]
    assert pair_cells(a, copy) == Pairing(tuple(Pair(i, i, False, "same") for i in range(len(a))))


@given(CELLS, CELLS)
def test_parts_of_a_split_stand_side_by_side_and_are_in_one_split_only(a: list[Cell], b: list[Cell]) -> None:
    splits = pair_cells(a, b).splits
    for side in (lambda split: split.a, lambda split: split.b):
        places = [place for split in splits for place in side(split)]
        assert len(places) == len(set(places))
    for split in splits:
        assert (len(split.a) == 1) != (len(split.b) == 1)
        assert [*split.a, *split.b] == [*range(split.a[0], split.a[-1] + 1), *range(split.b[0], split.b[-1] + 1)]


def test_repeated_sources_are_paired_by_neighbourhood() -> None:
    a = cells("load()", "df.head()", "clean()", "df.head()", "", "plot()", "")
    b = cells("load()", "df.head()", "clean()", "save()", "plot()", "", "df.head()")
    assert placed(pair_cells(a, b)) == {0: 0, 1: 1, 2: 2, 3: 4, 4: 5, 5: 6, 6: 3}
    assert placed(pair_cells(a[:5], cells("df.head()", "clean()", "df.head()"))) == {0: 1, 1: 2, 2: 3}


def test_an_empty_cell_does_not_jump_unless_that_is_asked_for() -> None:
    a, b = cells("", "a = 1", "b = 2"), cells("a = 1", "b = 2", "")
    pairing = pair_cells(a, b)
    assert (pairing.removed, pairing.added) == ((0,), (2,))
    assert pair_cells(a, b, blanks_move=True).pairs[2] == Pair(0, 2, True, "same")


def test_of_several_empty_cells_the_nearest_moved_and_only_one_that_is_the_same() -> None:
    a = cells("", "a = 1", "", "b = 2", "c = 3")
    assert placed(pair_cells(a, cells("a = 1", "b = 2", "c = 3", ""), blanks_move=True)) == {0: 1, 1: 3, 2: 4, 3: 2}
    tagged = msgspec.structs.replace(code(""), metadata={"tags": ["end"]})
    assert pair_cells(a, [*cells("a = 1", "b = 2", "c = 3"), tagged], blanks_move=True).added == (3,)


def test_an_empty_cell_with_an_id_of_its_own_is_no_other_empty_cell() -> None:
    a = [code("", "e"), code("a = 1", "a"), code("b = 2", "b")]
    b = [code("a = 1", "a"), code("b = 2", "b"), code("", "f")]
    pairing = pair_cells(a, b, blanks_move=True)
    assert (pairing.removed, pairing.added) == ((0,), (2,))


def test_an_empty_cell_that_was_filled_beside_a_new_one_is_found() -> None:
    a = cells("load()", "", "plot()")
    ran = msgspec.structs.replace(code("clean()"), outputs=({"output_type": "stream", "name": "stdout", "text": "1"},))
    assert placed(pair_cells(a, cells("load()", "clean()", "check()", "plot()"))) == {0: 0, 1: 1, 3: 2}
    b = [code("load()"), ran, code("check()"), code("plot()")]  # what ran stands in a cell that has outputs since long
    assert placed(pair_cells(a, b)) == {0: 0, 2: 1, 3: 2}
    prose = Cell(type="markdown", source="# Now plot")
    assert placed(pair_cells(a, [code("load()"), prose, prose, code("plot()")])) == {0: 0, 3: 2}


def test_of_two_empty_cells_one_was_filled_and_the_other_stayed() -> None:
    a = cells("load()", "", "", "plot()")
    assert placed(pair_cells(a, cells("load()", "clean()", "check()", "", "plot()"))) == {0: 0, 1: 1, 3: 2, 4: 3}


def test_an_empty_cell_moves_with_its_neighbour() -> None:
    a = cells("load()", "", "clean()", "plot()", "save()", "end()")
    b = cells("load()", "plot()", "save()", "end()", "", "clean()")
    assert placed(pair_cells(a, b)) == {0: 0, 1: 3, 2: 4, 3: 5, 4: 1, 5: 2}


def test_empty_cells_are_found_among_very_many_new_ones() -> None:
    new = [f"step_{n}()" for n in range(600)]
    found = placed(pair_cells(cells("load()", "", "", "plot()"), cells("load()", *new, "", "", *new, "plot()")))
    assert found == {0: 0, 601: 1, 602: 2, 1203: 3}


@pytest.mark.parametrize("copy", [2, 3])
def test_a_cell_that_was_copied_and_then_edited_is_the_one_that_kept_its_id(copy: int) -> None:
    a = [code("import os", "i"), code(function("load"), "l"), code(function("plot"), "p"), code("end()", "e")]
    b = [*a[:1], code(function("load") + "\n    return frame", "l"), *a[2:]]
    b.insert(copy, code(function("load"), "new"))
    pairing = pair_cells(a, b)
    assert pairing.pairs[1] == Pair(1, 1, False, "id")
    assert (pairing.removed, pairing.added) == ((), (copy,))
    assert not any(pair.moved for pair in pairing.pairs)


def test_equal_cells_are_the_same_whatever_found_them() -> None:
    prose = Cell(type="markdown", source=f"{LONG}\n\nclean(a)")
    pairing = pair_cells([code(""), prose], [prose, prose, code("")])
    assert {(pair.a, pair.how) for pair in pairing.pairs} >= {(1, "same")}


def test_ids_that_count_the_cells_tell_of_no_copy() -> None:
    a = numbered(function("load"), function("plot"))
    b = numbered(function("load") + "\n    return frame", function("load"), function("plot"))
    assert placed(pair_cells(a, b)) == {1: 0, 2: 1}


def test_ids_that_shifted_do_not_outweigh_contents() -> None:
    a = numbered("load()", function("clean"), function("plot"), "save()")
    b = numbered("load()", "check()", function("clean") + "\n    return frame", function("plot"), "save()")
    pairing = pair_cells(a, b)
    assert placed(pairing) == {0: 0, 2: 1, 3: 2, 4: 3}
    assert not any(pair.moved for pair in pairing.pairs)


def test_a_cell_written_anew_is_the_same_cell_if_its_id_says_so() -> None:
    a = [code("import os", "a"), code("x = load('data.csv')", "b"), code("print(x)", "c")]
    b = [code("import os", "a"), code("raise SystemExit", "b"), code("print(x)", "c")]
    assert pair_cells(a, b).pairs[1] == Pair(1, 1, False, "id")


def test_two_cells_that_changed_places_with_their_contents_are_one_move() -> None:
    pairing = pair_cells(cells("a", "b", "c", "d"), cells("a", "d", "b", "c"))
    assert [pair.b for pair in pairing.pairs if pair.moved] == [1]
    assert pairing.removed == pairing.added == ()


def test_a_cell_that_moved_and_was_edited_is_found() -> None:
    a = cells(function("load"), function("clean"), function("plot"), function("save"))
    b = cells(function("clean"), function("plot"), function("save"), function("load") + "\n    return frame")
    assert pair_cells(a, b).pairs[3] == Pair(0, 3, True, "similar")


def test_a_short_cell_that_moved_with_something_put_into_it_is_found() -> None:
    a = cells("a = 1", "total_residual.drop(axis=1, limit=1208)", "b = 2", "c = 3")
    b = cells("a = 1", "b = 2", "c = 3", "total_residual.drop(axis=1, level=None, limit=1208)")
    assert pair_cells(a, b).pairs[3] == Pair(1, 3, True, "similar")
    other = "total_returns.drop(axis=0, level=None, limit=9317)"
    assert pair_cells(a, cells("a = 1", "b = 2", "c = 3", other)).added == (3,)


def test_a_cell_that_lost_most_of_its_lines_is_found_beside_a_new_one() -> None:
    title, prose = "# Filter total_event", "We remove rows without a price, and then compare both groups of customers."
    a = cells("load()", f"{title}\n\n{prose}", "plot()")
    assert placed(pair_cells(a, cells("load()", "new()", f"{title}\n\n", "plot()"))) == {0: 0, 2: 1, 3: 2}


def test_cells_that_only_look_alike_are_no_move() -> None:
    names = ["order", "customer_price", "margin", "season_total", "shop"]
    plots = [f"fig, ax = plt.subplots()\nax.plot({name}.index, {name}['{name}_total'])\nplt.show()" for name in names]
    pairing = pair_cells(cells(*plots[:3], "x", "y", "z"), cells(*plots[1:3], "x", "y", "z", plots[3]))
    assert (pairing.removed, pairing.added) == ((0,), (5,))


@pytest.mark.parametrize("parts", [2, 3])
def test_a_cell_that_was_split_is_told_as_split_and_the_other_way_round_as_joined(parts: int) -> None:
    lines = [function(name, 2) for name in ("load", "clean", "plot", "save", "check", "close")]
    share = len(lines) // parts
    pieces = ["\n".join(lines[n * share : (n + 1) * share]) for n in range(parts)]
    whole, apart = cells("import os", "\n".join(lines), "end()"), cells("import os", *pieces, "end()")
    places = tuple(range(1, parts + 1))
    split = pair_cells(whole, apart)
    assert split.splits == (Split((1,), places),)
    assert (split.removed, len(split.added)) == ((), parts - 1)
    joined = pair_cells(apart, whole)
    assert joined.splits == (Split(places, (1,)),)
    assert (joined.added, len(joined.removed)) == ((), parts - 1)


@pytest.mark.parametrize("ids", ["stable", "absent", "regenerated"])
@pytest.mark.parametrize(("size", "seeds"), [(10, 20), (100, 10), (1000, 2)])
def test_the_edit_script_is_found_again(inputs: ModuleType, ids: str, size: int, seeds: int) -> None:
    wrong = total = 0
    for seed in range(seeds):
        case = inputs.make_case(size, seed, ids=ids)
        found = placed(pair_cells(case.before.cells, case.after.cells))
        after = case.after.cells  # where an empty cell without an id went is not to be known
        wrong += sum(found.get(j) != i for j, i in enumerate(case.origin) if after[j].source)
        total += len(case.origin)
    assert wrong <= total * 0.01


def test_a_notebook_whose_every_cell_was_edited_is_paired_in_order(inputs: ModuleType) -> None:
    before = inputs.make_notebook(600, 1, with_ids=False).cells
    rng = random.Random(1)
    pairing = pair_cells(before, [edited(cell, rng) for cell in before])
    assert sum(pair.a == pair.b for pair in pairing.pairs) >= 590


def edited(cell: Cell, rng: random.Random) -> Cell:
    lines = cell.source.split("\n")
    lines[rng.randrange(len(lines))] += f"  # {rng.randrange(9999)}"
    return msgspec.structs.replace(cell, source="\n".join(lines))


def test_wherever_ids_are_made_anew_the_pairing_is_that_without_ids(inputs: ModuleType) -> None:
    anew, absent = (inputs.make_case(300, 4, ids=ids) for ids in ("regenerated", "absent"))

    def shape(before: Sequence[Cell], after: Sequence[Cell]) -> dict[int, int]:
        return placed(pair_cells(before, after))

    assert shape(anew.before.cells, anew.after.cells) == shape(absent.before.cells, absent.after.cells)
