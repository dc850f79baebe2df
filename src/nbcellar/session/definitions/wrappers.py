"""Reductions of what wraps functions, and of other everyday objects that pickle refuses or gets wrong.

Properties, static and class methods, bound methods, caches, modules, views, type variables, sentinels of `dataclasses`.
What has a running frame (generators, coroutines) raises CannotStoreError.

Invariant: `reducer_for` looks at the type alone, so a pickler may keep its answers; it imports nothing.
"""

from __future__ import annotations

import _collections_abc
import functools
import gc
import sys
import types
import weakref
from collections import OrderedDict
from typing import Any

from nbcellar.errors import CannotStoreError
from nbcellar.session import rebuild, rewrap, shared_dicts
from nbcellar.session.definitions.classes import reduce_enum_member
from nbcellar.session.definitions.encoding_context import EncodingContext, Reducer, Reduction, notes_of
from nbcellar.session.definitions.functions import reduce_cell, reduce_code
from nbcellar.session.importable import is_class, is_found_by_name, is_importable_module


def reducer_for(kind: type) -> Reducer | None:
    """Return the reducer for instances of a type, or None to leave them to pickle. Not for functions and classes."""
    reducer = _EXACT.get(kind)
    if reducer is not None:
        return reducer
    enum = sys.modules.get("enum")
    if enum is not None and isinstance(kind, enum.EnumMeta):
        return reduce_enum_member
    for base, found in _SUBCLASSES:
        if issubclass(kind, base):
            return found
    if kind.__module__ == "typing" or kind.__module__ == "typing_extensions":
        return _TYPING.get(kind.__name__)
    if kind.__module__ == "dataclasses":
        return _DATACLASSES.get(kind.__name__)
    return shared_dicts.reducer_for(kind)


def _reduce_property(obj: Any, context: EncodingContext) -> Reduction:
    arguments = obj.fget, obj.fset, obj.fdel, notes_of(context).text_or_value(obj.__doc__)
    return _with_attributes(rewrap.make_property, (type(obj), arguments), obj, context)


def _reduce_wrapper(obj: Any, context: EncodingContext) -> Reduction:
    return _with_attributes(rewrap.make_wrapper, (type(obj), obj.__func__), obj, context)


def _with_attributes(make: Any, arguments: tuple[Any, ...], obj: Any, context: EncodingContext) -> Reduction:
    attributes = getattr(obj, "__dict__", None)
    if attributes is None:
        return make, arguments
    notes = notes_of(context)
    state = {key: notes.text_or_value(value) for key, value in notes.private_keys(attributes).items()}
    return make, arguments, state, None, None, rewrap.set_dict


def _reduce_cached_property(obj: Any, context: EncodingContext) -> Reduction:
    notes = notes_of(context)
    state = {key: notes.text_or_value(value) for key, value in notes.private_keys(vars(obj)).items() if key != "lock"}
    return rewrap.make_cached_property, (type(obj),), state, None, None, rewrap.set_cached_property


def _reduce_lru_cache(obj: Any, context: EncodingContext) -> Reduction:
    """Encode the function and the settings; the results kept so far are not part of the value."""
    if is_found_by_name(obj):
        return NotImplemented
    notes = notes_of(context)
    settings = obj.cache_parameters()
    arguments = obj.__wrapped__, settings["maxsize"], settings["typed"]
    state = {
        key: notes.text_or_value(value)
        for key, value in notes.private_keys(vars(obj)).items()
        if key != "cache_parameters"
    }
    return rewrap.make_lru_cache, arguments, state, None, None, rewrap.set_lru_cache


def _reduce_method(obj: types.MethodType, context: EncodingContext) -> Reduction:
    instance, function = obj.__self__, obj.__func__
    name = getattr(function, "__name__", None)
    if type(name) is not str:
        return rewrap.make_method, (function, instance)
    if isinstance(instance, types.ModuleType) or _is_shell(instance):
        return (rebuild.shell_method, (name,)) if _is_shell(instance) else NotImplemented
    owners = instance.__mro__ if is_class(instance) else ()
    for cls in (*owners, *type(instance).__mro__):
        found = vars(cls).get(name)
        if found is None:
            continue
        if found is function or (type(found) in (classmethod, staticmethod) and found.__func__ is function):
            return rewrap.bind_method, (instance, notes_of(context).private(name))
        break
    return rewrap.make_method, (function, instance)


