"""A cell changes only what the analysis says it can touch."""

from __future__ import annotations

import sys
import types
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from nbcellar.session.touched import follow
from nbcellar.session.touched.analysis import Touch, touched_names
from nbcellar.session.touched.codefacts import code_facts

SETUP = """
import enum, functools, itertools, operator

xs, ys, deep, n, pair, bag = [1, 2], [3, [4]], {"a": [1]}, 0, (1, [2]), {1}
alias = ys
idle = ["nobody names this"]

def bump():
    global n
    n += 1
    return n

def grow(v=1):
    xs.append(v)
    return len(xs)

def indirect():
    return grow(5)

def make_counter():
    inner = []
    def add(v):
        inner.append(v)
        return len(inner)
    return add

counter = make_counter()

def default(v, acc=[]):
    acc.append(v)
    return acc

def logged(f):
    log = []
    @functools.wraps(f)
    def wrapper(*a):
        log.append(a)
        return f(*a)
    return wrapper

@logged
def wrapped(v):
    deep["w"] = v

@functools.lru_cache(None)
def cached(v):
    return grow(v)

@functools.singledispatch
def dispatch(v):
    bag.add(0)

@dispatch.register
def _(v: int):
    bag.add(v)

def numbers():
    for i in range(30):
        grow(i)
        yield i

class Meta(type):
    def __call__(cls, *a):
        bag.add("made")
        return super().__call__(*a)

class Base:
    seen = []
    def inherited(self):
        Base.seen.append(1)
        deep.setdefault("i", []).append(1)

class Acc(Base, metaclass=Meta):
    total = []
    def __init__(self):
        self.items = []
    def add(self, v):
        self.items.append(v)
        Acc.total.append(v)
        return self
    def __iadd__(self, other):
        xs.append(other)
        return self
    def __len__(self):
        deep["len"] = n
        return 1
    def __enter__(self):
        ys.append(0)
        return self
    def __exit__(self, *a):
        bag.add(len(bag) + 10)
    def __getitem__(self, i):
        bump()
        return i
    def __getattr__(self, name):
        grow(name)
        return name
    @property
    def prop(self):
        return indirect()
    @classmethod
    def klass(cls):
        cls.total.append("k")
    @staticmethod
    def static():
        bag.add("static")
    @functools.cached_property
    def once(self):
        return bump()
    def __eq__(self, other):
        pair[1].append("eq")
        return self is other
    __hash__ = object.__hash__
    def __repr__(self):
        deep["repr"] = len(xs)
        return "acc"

class Slotted:
    __slots__ = ("handler",)
    def __init__(self):
        self.handler = indirect

class Empty:
    __slots__ = ()
    def __add__(self, other):
        return grow(other)

class Color(enum.Enum):
    RED = 1
    def paint(self):
        bag.add(self.value)

acc, slotted, empty, color = Acc(), Slotted(), Empty(), Color.RED
handlers = [grow, bump, acc.add]
table = {"f": indirect, "m": acc.add, "deep": [({"g": grow},)]}
many = [{"e": empty} for _ in range(20)]
part = functools.partial(grow, 9)
stream = numbers()
mapped = map(grow, [7, 8, 9] * 9)
chained = itertools.chain(mapped, [1])
append = xs.append
getter = operator.methodcaller("add", 1)
"""

STATEMENTS = r"""
xs.append(1)
ys[1].append(2)
alias.append(0)
alias = list(ys)
bump()
new = grow(4)
indirect()
counter(1)
default(1)
wrapped(2)
cached(7 + len(xs))
dispatch(3)
acc.add(2)
acc.inherited()
acc += 1
len(acc)
with acc: pass
with acc as other: other.items.append(1)
acc[0]
acc.missing
acc.prop
acc.klass()
acc.static()
acc.once
acc == 1
acc.items.append(3)
if acc: pass
text = f"{acc!r}"
Acc()
Acc.total.append(0)
Acc.extra = [1]
Base().inherited()
slotted.handler()
slotted.handler = grow
empty + 1
many[0]["e"] + 1
many.append({})
color.paint()
Color.RED.paint()
handlers[0]()
handlers[2](1)
[h() for h in handlers[:2]]
table["f"]()
table["m"](4)
table["deep"][0][0]["g"]()
part()
next(stream, None)
next(mapped, None)
next(chained, None)
append(3)
getter(acc)
n += 1
n = 5
del idle
del deep["a"]
pair[1].append(1)
bag |= {9}
xs, ys = ys, xs
xs[:] = []
[zs for zs in xs]
for v in ys: pass
while (w := len(ys)) < 3: ys.append(w)
(lambda: xs.clear())()
sorted([3, 1], key=grow)
list(map(grow, [1]))
import os as operating
from os import path as p
fresh = Slotted(); fresh.handler()
setattr(acc, "added", xs)
operator.setitem(deep, "k", 1)
functools.reduce(lambda a, b: grow(b), [1, 2])
grow = bump
match n:\n    case 5: bump()\n    case _: grow()
try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    grow(0)
def fresh_function():\n    global made\n    made = indirect()\nfresh_function()
class Sub(Acc):\n    def add(self, v):\n        deep["sub"] = v\nSub().add(1)
class Made(Base):\n    field = bump()
def swap():\n    global xs, ys\n    xs, ys = ys, xs\nswap()
print(end="")
async def later(): grow()
""".strip().split("\n")

