"""What the panels of the browser ask for: stretches of the history, a state with its origins, lifelines, undo to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbcellar.api import Repo, entries, lifelines
from nbcellar.errors import InvalidInputError, NoKernelError
from nbcellar.history.model import CommitKind

from ..session.live import Live, live_session


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_session(tmp_path) as found:
        yield found


def repo_of(live: Live) -> Repo:
    environ = {"NBCELLAR_CONFIG_DIR": str(live.folder / "user"), "HOME": str(live.folder)}
    return Repo(live.repo, environ=environ, folder=live.folder / "project")


def test_entries_carry_the_beginning_of_their_code_and_how_long_it_ran(live: Live) -> None:
    live.cell("\n\nx = 1\ny = 2\nz = 3\nu = 4\nv = 5\n" + "w = '" + "w" * 300 + "'")
    entry = entries.history(repo_of(live)).entries[0]
    assert entry.source == "x = 1\ny = 2\nz = 3\nu = 4"
    assert entry.lines == 6
    assert entry.duration_s is not None
    assert set(entry.added) >= {"x", "y"}


def test_a_long_line_is_cut(live: Live) -> None:
    live.cell("w = '" + "w" * 300 + "'")
    assert len(entries.history(repo_of(live)).entries[0].source) == 200


def test_stretches_add_up_to_the_listing(live: Live) -> None:
    for number in range(7):
        live.cell(f"x = {number}")
    repo = repo_of(live)
    whole = entries.history(repo, limit=100)
    parts = [entry for skip in range(0, whole.total, 3) for entry in entries.history(repo, skip=skip, limit=3).entries]
    assert parts == whole.entries
    assert len(parts) == whole.total
    assert whole.head == parts[0].id


def test_what_came_since_is_all_that_is_returned(live: Live) -> None:
    live.cell("x = 1")
    repo = repo_of(live)
    known = entries.history(repo)
    newer = live.cell("x = 2")
    found = entries.history(repo, have=known.total, digest=known.digest)
    assert found.follows
    assert [entry.id for entry in found.entries] == [newer.hex()]
    assert found.total == known.total + 1


def test_nothing_new_is_no_entry_and_names_are_always_there(live: Live) -> None:
    live.cell("x = 1")
    repo = repo_of(live)
    known = entries.history(repo)
    repo.tag("v1")
    found = entries.history(repo, have=known.total, digest=known.digest)
    assert (found.follows, found.entries) == (True, [])
    assert [(name.kind, name.name) for name in found.names if name.kind == "tag"] == [("tag", "v1")]


def test_another_message_makes_the_asker_read_anew(live: Live) -> None:
    first = live.cell("x = 1")
    live.cell("x = 2")
    repo = repo_of(live)
    known = entries.history(repo)
    repo.set_message(first.hex(), "the first")
    found = entries.history(repo, have=known.total, digest=known.digest)
    assert not found.follows
    assert "the first" in [entry.title for entry in found.entries]


def test_a_state_names_the_commits_that_recorded_its_versions(live: Live) -> None:
    first = live.cell("x = 1\ny = [2]")
    second = live.cell("x = 3")
    found = entries.state(repo_of(live))
    assert found.commit.id == second.hex()
    assert {variable.name: variable.recorded_in for variable in found.variables} == {
        "x": second.hex(),
        "y": first.hex(),
    }
    assert [entry.id for entry in found.recorded] == [second.hex(), first.hex()]


def test_lifelines_are_the_events_of_each_variable(live: Live) -> None:
    live.cell("x = 1\nframe = [1, 2]\nname = 'a'")
    live.cell("x = 5\ngone = 1")
    live.cell("del gone\nframe.append(3)")
    live.session.undo(1)
    live.cell("x = 7\nname = 'b'")
    repo = repo_of(live)
    found = lifelines.lifelines(repo)
    line = [entry.id for entry in entries.history(repo, limit=100).entries][::-1]
    assert found.length == len(line)
    for variable in found.variables:
        events = repo.variable_history(variable.name).events
        assert [line[place] for place in variable.places] == [event.commit.id for event in events][::-1]
        assert variable.versions == len(events)
    assert {variable.name for variable in found.variables} == {"x", "frame", "name", "gone"}


def test_a_lifeline_holds_numbers_where_there_are_any(live: Live) -> None:
    live.cell("x = 1\nname = 'a'\nkind = {1}.__class__")
    live.cell("x = 2.5\nname = 'bcd'")
    found = {variable.name: variable.values for variable in lifelines.lifelines(repo_of(live)).variables}
    assert found == {"x": [1.0, 2.5], "name": [1.0, 3.0], "kind": [None]}


def test_many_places_are_thinned_to_those_a_sparkline_can_show(live: Live) -> None:
    for number in range(100):
        live.cell(f"x = {number}")
    (variable,) = lifelines.lifelines(repo_of(live)).variables
    assert variable.versions == 100
    assert len(variable.places) <= 64
    assert variable.places == sorted(set(variable.places))
    assert variable.values[-1] == 99.0


def test_undo_to_counts_the_steps(live: Live) -> None:
    commits = [live.cell(f"x = {number}") for number in range(4)]
    repo = repo_of(live)
    with pytest.raises(InvalidInputError, match="already"):
        entries.undo_to(repo, commits[-1].hex())
    with pytest.raises(NoKernelError):  # the way is known; in a test without kernels nobody walks it
        entries.undo_to(repo, commits[0].hex())


def test_undo_does_not_lead_to_what_was_undone(live: Live) -> None:
    live.cell("x = 1")
    undone = live.cell("x = 2")
    live.session.undo(1)
    assert live.repo.read_commit(live.repo.head(repo_of(live).notebook()).commit).kind is CommitKind.UNDO
    live.cell("x = 3")
    with pytest.raises(InvalidInputError, match="undo does not lead"):
        entries.undo_to(repo_of(live), undone.hex())
