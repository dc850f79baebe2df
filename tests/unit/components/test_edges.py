"""Which component a name comes from; what is an error; and that running shows nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.components.edges import Seen, beyond_sources, find_edges
from nbcellar.components.graph import ancestors, find_cycle, serial_order
from nbcellar.components.model import Component, Edge
from nbcellar.components.reading import read_pipeline
from nbcellar.components.uses import PROVIDED, uses_of
from nbcellar.ids import CellId
from nbcellar.notebook.plain import from_plain


def components(*sources: str, **after: str) -> list[Component]:
    """Return components a, b, c ... in document order; `b="a c"` declares that b comes after a and c."""
    made = []
    for place, source in enumerate(sources):
        name = chr(ord("a") + place)
        parents = tuple(CellId(parent) for parent in after.get(name, "").split())
        made.append(
            Component(id=CellId(name), name=name, place=place, source=source, uses=uses_of(source), after=parents)
        )
    return made


def edges(*sources: str, **after: str) -> list[str]:
    return [spelled(edge) for edge in find_edges(components(*sources, **after)).edges]


def spelled(edge: Edge) -> str:
    return f"{edge.parent}>{edge.child} {','.join(edge.names)}".strip()


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (("x = 1", "y = x"), ["a>b x"]),
        (("x = 1", "x = 2", "y = x"), ["b>c x"]),
        (("x = 1", "y = 2", "z = x + y"), ["a>c x", "b>c y"]),
        (("x = []", "x.append(1)", "print(x)"), ["a>b x", "b>c x"]),
        (("x = []", "print(x)", "print(x)"), ["a>b x", "a>c x"]),
        (("import pandas as pd", "pd.set_option('a', 1)", "d = pd.DataFrame()"), ["a>b pd", "a>c pd"]),
        (("k = 2", "def f():\n    return k", "y = f()"), ["b>c f", "a>c k"]),
        (("def f():\n    return k", "k = 2", "y = f()"), ["a>c f", "b>c k"]),
        (("k = 2", "def f():\n    return k", "k = 3", "y = f()"), ["b>d f", "c>d k"]),
        (("import heapq", "class A:\n    def m(self):\n        return heapq", "o = A()", "o.m()"), None),
        (("y = x", "x = 1"), []),
        (("def f(n):\n    return f(n)", "f(1)"), ["a>b f"]),
    ],
)
def test_a_name_comes_from_the_last_cell_before_that_makes_it(sources: tuple[str, ...], expected: list[str]) -> None:
    found = edges(*sources)
    if expected is None:
        assert "a>d heapq" in found, "the method of an object needs what its class needs"
    else:
        assert sorted(found) == sorted(expected)


def test_a_declared_edge_adds_and_hides_nothing() -> None:
    found = find_edges(components("x = 1", "y = 2", "print(x)", c="b"))
    assert [(spelled(edge), edge.provenance) for edge in found.edges] == [
        ("a>c x", ("inferred",)),
        ("b>c", ("declared",)),
    ]
    found = find_edges(components("x = 1", "print(x)", b="a"))
    assert [(spelled(edge), edge.provenance) for edge in found.edges] == [("a>b x", ("declared", "inferred"))]


def test_a_declared_edge_may_go_up_the_document() -> None:
    found = find_edges(components("y = x", "x = 1", a="b"))
    assert [spelled(edge) for edge in found.edges] == ["b>a x"]
    assert found.order == ("b", "a")
    assert not found.problems


def test_two_producers_in_no_order_are_an_error_that_names_both() -> None:
    found = find_edges(components("model = 1", "model = 2", "print(model)", c="a"))
    (problem,) = found.problems
    assert problem.code == "unordered-producers"
    assert problem.is_error
    assert "'a'" in problem.message and "'b'" in problem.message and "model" in problem.message
    ordered = find_edges(components("model = 1", "model = 2", "print(model)", b="a", c="a"))
    assert not ordered.problems
    assert "b>c model" in [spelled(edge) for edge in ordered.edges]
    imports = find_edges(components("import numpy as np", "import numpy as np", "np.ones(2)", c="a b"))
    assert not imports.problems, "the same module from both"


def test_cycles_and_unknown_parents_are_errors_that_name_the_cells() -> None:
    (problem,) = find_edges(components("x = 1", "y = 1", "z = 1", a="c", b="a", c="b")).problems
    assert problem.code == "cycle"
    assert problem.message.endswith(("a -> b -> c -> a", "b -> c -> a -> b", "c -> a -> b -> c"))
    (problem,) = find_edges(components("x = 1", b="", a="gone")).problems
    assert (problem.code, problem.cells) == ("unknown-parent", ("a",))
    (problem,) = find_edges(components("x = 1", a="a")).problems
    assert problem.code == "cycle"


def test_what_a_run_showed_replaces_what_could_only_be_feared() -> None:
    made = components("x = []", "x.sort_of_look()", "print(x)", "f = len(x)")
    assert "b>c x" in [spelled(edge) for edge in find_edges(made).edges]
    calm = {CellId("b"): Seen(frozenset({"x"}), frozenset())}
    assert [spelled(edge) for edge in find_edges(made, observed=calm).edges] == ["a>b x", "a>c x", "a>d x"]
    changed = {CellId("c"): Seen(frozenset({"x", "hidden"}), frozenset({"x"}))}
    found = find_edges(components("x = []", "hidden = 1", "print(x)", "f = len(x)"), observed=changed)
    assert [(spelled(edge), edge.provenance) for edge in found.edges] == [
        ("a>c x", ("inferred",)),
        ("b>c hidden", ("observed",)),
        ("c>d x", ("inferred",)),
    ]


def test_parameters_come_from_no_component_unless_one_binds_them_anew() -> None:
    found = find_edges(components("x = scale", "y = scale"), given=frozenset({"scale"}))
    assert not found.edges and not found.free
    anew = find_edges(components("scale = scale * 2", "y = scale"), given=frozenset({"scale"}))
    assert [(edge.parent, edge.child, edge.names) for edge in anew.edges] == [("a", "b", ("scale",))]
    assert find_edges(components("y = scale")).free == {"a": {"scale"}}


def test_declared_siblings_do_not_see_what_the_other_changes_in_place() -> None:
    sources = ("x = [1]", "x.append(2)", "n = len(x)")
    found = find_edges(components(*sources, b="a", c="a"))
    assert [(edge.parent, edge.child) for edge in found.edges] == [("a", "b"), ("a", "c")]
    assert [(problem.code, problem.is_error) for problem in found.problems] == [("siblings", False)]
    assert "'c' does not see what 'b' changes in x" in found.problems[0].message
    plain = find_edges(components(*sources))
    assert [(edge.parent, edge.child) for edge in plain.edges] == [("a", "b"), ("b", "c")] and not plain.problems


graphs = st.integers(1, 8).flatmap(
    lambda count: st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=14).map(
        lambda pairs: (count, pairs)
    )
)


@given(graphs)
def test_an_order_has_parents_first_and_the_rest_is_on_or_behind_a_cycle(
    graph: tuple[int, list[tuple[int, int]]],
) -> None:
    count, pairs = graph
    ids = [CellId(str(at)) for at in range(count)]
    parents = {id: frozenset(ids[a] for a, b in pairs if ids[b] == id) for id in ids}
    order = serial_order(ids, parents)
    assert all(order.index(parent) < order.index(id) for id in order for parent in parents[id])
    cycle = find_cycle(ids, parents)
    assert bool(cycle) == (len(order) < count)
    assert all(before in parents[after] for before, after in zip(cycle, [*cycle[1:], *cycle[:1]], strict=True))
    found = ancestors(order, parents)
    assert all(id not in found[id] for id in order)


OF_NAMES = st.frozensets(st.sampled_from(("x", "y", "f", "C")))
ONE_CELL = st.sampled_from(
    (
        "x = 1",
        "y = x",
        "x = y = 2",
        "x.sort()",
        "y.append(x)",
        "x = []; x.append(y)",
        "del x",
        "x = 1; del x",
        "import x",
        "def f(): return x",
        "class C: n = y",
        "y = C(f)",
        "C.n = 1",
        "print(f())",
        "from x import *",
        "exec(y)",
        "%run y.py",
    )
)


@given(st.lists(ONE_CELL, min_size=1, max_size=7), st.data())
def test_observations_of_what_the_source_says_already_change_no_edge(sources: list[str], data: st.DataObject) -> None:
    made = components(*sources)
    observed = {
        component.id: Seen(
            data.draw(st.one_of(st.just(component.uses.reads), OF_NAMES)),
            data.draw(st.one_of(st.just(component.uses.writes), OF_NAMES)),
        )
        for component in made
        if data.draw(st.booleans())
    }
    beyond = beyond_sources(made, observed)
    assert find_edges(made, observed=beyond) == find_edges(made, observed=observed)


def test_an_observation_of_what_the_source_says_is_left_out() -> None:
    made = components("x = 1", "y = x", "y.append(x)")
    seen = {CellId("b"): Seen(frozenset({"x"}), frozenset({"y"})), CellId("c"): Seen(frozenset({"x"}), frozenset())}
    assert beyond_sources(made, seen).keys() == {"c"}, "its source may change y in place, the run did not"


class Watching(dict[str, Any]):
    """A namespace that notes what is taken from it and what is put in."""

    def __init__(self) -> None:
        super().__init__(__name__="__main__")
        self.begin()

    def begin(self) -> None:
        self.taken: set[str] = set()
        self.put: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        found = super().__getitem__(name)
        if name not in self.put:
            self.taken.add(name)
        return found

    def __setitem__(self, name: str, value: Any) -> None:
        self.put.add(name)
        super().__setitem__(name, value)


CELLS = (
    """\