program = st.lists(st.sampled_from([s.replace("\\n", "\n") for s in STATEMENTS]), min_size=1, max_size=4)


class Frozen:
    """What a value holds, as nested tuples that compare; the ids of the mutable objects it is made of."""

    def __init__(self, value: object) -> None:
        self.ids: set[int] = set()
        self._open: set[int] = set()
        self.content = self._freeze(value)

    def _freeze(self, value: object) -> object:
        if id(value) in self._open:
            return "cycle"
        parts = self._parts(value)
        if parts is None:
            return (type(value).__name__, repr(value)) if type(value) in (int, str, float, bool) else id(value)
        if type(value) is not tuple:
            self.ids.add(id(value))
        self._open.add(id(value))
        frozen = (type(value).__name__, tuple((key, self._freeze(part)) for key, part in parts))
        self._open.discard(id(value))
        return frozen

    def _parts(self, value: Any) -> list[tuple[object, object]] | None:
        if isinstance(value, (list, tuple)):
            return list(enumerate(value))
        if isinstance(value, (set, frozenset)):
            return [(i, v) for i, v in enumerate(sorted(value, key=repr))]
        if isinstance(value, dict):
            return sorted(value.items(), key=lambda item: repr(item[0]))
        if isinstance(value, types.FunctionType):
            cells = [cell.cell_contents for cell in value.__closure__ or ()]
            return [(0, cells), (1, value.__defaults__), (2, value.__dict__)]
        if isinstance(value, types.MethodType):
            return [(0, value.__self__)]
        if isinstance(value, types.BuiltinMethodType) and not isinstance(value.__self__, types.ModuleType):
            return [(0, value.__self__)]
        if isinstance(value, type) and value.__module__ == "__main__":
            return [(k, v) for k, v in sorted(vars(value).items()) if not k.startswith("_")]
        if type(value).__module__ == "__main__":
            slots = getattr(type(value), "__slots__", ())
            own = [(k, getattr(value, k)) for k in slots if k in ("handler",)]
            return own + sorted(getattr(value, "__dict__", {}).items())
        return None


def names_of(namespace: dict[str, Any]) -> list[str]:
    return [name for name in namespace if not name.startswith("__")]


def run(namespace: dict[str, Any], source: str) -> None:
    try:
        exec(compile(source, "<cell>", "exec", dont_inherit=True), namespace)
    except Exception:
        pass  # a cell that fails has changed things, too


@settings(max_examples=150, deadline=None)
@given(history=program | st.just([]), cell=program)
def test_what_a_cell_changes_is_touched_or_shares_state_with_what_is(history: list[str], cell: list[str]) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(SETUP, namespace)
    for statement in history:
        run(namespace, statement)
    source = "\n".join(cell)
    before = {name: (namespace[name], Frozen(namespace[name])) for name in names_of(namespace)}

    touch = touched_names(None, source, namespace)
    run(namespace, source)

    assert not touch.everything, touch.reason
    touched_ids = {i for name in touch.names if name in before for i in before[name][1].ids}
    sharing = {name for name, (_, frozen) in before.items() if frozen.ids & touched_ids}
    changed = {name for name in names_of(namespace) if name not in before} | {
        name
        for name, (value, frozen) in before.items()
        if namespace.get(name) is not value or Frozen(value).content != frozen.content
    }
    assert changed <= touch.names | sharing


