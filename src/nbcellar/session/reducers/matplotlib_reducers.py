"""matplotlib: what its own pickling changes, what it writes by address, and what drawing fills in.

Plain pickle draws a number from a counter of each registry of callbacks, so that no two pickles of a figure agree; it
writes the parents of a transform by their ids, those of temporaries included; and a figure that was drawn holds
caches that one which was not lacks. Invariant: a figure that was drawn again is the same value. Not for: pyplot's list
of figures (`figures.py`). The loading side is `plots.py`.
"""

from __future__ import annotations

import copy
import copyreg
import sys
from typing import Any

from nbcellar.session import plots
from nbcellar.session.encode import PROTOCOL, Encoder
from nbcellar.session.reducers.registry import Reducer, register, register_base


def _reduce_callbacks(registry: Any, encoder: Encoder) -> Any:
    """Reduce a registry of callbacks as it does itself, but without drawing a number."""
    next_number = int(repr(registry._cid_gen).removeprefix("count(").removesuffix(")").split(",")[0])
    kept = {
        signal: {cid: proxy() for cid, proxy in known.items() if cid in registry._pickled_cids}
        for signal, known in registry.callbacks.items()
        if any(cid in registry._pickled_cids for cid in known)
    }
    state = {**vars(registry), "callbacks": kept, "_func_cid_map": None, "_cid_gen": next_number}
    # Sorted: loading one puts some of its attributes last.
    return copyreg.__newobj__, (type(registry),), dict(sorted(state.items()))  # type: ignore[attr-defined]


def _choose_transform(kind: type) -> Reducer | None:
    own = next(base for base in kind.__mro__ if "__getstate__" in vars(base))
    return _reduce_transform if own.__module__ == "matplotlib.transforms" else None


def _reduce_transform(node: Any, encoder: Encoder) -> Any:
    """Reduce a transform without its parents, which tell their children when they are loaded, and without results."""
    state = {name: value for name, value in vars(node).items() if name != "_parents"}
    state |= {name: None for name in plots.results_of(type(node)) if name in state}
    if "_invalid" in state:
        state["_invalid"] = type(node)._INVALID_FULL
    return copyreg.__newobj__, (type(node),), state, None, None, plots.set_transform  # type: ignore[attr-defined]


def _leaves_it_to_python(kind: type) -> bool:
    return not any({"__reduce__", "__reduce_ex__"} & vars(base).keys() for base in kind.__mro__[:-1])


def _choose_artist(kind: type) -> Reducer | None:
    return _reduce_artist if _leaves_it_to_python(kind) else None


def _reduce_artist(artist: Any, encoder: Encoder) -> Any:
    """Reduce a part of a figure as one that has to be drawn."""
    _pass_over_common(encoder)
    reduced = artist.__reduce_ex__(PROTOCOL)
    if len(reduced) > 2 and type(reduced[2]) is dict and "_stale" in reduced[2]:
        reduced[2]["_stale"] = True
    return _with_links(artist, reduced)


def _with_links(owner: Any, reduced: Any) -> Any:
    """Add what plain pickle drops: that colours follow their norm, and a colour bar its picture."""
    links = plots.links_of(owner) if len(reduced) > 2 and type(reduced[2]) is dict else ()
    if not links:
        return reduced
    items = (*reduced[3:5], None, None)[:2]
    return (*reduced[:2], (reduced[2], links), *items, plots.set_linked)


def _choose_colorizer(kind: type) -> Reducer | None:
    return _reduce_colorizer if _leaves_it_to_python(kind) else None


def _reduce_colorizer(colorizer: Any, encoder: Encoder) -> Any:
    """Reduce what gives an artist its colours, or a mapping without an artist."""
    return _with_links(colorizer, colorizer.__reduce_ex__(PROTOCOL))


def _pass_over_common(encoder: Encoder) -> None:
    """Say that what matplotlib gives to every figure joins none: paths of markers, lists of options, converters."""
    markers, options = sys.modules.get("matplotlib.markers"), sys.modules["matplotlib"].rcParams
    empty = id(getattr(markers, "_empty_path", None))
    if markers is None or empty in encoder.not_shared:
        return
    lists = [value for value in dict.values(options) if type(value) is list]
    paths = [value for value in vars(markers.MarkerStyle).values() if type(value).__name__ == "Path"]
    converters = [value for value in sys.modules["matplotlib.units"].registry.values() if hasattr(value, "__dict__")]
    encoder.not_shared.update(map(id, (*lists, *converters, *map(vars, converters))))
    for path in (*paths, markers._empty_path):
        arrays = [value for value in vars(path).values() if type(value).__name__ == "ndarray"]
        encoder.not_shared.update(map(id, (path, vars(path), *arrays)))
        encoder.copy_on_write.update(map(id, arrays))


