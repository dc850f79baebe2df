"""The session as a whole, without a kernel: whatever the cells did, each recorded state comes back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbcellar.errors import CannotRestoreError, InvalidInputError, StoreUnavailableError

from .live import Live, describe, live_session


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_session(tmp_path) as found:
        yield found


NAMES = st.sampled_from("abcde")
VALUES = st.sampled_from(
    [
        "1",
        "'text'",
        "[]",
        "[1, 2, 3]",
        "{'k': []}",
        "(1, [2])",
        "{1, 2}",
        "np.arange(5.0)",
        "np.zeros((300, 400))",
        "np.arange(6)[::2]",
        "bytearray(b'abc')",
        "P()",
        "({'n': [1]}, 'x')",
        "([], ())",
        "D(k=[1])",
        "Q([1])",
        "types.ModuleType('m')",
        "lambda x: x",
        "[[i] for i in range(5000)]",
        "{str(i): i for i in range(5000)}",
    ]
)
MUTATIONS = st.sampled_from(
    [
        "{a}.append({b})",
        "{a}[0] = {b}",
        "{a}['k'] = {b}",
        "{a}.v = {b}",
        "{a} = {b}",
        "{a} = [{b}, {b}]",
        "{a} = {b}[1:4]",
        "{a} = {b}.T",
        "{a} = {b}.k",
        "{a}[...] = 7",
        "del {a}",
        "P.shared = {a}",
        "{a} = type({b})",
        "{a} += {b}",
        "{a} = {b}[17]",
        "{a}.sort()",
        "{a} = make({b})",
        "{a}.flags.writeable = False",
        "{a} = {b}[0]",
        "{a}[0].append({b})",
        "{a}[0]['n'].append({b})",
        "{a} = ({b}, [{b}])",
        "{a} = max([({b}, 1)], key=str)",
        "scale = len(str({b}))",
    ]
)


@st.composite
def cells(draw: st.DrawFn) -> str:
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):
            lines.append(f"{draw(NAMES)} = {draw(VALUES)}")
        else:
            lines.append(draw(MUTATIONS).format(a=draw(NAMES), b=draw(NAMES)))
    if draw(st.integers(0, 9)) == 0:
        lines.append("class P:\n    def get(self): return self.v")
    return "\n".join(lines)


START = """
import types
import numpy as np
scale = 2
class P:
    v = None
class D(dict):
    def __setitem__(self, key, value):
        super().__setitem__(key, [value])
class Q:
    def __init__(self, k):
        self.k = k
        self.v = scale
    def __getstate__(self):
        return self.k, self.v
    def __setstate__(self, state):
        self.k, self.v = state
        assert scale
def make(x):
    kept = x
    def f(): return kept
    return f