@pytest.mark.parametrize("name", ["A", "Renamed"])
def test_a_method_that_changes_its_class_touches_the_name_of_the_class(name: str) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(f"class A:\n n = 0\n def go(s): type(s).n += 1\na = [A()]\n{name} = A", namespace)
    if name != "A":
        del namespace["A"]
    assert name in touched_names(None, "a[0].go()", namespace).names


def test_a_variable_that_nothing_leads_to_is_not_touched() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(SETUP, namespace)
    touch = touched_names(None, "acc.add(1); handlers[0](); mapped; print(text)", namespace)
    assert not touch.everything
    assert "idle" not in touch.names and "counter" not in touch.names


def test_analysis_runs_no_code_of_the_notebook() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(
        "calls = []\n"
        "def note(*a): calls.append(a)\n"
        "class Loud:\n"
        "    def __getattribute__(self, name): note(name); return object.__getattribute__(self, name)\n"
        "    __eq__ = __hash__ = __len__ = __iter__ = __repr__ = __bool__ = __class_getitem__ = note\n"
        "    @property\n"
        "    def __dict__(self): note()\n"
        "loud, held = Loud(), [Loud()]\n"
        "import numpy, pandas\n"
        "class LoudArray(numpy.ndarray):\n"
        "    dtype = size = property(note)\n"
        "    ravel = tolist = __len__ = __iter__ = __getitem__ = __array_finalize__ = note\n"
        "class LoudFrame(pandas.DataFrame):\n"
        "    columns = property(note)\n"
        "    __len__ = __iter__ = __getitem__ = items = note\n"
        "class LoudList(list):\n"
        "    __len__ = __iter__ = __getitem__ = note\n"
        "array = numpy.array([1, loud.__class__], object).view(LoudArray)\n"
        "frame, items = LoudFrame({'a': [1]}), LoudList([Loud()])\n",
        namespace,
    )
    namespace["calls"].clear()
    assert not touched_names(None, "loud; held; Loud; array; frame; items", namespace).everything
    assert namespace["calls"] == []


@pytest.mark.parametrize(
    "cell",
    [
        "exec('x.append(1)')",
        "eval('x')",
        "globals()['x'] = 1",
        "locals()",
        "vars()",
        "e = exec",
        "_",
        "print(__)",
        "Out[3].append(1)",
        "_3.append(1)",
        "_i3",
        "In[1]",
        "import __main__; __main__.x = 1",
        "import __main__ as m",
        "from __main__ import x as y",
        "import sys; sys.modules['__main__'].x = 1",
        "import sys; sys.modules[__name__].x = 1",
        "import importlib; importlib.import_module('__main__').x = 1",
        "__import__('__main__').x = 1",
        "from os.path import *",
        "import sys; sys._getframe().f_globals['x'] = 1",
        "import inspect; inspect.currentframe()",
        "import inspect; inspect.stack()[0].frame",
        "import gc; gc.get_objects()",
        "import ctypes; ctypes.pythonapi",
        "def f(): pass\nf.__globals__['x'] = 1",
        "import threading; threading.Thread(target=print).start()",
        "from threading import Thread as T\nT()",
        "pool.submit(print)",
        "import asyncio; asyncio.create_task(f())",
        "await f()",
        "async for i in f(): pass",
        "async with f(): pass",
        "[i async for i in f()]",
        "import timeit; timeit.timeit('x.append(1)', 'from __main__ import x')",
        "import pickle; pickle.loads(b)",
        "import pandas as pd; pd.read_pickle('a')",
        "breakpoint()",
        "import pdb; pdb.set_trace()",
        "import builtins; builtins.exec('x = 1')",
        "get_ipython().user_ns['x'] = 1",
        "ip = get_ipython()",
        "from IPython import get_ipython as g",
        "import sys; sys.last_value.args[0].append(1)",
        "lambda: globals()",
        "def f():\n    def g():\n        exec('')",
        "class A:\n    x = eval('1')",
        "import weakref; weakref.ref(x)().append(1); w",
        "run_exec()",
        "execute('x = 1')",
        "shell",
        "(",
    ],
)
def test_a_cell_that_reaches_variables_without_naming_them_touches_everything(cell: str) -> None:
    import weakref

    namespace: dict[str, Any] = {"__name__": "__main__", "x": [1], "execute": exec, "B": type("B", (), {})}
    exec("def run_exec(): exec('x.append(1)')\nclass Target: pass\ntarget = Target()", namespace)
    namespace["w"] = weakref.ref(namespace["target"])
    namespace["shell"] = type("ZMQInteractiveShell", (), {"__module__": "ipykernel_like"})()
    touch = touched_names(None, cell, namespace)
    assert touch.everything and touch.reason


