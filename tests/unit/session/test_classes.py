"""Classes of a notebook come back as they were, without running anything of the user, and never into a live class."""

from __future__ import annotations

import abc
import collections.abc
import decimal
import enum
import gc
import itertools
import numbers
import textwrap
import typing
import weakref
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.errors import CannotStoreError
from nbcellar.session.importable import is_notebook_class
from nbcellar.session.rebuild import RebuildContext
from nbcellar.session.skeleton import make_skeleton

BODIES = (
    "text = 'some text'",
    "letter = 'x'",
    "number: int = 3",
    "items = [1, 'x', (2,)]",
    "both = frozenset({'b', 'a'})",
    "def method(self, other=None): return type(self)",
    "def parent(self): return super().__repr__() is not None",
    "@property\n    def size(self): return 4",
    "@staticmethod\n    def static(x='x'): return x",
    "@classmethod\n    def made(cls): return cls",
    "def __eq__(self, other): return type(self) is type(other)",
    "def __init_subclass__(cls, **options): events.append('subclass')",
    "class Inner:\n        depth = 2",
    "def __class_getitem__(cls, item): return item",
)


@st.composite
def sources(draw: st.DrawFn) -> str:
    """Return the source of a class `C` below none to two others, plain, with slots or as a dataclass."""
    kind = draw(st.sampled_from(["", "", "@dataclasses.dataclass\n", "@dataclasses.dataclass(slots=True)\n"]))
    slots = draw(st.sampled_from(["", "__slots__ = ('one', '__two')", "__slots__ = ()"])) if not kind else ""
    bases = draw(st.sampled_from(["", "(Base)", "(Mixin, Base)", "(list)", "(abc.ABC)", "(ValueError)", "(Slotted)"]))
    body = draw(st.lists(st.sampled_from(BODIES), unique=True, max_size=6))
    lines = "\n    ".join([draw(st.sampled_from(["'Documented.'", "pass"])), slots or "pass", *body])
    later = draw(st.sampled_from(["", "C.late = [C, 'x']", "C.me = C()", "C.__doc__ = 'Later.'", "del C.__doc__"]))
    if later == "del C.__doc__":
        later = "C.added = 1"
    return f"{HEAD}\n{kind}class C{bases}:\n    {lines}\n{later}\n"


HEAD = textwrap.dedent(
    """
    import abc, dataclasses
    events = []
    class Base:
        def __init_subclass__(cls, **options): events.append(cls)
    class Mixin:
        mixed = 1
    class Slotted:
        __slots__ = ("s",)
    """
)


@given(source=sources())
def test_a_class_decodes_to_one_with_the_same_contents_and_encodes_to_the_same_bytes(
    notebook: Any, source: str
) -> None:
    notebook.run(source)
    before = notebook["C"]
    events = len(notebook["events"])

    after = notebook.again("C")["C"]

    assert after is not before
    assert _names(after) == _names(before)
    assert [cls.__name__ for cls in after.__mro__] == [cls.__name__ for cls in before.__mro__]
    for part in ("__name__", "__qualname__", "__module__", "__doc__", "__basicsize__", "__dictoffset__"):
        assert getattr(after, part) == getattr(before, part)
    assert len(notebook["events"]) == events
    assert type(after()) is after


def _names(cls: type) -> list[str]:
    """Without what pickle adds when it stores an instance, and what Python 3.10's dataclasses leave behind."""
    left = {"__slotnames__"} if cls.__weakrefoffset__ else {"__slotnames__", "__weakref__"}
    return [name for name in vars(cls) if name not in left]


@given(source=sources())
def test_the_same_source_gives_the_same_bytes(notebook: Any, source: str) -> None:
    parcels = []
    for _ in range(2):
        fresh = type(notebook)()
        fresh.run(source)
        parcels.append(fresh.encode(fresh["C"]))

    assert parcels[0] == parcels[1]


