"""Functions of a notebook come back as they were: code, closure, attributes; their globals are the live namespace."""

from __future__ import annotations

import builtins
import importlib.util
import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.errors import CannotRestoreError, CannotStoreError
from nbcellar.session import rebuild
from nbcellar.session.definitions import functions
from nbcellar.session.definitions import reducers as definitions

HERE = Path(__file__).parent

constants = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("abx é\n'λ", max_size=4)
    | st.binary(max_size=3)
    | st.just(...),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=5,
)
names = st.sampled_from(["a", "b", "x", "total", "_private", "λ"])


@st.composite
def sources(draw: st.DrawFn) -> str:
    """Return the source of a function `f` with defaults, annotations, a docstring, a closure and constants."""
    parameters = draw(st.lists(names, unique=True, max_size=3))
    signature = ", ".join(
        f"{name}: {draw(st.sampled_from(['int', 'str']))} = {draw(constants)!r}" for name in parameters
    )
    keyword_only = ", *, only=('k', 1)" if parameters and draw(st.booleans()) else ""
    members = draw(st.lists(st.text("abc", max_size=3), min_size=1, max_size=3))
    return textwrap.dedent(
        f"""
        def make():
            kept = {draw(constants)!r}
            def f({signature}{keyword_only}):
                {draw(st.sampled_from(["'text'", "''", "pass"]))}
                inner = lambda: ({draw(constants)!r}, kept)
                return inner(), 'a' in {set(members)!r}, [{", ".join(parameters)}]
            f.note = {draw(constants)!r}
            return f
        f = make()
        """
    )


@given(source=sources())
def test_a_function_decodes_to_one_that_does_the_same_and_encodes_to_the_same_bytes(notebook: Any, source: str) -> None:
    notebook.run(source)
    before = notebook["f"]

    after = notebook.again("f")["f"]

    assert after is not before
    assert after() == before()
    for part in ("__name__", "__qualname__", "__module__", "__doc__", "__defaults__", "__kwdefaults__", "__dict__"):
        assert getattr(after, part) == getattr(before, part)
    assert after.__annotations__ == before.__annotations__
    assert after.__code__ == before.__code__


@given(source=sources())
def test_the_same_source_gives_the_same_bytes(notebook: Any, source: str) -> None:
    notebook.run(source)
    first = notebook.encode(notebook["f"])
    notebook.run(source)

    assert notebook.encode(notebook["f"]) == first


def test_globals_are_the_live_namespace(notebook: Any) -> None:
    notebook.run("step = 1\ndef add(n): return n + step")

    (add,) = notebook.decode(notebook.encode(notebook["add"]))
    notebook.run("step = 10")

    assert add.__globals__ is notebook.namespace
    assert add(1) == 11


def test_loading_writes_nothing_to_the_live_namespace(notebook: Any) -> None:
    notebook.run("def f(): return missing")
    parcel = notebook.encode(notebook["f"])
    before = dict(notebook.namespace)

    notebook.decode(parcel)

    assert notebook.namespace == before


def test_functions_that_share_a_cell_share_it_again(notebook: Any) -> None:
    notebook.run(
        """
        def make():
            count = 0
            def up():
                nonlocal count
                count += 1
                return count
            def get():
                return count
            return up, get
        up, get = make()
        up()
        """
    )
    other = notebook.again("up", "get")

    assert other["up"]() == 2
    assert other["get"]() == 2
    assert notebook["get"]() == 1


def test_a_cell_that_is_itself_a_variable_stays_the_cell_of_the_function(notebook: Any) -> None:
    notebook.run("def make():\n    n = [1]\n    return lambda: n\nf = make()\ncell = f.__closure__[0]")

    for order in (("f", "cell"), ("cell", "f")):
        other = notebook.again(*order)
        assert other["f"].__closure__[0] is other["cell"]
        assert other["f"]() == [1]


def test_an_empty_cell_stays_empty(notebook: Any) -> None:
    notebook.run(
        """
        def make():
            def f():
                return later
            if False:
                later = 1
            return f
        f = make()
        """
    )
    with pytest.raises(ValueError, match="empty"):
        _ = notebook.again("f")["f"].__closure__[0].cell_contents


def test_a_function_reaches_itself_by_closure_default_and_attribute(notebook: Any) -> None:
    notebook.run(
        """
        def make():
            def fact(n):
                return 1 if n < 2 else n * fact(n - 1)
            return fact
        fact = make()
        seen = []
        def listed(where=seen):
            return where
        seen.append(listed)
        listed.me = listed
        """
    )
    other = notebook.again("fact", "listed", "seen")

    assert other["fact"](5) == 120
    assert other["listed"].me is other["listed"]
    assert other["listed"]() is other["seen"]
    assert other["seen"][0] is other["listed"]


