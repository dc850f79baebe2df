"""Conflicts of the structure in words: for the report with the names of the sides, for the note with their labels."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from nbcellar.merge.model import Side, other_side


class Words(NamedTuple):
    """What the sides are called, and how a name or a value is set off from the sentence."""

    ours: str
    theirs: str
    quote: Callable[[str], str]

    def side(self, side: Side) -> str:
        """Return what a side is called."""
        return self.ours if side == "ours" else self.theirs


Sentence = Callable[[Words], str]
PLAIN = Words("ours", "theirs", lambda text: f"'{text}'")


def both_renamed(was: str, ours: str, theirs: str) -> Sentence:
    """Both sides gave a component a name."""

    def said(words: Words) -> str:
        named = f"{words.ours} calls it {words.quote(ours)}, {words.theirs} {words.quote(theirs)}"
        return f"both renamed the component {words.quote(was)}: {named}" if was else f"both made a component: {named}"

    return said


def both_set(name: str, field: str, ours: Any, theirs: Any) -> Sentence:
    """Both sides set how a component is run; `...` stands for a side that does not say it any more."""

    def said(words: Words) -> str:
        values = [words.quote(_json(value)) if value is not ... else "nothing" for value in (ours, theirs)]
        both = f"{words.ours} has {values[0]}, {words.theirs} {values[1]}"
        return f"both changed {field} of the component {words.quote(name)}: {both}"

    return said


def taken_out(name: str, by: Side, children: Sequence[str], *, is_changed: bool) -> Sentence:
    """One side made a component a plain cell; the other changed it, or drew an edge from it."""

    return _gone("took the component {} out of the pipeline", name, by, children, is_changed)


def deleted(name: str, by: Side, children: Sequence[str], *, is_changed: bool) -> Sentence:
    """One side deleted the cell of a component; the other changed it, or drew an edge from it."""

    return _gone("deleted the component {}", name, by, children, is_changed)


def same_name(name: str, other: str) -> Sentence:
    """Both sides gave two cells one name."""

    def said(words: Words) -> str:
        kept = f"{words.ours} keeps it, the one of {words.theirs} is {words.quote(other)} now"
        return f"both call a component {words.quote(name)}, each another cell: {kept}"

    return said


def circle(edges: Sequence[tuple[str, str, str]]) -> Sentence:
    """Edges, each of which a side drew (or both: ""), lead round in a circle."""

    def said(words: Words) -> str:
        sides = {"ours": f" ({words.ours})", "theirs": f" ({words.theirs})", "": ""}
        drawn = [f"{words.quote(parent)} -> {words.quote(child)}{sides[by]}" for parent, child, by in edges]
        return f"the edges {_listed(drawn)} would make components wait for each other"

    return said


def crossed(parent: str, child: str, names: Sequence[str], by: Side, edges: Sequence[tuple[str, str]]) -> Sentence:
    """One side's source takes names from a component that an edge of the other side puts behind it."""

    def said(words: Words) -> str:
        other = words.side(other_side(by))
        drawn = _listed([f"{words.quote(first)} -> {words.quote(last)}" for first, last in edges])
        takes = f"{words.quote(child)} takes {', '.join(names)} from {words.quote(parent)} ({words.side(by)})"
        return f"{takes}, but {drawn} ({other}) puts it first: they would wait for each other"

    return said


def edge_label(parent: str, child: str) -> str:
    """Return what an edge is called."""
    return f"edge '{parent}' -> '{child}'"


def _gone(what: str, name: str, by: Side, children: Sequence[str], is_changed: bool) -> Sentence:
    """One side did away with a component, and the other did something with it."""

    def said(words: Words) -> str:
        other = words.side(other_side(by))
        did = [f"{other} changed it"] if is_changed else []
        if children:
            edges = f"drew an edge from it to {_listed([words.quote(child) for child in children])}"
            did.append(edges if did else f"{other} {edges}")
        return f"{words.side(by)} {what.format(words.quote(name))}, {' and '.join(did)}"

    return said


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


__all__ = [
    "PLAIN",
    "Sentence",
    "Words",
    "both_renamed",
    "both_set",
    "circle",
    "crossed",
    "deleted",
    "edge_label",
    "same_name",
    "taken_out",
]
