"""What values lead to: from the names a cell uses to every function and class of the notebook that it can set off.

Invariant: no code of the notebook runs while its objects are followed (no attribute of an instance is read through its
class); the walk is bounded, and beyond the bound the answer is "everything".
Not for: aliases. Variables that share mutable state are the caller's groups.
"""

from __future__ import annotations

import builtins
import collections
import contextvars
import datetime
import decimal
import gc
import pathlib
import re
import sys
import threading
import types
import weakref
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

from nbcellar.session.touched.codefacts import (
    UNSEEN_ANYWHERE,
    UNSEEN_GLOBALS,
    CodeFacts,
    code_facts,
    quoted_names,
    reason_together,
)

MAX_VISITED = 6_000  # objects looked at one by one, half a microsecond to one each
MAX_SCANNED = 200_000  # elements of containers whose types are compared in C, about 20 ns each
_TOO_MANY = f"reaches more than {MAX_VISITED} objects"

_Handler = Callable[["Follower", Any], None]

# Nothing to follow in these: no reference to anything of the notebook, or one that needs a name to be used.
_ATOMIC: frozenset[type] = frozenset(
    [
        *(bool, int, float, complex, str, bytes, bytearray, range, slice, memoryview, type(None), type(...)),
        *(type(NotImplemented), types.CodeType, types.FrameType, types.TracebackType, types.GetSetDescriptorType),
        *(types.MemberDescriptorType, types.WrapperDescriptorType, types.MethodDescriptorType),
        *(types.ClassMethodDescriptorType, types.MethodWrapperType, re.Pattern, re.Match, decimal.Decimal),
        *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone),
        *(type(pathlib.Path()), pathlib.PurePosixPath, pathlib.PureWindowsPath),
    ]
)
_UNTRACKABLE: frozenset[type] = _ATOMIC | {dict, tuple}
_SIZED: dict[type, Callable[[Any], int]] = {
    c: c.__len__ for c in (list, tuple, dict, set, frozenset, collections.deque)
}
_WEAK = (weakref.ReferenceType, weakref.ProxyType, weakref.CallableProxyType)
_WEAK_CONTAINERS = (weakref.WeakSet, weakref.WeakKeyDictionary, weakref.WeakValueDictionary, weakref.finalize)
# Parts of the running kernel: they lead to the shell and thereby to all variables, but do not run code of the notebook.
_KERNEL_ROOTS = frozenset(
    ["asyncio", "comm", "ipykernel", "jupyter_client", "tornado", "zmq", "_abc"],
)
_FRAME_ROOTS = frozenset({"pandas"})
_NEVER_PLOTS = sys.stdlib_module_names | {"__main__", "numpy", "IPython", "ipykernel"}


