"""Parts of a text that differ from run to run and say nothing: found, named, and taken out of a comparison.

Invariant: masking takes a time linear in the text. A part is noise only where its surroundings prove what it is: a
hexadecimal number after "at" is an address, another one is a value.
Not for: leaving such parts out of a document, which is `clean`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

import msgspec

from nbcellar.diff.document.noise import WIDGET_VIEW, Noise

ADDRESSES = "memory addresses"
TEMPORARY = "temporary files"
TIMES = "run times"
ORDER = "execution order"
COLOURS = "terminal colours"
PROGRESS = "states of progress bars"
LINE_ENDS = "line ends"
IDS = "generated ids"
WIDGETS = "widget state"
MARKUP = "layout of the markup"
FORM = "how it is written in the file"
TOLERANCE = "numbers within the tolerance"
ALIGNMENT = "blanks between columns"
DIGITS = "digits shown of equal numbers"
SAME_PICTURE = "the same picture, stored otherwise"
LINE_NUMBERS = "line numbers of frames"
FOLDERS = "folders of libraries"

# Kinds of noise by which a summary of a whole notebook groups these; what is not here is how something is laid out.
_KINDS: dict[str, Noise] = {
    ADDRESSES: "addresses",
    TEMPORARY: "temporary files",
    TIMES: "run time",
    ORDER: "execution order",
    COLOURS: "terminal",
    PROGRESS: "terminal",
    IDS: "ids",
    WIDGETS: "widgets",
    TOLERANCE: "tolerance",
    DIGITS: "tolerance",
    SAME_PICTURE: "pictures",
    LINE_NUMBERS: "frames",
    FOLDERS: "frames",
}

_MARK = "\ufffc"  # an object's place; a text that holds one itself is compared as it is


# Compiled when a text is first searched: a diff without outputs need not wait for it.
_compiled = functools.cache(re.compile)


class _Rule(msgspec.Struct, frozen=True):
    """`hint`: a text without it is not searched."""

    name: str
    hint: str
    pattern: str


_DURATION = r"(?:\d[\d.]{0,12} ?(?:ns|[uµμ]s|ms|min|s|h)\b ?){1,6}"
_TEMPORARY = r"/tmp/|/var/folders/\w{2}/\w{1,40}/T/|[A-Za-z]:\\Users\\[^\\\s]{1,64}\\AppData\\Local\\Temp\\"
_RULES = (
    _Rule(
        ADDRESSES,
        "0x",
        r"(?:(?<=\bat )|(?<=<environment: )|(?<=<pointer: )|(?<=<bytecode: ))0x[0-9a-fA-F]{5,16}\b",
    ),
    _Rule(TEMPORARY, "ipykernel_", rf"(?:{_TEMPORARY})?\bipykernel_\d{{1,10}}[/\\]\d{{1,12}}\.py"),
    _Rule(TEMPORARY, "<ipython-input-", r"<ipython-input-\d{1,10}-[0-9a-f]{4,40}>"),
    _Rule(TEMPORARY, "/tmp", r"(?<=/tmp/)tmp(?=[a-z_]{0,7}\d)[a-z0-9_]{8}\b"),
    _Rule(ORDER, "In[", r"(?<=\bCell In\[)\d{1,10}(?=\])"),
    _Rule(ORDER, "In [", r"(?<=\bIn \[)\d{1,10}(?=\])"),
    _Rule(TIMES, "time: ", rf"(?<=Wall time: ){_DURATION}"),
    _Rule(TIMES, "CPU times: ", rf"(?<=CPU times: )user {_DURATION}, sys: {_DURATION}, total: {_DURATION}"),
    _Rule(TIMES, " per loop", rf"{_DURATION}(?:± {_DURATION})?per loop \([^()\n]{{0,200}}\)"),
    _Rule(
        TIMES,
        "<",
        r"(?<=\[)\d[\d:]{0,12}<[\d:?]{1,12}, {1,4}"
        r"(?:[\d.?]{1,12}[a-zA-Z]{0,9}/s|[\d.?]{1,12}s/[a-zA-Z]{1,9})(?=[,\]])",
    ),
    _Rule(TIMES, "/step", r"\b\d{1,6}m?s \d{1,6}[mu]?s/step\b"),
)


def mask(text: str) -> tuple[str, dict[str, list[str]]]:
    """Return the text with its noise replaced by a mark, and what was replaced, by the name of the noise."""
    found: dict[str, list[str]] = {}
    if _MARK in text:
        return text, found
    for rule in _RULES:
        if rule.hint not in text:
            continue
        parts = _compiled(rule.pattern).findall(text)
        if parts:
            found.setdefault(rule.name, []).extend(parts)
            text = _compiled(rule.pattern).sub(_MARK, text)
    return text, found


def kinds_of(names: Iterable[str]) -> set[Noise]:
    """Return the kinds of noise that names stand for."""
    return {_KINDS.get(name, "layout") for name in names}


def differing(before: dict[str, list[str]], after: dict[str, list[str]]) -> list[str]:
    """Return the names of the noise that differs."""
    return [name for name in {**before, **after} if before.get(name) != after.get(name)]


def joined(names: Iterable[str]) -> str:
    """Return names as a sentence: a, b and c."""
    words = list(dict.fromkeys(names))
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def only(names: Iterable[str]) -> str:
    """Return the sentence of a result that is nothing but noise."""
    return f"only {joined(names)}"


# Names that libraries make up for parts of a page, in attributes, styles and scripts.
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_GENERATED = (
    rf"(?i:{_UUID}"
    r"|(?<![0-9a-zA-Z])[0-9a-f]{32}(?![0-9a-zA-Z])"
    r"|(?<=_)[0-9a-f]{32}(?![0-9a-zA-Z])"
    r"|(?<=\bT_)[0-9a-f]{5}(?=_|\b)"  # a Styler of pandas
    r"|(?<=[\"'# .(]sk-container-id-)\d{1,9}\b"  # an estimator of scikit-learn
    r"|(?<=[\"'# .(]sk-estimator-id-)\d{1,9}\b"
    r"|(?<=[\"'#][pmh])[0-9a-f]{10}(?![0-9a-zA-Z])"  # paths and markers of matplotlib
    r"|(?<=[\"'#]C\d_\d_)[0-9a-f]{10}(?![0-9a-zA-Z]))"
)
_DATES = r"(?<=<dc:date>)[\d\-T:.+Z]{4,40}(?=</dc:date>)"
_ID_KEYS = frozenset({"uid", "uuid", "docid", "root_id", "model_id", "comm_id"})
_ID = rf"(?i:(?:{_UUID}|[0-9a-f]{{6,40}}|p\d{{4,9}})\Z)"
_GENERATED_NAME = rf"(?:[a-zA-Z_]{{0,20}}[-_])?(?:{_UUID}|[0-9a-f]{{32}})\Z"
_WIDGET = r"IPY_MODEL_[0-9a-f\-]{8,40}\Z"


class Ids:
    """Numbers generated ids in the order in which they appear, so that it still counts which of them are the same."""

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}

    def mask(self, text: str) -> str:
        return _compiled(_GENERATED).sub(self._number, text) if len(text) > 4 else text

    def _number(self, found: re.Match[str]) -> str:
        return f"{_MARK}{self.seen.setdefault(found.group(), len(self.seen) + 1)}"


def mask_dates(markup: str) -> str:
    """Return SVG without the moment at which it was drawn."""
    return _compiled(_DATES).sub(_MARK, markup) if "<dc:date>" in markup else markup


def is_generated_name(name: str) -> bool:
    """Return whether a key of JSON is one that nobody chose: a UUID, or 32 hexadecimal digits after a word."""
    return _compiled(_GENERATED_NAME).match(name) is not None


def noise_of_leaf(mime: str, key: object, before: str, after: str) -> str:
    """Return which noise two different texts at a key of JSON are, "" for none."""
    if _compiled(_WIDGET).match(before) and _compiled(_WIDGET).match(after):
        return WIDGETS
    name = key.lower() if isinstance(key, str) else ""
    if name == "model_id" and mime == WIDGET_VIEW:
        return WIDGETS
    if name in _ID_KEYS and _compiled(_ID).match(before) and _compiled(_ID).match(after):
        return WIDGETS if name in ("model_id", "comm_id") else IDS
    if name in ("id", "name") and _compiled(_GENERATED_NAME).match(before) and _compiled(_GENERATED_NAME).match(after):
        return IDS
    return ""


__all__ = [
    "ADDRESSES",
    "ALIGNMENT",
    "COLOURS",
    "DIGITS",
    "FOLDERS",
    "FORM",
    "IDS",
    "Ids",
    "LINE_ENDS",
    "LINE_NUMBERS",
    "MARKUP",
    "ORDER",
    "PROGRESS",
    "SAME_PICTURE",
    "TEMPORARY",
    "TIMES",
    "TOLERANCE",
    "WIDGETS",
    "differing",
    "is_generated_name",
    "joined",
    "kinds_of",
    "mask",
    "mask_dates",
    "noise_of_leaf",
    "only",
]
