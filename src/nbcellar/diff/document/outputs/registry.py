"""Which comparison is for which MIME type, and the ways in: a MIME bundle, or one of its values.

Values are what a notebook holds in memory: text in one piece, base64, JSON for JSON types. An error output comes as the
type `ERROR`, its value is a dict of `ename`, `evalue` and `traceback`.

Invariant: what is equal gives nothing, all else a result. A comparison is loaded when a value of its type changed;
entry points of other distributions are looked for only where the full name of a type is not known here, or settings
ask for it.
To add a type: write a function `compare(mime, before, after, settings)` beside this file and enter it in `_KNOWN`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from nbcellar.diff.document.equality import same_json
from nbcellar.diff.document.noise import WIDGET_VIEW
from nbcellar.diff.document.outputs import noise
from nbcellar.diff.document.outputs.model import MimeChange, OutputSettings

Comparer = Callable[[str, Any, Any, OutputSettings], MimeChange | None]

_TEXT, _HTML, _JSON = "text:compare_text", "html:compare_html", "structure:compare_structure"
_IMAGE, _BYTES, _UNKNOWN = "images:compare_image", "opaque:compare_bytes", "opaque:compare_unknown"
ERROR = "application/vnd.cellar.error"

# By full name, the richest first: the order in which representations of one output are compared.
_KNOWN: dict[str, str] = {
    ERROR: "tracebacks:compare_error",
    WIDGET_VIEW: _JSON,
    "application/vnd.plotly.v1+json": _JSON,
    **{f"application/vnd.vegalite.v{n}+json": _JSON for n in range(6, 0, -1)},
    **{f"application/vnd.vega.v{n}+json": _JSON for n in range(6, 1, -1)},
    "application/vnd.bokehjs_exec.v0+json": _JSON,
    "application/vnd.dataresource+json": _JSON,
    "application/geo+json": _JSON,
    "text/html": _HTML,
    "application/vnd.bokehjs_load.v0+json": _JSON,
    "application/vnd.holoviews_exec.v0+json": _JSON,
    "application/vnd.holoviews_load.v0+json": _JSON,
    "image/svg+xml": _TEXT,
    "image/png": _IMAGE,
    "image/jpeg": _IMAGE,
    "image/jpg": _IMAGE,
    "image/webp": _IMAGE,
    "image/gif": _IMAGE,
    "image/bmp": _IMAGE,
    "application/pdf": _BYTES,
    "text/markdown": _TEXT,
    "text/latex": _TEXT,
    "application/json": _JSON,
    "application/javascript": _TEXT,
    "text/javascript": _TEXT,
    "application/vnd.google.colaboratory.intrinsic+json": _JSON,
    "text/plain": _TEXT,
}
_RANKS = {mime: rank for rank, mime in enumerate(_KNOWN)}
_OF_OTHERS = _RANKS["application/geo+json"] + 0.5  # types nobody here knows: a library made them for good reason


def compare_bundle(
    before: Mapping[str, Any], after: Mapping[str, Any], settings: OutputSettings | None = None
) -> tuple[MimeChange, ...]:
    """Return what changed between two MIME bundles.

    Types that both have come first, the richest at the front: each is compared until one differs in more than noise,
    what is left of them is `secondary`. Types that came or went follow.
    """
    settings = settings or OutputSettings()
    found: list[MimeChange] = []
    told = ""
    for mime in sorted((mime for mime in after if mime in before), key=_rank):
        if same_json(before[mime], after[mime]):
            continue
        if told:
            found.append(MimeChange(mime=mime, note=f"differs, as {told} does", secondary=True))
            continue
        found.append(compare_mime(mime, before[mime], after[mime], settings))
        told = "" if found[-1].only_noise else mime
    found += [
        _alone(mime, after[mime], settings, is_new=True) for mime in sorted(after, key=_rank) if mime not in before
    ]
    found += [
        _alone(mime, before[mime], settings, is_new=False) for mime in sorted(before, key=_rank) if mime not in after
    ]
    return tuple(found)


def compare_mime(mime: str, before: Any, after: Any, settings: OutputSettings | None = None) -> MimeChange:
    """Return what changed between two values of one MIME type that differ."""
    settings = settings or OutputSettings()
    old, new = _joined(mime, before), _joined(mime, after)
    note = ""
    if settings.plugins and (mime not in _KNOWN or mime in settings.ask_plugins):
        from nbcellar.diff.document.outputs import plugins

        point = plugins.find_comparer(mime)
        if point is not None:
            found, note = plugins.ask(point, mime, old, new, settings)
            if found is not None:
                return found
    change = _comparer(mime)(mime, old, new, settings)
    if change is None:  # the same to look at, though the JSON differs
        change = MimeChange(mime=mime, note=noise.only([noise.FORM]), only_noise=True, noise=[noise.FORM])
    return msgspec.structs.replace(change, note=f"{change.note}; {note}") if note else change


def _alone(mime: str, value: Any, settings: OutputSettings, *, is_new: bool) -> MimeChange:
    """Return a value that came or went: a text by its lines, a picture as it is, all else by its size."""
    value = _joined(mime, value)
    module = _name_of_comparer(mime).partition(":")[0]
    if module == "images":
        from nbcellar.diff.document.outputs.images import image_alone

        picture = image_alone(mime, value, settings, is_new=is_new)
        if picture is not None:
            return picture
    elif module == "tracebacks":
        from nbcellar.diff.document.outputs.tracebacks import error_alone

        return error_alone(value, is_new=is_new)
    elif module in ("text", "html") and isinstance(value, str):
        from nbcellar.diff.document.outputs.text import text_alone

        return text_alone(mime, value, is_new=is_new)
    from nbcellar.diff.document.outputs.opaque import alone

    return alone(mime, value, is_new=is_new)


def _comparer(mime: str) -> Comparer:
    module, _, name = _name_of_comparer(mime).partition(":")
    found: Comparer = getattr(importlib.import_module(f"nbcellar.diff.document.outputs.{module}"), name)
    return found


def _name_of_comparer(mime: str) -> str:
    known = _KNOWN.get(mime)
    if known is None:
        bare = mime.partition(";")[0].strip().lower()
        known = _KNOWN.get(bare) or _by_form(bare)
    return known


def _by_form(mime: str) -> str:
    if mime.endswith("+json"):
        return _JSON
    if mime.startswith("text/") or mime.endswith("+xml"):
        return _TEXT
    if mime.startswith(("image/", "audio/", "video/", "font/")):
        return _BYTES
    return _UNKNOWN


def _joined(mime: str, value: Any) -> Any:
    """Return a text that the file has as a list of lines in one piece."""
    if isinstance(value, list) and not _is_json(mime) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return value


def _is_json(mime: str) -> bool:
    return mime == "application/json" or mime.endswith("+json")


def _rank(mime: str) -> tuple[float, str]:
    return _RANKS.get(mime, _OF_OTHERS), mime


__all__ = ["Comparer", "ERROR", "compare_bundle", "compare_mime"]