def test_storing_instances_does_not_change_the_bytes_of_their_class(notebook: Any) -> None:
    notebook.run("class A:\n    __slots__ = ('x',)\na = A()\na.x = 1")
    before = notebook.encode(notebook["A"])

    notebook.encode(notebook["a"])

    assert notebook.encode(notebook["A"]) == before


def test_instances_subclasses_and_aliases_meet_the_same_class(notebook: Any) -> None:
    notebook.run(
        """
        class A:
            pass
        class B(A):
            def who(self): return super().__init__
        a, b, Alias = A(), B(), A
        """
    )
    other = notebook.again("A", "B", "a", "b", "Alias")

    assert type(other["a"]) is other["A"] is other["Alias"]
    assert type(other["b"]) is other["B"]
    assert other["B"].__bases__ == (other["A"],)
    assert isinstance(other["b"], other["A"])
    assert other["A"] is not notebook["A"]


def test_the_old_class_of_a_redefined_name_stays_with_its_instances(notebook: Any) -> None:
    notebook.run("class A:\n    def who(self): return 'old'\nold = A()")
    notebook.run("class A:\n    def who(self): return 'new'\nnew = A()")

    other = notebook.again("A", "old", "new")

    assert (other["old"].who(), other["new"].who()) == ("old", "new")
    assert type(other["new"]) is other["A"]
    assert type(other["old"]) is not other["A"]


def test_classes_that_hold_each_other_and_their_own_instances(notebook: Any) -> None:
    notebook.run(
        """
        class A:
            def __init__(self, n=0): self.n = n
            def __hash__(self): return hash(self.n)
            def __eq__(self, other): return self.n == other.n
        class B(A):
            def __init_subclass__(cls, **options): raise RuntimeError("must not run")
        A.first, A.peer, A.table = A(1), B(2), {A(3): B}
        B.peer, B.owner = A.first, A
        """
    )
    for names in (("A", "B"), ("B", "A"), ("B",)):
        other = notebook.again(*names)
        assert "A" not in other.namespace or other["A"] is other["B"].owner
        B = other["B"]
        A = B.owner
        assert type(A.first) is A
        assert type(A.peer) is B
        assert A.table[A(3)] is B
        assert type(B.peer) is A
        assert B.peer.n == 1


def test_a_base_class_that_registers_its_subclasses_loads_from_either_end(notebook: Any) -> None:
    notebook.run(
        """
        class Plugin:
            registry = {}
            def __init_subclass__(cls, **options): Plugin.registry[cls.__name__] = cls
        class First(Plugin):
            "One."
        class Second(First):
            pass
        second = Second()
        """
    )
    for names in (("Plugin", "First", "Second"), ("Second", "First", "Plugin"), ("second", "Plugin")):
        other = notebook.again(*names)
        Plugin = other["Plugin"]
        assert list(Plugin.registry) == ["First", "Second"]
        assert Plugin.registry["Second"].__bases__ == (Plugin.registry["First"],)
        assert Plugin.registry["First"].__doc__ == "One."
        assert [cls.__name__ for cls in Plugin.__subclasses__()] == ["First"]
        if "second" in names:
            assert type(other["second"]) is Plugin.registry["Second"]


@pytest.mark.parametrize("order", [*itertools.permutations(["Base", "Sub", "Deep"])])
def test_classes_in_one_stream_are_made_once_whatever_their_order(notebook: Any, order: tuple[str, ...]) -> None:
    notebook.run(
        """
        import enum
        class Base:
            registry = []
            def __init_subclass__(cls, **options): Base.registry.append(cls)
        class Sub(Base):
            pass
        class Deep(Sub, enum.Enum):
            ONE = 1
        Base.default, Sub.made = Deep.ONE, Sub()
        """
    )
    parcel = notebook.encode_together(*(notebook[name] for name in order), notebook["Deep"].ONE)
    other = type(notebook)()

    *classes, one = other.decode(parcel)
    found = dict(zip(order, classes, strict=True))

    assert found["Base"].registry == [found["Sub"], found["Deep"]]
    assert found["Base"].__subclasses__() == [found["Sub"]]
    assert one is found["Deep"].ONE is found["Base"].default
    assert type(found["Sub"].made) is found["Sub"]
    assert other.encode_together(*classes, one) == parcel


