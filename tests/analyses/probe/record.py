"""One look at a session: variables, what they share, surroundings, calls, pictures, what iterators give."""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .pieces import ADDRESS, text_of, type_name
from .surroundings import ambient
from .walk import Walk

FUTURE = 5  # so many items of an iterator are looked at


class Record:
    """What one look at a session finds. found: the user's variables among all names."""

    def __init__(
        self, namespace: dict[str, Any], found: Mapping[str, object], calls: Sequence[str], stream: Any
    ) -> None:
        self.namespace = namespace
        # Filters were changed by the child itself: the caller of `take` has them in the parent, so they come first.
        self.ambient = ambient(stream)
        self.variables: dict[str, dict[str, Any]] = {}
        owners: dict[int, dict[str, str]] = {}
        spans: list[tuple[int, int, bool, str, str]] = []
        futures: list[tuple[str, Any]] = []
        for name, value in found.items():
            walk = Walk(namespace)
            digest = walk.visit(value, name)
            self.variables[name] = {
                "digest": digest,
                "type": type_name(type(value)),
                "id": id(value),
                "text": text_of(value)[:160],
                "parts": walk.parts,
            }
            for ident, path in walk.paths.items():
                owners.setdefault(ident, {})[name] = path
            spans += [(low, high, cow, name, path) for low, high, cow, path in walk.spans]
            futures += [(path, obj) for path, obj in walk.iterators]
        self.aliases = sorted(sorted(paths.items()) for paths in owners.values() if len(paths) > 1)
        self.memory = sorted(_overlaps(spans))
        random.setstate(stream)
        self.calls = {text: self._call(text) for text in calls}
        self.pixels = self._pixels(found)
        self.futures = {path: self._future(obj) for path, obj in futures}

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain data."""
        return {
            "variables": self.variables,
            "aliases": self.aliases,
            "memory": self.memory,
            "ambient": self.ambient,
            "calls": self.calls,
            "pixels": self.pixels,
            "futures": self.futures,
        }

    def _call(self, text: str) -> str:
        """Return what an expression gives; in the child it may change what it likes, the next one sees that."""
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                value = eval(text, self.namespace)
        except Exception as error:
            return f"{type(error).__name__}: {ADDRESS.sub('', str(error))}"
        return Walk(self.namespace).visit(value, "value") + " " + text_of(value)[:80]

    def _future(self, iterator: Any) -> str:
        items = []
        try:
            for item in itertools.islice(iterator, FUTURE):
                items.append(Walk(self.namespace).visit(item, "item"))
        except Exception as error:
            items.append(f"{type(error).__name__}: {error}")
        return " ".join(items)

    def _pixels(self, found: Mapping[str, object]) -> dict[str, str]:
        """Return a digest of the picture of every variable that is, or belongs to, a figure."""
        if "matplotlib.figure" not in sys.modules:
            return {}
        pictures: dict[int, str] = {}
        named: dict[str, str] = {}
        for name, value in found.items():
            figure = _figure_of(value)
            if figure is not None:
                if id(figure) not in pictures:
                    pictures[id(figure)] = _drawn(figure)
                named[name] = pictures[id(figure)]
        return named


def _figure_of(value: object) -> Any:
    figures = sys.modules["matplotlib.figure"]
    artists = sys.modules["matplotlib.artist"]
    if isinstance(value, figures.Figure):
        return value
    if isinstance(value, artists.Artist):
        figure = value.figure
        while figure is not None and not isinstance(figure, figures.Figure):
            figure = getattr(figure, "figure", None)
        return figure
    return None


def _drawn(figure: Any) -> str:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    try:
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return hashlib.blake2b(bytes(canvas.buffer_rgba()), digest_size=12).hexdigest()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _overlaps(spans: list[tuple[int, int, bool, str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Yield the pairs of memory of different variables that overlap: their names, where, how far they are apart."""
    spans = sorted(set(spans))
    open_: list[tuple[int, int, bool, str, str]] = []
    for span in spans:
        open_ = [other for other in open_ if other[1] > span[0]]
        for other in open_:
            # What pandas copies when it is written to is shared with nobody, whatever the addresses say.
            if other[3] != span[3] and not (other[2] and span[2]):
                apart = span[0] - other[0]
                yield sorted([(other[3], f"{other[4]} {-apart:+}"), (span[3], f"{span[4]} {apart:+}")])
        open_.append(span)
