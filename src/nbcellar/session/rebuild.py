"""The loading side of functions and classes: what the pickle streams of `definitions` call.

`RebuildContext.find_class` is for the unpickler of a restore. Functions of this module that need the restore are found
in streams under their names and replaced by methods of the context.

Invariant: loading changes nothing that is live. Classes are made anew under their uid, never filled into a live class;
functions get the live namespace as globals but nothing is written to it; names of `__main__` mean the namespace being
built. Not for: deciding what to load, or whether it may be loaded.
"""

from __future__ import annotations

import abc
import functools
import importlib
import sys
from collections.abc import Callable
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

from nbcellar.errors import CannotRestoreError
from nbcellar.session.importable import MAIN_MODULES
from nbcellar.session.skeleton import make_skeleton, native

KERNEL_FOLDER = "<kernel>/"
TUPLES_OF_NAMES = frozenset({"__slots__", "__match_args__", "_fields"})


class RebuildContext:
    """What is being built: where names of the notebook resolve, and which classes exist already.

    namespace: the namespace being built, for names of `__main__`. live_globals: the user namespace that rebuilt
    functions have as globals. resolve_definition(index): the class that the stream knows by that number.
    register_skeleton(uid, cls): told of every class made here, before its contents are loaded. known(uid): the class
    that this restore registered under a uid, if any.

    A base class may hold its subclasses (a registry), so that loading a subclass first loads the base, which asks for
    the subclass, whose stream is not yet at the point of making it. `resolve_definition` then loads that stream anew,
    inside; the base is registered by now, so this ends. The outer load finds the class known, and what it returns for
    it is that class.
    """

    def __init__(
        self,
        namespace: dict[str, Any],
        live_globals: dict[str, Any],
        resolve_definition: Callable[[int], type],
        register_skeleton: Callable[[str, type], None],
        known: Callable[[str], type | None] | None = None,
    ) -> None:
        self.namespace = namespace
        self.live_globals = live_globals
        self.resolve_definition = resolve_definition
        self.register_skeleton = register_skeleton
        self._known = known or (lambda uid: None)
        self._made: dict[str, type] = {}
        self.settled: set[int] = set()
        """Ids of classes that another load has made and filled: what this stream says of them is not needed."""

    def find(self, name: str) -> Callable[..., Any]:
        """Return what a stream means by the name of a function of this module."""
        method = _CONTEXTUAL.get(name)
        if method is not None:
            return functools.partial(method, self)
        try:
            found: Callable[..., Any] = globals()[name]
        except KeyError:
            raise CannotRestoreError(
                f"the value was stored by another version of Cellar: it asks for '{name}'",
                hint="upgrade with: pip install --upgrade nbcellar",
            ) from None
        return found

    def find_class(self, module: str, name: str) -> Any:
        """Return the object that a stream names; raises CannotRestoreError naming what is missing."""
        if module == __name__:
            return self.find(name)
        if module in MAIN_MODULES:
            return self._find_in_namespace(name)
        return find_by_name(module, name)

    def already_made(self, uid: str) -> type | None:
        """Return the class of that uid if this restore has made it, and take it as settled."""
        cls = self._made.get(uid) or self._known(uid)
        if cls is not None:
            self.settled.add(id(cls))
        return cls

    def register(self, uid: str, cls: type) -> None:
        """Note a class that has just been made."""
        self._made[uid] = cls
        self.register_skeleton(uid, cls)

    def _find_in_namespace(self, name: str) -> Any:
        first, *rest = name.split(".")
        try:
            return functools.reduce(getattr, rest, self.namespace[first])
        except (KeyError, AttributeError):
            raise CannotRestoreError(f"the value refers to '{name}', which is not in the state") from None


def find_by_name(module: str, name: str) -> Any:
    """Import a module and return what it holds under a dotted name; raises CannotRestoreError."""
    try:
        return functools.reduce(getattr, name.split("."), import_by_name(module))
    except AttributeError:
        raise CannotRestoreError(
            f"the value needs {module}.{name}, which the installed version of {module.partition('.')[0]} does not have"
        ) from None


def import_by_name(module: str) -> Any:
    """Return a module, imported if need be; raises CannotRestoreError."""
    try:
        return sys.modules.get(module) or importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise CannotRestoreError(
            f"the value needs module {module}, which cannot be imported: {error}",
            hint=f"install {package} in the kernel's environment and try again",
        ) from None


