"""Thinning out: what the keep policy promises is there and equal, all else is announced, and none of it is damage."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbcellar.errors import CellarError, InvalidInputError
from nbcellar.history.keep import DAY_NS, HOUR_NS, KeepPolicy, Place, kept_states
from nbcellar.history.maintenance import Collected, collect_garbage
from nbcellar.history.model import COMMIT_FORMAT, CellRun, Commit, CommitKind, Covariable, State, StateDelta
from nbcellar.history.repository import Repository
from nbcellar.history.thin import is_thinned, nearest_states, without_thinned
from nbcellar.ids import CommitId, Digest, NotebookId
from nbcellar.store.interface import Kind
from nbcellar.store.local import LocalStore
from nbcellar.store.rebuild import rebuild

from .conftest import Key

LARGE = 70_000
NOW = 1000 * DAY_NS
STRICT = KeepPolicy(last=1, all_hours=0, hourly_days=0, daily_days=0, below_bytes=1000)


def blocks_of(kind: Kind, data: bytes) -> list[Digest]:
    """Return what an object of these tests refers to: a VALUE is the digests of its blocks."""
    if kind is not Kind.VALUE:
        return []
    return [Digest(data[i : i + 32]) for i in range(0, len(data), 32)]


class Thinned:
    """A history in a folder whose values have blocks, at times that the tests choose."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repo = Repository.create(folder, by="ana@host", clock=lambda: NOW)
        self.key = Key()
        self.notebook: NotebookId = self.repo.notebook_for(Path("a.ipynb"), create=True)
        self.content: dict[bytes, bytes] = {}
        self.states: dict[CommitId, dict[str, bytes]] = {}
        self.count = itertools.count()

    def cell(
        self,
        time_ns: int,
        values: dict[str, bytes],
        *,
        kind: CommitKind = CommitKind.AUTO,
        drop: tuple[str, ...] = (),
        defines: tuple[str, ...] = (),
        at: CommitId | None = None,
    ) -> CommitId:
        """Record a commit on top of HEAD; each value is stored as one block and a manifest.

        at: the commit whose state it goes to, as an undo does.
        """
        head = self.repo.head(self.notebook).commit
        with self.repo.begin(self.notebook, self.key) as tx:
            put = []
            for name, data in sorted(values.items()):
                value = bytes(tx.put(Kind.VALUE, tx.put(Kind.BLOCK, data)))
                self.content[value] = data
                put.append(Covariable((name,), value, value[:16], size_bytes=len(data), defines=defines))
            start = kind is CommitKind.START
            commit = Commit(
                format=COMMIT_FORMAT,
                notebook=self.notebook,
                parents=(head,) if head is not None else (),
                kind=kind,
                time_ns=time_ns,
                author="ana",
                cell=CellRun("c", f"cell {next(self.count)}", 1),
                state=StateDelta(base=None if start else at or head, put=tuple(put), drop=drop),
                at=at,
            )
            made = tx.commit(commit)
            tx.finish()
        before = {} if start or head is None else self.states[at or head]
        self.states[made] = {n: v for n, v in before.items() if n not in drop} | values
        return made

    def gc(self, policy: KeepPolicy | None = STRICT, *, now_ns: int = NOW + 1, dry_run: bool = False) -> Collected:
        """Collect, with operations kept for no time: only refs pin."""
        self.repo.clock = lambda: now_ns
        return collect_garbage(self.repo, blocks_of, keep_ops_days=0, policy=policy, dry_run=dry_run)

    def open_anew(self) -> None:
        """As another process sees it."""
        self.repo.close()
        self.repo = Repository.open(self.folder, by="ana@host", clock=lambda: NOW)

    def state(self, commit: CommitId) -> State:
        """Return a state as it is known today."""
        return without_thinned(self.repo, self.repo.read_state(commit))

    def values(self, commit: CommitId) -> dict[str, bytes | None]:
        """Return what can be loaded of a state, None for what is announced as thinned out; anything else raises."""
        found: dict[str, bytes | None] = {}
        for entry in self.state(commit).covariables:
            if is_thinned(entry):
                found[entry.names[0]] = None
                continue
            assert entry.value is not None
            (block,) = blocks_of(Kind.VALUE, self.repo.store.read(Digest(entry.value)))
            found[entry.names[0]] = self.repo.store.read(block)
        return found

    def is_sound(self) -> bool:
        return self.repo.check(read_data=True).is_clean


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Thinned]:
    made = Thinned(tmp_path)
    yield made
    made.repo.close()


