"""A class whose own pickling gives something else is found wherever its instances are held, named, and not stored."""

from __future__ import annotations

import copyreg
import fractions
from collections.abc import Iterator
from pathlib import Path

import pytest

from .live import Live, live_session

FIVE = "class C:\n    def __reduce__(self): return (int, (5,))\n"

HELD = {  # where the instance is: `x` holds it
    "alone": "x = C()",
    "deep in containers": "x = {'a': [1, (2, [C()])]}",
    "in a long list": "x = [[i] for i in range(5000)] + [C()]",
    "in a set": "x = {C()}",
    "as a key": "x = {C(): 1}",
    "in an array of objects": "import numpy as np; x = np.array([C(), None], dtype=object)",
    "in a column": "import pandas as pd; x = pd.DataFrame({'a': [C(), C()]})",
    "in a deque": "import collections; x = collections.deque([C()])",
    "in a namespace": "import types; x = types.SimpleNamespace(a=C())",
    "in a view of a dict": "import types; x = types.MappingProxyType({'a': C()})",
    "in a dict of a library": "import collections; x = collections.UserDict(a=C())",
    "in a closure": "x = (lambda c: lambda: c)(C())",
    "in a default": "def x(c=C()): return c",
    "in a partial": "import functools; x = functools.partial(print, C())",
    "in an estimator": "from sklearn.linear_model import Ridge; x = Ridge(); x.mine = C()",
    "in an object of the notebook": "class H: pass\nx = H(); x.c = C()",
    "in a class": "class x: c = C()",
    "in its own class": "C.only = C(); x = C",
}

HOW = {  # code that makes `x`, and what is said of it
    "by __reduce_ex__": (
        "class C:\n    def __reduce_ex__(self, p): return (int, (5,))\nx = C()",
        "class C comes back as int",
    ),
    "by copyreg": (
        "import copyreg\nclass C: pass\ncopyreg.pickle(C, lambda c: (int, (5,)))\nx = [C()]",
        "comes back as int",
    ),
    "by copyreg, for a class of a library": (
        "import copyreg, fractions\ncopyreg.pickle(fractions.Fraction, lambda c: (int, (5,)))\nx = [fractions.Fraction(1, 2)]",
        "class Fraction comes back as int, not Fraction",
    ),
    "by an attribute": (
        "class C: pass\nx = C()\nx.__reduce_ex__ = lambda p: (int, (5,))",
        "class C comes back as int, not C",
    ),
    "as an object of another class": (
        "class D: pass\nclass C:\n    def __reduce__(self): return (D, ())\nx = C()",
        "class C comes back as D, not C",
    ),
    "as another object of its class": (
        "class C:\n    def __init__(self, v=0): self.v = v\n    def __reduce__(self): return (C, ())\nx = C(3)",
        "C.v comes back as 0 instead of 3",
    ),
    "as a name": (
        "class C:\n    def __reduce__(self): return 'y'\ny = 5\nx = C()",
        "class C says that it is found under",
    ),
    "as an equal number": (
        "class C(int):\n    def __reduce__(self): return (int, (int(self),))\nx = [C(5)]",
        "comes back as int",
    ),
    "without an attribute": (
        "class C:\n    def __init__(s): s.a = 1; s.lost = {1: 2}\n    def __getstate__(s): return {'a': s.a}\nx = [C()]",
        "class C leaves out its attribute 'lost'",
    ),
    "without an attribute, of much": (
        "class C:\n    def __init__(s): s.a = list(range(500_000)); s.lost = 1\n    def __getstate__(s): return {'a': s.a}\nx = C()",
        "class C leaves out its attribute 'lost'",
    ),
    "without an attribute, one of many": (
        "class C:\n    def __init__(s): s.a = 'a' * 3000\n    def __getstate__(s): return {'a': s.a}\n"
        "x = [C() for _ in range(900)]; x[7].lost = 1",
        "class C leaves out its attribute 'lost'",
    ),
    "with an attribute more": (
        "class C:\n    def __init__(s): s.a = 1\n    def __setstate__(s, d): s.__dict__.update(d); s.more = 1\nx = [C()]",
        "class C adds the attribute 'more'",
    ),
    "with an item more": (
        "class C:\n    def __init__(s): s.d = {'a': 1}\n    def __setstate__(s, d): s.__dict__.update(d); s.d['b'] = 1\nx = C()",
        "C.d comes back with a new item 'b'",
    ),
    "with fewer elements of a set": (
        "class C:\n    def __init__(s): s.d = {1, 2}\n    def __setstate__(s, d): s.d = set(list(d['d'])[1:])\nx = C()",
        "C.d comes back with 1 elements instead of 2",
    ),
    "with other elements of an array": (
        "import numpy as np\nclass C:\n    def __init__(s): s.d = np.arange(3)\n"
        "    def __setstate__(s, d): s.d = d['d'] * 2\nx = C()",
        "C.d comes back with other elements",
    ),
}


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    known = dict(copyreg.dispatch_table)
    with live_session(tmp_path) as made:
        yield made
    copyreg.dispatch_table.clear()
    copyreg.dispatch_table.update(known)
    assert fractions.Fraction not in known


