"""The loading side of what wraps functions and of other objects that pickle refuses: what streams of `wrappers` call.

Invariant: constructors of the user do not run; every function here makes a new object or fills one that it made, or
returns what a module holds. None needs to know the restore it is part of; those that do are in `rebuild`.
"""

from __future__ import annotations

import builtins
import functools
from collections import OrderedDict
from collections.abc import Callable
from types import FunctionType, MethodType, ModuleType
from typing import Any

from nbcellar.errors import CannotRestoreError
from nbcellar.session.importable import is_class
from nbcellar.session.rebuild import find_by_name, import_by_name, member
from nbcellar.session.skeleton import native


def attribute(module: str, name: str) -> Any:
    """Return what an imported module holds under a name."""
    return find_by_name(module, name)


def import_module(name: str) -> Any:
    """Return a module, imported if need be."""
    return import_by_name(name)


def make_module(name: str) -> ModuleType:
    """Return a new module that `sys.modules` does not know."""
    return ModuleType(name)


def set_module(module: ModuleType, contents: dict[str, Any]) -> None:
    """Fill a new module; it has the names of the stored one in their order."""
    namespace = vars(module)
    held = namespace.get("__builtins__")
    namespace.clear()
    namespace.update(contents)
    if held is not None:
        namespace["__builtins__"] = held


def make_container(base: Any, kind: type) -> Any:
    """Return an empty instance of a subclass of `base`: dict, list, set or OrderedDict. Its own methods do not run."""
    return base.__new__(kind)


def set_container(obj: Any, state: tuple[Any, dict[str, Any] | None, dict[str, Any] | None]) -> None:
    """Fill what `make_container` made, by the methods of its base."""
    contents, attributes, slots = state
    if isinstance(obj, OrderedDict):
        for key, value in contents.items():
            OrderedDict.__setitem__(obj, key, value)
    elif isinstance(obj, dict):
        dict.update(obj, contents)
    elif isinstance(obj, list):
        list.extend(obj, contents)
    else:
        set.update(obj, contents)
    if attributes is not None:
        object.__setattr__(
            obj, "__dict__", attributes
        )  # the very one: it may be another object's, too, or the container itself
    for name, value in (slots or {}).items():
        object.__setattr__(obj, name, value)


def make_value(base: Any, kind: type, plain: Any) -> Any:
    """Return a number, text or tuple of a subclass with this value; its own `__new__` does not run."""
    return base.__new__(kind, plain)


def set_attributes(obj: Any, attributes: dict[str, Any] | None) -> None:
    """Give an object the attributes it had."""
    if attributes:
        obj.__dict__.update(attributes)


def make_property(kind: type, arguments: tuple[Any, ...]) -> Any:
    """Return a property of the given (sub)class; its own __init__ does not run."""
    made = _new(kind)
    property.__init__(made, *arguments)
    return made


def make_wrapper(kind: type, function: Any) -> Any:
    """Return a staticmethod or classmethod of the given (sub)class; its own __init__ does not run."""
    made = _new(kind)
    (staticmethod if issubclass(kind, staticmethod) else classmethod).__init__(made, function)
    return made


def _new(kind: type) -> Any:
    """Return an instance whose constructor, if it is the user's, has not run."""
    return native(kind, "__new__")(kind)


def descriptor(owner: type, name: str) -> Any:
    """Return a descriptor that Python put into a class."""
    return vars(owner)[name]


def make_bare(kind: type) -> Any:
    """Return an instance of a class whose constructor is not run."""
    return _new(kind)


def set_slots(instance: Any, values: dict[str, Any]) -> None:
    """Fill the slots of an object."""
    for name, value in values.items():
        object.__setattr__(instance, name, value)


def set_dict(instance: Any, attributes: dict[str, Any]) -> None:
    """Give an object exactly these instance attributes."""
    instance.__dict__.clear()
    instance.__dict__.update(attributes)


def adopt_dict(instance: Any, attributes: dict[str, Any]) -> None:
    """Make a dictionary, that others may hold too, the one of an object's attributes."""
    object.__setattr__(instance, "__dict__", attributes)


def make_cached_property(kind: type) -> Any:
    """Return a `functools.cached_property` without its function."""
    made = _new(kind)
    functools.cached_property.__init__(made, _new)  # replaced by what the state holds
    return made


def set_cached_property(instance: Any, attributes: dict[str, Any]) -> None:
    """Fill a cached property; the lock that Python 3.10 and 3.11 give it stays."""
    instance.__dict__.update(attributes)


def make_lru_cache(function: Any, maxsize: int | None, typed: bool) -> Any:
    """Return an empty cache around `function`."""
    return functools.lru_cache(maxsize=maxsize, typed=typed)(function)


def set_lru_cache(wrapper: Any, attributes: dict[str, Any]) -> None:
    """Give a cache its attributes; `cache_parameters` stays the new one."""
    parameters = wrapper.__dict__["cache_parameters"]
    set_dict(wrapper, {"cache_parameters": parameters, **attributes})


def bind_method(instance: Any, name: str) -> Any:
    """Return the method `name` of an object's class, bound to the object; instance attributes are not asked."""
    owners = instance.__mro__ if is_class(instance) else ()
    for cls in (*owners, *type(instance).__mro__):
        if name in vars(cls):
            return MethodType(member(cls, name), instance)
    raise CannotRestoreError(f"class {type(instance).__qualname__} no longer has the method '{name}'")


def make_method(function: Any, instance: Any) -> Any:
    """Return `function` bound to `instance`."""
    return MethodType(function, instance)


def make_view(method: str, contents: Any) -> Any:
    """Return the keys, values or items view of a dictionary."""
    return getattr(contents, method)()


def make_type_variable(
    kind: Callable[..., Any], name: str, arguments: tuple[Any, ...], options: dict[str, Any], module: Any
) -> Any:
    """Return a TypeVar, ParamSpec, TypeVarTuple, NewType or type alias."""
    # They take their `__module__` from the globals of the function that makes them.
    return FunctionType(_call.__code__, {"__name__": module, "__builtins__": builtins})(kind, name, arguments, options)


def _call(kind: Any, name: str, arguments: Any, options: Any) -> Any:
    return kind(name, *arguments, **options)
