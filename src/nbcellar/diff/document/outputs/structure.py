"""Comparing JSON by its structure: paths of what came, went and changed; numbers within a tolerance.

Invariant: strict as JSON is (1, 1.0 and true differ); no recursion, so that any depth will do, and no more than
`_MOST_NODES` values are visited: what is beyond is told as changed without a path.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from nbcellar.diff.document.equality import json_key, same_json
from nbcellar.diff.document.outputs import noise
from nbcellar.diff.document.outputs.figures import Figures, count, largest_in_words
from nbcellar.diff.document.outputs.model import MimeChange, OutputSettings, TreeChange
from nbcellar.diff.document.outputs.terminal import writable
from nbcellar.diff.model import Kind, ValueChange

_MOST_NODES = 1_000_000
_MOST_PARTS = 100
_MOST_KEYS_PAIRED = 10_000
_MOST_BITS = 4000
_LONGEST = 120
_LONGEST_PATH = 300
_PLAIN_KEY = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$")


def compare_structure(mime: str, before: Any, after: Any, settings: OutputSettings) -> MimeChange | None:
    """Return what differs between two JSON values, None if nothing does."""
    if same_json(before, after):
        return None
    names: list[str] = []
    if isinstance(before, str) or isinstance(after, str):
        # Some kernels write JSON as the text of it.
        before, after = _parsed(before), _parsed(after)
        if isinstance(before, str) and isinstance(after, str):
            from nbcellar.diff.document.outputs.text import compare_text

            return compare_text(mime, before, after, settings)
        if same_json(before, after):
            names.append(noise.FORM)
    walk = _Walk(mime, settings)
    walk.run(before, after)
    names += [*walk.noise, *walk.figures.noise()]
    return walk.result(mime, list(dict.fromkeys(names)))


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


class _Path(msgspec.Struct, frozen=True):
    """A way from the root, shared by what is below it."""

    above: _Path | None
    key: str | int

    def text(self) -> str:
        parts: list[str] = []
        here: _Path | None = self
        length = 0
        while here is not None and length < _LONGEST_PATH:
            part = _step(here.key)
            parts.append(part)
            length += len(part)
            here = here.above
        text = "".join(reversed(parts)).removeprefix(".")
        return text if here is None else "…" + text


def _step(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    if key and len(key) < _LONGEST and _PLAIN_KEY.issuperset(key):
        return f".{key}"
    return f"[{shown(key, 60)}]"


class _Walk:
    """Visits both values side by side, and counts."""

    def __init__(self, mime: str, settings: OutputSettings) -> None:
        self.mime = mime
        self.figures = Figures(settings)
        self.noise: dict[str, None] = {}
        self.counts: dict[Kind, int] = {"added": 0, "removed": 0, "changed": 0}
        self.parts: list[ValueChange] = []
        self.left = _MOST_NODES
        self.stack: list[tuple[_Path | None, Any, Any]] = []

    def run(self, before: Any, after: Any) -> None:
        self.stack.append((None, before, after))
        while self.stack and self.left > 0:
            self.left -= 1
            path, old, new = self.stack.pop()
            if isinstance(old, dict) and isinstance(new, dict):
                self.objects(path, old, new)
            elif isinstance(old, list) and isinstance(new, list):
                self.lists(path, old, new)
            else:
                self.leaves(path, old, new)

    def objects(self, path: _Path | None, old: dict[str, Any], new: dict[str, Any]) -> None:
        typed = _typed_arrays(old, new)
        if typed is not None:
            self.stack.append((path, *typed))
            return
        gone = [key for key in old if key not in new]
        come = [key for key in new if key not in old]
        both = [(key, key) for key in new if key in old] + self.renamed(gone, come)
        for key in gone:
            self.tell("removed", _Path(path, key), old[key], None)
        for key in come:
            self.tell("added", _Path(path, key), None, new[key])
        for first, second in reversed(both):
            if not self.differs(old[first], new[second]):
                continue
            self.stack.append((_Path(path, second), old[first], new[second]))

    def renamed(self, gone: list[str], come: list[str]) -> list[tuple[str, str]]:
        """Take generated keys out of both lists, paired in their order, where there are as many."""
        ours = [key for key in gone[:_MOST_KEYS_PAIRED] if noise.is_generated_name(key)]
        theirs = [key for key in come[:_MOST_KEYS_PAIRED] if noise.is_generated_name(key)]
        if not ours or len(ours) != len(theirs):
            return []
        self.noise[noise.IDS] = None
        taken = {*ours, *theirs}
        gone[:] = [key for key in gone if key not in taken]
        come[:] = [key for key in come if key not in taken]
        return list(zip(ours, theirs, strict=True))

    def differs(self, old: Any, new: Any) -> bool:
        """Return false where a look shows that two values are the same; containers are looked into later."""
        if isinstance(old, dict | list):
            return old is not new
        return type(old) is not type(new) or not same_json(old, new)

    def lists(self, path: _Path | None, old: list[Any], new: list[Any]) -> None:
        if len(old) == len(new):
            for place in range(len(old) - 1, -1, -1):
                if self.differs(old[place], new[place]):
                    self.stack.append((_Path(path, place), old[place], new[place]))
            self.left -= len(old) // 16
            return
        ours, theirs = self.keys(old), self.keys(new)
        start, most = 0, min(len(old), len(new))
        while start < most and ours[start] == theirs[start]:
            start += 1
        end = 0
        while end < most - start and ours[-1 - end] == theirs[-1 - end]:
            end += 1
        middle = most - start - end
        for place in range(start + middle, len(old) - end):
            self.tell("removed", _Path(path, place), old[place], None)
        for place in range(start + middle, len(new) - end):
            self.tell("added", _Path(path, place), None, new[place])
        for place in range(start + middle - 1, start - 1, -1):
            self.stack.append((_Path(path, place), old[place], new[place]))

    def keys(self, items: list[Any]) -> list[Any]:
        """Return what is equal where items are; encoding them is paid for from the budget."""
        keys = [json_key(item) for item in items]
        # What msgspec cannot encode (0xc1), being nested too deeply, takes a hundred times as long.
        self.left -= sum(len(key) // 8 if key[:1] == b"\xc1" else len(key) // 64 for key in keys)
        return keys

    def leaves(self, path: _Path | None, old: Any, new: Any) -> None:
        if same_json(old, new):
            return
        if type(old) is str and type(new) is str:
            named = noise.noise_of_leaf(self.mime, path.key if path is not None else "", old, new) or self.masked(
                old, new
            )
            if named:
                self.noise[named] = None
                return
        elif _is_number(old) and _is_number(new):
            self.figures.compared += 1
            if self.figures.compare(repr(old), repr(new), path.text if path is not None else ""):
                return
        self.tell("changed", path, old, new)

    def masked(self, old: str, new: str) -> str:
        first, found = noise.mask(old)
        second, found_new = noise.mask(new)
        return noise.joined(noise.differing(found, found_new)) if first == second else ""

    def tell(self, change: Kind, path: _Path | None, old: Any, new: Any) -> None:
        self.counts[change] += 1
        if len(self.parts) < _MOST_PARTS:
            self.parts.append(
                ValueChange(
                    path=path.text() if path is not None else "",
                    change=change,
                    before="" if change == "added" else shown(old),
                    after="" if change == "removed" else shown(new),
                )
            )

    def result(self, mime: str, names: list[str]) -> MimeChange:
        total = sum(self.counts.values())
        numbers = self.figures.result()
        notes = [] if self.left > 0 else ["it is too large to be compared in full"]
        if not total and not notes:
            names = names or [noise.FORM]
            return MimeChange(mime=mime, note=noise.only(names), only_noise=True, noise=names, numbers=numbers)
        detail = TreeChange(
            added=self.counts["added"],
            removed=self.counts["removed"],
            changed=self.counts["changed"],
            values=self.parts,
            more=total - len(self.parts),
        )
        told = [f"{count(n, 'value')} {change}" for change, n in self.counts.items() if n]
        if len(self.parts) == 1 and total == 1:
            told = [_one(self.parts[0])]
        summary = ", ".join(told) or "changed"
        if numbers is not None and numbers.changed and total > 1:
            summary += f", {count(numbers.changed, 'number')} {largest_in_words(numbers)}"
        return MimeChange(mime=mime, note="; ".join([summary, *notes]), noise=names, detail=detail, numbers=numbers)


def _one(part: ValueChange) -> str:
    if part.change == "changed":
        return f"{part.path}: {part.before} -> {part.after}".removeprefix(": ")
    return f"{part.path} {part.change}: {part.after or part.before}"


def _is_number(value: Any) -> bool:
    """Return whether a value is a number that can be written as one: finite, with no more digits than Python writes."""
    if type(value) is int:
        return value.bit_length() < _MOST_BITS
    return type(value) is float and value - value == 0


def _typed_arrays(old: dict[str, Any], new: dict[str, Any]) -> tuple[list[Any], list[Any]] | None:
    """Return the numbers of plotly's arrays in base64, where both are of one type and shape."""
    if "bdata" not in old or "bdata" not in new or set(old) != set(new) or not set(old) <= {"dtype", "bdata", "shape"}:
        return None
    if old.get("dtype") != new.get("dtype") or not same_json(old.get("shape"), new.get("shape")):
        return None
    first, second = _numbers(old), _numbers(new)
    return (first, second) if first is not None and second is not None else None