def _is_shell(instance: object) -> bool:
    shell = sys.modules.get("IPython.core.interactiveshell")
    return shell is not None and isinstance(instance, shell.InteractiveShell)


def _reduce_descriptor(obj: Any, context: EncodingContext) -> Reduction:
    return rewrap.descriptor, (obj.__objclass__, notes_of(context).private(obj.__name__))


def _reduce_module(obj: types.ModuleType, context: EncodingContext) -> Reduction:
    """By name when an import finds it; a module made in the notebook by value."""
    notes = notes_of(context)
    if vars(obj) is context.namespace:
        return rebuild.main_module, ()
    if is_importable_module(obj):
        return rewrap.import_module, (notes.private(obj.__name__),)
    if type(obj) is not types.ModuleType:
        raise CannotStoreError(
            f"module '{obj.__name__}' cannot be stored: it is a {type(obj).__qualname__} that no import finds"
        )
    notes.modules[id(vars(obj))] = obj
    contents = {key: value for key, value in vars(obj).items() if key != "__builtins__"}
    return rewrap.make_module, (notes.private(obj.__name__),), contents, None, None, rewrap.set_module


def _reduce_mapping_proxy(obj: Any, context: EncodingContext) -> Reduction:
    dataclasses = sys.modules.get("dataclasses")
    if dataclasses is not None and obj is getattr(dataclasses, "_EMPTY_METADATA", None):
        return rewrap.attribute, ("dataclasses", "_EMPTY_METADATA")
    shown = next(iter(gc.get_referents(obj)), None)
    # A class's dictionary belongs to the class, as an enum's of its members does: a copy is what can be had of them.
    plain = type(shown) is dict and "__module__" not in shown and all(type(type(v)) is type for v in shown.values())
    return types.MappingProxyType, (shown if plain else obj.copy(),)


def _viewed(view: Any) -> Any:
    """Return the dictionary that a view shows; its `mapping` is a proxy, under which it would look like another one."""
    for shown in gc.get_referents(view):
        if isinstance(shown, dict):
            return shown
    return dict(view.mapping)


def _reduce_keys(obj: Any, context: EncodingContext) -> Reduction:
    return rewrap.make_view, ("keys", _viewed(obj))


def _reduce_values(obj: Any, context: EncodingContext) -> Reduction:
    return rewrap.make_view, ("values", _viewed(obj))


def _reduce_items(obj: Any, context: EncodingContext) -> Reduction:
    return rewrap.make_view, ("items", _viewed(obj))


def _reduce_weak_set(obj: Any, context: EncodingContext) -> Reduction:
    return type(obj), (list(obj),)


def _reduce_weak_mapping(obj: Any, context: EncodingContext) -> Reduction:
    return type(obj), (dict(obj),)


def _reduce_dataclass_sentinel(obj: Any, context: EncodingContext) -> Reduction:
    dataclasses = sys.modules["dataclasses"]
    for name, value in vars(dataclasses).items():
        if value is obj:
            return rewrap.attribute, ("dataclasses", name)
    return NotImplemented


def _reduce_field(obj: Any, context: EncodingContext) -> Reduction:
    notes = notes_of(context)
    state = {notes.private(name): notes.text_or_value(getattr(obj, name)) for name in type(obj).__slots__}
    return rewrap.make_bare, (type(obj),), state, None, None, rewrap.set_slots


_DATACLASSES: dict[str, Reducer] = {
    "Field": _reduce_field,
    "_FIELD_BASE": _reduce_dataclass_sentinel,
    "_MISSING_TYPE": _reduce_dataclass_sentinel,
    "_KW_ONLY_TYPE": _reduce_dataclass_sentinel,
    "_HAS_DEFAULT_FACTORY_CLASS": _reduce_dataclass_sentinel,
}