def test_a_cache_of_instances_inside_a_method_is_loaded_after_the_methods(notebook: Any) -> None:
    notebook.run(
        """
        import functools
        def remember(method):
            kept = {}
            @functools.wraps(method)
            def wrapper(self, n):
                if (self, n) not in kept:
                    kept[self, n] = method(self, n)
                return kept[self, n]
            return wrapper
        class Model:
            @remember
            def predict(self, n): return [self.k, n]
            def __init__(self, k): self.k = k
            def __hash__(self): return hash(self.k)
            def __eq__(self, other): return self.k == other.k
        first = Model(1).predict(2)
        """
    )
    Model = notebook.again("Model")["Model"]

    assert Model(1).predict(2) is Model(1).predict(2)
    assert Model(1).predict(2) == [1, 2]


def test_nothing_of_the_user_runs_at_rebuild(notebook: Any) -> None:
    notebook.run(
        """
        events = []
        class Meta(type):
            def __new__(meta, name, bases, space, **options):
                events.append(name)
                return super().__new__(meta, name, bases, space)
            def __init__(cls, name, bases, space, flag=None):
                super().__init__(name, bases, space)
                cls.flag = flag
            def __setattr__(cls, name, value):
                events.append(name)
                super().__setattr__(name, value)
            def greet(cls): return cls.__name__
        class Named:
            def __set_name__(self, owner, name):
                events.append(name)
                self.name = name
            def __get__(self, instance, owner=None):
                return self.name
        class A(metaclass=Meta, flag=7):
            field = Named()
            def __init_subclass__(cls, **options): events.append("subclass")
        class B(A): pass
        """
    )
    events = list(notebook["events"])

    other = notebook.again("Meta", "A", "B", "Named")

    assert notebook["events"] == events
    assert "events" not in other.namespace
    assert type(other["B"]) is other["Meta"]
    assert (other["A"].flag, other["B"].greet(), other["A"]().field) == (7, "B", "field")


def test_slots_in_every_spelling(notebook: Any) -> None:
    notebook.run(
        """
        class One:
            __slots__ = "only"
        class Private:
            __slots__ = ["__p", "__weakref__"]
            def __init__(self): self.__p = 1
            def p(self): return self.__p
        class Documented:
            __slots__ = {"x": "The x.", "__dict__": "The rest."}
        class Wide(One):
            pass
        one, private, documented, wide = One(), Private(), Documented(), Wide()
        one.only = documented.x = documented.y = wide.z = 5
        """
    )
    other = notebook.again("One", "Private", "Documented", "Wide", "one", "private", "documented", "wide")

    assert not hasattr(other["one"], "__dict__")
    assert (other["one"].only, other["private"].p(), other["documented"].x, other["documented"].y) == (5, 1, 5, 5)
    assert weakref.ref(other["private"])() is other["private"]
    assert other["wide"].z == 5


def test_names_that_type_itself_guards(notebook: Any) -> None:
    notebook.run(
        """
        class Liar:
            __module__ = "elsewhere"
            __name__ = "shown"
            @property
            def __class__(self): return int
            @property
            def __dict__(self): return {"q": 1}
        """
    )
    Liar = notebook.again("Liar")["Liar"]

    assert (Liar.__module__, Liar().__name__, Liar().__class__, Liar().__dict__) == (
        "elsewhere",
        "shown",
        int,
        {"q": 1},
    )