def large() -> bytes:
    return os.urandom(LARGE)


def test_an_old_state_gives_up_the_values_that_only_it_holds_and_says_so(kept: Thinned) -> None:
    a, b, c = large(), large(), large()
    first = kept.cell(HOUR_NS, {"x": a, "y": b})
    second = kept.cell(2 * HOUR_NS, {"x": c})
    report = kept.gc()
    assert (report.values, report.states, report.unreachable) == (1, 1, (0, 0))
    assert [(item.names, item.values) for item in report.by_variable] == [(("x",), 1)]
    assert report.thinned_bytes >= LARGE
    assert kept.values(first) == {"x": None, "y": b}
    assert kept.values(second) == {"x": c, "y": b}
    (entry,) = (e for e in kept.state(first).covariables if e.names == ("x",))
    assert entry.reason == "thinned out on 1972-09-27"
    assert kept.is_sound()
    assert [line.is_thinned for line in kept.repo.log(kept.notebook)] == [False, True]
    assert kept.repo.ops(kept.notebook)[0].description == "thin out 1 value of 1 old state"


def test_code_and_messages_of_a_thinned_commit_stay(kept: Thinned) -> None:
    first = kept.cell(HOUR_NS, {"x": large()})
    kept.cell(2 * HOUR_NS, {"x": large()})
    kept.gc()
    commit = kept.repo.read_commit(first)
    assert commit.cell is not None and commit.cell.source == "cell 0"


def test_what_is_missing_without_having_been_thinned_out_is_damage(kept: Thinned) -> None:
    kept.cell(HOUR_NS, {"x": large()})
    kept.cell(2 * HOUR_NS, {"x": large()})
    with kept.repo.store.connection() as db:  # type: ignore[attr-defined]
        db.execute("DELETE FROM objects WHERE kind = ? AND id = (SELECT min(id) FROM objects WHERE kind = ?)", (2, 2))
    assert not kept.is_sound()
    kept.gc()
    assert not kept.is_sound(), "a thinning that comes later does not cover it"


def test_named_tagged_branched_and_session_ending_states_keep_everything(kept: Thinned) -> None:
    plain = kept.cell(HOUR_NS, {"x": large()})
    named = kept.cell(HOUR_NS, {"x": large()}, kind=CommitKind.NAMED)
    tagged = kept.cell(HOUR_NS, {"x": large()})
    kept.repo.create_tag(kept.notebook, "v1", tagged)
    messaged = kept.cell(HOUR_NS, {"x": large()})
    kept.repo.set_message(kept.notebook, messaged, "the good one")
    forked = kept.cell(HOUR_NS, {"x": large()})
    tip = kept.cell(HOUR_NS, {"x": large()})
    kept.repo.move_head(kept.notebook, forked)
    kept.cell(HOUR_NS, {"x": large()})
    ending = kept.cell(HOUR_NS, {"x": large()})
    kept.cell(HOUR_NS, {}, kind=CommitKind.START)
    kept.cell(HOUR_NS, {"x": large()})
    kept.cell(HOUR_NS, {"x": large()})
    kept.gc()
    for commit in (named, tagged, messaged, forked, tip, ending):
        assert kept.values(commit) == kept.states[commit]
    assert kept.values(plain) == {"x": None}
    assert kept.is_sound()


def test_small_values_definitions_and_the_newest_of_each_variable_are_never_thinned_out(kept: Thinned) -> None:
    first = kept.cell(HOUR_NS, {"small": b"s" * 900, "gone": large(), "x": large()})
    defined = kept.cell(HOUR_NS, {"A": large()}, defines=("uid",))
    kept.cell(HOUR_NS, {"A": large()}, defines=("uid",))
    kept.cell(2 * HOUR_NS, {"small": b"t" * 900, "x": large()}, drop=("gone",))
    kept.gc()
    found = kept.values(first)
    assert found == kept.states[first] | {"x": None}
    assert kept.values(defined)["A"] == kept.states[defined]["A"]


def test_a_value_that_is_made_again_is_there_again_in_every_state(kept: Thinned) -> None:
    data = large()
    first = kept.cell(HOUR_NS, {"x": data})
    kept.cell(2 * HOUR_NS, {"x": large()})
    kept.gc()
    assert kept.values(first) == {"x": None}
    kept.cell(NOW + HOUR_NS, {"x": data})
    kept.open_anew()
    assert kept.values(first) == {"x": data}
    assert kept.is_sound()


