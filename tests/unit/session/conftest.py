"""A notebook in miniature: cells run in a namespace, and values travel the way the engine sends them.

A value is one pickle stream; each class of the notebook that it needs is a stream of its own, by value. No store.
"""

from __future__ import annotations

import io
import pickle
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

import pytest

from nbcellar.session.definitions import reducers as definitions
from nbcellar.session.rebuild import RebuildContext


class Pickler(pickle.Pickler):
    """Asks the reducers of definitions, as the engine's pickler does."""

    def __init__(self, file: io.BytesIO, notebook: Notebook, roots: frozenset[int]) -> None:
        super().__init__(file, 5)
        self.namespace = notebook.namespace
        self.notebook = notebook
        self.root_definitions = roots
        self.needs: list[type] = []

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is FunctionType:
            return definitions.reduce_function(obj, self)
        if issubclass(type(obj), type):
            return definitions.reduce_class(obj, self)
        return definitions.reduce_other(obj, self)

    def definition_uid(self, cls: type) -> str:
        return self.notebook.uid_of(cls)

    def definition_ref(self, cls: type) -> tuple[Any, ...]:
        index = next((index for index, known in enumerate(self.needs) if known is cls), len(self.needs))
        if index == len(self.needs):
            self.needs.append(cls)
        return definitions.reference(index)


class Unpickler(pickle.Unpickler):
    """Asks the restore what names mean."""

    def __init__(self, stream: bytes, context: RebuildContext) -> None:
        super().__init__(io.BytesIO(stream))
        self.find_class = context.find_class  # type: ignore[method-assign]


@dataclass
class Parcel:
    """What a store would hold: the value's stream, the classes it needs, and their streams in turn."""

    stream: bytes
    needs: list[str]
    definitions: dict[str, Parcel] = field(default_factory=dict)


class Notebook:
    """A namespace that cells run in."""

    def __init__(self) -> None:
        self.module = ModuleType("__main__")
        self.namespace = self.module.__dict__
        self.uids: dict[int, tuple[type, str]] = {}

    def run(self, cell: str) -> None:
        with self._as_main():
            exec(compile(textwrap.dedent(cell), "<cell>", "exec", dont_inherit=True), self.namespace)

    def __getitem__(self, name: str) -> Any:
        return self.namespace[name]

    def evaluate(self, expression: str) -> Any:
        with self._as_main():
            return eval(expression, self.namespace)

    def uid_of(self, cls: type) -> str:
        return self.uids.setdefault(id(cls), (cls, f"{cls.__qualname__}#{len(self.uids)}"))[1]

    def encode(self, *values: Any) -> Parcel:
        with self._as_main():
            value, classes = self._pickle(values, frozenset())
            while classes:
                cls = classes.pop()
                uid = self.uid_of(cls)
                if uid not in value.definitions:
                    value.definitions[uid], more = self._pickle((cls,), frozenset({id(cls)}))
                    classes += more
        return value

    def encode_together(self, *values: Any) -> Parcel:
        """Return one stream for all values; the classes among them are in it by value."""
        with self._as_main():
            return self._pickle(values, frozenset(id(value) for value in values if isinstance(value, type)))[0]

    def _pickle(self, values: tuple[Any, ...], roots: frozenset[int]) -> tuple[Parcel, list[type]]:
        buffer = io.BytesIO()
        pickler = Pickler(buffer, self, roots)
        pickler.dump(values)
        return Parcel(buffer.getvalue(), [self.uid_of(cls) for cls in pickler.needs]), list(pickler.needs)

    def decode(self, parcel: Parcel) -> tuple[Any, ...]:
        """Load a parcel of this or another notebook; the classes it brings are new ones."""
        built: dict[str, type] = {}

        def load(part: Parcel) -> tuple[Any, ...]:
            def resolve(index: int) -> type:
                uid = part.needs[index]
                if uid not in built:
                    load(parcel.definitions[uid])
                return built[uid]

            context = RebuildContext({}, self.namespace, resolve, built.__setitem__, built.get)
            return self.load_stream(part.stream, context)

        with self._as_main():
            values = load(parcel)
            for uid in parcel.definitions:
                if uid not in built:
                    load(parcel.definitions[uid])
        for uid, cls in built.items():
            self.uids[id(cls)] = cls, uid
        return values

    @staticmethod
    def load_stream(stream: bytes, context: RebuildContext) -> tuple[Any, ...]:
        """Return what one stream holds."""
        loaded: tuple[Any, ...] = Unpickler(stream, context).load()
        return loaded

    def again(self, *names: str) -> Notebook:
        """Return a new notebook with these variables restored; check that encoding them again gives the bytes."""
        values = [self.namespace[name] for name in names]
        parcel = self.encode(*values)
        other = Notebook()
        restored = other.decode(parcel)
        other.namespace.update(zip(names, restored, strict=True))
        assert other.encode(*restored) == parcel, "encoding again gives other bytes"
        return other

    @contextmanager
    def _as_main(self) -> Iterator[None]:
        before = sys.modules["__main__"]
        sys.modules["__main__"] = self.module
        try:
            yield
        finally:
            sys.modules["__main__"] = before


@pytest.fixture
def notebook() -> Notebook:
    """Return an empty notebook."""
    return Notebook()
