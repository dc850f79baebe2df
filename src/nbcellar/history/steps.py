"""Undo and redo: which commit's state a step back or forth leads to.

A step is a cell run (or a kernel's start, an attach, a checkout of variables) with everything that no cell run
accounts for after it. Named commits are not steps. An undo is a new commit that says in `at` where it went, and the
next one goes on from there; so does a restore.

    a1 --- a2 --- a3 --- undo(at a2) --- undo(at a1) --- redo(at a2)
                         back from a3    back from a2    forth again; a new cell run ends what can be redone

Invariant: `redo_target` after `undo_target` leads back to the state before, step by step. Pure: asks only for the
places of commits in the graph. Not for: changing a session or recording (the session does both).
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from nbcellar.errors import InvalidInputError
from nbcellar.history.index import Node
from nbcellar.history.model import CommitKind
from nbcellar.ids import CommitId, short


class Graph(Protocol):
    """Anything that knows commits' places; a `Repository` does."""

    def node(self, commit: CommitId) -> Node: ...


class StepPlan(msgspec.Struct, frozen=True):
    """Where to go, and the steps passed on the way, in the order in which they are passed.

    target: the commit to be the `at` of the new commit. state: the one whose state the session had there, another one
    where a restore that went to `target` left something out. steps: the commits that began the steps which are undone
    or done again.
    """

    target: CommitId
    state: CommitId
    steps: tuple[CommitId, ...]


_JUMPS = (CommitKind.UNDO, CommitKind.REDO, CommitKind.RESTORE)
_REDO_HINT = "running a cell ends what can be redone; any state that was recorded: cellar log, cellar checkout REF"
_PART_OF_THE_STEP_BEFORE = (CommitKind.BETWEEN, CommitKind.NAMED)


def undo_target(graph: Graph, head: CommitId, count: int = 1) -> StepPlan:
    """Return where `count` undos from `head` lead. Raises InvalidInputError that says how many there are."""
    _check_count(count, "undo")
    position = state = head
    steps: list[CommitId] = []
    while len(steps) < count:
        back = _step_back(graph, position)
        if back is None:
            raise InvalidInputError(_too_many("undo", count, len(steps)))
        begun, position = back
        state = graph.node(begun).parent or position
        steps.append(begun)
    return StepPlan(position, state, tuple(steps))


def redo_target(graph: Graph, head: CommitId, count: int = 1) -> StepPlan:
    """Return where `count` redos from `head` lead. Raises InvalidInputError that says how many there are."""
    _check_count(count, "redo")
    ahead = _undone_positions(graph, head)
    if count > len(ahead):
        raise InvalidInputError(_too_many("redo", count, len(ahead)), hint=_REDO_HINT if not ahead else "")
    passed = ahead[-1 : -count - 1 : -1]
    return StepPlan(passed[-1], passed[-1], tuple(_begin_of_step(graph, position) for position in passed))


def count_undos(graph: Graph, head: CommitId, *, most: int = 1000) -> int:
    """Return how many steps can be undone, counting to `most`."""
    count, back = 0, _step_back(graph, head)
    while back is not None and count < most:
        count, back = count + 1, _step_back(graph, back[1])
    return count


def count_undos_to(graph: Graph, head: CommitId, target: CommitId) -> int | None:
    """Return how many undos lead from `head` to the step that `target` is part of; None where they do not."""
    wanted = _begin_of_step(graph, target)
    count, position = 0, head
    while _begin_of_step(graph, position) != wanted:
        back = _step_back(graph, position)
        if back is None:
            return None
        count, position = count + 1, back[1]
    return count


def require_undos_to(graph: Graph, head: CommitId, target: CommitId) -> int:
    """Return how many undos lead from `head` to the step that `target` is part of. Raises InvalidInputError."""
    count = count_undos_to(graph, head, target)
    if count is None:
        raise InvalidInputError(
            f"undo does not lead to {short(target)}: it is not before the state of now", hint="check it out instead"
        )
    if count == 0:
        raise InvalidInputError(f"the session is at {short(target)} already")
    return count


def count_redos(graph: Graph, head: CommitId) -> int:
    """Return how many steps can be done again."""
    return len(_undone_positions(graph, head))


def _check_count(count: int, verb: str) -> None:
    if count < 1:
        raise InvalidInputError(f"cannot {verb} {count} steps", hint=f"give a number from 1 on: cellar {verb} 2")


def _too_many(verb: str, asked: int, there: int) -> str:
    if there == 0:
        return f"there is nothing to {verb}"
    steps = "1 step" if there == 1 else f"{there} steps"
    return f"cannot {verb} {asked} steps: only {steps} can be {'undone' if verb == 'undo' else 'done again'}"


def _position(graph: Graph, commit: CommitId) -> CommitId:
    """Return the commit that `commit` went to, itself where it went nowhere."""
    node = graph.node(commit)
    while node.kind in _JUMPS and node.at is not None:
        node = graph.node(node.at)
    return node.id


def _begin_of_step(graph: Graph, position: CommitId) -> CommitId:
    """Return the commit that began the step which `position` is part of."""
    node = graph.node(_position(graph, position))
    while node.kind in _PART_OF_THE_STEP_BEFORE and node.parent is not None:
        node = graph.node(_position(graph, node.parent))
    return node.id


def _step_back(graph: Graph, position: CommitId) -> tuple[CommitId, CommitId] | None:
    """Return (commit that began the step, position before it), None at the first commit."""
    begun = _begin_of_step(graph, position)
    parent = graph.node(begun).parent
    return None if parent is None else (begun, _position(graph, parent))


def _undone_positions(graph: Graph, head: CommitId) -> list[CommitId]:
    """Return the positions that redo leads to, the next one last."""
    line: list[Node] = []
    node = graph.node(head)
    while node.kind in (CommitKind.UNDO, CommitKind.REDO, *_PART_OF_THE_STEP_BEFORE) and node.parent is not None:
        line.append(node)
        node = graph.node(node.parent)
    position = _position(graph, node.id)
    ahead: list[CommitId] = []
    for node in reversed(line):
        if node.kind is CommitKind.UNDO and node.at is not None:
            target = _position(graph, node.at)
            ahead += _passed(graph, position, target)
            position = target
        elif node.kind is CommitKind.REDO and node.at is not None:
            position = _position(graph, node.at)
            while ahead and ahead.pop() != position:
                pass
        else:
            position = node.id
    return ahead


def _passed(graph: Graph, start: CommitId, target: CommitId) -> list[CommitId]:
    """Return the positions left behind on the way back from `start` to `target`, the last one next to the target."""
    passed = [start]
    back = _step_back(graph, start)
    while back is not None and back[1] != target:
        passed.append(back[1])
        back = _step_back(graph, back[1])
    return passed if back is not None else [start]


__all__ = [
    "Graph",
    "StepPlan",
    "count_redos",
    "count_undos",
    "count_undos_to",
    "redo_target",
    "require_undos_to",
    "undo_target",
]