def test_a_state_that_an_operation_can_bring_back_keeps_its_values(kept: Thinned) -> None:
    first = kept.cell(NOW - 40 * DAY_NS, {"x": large()})
    kept.cell(NOW - 39 * DAY_NS, {"x": large()})
    last = kept.cell(NOW - 38 * DAY_NS, {"x": large()})
    kept.repo.clock = lambda: NOW - 2 * DAY_NS
    kept.repo.move_head(kept.notebook, first)
    kept.repo.move_head(kept.notebook, last, branch="main")
    report = collect_garbage(kept.repo, blocks_of, keep_ops_days=30, policy=STRICT)
    assert report.values == 0 or kept.values(first) == kept.states[first]
    assert kept.values(first) == kept.states[first]
    assert kept.gc().values > 0
    assert kept.values(first) == {"x": None}


def test_thinning_cannot_be_undone_and_does_not_stand_in_the_way_of_undoing(kept: Thinned) -> None:
    first = kept.cell(HOUR_NS, {"x": large()})
    kept.cell(2 * HOUR_NS, {"x": large()})
    kept.repo.create_tag(kept.notebook, "v1", kept.cell(3 * HOUR_NS, {"x": large()}))
    kept.gc()
    number = kept.repo.ops(kept.notebook)[0].number
    with pytest.raises(InvalidInputError, match="thinned out are gone"):
        kept.repo.op_undo(kept.notebook, number)
    kept.repo.op_undo(kept.notebook)
    assert kept.repo.tags(kept.notebook) == []
    assert kept.values(first) == {"x": None}


def test_a_lost_database_is_made_again_with_what_was_thinned_out(kept: Thinned) -> None:
    data = large()
    first = kept.cell(HOUR_NS, {"x": data})
    second = kept.cell(2 * HOUR_NS, {"x": large()})
    kept.repo.store.write_log_pack()  # type: ignore[attr-defined]
    kept.gc()
    kept.repo.close()
    (kept.folder / ".cellar" / "meta.db").unlink()
    rebuild(kept.folder / ".cellar")
    kept.open_anew()
    assert kept.values(first) == {"x": None}
    assert kept.values(second) == kept.states[second]
    assert kept.is_sound()
    assert [line.is_thinned for line in kept.repo.log(kept.notebook)] == [False, True]


def test_the_nearest_states_that_hold_a_name_are_found(kept: Thinned) -> None:
    commits = [kept.cell((n + 1) * HOUR_NS, {"x": large()}) for n in range(5)]
    kept.repo.create_tag(kept.notebook, "v1", commits[1])
    kept.gc()
    assert nearest_states(kept.repo, commits[2], {"x"}) == [commits[1], commits[4]]


def test_other_processes_see_what_was_thinned_out(kept: Thinned) -> None:
    first = kept.cell(HOUR_NS, {"x": large()})
    kept.cell(2 * HOUR_NS, {"x": large()})
    with Repository.open(kept.folder) as other:
        assert not other.thinned()
        kept.gc()
        assert other.refresh()
        assert is_thinned(without_thinned(other, other.read_state(first)).covariables[0])