class Follower:
    """One walk from names to code and data; `names` and `reason` are its result. Mutable, used once."""

    def __init__(self, namespace: Mapping[str, object], codeless: Container[str] = ()) -> None:
        self.names: set[str] = set()
        self._codeless = codeless
        self.reason = ""
        self._namespace = namespace
        self._globals: object = namespace
        self._seen: set[int] = {id(namespace), id(builtins.__dict__), id(sys.modules)}
        self._pending: list[object] = []
        self._in_libraries: list[object] = []  # what instances of library classes hold, looked at last
        self._inside_library = False
        self._held: list[object] = []  # made during the walk: kept, so that no id is used twice
        self._visits_left = MAX_VISITED
        self._scans_left = MAX_SCANNED
        self._handlers = dict(_HANDLERS)  # and those of the notebook's classes, for this walk only
        self._modules: set[str] = set()
        self._libraries: set[str] = set()  # whose functions and instances are reached
        self._partners: set[str] = set()
        array = getattr(sys.modules.get("numpy"), "ndarray", None)
        self._array_type: type | None = array if isinstance(array, type) else None

    def follow_name(self, name: str) -> None:
        """Count a name as touched and queue its value."""
        if name not in self.names:
            self.names.add(name)
            if name in self._codeless:
                return
            value = self._namespace.get(name)
            if type(value) is str:
                self.follow_names(quoted_names(value))
            elif value is not None and name != "get_ipython" and not _is_exit_command(name, value):
                self._pending.append(value)

    def follow_names(self, names: Iterable[str]) -> None:
        """Count names as touched and queue their values."""
        for name in names:
            self.follow_name(name)

    def follow_code(
        self, facts: CodeFacts, *, skip_ipython: bool = False, own_globals: Mapping[str, object] | None = None
    ) -> None:
        """Queue all that the code names; `own_globals` when it was made with another namespace, as by `%run`."""
        if facts.everything or (facts.ipython and not skip_ipython):
            self._stop(facts.everything or "uses get_ipython")
            return
        self._partners |= facts.partners
        self.follow_names(facts.names)
        self.follow_names(facts.quoted)
        if own_globals is not None:
            self._pending.extend(own_globals[name] for name in facts.names if name in own_globals)

    def may_plot(self) -> bool:
        """Return whether what was followed can draw into a figure that it does not name: pyplot's current one."""
        roots = {name.partition(".")[0] for name in self._libraries if isinstance(name, str)} | self._modules
        return bool(self.reason) or not roots <= _NEVER_PLOTS

    def run(self) -> bool:
        """Follow all that is queued; return whether the answer is "everything", for `reason`."""
        while not self.reason and (self._pending or self._in_libraries):
            self._inside_library = not self._pending
            value = (self._pending or self._in_libraries).pop()
            cls = type(value)
            if cls in _ATOMIC or id(value) in self._seen:
                continue
            if not self._inside_library:
                self._libraries.add(cls.__module__)
            self._seen.add(id(value))
            self._visits_left -= 1
            if self._visits_left < 0:
                self._stop(_TOO_MANY)
            else:
                (self._handlers.get(cls) or _library_handlers.get(cls) or self._choose_handler(cls))(self, value)
        if not self.reason and self._partners:
            self.reason = reason_together(self._modules, self._partners)
        return bool(self.reason)

    def _stop(self, reason: str) -> None:
        self.reason = self.reason or reason

    def _push(self, values: Iterable[object]) -> None:
        queue = self._in_libraries if self._inside_library else self._pending
        found = [v for v in values if type(v) not in _ATOMIC]
        if len(found) > self._visits_left:
            self._stop(_TOO_MANY)
        queue.extend(found)

    def _push_made(self, values: list[object]) -> None:
        self._held.append(values)
        self._push(values)

    # Containers

    def _scan(self, count: int) -> bool:
        self._scans_left -= count
        if self._scans_left < 0:
            self._stop(f"reaches containers of more than {MAX_SCANNED} elements")
        return self._scans_left >= 0

    def _scan_sized(self, value: object) -> bool:
        """Count the elements of a subclass of a builtin container by the builtin's own length."""
        base = next((c for c in type(value).__mro__ if c in _SIZED), None)
        return base is None or self._scan(_SIZED[base](value))

    def _elements(self, values: Any) -> None:
        if not self._scan(len(values)):
            return
        if len(values) > 16:
            kinds = set(map(type, values))
            if kinds <= _ATOMIC:
                return
            if kinds <= _UNTRACKABLE and not any(map(gc.is_tracked, values)) and not self._has_untracked_class():
                return  # the collector knows: dicts and tuples of nothing but atoms
            if len(values) > self._visits_left and kinds.isdisjoint(_ATOMIC):
                self._stop(_TOO_MANY)
                return
        self._push(values)

    def _mapping(self, values: dict[object, object]) -> None:
        if "__builtins__" in values and "__name__" in values:
            return  # a module's dictionary, reached through a frame
        self._elements(list(values.values()))
        if not set(map(type, values)) <= _ATOMIC:
            self._elements(list(values))

    def _has_untracked_class(self) -> bool:
        """Whether a notebook class without any attributes exists: its instances are invisible to the collector."""
        return any(
            type(v) is type and v.__module__ == "__main__" and not v.__flags__ & _TPFLAGS_HAVE_GC
            for v in list(self._namespace.values())
        )

    def _array(self, value: Any) -> None:
        array_type: Any = self._array_type
        plain = array_type.view(value, array_type)  # a subclass may define anything
        if plain.dtype.hasobject and self._scan(plain.size):
            self._push_made(plain.ravel().tolist())

    def _frame(self, value: Any) -> None:
        """Look at the object columns of a pandas frame, series or index, and at the user's `attrs`."""
        manager = value.__dict__.get("_mgr")
        blocks = [value.__dict__.get("_data")] if manager is None else [block.values for block in manager.blocks]
        for block in blocks:
            if self._array_type in type(block).__mro__:
                self._array(block)
        attributes = value.__dict__.get("_attrs")
        if attributes:
            self._push(list(attributes.values()))

    # Code

    def _function(self, value: types.FunctionType) -> None:
        own = value.__globals__
        if own is self._globals:
            self.follow_code(code_facts(value.__code__))
        elif not _is_library_namespace(own):
            self.follow_code(code_facts(value.__code__), own_globals=own)
        else:
            self._libraries.add(own["__name__"])
            self._named_by_library(value.__name__)
            self._in_libraries.extend(_held_by(value))
            return
        self._push_made(_held_by(value))

    def _named_by_library(self, name: str) -> None:
        if name in UNSEEN_ANYWHERE:
            self._stop(f"uses {name}")

    def _builtin(self, value: types.BuiltinFunctionType) -> None:
        owner = value.__self__
        if type(owner) is types.ModuleType or owner is None:
            module = getattr(owner, "__name__", "")
            if module == "builtins" and value.__name__ in UNSEEN_GLOBALS:
                self._stop(f"uses {value.__name__}")
            elif module == "_pickle" and value.__name__ in ("load", "loads"):
                self._stop("uses pickle.load")
            else:
                self._named_by_library(value.__name__)
        else:
            self._push([owner])

    def _method(self, value: types.MethodType) -> None:
        self._push([value.__func__, value.__self__])

    def _generator(self, value: types.GeneratorType[Any, Any, Any]) -> None:
        frame = value.gi_frame
        if frame is None:
            return
        if frame.f_globals is self._globals or not _is_library_namespace(frame.f_globals):
            self.follow_code(code_facts(value.gi_code), own_globals=frame.f_globals)
        self._push_made([*frame.f_locals.values(), value.gi_yieldfrom])

    def _coroutine(self, value: object) -> None:
        self._stop("reaches a coroutine")

    def _module(self, value: types.ModuleType) -> None:
        if value.__dict__ is self._globals or value.__name__ == "__main__":
            self._stop("reaches the notebook's module")
        elif not self._inside_library:
            self._modules.add(value.__name__.partition(".")[0])

    def _context_variable(self, value: contextvars.ContextVar[object]) -> None:
        self._push_made([value.get(None)])

    def _thread_local(self, value: threading.local) -> None:
        self._push_made(list(value.__dict__.values()))

    # Classes and instances

    def _class(self, value: type) -> None:
        if not _is_notebook_class(value):
            if not self._inside_library:
                self._named_by_library(value.__name__)
            return
        self._name_class(value)
        self._push([*value.__dict__.values(), *value.__bases__, type(value)])

    def _name_class(self, cls: type) -> None:
        """Methods can change their class: whatever variable holds it is touched."""
        if self._namespace.get(cls.__name__) is cls:
            self.names.add(cls.__name__)
        else:
            self.names.update(name for name, value in list(self._namespace.items()) if value is cls)

    def _weak(self, value: object) -> None:
        if not self._inside_library:
            self._stop("reaches a weak reference")

    def _choose_handler(self, cls: type) -> _Handler:
        """Return what to do with instances of a class; remembered for classes of libraries, some thousand at most."""
        mro = cls.__mro__
        if type in mro:
            return Follower._class  # its instances are classes of another metaclass
        if any(map(_is_notebook_class, mro)):
            self._push([c for c in mro if _is_notebook_class(c)])
            special = self._array_type in mro or not _SIZED.keys().isdisjoint(mro)
            self._handlers[cls] = Follower._notebook_container if special else Follower._notebook_instance
            return self._handlers[cls]
        handler = self._choose_library_handler(cls, mro)
        if len(_library_handlers) >= _REMEMBER_MAX:
            _library_handlers.clear()
        _library_handlers[cls] = handler
        return handler

    def _choose_library_handler(self, cls: type, mro: tuple[type, ...]) -> _Handler:
        root = str(cls.__module__ or "").partition(".")[0]  # a descriptor, if the class has a slot of that name
        if not _WEAK_TYPES.isdisjoint(mro):
            return Follower._weak
        if types.ModuleType in mro:
            return Follower._module
        if root in _KERNEL_ROOTS:
            return Follower._nothing
        if "InteractiveShell" in cls.__name__:
            return Follower._shell
        if self._array_type in mro:
            return Follower._array_instance
        if root in _FRAME_ROOTS:
            return Follower._pandas_instance
        return Follower._library_instance if _SIZED.keys().isdisjoint(mro) else Follower._sized_instance

    def _nothing(self, value: object) -> None:
        pass

    def _shell(self, value: object) -> None:
        self._stop("reaches IPython's shell")

    def _notebook_instance(self, value: object) -> None:
        self._push(gc.get_referents(value))

    def _notebook_container(self, value: object) -> None:
        if self._array_type in type(value).__mro__:
            self._array(value)
        if self._scan_sized(value):
            self._push(gc.get_referents(value))

    def _library_instance(self, value: object) -> None:
        seen = self._seen
        self._in_libraries.extend([v for v in gc.get_referents(value) if type(v) not in _ATOMIC and id(v) not in seen])

    def _sized_instance(self, value: object) -> None:
        if self._scan_sized(value):
            self._library_instance(value)

    def _array_instance(self, value: object) -> None:
        self._array(value)
        if type(value) is not self._array_type:
            self._library_instance(value)

    def _pandas_instance(self, value: Any) -> None:
        fields = getattr(value, "__dict__", None)
        if type(fields) is dict and ("_mgr" in fields or "_data" in fields):
            self._frame(value)
        else:
            self._library_instance(value)


