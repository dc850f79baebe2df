"""What a checkout has to do: which co-variables stay, which are loaded, which go. Pure.

Invariant: a co-variable is kept only if its live version is the wanted one *and* every definition it needs is kept, so
that `type(o) is A` holds after the checkout exactly if it held then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass

import msgspec

from nbcellar.errors import NotFoundError
from nbcellar.history.model import Covariable


@dataclass(frozen=True, slots=True)
class Live:
    """What the plan needs to know of a live co-variable."""

    names: tuple[str, ...]
    version: bytes  # of what cannot be stored: 8 bytes that stand for the object, 8 for how often it was touched
    defines: tuple[str, ...]
    unstorable: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """keep and load are co-variables of the target; `missing` maps a name to why it cannot be restored.

    doubtful: kept though they cannot be stored and were used since: the object is the same, its state may not be.
    remove: live names that the target does not have, or has only as missing and bound to another object.
    """

    keep: tuple[Covariable, ...]
    load: tuple[Covariable, ...]
    definitions: Mapping[str, Covariable]  # uid -> the target's co-variable that defines it
    kept_uids: frozenset[str]
    missing: Mapping[str, str]
    doubtful: Mapping[str, str]
    remove: tuple[str, ...]


def leave_out(target: Iterable[Covariable], names: Collection[str]) -> tuple[Covariable, ...]:
    """Return the co-variables with those that hold one of `names` as not to be had, so that the rest can come back.

    What is live and already as wanted stays all the same. Raises NotFoundError for a name that is not there.
    """
    target = tuple(target)
    there = {name for entry in target for name in entry.names}
    unknown = sorted(set(names) - there)
    if unknown:
        listed = ", ".join(sorted(there)[:_LISTED]) + (", ..." if len(there) > _LISTED else "")
        raise NotFoundError(
            f"there is no variable {', '.join(map(repr, unknown))} to leave out", hint=f"that state has: {listed}"
        )
    return tuple(entry if set(entry.names).isdisjoint(names) else _without_value(entry, names) for entry in target)


def _without_value(entry: Covariable, names: Collection[str]) -> Covariable:
    asked = ", ".join(name for name in entry.names if name in names)
    whole = set(entry.names) <= set(names)
    reason = "left out, as asked" if whole else f"left out, as asked for {asked}: they share state"
    return msgspec.structs.replace(entry, value=None, reason=reason)


_LISTED = 12


Key = tuple[tuple[str, ...], tuple[str, ...]]
"""Which co-variable of a state: its names and what it defines."""


def plan_checkout(live: Iterable[Live], target: Iterable[Covariable], given: Set[Key] = frozenset()) -> Plan:
    """Return what turns the live session into the target state.

    given: co-variables of the target whose objects are at hand, because cells were run again: these are loaded,
    whatever is live and whether or not they are stored.
    """
    target = tuple(target)
    all_live = tuple(live)
    live = tuple(group for group in all_live if (group.names, group.defines) not in given)
    same_object = {(group.names, group.defines): group.version[:8] for group in live if group.unstorable}
    present = {(group.names, group.defines): group.version for group in live}
    live_names = {name for group in all_live for name in group.names}
    definitions = {uid: entry for entry in target for uid in entry.defines}
    kept = {key_of(entry) for entry in target if present.get(key_of(entry)) == entry.version}
    # What cannot be stored but is still the very object: a class among them serves the instances that need it.
    standing = {key_of(e) for e in target if e.value is None and same_object.get(key_of(e)) == e.version[:8]}
    changed = True
    while changed:  # a definition that is rebuilt takes along whatever needs it
        changed = False
        for entry in target:
            if key_of(entry) in kept and any(
                key_of(definitions[uid]) not in kept | standing for uid in entry.needs if uid in definitions
            ):
                kept.discard(key_of(entry))
                changed = True
    keep = tuple(entry for entry in target if key_of(entry) in kept)
    load: list[Covariable] = []
    missing: dict[str, str] = {}
    doubtful: dict[str, str] = {}
    for entry in target:
        if key_of(entry) in kept:
            continue
        lacking = _unstorable(entry, definitions, kept | standing | given) if key_of(entry) not in given else ""
        if key_of(entry) in standing:
            doubtful.update(dict.fromkeys(entry.names, f"kept as it is now, it was used since: {lacking}"))
        elif lacking:
            missing.update(dict.fromkeys(entry.names, lacking))
        elif entry.names:
            load.append(entry)  # hidden definitions are loaded when a value asks for them
    wanted = {name for entry in (*keep, *load) for name in entry.names} | doubtful.keys()
    return Plan(
        keep=keep,
        load=tuple(load),
        definitions=definitions,
        kept_uids=frozenset(uid for entry in target if key_of(entry) in kept | standing for uid in entry.defines),
        missing=missing,
        doubtful=doubtful,
        remove=tuple(sorted(live_names - wanted)),
    )


def key_of(entry: Covariable) -> Key:
    """Return which co-variable of a state an entry is."""
    return entry.names, entry.defines


def _unstorable(
    entry: Covariable,
    definitions: Mapping[str, Covariable],
    kept: Set[Key],
) -> str:
    """Return why the entry cannot be loaded, or an empty string."""
    if entry.value is None:
        return entry.reason or "it was not recorded"
    queue, seen = list(entry.needs), set()
    while queue:
        uid = queue.pop()
        if uid in seen:
            continue
        seen.add(uid)
        definition = definitions.get(uid)
        if definition is None:
            return f"its class {uid} was not recorded"
        if key_of(definition) in kept:
            continue
        if definition.value is None:
            return f"its class {uid} was not recorded: {definition.reason}"
        queue.extend(definition.needs)
    return ""