def _only_in_a_restore(*_: Any) -> Any:
    raise CannotRestoreError("a value of a notebook is loaded by a restore only")


# ----------------------------------------------------------------------------------------------------------------------
# Functions


def _make_function(
    context: RebuildContext, code: CodeType, where: Any, name: str, cells: tuple[CellType, ...] | None
) -> FunctionType:
    return FunctionType(code, _globals(where, context), name, None, cells)


def _globals(where: Any, context: RebuildContext) -> dict[str, Any]:
    if where is None:
        return context.live_globals
    if isinstance(where, str):
        found: dict[str, Any] = vars(import_by_name(where))
        return found
    own: dict[str, Any] = vars(where) if isinstance(where, ModuleType) else where[2]
    return own


def set_function(function: FunctionType, state: tuple[Any, ...]) -> None:
    """Fill a bare function with what `functions.function_state` took."""
    qualname, module, doc, defaults, kwdefaults, annotations, attributes, contents, type_params = state
    function.__qualname__ = qualname
    function.__module__ = module
    function.__doc__ = doc
    function.__defaults__ = defaults
    function.__kwdefaults__ = kwdefaults
    if annotations is not None:
        function.__annotations__ = annotations
    if attributes is not None:
        function.__dict__.update(attributes)
    for cell, content in zip(function.__closure__ or (), contents, strict=True):
        set_cell(cell, content)
    if type_params:
        function.__type_params__ = type_params  # type: ignore[attr-defined, unused-ignore]


def set_functions(states: list[tuple[FunctionType, tuple[Any, ...]]]) -> None:
    """Fill the methods of a class (their states were encoded after all of them)."""
    for function, state in states:
        set_function(function, state)


def make_cell() -> CellType:
    """Return an empty closure cell."""
    return CellType()


def set_cell(cell: CellType, content: tuple[Any, ...]) -> None:
    """Fill a cell; `content` is empty for an empty cell."""
    if content:
        cell.cell_contents = content[0]


def make_code(minor: int, arguments: tuple[Any, ...]) -> CodeType:
    """Return a code object; raises CannotRestoreError under another minor version of Python."""
    if minor != sys.version_info[1]:
        raise CannotRestoreError(
            f"function '{arguments[11]}' was compiled by Python 3.{minor}, this kernel runs 3.{sys.version_info[1]}",
            hint=f"run the cell that defines it again, or use a kernel with Python 3.{minor}",
        )
    filename = arguments[10]
    if filename.startswith(KERNEL_FOLDER):
        arguments = (*arguments[:10], _kernel_filename(filename), *arguments[11:])
    return CodeType(*arguments)


def _kernel_filename(filename: str) -> str:
    """Return the file name that this kernel gives a cell with the same source, so that tracebacks find it."""
    compiler = sys.modules.get("ipykernel.compiler")
    if compiler is None:
        return filename
    folder = compiler.get_tmp_directory()
    separator = "\\" if "\\" in folder else "/"
    return f"{folder}{separator}{filename[len(KERNEL_FOLDER) :]}"


def make_singledispatch() -> Any:
    """Return a generic function without implementations."""
    return functools.singledispatch(_only_in_a_restore)


def set_singledispatch(function: Any, state: tuple[Any, ...]) -> None:
    """Fill a generic function with its implementations and attributes."""
    registry, name, qualname, module, doc, attributes = state
    table = _free_variable(function.dispatch, "registry").cell_contents
    table.clear()
    table.update(registry)
    _free_variable(function, "funcname").cell_contents = name
    for key in ("__wrapped__", "__annotations__"):
        function.__dict__.pop(key, None)
    function.__name__, function.__qualname__, function.__module__, function.__doc__ = name, qualname, module, doc
    function.__dict__.update(attributes)


def _free_variable(function: Any, name: str) -> CellType:
    cell: CellType = function.__closure__[function.__code__.co_freevars.index(name)]
    return cell


# ----------------------------------------------------------------------------------------------------------------------
# Classes