_REMEMBER_MAX = 2048
_library_handlers: dict[type, _Handler] = {}
_TPFLAGS_HAVE_GC = 1 << 14


def _is_notebook_class(cls: type) -> bool:
    return cls.__module__ == "__main__"


def _is_exit_command(name: str, value: object) -> bool:
    """IPython's `exit` and `quit` hold the shell, and thereby all variables, but do nothing with them."""
    return name in ("exit", "quit") and type(value).__module__.partition(".")[0] in ("IPython", "ipykernel")


def _is_library_namespace(namespace: dict[str, object]) -> bool:
    """Whether these are the globals of an imported module: not the notebook's, a `%run` script's or made-up ones."""
    name = namespace.get("__name__")
    module = sys.modules.get(name) if isinstance(name, str) and name != "__main__" else None
    return module is not None and getattr(module, "__dict__", None) is namespace


def _held_by(function: types.FunctionType) -> list[object]:
    """Return what a function holds beside its code: closure, defaults, attributes (`__wrapped__` is one)."""
    held: list[object] = []
    for cell in function.__closure__ or ():
        try:
            held.append(cell.cell_contents)
        except ValueError:  # not filled yet
            continue
    held.extend(function.__defaults__ or ())
    held.extend((function.__kwdefaults__ or {}).values())
    held.extend(function.__dict__.values())
    return held


_WEAK_TYPES: frozenset[type] = frozenset([*_WEAK, *_WEAK_CONTAINERS])
_HANDLERS: dict[type, _Handler] = {
    list: Follower._elements,
    tuple: Follower._elements,
    set: Follower._elements,
    frozenset: Follower._elements,
    dict: Follower._mapping,
    types.FunctionType: Follower._function,
    types.BuiltinFunctionType: Follower._builtin,
    types.MethodType: Follower._method,
    types.GeneratorType: Follower._generator,
    types.CoroutineType: Follower._coroutine,
    types.AsyncGeneratorType: Follower._coroutine,
    types.ModuleType: Follower._module,
    type: Follower._class,
    contextvars.ContextVar: Follower._context_variable,
    threading.local: Follower._thread_local,
    **dict.fromkeys(_WEAK_TYPES, Follower._weak),
}
