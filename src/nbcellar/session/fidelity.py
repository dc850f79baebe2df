"""Classes whose own pickling leaves something out: found by comparing the live object with a loaded copy.

The bytes of such a class are stable and show neither the loss nor a change of what is left out, so hashing cannot
find it. Asked of each value that holds instances of classes with reduction methods of their own that are not of a
library known to be good. Invariant: what differs is named, and the class counts as not
storable from then on.
"""

from __future__ import annotations

import collections
import copyreg
import enum
import sys
import sysconfig
import weakref
from typing import Any

from nbcellar.session import arrays
from nbcellar.session.encode import Encoded
from nbcellar.session.rebuild import RebuildContext
from nbcellar.trust.gate import unpickle_own

LARGEST_BYTES = 1 << 20
LARGEST_COPY_BYTES = 16 << 20
MOST_NODES = 20_000
_METHODS = frozenset(
    "__reduce__ __reduce_ex__ __getstate__ __getnewargs__ __getnewargs_ex__ __setstate__ "
    "__getattr__ __getattribute__ __setattr__".split()  # pickle asks an instance for the methods above
)
_CONTAINERS = dict, list, set, frozenset, collections.deque
_FILLING = frozenset("__setitem__ append extend add update __init__ __new__ __hash__ __eq__".split())
_ATOMS = frozenset({str, int, float, complex, bytes, bool, type(None)})
_REDUCTIONS = frozenset({"__reduce__", "__reduce_ex__", "__getstate__"})
_LANGUAGE = sys.stdlib_module_names | {"numpy"}
_GOOD = frozenset(sys.stdlib_module_names) | frozenset(
    "numpy pandas pyarrow polars scipy sklearn statsmodels matplotlib seaborn PIL plotly networkx torch xgboost "
    "lightgbm dask sympy joblib threadpoolctl dateutil pytz tzdata msgspec nbcellar".split()
)


class Fidelity:
    """Verdicts on classes, for one kernel. Mutable.

    A good verdict holds for one value only: what a class leaves out often has its default at first.
    """

    def __init__(self) -> None:
        self._lossy: dict[type, str] = {}

    def reason(self, objects: tuple[object, ...], encoded: Encoded, namespace: dict[str, Any]) -> str:
        """Return why a value that was just encoded would not come back as it is; empty: it would, or is too large."""
        suspects = [kind for kind in encoded.types if is_opaque(kind)]
        if not suspects:
            return ""
        for kind in suspects:
            if kind in self._lossy:
                return self._lossy[kind]
        if encoded.container or encoded.size_bytes > LARGEST_BYTES:
            return ""
        try:
            reason = self._compare(objects, encoded, namespace)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit, too: the classes' own code runs
            reason = f"it cannot be compared with a loaded copy: {type(error).__name__}: {error}"
        if reason.startswith("class ") and len(suspects) == 1:
            self._lossy[suspects[0]] = reason  # what does not load today may load tomorrow
        return reason

    def _compare(self, objects: tuple[object, ...], encoded: Encoded, namespace: dict[str, Any]) -> str:
        bound = dict(namespace)
        try:
            copies = load_copy(encoded, namespace)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return f"it cannot be loaded again: {type(error).__name__}: {error}"
        finally:
            _bind_again(namespace, bound)
        return find_difference(objects, copies)


_verdicts: weakref.WeakKeyDictionary[type, bool] = weakref.WeakKeyDictionary()


def is_opaque(kind: type) -> bool:
    """True if a class of the notebook, or of a module beside it, decides itself what its pickles hold.

    Classes of installed libraries are not tried out: making a second widget or connection may show, or cost something.
    """
    known = _verdicts.get(kind)
    if known is None:
        known = _decides_itself(kind)
        if kind.__module__ != "__main__":  # a notebook class may be given such a method later
            _verdicts[kind] = known
    return known


def _decides_itself(kind: type) -> bool:
    if not _is_users(kind):
        return False
    if kind in copyreg.dispatch_table:
        return True
    methods = _METHODS | _FILLING if issubclass(kind, _CONTAINERS) else _METHODS
    for base in kind.__mro__[:-1]:
        if base.__module__.partition(".")[0] in _GOOD and base.__module__ != "__main__":
            if _forgets_attributes(base):
                return True
        elif any(_is_own(vars(base)[name]) for name in methods.intersection(vars(base))):
            return True
    return False


def _forgets_attributes(base: type) -> bool:
    """True if a class of a library pickles itself and may not ask for what a subclass adds: a Counter, a Fraction."""
    if base.__module__.partition(".")[0] not in _LANGUAGE or base.__name__ == "ndarray":
        return False
    known = issubclass(base, enum.Enum | BaseException)
    return not known and not _REDUCTIONS.isdisjoint(vars(base))


def _is_own(method: Any) -> bool:
    """False for what `dataclass` generates."""
    code = getattr(method, "__code__", None)
    return not (code is not None and (code.co_filename == "<string>" or method.__module__ == "dataclasses"))


def _is_users(kind: type) -> bool:
    module = kind.__module__
    if module == "__main__":
        return True
    if module.partition(".")[0] in _GOOD:
        return False
    file = getattr(sys.modules.get(module), "__file__", None)
    return isinstance(file, str) and not any(part in file for part in _INSTALLED)


_INSTALLED = ("site-packages", "dist-packages", sysconfig.get_path("stdlib"))


