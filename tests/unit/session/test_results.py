"""Results that libraries keep: to look at an object is no change, and what follows is never taken from older data."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from .live import Live, live_session


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_session(tmp_path) as made:
        yield made


def version(live: Live, name: str = "x") -> bytes:
    return live.session.tracker.by_name[name].version


FRAME = "import pandas as pd\ndf = pd.DataFrame({'g': ['a', 'b', 'a'], 'v': [1.0, 2.0, 3.0]})\n"
LOOKED_AT = {
    "a window": (FRAME + "x = df.v.rolling(2)", "x.mean()"),
    "a group-by": (FRAME + "x = df.groupby('g')", "x.sum(); x.mean(); x.ngroups"),
    "a group-by that was gone through": (
        FRAME + "x = df.groupby('g')",
        "x.v.agg(['sum', 'mean'])\nfor _, part in x: pass",
    ),
    "an index of dates": ("import pandas as pd\nx = pd.date_range('2024', periods=3)", "x.month; x + x.freq; repr(x)"),
    "a tree of neighbours": (
        "import numpy as np\nfrom sklearn.neighbors import KDTree\nx = KDTree(np.arange(40.0).reshape(20, 2))",
        "x.query([[1.0, 2.0]])",
    ),
    "a masked array": ("import numpy as np\nx = np.ma.array([1, 2], mask=[0, 1])", "x.fill_value; x.filled()"),
    "a document": (
        "from xml.dom import minidom\nx = minidom.parseString('<a><b/></a>')",
        "x.documentElement.toxml(); x.documentElement.hasAttributes(); x.documentElement.attributes",
    ),
}


@pytest.mark.pandas2
@pytest.mark.parametrize("what", LOOKED_AT)
def test_looking_at_an_object_of_a_library_is_no_change(live: Live, what: str) -> None:
    make, use = LOOKED_AT[what]
    live.cell(make)
    before = version(live)
    for _ in range(2):
        live.cell(use)
        assert version(live) == before


@pytest.mark.parametrize("what", LOOKED_AT)
def test_an_object_that_was_looked_at_is_recorded_when_it_changes(live: Live, what: str) -> None:
    make, use = LOOKED_AT[what]
    live.cell(make)
    live.cell(use)
    before = version(live)
    live.cell("x = [x]")
    assert version(live) != before
    live.session.undo()
    assert version(live) == before
    live.cell(use)  # it works
    assert version(live) == before


def test_a_result_older_than_the_data_beside_it_comes_back_with_them(live: Live) -> None:
    live.cell(FRAME + "x = df.groupby('g').v")
    live.cell("first = x.sum().tolist()")
    commit = live.cell("df.loc[0, 'v'] = 100.0")
    wanted = live.value("x.sum().tolist()")
    live.cell("df = x = None")
    live.session.restore(commit)
    assert live.value("x.sum().tolist()") == wanted
    live.restart()
    live.session.restore(commit)
    assert live.value("x.sum().tolist()") == wanted


def test_a_fresh_group_by_in_place_of_a_stale_one_is_a_change(live: Live) -> None:
    live.cell(FRAME + "x = df.groupby('g')")
    live.cell("x.sum()")
    live.cell("df.loc[0, 'v'] = 100.0")
    commit = live.cell("x = df.groupby('g')")
    wanted = live.value("x.sum().v.tolist()")
    assert wanted == [103.0, 2.0]
    live.cell("df = x = None")
    live.session.restore(commit)
    assert live.value("x.sum().v.tolist()") == wanted


def test_a_dict_that_a_group_by_hands_out_counts(live: Live) -> None:
    live.cell(FRAME + "x = df.groupby('g')")
    before = version(live)
    live.cell("x.groups['c'] = 'mine'")
    assert version(live) != before
    live.cell("x.groups.pop('c')")
    live.session.undo()
    assert live.value("x.groups['c']") == "mine"


def test_a_fill_value_that_was_set_counts(live: Live) -> None:
    live.cell("import numpy as np\nx = np.ma.array([1, 2], mask=[0, 1])")
    before = version(live)
    live.cell("x.fill_value = 7")
    assert version(live) != before
    live.session.undo()
    live.session.redo()
    assert live.value("x.filled().tolist()") == [1, 7]


def test_attributes_put_into_a_document_after_a_look_count(live: Live) -> None:
    live.cell("from xml.dom import minidom\nx = minidom.parseString('<a/>')")
    live.cell("x.documentElement.attributes")
    before = version(live)
    live.cell("x.documentElement.setAttribute('k', 'v')")
    assert version(live) != before
    live.session.undo()
    assert live.value("x.documentElement.toxml()") == "<a/>"


def test_a_kept_result_that_a_variable_is_bound_to_stays_the_same_object(live: Live) -> None:
    live.cell(FRAME + "x = df.groupby('g')")
    live.cell("x.sum()")
    commit = live.cell("kept = x._obj_with_exclusions")
    live.cell("x = kept = None")
    live.session.restore(commit)
    assert live.value("kept is x._obj_with_exclusions")


def test_many_looks_store_nothing_new(live: Live) -> None:
    live.cell(FRAME + "x = [df.groupby('g'), df.v.rolling(2)]\nalias = x[0]")
    before = version(live)
    for use in ("alias.sum()", "x[1].mean()", "x[0].max(); x[1].max()", "alias.ngroups"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            live.cell(use)
        assert version(live) == before
        assert version(live, "alias") == before
