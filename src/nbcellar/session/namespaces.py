"""The live namespace while a state is built in it, and as it was before a swap.

Invariant: what was lent or swapped can be put back exactly: the same objects under the same names, in the same order.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nbcellar.session import figures
from nbcellar.session.groups import Group
from nbcellar.session.signals import signals_held
from nbcellar.session.threads import user_threads
from nbcellar.session.tracker import Tracker


@contextlib.contextmanager
def entered(live: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the namespace that is being built, and take back afterwards what was bound in it.

    It is the live one, because the functions that are rebuilt have it as their globals: what they run while objects are
    made (`__setstate__`, `__hash__`) must see the state that is being built. With threads of the user's running, who
    would see it half built, it is a copy.
    """
    if user_threads():
        yield dict(live)
        return
    before = dict(live)
    try:
        yield live
    finally:
        with signals_held():
            if list(live) != list(before):
                live.clear()
                live.update(before)
            for name, obj in before.items():
                if live[name] is not obj:
                    live[name] = obj


def let_go(names: Iterable[str], namespace: dict[str, Any], initial: Mapping[str, object]) -> None:
    """Take names out of a namespace; those that the kernel began with go back to what they were."""
    for name in names:
        if figures.is_figure(name):
            continue
        if name in initial:
            namespace[name] = initial[name]
        else:
            namespace.pop(name, None)


@dataclass(frozen=True, slots=True)
class Before:
    """A namespace and what was tracked of it, before a swap."""

    touched: frozenset[str]  # names that the swap binds or takes away
    names: dict[str, Any]
    by_name: dict[str, Group]
    by_uid: dict[str, Group]
    figures: dict[Any, Any]  # what pyplot held

    @classmethod
    def of(cls, tracker: Tracker, touched: Iterable[str]) -> Before:
        by_name, by_uid = dict(tracker.by_name), dict(tracker.by_uid)
        return cls(frozenset(touched), dict(tracker.namespace), by_name, by_uid, figures.held())

    def put_back(self, tracker: Tracker) -> None:
        namespace = tracker.namespace
        figures.put(self.figures)
        for name in self.touched - self.names.keys():
            namespace.pop(name, None)
        changed = {
            n: self.names[n] for n in self.touched & self.names.keys() if namespace.get(n, self) is not self.names[n]
        }
        if changed.keys() <= namespace.keys() or user_threads():
            namespace.update(changed)
        else:  # in the order in which they were
            added = {name: obj for name, obj in namespace.items() if name not in self.names}
            there = {name: namespace[name] for name in self.names if name in namespace}
            namespace.clear()
            namespace.update(
                {name: changed.get(name, there.get(name)) for name in self.names if name in changed or name in there}
            )
            namespace.update(added)
        for live, before in ((tracker.by_name, self.by_name), (tracker.by_uid, self.by_uid)):
            live.clear()
            live.update(before)
