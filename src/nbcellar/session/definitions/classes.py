"""Classes of a notebook as pickle reductions, by value.

A class is rebuilt from its dictionary, not from its statement: no metaclass code, `__init_subclass__`, `__set_name__`
or decorator runs again. That one way serves plain classes, dataclasses, named tuples, enums, protocols and ABCs alike.

Order in the stream, so that what is loaded early can be used by what is loaded later: the class with all its names in
their order; its methods, bare; what the methods carry (defaults, closures); all other attributes, which may hold
instances of the class. A cycle through another class of the notebook ends at its skeleton.

Invariant: equal classes give equal bytes, and encoding a rebuilt class gives the bytes it was rebuilt from.
"""

from __future__ import annotations

import copyreg
import sys
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    WrapperDescriptorType,
)
from typing import Any

from nbcellar.errors import CannotStoreError
from nbcellar.session import rebuild
from nbcellar.session.definitions.encoding_context import (
    EncodingContext,
    Notes,
    Reduction,
    SortedSet,
    is_private_set,
    notes_of,
    sort_elements,
)
from nbcellar.session.definitions.functions import fills_early, function_state
from nbcellar.session.importable import is_notebook_class
from nbcellar.session.skeleton import native

_OWN_DESCRIPTORS = frozenset({"__dict__", "__weakref__"})
_OF_C = (MethodDescriptorType, WrapperDescriptorType, ClassMethodDescriptorType)
# Attributes that `type` itself computes or guards: as names of the class body they are given at creation or never.
_AT_CREATION = frozenset(
    name for name, value in vars(type).items() if isinstance(value, (GetSetDescriptorType, MemberDescriptorType))
) - {"__doc__", "__module__", "__annotations__", "__type_params__", "__abstractmethods__"} | {"__class__"}
_NEVER_SET = _AT_CREATION | {"_abc_impl"}
_GIVEN = frozenset({"__module__", "__doc__"})  # strings that `type.__new__` takes from the class body at once
_ATOMS = frozenset({type(None), bool, int, float, complex})
# Sets that Python makes from the names of a class: nobody else holds them, so they may be sorted.
_SETS_OF_NAMES = frozenset({"__protocol_attrs__", "__non_callable_proto_members__"})


def reduce_by_value(cls: type, context: EncodingContext) -> Reduction:
    """Return the reduction of a class with all it holds; raises CannotStoreError for a type made in C."""
    notes = notes_of(context)
    attributes = {name: value for name, value in vars(cls).items() if not _is_residue(name, value, cls)}
    own = _own_descriptors(cls, attributes)
    _refuse_types_of_c(cls, attributes, own)
    early, late = _names(cls, attributes, own, notes)
    arguments = (
        notes.private(context.definition_uid(cls)),
        type(cls),
        notes.private(cls.__name__),
        cls.__bases__,
        early,
        late,
        (bool(cls.__dictoffset__), bool(cls.__weakrefoffset__)),
    )
    held = {
        notes.private(name): _attribute(name, value, cls, notes)
        for name, value in attributes.items()
        if name not in own and name not in _NEVER_SET and not (name in _GIVEN and early.get(name) is not None)
    }
    methods = {name: value for name, value in held.items() if _is_method(value)}
    others = {name: value for name, value in held.items() if name not in methods}
    steps = _Methods(cls, methods, notes), _States(notes), _Others(cls, others)
    state = *steps, _virtual_bases(cls), _virtual_subclasses(cls, attributes)
    return rebuild.make_class, arguments, state, None, None, rebuild.finish_class


def reduce_enum_member(instance: Any, context: EncodingContext) -> Reduction:
    """Return the reduction of an enum member: by name, or with its contents while its class is encoded."""
    cls: Any = type(instance)
    if not is_notebook_class(cls, context.namespace):
        return NotImplemented
    notes = notes_of(context)
    name = instance._name_
    if cls._member_map_.get(name) is not instance:
        return rebuild.enum_value, (cls, instance._value_)
    if id(cls) not in context.root_definitions:
        return rebuild.enum_member, (cls, notes.private(name))
    arguments, attributes, slots = _member_parts(instance, cls)
    state = (
        {notes.private(key): notes.text_or_value(value) for key, value in attributes.items()},
        notes.private_keys(slots),
    )
    arguments = tuple(map(notes.text_or_value, arguments))
    return rebuild.make_enum_member, (cls._member_type_, cls, arguments), state, None, None, rebuild.set_enum_member


