"""attrs: classes of the notebook, with and without slots."""

from case import Case, Library

LIBRARY = Library(
    package="attrs",
    imports="import attrs\nfrom attrs import define, field, frozen",
    cases=(
        Case(
            name="attrs.define (a class of the notebook)",
            make="@define\nclass Point:\n    a: int\n    b: list = field(factory=list)\nx = Point(1)",
            use="repr(x); x == Point(1); attrs.asdict(x)",
            changes=("x.a = 5", "x.b.append(1)", "x.b = [x.a]"),
            picture="attrs.asdict(x), type(x) is Point, x == attrs.evolve(x)",
        ),
        Case(
            name="attrs.frozen (a class of the notebook)",
            make="@frozen\nclass Fixed:\n    a: int = field(validator=attrs.validators.instance_of(int))\n    b: tuple = ()\nx = Fixed(1)",
            use="hash(x); repr(x)",
            changes=("x = attrs.evolve(x, a=2)", "x = Fixed(3, (1,))", "object.__setattr__(x, 'a', 9)"),
            picture="repr(x), attrs.astuple(x), type(x) is Fixed",
        ),
        Case(
            name="attrs.define (without slots)",
            make="@define(slots=False, order=True)\nclass Loose:\n    a: int = field(converter=int, default='1')\n    c: int = field(init=False)\n    def __attrs_post_init__(self):\n        self.c = self.a * 2\nx = Loose('4')",
            use="repr(x); x < Loose(9)",
            changes=("x.a = '7'", "x.extra = 'e'", "x.c = 0"),
            picture="repr(x), sorted(vars(x).items()), type(x) is Loose",
        ),
    ),
)
