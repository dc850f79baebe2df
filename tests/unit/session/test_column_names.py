"""Who shares the array beneath an index: frames and models do not, they never write to it; a variable bound to it does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .live import Live, live_session

pd = pytest.importorskip("pandas")
pytestmark = pytest.mark.pandas2

FRAMES = (
    "import numpy as np, pandas as pd\n"
    "a = pd.DataFrame(np.arange(6.0).reshape(3, 2), columns=pd.Index(['u', 'v'], dtype=object))\n"
    "b = a * 2"
)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_session(tmp_path) as made:
        yield made


def together(live: Live, name: str) -> tuple[str, ...]:
    """Return the names of the co-variable that a variable belongs to."""
    return live.session.tracker.by_name[name].names


def test_frames_over_one_array_of_names_are_apart(live: Live) -> None:
    live.cell(FRAMES)
    assert live.value("a.columns._data is b.columns._data")
    assert together(live, "a") == ("a",)
    b = live.ns["b"]
    live.cell("a.loc[0, 'u'] = 9.0")
    live.session.undo()
    assert live.value("a.loc[0, 'u']") == 0.0
    assert live.ns["b"] is b


def test_a_variable_bound_to_the_array_of_names_shares_it_with_the_frame(live: Live) -> None:
    live.cell(FRAMES)
    live.cell("names = a.columns._data; held = [names]; part = names[1:]")
    live.cell("part[0] = 'z'")
    assert together(live, "a") == ("a", "b", "held", "names", "part")
    assert live.value("a.columns[1]") == "z"
    live.session.undo()
    assert live.value("list(a.columns) + list(b.columns)") == ["u", "v", "u", "v"]
    assert live.value("held[0] is names and np.shares_memory(part, names) and np.shares_memory(names, a.columns._data)")


def test_models_are_apart_from_the_frame_whose_column_names_they_hold(live: Live) -> None:
    live.cell(FRAMES)
    live.cell(
        "from sklearn.preprocessing import StandardScaler\nm = StandardScaler().fit(a); n = StandardScaler().fit(a)"
    )
    live.cell("m.feature_names_in_ = n.feature_names_in_ = a.columns._data  # as fitting does with pandas 2")
    assert [together(live, name) for name in "amn"] == [("a",), ("m",), ("n",)]
    kept = {name: live.ns[name] for name in "abn"}
    live.cell("m.fit(b)")
    live.session.undo()
    assert all(live.ns[name] is value for name, value in kept.items())
    assert live.value("(m.mean_.tolist(), list(m.feature_names_in_))") == ([2.0, 3.0], ["u", "v"])


def test_names_of_a_model_that_a_variable_is_bound_to_are_shared_with_it(live: Live) -> None:
    live.cell(FRAMES)
    live.cell(
        "from sklearn.preprocessing import StandardScaler\nm = StandardScaler().fit(a); names = m.feature_names_in_"
    )
    assert {"m", "names"} <= set(together(live, "m"))
    live.cell("names[0] = 'z'; del m")
    live.session.undo()
    assert live.value("m.feature_names_in_ is names and names[0] == 'u'")


def test_a_group_by_is_apart_from_what_else_was_taken_from_the_column_it_groups_by(live: Live) -> None:
    if int(pd.__version__.partition(".")[0]) < 3:
        pytest.skip("a column is a view of its frame before pandas 3")
    live.cell(
        "import pandas as pd\ndf = pd.DataFrame({'k': pd.Categorical(list('aba')), 'n': [3, 4, 3], 'v': [1.0, 2.0, 3.0]})"
    )
    live.cell("k = df['k']; n = df['n']\ng = df.groupby('k', observed=True); h = df.groupby('n')")
    live.cell("g.v.sum(); h.v.mean()\nfor _, part in g: pass")
    assert [together(live, name) for name in "kn"] == [("k",), ("n",)]
    kept = live.ns["k"], live.ns["n"]
    live.cell("df.loc[0, 'v'] = 5.0")
    live.session.undo()
    assert live.ns["k"] is kept[0]
    assert live.ns["n"] is kept[1]
    assert live.value("g.v.sum().tolist() + h.v.sum().tolist()") == [4.0, 2.0, 4.0, 2.0]


def test_a_column_that_was_grouped_by_can_be_written_after_both_were_loaded(live: Live) -> None:
    live.cell("import pandas as pd\ndf = pd.DataFrame({'n': [3, 4, 3], 'v': [1.0, 2.0, 3.0]})\ng = df.groupby('n')")
    live.cell("del df, g")
    live.session.undo()
    live.cell("alone = g.obj.copy(); before = g.v.sum().tolist(); alone.loc[0, 'n'] = 4; after = g.v.sum().tolist()")
    assert live.value("before, after") == ([4.0, 2.0], [4.0, 2.0])


def test_a_series_that_was_grouped_by_and_then_written_leaves_the_group_by_as_pandas_does(live: Live) -> None:
    live.cell("import pandas as pd\nif pd.__version__ < '3': pd.set_option('mode.copy_on_write', True)")
    live.cell("df = pd.DataFrame({'v': [1.0, 2.0, 3.0]}); k = pd.Series([3, 4, 3]); g = df.groupby(k)")
    live.cell("k.iloc[0] = 4; truth = g.v.sum().to_dict()")
    truth = live.value("truth")
    live.session.undo()
    live.cell("del k, g, df")
    live.session.undo()
    live.cell("k.iloc[0] = 4; again = g.v.sum().to_dict()")
    assert live.value("again") == truth


def test_an_array_that_was_grouped_by_is_shared_with_the_group_by(live: Live) -> None:
    live.cell(
        "import numpy as np, pandas as pd\ndf = pd.DataFrame({'v': [1.0, 2.0, 3.0]})\nkeys = np.array([3, 4, 3]); g = df.groupby(keys)"
    )
    assert {"g", "keys"} <= set(together(live, "g"))


def test_columns_that_were_made_over_one_array_of_objects_share_it(live: Live) -> None:
    # Neither knows of the other, so a write to one shows in the other, with pandas 3, too.
    live.cell("import numpy as np, pandas as pd\na = np.array(['u', None], dtype=object)")
    live.cell("s, t = pd.Series(a, dtype=object, copy=False), pd.Series(a, dtype=object, copy=False); del a")
    assert together(live, "s") == ("s", "t")
    live.cell("s.iloc[0] = 'z'")
    assert live.value("t.iloc[0]") == "z"
    live.session.undo()
    assert live.value("s.iloc[0], t.iloc[0]") == ("u", "u")