def test_dataclasses(notebook: Any) -> None:
    notebook.run(
        """
        import dataclasses, typing
        from dataclasses import InitVar, KW_ONLY, dataclass, field
        @dataclass(frozen=True, order=True)
        class Frozen:
            x: int
            tags: list = field(default_factory=list, compare=False, metadata={"unit": "m"})
            start: InitVar[int] = 3
            shared: typing.ClassVar[int] = 9
            _: KW_ONLY = None
            w: int = 1
            def __post_init__(self, start): object.__setattr__(self, "begun", start)
        @dataclass(slots=True)
        class Slots:
            x: int
            y: list = field(default_factory=list)
        Made = dataclasses.make_dataclass("Made", ["a", ("b", int, 5)])
        frozen, slots, made = Frozen(1, w=2), Slots(2), Made(1)
        """
    )
    other = notebook.again("Frozen", "Slots", "Made", "frozen", "slots", "made", "dataclasses")
    Frozen, dataclasses = other["Frozen"], other["dataclasses"]

    assert other["frozen"] == Frozen(1, w=2) < Frozen(2)
    assert hash(other["frozen"]) == hash(notebook["frozen"])
    assert [f.name for f in dataclasses.fields(Frozen)] == ["x", "tags", "w"]
    assert dataclasses.fields(Frozen)[1].metadata == {"unit": "m"}
    assert (Frozen(1, start=8).begun, Frozen.shared) == (8, 9)
    with pytest.raises(dataclasses.FrozenInstanceError):
        other["frozen"].x = 2
    assert other["slots"] == other["Slots"](2)
    assert not hasattr(other["slots"], "__dict__")
    assert other["Slots"](1).y is not other["Slots"](1).y
    assert other["made"].b == 5


def test_enum_members_are_the_very_members_again(notebook: Any) -> None:
    notebook.run(
        """
        import datetime, decimal, enum
        class Plain(enum.Enum):
            ONE = 1
            TEXT = "x"
            ALIAS = 1
            UNHASHABLE = [1]
            def shout(self): return self.name + "!"
            @classmethod
            def _missing_(cls, value): return cls.ONE
        class Number(enum.IntEnum):
            X = 1
        class Rights(enum.Flag):
            READ = enum.auto()
            WRITE = enum.auto()
            ALL = READ | WRITE
            EXTRA = enum.auto()
        class Labelled(bytes, enum.Enum):
            def __new__(cls, value, label):
                made = bytes.__new__(cls, [value])
                made._value_ = value
                made.label = label
                return made
            FIRST = (1, "first")
        class Pair(enum.Enum):
            P = (1, 2)
            def __init__(self, a, b): self.a, self.b = a, b
        class Day(datetime.date, enum.Enum):
            NEW_YEAR = 2020, 1, 1
        class Word(str, enum.Enum):
            HELLO = "hello"
        class Amount(decimal.Decimal, enum.Enum):
            FEW = "1.5"
            def __reduce__(self): return Amount, (str(self),)
        class Tagged:
            __slots__ = ("tag",)
        class Half(Tagged, enum.Enum):
            HALF = 0.5
            def __init__(self, value): self.tag = [value]
        Made = enum.Enum("Made", "u v")
        more = [Amount.FEW, Half.HALF]
        held = [Plain.ONE, Number.X, Rights.ALL, Rights.READ | Rights.EXTRA, Labelled.FIRST, Pair.P, Day.NEW_YEAR,
                Word.HELLO, Made.u, {Plain.TEXT: 1}]
        """
    )
    other = notebook.again(
        "Plain", "Number", "Rights", "Labelled", "Pair", "Day", "Word", "Made", "held", "Amount", "Half", "more"
    )
    Plain, Rights, Labelled = other["Plain"], other["Rights"], other["Labelled"]
    held = other["held"]

    assert held[0] is Plain.ONE is Plain.ALIAS is Plain(1) is Plain("unknown")
    assert held[1] is other["Number"].X
    assert held[1] == 1
    assert held[2] is Rights.ALL is Rights.READ | Rights.WRITE
    assert held[3] is Rights.READ | Rights.EXTRA
    assert held[4] is Labelled.FIRST is Labelled(1)
    assert (held[4].label, bytes(held[4])) == ("first", b"\x01")
    assert held[5] is other["Pair"]((1, 2))
    assert held[6] is other["Day"].NEW_YEAR
    assert held[6].year == 2020
    assert held[7] is other["Word"]("hello")
    assert held[8] is other["Made"].u
    assert held[9][Plain.TEXT] == 1
    assert (other["more"][0], other["more"][1].tag) == (decimal.Decimal("1.5"), [0.5])
    assert other["more"][0] is other["Amount"].FEW
    assert other["more"][1] is other["Half"].HALF
    assert Plain([1]) is Plain.UNHASHABLE
    assert [member.name for member in Plain] == ["ONE", "TEXT", "UNHASHABLE"]
    assert Plain.TEXT.shout() == "TEXT!"
    assert repr(Plain.ONE) == "<Plain.ONE: 1>"
    with pytest.raises(AttributeError):
        Plain.ONE = 2