@pytest.mark.parametrize("where", HELD)
def test_an_object_that_pickles_as_something_else_is_named_wherever_it_is(live: Live, where: str) -> None:
    live.cell("y = 1")
    commit = live.cell(FIVE + HELD[where])
    assert live.not_stored["x"] == "an object of class C comes back as int, not C"
    assert "y" not in live.not_stored
    live.cell("x = 0; y = 2")
    report = live.session.restore(commit)
    assert "class C comes back as int" in report["not_restored"]["x"]
    assert live.value("y") == 1


@pytest.mark.parametrize("how", HOW)
def test_however_a_class_pickles_as_something_else_what_is_lost_is_named(live: Live, how: str) -> None:
    code, reason = HOW[how]
    live.cell(code)
    assert reason in live.not_stored["x"]


FAITHFUL = {
    "__reduce__": "class C:\n    def __init__(s, a): s.a = a\n    def __reduce__(s): return (C, (s.a,))\nx = [C([4])]",
    "__getstate__": "class C:\n    def __init__(s, a): s.a = a\n    def __getstate__(s): return {'a': s.a}\nx = {C([4])}",
    "copyreg": (
        "import copyreg\nclass C:\n    def __init__(s, a): s.a = a\ncopyreg.pickle(C, lambda c: (C, (c.a,)))\nx = (C([4]),)"
    ),
    "__deepcopy__": "class C:\n    def __init__(s, a): s.a = a\n    def __deepcopy__(s, memo): return 5\nx = [C([4])]",
}


@pytest.mark.parametrize("how", FAITHFUL)
def test_a_class_whose_own_pickling_keeps_everything_is_stored(live: Live, how: str) -> None:
    commit = live.cell(FAITHFUL[how])
    assert not live.not_stored
    live.cell("next(iter(x)).a.append(5)")
    assert not live.not_stored
    live.session.restore(commit)
    assert live.value("next(iter(x)).a == [4] and type(next(iter(x))) is C")


COUNTS = (
    "seen = []\nclass C:\n    def __init__(s): s.a = 1\n"
    "    def __setstate__(s, d): s.__dict__.update(d); seen.append(1)\nx = C()"
)


def test_code_of_a_class_is_tried_once_while_its_pickles_visibly_hold_everything(live: Live) -> None:
    live.cell(COUNTS)
    tried = live.value("len(seen)")
    assert tried <= 1
    for cell in ("x", "repr(x)", "x.a"):
        live.cell(cell)
    assert live.value("len(seen)") == tried
    assert "x" not in live.not_stored


def test_what_a_class_leaves_out_later_is_found_then(live: Live) -> None:
    live.cell("class C:\n    def __init__(s): s.a = 1\n    def __getstate__(s): return {'a': s.a}\nimport collections")
    live.cell("x = collections.deque([C()])")
    assert not live.not_stored
    live.cell("x[0].lost = 1")
    assert "class C leaves out its attribute 'lost'" in live.not_stored["x"]
