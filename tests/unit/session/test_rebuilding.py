"""Code of the notebook that runs while its objects are rebuilt sees the state that is being built."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbcellar.errors import CannotRestoreError

from .live import Live, live_session

SCALED = """
SCALE = 2
class A:
    def __init__(self, x):
        self.x = x
        self.y = x * SCALE
    def __getstate__(self):
        return self.x
    def __setstate__(self, x):
        self.x = x
        self.y = x * SCALE
a = A(3)
"""
LOCKED = """
import threading
class W:
    def __init__(self):
        self.n = 0
        self.lock = threading.Lock()
    def __getstate__(self):
        return {'n': self.n}
    def __setstate__(self, state):
        self.n = state['n']
        self.lock = threading.Lock()
w = W()
data = [1]
"""
KEYED = """
import json
def key(text):
    return text.lower()
class K:
    def __init__(self, text):
        self.text = text
    def __hash__(self):
        return hash(key(self.text) + json.dumps(1))
    def __eq__(self, other):
        return key(self.text) == key(other.text)
d = {K('aB'): 1}
"""
REDUCED = """
class Model:
    def __init__(self, n):
        self.n = n
    def __reduce__(self):
        return Model, (self.n,)
m = Model(3)
"""
METACLASS = """
class M(type):
    all = []
    def __init__(cls, *a):
        M.all.append(cls)
class P(metaclass=M):
    kids = M.all
class C(P):
    pass
