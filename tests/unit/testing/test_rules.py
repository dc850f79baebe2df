from __future__ import annotations

import pytest

from nbcellar.errors import InvalidInputError
from nbcellar.notebook import Cell, Notebook
from nbcellar.testing.rules import Rules, rules_of


def rules(source: str = "x", *, tags: tuple[str, ...] = (), cell: object = None, notebook: object = None) -> Rules:
    metadata: dict[str, object] = {"tags": list(tags)}
    if cell is not None:
        metadata["cellar"] = {"test": cell}
    made = Notebook(
        cells=(Cell(type="code", source=source, metadata=metadata),),
        metadata={"cellar": {"test": notebook}} if notebook is not None else {},
    )
    return rules_of(made, Rules(timeout=60, ignore=("image/*",)))[0]


@pytest.mark.parametrize("tag", ["skip-compare", "nbval-ignore-output"])
def test_tags_switch_the_comparison_off(tag: str) -> None:
    assert not rules(tags=(tag,)).compare
    assert rules(tags=("other",)).compare


def test_comments_of_nbval_mean_what_its_tags_mean() -> None:
    assert not rules("x = 1\n  # NBVAL_IGNORE_OUTPUT\nx").compare
    assert not rules("#PYTEST_VALIDATE_IGNORE_OUTPUT").compare
    assert not rules("# NBVAL_SKIP").run
    assert rules("# NBVAL_RAISES_EXCEPTION").may_raise
    assert rules("print('NBVAL_SKIP')\n# not NBVAL_SKIP").run


def test_the_nearest_word_counts() -> None:
    said = rules(notebook={"absolute": 1, "timeout": 5}, cell={"absolute": 2})
    assert (said.absolute, said.timeout, said.ignore) == (2, 5, ("image/*",))
    assert rules(notebook={"compare": False}, tags=("nbval-check-output",)).compare
    assert not rules("# NBVAL_IGNORE_OUTPUT", cell={"compare": True}).compare
    assert rules(notebook={"ignore": []}).ignore == ()
    assert rules(cell={"ignore": ["text/html"]}, tags=("ignore-stderr",)).ignore == ("text/html", "stderr")


@pytest.mark.parametrize("value", [3, {"tolerance": 1}, {"absolute": "much"}, {"relative": -1}, {"timeout": "1e999"}])
def test_metadata_that_says_what_there_is_not_is_refused_with_its_place(value: object) -> None:
    with pytest.raises(InvalidInputError, match=r"metadata\.cellar\.test of cell 1"):
        rules(cell=value)
    with pytest.raises(InvalidInputError, match=r"metadata\.cellar\.test of the notebook"):
        rules(notebook=value)


def test_metadata_of_others_is_left_alone() -> None:
    metadata = {"tags": "no list", "cellar": "no dict"}
    made = Notebook(cells=(Cell(type="code", source="x", metadata=metadata),), metadata={"cellar": []})
    assert rules_of(made, Rules()) == (Rules(),)
