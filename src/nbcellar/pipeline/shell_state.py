"""What a cell gives to IPython itself: magics, transformers, formatters, functions to be called, how results are shown.

It holds for all cells after it, and no value has it. So it counts as registered (`registered.py`): the cell is run
again for those after it. Invariant: only that counts of which the cell's text speaks, or what is a function of a cell:
libraries give IPython much for themselves. `autoreload` counts for nothing, as each component imports anew what the
user's own modules are. Not for: options of `%config` beyond `ast_node_interactivity`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

_AUTORELOAD = "IPython.extensions.autoreload"


class Part(NamedTuple):
    """name: for people; words: what stands in code that changes it; now: dictionaries and lists, copied."""

    name: str
    words: tuple[str, ...]
    now: tuple[Any, ...]


def parts_of(shell: Any) -> list[Part]:
    """Return what an IPython shell was given until now."""
    magics, manager = shell.magics_manager.magics, shell.input_transformer_manager
    lists = (manager.cleanup_transforms, manager.line_transforms, manager.token_transformers)
    formatters = shell.display_formatter.formatters.values()
    return [
        Part("the magics", ("load_ext", "magic", "alias"), tuple(dict(kind) for kind in magics.values())),
        Part(
            "the transformers",
            ("transform",),
            (list(shell.ast_transformers), list(shell.input_transformers_post), *map(list, lists)),
        ),
        Part(
            "the formatters",
            ("for_type", "formatters"),
            tuple(
                dict(printers)
                for each in formatters
                for printers in (each.type_printers, each.deferred_printers, each.singleton_printers)
            ),
        ),
        Part("the events", ("events",), tuple(list(called) for called in shell.events.callbacks.values())),
        Part("the display of results", ("interactivity",), ([shell.ast_node_interactivity],)),
    ]


def changed(before: Iterable[Part], after: Iterable[Part], source: str) -> Iterator[tuple[str, frozenset[object]]]:
    """Yield the names of the parts that a cell changed, and the keys in them that are new or other."""
    for then, now in zip(before, after, strict=True):
        if then.now == now.now:
            continue
        added = [entry for one, two in zip(then.now, now.now, strict=False) for entry in _added(one, two)]
        added = [(key, value) for key, value in added if _module_of(value) != _AUTORELOAD]
        speaks = any(word in source for word in now.words)
        if any(speaks or _module_of(value) == "__main__" for _, value in added) or (speaks and _is_less(then, now)):
            yield f"{now.name} of IPython", frozenset(key for key, _ in added)


def _added(then: Any, now: Any) -> Iterator[tuple[object, object]]:
    if isinstance(now, Mapping):
        yield from ((key, value) for key, value in now.items() if key not in then or then[key] != value)
    else:
        yield from ((None, value) for value in now if value not in then)


def _is_less(then: Part, now: Part) -> bool:
    return any(len(two) < len(one) for one, two in zip(then.now, now.now, strict=False))


def _module_of(value: object) -> object:
    """Return the module of a function, or of the class of the object that a method belongs to."""
    owner = getattr(value, "__self__", None)
    if owner is not None:
        return type(owner).__module__
    return getattr(value, "__module__", "")


__all__ = ["Part", "changed", "parts_of"]