def test_using_a_combination_of_flags_does_not_change_its_class(notebook: Any) -> None:
    notebook.run("import enum\nclass F(enum.Flag):\n    A = 1\n    B = 2")
    before = notebook.encode(notebook["F"])

    notebook.run("both = F.A | F.B")

    assert notebook.encode(notebook["F"]) == before


@pytest.mark.skipif(not hasattr(enum, "StrEnum"), reason="Python 3.11")
def test_string_enums_and_boundaries(notebook: Any) -> None:
    notebook.run(
        """
        import enum
        class S(enum.StrEnum):
            A = enum.auto()
        class K(enum.IntFlag, boundary=enum.KEEP):
            A = 1
        s, k = S.A, K(9)
        """
    )
    other = notebook.again("S", "K", "s", "k")

    assert other["s"] is other["S"].A
    assert other["s"] == "a"
    assert other["k"] == other["K"](9)


def test_named_tuples_and_typed_dicts(notebook: Any) -> None:
    notebook.run(
        """
        import collections, typing
        Point = collections.namedtuple("Point", "x yy", defaults=[5])
        class Row(typing.NamedTuple):
            "A row."
            a: int
            b: str = "u"
            def twice(self): return self.a * 2
        Row.ORIGIN = Row(0)
        class Movie(typing.TypedDict, total=False):
            title: str
        point, row, movie = Point(1), Row(2), Movie(title="M")
        """
    )
    other = notebook.again("Point", "Row", "Movie", "point", "row", "movie")
    Point, Row = other["Point"], other["Row"]

    assert type(other["point"]) is Point
    assert other["point"] == (1, 5)
    assert other["point"]._replace(x=3) == Point(3)
    assert Point._make([1, 2]).yy == 2
    assert (other["row"].twice(), Row.ORIGIN, type(Row.ORIGIN)) == (4, (0, "u"), Row)
    assert Row.__doc__ == "A row."
    assert other["Movie"].__optional_keys__ == {"title"}
    assert other["Movie"](title="N") == {"title": "N"}


def test_abstract_classes_protocols_and_generics(notebook: Any) -> None:
    notebook.run(
        """
        import abc, collections.abc, typing
        class Shape(abc.ABC):
            @abc.abstractmethod
            def area(self): ...
            @property
            @abc.abstractmethod
            def edge(self): ...
        class Square(Shape):
            edge = 2
            def area(self): return self.edge ** 2
        class Virtual: pass
        Shape.register(Virtual)
        @typing.runtime_checkable
        class Runs(typing.Protocol):
            def run(self) -> int: ...
        class Runner(Runs):
            def run(self): return 1
        T = typing.TypeVar("T")
        class Box(typing.Generic[T]):
            def __init__(self, x: T): self.x = x
        class IntBox(Box[int]): pass
        class Table(collections.abc.Mapping):
            def __getitem__(self, key): return 1
            def __len__(self): return 1
            def __iter__(self): return iter("a")
        virtual, box, alias = Virtual(), IntBox(1), Box[str]
        """
    )
    names = ["Shape", "Square", "Virtual", "Runs", "Runner", "Box", "IntBox", "Table", "virtual", "box", "alias"]
    other = notebook.again(*names)

    assert other["Shape"].__abstractmethods__ == {"area", "edge"}
    with pytest.raises(TypeError, match="abstract"):
        other["Shape"]()
    assert other["Square"]().area() == 4
    assert isinstance(other["virtual"], other["Shape"])
    assert not isinstance(other["virtual"], other["Square"])
    assert isinstance(other["Runner"](), other["Runs"])
    assert not isinstance(3, other["Runs"])
    assert isinstance(other["box"], other["Box"])
    assert other["IntBox"].__orig_bases__ == (other["Box"][int],)
    assert other["alias"].__origin__ is other["Box"]
    assert dict(other["Table"]()) == {"a": 1}
    assert isinstance(other["Table"](), collections.abc.Mapping)