_TIMES = st.integers(0, 400 * 24).map(lambda hours: NOW - hours * HOUR_NS)
_CELLS = st.lists(
    st.tuples(
        _TIMES,
        st.dictionaries(st.sampled_from("xyz"), st.integers(0, 5), max_size=2),
        st.sampled_from([CommitKind.AUTO] * 6 + [CommitKind.NAMED, CommitKind.START, CommitKind.BETWEEN]),
        st.sets(st.sampled_from("xyz"), max_size=1),
        st.one_of(st.none(), st.integers(0, 30)),
    ),
    min_size=1,
    max_size=14,
)
_POLICIES = st.builds(
    KeepPolicy,
    last=st.integers(1, 4),
    all_hours=st.sampled_from([0, 24, 24 * 100]),
    hourly_days=st.sampled_from([0, 5, 50]),
    daily_days=st.sampled_from([0, 50, 300]),
    below_bytes=st.sampled_from([0, 1000]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=_CELLS, policy=_POLICIES, lose_database=st.booleans())
def test_what_the_policy_promises_is_there_and_the_rest_is_announced(
    tmp_path_factory: pytest.TempPathFactory, cells: list[object], policy: KeepPolicy, lose_database: bool
) -> None:
    kept = Thinned(tmp_path_factory.mktemp("law"))
    commits: list[CommitId] = []
    cells = sorted(cells, key=lambda cell: cell[0])  # type: ignore[index]
    for time_ns, picks, kind, drop, jump in cells:  # type: ignore[misc]
        back = commits[jump % len(commits)] if jump is not None and commits and kind is CommitKind.AUTO else None
        if back is not None and jump % 2:
            kept.repo.move_head(kept.notebook, back)
            back = None
        kind = CommitKind.UNDO if back is not None else kind
        values = {name: bytes([seed]) * (LARGE if seed % 2 else 500) for name, seed in picks.items()}
        commits.append(kept.cell(time_ns, values, kind=kind, drop=tuple(drop - values.keys()), at=back))
    promised = _promised(kept, policy)
    plan = kept.gc(policy, dry_run=True)
    assert all(kept.values(commit) == kept.states[commit] for commit in commits), "a dry run changes nothing"
    done = kept.gc(policy)
    assert _figures(plan) == _figures(done)
    if lose_database:
        kept.repo.close()
        (kept.folder / ".cellar" / "meta.db").unlink()
        rebuild(kept.folder / ".cellar")
    kept.open_anew()
    assert kept.is_sound()
    alive = {line.id for line in kept.repo.log(kept.notebook, all_refs=True)}
    for commit in alive:
        found = kept.values(commit)
        assert found.keys() == kept.states[commit].keys()
        for name, data in found.items():
            assert data == kept.states[commit][name] or (data is None and commit not in promised)
            assert data is not None or len(kept.states[commit][name]) >= policy.below_bytes
    again = kept.gc(policy)
    assert (again.values, again.states, again.thinned_bytes) == (0, 0, 0)
    if not lose_database:  # a rebuilt database also has what the log still held
        assert again.store.objects_removed == 0
    kept.repo.close()


def _promised(kept: Thinned, policy: KeepPolicy) -> set[CommitId]:
    """Say anew, slowly and for each state on its own, which states must stay whole."""
    lines = kept.repo.log(kept.notebook, all_refs=True)
    refs = {ref.commit for ref in (*kept.repo.branches(kept.notebook), *kept.repo.tags(kept.notebook))}
    head = kept.repo.head(kept.notebook).commit
    promised = refs | ({head} if head is not None else set())
    for line in lines:
        children = [other for other in lines if line.id in other.parents]
        age = NOW - line.time_ns
        if line.kind is CommitKind.NAMED or len(children) > 1 or age < policy.all_hours * HOUR_NS:
            promised.add(line.id)
        if any(child.kind is CommitKind.START and child.parents[0] == line.id for child in children):
            promised.add(line.id)
    for length, days in ((HOUR_NS, policy.hourly_days), (DAY_NS, policy.daily_days), (7 * DAY_NS, 10**6)):
        newest: dict[int, int] = {}
        for line in lines:
            period = line.time_ns // length
            newest[period] = max(newest.get(period, 0), line.time_ns)
        for time_ns in newest.values():
            if NOW - time_ns < days * DAY_NS:
                of_period = [line.id for line in lines if line.time_ns == time_ns]
                if len(of_period) == 1:
                    promised.add(of_period[0])
    return promised


def _figures(report: Collected) -> object:
    removed = sorted(report.store.removed)
    return removed, report.values, report.states, report.thinned_bytes, report.by_variable, report.kept_states


@given(
    st.lists(st.integers(0, 24 * 500), min_size=1, max_size=40),
    st.lists(st.integers(1, 24 * 60), min_size=1, max_size=5),
)
def test_thinning_often_leaves_what_thinning_once_does(hours: list[int], waits: list[int]) -> None:
    policy = KeepPolicy(last=1, all_hours=48, hourly_days=14, daily_days=180, below_bytes=0)
    places = [
        Place(CommitId(n.to_bytes(32, "big")), NotebookId("n"), CommitKind.AUTO, hour * HOUR_NS, (), True)
        for n, hour in enumerate(sorted(hours))
    ]
    now = 24 * 500 * HOUR_NS
    left = places
    for wait in waits:
        kept = kept_states(left, policy, now_ns=now, pinned=frozenset())
        left = [place for place in left if place.id in kept]
        now += wait * HOUR_NS
    at_once = kept_states(places, policy, now_ns=now, pinned=frozenset())
    often = kept_states(left, policy, now_ns=now, pinned=frozenset())
    assert at_once.keys() <= often.keys()


def test_a_crash_after_any_step_leaves_what_was_or_what_is_to_be(
    kept: Thinned, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The n-th call that changes a file fails, for every n: values are there, or announced as thinned out.

    So it is in a database that is made anew at that moment, and after the next gc and one more loss of the database.
    """
    first = kept.cell(HOUR_NS, {"x": large(), "y": large()})
    kept.cell(2 * HOUR_NS, {"x": large()})
    kept.cell(3 * HOUR_NS, {"y": large()})
    kept.repo.store.write_log_pack()  # type: ignore[attr-defined]
    kept.repo.close()
    before = kept.folder
    real = {name: getattr(os, name) for name in ("fsync", "rename", "unlink", "open")}
    for nth in itertools.count(1):
        kept.folder = before.with_name(f"{before.name}-{nth}")
        shutil.copytree(before, kept.folder)
        kept.open_anew()
        calls = itertools.count(1)

        def failing(name: str, *args: object, nth: int = nth, calls: Iterator[int] = calls, **kwargs: object) -> object:
            if next(calls) == nth:
                raise OSError(28, "No space left on device")
            return real[name](*args, **kwargs)

        done = False
        with monkeypatch.context() as patch:
            for name in real:
                patch.setattr(os, name, lambda *a, _name=name, **k: failing(_name, *a, **k))
            with contextlib.suppress(OSError, CellarError):
                kept.gc()
                done = True
        _assert_all_there_or_announced(kept)
        _lose_database(kept)
        _assert_all_there_or_announced(kept)
        kept.gc()
        _lose_database(kept)
        assert set(kept.values(first).values()) == {None}
        if done and next(calls) <= nth:
            break
        shutil.rmtree(kept.folder)
    assert nth > 5


def _lose_database(kept: Thinned) -> None:
    kept.repo.close()
    for path in (kept.folder / ".cellar").glob("meta.db*"):
        path.unlink()
    rebuild(kept.folder / ".cellar")
    kept.open_anew()


def _assert_all_there_or_announced(kept: Thinned) -> None:
    assert kept.is_sound()
    for commit, values in kept.states.items():
        for name, data in kept.values(commit).items():
            assert data in (None, values[name])


def test_a_state_that_builds_on_another_one_than_its_parents_keeps_its_values(kept: Thinned) -> None:
    first = kept.cell(HOUR_NS, {"x": large(), "y": large()})
    kept.cell(2 * HOUR_NS, {"x": large(), "y": large()})
    undone = kept.cell(3 * HOUR_NS, {"y": large()}, kind=CommitKind.UNDO, at=first)
    again = kept.cell(4 * HOUR_NS, {}, kind=CommitKind.UNDO, at=first)
    kept.gc()
    assert kept.values(again) == kept.states[again] == kept.states[first]
    assert kept.values(undone)["x"] == kept.states[first]["x"]


def test_a_forgotten_variable_may_have_been_thinned_out(kept: Thinned) -> None:
    from nbcellar.history.forget import forget_variable

    kept.cell(HOUR_NS, {"x": large(), "y": large()})
    kept.cell(2 * HOUR_NS, {"x": large()})
    kept.gc()
    forget_variable(kept.repo, kept.notebook, "x", key=kept.key, children_of=blocks_of, force=False)  # type: ignore[arg-type]
    kept.open_anew()
    assert kept.is_sound()


def test_an_operation_of_a_newer_format_is_refused_and_ours_is_read(kept: Thinned) -> None:
    kept.cell(HOUR_NS, {"x": large()})
    kept.cell(2 * HOUR_NS, {"x": large()})
    kept.gc()
    thin = kept.repo.ops(kept.notebook)[0]
    payload = kept.repo.store.records(limit=1)[0].payload
    assert msgspec.msgpack.decode(payload)[0] == 2
    assert len(thin.values) == 1 and isinstance(kept.repo.store, LocalStore)


def test_the_index_is_right_in_whatever_order_the_commits_come(kept: Thinned) -> None:
    """After a rebuild the store gives them in the order of its packs."""
    from nbcellar.history.compare_index import wrong_commits

    for hour in range(1, 6):
        kept.cell(hour * HOUR_NS, {"x": large()} if hour % 2 else {"y": large()})
    kept.gc()
    ids = list(kept.repo.index.ids())
    assert any(line.is_thinned for line in kept.repo.log(kept.notebook)), "there are marks"
    commits = {i: (kept.repo.read_commit(i), len(kept.repo.store.read(Digest(i)))) for i in reversed(ids)}
    operations = kept.repo.ops(kept.notebook)
    assert list(wrong_commits(kept.repo, commits, list(operations))) == []