def test_lambdas_generators_and_coroutines_are_functions_too(notebook: Any) -> None:
    notebook.run(
        """
        import asyncio
        double = lambda x: [2 * y for y in x]
        def count():
            yield 1
            yield 2
        async def later():
            return 3
        """
    )
    other = notebook.again("double", "count", "later")

    assert other["double"]([1]) == [2]
    assert list(other["count"]()) == [1, 2]
    with pytest.raises(StopIteration) as done:
        other["later"]().send(None)
    assert done.value.value == 3


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("value = (i for i in range(3))", "generator"),
        ("async def g():\n    yield 1\nvalue = g()", "asynchronous generator"),
        ("import sys\nvalue = sys._getframe()", "frame"),
    ],
)
def test_what_is_running_cannot_be_stored(notebook: Any, cell: str, kind: str) -> None:
    notebook.run(cell)

    with pytest.raises(CannotStoreError, match=f"cannot store a {kind}"):
        notebook.encode(notebook["value"])


def test_decorated_functions_keep_what_they_wrap(notebook: Any) -> None:
    notebook.run(
        """
        import contextlib, functools
        def plus_one(f):
            @functools.wraps(f)
            def wrapper(*args):
                return f(*args) + 1
            wrapper.calls = {f: 0}
            return wrapper
        @plus_one
        def double(x):
            "Twice."
            return 2 * x
        @contextlib.contextmanager
        def opened():
            yield "open"
        add = functools.partial(double, 4)
        """
    )
    other = notebook.again("double", "opened", "add")

    assert other["double"](3) == 7
    assert other["double"].__doc__ == "Twice."
    assert list(other["double"].calls) == [other["double"].__wrapped__]
    with other["opened"]() as state:
        assert state == "open"
    assert other["add"]() == 9
    assert other["add"].func is other["double"]


def test_a_cache_keeps_function_and_settings_but_no_results(notebook: Any) -> None:
    notebook.run(
        """
        import functools
        @functools.lru_cache(maxsize=7, typed=True)
        def fib(n):
            return n if n < 2 else fib(n - 1) + fib(n - 2)
        fib(9)
        """
    )
    other = notebook.again("fib")

    assert other["fib"].cache_parameters() == {"maxsize": 7, "typed": True}
    assert other["fib"].cache_info().currsize == 0
    assert other["fib"](10) == 55
    assert other["fib"].__name__ == "fib"


def test_a_generic_function_keeps_its_implementations(notebook: Any) -> None:
    notebook.run(
        """
        import functools
        @functools.singledispatch
        def name(x):
            "Name of a kind."
            return "object"
        @name.register
        def _(x: int):
            return "number"
        @name.register(list)
        def of_list(x):
            return "list"
        name([])
        """
    )
    other = notebook.again("name", "of_list")

    assert [other["name"](x) for x in ("", 1, [])] == ["object", "number", "list"]
    assert other["name"].registry[list] is other["of_list"]
    assert other["name"].__doc__ == "Name of a kind."
    with pytest.raises(TypeError, match="name requires at least 1"):
        other["name"]()


def test_functions_with_globals_of_their_own_share_that_dictionary_again(notebook: Any) -> None:
    notebook.run(
        """
        script = {}
        exec("def outer(): return inner() + n\\ndef inner(): return len('ab')\\nn = 3", script)
        outer, inner = script["outer"], script["inner"]
        """
    )
    other = notebook.again("outer", "inner", "script")

    assert other["outer"].__globals__ is other["script"] is other["inner"].__globals__
    assert other["outer"]() == 5
    other["script"]["n"] = 10
    assert other["outer"]() == 12
    assert other["script"]["__builtins__"] is vars(builtins)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="3.10's builtins hold a capsule: such a variable is not stored")
def test_a_dictionary_of_globals_may_come_before_its_functions(notebook: Any) -> None:
    notebook.run("script = {}\nexec('def f(): return len(n)\\nn = [1]', script)\nf = script['f']")

    script, f = notebook.decode(notebook.encode(notebook["script"], notebook["f"]))

    assert f.__globals__ is script
    assert f() == 1


def test_a_module_made_in_the_notebook_is_the_globals_of_its_functions(notebook: Any) -> None:
    notebook.run(
        """
        import types
        tools = types.ModuleType("tools", "Made here.")
        exec("def f(): return k\\nk = 7", tools.__dict__)
        """
    )
    other = notebook.again("tools")

    assert other["tools"].f() == 7
    assert other["tools"].f.__globals__ is vars(other["tools"])
    assert other["tools"].__doc__ == "Made here."