def test_a_class_registered_as_a_collection_or_number_stays_one(notebook: Any) -> None:
    notebook.run(
        """
        import collections.abc, numbers
        @collections.abc.Sequence.register
        class Few:
            pass
        class Odd:
            pass
        numbers.Real.register(Odd)
        """
    )
    other = notebook.again("Few", "Odd")

    assert isinstance(other["Few"](), collections.abc.Sequence)
    assert not isinstance(other["Few"](), collections.abc.Mapping)
    assert isinstance(other["Odd"](), numbers.Real)


def test_wrapped_and_cached_methods(notebook: Any) -> None:
    notebook.run(
        """
        import functools
        class Own(property):
            tag = 3
        class A:
            made = 0
            @functools.cached_property
            def parts(self):
                A.made += 1
                return [1]
            @functools.lru_cache(maxsize=5)
            def kept(self, n): return n
            @functools.singledispatchmethod
            def kind(self, x): return "object"
            @kind.register
            def _(self, x: int): return "number"
            pair = functools.partialmethod(lambda self, a, b: (a, b), 1)
            @Own
            def own(self): return 9
        a = A()
        a.parts
        """
    )
    other = notebook.again("A", "Own", "a")
    A, a = other["A"], other["a"]

    assert a.parts == A().parts == [1]
    assert a.kept(3) == 3
    assert A.kept.cache_parameters()["maxsize"] == 5
    assert (a.kind(1), a.kind("")) == ("number", "object")
    assert a.pair(2) == (1, 2)
    assert a.own == 9
    assert type(vars(A)["own"]) is other["Own"]


def test_subclasses_of_builtins_and_exceptions(notebook: Any) -> None:
    notebook.run(
        """
        class Stack(list):
            def __init__(self, *items):
                super().__init__(items)
                self.top = 1
        class Default(dict):
            def __missing__(self, key): return 7
        class Pair(tuple):
            def __new__(cls, a, b): return super().__new__(cls, (a, b))
        class Problem(ValueError):
            def __init__(self, text, code):
                super().__init__(text, code)
                self.code = code
        stack, default, problem = Stack(1, 2), Default(a=1), Problem("bad", 4)
        """
    )
    other = notebook.again("Stack", "Default", "Pair", "Problem", "stack", "default", "problem")

    assert (other["stack"], other["stack"].top) == ([1, 2], 1)
    assert (other["default"]["a"], other["default"]["b"]) == (1, 7)
    assert other["Pair"](1, 2) == (1, 2)
    assert (other["problem"].args, other["problem"].code) == (("bad", 4), 4)
    assert isinstance(other["problem"], other["Problem"])


def test_a_metaclass_that_defines_equality(notebook: Any) -> None:
    notebook.run(
        """
        class Meta(type):
            def __eq__(cls, other): raise RuntimeError("compared")
            __hash__ = type.__hash__
        class A(metaclass=Meta): pass
        class B(A): pass
        b = B()
        """
    )
    other = notebook.again("b")

    assert type(other["b"]).__mro__[1].__name__ == "A"