def _make_class(
    context: RebuildContext,
    uid: str,
    metaclass: type,
    name: str,
    bases: tuple[type, ...],
    early: dict[str, Any],
    late: tuple[str, ...],
    layout: tuple[bool, bool],
) -> type:
    """Return a class that has every name in its place, most of them still None.

    early: its names in order up to where Python adds its own descriptors. late: those that were set afterwards.
    """
    known = context.already_made(uid)
    if known is not None:
        return known
    if "_abc_impl" in early:  # abc looks into every subclass, a skeleton too
        early["_abc_impl"] = vars(abc.ABCMeta("Empty", (), {}))["_abc_impl"]
    cls = make_skeleton(metaclass, name, bases, early, layout)
    context.register(uid, cls)
    put = native(metaclass, "__setattr__")
    for key in late:
        put(cls, key, None)
    _remove_extras(cls, early, late)
    if "_abc_impl" in early or "_abc_impl" in late:
        importlib.import_module("_abc")._abc_init(cls)
    return cls


def _remove_extras(cls: type, early: dict[str, Any], late: tuple[str, ...]) -> None:
    """Take out what `type.__new__` added and the stored class did not have."""
    for key, value in list(vars(cls).items()):
        if (
            key not in early
            and key not in late
            and getattr(value, "__objclass__", None) is not cls
            and key != "__doc__"
        ):
            native(type(cls), "__delattr__")(cls, key)


def _set_attributes(context: RebuildContext, cls: type, attributes: dict[str, Any]) -> None:
    """Set attributes of a class without its metaclass noticing."""
    if id(cls) in context.settled:
        return
    put = native(type(cls), "__setattr__")
    for key, value in attributes.items():
        if key in TUPLES_OF_NAMES and type(value) is tuple:
            # The strings that Python would have here are interned, and pickle tells them from equal ones.
            value = tuple(sys.intern(item) if type(item) is str else item for item in value)
        put(cls, key, value)


def finish_class(cls: type, state: tuple[Any, ...]) -> None:
    """Register a class where it was, and with it those that were; the rest happened while the state was loaded."""
    *_, bases, subclasses = state
    for base in bases:
        base.register(cls)
    for subclass in subclasses:
        importlib.import_module("_abc")._abc_register(cls, subclass)


def _definition(context: RebuildContext, index: int, *made_from: type) -> type:
    return context.resolve_definition(index)


def member(owner: type, name: str) -> Any:
    """Return a method of a class as the function it is; raises CannotRestoreError if the class is not that far yet."""
    found = vars(owner).get(name)
    if found is None:
        raise CannotRestoreError(f"the value needs {owner.__qualname__}.{name}, which is not there")
    return found.__func__ if type(found) in (staticmethod, classmethod) else found


def make_enum_member(data_type: type, cls: type, arguments: tuple[Any, ...]) -> Any:
    """Return a bare member of an enum; no code of the enum runs."""
    return native(data_type, "__new__")(cls, *arguments)


def set_enum_member(instance: Any, state: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Fill a bare member: its `__dict__` and its slots."""
    attributes, slots = state
    instance.__dict__.update(attributes)
    for key, value in slots.items():
        object.__setattr__(instance, key, value)


def enum_member(cls: Any, name: str) -> Any:
    """Return the member of that name."""
    return cls._member_map_[name]


def enum_value(cls: Any, value: Any) -> Any:
    """Return the combination of flags with that value."""
    return cls(value)


def _main_module(context: RebuildContext) -> Any:
    """Return the module that the user namespace is the dictionary of."""
    return sys.modules["__main__"]


def _shell_method(context: RebuildContext, name: str) -> Any:
    """Return a method of the running IPython shell."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        raise CannotRestoreError("the value needs the IPython shell, and none is running")
    return getattr(shell, name)


# Streams name these; `RebuildContext.find` puts the method that knows the restore in their place.


def make_function(*_: Any) -> Any:
    """Return a bare function; in a restore only."""
    return _only_in_a_restore()


def make_class(*_: Any) -> Any:
    """Return a class without contents; in a restore only."""
    return _only_in_a_restore()


def set_attributes(*_: Any) -> Any:
    """Set attributes of a class; in a restore only."""
    return _only_in_a_restore()


def definition(index: int, *made_from: type) -> Any:
    """Return the class of the notebook with that number; in a restore only."""
    return _only_in_a_restore()


def main_module() -> Any:
    """Return the `__main__` module; in a restore only."""
    return _only_in_a_restore()


def shell_method(name: str) -> Any:
    """Return a method of the IPython shell; in a restore only."""
    return _only_in_a_restore()


_CONTEXTUAL: dict[str, Callable[..., Any]] = {
    make_function.__name__: _make_function,
    make_class.__name__: _make_class,
    set_attributes.__name__: _set_attributes,
    definition.__name__: _definition,
    main_module.__name__: _main_module,
    shell_method.__name__: _shell_method,
}