def _reduce_date_formatter(formatter: Any, encoder: Encoder) -> Any:
    """Reduce a formatter of dates without the one that it made for the last date."""
    reduced = formatter.__reduce_ex__(PROTOCOL)
    inner: Any = reduced[2].get("_formatter") if type(reduced[2]) is dict else None
    if type(inner).__name__ != "DateFormatter" or inner.fmt == formatter.defaultfmt:
        return reduced
    inner = type(inner)(formatter.defaultfmt, formatter._tz, usetex=formatter._usetex)
    encoder.keep(inner)
    return (*reduced[:2], {**reduced[2], "_formatter": inner}, *reduced[3:])


def _choose_figure(kind: type) -> Reducer | None:
    return _reduce_figure if _leaves_it_to_python(kind) else None


def _reduce_figure(figure: Any, encoder: Encoder) -> Any:
    """Reduce a figure as one that has to be drawn, and note if it was never drawn."""
    reduced = _reduce_artist(figure, encoder)
    if len(reduced) < 3 or type(reduced[2]) is not dict:
        return reduced
    # The figure's own loader would open a new number in pyplot; `figures.py` keeps the one it has.
    reduced[2].pop("_restore_to_pylab", None)
    # matplotlib goes back to the resolution that the figure was made with, whatever was set since.
    ratio = getattr(figure.canvas, "device_pixel_ratio", 1)
    reduced[2]["_dpi"] = figure._dpi if ratio == 1 else figure._dpi / ratio
    if "_original_dpi" in reduced[2]:
        reduced[2]["_original_dpi"] = reduced[2]["_dpi"]
    encoder.content.append(plots.content_of(figure))
    if not _was_drawn(figure):
        encoder.first_use = plots.FIRST_DRAWING
    return (*reduced[:3], None, None, plots.set_figure)


def _was_drawn(figure: Any) -> bool:
    """True if limits and ticks are there, which the first drawing computes."""
    axes = figure.axes
    if any(any(vars(ax).get("_stale_viewlims", {}).values()) for ax in axes):
        return False
    shown = [ax for ax in axes if ax.get_visible() and (ax.axison or getattr(ax, "_axis3don", False))]
    axises = [axis for ax in shown for axis in getattr(ax, "_axis_map", {}).values() if axis.get_visible()]
    return not any(axis.stale for axis in axises) if axes else not figure.stale


def _choose_colormap(kind: type) -> Reducer | None:
    return _reduce_colormap if _leaves_it_to_python(kind) else None


def _reduce_colormap(colormap: Any, encoder: Encoder) -> Any:
    """Reduce a map of colours without the table that is made of it at its first use."""
    _pass_over_registered(colormap, encoder)
    reduced = colormap.__reduce_ex__(PROTOCOL)
    if len(reduced) < 3 or type(reduced[2]) is not dict or not _has_table_of_its_own_making(colormap):
        return reduced
    state = {name: value for name, value in reduced[2].items() if name != "_lut"}
    return (*reduced[:2], state | {"_isinit": False}, *reduced[3:])


def _has_table_of_its_own_making(colormap: Any) -> bool:
    """True if the table is what the map would make anew: `with_alpha` and users write to it."""
    if type(colormap).__module__ != "matplotlib.colors" or not colormap._isinit:
        return False
    anew = copy.copy(colormap)
    anew._init()
    return bool(anew._lut.shape == colormap._lut.shape and (anew._lut == colormap._lut).all())


def _pass_over_registered(colormap: Any, encoder: Encoder) -> None:
    """Say that the colours of a registered map, which all its copies hold, join no two figures."""
    registered: Any = sys.modules["matplotlib"].colormaps._cmaps.get(colormap.name)
    for name in ("colors", "_segmentdata"):
        held: Any = getattr(registered, name, None)
        if held is not None and vars(colormap).get(name) is held:
            parts = list(held.values()) if isinstance(held, dict) else held
            encoder.not_shared.update(map(id, (held, *(part for part in parts if type(part) is list))))


register("matplotlib.cbook.CallbackRegistry", _reduce_callbacks)
register("matplotlib.dates.AutoDateFormatter", _reduce_date_formatter)
register_base("matplotlib.transforms.TransformNode", _choose_transform)
register_base("matplotlib.figure.Figure", _choose_figure)
register_base("matplotlib.artist.Artist", _choose_artist)
register_base("matplotlib.colors.Colormap", _choose_colormap)
register_base("matplotlib.colorizer.Colorizer", _choose_colorizer)
register_base("matplotlib.cm.ScalarMappable", _choose_colorizer)  # since 3.10 an alias of the next
register_base("matplotlib.colorizer._ScalarMappable", _choose_colorizer)