def test_local_and_nested_classes(notebook: Any) -> None:
    notebook.run(
        """
        def make(secret):
            def helper(): return secret
            class Local:
                def reveal(self): return helper()
                def own(self): return __class__
            return Local
        Local, Second = make(3), make(4)
        class Outer:
            class Inner:
                pass
            inner = Inner()
        local, made = Local(), type("Made", (), {"f": lambda self: 5})()
        """
    )
    other = notebook.again("Local", "Second", "Outer", "local", "made")

    assert (other["local"].reveal(), other["Second"]().reveal()) == (3, 4)
    assert other["local"].own() is other["Local"]
    assert other["Local"].__qualname__ == "make.<locals>.Local"
    assert type(other["Outer"].inner) is other["Outer"].Inner
    assert other["made"].f() == 5


def test_third_party_class_makers(notebook: Any) -> None:
    pytest.importorskip("attr")
    notebook.run(
        """
        import attr
        @attr.define
        class Defined:
            width: int
            tags: list = attr.field(factory=list)
            def twice(self): return super().__hash__ is not None and self.width * 2
        defined = Defined(4)
        """
    )
    other = notebook.again("Defined", "defined")

    assert other["defined"] == other["Defined"](4)
    assert other["Defined"](1).tags is not other["Defined"](1).tags
    assert other["defined"].twice() == 8


def test_a_class_below_an_estimator_of_scikit_learn(notebook: Any) -> None:
    pytest.importorskip("sklearn.base")
    notebook.run(
        """
        from sklearn.base import BaseEstimator, TransformerMixin
        class Shift(TransformerMixin, BaseEstimator):
            def __init__(self, by=1): self.by = by
            def fit(self, X, y=None): return self
            def transform(self, X): return [x + self.by for x in X]
        shift = Shift(2)
        """
    )
    other = notebook.again("Shift", "shift")

    assert other["shift"].get_params() == {"by": 2}
    assert other["shift"].fit_transform([1]) == [3]


@pytest.mark.parametrize(
    ("module", "cell"),
    [
        ("ctypes", "import ctypes\nclass C(ctypes.Structure):\n    _fields_ = [('x', ctypes.c_int)]"),
        ("msgspec", "import msgspec\nclass C(msgspec.Struct):\n    x: int"),
    ],
)
def test_classes_with_a_metaclass_made_in_c_are_refused(notebook: Any, module: str, cell: str) -> None:
    pytest.importorskip(module)
    notebook.run(cell)

    with pytest.raises(CannotStoreError, match=r"class __main__\.C cannot be stored: its metaclass"):
        notebook.encode(notebook["C"])


def test_what_counts_as_a_class_of_the_notebook(notebook: Any) -> None:
    notebook.run("class A: pass\nmade = type('made', (), {})\nlisted = list[int]\ndef f(): pass")
    own = ["A", "made"]

    assert [
        name for name in ("A", "made", "listed", "f") if is_notebook_class(notebook[name], notebook.namespace)
    ] == own
    for cls in (int, type(f for f in ()), abc.ABC, typing.Generic, enum.Enum, RebuildContext, type(None)):
        assert not is_notebook_class(cls, notebook.namespace)


def _contents(*classes: type) -> list[tuple[Any, ...]]:
    return [(cls, dict(vars(cls)), cls.__bases__, cls.__flags__ & ~(1 << 19)) for cls in classes]


def test_a_load_that_fails_half_way_leaves_every_live_class_as_it_was(notebook: Any) -> None:
    notebook.run(
        """
        import abc, enum
        class Base(abc.ABC):
            registry = []
            def __init_subclass__(cls, **options): Base.registry.append(cls)
        class Colour(enum.Enum):
            RED = 1
        class Bad:
            def __setstate__(self, state): raise RuntimeError("cannot load")
            def __init__(self): self.x = 1
        class A(Base):
            colour = Colour.RED
        A.bad = Bad()
        a = A()
        """
    )
    parcel = notebook.encode(notebook["a"])
    live = [notebook[name] for name in ("Base", "Colour", "Bad", "A")]
    before, namespace, registry = _contents(*live), dict(notebook.namespace), list(notebook["Base"].registry)

    with pytest.raises(RuntimeError, match="cannot load"):
        notebook.decode(parcel)

    assert _contents(*live) == before
    assert notebook.namespace == namespace
    assert notebook["Base"].registry == registry


