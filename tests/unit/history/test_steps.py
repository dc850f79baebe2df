"""Undo and redo on graphs: `S` a kernel's start, `a` a cell run, `b` between, `n` named."""

from __future__ import annotations

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.errors import InvalidInputError
from nbcellar.history.index import Node
from nbcellar.history.model import CommitKind
from nbcellar.history.steps import count_redos, count_undos, redo_target, undo_target
from nbcellar.ids import CommitId

KINDS = {
    "S": CommitKind.START,
    "A": CommitKind.ATTACH,
    "a": CommitKind.AUTO,
    "b": CommitKind.BETWEEN,
    "n": CommitKind.NAMED,
    "u": CommitKind.UNDO,
    "r": CommitKind.REDO,
    "R": CommitKind.RESTORE,
    "c": CommitKind.CHECKOUT,
}


def identify(name: str) -> CommitId:
    return CommitId(blake3(name.encode()).digest())


class Line:
    """Commits in a row, named by their kind and a number: `Line("S a1 a2 n1 u1@a1")`."""

    def __init__(self, text: str) -> None:
        self.nodes: dict[CommitId, Node] = {}
        self.names: dict[CommitId, str] = {}
        self.head: CommitId | None = None
        for word in text.split():
            name, _, at = word.partition("@")
            self.add(name, at)

    def add(self, name: str, at: str = "") -> None:
        identifier = identify(name)
        self.names[identifier] = name
        self.nodes[identifier] = Node(identifier, KINDS[name[0]], self.head, identify(at) if at else None)
        self.head = identifier

    def node(self, commit: CommitId) -> Node:
        return self.nodes[commit]

    def undo(self, count: int = 1) -> str:
        assert self.head is not None
        plan = undo_target(self, self.head, count)
        return f"{self.names[plan.target]} <- {' '.join(self.names[step] for step in plan.steps)}"

    def redo(self, count: int = 1) -> str:
        assert self.head is not None
        plan = redo_target(self, self.head, count)
        return f"{self.names[plan.target]} <- {' '.join(self.names[step] for step in plan.steps)}"


@pytest.mark.parametrize(
    ("line", "count", "expected"),
    [
        ("S a1 a2", 1, "a1 <- a2"),
        ("S a1 a2 a3", 2, "a1 <- a3 a2"),
        ("S a1", 1, "S <- a1"),
        ("A a1", 1, "A <- a1"),
        ("S a1 a2 u1@a1", 1, "S <- a1"),
        ("S a1 a2 a3 u1@a2 u2@a1 r1@a2", 1, "a1 <- a2"),
        ("S a1 u1@S a2", 1, "S <- a2"),
        ("S a1 n1", 1, "S <- a1"),
        ("S a1 n1 a2", 1, "n1 <- a2"),
        ("S a1 b1", 1, "S <- a1"),
        ("S a1 b1 a2", 1, "b1 <- a2"),
        ("S a1 a2 u1@a1 b1", 1, "S <- a1"),
        ("S1 a1 S2", 1, "a1 <- S2"),
        ("S1 a1 S2 a2", 2, "a1 <- a2 S2"),
        ("S1 a1 a2 S2 R1@a2", 1, "a1 <- a2"),
        ("S a1 a2 c1@a1", 1, "a2 <- c1"),
    ],
)
def test_undo_leads_to(line: str, count: int, expected: str) -> None:
    assert Line(line).undo(count) == expected


@pytest.mark.parametrize(
    ("line", "count", "expected"),
    [
        ("S a1 a2 u1@a1", 1, "a2 <- a2"),
        ("S a1 a2 u1@a1 u2@S", 1, "a1 <- a1"),
        ("S a1 a2 u1@a1 u2@S", 2, "a2 <- a1 a2"),
        ("S a1 a2 u1@S", 1, "a1 <- a1"),
        ("S a1 a2 u1@S r1@a1", 1, "a2 <- a2"),
        ("S a1 a2 u1@a1 r1@a2 u2@a1 u3@S", 2, "a2 <- a1 a2"),
        ("S a1 a2 u1@a1 n1", 1, "a2 <- a2"),
        ("S a1 a2 b1 u1@a1", 1, "b1 <- a2"),
    ],
)
def test_redo_leads_to(line: str, count: int, expected: str) -> None:
    assert Line(line).redo(count) == expected


def test_a_new_cell_run_ends_what_can_be_done_again() -> None:
    with pytest.raises(InvalidInputError, match="there is nothing to redo"):
        Line("S a1 a2 u1@a1 a3").redo()


def test_the_first_commit_cannot_be_undone() -> None:
    with pytest.raises(InvalidInputError, match="there is nothing to undo"):
        Line("S").undo()


def test_too_many_steps_are_refused_with_their_number() -> None:
    with pytest.raises(InvalidInputError, match="cannot undo 5 steps: only 2 steps can be undone"):
        Line("S a1 a2").undo(5)
    with pytest.raises(InvalidInputError, match="cannot redo 2 steps: only 1 step can be done again"):
        Line("S a1 a2 u1@a1").redo(2)
    with pytest.raises(InvalidInputError, match="cannot undo 0 steps"):
        Line("S a1").undo(0)


@given(st.lists(st.sampled_from(["a", "undo", "redo", "n", "b", "S"]), max_size=30))
def test_redo_takes_an_undo_back_wherever_it_is_made(words: list[str]) -> None:
    line = Line("S0")
    for number, word in enumerate(words, start=1):
        assert line.head is not None
        if word == "undo" and count_undos(line, line.head):
            line.add(f"u{number}", line.undo().partition(" ")[0])
        elif word == "redo" and count_redos(line, line.head):
            line.add(f"r{number}", line.redo().partition(" ")[0])
        elif word not in ("undo", "redo"):
            line.add(f"{word}{number}")
    assert line.head is not None
    if count_undos(line, line.head):
        before = line.head
        redos = count_redos(line, line.head)
        line.add("u-last", line.undo().partition(" ")[0])
        assert count_redos(line, line.head) == redos + 1
        again = redo_target(line, line.head).target
        assert _effective(line, again) == _effective(line, before)


def _effective(line: Line, commit: CommitId) -> CommitId:
    node = line.nodes[commit]
    while node.kind in (CommitKind.UNDO, CommitKind.REDO) and node.at is not None:
        node = line.nodes[node.at]
    return node.id


def test_a_long_history_of_undos_and_redos_is_walked_without_recursion() -> None:
    line = Line("S a1 a2")
    for number in range(3000):
        line.add(f"u{number}", "a1")
        line.add(f"r{number}", "a2")
    assert line.undo() == "a1 <- a2"
    assert line.head is not None and count_undos(line, line.head) == 2
