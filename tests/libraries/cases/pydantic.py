"""pydantic: models of the notebook with a validator in Rust."""

from case import Case, Library

LIBRARY = Library(
    package="pydantic",
    imports="from typing import Annotated\nfrom pydantic import BaseModel, Field, PrivateAttr, TypeAdapter, computed_field, create_model, field_validator",
    cases=(
        Case(
            name="pydantic.BaseModel (a class of the notebook)",
            make="class Item(BaseModel, validate_assignment=True):\n    name: str\n    tags: list[str] = []\n    price: float = Field(1.0, gt=0)\n    _seen: int = PrivateAttr(0)\nx = Item(name='a')",
            use="x.model_dump(); x.model_dump_json(); repr(x); x.model_copy(); x == Item(name='a')",
            changes=("x.price = 5", "x.tags.append('t')", "x._seen = 3; x.name = 'b'"),
            picture="x.model_dump(), sorted(x.model_fields_set), x._seen, type(x) is Item, Item(name='z').price",
        ),
        Case(
            name="pydantic.BaseModel (nested, computed, validated)",
            make="class Inner(BaseModel):\n    n: int\nclass Outer(BaseModel, extra='allow'):\n    inner: Inner\n    @field_validator('inner')\n    @classmethod\n    def check(cls, value):\n        return value\n    @computed_field\n    @property\n    def twice(self) -> int:\n        return 2 * self.inner.n\nx = Outer(inner={'n': 1})",
            use="x.twice; x.model_dump(); Outer.model_json_schema()",
            changes=("x.inner.n = 4", "x.more = 'm'", "x.inner = Inner(n=8)"),
            picture="x.model_dump(), x.twice, type(x.inner) is Inner",
        ),
        Case(
            name="pydantic.BaseModel (the class itself)",
            make="class x(BaseModel):\n    a: int = 1",
            use="x(); x.model_json_schema()",
            changes=(
                "x.note = 'n'",
                "x.describe = lambda self: self.a + 1",
                "class x(BaseModel):\n    a: int = 2\n    b: str = 's'",
            ),
            picture="x().model_dump(), getattr(x, 'note', ''), x().describe() if hasattr(x, 'describe') else None, sorted(x.model_fields)",
        ),
        Case(
            name="pydantic.TypeAdapter",
            make="x = TypeAdapter(list[int])",
            use="x.json_schema(); x.core_schema; repr(x)",
            changes=(
                "x = TypeAdapter(dict[str, int])",
                "x = TypeAdapter(Annotated[int, Field(gt=2)])",
                "x = TypeAdapter(float)",
            ),
            picture="str(x.json_schema())",
        ),
        Case(
            name="pydantic.create_model",
            make="Made = create_model('Made', a=(int, 3)); x = Made()",
            use="x.model_dump(); repr(x)",
            changes=("x.a = 4", "x = Made(a=5)", "x.model_fields_set.clear()"),
            picture="x.model_dump(), sorted(x.model_fields_set), type(x) is Made",
        ),
    ),
)