"""


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(cells(), min_size=1, max_size=8), st.data())
def test_every_recorded_state_comes_back_with_its_aliases(sources: list[str], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder, live_session(Path(folder)) as live:
        pictures = {live.cell(START): describe(live.ns)}
        for source in sources:
            commit = live.cell(source)
            if not live.not_stored:
                pictures[commit] = describe(live.ns)
        order = data.draw(st.permutations(list(pictures)))
        for commit in order[:4]:
            done = live.session.restore(commit)
            assert not done["not_restored"]
            assert describe(live.ns) == pictures[commit]
            if data.draw(st.booleans()):
                live.restart()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(cells(), min_size=1, max_size=5))
def test_undo_and_redo_are_inverses(sources: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, live_session(Path(folder)) as live:
        pictures = [describe(live.ns)]
        live.cell(START)
        pictures.append(describe(live.ns))
        for source in sources:
            live.cell(source)
            pictures.append(describe(live.ns))
        if live.not_stored:
            return
        for picture in reversed(pictures[:-1]):
            live.session.undo()
            assert describe(live.ns) == picture
        for picture in pictures[1:]:
            live.session.redo()
            assert describe(live.ns) == picture


def test_a_cell_that_changes_nothing_stores_no_new_version(live: Live) -> None:
    live.cell("import numpy as np\nx = [1]\na = np.arange(10)\nd = {'k': x}")
    live.cell("y = len(x) + a.sum()\nd['k']")
    observation = live.session.last_observation
    assert observation is not None
    assert observation.modified == ()
    assert observation.created == ("y",)


def test_a_checkout_followed_by_a_capture_stores_nothing_new(live: Live) -> None:
    commit = live.cell("import numpy as np\nx = [1, {2}]\na = np.arange(1000)\nb = a[3:]\nf = lambda: x")
    live.cell("x.append(3)\nb[0] = 9\ndel f")
    live.session.restore(commit)
    live.cell("pass")
    observation = live.session.last_observation
    assert observation is not None
    assert (observation.created, observation.modified, observation.deleted) == ((), (), ())


def test_objects_of_unchanged_variables_stay_the_very_same_objects(live: Live) -> None:
    live.cell("import numpy as np\nkept = [1]\nlarge = np.zeros(300_000)\nchanged = [2]")
    before = (id(live.ns["kept"]), id(live.ns["large"]))
    live.cell("changed.append(3)")
    done = live.session.undo()
    assert (id(live.ns["kept"]), id(live.ns["large"])) == before
    assert done["loaded"] == ["changed"]
    assert live.value("changed") == [2]


def test_views_are_views_again_and_keep_their_strides(live: Live) -> None:
    live.cell("import numpy as np\na = np.arange(24.0).reshape(4, 6)\nb = a[::2, ::-1]\nc = a.T")
    live.cell("a.flags.writeable = False")
    strides = live.value("(b.strides, c.strides)")
    commit = live.session.writer.position.head
    live.restart()
    live.session.restore(commit)
    assert live.value("np.shares_memory(a, b) and np.shares_memory(a, c)")
    assert live.value("(b.strides, c.strides)") == strides
    assert live.value("a.flags.writeable") is False


def test_an_array_that_is_seen_elsewhere_is_not_taken_over(live: Live) -> None:
    live.cell("import numpy as np\na = np.zeros(1_000_000)")
    elsewhere = live.ns["a"]
    live.cell("a[5] = 1.0")
    live.session.undo()
    assert live.value("a[5]") == 0.0
    assert elsewhere[5] == 1.0
    assert live.ns["a"] is not elsewhere


def test_a_view_that_nobody_records_keeps_its_array_from_being_taken_over(live: Live) -> None:
    live.cell("import numpy as np\na = np.zeros(1_000_000)")
    view = live.ns["a"][3:8]
    live.cell("a[5] = 1.0")
    live.session.undo()
    assert view[2] == 1.0
    assert live.value("a[5]") == 0.0


def test_an_array_only_the_variable_holds_is_taken_over(live: Live) -> None:
    live.cell("import numpy as np\na = np.zeros(1_000_000)")
    live.cell("a[5] = 1.0")
    address = live.value("a.ctypes.data")
    live.session.undo()
    assert live.value("a.ctypes.data") == address
    assert live.value("a.sum()") == 0.0
    live.session.redo()
    assert live.value("a[5]") == 1.0


def test_a_checkout_that_fails_leaves_everything_as_it_was(live: Live) -> None:
    first = live.cell(
        "import numpy as np, random, os\nrandom.seed(1)\na = np.zeros(1_000_000)\nflag = [True]\n"
        "class Picky:\n    def __setstate__(self, state):\n        if os.path.exists(BROKEN): raise ValueError('no')\n"
        f"        self.__dict__.update(state)\nBROKEN = {str(live.folder / 'broken')!r}\np = Picky()\n"
        "p.x = 1\nPicky.level = 1"
    )
    live.cell("a[7] = 3.0\np.x = 2\nPicky.level = 2\nopen(BROKEN, 'w').close()\nflag.append(False)\nrandom.random()")
    before = describe(live.ns)
    state = live.value("random.getstate()")
    head = live.session.writer.position.head
    with pytest.raises(CannotRestoreError, match="'p'"):
        live.session.restore(first)
    assert describe(live.ns) == before
    assert live.value("random.getstate()") == state
    assert live.value("type(p) is Picky")
    assert live.session.writer.position.head == head
    live.cell("after = 1")
    assert live.session.last_observation is not None
    assert live.session.last_observation.created == ("after",)


def test_a_class_whose_pickling_loses_something_is_named_and_not_stored(live: Live) -> None:
    live.cell(
        "class Lossy:\n    def __init__(self): self.kept, self.lost = 1, 2\n"
        "    def __getstate__(self): return {'kept': self.kept}\nx = Lossy()\ny = [1]"
    )
    assert "leaves out its attribute 'lost'" in live.not_stored["x"]
    assert "y" not in live.not_stored
    live.cell("x.lost = 3")
    done = live.session.undo()
    assert "x" in done["uncertain"]


def test_a_change_that_no_cell_accounts_for_becomes_a_commit_and_leaves_a_doubt(live: Live) -> None:
    hidden = live.cell("x = [[i] for i in range(200_000)]\ny = 1")
    live.session.settings = live.session.settings.__class__(record=live.session.settings.record.__class__(check_ms=0.0))
    middle = live.cell("y = 2")
    live.ns["x"][5].append("unseen")
    live.cell("y = 3")
    done = live.session.restore(middle)
    kinds = [live.repo.read_commit(c.id).kind.value for c in live.repo.log(live.session.notebook, limit=3)]
    assert "between" in kinds
    assert "x" in done["uncertain"]
    assert "x" not in live.session.restore(hidden)["uncertain"]


def test_what_cannot_be_stored_is_kept_and_called_uncertain_after_an_undo(live: Live) -> None:
    live.cell("g = (i for i in range(10))\nx = 1")
    live.cell("next(g)\nx = 2")
    generator = live.ns["g"]
    done = live.session.undo()
    assert live.ns["g"] is generator
    assert "generator" in done["uncertain"]["g"]
    assert live.value("x") == 1


def test_a_name_that_looks_like_a_secret_is_neither_stored_nor_touched(live: Live) -> None:
    commit = live.cell("API_KEY = 'sk-123456'\nx = 1")
    assert any("'API_KEY' is not recorded" in note for note in live.repo.read_commit(commit).notes)
    live.cell("x = 2\nAPI_KEY = 'sk-999'")
    live.session.undo()
    assert live.value("API_KEY") == "sk-999"
    packed = b"".join(path.read_bytes() for path in live.repo.root.rglob("*") if path.is_file())
    assert b"sk-123456" not in packed.replace(b"API_KEY = 'sk-123456'", b"")


def test_undoing_more_than_there_is_says_how_many_there_are(live: Live) -> None:
    live.cell("x = 1")
    with pytest.raises(InvalidInputError, match="1 step"):
        live.session.undo(5)
    assert live.value("x") == 1


def test_after_a_failure_to_save_nothing_is_replaced_and_the_next_cell_saves_all(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.cell("x = [1]\nz = 1")
    write = live.session.writer._write

    def fail(jobs: object) -> None:
        raise StoreUnavailableError("no space left on device")

    monkeypatch.setattr(live.session.writer, "_write", fail)
    with pytest.raises(StoreUnavailableError):
        live.cell("x.append(2)")
    with pytest.raises(StoreUnavailableError):
        live.cell("del z")
    with pytest.raises(StoreUnavailableError):
        live.session.undo()
    assert live.value("x") == [1, 2]
    monkeypatch.setattr(live.session.writer, "_write", write)
    commit = live.cell("w = 5")
    live.restart()
    live.session.restore(commit)
    assert describe(live.ns) == {"w": "5", "x": (0, "list", ["1", "2"])}


def test_a_forgotten_history_does_not_keep_a_live_session_from_recording(live: Live) -> None:
    from nbcellar.history.forget import forget_variable
    from nbcellar.store.interface import Kind
    from nbcellar.trust.keys import load_or_create
    from nbcellar.values.manifest import referenced_digests

    live.cell("private = list(range(50_000))\nx = [1]")
    live.cell("x.append(2)\ndel private")
    forget_variable(
        live.repo,
        live.session.notebook,
        "private",
        key=load_or_create(live.folder / "user"),
        children_of=lambda kind, data: referenced_digests(data) if kind is Kind.VALUE else [],
    )
    try:
        live.cell("y = 1")
    except StoreUnavailableError:
        pass
    commit = live.cell("y = 2")
    live.restart()
    live.session.restore(commit)
    assert live.value("(x, y)") == ([1, 2], 2)


def test_what_was_never_stored_does_not_go_without_a_word(live: Live) -> None:
    live.cell("x = 1")
    live.cell("x = (i for i in range(3))\ng = (i for i in range(3))")
    notes = live.session.undo()["notes"]
    assert [note.partition(" is gone")[0] for note in notes] == ["what 'g' held", "what 'x' held"]
    assert live.value("x") == 1


def test_idle_slices_come_to_an_end_and_see_large_values(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbcellar.session.recorder.LONGEST_IDLE_S", float("inf"))  # on a slow machine, too
    live.cell("x = [[i] for i in range(200_000)]\ny = [{'k': i} for i in range(50_000)]")
    live.session.settings = live.session.settings.__class__(record=live.session.settings.record.__class__(check_ms=0.0))
    live.cell("z = 1")
    slices = 0
    while not live.session.check_idle(0.001):
        slices += 1
        assert slices < 10
    live.cell("z = 2")
    live.ns["y"][7]["k"] = "unseen"
    while not live.session.check_idle(0.001):
        pass
    assert live.session.wait_saved(30)
    (newest,) = live.repo.log(live.session.notebook, limit=1)
    assert live.repo.read_commit(newest.id).kind.value == "between"


def test_a_small_strided_array_keeps_the_order_of_its_axes(live: Live) -> None:
    live.cell(
        "import numpy as np\nf = np.arange(200.0).reshape(10, 20).T[:, :4]\nc = np.arange(200.0).reshape(10, 20)[:, ::2]"
    )
    live.cell("f = c = None")
    live.session.undo()
    assert live.value("f.flags.f_contiguous and not f.flags.c_contiguous and c.flags.c_contiguous")
    assert live.value("f.tolist() == np.arange(200.0).reshape(10, 20).T[:, :4].tolist()")


def test_what_was_hung_on_a_frame_is_part_of_it(live: Live) -> None:
    live.cell(
        "import pandas as pd\ndf = pd.DataFrame({'a': ['x', 'y']})\ndf.a.str.upper(); df.unit = 'm'\nseries = df['a']\nseries.note = [1]"
    )
    live.cell("df.unit = 'km'; series.note.append(2)")
    live.cell("df.loc[0, 'a'] = 'z'; del series.note")
    live.session.undo()
    assert live.value("(df.unit, series.note)") == ("km", [1, 2])
    live.session.undo()
    assert live.value("(df.unit, series.note, df.a.str.upper().tolist())") == ("m", [1], ["X", "Y"])


def test_a_column_of_a_frame_with_an_index_of_dates_is_apart_from_the_frame(live: Live) -> None:
    pd = pytest.importorskip("pandas")
    if int(pd.__version__.partition(".")[0]) < 3:
        pytest.skip("such a column is a view of the frame before pandas 3")
    live.cell(
        "import io, pandas as pd\ndf = pd.read_csv(io.StringIO('d,a\\n2024-01-01,1\\n'), index_col=0, parse_dates=True)"
    )
    live.cell("a = df['a']")
    assert live.session.tracker.by_name["df"].names == ("df",)


def test_a_class_whose_module_is_no_text_does_not_keep_a_cell_from_being_recorded(live: Live) -> None:
    # Cython's type of functions is such a one before Python 3.11; numpy's generators hold them.
    live.cell("class Odd:\n    __module__ = property(lambda self: 'odd')\n    def __init__(self, x): self.x = x\nx = 1")
    live.cell("import numpy as np\nrng = np.random.default_rng(3); odd = [Odd(3)]; kind = type(odd[0])")
    before = live.value("rng.bit_generator.state")
    live.cell("rng.random(); odd[0].x = 4")
    live.session.undo()
    assert live.value("rng.bit_generator.state") == before
    assert {"rng", "x"} <= live.names()


def test_a_look_at_dates_is_no_change_of_them(live: Live) -> None:
    live.cell(
        "import pandas as pd\ns = pd.Series([1, 2], index=pd.to_datetime(['2024-01-01', '2024-03-01']))\na = s.index.array"
    )
    before = [live.session.tracker.by_name[name].version for name in "sa"]
    live.cell("s.index.unit, a.unit, s.index.is_monotonic_increasing, s.loc['2024-01'], s.index.inferred_freq, repr(s)")
    assert [live.session.tracker.by_name[name].version for name in "sa"] == before