def test_a_rebuilt_subclass_of_a_live_class_changes_nothing_of_it(notebook: Any) -> None:
    notebook.run(
        """
        class Base:
            seen = []
            def __init_subclass__(cls, **options): Base.seen.append(cls)
        class Sub(Base):
            x = 1
        """
    )
    Base, parcel = notebook["Base"], notebook.encode(notebook["Sub"])
    stream, needs = parcel.definitions[notebook.uid_of(notebook["Sub"])], notebook["Base"]
    before, seen = _contents(Base), list(Base.seen)

    made: dict[str, type] = {}
    context = RebuildContext({}, notebook.namespace, lambda index: needs, made.__setitem__)
    (sub,) = notebook.load_stream(stream.stream, context)

    assert sub.__bases__ == (Base,)
    assert list(made.values()) == [sub]
    assert (_contents(Base), Base.seen) == (before, seen)
    assert Base.__subclasses__() == [notebook["Sub"], sub]


class Hooked:
    """Plain, with a hook that must not run."""

    def __init_subclass__(cls, **_: Any) -> None:
        raise AssertionError("__init_subclass__ ran")


class HookedSlots:
    __slots__ = ()

    def __init_subclass__(cls, **_: Any) -> None:
        raise AssertionError("__init_subclass__ ran")


def _below(base: type, *slots: str) -> type:
    namespace = {"__slots__": slots} if slots else {}
    return make_skeleton(type(base), "Below", (base,), namespace, (not slots, not slots))


def _hooked(*bases: type) -> type:
    namespace = {"__init_subclass__": classmethod(lambda cls, **_: 1 / 0)}
    return type.__new__(type(bases[0]), "HookedBelow", bases, namespace)


BASES = {
    "plain": lambda: (Hooked,),
    "below plain": lambda: (_below(Hooked),),
    "slots above": lambda: (HookedSlots,),
    "slots below": lambda: (_below(_below(HookedSlots, "a")),),
    "list": lambda: (_hooked(list),),
    "tuple": lambda: (_hooked(tuple),),
    "exception": lambda: (_hooked(KeyError),),
    "mapping": lambda: (_hooked(collections.abc.Mapping),),
    "generic": lambda: (typing.Generic,),
    "several": lambda: (type("Mixin", (), {}), Hooked),
    "several, slots": lambda: (type("Mixin", (), {"__slots__": ()}), _below(Hooked)),
    "builtin beside": lambda: (dict, _below(Hooked)),
}


@pytest.mark.parametrize(("bases", "slots"), [*itertools.product(BASES, [None, (), ("own",)])])
def test_a_skeleton_has_the_layout_that_the_hook_would_have_given(bases: str, slots: tuple[str, ...] | None) -> None:
    parents = BASES[bases]()
    namespace: dict[str, Any] = {"__module__": "m"} if slots is None else {"__module__": "m", "__slots__": slots}
    if slots and issubclass(parents[0], tuple):
        pytest.skip("tuples have no slots")
    with_dict = slots is None or any(base.__dictoffset__ for base in parents)
    with_weakref = (slots is None and not issubclass(parents[0], tuple)) or any(b.__weakrefoffset__ for b in parents)

    made = make_skeleton(
        type(parents[-1]) if bases == "mapping" else type, "Made", parents, namespace, (with_dict, with_weakref)
    )

    assert made.__bases__ == parents
    assert made.__mro__[1 : len(parents[0].__mro__) + 1][0] is parents[0]
    assert bool(made.__dictoffset__) == with_dict
    gc.collect()
    assert [cls.__name__ for cls in parents[0].__subclasses__() if cls is made or "Silencer" in cls.__name__] == [
        "Made"
    ]
