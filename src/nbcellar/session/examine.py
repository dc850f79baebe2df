"""Looking at objects of the user: encode, hash, judge. Any exception of their classes becomes a reason.

Invariant: nothing of the session changes, and no exception but KeyboardInterrupt leaves this module.
Not for: remembering what was found (`tracker.py`).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any

from xxhash import xxh3_128

from nbcellar.errors import CannotStoreError, CellarError
from nbcellar.session.encode import (
    Context,
    Encoded,
    Limits,
    OverBudgetError,
    QuickHasher,
    Results,
    Settle,
    TextBlindEncoder,
    encode,
)
from nbcellar.session.fidelity import Fidelity, fingerprint, load_copy
from nbcellar.session.groups import Group, Item
from nbcellar.session.importable import is_notebook_class
from nbcellar.session.names import NeverStore
from nbcellar.session.regions import Layout, lay_out, overlapping_inline, overlapping_small
from nbcellar.session.shared import within_temporaries
from nbcellar.session.sharing import sorted_ids, spans_of
from nbcellar.session.uids import Uids

_NO_IDS: array[int] = array("Q")


class Examiner:
    """Encodes and hashes objects of one namespace."""

    def __init__(self, namespace: dict[str, Any], uids: Uids, never: NeverStore) -> None:
        self.namespace = namespace
        self.uids = uids
        self.never = never
        self.context = Context(namespace, uids.uid_of, never.names_class if never.classes else None)
        self.fidelity = Fidelity()
        self._overlapping: set[tuple[str, ...]] = set()  # classes of objects whose small arrays showed memory of others

    def item(self, name: str, obj: object, limits: Limits) -> Item:
        if name and self.leaves_out(name):
            return Item(name, obj, None, "the setting record.never_store_names names it", _NO_IDS, ())
        roots = frozenset((id(obj),)) if self.is_definition(obj) else frozenset()
        item = self.try_encode((obj,), limits, roots)
        item.name, item.obj = name, obj
        return item

    def leaves_out(self, name: str) -> bool:
        """True for a variable whose value a setting keeps out of the store."""
        return self.never.names_variable(name)

    def is_definition(self, obj: object) -> bool:
        return isinstance(obj, type) and is_notebook_class(obj, self.namespace)

    def try_encode(
        self,
        objects: tuple[object, ...],
        limits: Limits,
        roots: frozenset[int],
        *,
        sharing: bool = True,
        split: bool | None = None,
        known_results: Results | None = None,
    ) -> Item:
        def run(inline: bool) -> Encoded:
            return encode(
                objects,
                self.context,
                limits,
                roots=roots,
                inline=inline,
                sharing=sharing,
                split=split,
                known_results=known_results,
            )

        try:
            encoded = self._encoded(run, tuple(type(obj).__qualname__ for obj in objects))
        except OverBudgetError as error:
            return Item("", objects, None, f"over budget: {error}", _NO_IDS, ())
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a class's own code may raise anything
            return Item("", objects, None, _reason(error), _NO_IDS, ())
        return Item("", objects, encoded, "", sorted_ids(encoded.shared), spans_of(encoded.exports))

    def _encoded(self, run: Callable[[bool], Encoded], kinds: tuple[str, ...]) -> Encoded:
        """Encode with small arrays in the stream, unless that would lose aliases; objects of classes of which that was
        so the last time are not encoded twice to find out."""
        if kinds not in self._overlapping:
            encoded = run(True)
            if not overlapping_inline(encoded.exports):
                return encoded
            self._overlapping.add(kinds)
        encoded = run(False)
        if overlapping_inline(encoded.exports):
            raise CannotStoreError("an array shows memory of another one that holds objects or is a copy")
        if not overlapping_small(encoded.exports):
            self._overlapping.discard(kinds)
            again = run(True)
            return encoded if overlapping_inline(again.exports) else again
        return encoded

    def loses(self, group: Group, encoded: Encoded) -> bool:
        """True if a class of its own pickling turns out to leave something out, now that its attributes differ."""
        if not group.is_opaque:
            return False
        now = fingerprint(encoded.opaque)
        if now == group.fingerprint:
            return False
        group.fingerprint = now
        return bool(self.fidelity.reason(encoded, self.context, again=True))

    def is_unstable(
        self, group: Group, version: bytes, objects: tuple[object, ...], limits: Limits, roots: frozenset[int]
    ) -> bool:
        """True if encoding again, with nothing run in between, gives yet another hash."""
        again = self.try_encode(objects, limits, roots, sharing=False, split=group.split).encoded
        return again is not None and self.version(again, lay_out(again), group.defines) != version

    def settled(self, encoded: Encoded, settle: Settle, memory_bytes: int) -> bytes:
        """Return the hash of a copy of a value that was used, as a first drawing uses a figure; empty: it has none."""
        try:
            copies = settle(lambda: load_copy(encoded, self.namespace))
            found = encode(copies, self.context, Limits(memory_bytes), sharing=False, kind=TextBlindEncoder)  # type: ignore[arg-type]
            return self.version(found, lay_out(found), ())
        except KeyboardInterrupt:
            raise
        except BaseException:  # what cannot be drawn, say
            return b""

    def only_results_appeared(
        self, group: Group, objects: tuple[object, ...], encoded: Encoded, limits: Limits, roots: frozenset[int]
    ) -> bool:
        """True if the same objects are what was stored, but for results that they have computed since and keep."""
        if not any(encoded.results[key] - known for key, known in group.results.items() if key in encoded.results):
            return False
        split = bool(encoded.container)
        item = self.try_encode(objects, limits, roots, sharing=False, split=split, known_results=group.results)
        known = item.encoded
        return known is not None and self.version(known, lay_out(known), group.defines) == group.stored

    def make_group(
        self, names: tuple[str, ...], roots: tuple[type, ...], objects: tuple[object, ...], whole: Item, number: int
    ) -> Group:
        return Group(
            names=names,
            roots=roots,
            hidden=tuple(root for root in roots if id(root) not in set(map(id, objects))),
            object_ids=tuple(map(id, objects)),
            version=b"",
            baseline=b"",
            shared=whole.shared,
            spans=whole.spans,
            needs=(),
            needs_uids=(),
            defines=tuple(self.uids.uid_of(root) for root in roots),
            seconds=0.0,
            size_bytes=0,
            verified=number,
            reason=whole.reason,
        )

    def fill(self, group: Group, encoded: Encoded, layout: Layout) -> Layout:
        """Note in a group what its encoding says."""
        group.needs = tuple(encoded.needs)
        group.needs_uids = tuple(self.uids.uid_of(cls) for cls in encoded.needs)
        group.version = group.baseline = group.stored = self.version(encoded, layout, group.defines)
        group.results = encoded.results
        group.seconds = encoded.seconds
        group.size_bytes = encoded.size_bytes + sum(region.size_bytes for region in layout.regions)
        group.is_opaque = bool(encoded.opaque)
        group.fingerprint = fingerprint(encoded.opaque) if encoded.opaque else 0
        group.is_codeless = not encoded.types
        group.split = bool(encoded.container)
        group.is_plain = not (layout.places or encoded.needs or group.defines) and len(encoded.parts) == 1
        return layout

    def version(self, encoded: Encoded, layout: Layout, defines: Sequence[str]) -> bytes:
        digest = xxh3_128()
        for part in encoded.parts:
            digest.update(part)
        for region in layout.regions:
            digest.update(region.size_bytes.to_bytes(8, "big"))
            for quick in region.hashes:
                digest.update(quick)
        if layout.places:
            digest.update(repr(layout.places).encode())
        if encoded.needs or defines:
            uids = [self.uids.uid_of(cls) for cls in encoded.needs]
            digest.update(repr((uids, list(defines))).encode())
        return digest.digest()

    @staticmethod
    def is_same(hasher: QuickHasher, objects: tuple[object, ...], baseline: bytes) -> bool:
        try:
            return hasher.hash(objects) == baseline
        except KeyboardInterrupt:
            raise
        except BaseException:  # a class's own code; the full examination says what it is
            return False


def without_temporaries(item: Item) -> Item:
    """Take what is of the pickling alone out of what an item may share; asked where it seems to share something."""
    memo = getattr(getattr(item.encoded, "pickler", None), "memo", None)
    passing = within_temporaries(memo.copy()) if memo is not None else ()
    if passing:
        item.shared = array("Q", [ident for ident in item.shared if ident not in passing])
    return item


def _reason(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply to be pickled"
    text = str(error).strip() or type(error).__name__
    first = text.splitlines()[0][:200]
    return first if isinstance(error, CellarError | TypeError) else f"{type(error).__name__}: {first}"
