"""What is alive, what gc removes, and what forgetting takes out for good, looked for in every file."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from nbcellar.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    StoreUnavailableError,
    UnknownReferenceError,
)
from nbcellar.history.doubts import doubtful_versions
from nbcellar.history.evidence import evidence_of
from nbcellar.history.forget import forget_commit, forget_variable, mark_of, write_rewrite
from nbcellar.history.maintenance import bump_generation
from nbcellar.history.model import Commit, CommitKind, Covariable, Preview, StateDelta
from nbcellar.history.reach import live_objects
from nbcellar.history.recording import HeadMove
from nbcellar.history.repository import Repository
from nbcellar.history.rewrite import REASON, CommitCut, plan_rewrite
from nbcellar.ids import CommitId, Digest
from nbcellar.store.collect import collect
from nbcellar.store.interface import Kind
from nbcellar.store.local import LocalStore

from .conftest import History, Key

SECRET = b"the-password-is-swordfish"
DAY_NS = 24 * 3600 * 10**9


def no_children(kind: Kind, data: bytes) -> list[Digest]:
    return []


@pytest.fixture
def local(tmp_path: Path, clock: Callable[[], int]) -> Iterator[History]:
    with Repository.create(tmp_path, by="ana@host", clock=clock) as repo:
        yield History(repo)


def holds(history: History, text: bytes) -> bool:
    """True if the text is in any file of the repository, or in any object."""
    history.repo.store.close()
    folder = history.repo.root
    in_files = any(text in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    with Repository.open(folder) as again:
        return in_files or any(text in again.store.read(info.digest) for info in again.store.objects())


def record_secret(history: History, **options: object) -> CommitId:
    """Record a variable `secret` with a value and a preview that tell it."""
    with history.repo.begin(history.notebook, history.key) as tx:
        value = tx.put(Kind.VALUE, SECRET)
        commit = history.commit_of((history.head,) if history.head else (), source="secret = read()")
        entry = Covariable(("secret",), value, value[:16], (Preview("str", SECRET.decode()),), size_bytes=len(SECRET))
        made = msgspec.structs.replace(commit, state=StateDelta(base=history.head, put=(entry,)), **options)
        identifier = tx.commit(made)
        tx.finish()
    return identifier


def names(history: History, commit: CommitId) -> dict[str, Covariable]:
    return {name: entry for entry in history.repo.read_state(commit).covariables for name in entry.names}


def test_what_a_branch_leads_to_is_alive_with_all_that_its_states_need(history: History) -> None:
    first = history.step(values={"x": b"1"})
    second = history.step(values={"y": b"2"})
    live = live_objects(history.repo, no_children, now_ns=10**30)
    assert {first, second} <= live
    assert len(live) == 4, "two commits and two values"


def test_commits_that_only_an_old_operation_names_are_dead_and_those_of_a_recent_one_alive(history: History) -> None:
    first = history.step()
    stayed = history.record(first, advance=HeadMove.STAY).commits[0]
    now = history.repo.ops()[0].time_ns
    assert stayed in live_objects(history.repo, no_children, now_ns=now + 29 * DAY_NS)
    assert stayed not in live_objects(history.repo, no_children, now_ns=now + 31 * DAY_NS)


def test_the_registry_of_children_is_asked_for_every_kind_that_history_cannot_read(history: History) -> None:
    block, group = b"block", b"group"
    with history.repo.begin(history.notebook, history.key) as tx:
        block_id, cell = tx.put(Kind.BLOCK, block), tx.put(Kind.CELL, b"cell")
        inner = tx.put(Kind.TREE, group)
        value, tree = tx.put(Kind.VALUE, b"value"), tx.put(Kind.TREE, b"root")
        ambient, outputs = tx.put(Kind.AMBIENT, b"ambient"), tx.put(Kind.OUTPUTS, b"outputs")
        commit = history.commit_of(())
        assert commit.cell is not None
        tx.commit(
            msgspec.structs.replace(
                commit,
                tree=tree,
                cell=msgspec.structs.replace(commit.cell, outputs=outputs),
                state=StateDelta(None, put=(Covariable(("x",), value, b"v"),), ambient={"random": ambient}),
            )
        )
        tx.finish()
    children = {b"value": [block_id], b"root": [inner], b"group": [cell]}
    asked: list[tuple[Kind, bytes]] = []

    def children_of(kind: Kind, data: bytes) -> list[Digest]:
        asked.append((kind, data))
        return children.get(data, [])

    live = live_objects(history.repo, children_of, now_ns=0)
    assert {block_id, cell, inner, value, tree, ambient, outputs} <= live
    assert {kind for kind, _ in asked} == {Kind.VALUE, Kind.TREE, Kind.CELL, Kind.AMBIENT, Kind.OUTPUTS}
    assert (Kind.BLOCK, block) not in asked, "blocks are not read"


def test_gc_removes_what_a_deleted_branch_held_once_its_operation_is_old(local: History) -> None:
    ids = local.build([1], [2, 1], [3, 1])
    repo, notebook = local.repo, local.notebook
    repo.move_head(notebook, ids[2], branch="main")
    deleted = repo.delete_branch(notebook, "main-2")
    assert repo.gc(no_children).store.objects_removed == 0
    assert repo.gc(no_children, keep_ops_days=0, dry_run=True).store.objects_removed == 1
    assert repo.has_commit(ids[3])
    assert repo.gc(no_children, keep_ops_days=0).store.objects_removed == 1
    assert [entry.id for entry in repo.log(notebook, all_refs=True)] == [ids[2], ids[1]]
    assert not repo.has_commit(ids[3])
    with pytest.raises(UnknownReferenceError):
        repo.read_commit(ids[3])
    with pytest.raises(InvalidInputError, match="no longer kept"):
        repo.op_undo(notebook, deleted)


def test_size_adds_up_by_kind(local: History) -> None:
    local.step(values={"x": b"1" * 1000})
    size = local.repo.size()
    assert {k.kind: (k.count, k.raw_bytes) for k in size.kinds}[Kind.VALUE] == (1, 1000)
    assert size.objects == 2 and size.folder_bytes > size.stored_bytes > 0


def test_a_forgotten_variable_is_in_no_file_and_all_else_is_as_it_was(local: History) -> None:
    before = local.step(values={"x": b"1"})
    record_secret(local)
    local.step(values={"y": b"2"})
    tagged = local.step(source="print(secret)")
    local.repo.create_tag(local.notebook, "v1", tagged)
    local.repo.set_message(local.notebook, tagged, "the good one")
    assert holds(local, SECRET)
    with Repository.open(local.repo.root, by="ana@host", clock=local.repo.clock) as repo:
        local.repo = repo
        done = forget_variable(repo, local.notebook, "secret", key=local.key, children_of=no_children)
        head = repo.resolve("HEAD", local.notebook)
        assert done.rewritten[tagged] == head == repo.resolve("v1", local.notebook)
        assert before not in done.rewritten, "what came before keeps its id"
        state = names(local, head)
        assert set(state) == {"x", "y", "secret"}
        assert (state["secret"].value, state["secret"].previews, state["secret"].reason) == (None, (), REASON)
        assert state["x"].origin == before and state["y"].origin == repo.resolve("HEAD~1", local.notebook)
        assert [entry.title for entry in repo.log(local.notebook)] == [
            "the good one",
            "x = 3",
            "secret = read()",
            "x = 1",
        ]
        assert set(done.sources_with_text) == {head, repo.resolve("HEAD~2", local.notebook)}
        signed = repo.read_signed(head)
        assert signed.signature == local.key.sign(head)
        assert repo.rewritten_to(local.notebook, tagged) == head
    assert not holds(local, SECRET)


def test_a_forgotten_variable_goes_from_whole_states_and_from_copies_of_the_notebook(local: History) -> None:
    repo = local.repo
    secret = record_secret(local)
    with repo.begin(local.notebook, local.key) as tx:
        commit = local.commit_of((secret,))
        assert commit.state is not None
        whole = tx.put(Kind.STATE, repo.complete_payload(commit.state))
        complete = tx.commit(
            msgspec.structs.replace(commit, state=msgspec.structs.replace(commit.state, complete=whole))
        )
        tx.finish()
    copy = History(repo, "b.ipynb")
    copy.key = local.key
    entry = names(local, complete)["secret"]
    with repo.begin(copy.notebook, copy.key) as tx:
        taken_up = copy.commit_of((complete,), kind=CommitKind.UNDO, at=secret)
        tx.commit(msgspec.structs.replace(taken_up, state=StateDelta(base=complete, put=(entry,))))
        tx.finish()
    forget_variable(repo, local.notebook, "secret", key=local.key, children_of=no_children)
    for history in (local, copy):
        assert history.head is not None
        assert names(history, history.head)["secret"].reason == REASON
    assert copy.head is not None
    undo = repo.read_commit(copy.head)
    assert undo.at == repo.resolve("a.ipynb@HEAD~1", None), "what it went to has its new id"
    assert not holds(local, SECRET)


def test_operations_before_a_forget_cannot_bring_it_back(local: History) -> None:
    local.step()
    record_secret(local)
    made = local.repo.create_tag(local.notebook, "v1", local.head)  # type: ignore[arg-type]
    deleted = local.repo.delete_tag(local.notebook, "v1")
    forget_variable(local.repo, local.notebook, "secret", key=local.key, children_of=no_children)
    for number in (made, deleted):
        with pytest.raises(InvalidInputError, match="took something out of history"):
            local.repo.op_undo(local.notebook, number)
    with pytest.raises(InvalidInputError, match="gone"):
        local.repo.op_undo(local.notebook)
    assert not holds(local, SECRET)


def test_a_secret_on_a_deleted_branch_is_forgotten_too(local: History) -> None:
    repo, notebook = local.repo, local.notebook
    first = local.step()
    record_secret(local)
    repo.move_head(notebook, first)
    record_secret(local)
    repo.delete_branch(notebook, "main")
    forget_variable(repo, notebook, "secret", key=local.key, children_of=no_children)
    assert not holds(local, SECRET)


def test_a_value_that_another_variable_holds_stays_and_is_counted(local: History) -> None:
    record_secret(local)
    local.step(values={"other": SECRET})
    done = forget_variable(local.repo, local.notebook, "secret", key=local.key, children_of=no_children)
    assert done.shared_objects == 1
    assert local.head is not None
    value = names(local, local.head)["other"].value
    assert value is not None and local.repo.store.read(Digest(value)) == SECRET


def test_commits_of_others_are_rewritten_only_with_force(local: History) -> None:
    theirs, local.key = local.key, Key()
    own, local.key = local.key, theirs
    secret = record_secret(local)
    with pytest.raises(InvalidInputError, match="signed by others"):
        forget_variable(local.repo, local.notebook, "secret", key=own, children_of=no_children)
    assert local.head == secret, "nothing was changed"
    done = forget_variable(local.repo, local.notebook, "secret", key=own, children_of=no_children, force=True)
    assert done.signed_for_others == 1
    assert local.repo.read_signed(done.rewritten[secret]).key == own.key_id


def test_a_variable_that_was_never_recorded_is_not_found(local: History) -> None:
    local.step()
    with pytest.raises(NotFoundError, match=r"no commit of a\.ipynb holds a value of 'nothing'"):
        forget_variable(local.repo, local.notebook, "nothing", key=local.key, children_of=no_children)


def test_a_forgotten_commit_is_gone_and_later_states_are_as_they_were(local: History) -> None:
    repo, notebook = local.repo, local.notebook
    first = local.step(values={"x": b"1", "gone": b"2"})
    middle = local.step(source="print('swordfish')", values={"kept": b"3"}, drop=("gone",))
    last = local.step(values={"x": b"4"})
    local.step(kind=CommitKind.UNDO, at=middle)
    before = {name: entry.value for name, entry in names(local, last).items()}
    repo.create_tag(notebook, "here", middle)
    done = forget_commit(repo, notebook, middle, key=local.key, children_of=no_children)
    assert done.removed == (middle,) and first not in done.rewritten
    log = repo.log(notebook)
    assert [entry.id for entry in log][1:] == [done.rewritten[last], first]
    assert log[0].at is None
    after = names(local, done.rewritten[last])
    assert {name: entry.value for name, entry in after.items()} == before
    assert after["kept"].origin == done.rewritten[last], "who holds it now signs for it"
    assert log[1].changes.added == ("kept",) and log[1].changes.removed == ("gone",)
    assert repo.tags(notebook) == []
    assert not holds(local, b"swordfish")


def test_a_forgotten_tip_leaves_the_branch_at_its_parent(local: History) -> None:
    first, tip = local.step(), local.step()
    forget_commit(local.repo, local.notebook, tip, key=local.key, children_of=no_children)
    assert local.head == first
    forget_commit(local.repo, local.notebook, first, key=local.key, children_of=no_children)
    assert local.head is None
    assert local.record().branch == "main"


def test_a_commit_that_was_being_made_on_top_of_what_is_forgotten_does_not_bring_it_back(local: History) -> None:
    secret = record_secret(local)
    with Repository.open(local.repo.root, clock=local.repo.clock) as kernel:
        tx = kernel.begin(local.notebook, local.key)
        tx.commit(local.commit_of((secret,)))
        # What forgets waits for open transactions before it removes; here the rewriting is done first, as it may be.
        cut, mark = CommitCut(secret), mark_of(local.repo)
        plan = plan_rewrite(_all(local), cut, read_commit=local.repo.read_commit, read_object=local.repo.store.read)
        write_rewrite(local.repo, local.notebook, plan, local.key, "forget a commit", mark=mark)
        with pytest.raises(ConflictError, match="taken out of history"):
            tx.finish()
        tx.abort()
    assert local.head is None


def test_a_kernel_that_missed_a_forget_is_told_that_its_head_is_gone(local: History) -> None:
    first = local.step(values={"x": b"1"})
    tip = record_secret(local)
    with Repository.open(local.repo.root, clock=local.repo.clock) as other:
        forget_variable(other, local.notebook, "secret", key=local.key, children_of=no_children)
    with pytest.raises(UnknownReferenceError):
        local.record(tip)
    moved = local.repo.rewritten_to(local.notebook, tip)
    assert moved == local.head != tip
    assert local.record(moved).branch == "main"  # type: ignore[arg-type]
    assert local.repo.node(moved).parent == first  # type: ignore[arg-type]


def test_nothing_is_recorded_on_top_of_a_commit_that_gc_is_just_removing(local: History) -> None:
    ids = local.build([1], [2, 1])
    local.repo.op_undo(local.notebook)
    live = live_objects(local.repo, no_children, now_ns=10**30)
    assert isinstance(local.repo.store, LocalStore)
    collect(local.repo.store, lambda: live, now_ns=0)
    assert local.repo.index.has(ids[2]), "its row goes after its object"
    with pytest.raises(UnknownReferenceError):
        local.record(ids[2])


def test_a_listing_ends_where_the_index_is_damaged(history: History) -> None:
    history.build([1], [2, 1], [3, 2])
    with history.repo.store.begin() as tx:
        tx.execute("DELETE FROM ix_commits WHERE n = 2")
        tx.commit()
    assert [entry.id for entry in history.repo.log(history.notebook)] == [history.ids[3]]


def test_what_a_commit_became_is_known_after_two_rewritings_and_after_it_was_removed(local: History) -> None:
    first, secret, last = local.step(), record_secret(local), local.step(values={"y": b"1"})
    forget_variable(local.repo, local.notebook, "secret", key=local.key, children_of=no_children)
    removed = local.repo.resolve("HEAD~1", local.notebook)
    assert local.repo.rewritten_to(local.notebook, secret) == removed
    forget_commit(local.repo, local.notebook, removed, key=local.key, children_of=no_children)
    assert local.repo.rewritten_to(local.notebook, last) == local.head
    assert local.repo.rewritten_to(local.notebook, secret) == first
    assert local.repo.rewritten_to(local.notebook, removed) == first
    assert local.repo.rewritten_to(local.notebook, first) is None


def test_a_doubt_follows_its_commits_and_goes_with_a_forgotten_version(local: History) -> None:
    repo, notebook = local.repo, local.notebook
    first, secret = local.step(values={"x": b"1"}), record_secret(local)
    x, told = (names(local, secret)[name].version for name in ("x", "secret"))
    with repo.begin(notebook, local.key) as tx:
        for version in (x, told):
            tx.doubt(version, since=first, until=first)
            tx.doubt(version, since=secret, until=secret)
        last = tx.commit(local.commit_of((secret,)))
        tx.finish()
    assert doubtful_versions(repo, notebook, [x, told], secret) == {x, told}
    assert doubtful_versions(repo, notebook, [x, told], last) == set()
    forget_variable(repo, notebook, "secret", key=local.key, children_of=no_children)
    assert doubtful_versions(repo, notebook, [x, told], repo.resolve("HEAD~1", notebook)) == {x}
    assert not any(told.hex() in name for _, name in repo.store.refs())


def test_a_gc_while_a_commit_is_made_does_not_cost_the_commit(history: History) -> None:
    head = history.step()
    with history.repo.begin(history.notebook, history.key) as tx:
        made = tx.commit(history.commit_of((head,)))
        with history.repo.store.begin() as other:
            bump_generation(history.repo, other)
            other.commit()
        assert tx.finish().branch == "main"
    assert history.head == made


def test_a_commit_that_took_a_branch_of_its_own_meanwhile_is_rewritten_too(local: History) -> None:
    secret, last = record_secret(local), local.step(values={"y": b"1"})
    mark = mark_of(local.repo)
    cut = CommitCut(secret)
    plan = plan_rewrite(_all(local), cut, read_commit=local.repo.read_commit, read_object=local.repo.store.read)
    late = local.record(secret, source="took main-2")
    assert late.branch == "main-2" and local.head == last, "no ref that the plan knows has moved"
    with pytest.raises(ConflictError, match="was recorded meanwhile"):
        write_rewrite(local.repo, local.notebook, plan, local.key, "forget a commit", mark=mark)
    forget_commit(local.repo, local.notebook, secret, key=local.key, children_of=no_children)
    assert local.repo.check(read_data=True).is_clean


def _all(history: History) -> Iterator[tuple[CommitId, Commit]]:
    return ((i, history.repo.read_commit(i)) for i in history.repo.index.ids())


def test_the_index_after_a_forget_is_the_one_made_again(local: History) -> None:
    from nbcellar.history.reindex import rebuild_index

    local.build([1], [2, 1], [3, 1])
    record_secret(local)
    local.step(values={"z": b"1"})
    forget_commit(local.repo, local.notebook, local.ids[1], key=local.key, children_of=no_children)
    forget_variable(local.repo, local.notebook, "secret", key=local.key, children_of=no_children)
    query = (
        "SELECT c.id, kind, time_ns, (SELECT id FROM ix_commits p WHERE p.n = c.parent), at, flags, depth, weight,"
        " title, changes FROM ix_commits c ORDER BY c.id"
    )
    before = list(local.repo.store.query(query))
    rebuild_index(local.repo)
    assert list(local.repo.store.query(query)) == before


def test_what_a_failing_purge_leaves_in_the_files_the_next_gc_takes(
    local: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_secret(local)
    local.step(values={"secret": b"other"})
    with monkeypatch.context() as patch:
        patch.setattr("nbcellar.history.forget.collect_garbage", _failing)
        with pytest.raises(StoreUnavailableError) as caught:
            forget_variable(local.repo, local.notebook, "secret", key=local.key, children_of=no_children)
    assert "cellar gc" in caught.value.hint
    assert holds(local, SECRET)
    with Repository.open(local.repo.root) as again:
        problems = again.check(read_data=True).history.problems
        assert [problem.about for problem in problems] == ["an earlier forget"]
        again.gc(no_children)
        assert again.check(read_data=True).is_clean
    assert not holds(local, SECRET)


def test_forgetting_once_more_finishes_what_failed(local: History, monkeypatch: pytest.MonkeyPatch) -> None:
    record_secret(local)
    with monkeypatch.context() as patch:
        patch.setattr("nbcellar.history.forget.collect_garbage", _failing)
        with pytest.raises(StoreUnavailableError):
            forget_variable(local.repo, local.notebook, "secret", key=local.key, children_of=no_children)
    with pytest.raises(NotFoundError):
        forget_variable(local.repo, local.notebook, "other", key=local.key, children_of=no_children)
    done = forget_variable(local.repo, local.notebook, "secret", key=local.key, children_of=no_children)
    assert done.names == ("secret",)
    assert not holds(local, SECRET)
    with Repository.open(local.repo.root) as again, pytest.raises(NotFoundError):
        forget_variable(again, local.notebook, "secret", key=local.key, children_of=no_children)


def _failing(*args: object, **named: object) -> object:
    raise StoreUnavailableError("cannot write: Input/output error")


def test_a_checkout_in_another_notebook_keeps_nothing_alive_that_is_forgotten(local: History) -> None:
    other = History(local.repo, "b.ipynb")
    other.step()
    secret = record_secret(local)
    local.repo.move_head(other.notebook, secret)
    local.repo.move_head(other.notebook, other.repo.resolve("main", other.notebook))
    forget_variable(local.repo, local.notebook, "secret", key=local.key, children_of=no_children)
    assert not local.repo.index.has(secret)
    assert not local.repo.store.has(Digest(secret))
    assert local.repo.check(read_data=True).is_clean
    assert not holds(local, SECRET)


def test_a_ref_to_a_commit_that_is_forgotten_meanwhile_is_refused(local: History) -> None:
    secret = record_secret(local)
    other = History(local.repo, "b.ipynb")
    other.step()
    with pytest.MonkeyPatch.context() as patch:

        def late(commit: CommitId) -> None:
            patch.undo()
            forget_variable(local.repo, local.notebook, "secret", key=local.key, children_of=no_children)

        patch.setattr(local.repo, "require_commit", late)
        with pytest.raises(UnknownReferenceError):
            local.repo.move_head(other.notebook, secret)
    assert not holds(local, SECRET)


def test_commits_and_their_rows_in_the_index_go_together(local: History, monkeypatch: pytest.MonkeyPatch) -> None:
    """A collection that is killed right after it removed the objects leaves an index that names none of them."""
    first = local.step(values={"x": b"1"})
    gone = local.record(first, advance=HeadMove.STAY).commits[0]
    with monkeypatch.context() as patch:
        patch.setattr("nbcellar.store.collect._sweep", _failing)
        with pytest.raises(StoreUnavailableError):
            local.repo.gc(no_children, keep_ops_days=-1)
    assert not local.repo.store.has(Digest(gone))
    assert not local.repo.index.has(gone)
    assert local.repo.check(read_data=True).is_clean


def test_a_checkout_while_history_is_rewritten_keeps_nothing_alive_that_is_forgotten(local: History) -> None:
    """The refs are read, then HEAD moves to what is being rewritten, then the rewriting is written."""
    local.step(values={"x": b"1"})
    secret = record_secret(local)
    local.step(values={"y": b"2"})
    moves: list[int] = []
    ticks = itertools.count(10**6)

    def clock() -> int:  # asked for the time of its operation: all else is read by then
        if not moves:
            moves.append(0)
            moves.append(other.move_head(local.notebook, secret).operation)
        return next(ticks) * 1_000_000_000

    with (
        Repository.open(local.repo.root, clock=local.repo.clock) as other,
        Repository.open(local.repo.root, clock=clock) as forgetting,
    ):
        forget_variable(forgetting, local.notebook, "secret", key=local.key, children_of=no_children)
        assert moves[1:], "HEAD was moved in the midst of it"
        assert forgetting.check(read_data=True).is_clean
        assert not forgetting.store.has(Digest(secret))
        assert forgetting.rewritten_to(local.notebook, secret) == forgetting.head(local.notebook).commit
    assert not holds(local, SECRET)


def test_a_notebook_that_is_copied_while_history_is_rewritten_starts_from_what_its_commit_became(
    local: History,
) -> None:
    def keys(path: Path) -> list[bytes]:
        return [line.encode() for line in path.read_text().split()]

    original, copied = local.repo.root / "a.ipynb", local.repo.root / "b.ipynb"
    original.write_text("one two three")
    copied.write_text("one two three")
    secret = record_secret(local)
    with local.repo.begin(local.notebook, local.key) as tx:
        tx.saw_file(evidence_of(original.stat(), keys(original)))
        tx.commit(local.commit_of((secret,), source="y = 2"))
        tip = tx.finish().commits[0]
    turns: list[int] = []
    ticks = itertools.count(10**6)

    def clock() -> int:  # asked for the time of the first operation, when the fork point is found
        if not turns:
            turns.append(0)
            forget_variable(local.repo, local.notebook, "secret", key=local.key, children_of=no_children)
        return next(ticks) * 1_000_000_000

    with Repository.open(local.repo.root, clock=clock) as other:
        copy = other.notebook_for(copied, create=True, content_key=keys)
        assert turns and other.forked_from(copy) == local.head != tip
        other.gc(no_children)
        assert other.check(read_data=True).is_clean


def test_a_kernel_that_saw_a_forget_right_after_its_commit_does_not_go_on_from_it(
    local: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit is durable; before the writer's thread keeps its state, another thread sees that history moved."""
    local.step(values={"x": b"1"})
    with Repository.open(local.repo.root, clock=local.repo.clock) as other:

        def late(commit: Commit) -> None:
            forget_variable(other, local.notebook, "secret", key=local.key, children_of=no_children)
            assert local.repo.refresh()

        monkeypatch.setattr(local.repo, "note_stored", late)
        secret = record_secret(local)
    assert not local.repo.has_commit(secret)
    assert local.repo.rewritten_to(local.notebook, secret) == local.head