c = C()
"""


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_session(tmp_path) as session:
        yield session


def test_a_constant_that_rebuilding_uses_is_that_of_the_state(live: Live) -> None:
    live.cell(SCALED)
    live.cell("SCALE = 10\na = A(4)")
    live.session.undo()
    assert live.value("(SCALE, a.x, a.y)") == (2, 3, 6)
    live.session.redo()
    assert live.value("(SCALE, a.x, a.y)") == (10, 4, 40)


@pytest.mark.parametrize(
    ("source", "truth"),
    [
        (SCALED, "a.y == 6"),
        (LOCKED, "w.n == 0 and w.lock.acquire() and data == [1]"),
        (KEYED, "d[K('Ab')] == 1"),
        (REDUCED, "m.n == 3 and type(m) is Model"),
    ],
)
def test_what_rebuilding_needs_is_there_in_a_new_kernel(live: Live, source: str, truth: str) -> None:
    live.cell(source)
    live.restart()
    live.session.restore(None)
    assert live.value(truth)


def test_a_hash_that_was_changed_is_that_of_the_state(live: Live) -> None:
    live.cell(KEYED)
    live.cell("def key(text):\n    return text\nd = {K('x'): 2}")
    live.session.undo()
    assert live.value("d[K('Ab')]") == 1


def test_what_was_bound_while_rebuilding_failed_is_taken_back(live: Live) -> None:
    flag = live.folder / "flag"
    live.cell(
        "import os\nclass A:\n    def __setstate__(self, state):\n"
        f"        if os.path.exists({str(flag)!r}): raise ValueError\n        vars(self).update(state)\nn = 1\na = A()\na.x = 1"
    )
    live.cell("import math\nn = 2\na = 3\nkept = 4")
    flag.touch()
    before = dict(live.ns)
    with pytest.raises(CannotRestoreError):
        live.session.undo()
    assert list(live.ns.items()) == list(before.items())


@pytest.mark.parametrize(
    "source",
    [
        "class P:\n    kids = []\nclass C(P): pass\nP.kids.append(C)\nc = C()",
        "class P:\n    kids = []\n    def __init_subclass__(cls): P.kids.append(cls)\nclass C(P): pass\nc = C()",
        METACLASS,
    ],
)
def test_classes_that_know_each_other_come_back(live: Live, source: str) -> None:
    live.cell(source)
    changed = live.cell("P.kids.append(1)")
    truth = "P.kids.count(C) == 1 and type(c) is C and C.__mro__[1] is P"
    live.session.undo()
    assert live.value(truth) and live.value("1 not in P.kids")
    live.session.redo()
    assert live.value(truth) and live.value("P.kids[-1] == 1")
    live.restart()
    live.session.restore(changed)
    assert live.value(truth) and live.value("P.kids[-1] == 1")


def test_names_that_the_state_does_not_have_are_not_seen(live: Live) -> None:
    source = "    def {0}(s, x): s.x = x; s.y = globals().get('K', 0)\n"
    live.cell(
        "class A:\n"
        + source.format("__init__")
        + source.format("__setstate__")
        + "    def __getstate__(s): return s.x\na = A(3)"
    )
    live.cell("K = 5\na = A(4)")
    live.session.undo()
    assert live.value("(a.x, a.y)") == (3, 0)
    live.session.redo()
    assert live.value("(a.x, a.y, K)") == (4, 5, 5)


def test_a_class_that_loads_at_the_second_try_is_one_class(live: Live) -> None:
    live.cell(
        "class H:\n    def __setstate__(s, d): s.v = d['v'] * ONE\nONE = 1\nclass P: kids = []\nclass C(P): pass\n"
        "P.kids.append(C)\nP.h = H()\nP.h.v = 3\nc = C()"
    )
    live.cell("P.n = 1\ndel ONE")
    live.session.undo()
    assert live.value("(issubclass(C, P), isinstance(c, P), P.h.v, P.kids[0] is C)") == (True, True, 3, True)


def test_attributes_that_answer_anything_are_not_asked(live: Live) -> None:
    live.cell("class Cfg(dict):\n    __getattr__ = dict.__getitem__\nclass A:\n    cfg = Cfg(a=1)\nx = 1")
    live.cell("x = 2")
    live.session.undo()
    assert live.value("(x, A.cfg.a)") == (1, 1)


def test_looking_at_a_tree_of_dicts_grows_nothing(live: Live) -> None:
    live.cell(
        "class Tree(dict):\n    __slots__ = ()\n    def __init__(s, *a): super().__init__(*a)\n"
        "    def __missing__(s, k):\n        v = s[k] = Tree()\n        return v\n    __getattr__ = dict.__getitem__\n"
        "t = Tree()\nt['a'] = 1"
    )
    assert live.value("dict.__repr__(t)") == "{'a': 1}"
    live.cell("t['b'] = 2")
    live.session.undo()
    assert live.value("dict.__repr__(t)") == "{'a': 1}"


def test_a_dict_that_is_its_own_attributes_has_no_item_of_that(live: Live) -> None:
    live.cell(
        "class D(dict):\n    def __init__(s): object.__setattr__(s, '__dict__', s)\n"
        "    def __setattr__(s, k, v): s[k] = v\nd = D()\nd.z = 0"
    )
    live.cell("d.a = 1")
    live.session.undo()
    assert live.value("(list(d), d.__dict__ is d)") == (["z"], True)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("class Cm(float):\n    def __new__(cls, v): return super().__new__(cls, v * 100)\nc = Cm(1)", "float(c)"),
        (
            "class T(tuple):\n    def __new__(cls, *v): return super().__new__(cls, [x * 2 for x in v])\nc = T(1, 2)",
            "tuple(c)",
        ),
        (
            "class N(int):\n    def __new__(cls, v): return super().__new__(cls, v + 1)\nc = N(1)\nc.unit = 'm'",
            "(int(c), c.unit)",
        ),
        ("class U(str):\n    def __new__(cls, a, b): return super().__new__(cls, a + b)\nc = U('a', 'b')", "str(c)"),
    ],
)
def test_values_with_a_constructor_of_their_own_are_what_they_were(live: Live, source: str, value: str) -> None:
    live.cell(source)
    before = live.value(value)
    live.cell("c = 0")
    live.session.undo()
    assert live.value(value) == before and live.value("type(c).__name__ in globals()")
    live.cell("d = c")
    live.session.undo()
    live.restart()
    live.session.restore(None)
    assert live.value(value) == before


def test_trying_a_class_out_binds_nothing(live: Live) -> None:
    live.cell(
        "G = [1]\nclass B:\n    def __init__(s): s.x = 1\n    def __setstate__(s, d):\n        global G, LAST\n"
        "        s.__dict__.update(d)\n        G = None\n        LAST = s\nb = B()"
    )
    assert live.value("G") == [1] and "LAST" not in live.ns


def test_a_class_is_not_tried_out_again_while_nothing_changed(live: Live) -> None:
    live.cell(
        "seen = []\nclass A:\n    def __setstate__(s, d):\n        s.__dict__.update(d)\n        seen.append(1)\na = A()\na.x = [1]"
    )
    count = len(live.value("seen"))
    for _ in range(3):
        live.cell("a.x[0], a")
    assert len(live.value("seen")) <= count + 1
    live.cell("a.x.append(2)")
    assert live.not_stored == {}


def test_what_rebuilding_writes_to_another_variable_is_taken_back(live: Live) -> None:
    target = live.cell(
        "LOG = []\nn = [0]\nclass A:\n    def __init__(s, x): s.x = x\n"
        "    def __setstate__(s, d):\n        s.__dict__.update(d)\n        LOG.append(s.x)\na = A(3)"
    )
    live.ns["LOG"].clear()  # trying the class out has written to it
    target = live.cell("n[0] = 1\nLOG")
    assert live.value("LOG") == []
    live.restart()
    live.session.restore(target)
    assert live.value("(LOG, a.x, n)") == ([], 3, [1])
    live.cell("a.x = 4\nn[0] = 2")
    live.ns["LOG"].clear()
    live.cell("LOG")
    live.session.undo(2)
    assert live.value("(a.x, n)") == (3, [1])


CIRCLES = {
    "an instance before its base": (
        "class shop:\n    made = []\nclass Corner(shop): pass\nBusy = Corner()\nshop.made.append(Busy)",
        "isinstance(Busy, shop) and type(Busy) is Corner and shop.made[0] is Busy",
    ),
    "a base that was redefined": (
        "class Shop:\n    made = []\nclass Corner(Shop): pass\nbusy = Corner()\nShop.made.append(busy)\nOld = Shop\n"
        "class Shop: pass\ndel Old, Corner",
        "type(busy).__mro__[1] is not Shop and type(busy).__mro__[1].made[0] is busy",
    ),
    "an instance before its metaclass": (
        "class meta(type):\n    made = []\nclass Corner(metaclass=meta): pass\nBusy = Corner()\nmeta.made.append(Busy)",
        "type(Corner) is meta and meta.made[0] is Busy and type(Busy) is Corner",
    ),
}


@pytest.mark.parametrize("case", CIRCLES)
def test_a_base_class_that_holds_an_instance_of_its_subclass_comes_back(live: Live, case: str) -> None:
    make, truth = CIRCLES[case]
    made = live.cell(make)
    assert live.value(truth)
    live.restart()
    live.session.restore(made)
    assert live.value(truth)