_ARRAY_CODES = {"f8": "d", "f4": "f", "i4": "i", "i2": "h", "i1": "b", "u4": "I", "u2": "H", "u1": "B"}


def _numbers(value: dict[str, Any]) -> list[Any] | None:
    import array
    import base64
    import sys

    code, data = _ARRAY_CODES.get(str(value.get("dtype"))), value["bdata"]
    if code is None or not isinstance(data, str):
        return None
    try:
        found = array.array(code, base64.b64decode(data, validate=True))
    except ValueError:
        return None
    if sys.byteorder == "big":
        found.byteswap()
    return found.tolist()


def shown(value: Any, longest: int = _LONGEST) -> str:
    """Return a JSON value on one line, cut; a container by its size where it is long."""
    if isinstance(value, dict | list):
        if not value:
            return "{}" if isinstance(value, dict) else "[]"
        thing = "key" if isinstance(value, dict) else "item"
        if len(value) > 8 or any(isinstance(item, dict | list) for item in value) or isinstance(value, dict):
            return f"{{{count(len(value), thing)}}}" if isinstance(value, dict) else f"[{count(len(value), thing)}]"
        return _cut("[" + ", ".join(shown(item, 20) for item in value) + "]", longest)
    if isinstance(value, str):
        return _cut(json.dumps(value[: 2 * longest], ensure_ascii=False), longest)
    if type(value) is int and value.bit_length() > 500:
        return f"a whole number of {value.bit_length():,} bits"
    return json.dumps(value) if value is None or isinstance(value, bool | int | float) else _cut(repr(value), longest)


def _cut(text: str, longest: int) -> str:
    return writable(text if len(text) <= longest else text[: longest - 1] + "…")


__all__ = ["compare_structure", "shown"]
