"""Functions, classes and what is made of them, in a kernel where they are redefined, undone and done again."""

from __future__ import annotations

from .support import Kernel


def test_a_class_redefined_keeps_old_instances_of_the_old_class(kernel: Kernel) -> None:
    kernel.run("class A:\n    def name(self):\n        return 'old'\na = A()")
    kernel.run("class A:\n    def name(self):\n        return 'new'\nb = A()")
    for _ in range(2):
        kernel.is_true("a.name() == 'old'", "b.name() == 'new'", "type(b) is A", "type(a) is not A")
        kernel.undo()
        kernel.is_true("a.name() == 'old'", "type(a) is A", "'b' not in globals()")
        kernel.redo()
    kernel.is_true("a.name() == 'old'", "b.name() == 'new'", "type(b) is A", "type(a) is not A")


def test_closures_that_share_a_cell_share_it_again(kernel: Kernel) -> None:
    kernel.comes_back(
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
            _ = up()
            """,
        "up()",
        "get() == 1",
    )
    kernel.run("up()")
    kernel.is_true("get() == 2")


def test_functions_see_the_names_of_today(kernel: Kernel) -> None:
    kernel.run("scale = 2\ndef f(x):\n    return scale * x", "f = None")
    kernel.undo()
    kernel.run("scale = 10")
    kernel.is_true("f(1) == 10", "f.__globals__ is globals()")


def test_decorated_functions_work_again(kernel: Kernel) -> None:
    kernel.comes_back(
        """
            import functools
            calls = []
            def logged(f):
                @functools.wraps(f)
                def inner(*a):
                    calls.append(f.__name__)
                    return f(*a)
                return inner
            @logged
            def add(a, b):
                '''Sum.'''
                return a + b
            """,
        "add = calls = None",
        "add(1, 2) == 3",
        "add.__name__ == 'add' and add.__doc__ == 'Sum.'",
        "set(calls) == {'add'}",
        "add.__wrapped__(2, 3) == 5",
    )


def test_dataclasses_named_tuples_and_enums_come_back(kernel: Kernel) -> None:
    kernel.comes_back(
        """
            import dataclasses, enum, collections, typing
            @dataclasses.dataclass(order=True)
            class Point:
                x: int
                y: list = dataclasses.field(default_factory=list)
            @dataclasses.dataclass(frozen=True, slots=True)
            class Cold:
                x: int = 1
            class E(enum.Enum):
                A = 1
                B = 2
                ALSO_A = 1
            class F(enum.Flag):
                R = enum.auto()
                W = enum.auto()
            Pair = collections.namedtuple('Pair', 'left right')
            class Typed(typing.NamedTuple):
                n: int = 3
            p = Point(1, [2])
            c = Cold(5)
            e = E.A
            f = F.R | F.W
            pair = Pair(1, p)
            t = Typed()
            """,
        "p.y.append(3)\ne = f = pair = t = c = None",
        "e is E.A and E(1) is e and E.ALSO_A is e",
        "f == F.R | F.W and F.R in f",
        "p == Point(1, [2]) and type(p) is Point",
        "pair.right is p and type(pair) is Pair",
        "t == Typed(3) and type(t) is Typed",
        "c == Cold(5) and type(c) is Cold and hash(c) == hash(Cold(5))",
    )


def test_an_enum_member_is_the_member_after_its_class_was_redefined_and_undone(kernel: Kernel) -> None:
    kernel.run("import enum\nclass E(enum.Enum):\n    A = 1\n    B = 2\ne = E.A\nseen = {E.A: 'a', E.B: 'b'}")
    kernel.run("class E(enum.Enum):\n    A = 10\n")
    kernel.is_true("e is not E.A", "e.value == 1")
    kernel.undo()
    kernel.is_true("e is E.A", "seen[E.B] == 'b'", "list(seen) == list(E)")
    kernel.redo()
    kernel.is_true("e is not E.A", "e.value == 1", "E.A.value == 10")


def test_abstract_classes_stay_abstract(kernel: Kernel) -> None:
    kernel.comes_back(
        """
            import abc
            class Shape(abc.ABC):
                @abc.abstractmethod
                def area(self): ...
            class Square(Shape):
                def area(self):
                    return 4
            Shape.register(dict)
            s = Square()
            def is_abstract(cls):
                try:
                    cls()
                except TypeError:
                    return True
                return False
            """,
        "class Square(Shape):\n    def area(self):\n        return 9",
        "s.area() == 4 and isinstance(s, Shape) and type(s) is Square",
        "is_abstract(Shape)",
        "issubclass(dict, Shape)",
    )


def test_three_levels_of_inheritance_keep_their_super_calls(kernel: Kernel) -> None:
    kernel.run(
        """
            class A:
                def who(self):
                    return ['A']
            class B(A):
                def who(self):
                    return super().who() + ['B']
            class C(B):
                def who(self):
                    return super().who() + ['C']
            c = C()
            """
    )
    kernel.run("class A:\n    def who(self):\n        return ['new A']")
    kernel.is_true("c.who() == ['A', 'B', 'C']", "not isinstance(c, A)")
    kernel.undo()
    kernel.is_true("c.who() == ['A', 'B', 'C']", "isinstance(c, A)", "type(c) is C", "C.__mro__ == (C, B, A, object)")
    kernel.run("def patched(self):\n    return ['patched']\nA.who = patched")
    kernel.is_true("c.who() == ['patched', 'B', 'C']")
    kernel.undo()
    kernel.is_true("c.who() == ['A', 'B', 'C']")
    kernel.redo()
    kernel.is_true("c.who() == ['patched', 'B', 'C']")


def test_class_attributes_are_part_of_the_session(kernel: Kernel) -> None:
    kernel.comes_back(
        """
            class Config:
                options = {'a': 1}
                count = 0
                def bump(self):
                    type(self).count += 1
            c = Config()
            """,
        "Config.options['b'] = 2\nc.bump()\nConfig.extra = 1",
        "Config.options == {'a': 1}",
        "c.options is Config.options",
        "Config.count == 0 and not hasattr(Config, 'extra')",
        "type(c) is Config",
    )


def test_properties_slots_and_class_methods_work_again(kernel: Kernel) -> None:
    kernel.comes_back(
        """
            class Slotted:
                __slots__ = ('_x', '__weakref__')
                def __init__(self, x):
                    self._x = x
                @property
                def x(self):
                    return self._x
                @x.setter
                def x(self, value):
                    self._x = value
                @classmethod
                def make(cls):
                    return cls(7)
                @staticmethod
                def plus(a):
                    return a + 1
            s = Slotted.make()
            """,
        "s.x = 8",
        "s.x == 7 and s.plus(1) == 2",
        "type(Slotted.make()) is type(s)",
        "not hasattr(s, '__dict__')",
    )


def test_a_cached_function_works_and_is_honest_about_its_cache(kernel: Kernel) -> None:
    kernel.run("""
        import functools
        calls = []
        @functools.lru_cache(maxsize=None)
        def f(x):
            calls.append(x)
            return x * x
        """)
    kernel.run("y = f(3)")
    kernel.undo()
    kernel.is_true("f(3) == 9", "f.__wrapped__(2) == 4")


def test_recursive_and_mutually_recursive_functions_work_again(kernel: Kernel) -> None:
    kernel.comes_back(
        """
            def even(n):
                return n == 0 or odd(n - 1)
            def odd(n):
                return n != 0 and even(n - 1)
            fact = lambda n: 1 if n < 2 else n * fact(n - 1)
            """,
        "even = odd = fact = None",
        "even(10) and not odd(10) and fact(5) == 120",
    )


def test_generic_classes_and_annotations_come_back(kernel: Kernel) -> None:
    kernel.comes_back(
        """
            from typing import Generic, TypeVar, Protocol, TypedDict
            T = TypeVar('T')
            class Stack(Generic[T]):
                items: 'list[T]'
                def __init__(self):
                    self.items = []
            class Row(TypedDict):
                a: int
            class Sized(Protocol):
                def size(self) -> int: ...
            s = Stack[int]()
            row = Row(a=1)
            alias = dict[str, Stack[int]]
            """,
        "s.items.append(1)\nStack = Row = alias = None",
        "s.items == [] and type(s) is Stack and s.__orig_class__ == Stack[int]",
        "row == {'a': 1} and Row.__annotations__.keys() == {'a'}",
        "alias == dict[str, Stack[int]]",
    )


def test_metaclasses_and_subclass_hooks_do_not_run_again(kernel: Kernel) -> None:
    kernel.comes_back(
        """
            class Meta(type):
                def __new__(mcs, name, bases, ns):
                    made.append(name)
                    return super().__new__(mcs, name, bases, ns)
            made = []
            class Base(metaclass=Meta):
                subs = []
                def __init_subclass__(cls):
                    Base.subs.append(cls.__name__)
            class Child(Base):
                pass
            child = Child()
            """,
        "class Child(Base):\n    x = 1",
        "made == ['Base', 'Child'] and Base.subs == ['Child']",
        "type(child) is Child and type(Child) is Meta",
    )


def test_an_exception_in_a_variable_comes_back(kernel: Kernel) -> None:
    kernel.comes_back(
        """
            class Oops(ValueError):
                def __init__(self, code):
                    super().__init__(f'code {code}')
                    self.code = code
            try:
                raise Oops(3)
            except Oops as caught:
                error = caught
            """,
        "error.code = 4",
        "type(error) is Oops and error.code == 3 and str(error) == 'code 3'",
    )


def test_bound_methods_and_partials_point_at_the_same_object_again(kernel: Kernel) -> None:
    kernel.comes_back(
        """
            import functools
            class Counter:
                def __init__(self):
                    self.n = 0
                def up(self, by=1):
                    self.n += by
            c = Counter()
            up = c.up
            up5 = functools.partial(c.up, 5)
            up()
            """,
        "up5()",
        "c.n == 1",
        "up.__self__ is c and up5.func.__self__ is c",
    )