@pytest.mark.parametrize(
    "setup, cell",
    [
        ("import pickle as pk", "pk.loads(b)"),
        ("from pickle import loads", "loads(b)"),
        ("from threading import Thread as T", "T(target=f)"),
        ("import builtins as b", "b.exec('x = 1')"),
        ("import __main__ as m", "m.x = 1"),
        ("async def co(): pass\nc = co()", "c.send(None)"),
        ("def gen():\n    exec('x=1')\n    yield\ng = gen()", "next(g)"),
        ("class A:\n    def m(self): globals()\na = A()", "a"),
        ("class A:\n    def m(self): globals()\na = [[{'k': A()}]]", "a"),
        ("from asyncio import ensure_future as later", "later(f())"),
        ("g = globals", "g()['x'] = 1"),
        ("import cProfile as c", "c.run('x.append(1)')"),
    ],
)
def test_what_reaches_everything_is_known_under_other_names(setup: str, cell: str) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__", "x": []}
    main = types.ModuleType("__main__")
    main.__dict__.update(namespace)
    before, sys.modules["__main__"] = sys.modules["__main__"], main
    try:
        exec(setup, main.__dict__)
        assert touched_names(None, cell, main.__dict__).everything
    finally:
        sys.modules["__main__"] = before
        if "c" in main.__dict__ and hasattr(main.__dict__["c"], "close"):
            main.__dict__["c"].close()


@pytest.mark.parametrize(
    "cell",
    [
        "model.eval()",
        "import re; re.compile('x')",
        "df.eval('a + b')",
        "if __name__ == '__main__':\n    main()",
        "for _ in range(3): pass",
        "_, y = 1, 2",
        "import sys; 'numpy' in sys.modules",
        "net.modules()",
        "import json; json.loads('1')",
        "np.load('a.npy')",
        "import torch; torch.load",
        "trainer.run()",
        "np.stack([x])",
        "getattr(x, 'append')(1)",
        "import sys; sys.path.append('.')",
        "open('f').read()",
    ],
)
def test_everyday_cells_do_not_touch_everything(cell: str) -> None:
    assert not touched_names(None, cell, {"__name__": "__main__", "x": [1]}).everything


def analyse(cell: str, **variables: object) -> Touch:
    namespace: dict[str, Any] = {"__name__": "__main__", "x": [1], "y": [2], "count": 0, "get_ipython": None}
    exec("def grow(): x.append(1)", namespace)
    namespace |= variables
    return touched_names(None, TransformerManager().transform_cell(cell), namespace)


@pytest.mark.parametrize(
    "cell, touched",
    [
        ("%time grow()", {"grow", "x"}),
        ("%timeit -n 10 -r 3 grow()", {"grow", "x"}),
        ("t = %timeit -o grow()", {"grow", "x", "t"}),
        ("%%time\ngrow()\ny.append(1)", {"grow", "x", "y"}),
        ("%%time\n%matplotlib inline\n!ls\ngrow()", {"grow", "x"}),
        ("%%timeit grow()\npass", {"grow", "x"}),
        ("%%capture out\ngrow()", {"grow", "x", "out"}),
        ("%%prun -l 5\ngrow()", {"grow", "x"}),
        ("%time %timeit grow()", {"grow", "x"}),
        ("!echo {grow()}", {"grow", "x"}),
        ("!echo $y", {"y"}),
        ("files = !ls", {"files"}),
        ("%%bash --out result\necho 1", {"result"}),
        ("%env NAME=$y", {"y"}),
    ],
)
def test_magics_touch_what_their_code_touches(cell: str, touched: set[str]) -> None:
    touch = analyse(cell)
    assert not touch.everything, touch.reason
    assert touched <= touch.names


@pytest.mark.parametrize(
    "cell",
    [
        "%pip install x",
        "!ls y",
        "%matplotlib inline",
        "%cd y_folder",
        "%%bash\necho y",
        "%%html\n<b>y</b>",
        "%ls",
        "x2?",
    ],
)
def test_harmless_magics_touch_no_variable(cell: str) -> None:
    touch = analyse(cell)
    assert not touch.everything, touch.reason
    assert not {"x", "y", "grow"} & touch.names


