"""Comparing two values part by part, whatever they are.

Invariant: equal values give no change. Where something cannot be looked into, that is said, with how much of what is
stored differs: a change is never passed over. Each pair of objects is compared once, so aliases and cycles end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nbcellar.diff.align import align
from nbcellar.diff.arrays import compare_arrays, compare_object_arrays
from nbcellar.diff.code import (
    MAKE_CLASS,
    MAKE_FUNCTION,
    class_parts,
    code_of,
    compare_code,
    function_state,
    rest_of_class,
    rest_of_function,
)
from nbcellar.diff.model import ArrayChange, Detail, FrameChange, Kind, ValueChange
from nbcellar.diff.numbers import compare_values
from nbcellar.diff.pictures import compare_pixels, pixels_of_array, pixels_of_image
from nbcellar.diff.sides import Side
from nbcellar.diff.tables import compare_frames, compare_indexes
from nbcellar.diff.texts import compare_texts
from nbcellar.diff.things import parts_of
from nbcellar.values.arrays import Array, ObjectArray, find_array
from nbcellar.values.frames import Frame, find_frame, frame_of_records
from nbcellar.values.nodes import ByteArray, Call, Dict, List, Node, Persistent, Set
from nbcellar.values.words import simple_text

MOST_PARTS = 24
MOST_CHANGES = 400
_MOST_DEPTH = 60
_LONG_TEXT = 60
_MANY_NUMBERS = 6


class Comparison:
    """Compares objects of two values; remembers which pairs it has seen."""

    def __init__(self, before: Side, after: Side) -> None:
        self.ours, self.theirs = before, after
        self._seen: dict[tuple[int, int], object] = {}
        self._room = MOST_CHANGES
        self._depth = 0

    def compare(self, path: str, old: Node, new: Node) -> ValueChange | None:
        """Return what changed from one object to the other, None if nothing did."""
        if self.same(old, new):
            return None
        pair = id(old), id(new)
        if pair in self._seen:
            return None  # it is told where it was met first
        if type(old) is type(new) and type(old) not in (str, bytes, int, float, bool, complex):
            self._seen[pair] = old, new
        if self._depth > _MOST_DEPTH:
            return self._plain(path, old, new, notes=["nested too deeply to be looked into"])
        self._depth += 1
        try:
            return self._compare(path, old, new)
        finally:
            self._depth -= 1

    def same(self, old: Node, new: Node) -> bool:
        """Say whether two objects are surely equal."""
        return self.ours.fingerprints.of(old) == self.theirs.fingerprints.of(new)

    def _compare(self, path: str, old: Node, new: Node) -> ValueChange | None:
        kind = type(old)
        if kind is not type(new):
            return self._plain(path, old, new)
        if kind is str:
            return self._texts(path, old, new)
        if kind in (bytes, ByteArray):
            return self._bytes(path, old, new)
        if kind is tuple:
            return self.sequence(path, old, new, old, new)
        if kind is List:
            return self.sequence(path, old.items, new.items, old, new)
        if kind is Dict:
            return self.mapping(path, old.pairs, new.pairs, old, new)
        if kind is Set:
            return self._set(path, old, new)
        if kind is Persistent:
            return self._plain(path, old, new)
        if kind is Call:
            return self._calls(path, old, new)
        return self._plain(path, old, new)

    # one line -----------------------------------------------------------------------------------------------------

    def _plain(
        self,
        path: str,
        old: Node,
        new: Node,
        *,
        detail: Detail | None = None,
        notes: Sequence[str] = (),
        inside: bool = False,
    ) -> ValueChange:
        """Return a change on one line; `inside`: what changed is told in parts."""
        words = self.ours.word(old), self.theirs.word(new)
        types = self.ours.type_name(old), self.theirs.type_name(new)
        if words[0] == words[1] and types[0] == types[1] and detail is None and not notes and not inside:
            notes = ["it changed in a way that its short form does not show"]
        return ValueChange(
            path=path,
            change="changed",
            before=words[0],
            after=words[1],
            type_before=types[0],
            type_after=types[1],
            detail=detail,
            notes=list(notes),
        )

    def _one_sided(self, path: str, change: Kind, node: Node) -> ValueChange:
        if change == "added":
            return ValueChange(
                path=path, change=change, after=self.theirs.word(node), type_after=self.theirs.type_name(node)
            )
        return ValueChange(path=path, change=change, before=self.ours.word(node), type_before=self.ours.type_name(node))

    def _texts(self, path: str, old: str, new: str) -> ValueChange:
        long = len(old) > _LONG_TEXT or len(new) > _LONG_TEXT or "\n" in old or "\n" in new
        detail = compare_texts(old, new) if long else None
        notes = []
        if detail is not None and not detail.lines:
            notes.append("only line breaks differ")
        return self._plain(path, old, new, detail=detail, notes=notes)

    def _bytes(self, path: str, old: Node, new: Node) -> ValueChange:
        ours, theirs = (side.data if type(side) is ByteArray else side for side in (old, new))
        first = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)
        place = min(len(ours), len(theirs)) if first is None else first
        sizes = f"{len(ours):,} bytes" if len(ours) == len(theirs) else f"{len(ours):,} -> {len(theirs):,} bytes"
        return self._plain(path, old, new, notes=[f"{sizes}, the first difference at {place:,}"])

    # containers ---------------------------------------------------------------------------------------------------

    def _whole(
        self,
        path: str,
        old: Node,
        new: Node,
        parts: list[ValueChange],
        more: int = 0,
        *,
        detail: Detail | None = None,
        notes: Sequence[str] = (),
    ) -> ValueChange | None:
        """Return a change made of changes inside; None if there are none after all."""
        if not parts and not more and detail is None and not notes:
            return None
        found = self._plain(path, old, new, detail=detail, notes=notes, inside=bool(parts or more))
        kept = parts[:MOST_PARTS]
        return ValueChange(
            path=path,
            change="changed",
            before=found.before,
            after=found.after,
            type_before=found.type_before,
            type_after=found.type_after,
            detail=detail,
            parts=kept,
            more=more + len(parts) - len(kept),
            notes=list(notes),
        )

    def sequence(
        self, path: str, ours: Sequence[Node], theirs: Sequence[Node], old: Node, new: Node, base: int | None = None
    ) -> ValueChange | None:
        """Compare items in a row; `base` is given if they are only some of a list's: the number of the first."""
        first = base or 0
        a = list(map(self.ours.fingerprints.of, ours))
        b = list(map(self.theirs.fingerprints.of, theirs))
        numbers = self._many_numbers(ours, theirs, a, b)
        if numbers is not None:
            return self._whole(path, old, new, [], detail=numbers)
        parts: list[ValueChange] = []
        more = 0
        for step in align(a, b):
            paired = min(step.a_stop - step.a_start, step.b_stop - step.b_start)
            for offset in range(paired):
                if not self._take_room():
                    more += 1
                    continue
                i, j = step.a_start + offset, step.b_start + offset
                change = self.compare(f"{path}[{first + j}]", ours[i], theirs[j])
                if change is not None:
                    parts.append(change)
            for kind, items, begin, end in (
                ("removed", ours, step.a_start + paired, step.a_stop),
                ("added", theirs, step.b_start + paired, step.b_stop),
            ):
                for i in range(begin, end):
                    if self._take_room():
                        parts.append(self._one_sided(f"{path}[{first + i}]", kind, items[i]))  # type: ignore[arg-type]
                    else:
                        more += 1
        if not parts and not more:
            return None
        notes = [f"{len(ours):,} -> {len(theirs):,} items"] if len(ours) != len(theirs) and base is None else []
        return self._whole(path, old, new, parts, more, notes=notes)

    def _many_numbers(
        self, ours: Sequence[Node], theirs: Sequence[Node], a: list[bytes], b: list[bytes]
    ) -> ArrayChange | None:
        """Return a list of numbers of which many changed as what it is: a vector."""
        if len(ours) != len(theirs) or not all(type(item) in (int, float) for side in (ours, theirs) for item in side):
            return None
        if sum(x != y for x, y in zip(a, b, strict=True)) < _MANY_NUMBERS:
            return None
        steps = align(a, b)
        if sum(step.a_stop - step.a_start for step in steps) * 2 < sum(x != y for x, y in zip(a, b, strict=True)):
            return None  # something was put in: that says more
        cells = compare_values(list(ours), list(theirs), str, same=self.same)
        return ArrayChange(
            shape_before=[len(ours)], shape_after=[len(theirs)], dtype_before="", dtype_after="", cells=cells
        )

    def mapping(
        self,
        path: str,
        ours: list[tuple[Node, Node]],
        theirs: list[tuple[Node, Node]],
        old: Node,
        new: Node,
        *,
        ordered: bool = True,
    ) -> ValueChange | None:
        a = {self.ours.fingerprints.of(key): (key, value) for key, value in ours}
        b = {self.theirs.fingerprints.of(key): (key, value) for key, value in theirs}
        parts, more = self._changed_keys(path, a, b), 0
        for mark, (key, value) in b.items():
            there = a.get(mark)
            if there is not None and self.same(there[1], value):
                continue
            if not self._take_room():
                more += 1
                continue
            inside = f"{path}[{self.theirs.word(key, 40)}]"
            if there is None:
                parts.append(self._one_sided(inside, "added", value))
            else:
                change = self.compare(inside, there[1], value)
                if change is not None:
                    parts.append(change)
        for mark, (key, value) in a.items():
            if mark in b:
                continue
            if self._take_room():
                parts.append(self._one_sided(f"{path}[{self.ours.word(key, 40)}]", "removed", value))
            else:
                more += 1
        notes = []
        if len(a) != len(b) and ordered:
            notes.append(f"{len(a):,} -> {len(b):,} keys")
        if ordered and [key for key in a if key in b] != [key for key in b if key in a]:
            notes.append("the order of keys changed")
        return self._whole(path, old, new, parts, more, notes=notes if parts or more or ordered else [])

    def _changed_keys(
        self, path: str, a: dict[bytes, tuple[Node, Node]], b: dict[bytes, tuple[Node, Node]]
    ) -> list[ValueChange]:
        """Compare keys that are objects and changed themselves with those in their place; take them out of both."""
        gone = [mark for mark, (key, _) in a.items() if mark not in b and type(key) is Call]
        come = [mark for mark, (key, _) in b.items() if mark not in a and type(key) is Call]
        parts: list[ValueChange] = []
        if len(gone) != len(come):
            return parts
        for one, other in zip(gone, come, strict=True):
            keys = a[one][0], b[other][0]
            if simple_text(keys[0]) is not None or self.ours.type_name(keys[0]) != self.theirs.type_name(keys[1]):
                continue
            (_, old), (_, new) = a.pop(one), b.pop(other)
            shown = self.theirs.word(keys[1], 40)
            found = self.compare(f"{path} key {shown}", *keys), self.compare(f"{path}[{shown}]", old, new)
            parts += [change for change in found if change is not None]
        return parts

    def _set(self, path: str, old: Set, new: Set) -> ValueChange | None:
        a = {self.ours.fingerprints.of(item): item for item in old.items}
        b = {self.theirs.fingerprints.of(item): item for item in new.items}
        parts = [self._one_sided(f"{path}{{}}", "added", item) for mark, item in b.items() if mark not in a]
        parts += [self._one_sided(f"{path}{{}}", "removed", item) for mark, item in a.items() if mark not in b]
        notes = [f"{len(a):,} -> {len(b):,} elements"] if len(a) != len(b) else []
        if old.frozen != new.frozen:
            return self._plain(path, old, new)
        return self._whole(path, old, new, parts, notes=notes if parts else [])

    def _take_room(self) -> bool:
        self._room -= 1
        return self._room >= 0

    # objects ------------------------------------------------------------------------------------------------------

    def _calls(self, path: str, old: Call, new: Call) -> ValueChange | None:
        found = self._known(path, old, new)
        if found is not NotImplemented:
            return found  # type: ignore[no-any-return]
        if self.ours.type_name(old) != self.theirs.type_name(new):
            return self._plain(path, old, new)
        words = simple_text(old), simple_text(new)
        if None not in words:
            return self._plain(path, old, new)
        picture = compare_pixels(pixels_of_image(old), pixels_of_image(new), drawn=self.theirs.pictures)
        if picture is not None:
            return self._plain(path, old, new, detail=picture)
        return self._things(path, old, new)

    def _known(self, path: str, old: Call, new: Call) -> Any:
        """Compare what has a form of its own: functions, classes, arrays, tables. Else NotImplemented."""
        if old.path == new.path == MAKE_FUNCTION:
            return self._functions(path, old, new)
        if old.path == new.path == MAKE_CLASS:
            return self._classes(path, old, new)
        ours, theirs = find_frame(old, self.ours.stored), find_frame(new, self.theirs.stored)
        if isinstance(ours, Frame) and isinstance(theirs, Frame):
            return self._frames(path, ours, theirs, old, new)
        if ours is not None and theirs is not None:
            if isinstance(ours, Frame) or isinstance(theirs, Frame):
                return self._plain(path, old, new)
            detail = compare_indexes(ours, theirs, self.ours, self.theirs)
            return self._whole(path, old, new, [], detail=detail)
        one, other = find_array(old, self.ours.stored), find_array(new, self.theirs.stored)
        if isinstance(one, Array) and isinstance(other, Array):
            return self._arrays(path, one, other, old, new)
        if isinstance(one, ObjectArray) and isinstance(other, ObjectArray):
            found = compare_object_arrays(one, other, self.same, self.theirs.word)
            return self._whole(path, old, new, [], detail=found)
        if one is not None and other is not None:  # numbers, or two kinds of arrays
            return self._plain(path, old, new)
        return NotImplemented

    def _arrays(self, path: str, one: Array, other: Array, old: Node, new: Node) -> ValueChange | None:
        tables = frame_of_records(one), frame_of_records(other)
        detail: Detail | None
        if tables[0] is not None and tables[1] is not None:
            detail = compare_frames(tables[0], tables[1], self.ours, self.theirs)
        else:
            detail = compare_arrays(one, other)
        inside = self.compare(path, one.state, other.state)
        parts = [] if inside is None else list(inside.parts) or [inside]
        notes = [f"{one.type} -> {other.type}"] if one.type != other.type else []
        if self.theirs.pictures and detail is not None and one.shape == other.shape:
            pictures = pixels_of_array(one), pixels_of_array(other)
            picture = compare_pixels(*pictures) if all(pictures) else None
            if picture is not None:
                parts.append(ValueChange(path=path, change="changed", detail=picture))
        return self._whole(path, old, new, parts, detail=detail, notes=notes)

    def _frames(self, path: str, one: Frame, other: Frame, old: Call, new: Call) -> ValueChange | None:
        detail: FrameChange | None = compare_frames(one, other, self.ours, self.theirs)
        inside = self._named(path, one.extra, other.extra, old, new)
        parts = inside.parts if inside is not None else []
        notes = [f"{one.type} -> {other.type}"] if one.type != other.type else []
        return self._whole(path, old, new, parts, detail=detail, notes=notes)

    def _functions(self, path: str, old: Call, new: Call) -> Any:
        codes = code_of(old), code_of(new)
        if codes[0] is None or codes[1] is None:
            return NotImplemented
        detail = compare_code(codes[0], codes[1], self.ours, self.theirs)
        state = self._named(path, function_state(old), function_state(new), old, new)
        rest = self.compare(f"{path} made with ", rest_of_function(old), rest_of_function(new))
        parts = state.parts if state is not None else []
        if detail is not None and detail.code:  # the source shows these, too
            shown = (".__doc__", ".__annotations__", ".__defaults__", ".__kwdefaults__")
            parts = [part for part in parts if not part.path.endswith(shown)]
        parts = [*parts, *(rest.parts if rest is not None else [])]
        return self._whole(path, old, new, parts, detail=detail)

    def _classes(self, path: str, old: Call, new: Call) -> ValueChange | None:
        named = self._named(path, class_parts(old), class_parts(new), old, new)
        rest = self.compare(f"{path} made with ", rest_of_class(old), rest_of_class(new))
        parts = [*(named.parts if named is not None else []), *(rest.parts if rest is not None else [])]
        return self._whole(path, old, new, parts, named.more if named is not None else 0)

    def _named(
        self, path: str, ours: list[tuple[str, Node]], theirs: list[tuple[str, Node]], old: Node, new: Node
    ) -> ValueChange | None:
        """Compare parts that have names: attributes of an instance, of a class."""
        a, b = dict(ours), dict(theirs)
        parts: list[ValueChange] = []
        more = 0
        for name in [*b, *(name for name in a if name not in b)]:
            there = name in a and name in b
            if there and self.same(a[name], b[name]):
                continue
            if not self._take_room():
                more += 1
                continue
            inside = f"{path}.{name}"
            if there:
                change = self.compare(inside, a[name], b[name])
            else:
                change = self._one_sided(inside, "added" if name in b else "removed", (b if name in b else a)[name])
            if change is not None:
                parts.append(change)
        return self._whole(path, old, new, parts, more)

    def _things(self, path: str, old: Call, new: Call) -> ValueChange | None:
        """Compare instances of whatever class by all that they are made of."""
        ours, theirs = parts_of(old), parts_of(new)
        named = self._named(path, ours.attributes, theirs.attributes, old, new)
        parts = list(named.parts) if named is not None else []
        more = named.more if named is not None else 0
        notes: list[str] = []
        if ours.contents is not None and theirs.contents is not None:
            inside = self.compare(path, ours.contents, theirs.contents)
            if inside is not None:
                parts, more, notes = parts + inside.parts, more + inside.more, [*notes, *inside.notes]
                if not inside.parts and not inside.more:
                    parts.append(inside)
        elif ours.contents is not theirs.contents:
            return self._plain(path, old, new)
        inside = self.compare(f"{path} made with ", ours.rest, theirs.rest)
        if inside is not None:
            parts, more = parts + inside.parts, more + inside.more
        return self._whole(path, old, new, parts, more, notes=notes)


__all__ = ["Comparison"]
