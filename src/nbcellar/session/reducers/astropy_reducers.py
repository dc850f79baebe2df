"""astropy: what tables forget of themselves, and what headers, coordinates and clippers note while they are used.

Invariant: a part that can be computed again from what is stored is left out; a card that was read from a file keeps its
text, of which all else is computed. The loading side is `library_objects.py`.
"""

from __future__ import annotations

import copyreg
import sys
from typing import Any

from nbcellar.session import library_objects
from nbcellar.session.encode import PROTOCOL, Encoder
from nbcellar.session.reducers.registry import Reducer, register, register_base


def _choose_table(kind: type) -> Reducer | None:
    own = next((base for base in kind.__mro__ if "__getstate__" in vars(base)), kind)
    return _reduce_table if own.__module__ == "astropy.table.table" else None


def _reduce_table(table: Any, encoder: Encoder) -> Any:
    """Reduce a table with its groups and indexes, which its own pickling leaves out."""
    groups = vars(table).get("_groups")
    grouped = groups is not None and groups._indices is not None
    known = {"columns", "primary_key", "formatter"}
    extra = {
        "masked": table.masked,
        "primary_key": table.primary_key,
        "indices": [(tuple(index.id), type(index.data), index.data.unique) for index in table.indices],
        "groups": (groups._indices, groups._keys) if grouped else None,
        "attributes": {name: value for name, value in vars(table).items() if _is_users(table, name, known)},
    }
    state = table.__getstate__(), extra
    return copyreg.__newobj__, (type(table),), state, None, None, library_objects.set_table  # type: ignore[attr-defined]


def _is_users(table: Any, name: str, known: set[str]) -> bool:
    return not name.startswith("_") and name not in known and not hasattr(type(table), name)


def _reduce_card(card: Any, encoder: Encoder) -> Any:
    """Reduce a card of a header without the text that was made of its parts, if it was."""
    reduced = card.__reduce_ex__(PROTOCOL)
    state = dict(reduced[2])
    if state.get("_image") is not None and _made_of_its_parts(state) == state["_image"]:
        state["_image"] = None
        state["_comment"] = state["_comment"] or None  # it is "" once it was asked for
    return (*reduced[:2], state, *reduced[3:])


def _made_of_its_parts(state: dict[str, Any]) -> str | None:
    if any(state.get(name) is None for name in ("_keyword", "_value", "_comment")):
        return None  # not parsed yet: the text is all there is
    card = sys.modules["astropy.io.fits.card"].Card(state["_keyword"], state["_value"], state["_comment"])
    return str(card.image)


def _choose_hdu(kind: type) -> Reducer | None:
    return _reduce_hdu


def _reduce_hdu(hdu: Any, encoder: Encoder) -> Any:
    """Reduce a part of a file without where it was last written to, if it does not read from there."""
    reduced = hdu.__reduce_ex__(PROTOCOL)
    if len(reduced) > 2 and type(reduced[2]) is dict and reduced[2].get("_file") is None:
        state = reduced[2] | {name: None for name in _OFFSETS if name in reduced[2]}
        return (*reduced[:2], state, *reduced[3:])
    return reduced


_OFFSETS = ("_header_offset", "_data_offset", "_data_size")


def _choose_frame(kind: type) -> Reducer | None:
    return _reduce_frame


def _reduce_frame(frame: Any, encoder: Encoder) -> Any:
    """Reduce coordinates without other representations of theirs that were computed."""
    reduced = frame.__reduce_ex__(PROTOCOL)
    if len(reduced) < 3 or type(reduced[2]) is not dict or "cache" not in reduced[2]:
        return reduced
    kept = {key: value for key, value in reduced[2]["cache"].items() if key != "representation"}
    state = {name: value for name, value in reduced[2].items() if name != "cache"}
    if kept:  # a user's own
        state["cache"] = reduced[2]["cache"]
    return (*reduced[:2], state, *reduced[3:])


_CLIPPED = {"_min_value": float("nan"), "_max_value": float("nan"), "_niterations": 0}


def _reduce_clip(clip: Any, encoder: Encoder) -> Any:
    """Reduce a clipper without what the last clipping found."""
    reduced = clip.__reduce_ex__(PROTOCOL)
    state = {name: _CLIPPED.get(name, value) for name, value in reduced[2].items()}
    return (*reduced[:2], state, *reduced[3:])


register("astropy.io.fits.card.Card", _reduce_card)
register("astropy.stats.sigma_clipping.SigmaClip", _reduce_clip)
register_base("astropy.table.table.Table", _choose_table)
register_base("astropy.io.fits.hdu.base._BaseHDU", _choose_hdu)
register_base("astropy.coordinates.baseframe.BaseCoordinateFrame", _choose_frame)