def test_functions_of_a_library_keep_its_module_as_globals(notebook: Any) -> None:
    notebook.run("import textwrap, reprlib\nshow = reprlib.recursive_repr()(lambda self: 'x')\nfill = textwrap.fill")

    show, fill = notebook.decode(notebook.encode(notebook["show"], notebook["fill"]))

    assert fill is textwrap.fill
    assert show.__globals__ is vars(importlib.import_module("reprlib"))
    assert show(1) == "x"


def test_a_function_of_a_module_that_no_import_finds_is_encoded_by_value(
    notebook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ModuleType("made_at_runtime")
    exec("def f(): return 5", vars(made))
    monkeypatch.setitem(sys.modules, "made_at_runtime", made)
    parcel = notebook.encode(made.f)
    monkeypatch.delitem(sys.modules, "made_at_runtime")

    (f,) = notebook.decode(parcel)

    assert f() == 5


def test_a_part_of_a_module_that_its_parent_makes_counts_as_importable(
    notebook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = ModuleType("json.made_by_json")
    exec("def f(): return 5", vars(part))
    monkeypatch.setitem(sys.modules, "json.made_by_json", part)
    notebook.run("import json")

    (f,) = notebook.decode(notebook.encode(part.f))

    assert f is part.f


def test_bound_methods_are_bound_to_the_restored_object(notebook: Any) -> None:
    notebook.run(
        """
        class Counter:
            def __init__(self):
                self.n = 0
                self.callback = self.up
            def up(self):
                self.n += 1
                return self.n
            @classmethod
            def kind(cls):
                return cls
        def loose(self):
            return self.n * 100
        counter = Counter()
        up, kind = counter.up, Counter.kind
        borrowed = loose.__get__(counter)
        plain = Counter.up
        """
    )
    other = notebook.again("Counter", "counter", "up", "kind", "borrowed", "plain")

    assert other["up"]() == 1
    assert other["counter"].n == 1
    assert other["counter"].callback() == 2
    assert other["kind"]() is other["Counter"]
    assert other["borrowed"]() == 200
    assert other["plain"] is other["Counter"].up


def test_views_proxies_and_weak_containers(notebook: Any) -> None:
    notebook.run(
        """
        import collections, types, weakref
        table = {"a": 1, "b": 2}
        views = [table.keys(), table.values(), table.items(), collections.OrderedDict(table).keys()]
        proxy = types.MappingProxyType(table)
        class Thing: pass
        thing = Thing()
        weak = weakref.WeakSet([thing]), weakref.WeakKeyDictionary({thing: 1})
        """
    )
    other = notebook.again("views", "proxy", "thing", "weak")

    assert [list(view) for view in other["views"]] == [["a", "b"], [1, 2], [("a", 1), ("b", 2)], ["a", "b"]]
    assert type(other["views"][0]) is type({}.keys())
    assert dict(other["proxy"]) == {"a": 1, "b": 2}
    assert other["thing"] in other["weak"][0]
    assert other["weak"][1][other["thing"]] == 1


def test_types_without_a_name_of_their_own_are_found(notebook: Any) -> None:
    notebook.run("import types\nkinds = [types.FunctionType, types.CellType, type({}.keys()), type(None), type(...)]")

    (kinds,) = notebook.decode(notebook.encode(notebook["kinds"]))

    assert kinds == notebook["kinds"]


def test_type_variables_keep_their_settings(notebook: Any) -> None:
    notebook.run(
        """
        import typing
        T = typing.TypeVar("T", bound=int, covariant=True)
        S = typing.TypeVar("S", int, str)
        P = typing.ParamSpec("P")
        Metres = typing.NewType("Metres", float)
        def f(x: T) -> T: return x
        """
    )
    other = notebook.again("T", "S", "P", "Metres", "f")

    assert (other["T"].__bound__, other["T"].__covariant__, other["T"].__module__) == (int, True, "__main__")
    assert other["S"].__constraints__ == (int, str)
    assert other["Metres"](2.0) == 2.0
    assert other["f"].__annotations__ == {"x": other["T"], "return": other["T"]}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of Python 3.12")
def test_type_parameters_in_brackets(notebook: Any) -> None:
    notebook.run("def first[T: int](x: list[T]) -> T: return x[0]\ntype Row = list[int]\nclass Box[T]: pass")
    other = notebook.again("first", "Row", "Box")

    assert other["first"]([1]) == 1
    assert other["first"].__type_params__[0].__bound__ is int
    assert other["Row"].__value__ == list[int]
    assert other["Box"][int].__origin__ is other["Box"]


def test_code_of_another_python_is_refused_by_the_name_of_its_function(
    notebook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook.run("def careful(): pass")
    parcel = notebook.encode(notebook["careful"])
    monkeypatch.setattr(rebuild.sys, "version_info", (3, sys.version_info[1] + 1))

    with pytest.raises(CannotRestoreError, match="function 'careful' was compiled by Python"):
        notebook.decode(parcel)


def test_the_process_of_a_kernel_is_not_part_of_its_functions(notebook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def defined_in(folder: str) -> FunctionType:
        space: dict[str, Any] = {"__name__": "__main__"}
        exec(compile("def f(): pass", f"{folder}/123.py", "exec"), space)
        f: FunctionType = space["f"]
        return FunctionType(f.__code__, notebook.namespace, "f")

    one, two = defined_in("/tmp/ipykernel_1"), defined_in("/tmp/ipykernel_22")
    assert notebook.encode(one) == notebook.encode(two)

    kernel = ModuleType("ipykernel.compiler")
    kernel.get_tmp_directory = lambda: "/tmp/ipykernel_3"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ipykernel.compiler", kernel)
    (three,) = notebook.decode(notebook.encode(one))
    assert three.__code__.co_filename == "/tmp/ipykernel_3/123.py"


def test_a_missing_module_is_named(notebook: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "fleeting.py").write_text("def f(): pass")
    monkeypatch.syspath_prepend(str(tmp_path))
    notebook.run("import fleeting\nf = fleeting.f")
    parcel = notebook.encode(notebook["f"])
    sys.modules.pop("fleeting")
    (tmp_path / "fleeting.py").unlink()
    importlib.invalidate_caches()

    with pytest.raises(CannotRestoreError, match="needs module fleeting, which cannot be imported"):
        notebook.decode(parcel)


def test_the_stream_refuses_to_load_outside_a_restore(notebook: Any) -> None:
    notebook.run("def f(): pass")

    with pytest.raises(CannotRestoreError, match="by a restore only"):
        pickle.loads(notebook.encode(notebook["f"]).stream)


def test_every_function_that_streams_name_can_be_found() -> None:
    context = rebuild.RebuildContext({}, {}, lambda index: int, lambda uid, cls: None)

    for name in ("make_function", "make_class", "definition", "set_function", "make_code"):
        assert callable(context.find(name))
    with pytest.raises(CannotRestoreError, match="another version of Cellar"):
        context.find("made_in_the_future")


def test_reducers_leave_everyday_objects_to_pickle() -> None:
    assert [definitions.reducer_of(kind) for kind in (int, list, object, Path, range)] == [None] * 5
    assert definitions.reducer_of(FunctionType) is functions.reduce_function


FRESH = """
import pickle, runpy, sys
sys.dont_write_bytecode = True
harness = runpy.run_path(sys.argv[1])
sys.modules["harness"] = type(sys)("harness")
vars(sys.modules["harness"]).update(harness)
notebook = harness["Notebook"]()
if sys.argv[2] == "encode":
    notebook.run(sys.argv[3])
    parcel = notebook.encode(*(notebook[name] for name in sys.argv[4].split()))
    parts = [parcel.stream, parcel.needs, [(u, p.stream, p.needs) for u, p in parcel.definitions.items()]]
    sys.stdout.buffer.write(pickle.dumps(parts))
else:
    stream, needs, parts = pickle.loads(sys.stdin.buffer.read())
    Parcel = harness["Parcel"]
    parcel = Parcel(stream, needs, {u: Parcel(s, n) for u, s, n in parts})
    values = notebook.decode(parcel)
    notebook.namespace.update(zip(sys.argv[4].split(), values))
    assert notebook.encode(*values) == parcel, "other bytes in a fresh interpreter"
    notebook.run(sys.argv[3])
    print("fine")
"""

CELL = """
import abc, dataclasses, enum, typing
class Colour(enum.Flag):
    RED = enum.auto()
    BLUE = enum.auto()
@dataclasses.dataclass(frozen=True)
class Point:
    x: int
    tags: tuple = ("one", "two", "three")
    def moved(self, by):
        return dataclasses.replace(self, x=self.x + by if by in {"p", "q", 1, 2} else 0)
class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...
    @abc.abstractmethod
    def edge(self): ...
class Runs(typing.Protocol):
    speed: int
    name: str
    def run(self): ...
point, both = Point(1), Colour.RED | Colour.BLUE
def area(): return point.moved(1)
"""


def _fresh(arguments: list[str], data: bytes = b"", *, seed: int = 0) -> bytes:
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    command = [sys.executable, "-c", FRESH, str(HERE / "conftest.py"), *arguments]
    done = subprocess.run(command, input=data, capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_definitions_travel_to_a_fresh_interpreter_with_the_same_bytes_in_every_process() -> None:
    names = "Colour Point Shape Runs point both area"
    parcels = [_fresh(["encode", CELL, names], seed=seed) for seed in (1, 2)]
    assert parcels[0] == parcels[1]

    check = "import dataclasses\nassert type(point) is Point and both is Colour(3) and area() == Point(2)"
    assert _fresh(["decode", check, names], parcels[0], seed=3).strip() == b"fine"
