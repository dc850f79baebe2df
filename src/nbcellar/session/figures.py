"""pyplot's open figures as variables: `plt.figure(1)` is a name for what pyplot calls figure 1.

`plt.plot` draws into a figure that no variable may hold, and one that a variable holds is the very figure that pyplot
has under its number. As names beside the notebook's own, open figures are recorded, grouped by what they share, undone
and brought back like everything else; their order, of which the last is the current one, is ambient state
(`surroundings/libraries.py`). Invariant: pyplot is never imported to ask, and nothing is opened or closed but by a
swap. Not for: figures that pyplot does not hold, as after the inline backend has shown them.
"""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

_BEFORE, _AFTER = "plt.figure(", ")"
_SELECTS = re.compile(r"\b(figure|sca|Gcf)\b")


def open_figures() -> dict[str, object]:
    """Return the figures that pyplot holds, by name, in the order of their last use."""
    figures = _figures()
    if not figures:
        return {}
    return {_name(number): manager.canvas.figure for number, manager in list(figures.items()) if _is_number(number)}


def with_figures(variables: dict[str, object]) -> dict[str, object]:
    """Return the variables and the open figures beside them."""
    opened = open_figures()
    return variables | opened if opened else variables


def drawn_since(before: tuple[str, ...], source: str) -> set[str]:
    """Return the figures that pyplot may have drawn into since it held `before`, by the cell with this source.

    It draws into the current one only, and one that is made current moves to the end; a cell may make another one
    current in between. A function that does so and goes back is not seen here, but when the kernel idles.
    """
    if not before:
        return set()  # what is new is looked at anyway
    if _SELECTS.search(source):
        return set(before)
    now = tuple(open_figures())
    same = next((i for i, (a, b) in enumerate(zip(before, now, strict=False)) if a != b), min(len(before), len(now)))
    return {before[-1], *now[same:], *now[-1:]}


def is_figure(name: str) -> bool:
    """True for the name of a figure of pyplot; no variable has such a name."""
    return name.startswith(_BEFORE) and name.endswith(_AFTER)


def without_figures(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return those that are bound in the notebook."""
    return {name: obj for name, obj in variables.items() if not is_figure(name)}


def managed(variables: Mapping[str, Any]) -> dict[int, Any]:
    """Return pyplot's managers for the figures among `variables`, made anew, by number; pyplot knows none of them yet.

    Loads pyplot if there are any. May raise whatever a backend raises.
    """
    wanted = {_number(name): figure for name, figure in variables.items() if is_figure(name)}
    if not wanted:
        return {}
    backend = importlib.import_module("matplotlib.pyplot")._get_backend_mod()
    holder = importlib.import_module("matplotlib._pylab_helpers").Gcf
    before = dict(holder.figs)
    made = {}
    try:
        for number, figure in wanted.items():
            manager = made[number] = backend.new_figure_manager_given_figure(number, figure)
            holder._set_new_active_manager(manager)  # connects it; what it is the active one of is put back below
    finally:
        put(before)
    return made


def held() -> dict[Any, Any]:
    """Return what pyplot holds, for `put`."""
    return dict(_figures() or {})


def put(managers: Mapping[Any, Any]) -> None:
    """Let pyplot hold these and no others, in this order."""
    figures = _figures()
    if figures is not None and list(figures.items()) != list(managers.items()):
        figures.clear()
        figures.update(managers)


def swap(removed: Iterable[str], added: Mapping[int, Any]) -> list[Any]:
    """Take figures out of pyplot and put managers in; return the managers that are out, for `close`."""
    figures = _figures()
    if figures is None:
        return []
    numbers = [_number(name) for name in removed if is_figure(name)]
    out = [figures[number] for number in (*numbers, *added) if number in figures]
    for number in numbers:
        figures.pop(number, None)
    figures.update(added)
    return out


def close(managers: Iterable[Any]) -> None:
    """Close the windows of figures that pyplot no longer holds."""
    kept = {id(manager) for manager in held().values()}
    for manager in managers:
        if id(manager) not in kept:
            with contextlib.suppress(Exception):  # a window that is gone already
                manager.destroy()


def _figures() -> Any:
    holder = getattr(sys.modules.get("matplotlib._pylab_helpers"), "Gcf", None)
    return None if holder is None else holder.figs


def _is_number(number: object) -> bool:
    return type(number) is int or (hasattr(number, "__index__") and not isinstance(number, bool))


def _name(number: Any) -> str:
    return f"{_BEFORE}{int(number)}{_AFTER}"


def _number(name: str) -> int:
    return int(name[len(_BEFORE) : -len(_AFTER)])


__all__ = [
    "close",
    "drawn_since",
    "held",
    "is_figure",
    "managed",
    "open_figures",
    "put",
    "swap",
    "with_figures",
    "without_figures",
]
