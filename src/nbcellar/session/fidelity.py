"""What classes of their own pickling leave out: found by comparing live objects with loaded copies.

The bytes of such a class are stable and show neither the loss nor a change of what is left out, so hashing cannot
find it. The encoder notes each instance that it meets, wherever it is held; they alone are encoded once more and
loaded. Invariant: what differs is named, and the value counts as not storable from then on. A copy is made when a
value is new or one of these instances has got or lost attributes, not at each look: `__setstate__` is the user's code.
"""

from __future__ import annotations

import collections
import copyreg
import sys
from array import array
from itertools import islice
from typing import Any

from nbcellar.session import arrays
from nbcellar.session.encode import Context, Encoded, Limits, OverBudgetError, encode
from nbcellar.session.opaque import GOOD, is_opaque
from nbcellar.session.rebuild import RebuildContext
from nbcellar.trust.gate import unpickle_own

LARGEST_BYTES = 1 << 20
LARGEST_COPY_BYTES = 16 << 20
MOST_NODES = 20_000
_SAMPLE = 50  # instances of each class, where all of them are too many
_ATOMS = frozenset({str, int, float, complex, bytes, bool, type(None)})


class Fidelity:
    """Verdicts on classes, for one kernel. Mutable.

    A good verdict holds for one value only: what a class leaves out often has its default at first.
    """

    def __init__(self) -> None:
        self._lossy: dict[type, str] = {}

    def reason(self, encoded: Encoded, context: Context, *, again: bool = False) -> str:
        """Return why a value that was just encoded would not come back as it is; empty: it would, or is too large.

        again: it was compared before. Instances whose reduction visibly holds all their attributes are not copied anew.
        """
        suspects = _distinct(encoded.opaque)
        for obj in suspects:
            if type(obj) in self._lossy:
                return self._lossy[type(obj)]
        if again:
            suspects = [obj for obj in suspects if _carried(obj) != _ALL]
        if not suspects:
            return ""
        try:
            reason = self._compare(suspects, context)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit, too: the classes' own code runs
            reason = f"it cannot be compared with a loaded copy: {type(error).__name__}: {error}"
        if reason.startswith("class ") and len(set(map(type, suspects))) == 1:
            self._lossy[type(suspects[0])] = reason  # what does not load today may load tomorrow
        return reason

    def _compare(self, suspects: list[Any], context: Context) -> str:
        limits = Limits(LARGEST_BYTES)
        try:
            encoded = encode((suspects,), context, limits, sharing=False, split=False)
        except OverBudgetError:
            suspects = _sample(suspects)
            try:
                encoded = encode((suspects,), context, limits, sharing=False, split=False)
            except OverBudgetError:
                return next(filter(None, (_left_out(obj) for obj in suspects)), "")
        bound = dict(context.namespace)
        try:
            (copies,) = load_copy(encoded, context.namespace)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return f"it cannot be loaded again: {type(error).__name__}: {error}"
        finally:
            _bind_again(context.namespace, bound)
        for obj, copy in zip(suspects, copies, strict=True):
            difference = find_difference(obj, copy, f"an object of class {type(obj).__qualname__}")
            if difference:
                return difference
        return ""


def _distinct(objects: list[Any]) -> list[Any]:
    return list({id(obj): obj for obj in objects}.values())


def _sample(objects: list[Any]) -> list[Any]:
    kinds = set(map(type, objects))
    return [obj for kind in kinds for obj in islice((obj for obj in objects if type(obj) is kind), _SAMPLE)]


_ALL = "all"


def _carried(obj: Any) -> str:
    """Return which attribute the reduction of an object leaves out, if that can be told; `_ALL` if it holds all."""
    reduce = copyreg.dispatch_table.get(type(obj))
    reduced: Any = reduce(obj) if reduce is not None else obj.__reduce_ex__(5)
    plain = type(reduced) is tuple and len(reduced) > 2 and reduced[0] is copyreg.__newobj__  # type: ignore[attr-defined]
    if not plain or len(reduced[1]) != 1 or reduced[1][0] is not type(obj):
        return ""
    state: dict[str, Any] = {}
    for part in reduced[2] if type(reduced[2]) is tuple else (reduced[2],):
        if type(part) is dict:
            state.update(part)
        elif part is not None:
            return ""
    attributes = _attributes(obj)
    if all(name in state and state[name] is value for name, value in attributes.items()):
        return _ALL
    lost = sorted(attributes.keys() - state.keys())
    return lost[0] if lost and not hasattr(type(obj), "__setstate__") else ""