def _reduce_type_var(obj: Any, context: EncodingContext) -> Reduction:
    options = _variance(obj)
    if getattr(obj, "__infer_variance__", False):
        options["infer_variance"] = True
    return _type_variable(obj, context, obj.__constraints__, options)


def _reduce_param_spec(obj: Any, context: EncodingContext) -> Reduction:
    return _type_variable(obj, context, (), _variance(obj))


def _reduce_type_var_tuple(obj: Any, context: EncodingContext) -> Reduction:
    return _type_variable(obj, context, (), {})


def _reduce_new_type(obj: Any, context: EncodingContext) -> Reduction:
    return _type_variable(obj, context, (obj.__supertype__,), {})


def _reduce_type_alias(obj: Any, context: EncodingContext) -> Reduction:
    return _type_variable(obj, context, (obj.__value__,), {"type_params": obj.__type_params__})


def _variance(obj: Any) -> dict[str, Any]:
    return {"bound": obj.__bound__, "covariant": obj.__covariant__, "contravariant": obj.__contravariant__}


def _type_variable(
    obj: Any, context: EncodingContext, arguments: tuple[Any, ...], options: dict[str, Any]
) -> Reduction:
    """By name when a library offers it, else by value: a notebook's `T` and the `T` of its class may become two."""
    name, module_name = obj.__name__, obj.__module__
    module = sys.modules.get(module_name)
    if module is not None and vars(module) is not context.namespace and is_importable_module(module):
        found = vars(module).get(name)
        if found is obj:
            return rewrap.attribute, (module_name, name)
    notes = notes_of(context)
    if getattr(obj, "has_default", None) is not None and obj.has_default():
        options = {**options, "default": obj.__default__}
    return rewrap.make_type_variable, (
        type(obj),
        notes.private(name),
        arguments,
        options,
        notes.text_or_value(module_name),
    )


_TYPING: dict[str, Reducer] = {
    "TypeVar": _reduce_type_var,
    "ParamSpec": _reduce_param_spec,
    "TypeVarTuple": _reduce_type_var_tuple,
    "NewType": _reduce_new_type,
    "TypeAliasType": _reduce_type_alias,
}


def _refuse(obj: Any, context: EncodingContext) -> Reduction:
    kind = _RUNNING[type(obj)]
    name = getattr(obj, "__qualname__", "")
    raise CannotStoreError(
        f"cannot store a {kind}{f' of {name}' if name else ''}: it holds a point of execution",
        hint="store what it yields instead, for example list(...)" if kind == "generator" else "",
    )


_RUNNING: dict[type, str] = {
    types.GeneratorType: "generator",
    types.CoroutineType: "coroutine",
    types.AsyncGeneratorType: "asynchronous generator",
    types.FrameType: "frame",
    types.TracebackType: "traceback",
}

_EXACT: dict[type, Reducer] = {
    types.CodeType: reduce_code,
    types.CellType: reduce_cell,
    types.MethodType: _reduce_method,
    types.GetSetDescriptorType: _reduce_descriptor,
    types.MemberDescriptorType: _reduce_descriptor,
    types.MappingProxyType: _reduce_mapping_proxy,
    functools._lru_cache_wrapper: _reduce_lru_cache,
    _collections_abc.dict_keys: _reduce_keys,
    _collections_abc.dict_values: _reduce_values,
    _collections_abc.dict_items: _reduce_items,
    type(OrderedDict().keys()): _reduce_keys,
    type(OrderedDict().values()): _reduce_values,
    type(OrderedDict().items()): _reduce_items,
    weakref.WeakSet: _reduce_weak_set,
    weakref.WeakKeyDictionary: _reduce_weak_mapping,
    weakref.WeakValueDictionary: _reduce_weak_mapping,
    **dict.fromkeys(_RUNNING, _refuse),
}

_SUBCLASSES: tuple[tuple[type, Reducer], ...] = (
    (property, _reduce_property),
    (staticmethod, _reduce_wrapper),
    (classmethod, _reduce_wrapper),
    (functools.cached_property, _reduce_cached_property),
    (types.ModuleType, _reduce_module),
)