def fingerprint(objects: tuple[object, ...]) -> int:
    """Return a number that changes when an attribute of a user's object does, as far as attributes and containers lead.

    A value that was compared need not be compared again while it has the same: trying a class out runs its code.
    """
    queue: list[Any] = list(objects)
    seen: set[int] = set()
    found: list[Any] = []
    while queue and len(seen) < MOST_NODES:
        obj = queue.pop()
        kind = type(obj)
        if kind in _ATOMS:
            found.append(obj)
            continue
        found.append(id(obj))
        if id(obj) in seen:
            continue
        seen.add(id(obj))
        if isinstance(obj, (list, tuple, set, frozenset)):
            found.append(len(obj))
            queue.extend(obj)
        elif isinstance(obj, dict):
            found.append(len(obj))
            queue.extend(obj.keys())
            queue.extend(obj.values())
        if _is_looked_into(kind):
            attributes = _attributes(obj)
            found.extend(attributes)
            queue.extend(attributes.values())
    return hash(tuple(found))


def _bind_again(namespace: dict[str, Any], bound: dict[str, Any]) -> None:
    """Take back what the code of a class has bound in the notebook while a copy was made."""
    for name in [name for name in namespace if name not in bound]:
        del namespace[name]
    for name, obj in bound.items():
        if namespace.get(name, bound) is not obj:
            namespace[name] = obj


def find_difference(live: object, loaded: object) -> str:
    """Return the first thing in which a loaded copy differs from the live object, in words; empty if none is found."""
    queue: list[tuple[Any, Any, str]] = [(live, loaded, "")]
    seen: set[int] = set()
    while queue and len(seen) < MOST_NODES:
        a, b, where = queue.pop()
        if a is b or id(a) in seen:
            continue
        seen.add(id(a))
        if type(a) is not type(b) and type(a).__qualname__ != type(b).__qualname__:
            return f"{_of(where)}comes back as {type(b).__name__}, not {type(a).__name__}"
        difference = _differs(a, b, where, queue)
        if difference:
            return difference
    return ""


def _differs(a: Any, b: Any, where: str, queue: list[tuple[Any, Any, str]]) -> str:
    if isinstance(a, (list, tuple)):
        if len(a) != len(b):
            return f"{_of(where)}comes back with {len(b)} elements instead of {len(a)}"
        queue.extend((x, y, where) for x, y in zip(a, b, strict=True))
    elif isinstance(a, dict):
        missing = [key for key in a if key not in b]
        if missing and all(isinstance(key, (str, int, float, bytes, type(None))) for key in missing):
            return f"{_of(where)}comes back without {missing[0]!r}"
        queue.extend((value, b[key], where) for key, value in a.items() if key in b)
    elif type(a) in (str, int, float, complex, bytes, bool):
        if a != b and a == a:
            return f"{_of(where)}comes back as {_short(b)} instead of {_short(a)}"
    return _differs_in_attributes(a, b, queue) if _is_looked_into(type(a)) else ""


def _differs_in_attributes(a: Any, b: Any, queue: list[tuple[Any, Any, str]]) -> str:
    names = _attributes(a)
    theirs = _attributes(b)
    lost = sorted(names.keys() - theirs.keys())
    if lost:
        return f"class {type(a).__qualname__} leaves out its attribute '{lost[0]}' when it is pickled"
    queue.extend((value, theirs[name], f"{type(a).__qualname__}.{name}") for name, value in names.items())
    return ""


def _is_looked_into(kind: type) -> bool:
    return kind.__module__ == "__main__" or kind.__module__.partition(".")[0] not in _GOOD


def _of(where: str) -> str:
    return f"{where} " if where else "it "


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _attributes(obj: Any) -> dict[str, Any]:
    """Return instance attributes and slots without running properties."""
    try:
        found = dict(object.__getattribute__(obj, "__dict__"))
    except AttributeError:
        found = {}
    for base in type(obj).__mro__:
        slots = vars(base).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name in ("__dict__", "__weakref__"):
                continue
            mangled = (
                f"_{base.__name__.lstrip('_')}{name}" if name.startswith("__") and not name.endswith("__") else name
            )
            try:
                found[mangled] = object.__getattribute__(obj, mangled)
            except AttributeError:
                continue
    return found


def load_copy(encoded: Encoded, namespace: dict[str, Any]) -> object:
    """Return a copy made from the stream. Arrays are copied, large ones shown read-only: a class may change its own."""
    context = RebuildContext(dict(namespace), namespace, encoded.needs.__getitem__, lambda uid, cls: None)

    def exported(index: int, dtype: Any, shape: Any, layout: Any, writeable: bool) -> Any:
        export = encoded.exports[index]
        array: Any = export.owner
        if export.high - export.low <= LARGEST_COPY_BYTES:
            return array.copy(order="K")
        shown = array.view()
        shown.setflags(write=False)
        return shown

    def find(module: str, name: str) -> Any:
        if module == arrays.__name__ and name == "exported":
            return exported
        return context.find_class(module, name)

    buffers = [_copied(encoded.exports[i].owner[1]) for i in encoded.raw_buffers]  # type: ignore[index]
    return unpickle_own(b"".join(encoded.parts), buffers=buffers, find_class=find)


def _copied(view: memoryview) -> memoryview:
    if view.readonly or view.nbytes > LARGEST_COPY_BYTES:
        return view.toreadonly()
    return memoryview(bytearray(view))
