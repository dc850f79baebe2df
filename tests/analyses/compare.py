"""What differs between two records of a session, and which of it a command's report has announced. Pure.

Invariant: two records differ in something if and only if `differences` names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]
RANDOM = frozenset({"random", "numpy.random"})


@dataclass(frozen=True)
class Difference:
    """One thing that is not what it was. names: the variables, or the part of the surroundings, that it concerns."""

    names: frozenset[str]
    text: str


def differences(
    then: Record, now: Record, parts: frozenset[str] | None = None, without: Iterable[str] = ()
) -> list[Difference]:
    """Return what is otherwise now.

    parts: the surroundings to compare; None: all that both records have. without: variables whose sharing with others
    is not looked at; what the others share among them is.
    """
    found = list(_variables(then["variables"], now["variables"]))
    for kind, words in (("aliases", "shared objects"), ("memory", "shared memory")):
        before, after = (_sharing(record[kind], set(without)) for record in (then, now))
        found += [_unlike(line, f"{words} no more") for line in sorted(before - after)]
        found += [_unlike(line, f"{words} that were not") for line in sorted(after - before)]
    for kind, names in (("calls", _words), ("pixels", _first), ("futures", _first)):
        for key in sorted(then[kind].keys() | now[kind].keys()):
            before, after = then[kind].get(key), now[kind].get(key)
            if before != after:
                found.append(Difference(names(key), f"{kind}: {key}: {before} became {after}"))
    for part in sorted(then["ambient"].keys() & now["ambient"].keys()):
        if parts is None or part in parts:
            ours, theirs = then["ambient"][part], now["ambient"][part]
            # An option that was not there came with a library, and stays with it; a variable of the environment goes.
            for key in sorted(ours.keys() | theirs.keys() if part == "environ" else ours):
                before, after = ours.get(key, "nothing"), theirs.get(key, "nothing")
                if before != after:
                    found.append(Difference(frozenset({part}), f"{part}: {key}: {_around(before, after)}"))
    return found


def unannounced(found: Iterable[Difference], announced: Iterable[str]) -> list[Difference]:
    """Return the differences that concern nothing that was announced."""
    said = set(announced)
    return [difference for difference in found if said.isdisjoint(difference.names)]


def _variables(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterable[Difference]:
    for name in sorted(then.keys() | now.keys()):
        names = frozenset({name})
        if name not in now:
            yield Difference(names, f"{name} is gone")
        elif name not in then:
            yield Difference(names, f"{name} is there and was not")
        elif then[name]["digest"] != now[name]["digest"]:
            yield Difference(names, f"{name}: {_where(then[name], now[name])}")


def _where(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return the deepest places of a variable that differ, and what it looks like before and after."""
    before, after = then["parts"], now["parts"]
    places = [path for path in (before.keys() | after.keys()) if before.get(path) != after.get(path)]
    deepest = sorted(p for p in places if not any(q != p and q.startswith(p) for q in places))
    shown = "" if then["text"] == now["text"] else f"; {then['text']!r} became {now['text']!r}"
    return f"at {', '.join(deepest[:6])}{shown}"


def sharers(record: Record) -> list[set[str]]:
    """Return the sets of variables that share an object or memory."""
    return [{name for name, _ in line} for kind in ("aliases", "memory") for line in record[kind]]


def _sharing(lines: Iterable[Any], without: set[str]) -> set[tuple[tuple[str, str], ...]]:
    """Return who shares what, without some variables; what one of them shares with nobody else is nothing."""
    rest = (tuple((name, path) for name, path in line if name not in without) for line in lines)
    return {line for line in rest if len(line) > 1}


def _unlike(line: tuple[tuple[str, str], ...], words: str) -> Difference:
    return Difference(frozenset(name for name, _ in line), f"{words}: {' = '.join(path for _, path in line)}")


def _words(expression: str) -> frozenset[str]:
    return frozenset(re.findall(r"(?<![\w.'\"])[A-Za-z_]\w*", expression))


def _first(path: str) -> frozenset[str]:
    return frozenset(re.findall(r"^\w+", path))


def _around(before: str, after: str) -> str:
    at = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after)))
    return f"...{before[max(0, at - 30) : at + 60]!r} became ...{after[max(0, at - 30) : at + 60]!r}"