import heapq, statistics
from collections import Counter, namedtuple
""",
    """\
LIMIT = 4
Event = namedtuple('Event', 'time name')
log = []
""",
    """\
class Queue:
    def __init__(self):
        self.waiting = []
    def add(self, event):
        heapq.heappush(self.waiting, event)
        log.append(event)
        return len(self.waiting) < LIMIT
""",
    """\
def fill(queue, names):
    return [queue.add(Event(len(name), name)) for name in names]
""",
    """\
queue = Queue()
queues = {'main': queue}
""",
    "fits = fill(queues['main'], ['bread', 'roll', 'cake', 'tart', 'pie'])",
    """\
spent = statistics.mean(event.time for event in queue.waiting)
share = lambda x: x / spent
""",
    """\
counts = Counter(event.name[0] for event in log)
ratios = [share(event.time) for event in log]
""",
    """\
def scaled(values, by=spent):
    def one(value):
        return round(value * by + LIMIT, 1)
    return [*map(one, values)]
""",
    """\
try:
    best = max(missing)
except NameError:
    best = max(ratios)
""",
    "LIMIT = 10",
    "again = queues['main'].add(Event(1, 'bun')), scaled(ratios), best",
    """\
for each in again[1]:
    total = each
print(total, counts.most_common(1))
""",
)


def test_no_name_that_cells_take_is_overlooked() -> None:
    """What running shows comes to each cell by an edge, code in functions and in methods of objects included."""
    cells = [{"cell_type": "code", "metadata": {}, "source": source, "outputs": []} for source in CELLS]
    pipeline = read_pipeline(from_plain({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}))
    assert len(pipeline.components) == len(CELLS)
    namespace = Watching()
    for component in pipeline.components:
        namespace.begin()
        exec(compile(component.source, "<cell>", "exec"), namespace)
        carried = {name for edge in pipeline.edges if edge.child == component.id for name in edge.names}
        assert namespace.taken - PROVIDED <= carried | component.uses.writes, component.name
        assert namespace.put <= component.uses.writes, component.name