def _left_out(obj: Any) -> str:
    name = _carried(obj)
    return _leaves_out(obj, name) if name and name != _ALL else ""


def fingerprint(objects: list[Any]) -> int:
    """Return a number that changes when an attribute of a user's object does, as far as attributes and containers lead.

    A value that was compared need not be compared again while it has the same: trying a class out runs its code.
    """
    queue = list(objects)
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


def find_difference(live: object, loaded: object, what: str = "it") -> str:
    """Return the first thing in which a loaded copy differs from the live object, in words; empty if none is found."""
    queue: list[tuple[Any, Any, str]] = [(live, loaded, what)]
    seen: set[int] = set()
    while queue and len(seen) < MOST_NODES:
        a, b, where = queue.pop()
        if a is b or id(a) in seen:
            continue
        seen.add(id(a))
        if type(a) is not type(b) and type(a).__qualname__ != type(b).__qualname__:
            return f"{where} comes back as {type(b).__name__}, not {type(a).__name__}"
        difference = _differs(a, b, where, queue)
        if difference:
            return difference
    return ""


def _differs(a: Any, b: Any, where: str, queue: list[tuple[Any, Any, str]]) -> str:
    if isinstance(a, (list, tuple, set, frozenset, collections.deque, bytearray, array)):
        if len(a) != len(b):
            return f"{where} comes back with {len(b)} elements instead of {len(a)}"
        if isinstance(a, (bytearray, array)) and a != b:
            return f"{where} comes back with other contents"
        if isinstance(a, (list, tuple, collections.deque)):
            queue.extend((x, y, where) for x, y in zip(a, b, strict=True))
    elif isinstance(a, dict):
        for one, other, how in ((a, b, "without"), (b, a, "with a new item")):
            missing = [key for key in one if key not in other]
            if missing and all(isinstance(key, (str, int, float, bytes, type(None))) for key in missing):
                return f"{where} comes back {how} {missing[0]!r}"
        queue.extend((value, b[key], where) for key, value in a.items() if key in b)
    elif type(a) in (str, int, float, complex, bytes, bool):
        if a != b and a == a:
            return f"{where} comes back as {_short(b)} instead of {_short(a)}"
    elif type(a).__module__ == "numpy" and _differs_in_memory(a, b):
        return f"{where} comes back with other elements"
    return _differs_in_attributes(a, b, queue) if _is_looked_into(type(a)) else ""


def _differs_in_memory(a: Any, b: Any) -> bool:
    numpy = sys.modules["numpy"]
    if not isinstance(a, numpy.ndarray) or a.dtype.hasobject or a.nbytes > LARGEST_BYTES:
        return False
    return bool(a.shape != b.shape or a.dtype != b.dtype or a.tobytes() != b.tobytes())


def _differs_in_attributes(a: Any, b: Any, queue: list[tuple[Any, Any, str]]) -> str:
    names = _attributes(a)
    theirs = _attributes(b)
    lost = sorted(names.keys() - theirs.keys())
    if lost:
        return _leaves_out(a, lost[0])
    if added := sorted(theirs.keys() - names.keys()):
        return f"class {type(a).__qualname__} adds the attribute '{added[0]}' when it is loaded"
    queue.extend((value, theirs[name], f"{type(a).__qualname__}.{name}") for name, value in names.items())
    return ""


def _leaves_out(obj: Any, name: str) -> str:
    return f"class {type(obj).__qualname__} leaves out its attribute '{name}' when it is pickled"


def _is_looked_into(kind: type) -> bool:
    return kind.__module__ == "__main__" or str(kind.__module__).partition(".")[0] not in GOOD


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


def load_copy(encoded: Encoded, namespace: dict[str, Any]) -> Any:
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


__all__ = ["Fidelity", "find_difference", "fingerprint", "is_opaque"]