class _Methods:
    """The step of a class's state that makes its methods, bare."""

    __slots__ = ("cls", "methods", "notes")

    def __init__(self, cls: type, methods: dict[str, Any], notes: Notes) -> None:
        self.cls, self.methods, self.notes = cls, methods, notes

    def __reduce__(self) -> tuple[Any, ...]:
        self.notes.deferred.append([])  # _States, which comes next, takes it away
        return rebuild.set_attributes, (self.cls, self.methods)


class _States:
    """The step that fills the methods: those first that cannot need another one."""

    __slots__ = ("notes",)

    def __init__(self, notes: Notes) -> None:
        self.notes = notes

    def __reduce__(self) -> tuple[Any, ...]:
        functions = sorted(self.notes.deferred.pop(), key=lambda function: not fills_early(function))
        return rebuild.set_functions, ([(function, function_state(function, self.notes)) for function in functions],)


class _Others:
    """The step that sets every other attribute."""

    __slots__ = ("attributes", "cls")

    def __init__(self, cls: type, attributes: dict[str, Any]) -> None:
        self.cls, self.attributes = cls, attributes

    def __reduce__(self) -> tuple[Any, ...]:
        return rebuild.set_attributes, (self.cls, self.attributes)


def _is_residue(name: str, value: Any, cls: type) -> bool:
    """True for what is left in a class by others and means nothing.

    `__slotnames__` is what pickle notes in the class of an object that it stores; Python 3.10's dataclass copies the
    `__weakref__` of the class it replaces.
    """
    if name == "__slotnames__":
        return True
    return name in _OWN_DESCRIPTORS and type(value) is GetSetDescriptorType and value.__objclass__ is not cls


def _own_descriptors(cls: type, attributes: dict[str, Any]) -> set[str]:
    """Return the names under which Python itself put descriptors: slots, `__dict__`, `__weakref__`."""
    return {
        name
        for name, value in attributes.items()
        if type(value) in (MemberDescriptorType, GetSetDescriptorType)
        and value.__objclass__ is cls
        and value.__name__ == name
    }


def _refuse_types_of_c(cls: type, attributes: dict[str, Any], own: set[str]) -> None:
    described = f"{cls.__module__}.{cls.__qualname__}"
    if any(native(type(cls), name) is not getattr(type, name) for name in ("__new__", "__init__")):
        raise CannotStoreError(
            f"class {described} cannot be stored: its metaclass {type(cls).__qualname__} is made in C",
            hint="define it in a module that can be imported",
        )
    for name, value in attributes.items():
        if (
            (type(value) in _OF_C and value.__objclass__ is cls)
            or (type(value) is GetSetDescriptorType and name in own and name not in _OWN_DESCRIPTORS)
            or (type(value) is BuiltinFunctionType and value.__self__ is cls)
        ):
            raise CannotStoreError(
                f"class {described} cannot be stored: it is made in C and not found by that name",
                hint="import it from the module that offers it",
            )