@pytest.mark.parametrize(
    "cell",
    [
        "%run script.py",
        "%reset -f",
        "%xdel x",
        "%store -r x",
        "%load_ext something",
        "%pylab",
        "%unknown_magic",
        "%%cython\nx = 1",
        "%%unknown\ny",
        "%time exec('x = 1')",
        "%%time\nexec('x = 1')",
        "%time %run script.py",
        "%%capture\n%reset -f",
        "!echo {exec('x.append(1)')}",
        "%debug",
    ],
)
def test_unknown_magics_touch_everything(cell: str) -> None:
    assert analyse(cell).everything


def test_a_function_that_calls_ipython_touches_everything() -> None:
    assert analyse("helper()", helper=_function("def f():\n    get_ipython().run_line_magic('ls', '')")).everything


def _function(source: str) -> object:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(source, namespace)
    return namespace["f"]


def test_background_work_and_autoreload_touch_everything_and_say_so() -> None:
    assert touched_names(None, "1", {}, background="thread 'poll' is alive") == Touch(
        True, "thread 'poll' is alive", frozenset()
    )
    assert touched_names(None, "1", {}, autoreload=True).everything


def test_data_beyond_the_bound_touches_everything() -> None:
    nested = [[i] for i in range(follow.MAX_VISITED + 1)]
    assert analyse("big[0]", big=nested).everything
    assert analyse("big[0]", big=list(range(follow.MAX_SCANNED + 1))).everything
    assert analyse("big[0]", big=[types.SimpleNamespace(a=1) for _ in range(follow.MAX_VISITED + 1)]).everything
    assert not analyse("other = 1", big=nested).everything


def test_many_rows_of_plain_values_are_within_the_bound() -> None:
    assert not analyse("rows[0]['a'] = 2", rows=[{"a": 1, "b": "x"} for _ in range(follow.MAX_VISITED * 2)]).everything


def test_object_columns_and_arrays_lead_to_their_functions() -> None:
    import numpy as np
    import pandas as pd

    def build(cell: str) -> frozenset[str]:
        namespace: dict[str, Any] = {"__name__": "__main__", "x": [], "np": np, "pd": pd}
        exec("def grow(v=0): x.append(v)\nclass V:\n    def __add__(self, o): grow()\n", namespace)
        exec(
            "a = np.array([V(), 1], object); f = pd.DataFrame({'v': [V(), 2], 'n': [1, 2]}); vec = np.vectorize(grow)\n"
            "s = f['v']; i = pd.Index([V()]); plain = pd.DataFrame({'s': ['a', 'b'], 'n': [1, 2]})",
            namespace,
        )
        touch = touched_names(None, cell, namespace)
        assert not touch.everything, touch.reason
        return touch.names

    for cell in ("a + 1", "f + 1", "s.sum()", "i + i"):
        assert {"x", "grow", "V"} <= build(cell), cell
    assert "x" in build("vec([1])")
    assert "x" not in build("plain.groupby('s').sum()")


def test_the_users_warnings_are_shown_as_often_as_before() -> None:
    registry: dict[str, Any] = {}

    def warn() -> None:
        warnings.warn_explicit("once only", UserWarning, "cell", 1, registry=registry)

    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("default")
        warn()
        touched_names(None, "x = '\\d'; 1 is 1", {})  # compiling this warns
        warn()
    assert [str(w.message) for w in shown] == ["once only"]


def _code_objects(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _code_objects(constant)


NAME_OPERATIONS = {f"{verb}_{kind}" for verb in ("LOAD", "STORE", "DELETE") for kind in ("NAME", "GLOBAL")}
NAME_OPERATIONS |= {"IMPORT_NAME", "IMPORT_FROM", "LOAD_FROM_DICT_OR_GLOBALS"}


@pytest.mark.parametrize("module", ["argparse", "dataclasses", "typing", "inspect", "asyncio.tasks", "enum", "decimal"])
def test_names_read_from_bytecode_are_those_that_dis_shows(module: str) -> None:
    import dis
    import importlib
    import inspect

    code = compile(inspect.getsource(importlib.import_module(module)), module, "exec", dont_inherit=True)
    shown = set()
    for part in _code_objects(code):
        for step in dis.get_instructions(part):
            if step.opname in NAME_OPERATIONS:
                shown.add(step.argval)
    assert code_facts(code).names == shown
