"""How objects of Python itself are looked at."""

from __future__ import annotations

import enum
import functools
import hashlib
import io
import random
import re
import threading
import types
import weakref
from typing import Any

from .pieces import ADDRESS, annotations_of, code_of, digest_of, found_by_name, type_name
from .walk import BY_TYPE, Walk

_CLASS_NOISE = frozenset(
    "__dict__ __weakref__ __doc__ __module__ __qualname__ _abc_impl __abstractmethods__ __firstlineno__ "
    "__static_attributes__ __slotnames__ __annotate__ __annotate_func__ __annotations_cache__".split()
)


def visit_module(walk: Walk, obj: Any, path: str) -> str:
    return str(obj.__name__)


def visit_method(walk: Walk, obj: Any, path: str) -> str:
    return walk.digest_parts("method", path, ((".__func__", obj.__func__), (".__self__", obj.__self__)))


def visit_builtin(walk: Walk, obj: Any, path: str) -> str:
    owner = getattr(obj, "__self__", None)
    if owner is None or isinstance(owner, types.ModuleType):
        return f"{obj.__module__}.{obj.__qualname__}"
    return digest_of(obj.__qualname__, walk.visit(owner, f"{path}.__self__"))


def visit_function(walk: Walk, obj: Any, path: str) -> str:
    if obj.__globals__ is not walk.namespace:
        found = found_by_name(obj.__module__, obj.__qualname__)
        if found is obj:
            return f"{obj.__module__}.{obj.__qualname__}"
    parts: list[tuple[str, object]] = [
        (".__defaults__", obj.__defaults__),
        (".__kwdefaults__", obj.__kwdefaults__),
        ("~.__dict__", dict(obj.__dict__)),
        (".__annotations__", annotations_of(obj)),
    ]
    for name, cell in zip(obj.__code__.co_freevars, obj.__closure__ or (), strict=True):
        parts.append((f".closure.{name}", cell))
    where = "here" if obj.__globals__ is walk.namespace else obj.__globals__.get("__name__", "nowhere")
    head = digest_of(code_of(obj.__code__), obj.__name__, obj.__qualname__, str(obj.__module__), repr(obj.__doc__))
    return walk.digest_parts(head + where, path, parts)


def visit_cell(walk: Walk, obj: Any, path: str) -> str:
    try:
        return walk.visit(obj.cell_contents, path)
    except ValueError:
        return "empty"


def visit_type(walk: Walk, obj: Any, path: str) -> str:
    if obj.__module__ != "__main__" and found_by_name(obj.__module__, obj.__qualname__) is obj:
        return f"{obj.__module__}.{obj.__qualname__}"
    parts = [(f".{k}", v) for k, v in vars(obj).items() if k not in _CLASS_NOISE]
    if isinstance(obj, enum.EnumMeta):
        parts = [(f".{name}", member._value_) for name, member in obj.__members__.items()]
        parts += [(f".{k}", v) for k, v in vars(obj).items() if isinstance(v, types.FunctionType)]
    parts += [(f".base{i}", base) for i, base in enumerate(obj.__bases__)]
    return walk.digest_parts(f"class {obj.__qualname__} {obj.__module__} {obj.__doc__!r}", path, parts)


def visit_enum(walk: Walk, obj: Any, path: str) -> str:
    return digest_of(str(obj._name_), walk.visit(type(obj), f"{path}.__class__"))


def visit_property(walk: Walk, obj: Any, path: str) -> str:
    return walk.digest_parts("property", path, ((f".{n}", getattr(obj, n)) for n in ("fget", "fset", "fdel")))


def visit_wrapped(walk: Walk, obj: Any, path: str) -> str:
    return walk.visit(obj.__func__, f"{path}.__func__")


def visit_lru_cache(walk: Walk, obj: Any, path: str) -> str:
    return digest_of(repr(obj.cache_parameters()), walk.visit(obj.__wrapped__, f"{path}.__wrapped__"))


def visit_cached_property(walk: Walk, obj: Any, path: str) -> str:
    return walk.visit(obj.func, f"{path}.func")


def visit_partial(walk: Walk, obj: Any, path: str) -> str:
    return walk.digest_parts("partial", path, ((".func", obj.func), (".args", obj.args), (".keywords", obj.keywords)))


def visit_generator(walk: Walk, obj: Any, path: str) -> str:
    walk.iterators.append((path, obj))
    frame = obj.gi_frame
    return digest_of(code_of(obj.gi_code), "ended" if frame is None else f"at {frame.f_lasti}")


def visit_random(walk: Walk, obj: Any, path: str) -> str:
    return repr(obj.getstate())


def visit_file(walk: Walk, obj: Any, path: str) -> str:
    return f"{getattr(obj, 'name', '')} {obj.closed}" + ("" if obj.closed else f" {obj.tell()}")


def visit_memory_file(walk: Walk, obj: Any, path: str) -> str:
    return "closed" if obj.closed else f"{obj.tell()} {obj.getvalue()!r}"


def visit_match(walk: Walk, obj: Any, path: str) -> str:
    return repr((obj.string, obj.regs, obj.re.pattern, obj.pos, obj.endpos))


def visit_view(walk: Walk, obj: Any, path: str) -> str:
    return repr((obj.format, obj.shape, obj.readonly)) + hashlib.blake2b(obj.tobytes()).hexdigest()


def visit_bytearray(walk: Walk, obj: Any, path: str) -> str:
    return bytes(obj).hex()


def visit_reference(walk: Walk, obj: Any, path: str) -> str:
    target = obj()
    return "dead" if target is None else walk.visit(target, f"{path}()")


def visit_lock(walk: Walk, obj: Any, path: str) -> str:
    return str(obj.locked()) if hasattr(obj, "locked") else ADDRESS.sub("", repr(obj))


def visit_opaque(walk: Walk, obj: Any, path: str) -> str:
    return type_name(type(obj))


BY_TYPE.update(
    {
        types.ModuleType: visit_module,
        types.MethodType: visit_method,
        types.BuiltinFunctionType: visit_builtin,
        types.MethodWrapperType: visit_builtin,
        types.FunctionType: visit_function,
        types.CellType: visit_cell,
        type: visit_type,
        enum.Enum: visit_enum,
        property: visit_property,
        staticmethod: visit_wrapped,
        classmethod: visit_wrapped,
        functools.partial: visit_partial,
        functools.cached_property: visit_cached_property,
        type(functools.lru_cache(len)): visit_lru_cache,
        types.GeneratorType: visit_generator,
        random.Random: visit_random,
        io.StringIO: visit_memory_file,
        io.BytesIO: visit_memory_file,
        io.IOBase: visit_file,
        re.Match: visit_match,
        memoryview: visit_view,
        bytearray: visit_bytearray,
        weakref.ref: visit_reference,
        type(threading.Lock()): visit_lock,
    }
)
