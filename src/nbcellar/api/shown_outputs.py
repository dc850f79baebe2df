"""Outputs in a form in which any browser may show them: nothing in it runs, nothing in it is fetched.

Invariant: text is text (colours come as data), pictures are pixels whose base64 was decoded here, SVG is there to be
shown as a picture, HTML went through `nh3` without links, styles and addresses, and what needs a script is named
instead of shown. Whatever stands in an output, a form of it comes back.

Not for: outputs of notebooks that Jupyter trusts, in JupyterLab; its own renderers show those.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from nbcellar.api.shown_text import Span, spans
from nbcellar.diff.document.noise import join_streams
from nbcellar.diff.document.outputs.terminal import writable
from nbcellar.notebook.model import JsonObject

Form = Literal["text", "error", "image", "html", "json", "scripted", "empty"]

_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp")
_TEXTS = ("text/markdown", "text/plain", "text/latex")
_SCRIPTED = ("application/javascript", "text/javascript", "application/vnd.jupyter.widget-view+json")
_SCRIPTED_BEGINNINGS = (
    "application/vnd.plotly",
    "application/vnd.vega",
    "application/vnd.bokeh",
    "application/vnd.holo",
)
_MOST_TEXT = 100_000
_MOST_HTML = 1_000_000
_MOST_PICTURE = 20 << 20
_TAGS = {
    *("a", "abbr", "b", "bdi", "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del"),
    *("details", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img"),
    *("ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strong", "sub", "summary"),
    *("sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul", "var", "wbr"),
}
# Tags and comments that all parsers understand alike, then whatever else may be one.
_TAG = re.compile(
    r"""<(?P<begun>[a-zA-Z][\w:.-]*)(?:\s+[\w:.@-]+(?:=(?:"[^"<>]*"|'[^'<>]*'|[\w.%#:+-]+))?)*\s*/?>"""
    r"""|</(?P<ended>[a-zA-Z][\w:.-]*)\s*>|(?P<comment><!--[^<>-]*(?:-[^<>-]+)*-->)|<[a-zA-Z/!?]"""
)
_DEEPEST = 256
# What holds nothing, and what the next of its kind ends wherever it stands.
_FLAT = {"br", "hr", "img", "wbr", "col", "input", "meta", "link", "p", "li"}
_ATTRIBUTES = {
    "*": {"title", "dir"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align", "scope"},
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"start"},
}


class OutputShown(msgspec.Struct, frozen=True, kw_only=True):
    """One output, static. `place` is that among the cell's outputs; text a stream wrote in pieces is one output.

    type: nbformat's; name: a stream's, or an error's. mime: what is shown; others: what else the output has. By form:
    "text", "error": `spans`, and `message` of an error; "image": `data`, a data URI; "html": `data`, cleaned; "json":
    `data`, indented; "scripted": only its type can be told. cut: there is more of it than is here.
    """

    place: int
    type: str
    form: Form
    name: str = ""
    mime: str = ""
    others: list[str] = []
    message: str = ""
    spans: list[Span] = []
    data: str = ""
    rows: int = 0
    cut: bool = False


def shown_outputs(outputs: Sequence[JsonObject] | None) -> list[OutputShown]:
    """Return the outputs of a cell in their static form."""
    return [_shown(place, output) for place, output in join_streams(outputs or ())]


def size_of(shown: Sequence[OutputShown]) -> int:
    """Return about how many bytes outputs take on their way to a browser."""
    return sum(100 + len(one.data) + sum(60 + len(span.text) for span in one.spans) for one in shown)


def _shown(place: int, output: JsonObject) -> OutputShown:
    kind = _text(output.get("output_type"))
    if kind == "stream":
        found, cut = spans(_text(output.get("text")), _MOST_TEXT)
        name = _text(output.get("name"))
        return OutputShown(place=place, type=kind, form="text", name=name, mime="text/plain", spans=found, cut=cut)
    if kind == "error":
        return _error(place, output)
    data = output.get("data")
    bundle = {str(mime): value for mime, value in data.items()} if isinstance(data, Mapping) else {}
    return _bundle(place, kind, bundle)


def _error(place: int, output: JsonObject) -> OutputShown:
    lines = output.get("traceback")
    text = "\n".join(_text(line) for line in lines) if isinstance(lines, list) else ""
    name, message = _text(output.get("ename")), writable(_text(output.get("evalue")))[:_MOST_TEXT]
    found, cut = spans(text or f"{name}: {message}", _MOST_TEXT)
    return OutputShown(
        place=place, type="error", form="error", name=writable(name), message=message, spans=found, cut=cut
    )


def _bundle(place: int, kind: str, bundle: Mapping[str, Any]) -> OutputShown:
    order = ["text/html", "image/svg+xml", *_PICTURES, *_TEXTS]
    known = [mime for mime in order if mime in bundle]
    scripted = [mime for mime in bundle if mime in _SCRIPTED or mime.startswith(_SCRIPTED_BEGINNINGS)]
    if (
        scripted
    ):  # what stands beside a figure that needs a script is a hull for it, or names its class; a picture is it
        known = [mime for mime in known if mime not in ("text/html", "text/plain")]
    rest = [mime for mime in bundle if mime not in order and mime not in scripted]
    for mime in [*known, *rest]:
        found = _one(mime, bundle[mime])
        if found is not None:
            others = [writable(other)[:200] for other in bundle if other != mime]
            return msgspec.structs.replace(
                found, place=place, type=writable(kind), mime=writable(mime)[:200], others=others
            )
    if not bundle:
        return OutputShown(place=place, type=writable(kind), form="empty")
    named = (scripted or list(bundle))[0]
    others = [writable(other)[:200] for other in bundle if other != named]
    return OutputShown(place=place, type=writable(kind), form="scripted", mime=writable(named)[:200], others=others)


def _one(mime: str, value: Any) -> OutputShown | None:
    """Return one value of a bundle, None where it cannot be shown without running it."""
    blank = OutputShown(place=0, type="", form="text")
    if mime in _PICTURES:
        data = _picture(value)
        return msgspec.structs.replace(blank, form="image", data=f"data:{mime};base64,{data}") if data else None
    if mime == "image/svg+xml":
        encoded = base64.b64encode(_text(value).encode("utf-8", "replace")).decode()
        return msgspec.structs.replace(blank, form="image", data=f"data:{mime};base64,{encoded}") if encoded else None
    if mime == "text/html":
        return _html(blank, _text(value))
    if mime in _TEXTS:
        found, cut = spans(_text(value), _MOST_TEXT)
        return msgspec.structs.replace(blank, spans=found, cut=cut)
    if mime == "application/json" or mime.endswith("+json"):
        text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
        shown = writable(text[:_MOST_TEXT])
        return msgspec.structs.replace(blank, form="json", data=shown, cut=len(text) > _MOST_TEXT)
    return None


def _picture(value: Any) -> str | None:
    text = "".join(_text(value).split())
    if not text or len(text) > _MOST_PICTURE * 4 // 3:
        return None
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return base64.b64encode(data).decode()


def _html(blank: OutputShown, text: str) -> OutputShown | None:
    """Return HTML without anything that runs or is fetched; None where nothing to see is left."""
    import nh3

    cut = len(text) > _MOST_HTML
    written = writable(text[:_MOST_HTML])
    if _is_deep(written):
        return None
    clean = nh3.clean(
        written,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_only_pictures,
        url_schemes={"data"},
        link_rel=None,
        strip_comments=True,
        clean_content_tags={"script", "style", "title", "template", "noscript", "textarea", "iframe"},
    )
    if "<img" not in clean and "<table" not in clean and not nh3.clean(clean, tags=set()).strip():
        return None
    rows = clean.count("<tr") + clean.count("<li") + clean.count("<p") + clean.count("<br") + clean.count("\n\n")
    return msgspec.structs.replace(blank, form="html", data=clean, rows=rows, cut=cut)


def _is_deep(html: str) -> bool:
    """Return whether elements may stand in each other so deeply that to read them takes minutes; no browser draws it.

    Each tag costs as much as there are elements around it. One counts until it is closed where a closing tag surely
    does that: right inside of it, and with no tag before that parsers may understand otherwise. Never too few count.
    """
    around: list[str] = []
    is_plain = True
    for tag in _TAG.finditer(html):
        begun, ended = tag["begun"], tag["ended"]
        is_plain = is_plain and (begun or ended or tag["comment"]) is not None
        name = (begun or ended or "").lower()
        if ended is None and tag["comment"] is None and name not in _FLAT:
            around.append(name)
        elif is_plain and ended is not None and around and around[-1] == name:
            around.pop()
        if len(around) > _DEEPEST:
            return True
    return False


def _only_pictures(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "src":
        return value if value.strip().lower().startswith(tuple(f"data:{mime};base64," for mime in _PICTURES)) else None
    return value


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "".join(piece for piece in value if isinstance(piece, str))
    return value if isinstance(value, str) else ""


__all__ = ["OutputShown", "shown_outputs", "size_of"]
