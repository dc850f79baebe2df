"""What notebooks do to their sessions that no engine asks for: values come back, or are named as ones that do not."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbcellar.errors import CannotRestoreError, NotTrustedError
from nbcellar.history.model import COMMIT_FORMAT, Commit, CommitKind, StateDelta
from nbcellar.ids import CommitId
from nbcellar.trust.keys import load_or_create

from .live import Live, live_session


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_session(tmp_path) as found:
        yield found


# Setup, what a later cell does, and an expression that must be true after going back: it may write to look.
MEMORY = {
    "element of a structured array": (
        "a = np.zeros(3, dtype=[('x', 'i4'), ('y', 'f8')]); v = a[1]",
        "v['x'] = 9",
        "v['x'] == 0 and v.__setitem__('y', 7.0) is None and a['y'][1] == 7.0",
    ),
    "two names for one structured scalar": (
        "a = np.zeros(1, dtype=[('x', 'i4')])[0].copy(); b = a",
        "b['x'] = 9",
        "b is a and a['x'] == 0",
    ),
    "array over a bytearray": (
        "b = bytearray(1000); v = np.frombuffer(b, np.uint8)",
        "v[0] = 5",
        "b[0] == 0 and v.__setitem__(1, 3) is None and b[1] == 3",
    ),
    "array over an array.array": (
        "import array; b = array.array('d', range(100)); v = np.frombuffer(b)[2:]",
        "v[0] = 5",
        "b[2] == 2 and v.__setitem__(1, 33) is None and b[3] == 33",
    ),
    "array over a mapped file": (
        "import tempfile; p = tempfile.mktemp(); m = np.memmap(p, 'f8', 'w+', shape=(50, 4)); v = m[10:, ::2]",
        "v[0] = 5",
        "m[10, 0] == 0 and type(v) is np.memmap and v.__setitem__((1, 1), 3) is None and m[11, 2] == 3",
    ),
    "view of an array of objects": (
        "o = np.array([0, 1, 2], dtype=object); v = o[1:]",
        "v[0] = 5",
        "o[1] == 1 and v.__setitem__(1, 3) is None and o[2] == 3",
    ),
}


@pytest.mark.parametrize("case", MEMORY)
@pytest.mark.parametrize("anew", [False, True])
def test_memory_that_two_variables_see_is_seen_by_both_again(live: Live, case: str, anew: bool) -> None:
    setup, change, holds = MEMORY[case]
    live.cell("import numpy as np")
    target = live.cell(setup)
    if anew:
        live.restart()
        live.cell("pass")
    else:
        live.cell(change)
    live.session.checkout(target, None)
    assert live.value(holds), live.names()


UNFAITHFUL = {
    "a part of a view of objects": "import numpy as np\no = np.array([1, 2, 3], dtype=object); c = o.data[1:]",
    "its name stands for it": "class C:\n    def __reduce__(self): return 'c'\nc = C(); c.v = 1",
    "it answers to everything": "class C:\n    def __getattr__(self, n): return lambda *a: None\nc = C(); c.v = 1",
    "loading ends the process": "class C:\n    def __setstate__(self, d): raise SystemExit\nc = C(); c.v = 1",
    "a counter forgets it": "import collections\nclass C(collections.Counter): pass\nc = C(); c.v = 1",
    "a slot of a date": "import datetime\nclass C(datetime.date):\n    __slots__ = ('v',)\nc = C(2020, 1, 1); c.v = 1",
    "fields of a structured array of objects": (
        "import numpy as np\nc = np.zeros(3, [('o', object), ('i', int)]); v = c['i']"
    ),
}


@pytest.mark.parametrize("case", UNFAITHFUL)
def test_what_would_come_back_as_something_else_is_not_stored(live: Live, case: str) -> None:
    live.cell(UNFAITHFUL[case])
    assert "c" in live.not_stored


KEPT_ATTRIBUTES = ["datetime.datetime(2020, 1, 1)", "decimal.Decimal('1.5')", "collections.defaultdict(list)"]


@pytest.mark.parametrize("made", KEPT_ATTRIBUTES)
def test_attributes_of_a_subclass_come_back_where_its_base_forgets_them(live: Live, made: str) -> None:
    base, arguments = made.partition("(")[::2]
    live.cell(f"import datetime, decimal, collections\nclass C({base}): pass\nc = C({arguments}\nc.v = [1]")
    target = live.cell("d = c.v")
    live.cell("d.append(2)")
    live.session.checkout(target, None)
    assert live.value("c.v == [1] and c.v is d and type(c) is C")


def test_a_slice_is_as_mutable_as_what_it_holds(live: Live) -> None:
    target = live.cell("s = slice([1], 2)")
    live.cell("s.start.append(2)")
    live.session.checkout(target, None)
    assert live.value("s.start == [1]")


def test_code_of_a_class_sees_its_own_arrays_only(live: Live) -> None:
    live.cell(
        "import numpy as np\n"
        "class C:\n"
        "    def __getstate__(self): return self.a - 1\n"
        "    def __setstate__(self, a):\n"
        "        a += 1\n"
        "        self.a, self.total = a, a.sum()"
    )
    target = live.cell("c = C.__new__(C); c.__setstate__(np.arange(300_000.0))\ntotal = c.total")
    live.cell("a = c.a - 1; a[5] = 1e9; del c")  # an array that could be taken over for the one of `c`
    live.session.checkout(target, None)
    assert live.value("c.total == total and c.a.sum() == total")


@pytest.fixture
def surroundings() -> Iterator[None]:
    path, variables = list(sys.path), dict(os.environ)
    yield
    sys.path[:] = path
    os.environ.clear()
    os.environ.update(variables)


@pytest.fixture
def foreign(live: Live, surroundings: None) -> CommitId:
    """Give a commit that somebody else signed, without variables but with a search path, and a kernel of our own."""
    made = live.cell("import sys, os; sys.path.insert(0, 'theirs'); os.environ['LD_PRELOAD_X'] = 'theirs'; del sys, os")
    sys.path.remove("theirs")
    del os.environ["LD_PRELOAD_X"]
    (live.folder / "user").rename(live.folder / "them")
    live.restart()
    live.cell("x = 1")
    return made


def test_surroundings_that_somebody_else_recorded_are_not_restored(live: Live, foreign: CommitId) -> None:
    for go in (lambda: live.session.checkout(foreign, None), lambda: live.session.restore(foreign)):
        with pytest.raises(NotTrustedError):
            go()
    assert "theirs" not in sys.path and "LD_PRELOAD_X" not in os.environ and live.value("x") == 1


def test_surroundings_stay_foreign_under_a_commit_of_our_own(live: Live, foreign: CommitId) -> None:
    key = load_or_create(live.folder / "user")
    notebook = live.session.notebook
    with live.repo.begin(notebook, key) as recorder:
        ours = recorder.commit(
            Commit(
                format=COMMIT_FORMAT,
                notebook=notebook,
                parents=(foreign,),
                kind=CommitKind.NAMED,
                time_ns=1,
                author="us",
                message="ours",
                state=StateDelta(base=foreign),
            )
        )
        recorder.finish()
    with pytest.raises(NotTrustedError):
        live.session.restore(ours)
    assert "theirs" not in sys.path and live.value("x") == 1


@pytest.mark.parametrize("where", ["tracker._new_group", "tracker._drop_unneeded_definitions", "_job", "_version"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_what_was_looked_at_half_is_looked_at_again(
    live: Live, monkeypatch: pytest.MonkeyPatch, where: str, error: type[BaseException]
) -> None:
    live.cell("a = [1]; b = [2]; c = [3]")
    holder, name = (live.session.tracker, where[8:]) if "." in where else (live.session, where)

    def fail(*args: object, **kwargs: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(holder, name, fail)
        try:
            live.cell("a.append(1); del b; d = [4]")
        except MemoryError:
            pass
    target = live.cell("pass")
    live.cell("a.clear(); d.clear(); b = 1")
    live.session.checkout(target, None)
    assert live.names() == {"a", "c", "d"}
    assert live.value("(a, c, d) == ([1, 1], [3], [4])")
    live.restart()
    live.session.restore(target)
    assert live.names() == {"a", "c", "d"}


def test_a_value_whose_pickle_differs_each_time_is_recorded_before_it_is_replaced(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.cell(
        "import time\n"
        "class C:\n"
        "    def __init__(self, v, when=0): self.v = v\n"
        "    def __reduce__(self): return C, (self.v, time.perf_counter_ns())"
    )
    first = live.cell("c = C(1)")
    live.cell("c = C(2)")
    live.cell("x = 1")  # c is looked at, and found to differ from itself
    live.ns["c"].v = 3  # a callback, say
    jobs = []
    submit = live.session._submit
    monkeypatch.setattr(live.session, "_submit", lambda job: (jobs.append(job), submit(job)))
    live.session.checkout(first, None)
    assert live.value("c.v") == 1
    assert jobs and jobs[0].commit is not None
    live.session.checkout(jobs[0].commit, None)
    assert live.value("c.v") == 3


def test_odd_names_in_the_namespace_keep_nothing_else_from_being_recorded(live: Live) -> None:
    target = live.cell("a = [1]")
    live.cell("class S(str): pass\nglobals().update({'': 1, 'a b': [2], '\\ud800': 3, 5: 4, S('s'): 5})\na.append(2)")
    live.session.undo()
    assert live.value("a == [1]")
    live.session.checkout(target, None)


def test_thousands_of_variables_are_looked_at_within_the_budget(live: Live) -> None:
    live.cell("import numpy as np\nfor i in range(700): globals()[f'a{i}'] = np.arange(9)")
    live.cell("for i in range(700): globals()[f'b{i}'] = [i]")
    assert not live.not_stored
    assert len({group for group in live.session.tracker.groups() if len(group.names) == 1}) >= 1400


def test_instances_of_a_class_that_cannot_be_stored_come_back_while_the_class_is_there(live: Live) -> None:
    target = live.cell("import ctypes\nclass S(ctypes.Structure): _fields_ = [('a', ctypes.c_int)]\ns = S(3); t = S(4)")
    live.cell("S.note = 1; s.a = 5")
    live.session.checkout(target, None)
    assert live.value("(s.a, t.a) == (3, 4) and type(s) is S and type(t) is S")
    assert "S" in live.not_stored


def test_an_array_of_objects_stays_read_only(live: Live) -> None:
    target = live.cell("import numpy as np\no = np.array([1, 2], dtype=object); o.flags.writeable = False")
    live.restart()
    live.cell("pass")
    live.session.restore(target)
    assert live.value("o.tolist() == [1, 2] and not o.flags.writeable")


COLUMNS = [
    "pd.Categorical(['a', 'b'] * 9)",
    "np.zeros(99)",
    "np.array([[], 'x'] * 9, dtype=object)",
    "pd.array([1, None])",
]


@pytest.mark.parametrize("column", COLUMNS)
def test_two_frames_over_one_column_are_still_kept_apart_when_they_come_back(live: Live, column: str) -> None:
    live.cell(f"import numpy as np, pandas as pd\nf = pd.DataFrame({{'a': {column}}})")
    if int(live.value("pd.__version__").partition(".")[0]) < 3:
        pytest.skip("pandas 2 lets a shallow copy share")
    live.cell("both = (f, f.copy(deep=False))\nlast = f.iloc[-1, 0]")
    live.restart()
    live.cell("pass")
    live.session.restore(None)
    live.cell("both[1].iloc[-1, 0] = both[1].iloc[0, 0]")
    assert live.value("both[0].iloc[-1, 0] is last or both[0].iloc[-1, 0] == last")


def test_what_could_not_be_saved_whole_is_not_replaced(live: Live) -> None:
    target = live.cell("import numpy as np\na = np.zeros(300_000)")
    live.cell("a[0] = 1")
    look = live.session._look_at_replaced

    def look_and_tear(*args: object) -> object:
        found = look(*args)
        live.session.writer.torn.add("a")
        return found

    live.session._look_at_replaced = look_and_tear
    with pytest.raises(CannotRestoreError, match="a changed while it was being saved"):
        live.session.checkout(target, None)
    assert live.value("a[0] == 1")


@pytest.mark.parametrize(
    ("make", "change", "truth"),
    [
        (
            "run = ({'loss': [1]}, 'adam')\nresults = [run]",
            "run[0]['loss'].append(2)",
            "run[0]['loss'] is results[0][0]['loss']",
        ),
        ("t = ([1],)\nu = t", "t[0].append(2)", "t[0] is u[0]"),
        ("t = ([1],)\nlast = [t[0]]\ndel t\nv = (last[0],)", "v[0].append(2)", "v[0] is last[0]"),
        ("class A: pass\npair = (A(), A())\nold = pair", "pair[0].n = 1", "pair[0] is old[0] and pair[1] is old[1]"),
        ("f = frozenset([1])\nkept = (f, {'a': []})\nalias = kept", "kept[1]['a'].append(1)", "kept[1] is alias[1]"),
        (
            "import heapq\nheap = [(2, [0]), (1, [1])]\nheapq.heapify(heap)\ntop = heap[0]",
            "top[1].append(2)",
            "top[1] is heap[0][1]",
        ),
        ("rows = [(i, [i]) for i in range(5000)]\nrow = rows[7]", "row[1].append(2)", "row[1] is rows[7][1]"),
        ("d = {(): ({},)}\ninner = d[()]", "inner[0]['x'] = 1", "inner[0] is d[()][0]"),
    ],
)
def test_what_only_a_tuple_holds_is_shared_state(live: Live, make: str, change: str, truth: str) -> None:
    live.cell(make)
    live.cell(change)
    for _ in range(2):
        live.session.undo()
        assert live.value(truth)
        live.session.redo()
        assert live.value(truth)
    live.restart()
    live.session.restore(None)
    assert live.value(truth)


@pytest.mark.parametrize(
    ("make", "change", "value"),
    [
        (
            "class D(dict):\n    def __setitem__(s, k, v): super().__setitem__(k, v * 2)\nd = D()\nd['a'] = 1\nd.n = 1",
            "d['b'] = 1",
            "(dict(d), d.n, type(d) is D)",
        ),
        (
            "class L(list):\n    def append(s, v): super().append(v + 1)\n    def extend(s, vs): [s.append(v) for v in vs]\n"
            "d = L()\nd.append(1)",
            "d.append(2)",
            "list(d)",
        ),
        (
            "class S(set):\n    def __init__(s, it=()): super().__init__(x + 1 for x in it)\nd = S([1, 2])",
            "d.add(9)",
            "sorted(d)",
        ),
        (
            "from collections import OrderedDict\nclass O(OrderedDict):\n    def __setitem__(s, k, v):\n"
            "        super().__setitem__(k, v)\n        s.move_to_end(k, last=False)\nd = O()\nd['a'] = 1\nd['b'] = 2",
            "d['c'] = 3",
            "list(d.items())",
        ),
        (
            "class G(dict):\n    def __init__(s, log): s.log = log\n    def __setitem__(s, k, v):\n"
            "        s.log.append(k)\n        super().__setitem__(k, v)\nlog = []\nd = G(log)\nd['a'] = 1",
            "d['b'] = 2",
            "(dict(d), d.log is log, log)",
        ),
        (
            "class W(list):\n    __slots__ = ('unit',)\n    def append(s, v): super().append(str(v))\nd = W()\nd.unit = 'm'",
            "d.append(1)",
            "(list(d), d.unit)",
        ),
        (
            "class R(list):\n    def append(s, v): super().append(v)\nd = R()\nd.append(d)",
            "d.append(1)",
            "(len(d), d[0] is d)",
        ),
    ],
)
def test_containers_with_methods_of_their_own_hold_what_they_held(
    live: Live, make: str, change: str, value: str
) -> None:
    live.cell(make)
    first = repr(live.value(value))
    live.cell(change)
    second = repr(live.value(value))
    assert first != second
    for _ in range(2):
        live.session.undo()
        assert repr(live.value(value)) == first
        live.session.redo()
        assert repr(live.value(value)) == second
    live.restart()
    live.session.restore(None)
    assert repr(live.value(value)) == second


def test_what_a_class_leaves_out_is_missed_later_too(live: Live) -> None:
    live.cell(
        "class Model:\n    def __init__(s, n): s.n, s.w = n, []\n    def __reduce__(s): return Model, (s.n,)\nm = Model(3)"
    )
    assert live.not_stored == {}
    live.cell("m.w.append(1.5)")
    assert "'w'" in live.not_stored["m"] or "Model.w" in live.not_stored["m"]


def test_what_a_registered_reducer_leaves_out_is_named(live: Live) -> None:
    live.cell("import copyreg\nclass Q:\n    def __init__(s): s.a = 1\ncopyreg.pickle(Q, lambda q: (Q, ()))\nq = Q()")
    live.cell("q.b = 5")
    assert "'b'" in live.not_stored["q"]


def test_results_that_a_function_keeps_do_not_outlive_a_step_back(live: Live) -> None:
    live.cell("import functools\ncfg = {'k': 1}\n@functools.cache\ndef load(): return cfg['k']")
    live.cell(
        "class A:\n    @classmethod\n    @functools.lru_cache\n    def read(cls): return cfg['k']\n"
        "    @functools.cached_property\n    def one(self): return 1"
    )
    live.cell("cfg['k'] = 2\nload()\nA.read()")
    done = live.session.undo()
    assert live.value("(load(), A.read())") == (1, 1)
    assert done["notes"] == ["results kept by A, load were dropped"]


def test_a_module_made_in_the_notebook_is_looked_at(live: Live) -> None:
    live.cell("import types\ncfg = types.ModuleType('cfg')\ncfg.x = [1]\nalso = cfg")
    live.cell("cfg.x.append(2)")
    live.session.undo()
    assert live.value("(cfg.x, also is cfg)") == ([1], True)
    live.session.redo()
    live.restart()
    live.session.restore(None)
    assert live.value("(cfg.x, also is cfg)") == ([1, 2], True)


@pytest.mark.parametrize("name", ["open", "exit", "quit"])
def test_names_that_the_shell_has_too_are_recorded(live: Live, name: str) -> None:
    live.cell(f"{name}, high = [1.0], [2.0]")
    live.cell(f"{name}.append(9)\nhigh.append(9)")
    live.session.undo()
    assert live.value(f"({name}, high)") == ([1.0], [2.0])


def test_what_holds_on_to_replaced_objects_is_said_each_time(live: Live) -> None:
    live.cell("import threading\nd = [1]\nclass H: pass\nh = H()\nh.lock, h.d = threading.Lock(), d")
    live.cell("d.append(2)")
    for step in ("undo", "redo", "undo"):
        assert "h" in getattr(live.session, step)()["uncertain"]


def test_what_holds_numpys_own_random_stream_draws_from_it_again(live: Live) -> None:
    live.cell("import numpy as np\nstream = np.random.mtrand._rand\nheld = [stream]\nnp.random.seed(1)")
    live.cell("held.append(np.random.rand())\nstream = None")
    live.session.undo()
    assert live.value("stream is np.random.mtrand._rand and held[0] is stream")
    live.restart()
    live.session.restore(None)
    assert live.value("held[0] is __import__('numpy').random.mtrand._rand")


def test_a_sentinel_of_a_library_is_the_very_object_again(live: Live) -> None:
    live.cell(
        "import functools, dataclasses\nempty = object()\nheld = [functools._initial_missing, empty]\nalso = empty"
    )
    live.cell("held.append(1)")
    live.session.undo()
    assert live.value("held[0] is functools._initial_missing and held[1] is empty is also and len(held) == 2")
    live.restart()
    live.session.restore(None)
    assert live.value("held[0] is functools._initial_missing and held[1] is empty is also")
