"""The walk through one variable: who is reached on which path, and a digest of all of it.

Kinds of objects are looked at by functions of `python_kinds`, `numpy_pandas` and `libraries`, which enter themselves in
`BY_TYPE` and `BY_NAME`; all others are their class, contents and attributes.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .pieces import ADDRESS, PLAIN, attributes_of, digest_of, shallow_key, short, text_of, type_name

MOST_PARTS = 20_000
Visit = Callable[["Walk", Any, str], str]  # the digest of an object found on a path
BY_TYPE: dict[type, Visit] = {}
BY_NAME: dict[str, Visit] = {}  # by module and name of the class, which need not be loaded

_alive: list[object] = []  # all that a walk has met, so that no address is met twice; the child ends soon


class Walk:
    """One variable, from its name on. parts: path -> digest; paths: id -> first path, of all that can change."""

    def __init__(self, namespace: Mapping[str, object]) -> None:
        self.namespace = namespace
        self._numbers: dict[int, int] = {}
        self.parts: dict[str, str] = {}
        self.paths: dict[int, str] = {}
        self.spans: list[tuple[int, int, bool, str]] = []
        self.iterators: list[tuple[str, object]] = []
        self.copies_on_write = 0
        self.in_pandas = 0

    def visit(self, obj: object, path: str, *, made: bool = False) -> str:
        """Return the digest of an object and all it leads to. made: this look has made it, its identity is nothing."""
        kind = type(obj)
        plain = PLAIN.get(kind)
        if plain is not None:
            digest = digest_of(kind.__name__, plain(obj))
        elif kind is tuple:
            digest = self.digest_parts("tuple", path, ((f"[{i}]", item) for i, item in enumerate(obj)))  # type: ignore[arg-type,var-annotated]
        else:
            _alive.append(obj)
            if not made and not _is_value(kind):
                number = self._numbers.get(id(obj))
                if number is not None:
                    return f"<{number}>"
                self._numbers[id(obj)] = len(self._numbers)
                self.paths.setdefault(id(obj), path)
            digest = self._changeable(obj, path)
        if len(self.parts) < MOST_PARTS:
            self.parts[path] = digest
        return digest

    def digest_parts(self, head: str, path: str, parts: Any) -> str:
        """Return the digest of parts by key; those whose key begins with "~" were made by this look."""
        return digest_of(head, *(f"{k}={self.visit(v, path + k.lstrip('~'), made=k[:1] == '~')}" for k, v in parts))

    def _changeable(self, obj: Any, path: str) -> str:
        for base in type(obj).__mro__[:-1]:
            handler = BY_TYPE.get(base) or BY_NAME.get(f"{base.__module__}.{base.__qualname__}")
            if handler is not None:
                return digest_of(type_name(type(obj)), handler(self, obj, path))
        return self.instance(obj, path)

    def instance(self, obj: Any, path: str) -> str:
        """Return the digest of an instance: class, contents if it is a container, attributes."""
        kind = type(obj)
        found = [type_name(kind)]
        if kind.__module__ == "__main__":
            found.append(self.visit(kind, f"{path}.__class__"))
        attributes = attributes_of(obj)
        for base, walk in CONTAINERS:
            if isinstance(obj, base):
                found.append(walk(self, obj, path))
                break
        else:
            if not attributes:
                found.append(self._bare(obj, path))
        for noise in _NOISE & attributes.keys():
            del attributes[noise]
        parts = ((f"~.{k}" if k in _NAMES else f".{k}", v) for k, v in attributes.items())
        found.append(self.digest_parts("attributes", path, parts))
        return digest_of(*found)

    def _bare(self, obj: Any, path: str) -> str:
        """Return the digest of an object of a C type: what it would be made of again, else what it looks like."""
        if isinstance(obj, Iterator):
            self.iterators.append((path, obj))
            try:
                reduced = obj.__reduce__()
            except Exception:
                return "iterator"
        else:
            try:
                reduced = obj.__reduce_ex__(4)
            except Exception:
                return ADDRESS.sub("", text_of(obj))
        if isinstance(reduced, str):
            return reduced
        return self.digest_parts(
            "made of", path, ((f"~/{i}", part) for i, part in enumerate(reduced) if not callable(part))
        )


def _is_value(kind: type) -> bool:
    """True for objects that never change: two equal ones are as good as one."""
    return not _VALUES.isdisjoint(f"{base.__module__}.{base.__qualname__}" for base in kind.__mro__)


# An index of pandas is one, too: no element of it can change. That two frames hold the same, so that a new name of it
# is one for both, is not looked at (docs/decisions/0008).
_VALUES = frozenset(
    """pandas.core.indexes.base.Index pandas.Index
    numpy.generic numpy.dtype datetime.tzinfo datetime.datetime pandas._libs.missing.NAType
    pandas._libs.tslibs.timestamps._Timestamp pandas._libs.tslibs.timedeltas._Timedelta
    pandas._libs.tslibs.period._Period
    pandas._libs.tslibs.nattype._NaT pandas._libs.tslibs.offsets.BaseOffset pandas._libs.interval.Interval
    pandas.core.dtypes.base.ExtensionDtype pandas.api.extensions.ExtensionDtype""".split()
) - {"numpy.void"}


# Where models keep the array beneath the index of the frame they were fitted with; it is as good as an equal one.
_NAMES = frozenset({"feature_names_in_"})

# Attributes that libraries leave behind for themselves: sklearn's Bunch (empty) and vectorizers (an address).
_NOISE = frozenset({"_deprecated_key_to_warnings", "_stop_words_id"})

# containers -------------------------------------------------------------------------------------------------------


def visit_list(walk: Walk, obj: Any, path: str) -> str:
    return walk.digest_parts("list", path, ((f"[{i}]", item) for i, item in enumerate(list.__iter__(obj))))


def visit_dict(walk: Walk, obj: Any, path: str) -> str:
    head = f"dict {getattr(obj, 'default_factory', '')!r:.40}" if type(obj).__name__ == "defaultdict" else "dict"
    items = list((collections.OrderedDict if isinstance(obj, collections.OrderedDict) else dict).items(obj))
    keys = [walk.visit(key, f"{path}.key") for key, _ in items]
    return digest_of(head, *keys, walk.digest_parts("values", path, ((f"[{short(k)}]", v) for k, v in items)))


def visit_set(walk: Walk, obj: Any, path: str) -> str:
    """Return the digest of a set, in an order that depends on values alone."""
    ordered = sorted(obj, key=shallow_key)
    return walk.digest_parts("set", path, (("{}", item) for item in ordered))


def visit_tuple(walk: Walk, obj: Any, path: str) -> str:
    return walk.digest_parts("tuple", path, ((f"[{i}]", item) for i, item in enumerate(tuple.__iter__(obj))))


def visit_deque(walk: Walk, obj: Any, path: str) -> str:
    return walk.digest_parts(f"deque {obj.maxlen}", path, ((f"[{i}]", item) for i, item in enumerate(obj)))


def visit_text(walk: Walk, obj: Any, path: str) -> str:
    return str.__str__(obj)


def visit_number(walk: Walk, obj: Any, path: str) -> str:
    return repr(float.__float__(obj) if isinstance(obj, float) else int.__int__(obj))


CONTAINERS: tuple[tuple[type, Callable[[Walk, Any, str], str]], ...] = (
    (list, visit_list),
    (dict, visit_dict),
    (set, visit_set),
    (frozenset, visit_set),
    (tuple, visit_tuple),
    (collections.deque, visit_deque),
    (str, visit_text),
    (int, visit_number),
    (float, visit_number),
)
