"""PIL's fonts that were read from memory, OpenCV's points: values that their libraries cannot pickle.

Not for: what holds a file or a device open. The loading side is `library_objects.py`.
"""

from __future__ import annotations

from typing import Any

from nbcellar.errors import CannotStoreError
from nbcellar.session import library_objects
from nbcellar.session.encode import PROTOCOL, Encoder
from nbcellar.session.reducers.registry import register


def _reduce_font(font: Any, encoder: Encoder) -> Any:
    """Reduce a font to its path, or to its contents if it was not read from a path."""
    if _is_variable(font):
        # `set_variation_by_axes` changes it, and nothing tells what it was set to.
        raise CannotStoreError("a variable font does not tell which of its variations it shows")
    contents = vars(font).get("font_bytes")
    if contents is None:
        return font.__reduce_ex__(PROTOCOL)
    return library_objects.make_font, (contents, font.size, font.index, font.encoding, font.layout_engine)


def _is_variable(font: Any) -> bool:
    try:
        return bool(font.get_variation_axes())
    except (OSError, NotImplementedError):
        return False


def _reduce_key_point(point: Any, encoder: Encoder) -> Any:
    fields = (*point.pt, point.size, point.angle, point.response, point.octave, point.class_id)
    return library_objects.make_key_point, fields


def _reduce_match(match: Any, encoder: Encoder) -> Any:
    return library_objects.make_match, (match.queryIdx, match.trainIdx, match.imgIdx, match.distance)


register("PIL.ImageFont.FreeTypeFont", _reduce_font)
register("cv2.KeyPoint", _reduce_key_point)
register("cv2.DMatch", _reduce_match)
