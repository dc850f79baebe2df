"""Which comparison is for which MIME type, and the ways in: a value, a MIME bundle, an output.

Invariant: what is equal gives None, all else a result. A comparison is loaded when its type is met; entry points of
other distributions are looked for only where the full name of a type is not known here, or settings ask for it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import msgspec

from nbcellar.diff.document.equality import same_json
from nbcellar.diff.document.outputs import noise
from nbcellar.diff.document.outputs.model import BundleChange, OutputChange, OutputSettings

Comparer = Callable[[str, Any, Any, OutputSettings], OutputChange | None]

_TEXT, _HTML, _JSON = "text:compare_text", "html:compare_html", "structure:compare_structure"
_IMAGE, _BYTES, _UNKNOWN = "images:compare_image", "opaque:compare_bytes", "opaque:compare_unknown"
_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

# By full name, the richest first: the order in which representations of one output are compared.
_KNOWN: dict[str, str] = {
    _WIDGET_VIEW: _JSON,
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
_TYPES = {"stream", "display_data", "execute_result", "error"}


def compare_value(mime: str, before: Any, after: Any, settings: OutputSettings | None = None) -> OutputChange | None:
    """Return what differs between two values of one MIME type, None if nothing does.

    The values are what a notebook holds: text (also as a list of lines), base64, or JSON for JSON types.
    """
    if before is after or same_json(before, after):
        return None
    settings = settings or OutputSettings()
    old, new = _joined(mime, before), _joined(mime, after)
    if same_json(old, new):
        return OutputChange(mime=mime, summary=noise.only([noise.FORM]), only_noise=True, noise=[noise.FORM])
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
        change = OutputChange(mime=mime, summary=noise.only([noise.FORM]), only_noise=True, noise=[noise.FORM])
    return msgspec.structs.replace(change, notes=[*change.notes, note]) if note else change


def _comparer(mime: str) -> Comparer:
    known = _KNOWN.get(mime)
    if known is None:
        bare = mime.partition(";")[0].strip().lower()
        known = _KNOWN.get(bare) or _by_form(bare)
    module, _, name = known.partition(":")
    found: Comparer = getattr(importlib.import_module(f"nbcellar.diff.document.outputs.{module}"), name)
    return found


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


def compare_bundle(before: Any, after: Any, settings: OutputSettings | None = None) -> BundleChange | None:
    """Return what differs between two MIME bundles, by the richest representation that both have; None if nothing does."""
    if same_json(before, after):
        return None
    settings = settings or OutputSettings()
    if not isinstance(before, dict) or not isinstance(after, dict):
        change = compare_value("application/json", before, after, settings)
        return _bundle([change] if change is not None else [], [], [], [])
    both = sorted((mime for mime in after if mime in before), key=_rank)
    changes: list[OutputChange] = []
    also: list[str] = []
    for mime in both:
        if changes and not changes[-1].only_noise:
            if not same_json(before[mime], after[mime]):
                also.append(mime)
            continue
        change = compare_value(mime, before[mime], after[mime], settings)
        if change is not None:
            changes.append(change)
    # What is told first is the richest that differs in more than noise.
    changes.sort(key=lambda change: change.only_noise)
    added = sorted((mime for mime in after if mime not in before), key=_rank)
    removed = sorted((mime for mime in before if mime not in after), key=_rank)
    return _bundle(changes, added, removed, also)


def _rank(mime: str) -> tuple[float, str]:
    return _RANKS.get(mime, _OF_OTHERS), mime


def _bundle(changes: list[OutputChange], added: list[str], removed: list[str], also: list[str]) -> BundleChange | None:
    noises = list(dict.fromkeys(name for change in changes for name in change.noise))
    real = [change for change in changes if not change.only_noise]
    told = [change.summary for change in real[:1]] or ([noise.only(noises)] if changes else [])
    told += [f"{', '.join(types)} {word}" for types, word in ((added, "added"), (removed, "removed")) if types]
    if added or removed:
        told = [text for text in told if not text.startswith("only ")]
    if not told:
        return None
    return BundleChange(
        summary="; ".join(told),
        only_noise=not (real or added or removed),
        noise=noises,
        added=added,
        removed=removed,
        changes=changes,
        also=also,
    )


def compare_output(before: Any, after: Any, settings: OutputSettings | None = None) -> BundleChange | None:
    """Return what differs between two outputs as a notebook holds them, None if nothing does."""
    if same_json(before, after):
        return None
    settings = settings or OutputSettings()
    types = _type(before), _type(after)
    bundles = ("display_data", "execute_result")
    if types[0] != types[1] and not (types[0] in bundles and types[1] in bundles):
        told = f"{types[0]} -> {types[1]}"
        return BundleChange(summary=told, type_before=types[0], type_after=types[1])
    found = _of_type(types[1], before, after, settings)
    rest = _rest(types, before, after, settings)
    changes = [*found.changes, *rest] if found is not None else rest
    changes.sort(key=lambda change: change.only_noise)
    of = found or BundleChange(summary="")
    whole = _bundle(changes, of.added, of.removed, of.also)
    if whole is None or types[0] == types[1]:
        return whole
    return msgspec.structs.replace(whole, type_before=types[0], type_after=types[1])


def _type(output: Any) -> str:
    found = output.get("output_type") if isinstance(output, dict) else None
    return found if isinstance(found, str) and found in _TYPES else "unknown output"


def _of_type(kind: str, before: Any, after: Any, settings: OutputSettings) -> BundleChange | None:
    """Compare what outputs of one type show."""
    if kind == "error":
        from nbcellar.diff.document.outputs.tracebacks import compare_error

        keys = ("ename", "evalue", "traceback")
        parts = [{key: output[key] for key in keys if key in output} for output in (before, after)]
        change = compare_error(*parts, settings)
    elif kind == "stream":
        old, new = before.get("text"), after.get("text")
        change = None if same_json(old, new) else compare_value("text/plain", old, new, settings)
        change = msgspec.structs.replace(change, mime="stream") if change is not None else None
    elif kind == "unknown output":
        change = compare_value("application/json", before, after, settings)
    else:
        return compare_bundle(before.get("data"), after.get("data"), settings)
    return _bundle([change], [], [], []) if change is not None else None


_SHOWN = {
    "error": {"ename", "evalue", "traceback"},
    "stream": {"text"},
    "display_data": {"data"},
    "execute_result": {"data"},
}


def _rest(types: tuple[str, str], before: Any, after: Any, settings: OutputSettings) -> list[OutputChange]:
    """Compare the other keys of outputs: the number of the execution is noise, metadata and names are not."""
    if "unknown output" in types:
        return []
    found: list[OutputChange] = []
    done = {"output_type"} | _SHOWN[types[0]] | _SHOWN[types[1]]
    parts = [{key: value for key, value in output.items() if key not in done} for output in (before, after)]
    counts = [part.pop("execution_count", None) for part in parts]
    if not same_json(*counts) or types[0] != types[1]:
        names = [noise.ORDER] if types[0] == types[1] else [noise.DISPLAYED]
        found.append(OutputChange(mime="output", summary=noise.only(names), only_noise=True, noise=names))
    if not same_json(*parts):
        change = compare_value("application/json", *parts, settings)
        if change is not None:
            told = change.summary if change.only_noise else f"of the output: {change.summary}"
            found.append(msgspec.structs.replace(change, mime="output", summary=told))
    return found


__all__ = ["Comparer", "compare_bundle", "compare_output", "compare_value"]