def _names(
    cls: type, attributes: dict[str, Any], own: set[str], notes: Notes
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the names that `type.__new__` is given, in order and with the values it needs then, and the later ones."""
    order = list(attributes)
    end = min((order.index(name) for name in own), default=len(order))
    early: dict[str, Any] = {}
    for name in order[:end]:
        early[notes.private(name)] = attributes[name] if name in _AT_CREATION else None
    for name in _GIVEN:
        if name in early and type(attributes[name]) is str:
            early[notes.private(name)] = notes.private(attributes[name])
    early[notes.private("__qualname__")] = notes.private(cls.__qualname__)
    slots = [name for name in order if name in own and (name not in _OWN_DESCRIPTORS)]
    if "__slots__" in order[:end] or slots:
        own_slots = (*slots, *sorted(own & _OWN_DESCRIPTORS))
        early[notes.private("__slots__")] = tuple(map(notes.private, own_slots))
    late = tuple(notes.private(name) for name in order[end:] if name not in own and name not in _AT_CREATION)
    return early, late


def _attribute(name: str, value: Any, cls: Any, notes: Notes) -> Any:
    """Return what stands for an attribute in the stream, with nothing in it that differs between two processes."""
    kind = type(value)
    if kind is str:
        return notes.private(value)
    if kind is frozenset or (kind is set and name in _SETS_OF_NAMES):
        return SortedSet(kind, sort_elements(value)) if is_private_set(value) else value
    if kind is tuple and name in rebuild.TUPLES_OF_NAMES:
        return tuple(map(notes.text_or_value, value))
    if kind is list and name == "_member_names_":
        return list(map(notes.private, value))
    if kind is dict:
        if name == "__annotations__":
            return {key: notes.text_or_value(item) for key, item in notes.private_keys(value).items()}
        if name == "_value2member_map_":  # without combinations of flags, which come and go as they are used
            members = cls._member_map_
            return {notes.text_or_value(k): item for k, item in value.items() if members.get(item._name_) is item}
        if name in ("_member_map_", "_field_defaults", "__dataclass_fields__"):
            return notes.private_keys(value)
    return value


def _is_method(value: Any) -> bool:
    """True for what can be made before anything else of the class: functions, alone or wrapped, and atoms."""
    kind = type(value)
    if kind is FunctionType or kind in _ATOMS or kind is str:
        return True
    if kind is staticmethod or kind is classmethod:
        return type(value.__func__) is FunctionType
    if kind is property:
        return all(part is None or type(part) is FunctionType for part in (value.fget, value.fset, value.fdel))
    return False


def _virtual_subclasses(cls: type, attributes: dict[str, Any]) -> list[type]:
    """Return the classes registered with an abstract base class, in a fixed order."""
    if "_abc_impl" not in attributes:
        return []
    return sorted(_registered(cls), key=lambda subclass: (str(subclass.__module__), subclass.__qualname__))


def _virtual_bases(cls: type) -> list[type]:
    """Return the abstract collections and numbers of the standard library that a class was registered with."""
    if type(cls).__eq__ is not type.__eq__:
        return []  # asking would run that method of the user
    ancestors = set(map(id, cls.__mro__))
    found = [base for base in _registrars() if id(base) not in ancestors and issubclass(cls, base)]
    return [base for base in found if any(registered is cls for registered in _registered(base))]


def _registered(base: type) -> list[type]:
    registry = sys.modules["_abc"]._get_dump(base)[0]
    return [subclass for reference in registry if (subclass := reference()) is not None]


def _registrars() -> list[type]:
    import collections.abc

    abstract: list[type] = [getattr(collections.abc, name) for name in _COLLECTIONS]
    numbers = sys.modules.get("numbers")
    return abstract + [getattr(numbers, name) for name in _NUMBERS] if numbers is not None else abstract


# Those that have no `__subclasshook__`: of them one can be a subclass by registration only.
_COLLECTIONS = ("Sequence", "MutableSequence", "Set", "MutableSet", "Mapping", "MutableMapping")
_NUMBERS = ("Number", "Complex", "Real", "Rational", "Integral")


def _member_parts(instance: Any, cls: Any) -> tuple[tuple[Any, ...], dict[str, Any], dict[str, Any]]:
    """Return a member's arguments for its data type's constructor in C, its attributes and its slots."""
    data_type = cls._member_type_
    slots = {name: getattr(instance, name) for name in copyreg._slotnames(cls) if hasattr(instance, name)}  # type: ignore[attr-defined]
    if native(data_type, "__new__") is object.__new__:
        arguments: Any = ()
    elif hasattr(data_type, "__getnewargs__"):
        arguments = data_type.__getnewargs__(instance)
    else:
        reduced = data_type.__reduce__(instance)
        if not isinstance(reduced, tuple) or reduced[0] is not cls:
            raise CannotStoreError(
                f"enum member {cls.__qualname__}.{instance._name_} cannot be stored: "
                f"it is a {data_type.__qualname__}, which has a pickle format of its own"
            )
        arguments = reduced[1]
    return tuple(arguments), dict(vars(instance)), slots


__all__ = ["reduce_by_value", "reduce_enum_member"]
