"""Whether a cell changed what local modules hold, as by `settings.register("a", 1)`.

The next component imports these modules anew and does not see it; so it is told. Compared are the names of a module
and the elements of containers below them with what they were when its import was done. Invariant: runs no code of the
user, changes nothing. Not for: assignments to modules, which are made again (`patches.py`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from importlib.machinery import SourceFileLoader
from types import ModuleType
from typing import Any

_MOST_OBJECTS = 5_000
_Shape = list[tuple[object, tuple[object, ...]]]


class ModuleState:
    """Follows the local modules of one process. Mutable."""

    def __init__(self, own: Callable[[], Iterable[ModuleType]], is_own: Callable[[str, object], bool]) -> None:
        """own: the loaded modules that are the user's own files; is_own: whether one is."""
        self._own, self._is_own = own, is_own
        self._shapes: dict[str, tuple[ModuleType, _Shape]] = {}
        run = SourceFileLoader.exec_module

        def exec_module(loader: Any, module: ModuleType) -> None:
            run(loader, module)
            if self._is_own(module.__name__, module):
                self._look(module)

        SourceFileLoader.exec_module = exec_module  # type: ignore[method-assign, assignment]

    def begin(self) -> None:
        """Take all modules as they are now."""
        self._shapes = {}
        for module in self._own():
            self._look(module)

    def changed(self) -> tuple[str, ...]:
        """Return the names of modules that hold something else than when the cell began, or imported them."""
        found = (name for name, (module, then) in self._shapes.items() if not _is_same(then, _shape(module)))
        return tuple(sorted(found))

    def _look(self, module: ModuleType) -> None:
        self._shapes[module.__name__] = (module, _shape(module))


def _shape(module: ModuleType) -> _Shape:
    """Return the containers of a module, each with what is in it."""
    names = {name: value for name, value in vars(module).items() if not name.startswith("__")}
    names = {name: value for name, value in names.items() if not isinstance(value, ModuleType)}
    found: _Shape = [(module, tuple(part for item in sorted(names.items(), key=lambda item: item[0]) for part in item))]
    todo, seen = list(names.values()), set[int]()
    while todo and len(seen) < _MOST_OBJECTS:
        value = todo.pop()
        inner = _elements(value, module)
        if inner is not None and id(value) not in seen:
            seen.add(id(value))
            found.append((value, inner))
            todo += inner
    return found


def _elements(value: object, module: ModuleType) -> tuple[object, ...] | None:
    if type(value) is dict:
        return tuple(part for item in list(value.items()) for part in item)
    if type(value) in (list, set, deque):
        return tuple(value)  # type: ignore[arg-type]
    space = getattr(value, "__dict__", None) if getattr(type(value), "__module__", "") == module.__name__ else None
    return tuple(part for item in list(space.items()) for part in item) if type(space) is dict else None


def _is_same(then: _Shape, now: _Shape) -> bool:
    return len(then) == len(now) and all(
        one is other and len(before) == len(after) and all(a is b for a, b in zip(before, after, strict=True))
        for (one, before), (other, after) in zip(then, now, strict=True)
    )


__all__ = ["ModuleState"]
