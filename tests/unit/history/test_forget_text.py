"""A text that was forgotten is in no file and no object, and all else is as it was."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.search.conftest import Key, Past, bundle, document, local, stream

from nbcellar.api.forgetting import blocks_of, edit_environment
from nbcellar.api.maintenance import children_of
from nbcellar.errors import InvalidInputError, NotFoundError
from nbcellar.history.forget_text import TextForgotten, forget_text
from nbcellar.history.model import CellError, CellRun, Commit, CommitKind, StateDelta
from nbcellar.history.repository import Repository
from nbcellar.history.rewrite import CODE_CHANGED, REASON
from nbcellar.history.scrub import Scrub
from nbcellar.ids import CommitId, Digest
from nbcellar.notebook import codec, tree
from nbcellar.store.interface import Kind
from nbcellar.values.manifest import VALUE_FORMAT, StoredRegion, Value, encode_value

__all__ = ["local"]

SECRET = 'the-sword"fish-\u00e9 4711'
ENVIRON = msgspec.msgpack.encode(([[b"A", b"1"], [b"LOGIN", f"me:{SECRET}".encode()]], [b"GONE"]))


def forget(past: Past, text: str = SECRET, **options: Any) -> TextForgotten:
    return forget_text(
        past.repo,
        text,
        key=past.key,
        children_of=children_of,
        blocks_of=blocks_of,
        edit_environment=edit_environment,
        **options,
    )


def holds(past: Past, text: str = SECRET) -> list[str]:
    """Return files and objects with the text in any usual encoding, looked for without the code under test."""
    past.repo.close()
    forms = [text.encode(name) for name in ("utf-8", "utf-16-le", "utf-32-le")] + [json.dumps(text)[1:-1].encode()]
    found = [str(p) for p in past.repo.root.rglob("*") if p.is_file() and any(f in p.read_bytes() for f in forms)]
    past.repo = Repository.open(past.repo.root, clock=past.repo.clock)
    store = past.repo.store
    found += [repr(i.kind) for i in store.objects() if any(f in store.read(i.digest) for f in forms)]
    found += [f"ref {name}" for name, value in store.refs().items() if any(f in value for f in forms)]
    return found + [f"record {r.number}" for r in store.records() if any(f in r.payload for f in forms)]


def entries(past: Past, commit: CommitId) -> dict[str, Any]:
    return {name: entry for entry in past.repo.read_state(commit).covariables for name in entry.names}


def test_a_text_goes_from_everywhere_and_the_rest_stays(local: Past) -> None:
    before = local.cell("a = 1", put={"a": pickle.dumps((1,), 5)})
    shown = local.cell(
        f"x = {SECRET!r}\nprint(x)",
        put={
            "x": pickle.dumps((SECRET,), 5),
            "y": pickle.dumps((2,), 5),
            "z": f"<Client {SECRET}>",
        },
        outputs=[
            stream(f"first\n{SECRET}\nlast\n"),
            bundle(text_html=f"<b>{SECRET}</b>", text_plain=repr(SECRET)),
            {"output_type": "error", "ename": "E", "evalue": SECRET, "traceback": ["\x1b[31mthe-\x1b[0m" + SECRET[4:]]},
        ],
        file=document("a = 1", f"x = {SECRET!r}", outputs=[stream(SECRET)]),
        ambient={"environ": ENVIRON, "cwd": msgspec.msgpack.encode(SECRET.encode())},
        notes=(f"note {SECRET}",),
    )
    named = local.cell(cell=None, kind=CommitKind.NAMED, message=f"this is {SECRET}")
    last = local.cell(cell=CellRun("c", "1/0", 9, error=CellError("E", SECRET, 1)), put={"b": pickle.dumps((3,), 5)})
    local.repo.set_message(local.notebook, last, f"newer {SECRET}")
    local.repo.set_message(local.notebook, last, "newest")
    local.repo.set_message(local.notebook, shown, f"kept {SECRET}")
    values = {name: entries(local, last)[name].value for name in ("a", "y", "b")}
    assert holds(local)
    done = forget(local)
    assert done.remaining == ()
    assert holds(local) == []
    assert before not in done.rewritten, "what came before keeps its id"
    new = {old: done.rewritten[old] for old in (shown, named, last)}
    run = local.repo.read_commit(new[shown]).cell
    assert run is not None and run.source == "x = '***'\nprint(x)"
    outputs = json.loads(local.repo.store.read(Digest(run.outputs or b"")))
    assert outputs[0]["text"] == "first\n***\nlast\n"
    assert outputs[1]["data"] == {"text/html": "<b>***</b>", "text/plain": "'***'"}
    assert (outputs[2]["evalue"], outputs[2]["traceback"]) == ("***", ["\x1b[31m***"])
    root = local.repo.read_commit(new[shown]).tree
    cells = tree.join(Digest(root or b""), local.repo.store.read).cells
    assert [cell.source for cell in cells] == ["a = 1", "x = '***'"]
    assert local.repo.message_of(local.notebook, new[shown]) == "kept ***"
    assert local.repo.message_of(local.notebook, new[last]) == "newest"
    assert local.repo.read_commit(new[named]).message == "this is ***"
    state = entries(local, new[last])
    assert {name: state[name].value for name in values} == values
    assert (state["x"].value, state["x"].previews, state["x"].reason) == (None, (), REASON)
    assert state["z"].previews[0].text == "<Client ***>"
    ambient = local.repo.read_state(new[last]).ambient
    assert "cwd" not in ambient
    assert msgspec.msgpack.decode(local.repo.store.read(Digest(ambient["environ"]))) == [[[b"A", b"1"]], [b"GONE"]]
    notes = local.repo.read_commit(new[shown]).notes
    assert any("LOGIN" in note for note in notes) and CODE_CHANGED in notes
    assert CODE_CHANGED not in local.repo.read_commit(new[last]).notes
    assert (done.variables, done.environment) == (("x",), ("LOGIN",))
    assert local.repo.check(read_data=True).is_clean
    assert local.repo.read_signed(new[last]).signature == local.key.sign(new[last])


def test_a_dry_run_says_the_same_and_changes_nothing(local: Past) -> None:
    local.cell(f"x = {SECRET!r}", put={"x": pickle.dumps((SECRET,), 5)})
    head, ops = local.head, local.repo.ops()
    planned = forget(local, dry_run=True)
    assert (local.head, local.repo.ops()) == (head, ops)
    assert planned.bytes_removed == 0
    done = forget(local)
    assert (planned.replaced, planned.variables) == (done.replaced, done.variables)


def test_operations_before_it_are_barred_and_a_deleted_branch_is_rewritten_too(local: Past) -> None:
    start = local.cell("start")
    local.cell(f"x = {SECRET!r}")
    local.cell("aside", parent=start)
    deleted = local.repo.delete_branch(local.notebook, "main")
    assert forget(local).remaining == ()
    assert holds(local) == []
    with pytest.raises(InvalidInputError, match="took something out of history"):
        local.repo.op_undo(local.notebook, deleted)


def test_the_operations_of_a_notebook_that_does_not_hold_it_can_still_be_undone(local: Past) -> None:
    other = Past(local.repo, "0.ipynb")
    other.key = local.key
    commit = other.cell("a = 1")
    made = local.repo.create_tag(other.notebook, "v1", commit)
    local.cell(f"x = {SECRET!r}")
    assert forget(local).remaining == ()
    local.repo.op_undo(other.notebook, made)
    assert local.repo.tags(other.notebook) == []
    assert holds(local) == []


def test_a_text_in_the_blocks_of_a_value_is_found_over_their_borders(local: Past) -> None:
    data = b"." * 500 + SECRET.encode() + b"." * 500
    for number, cut in enumerate((505, 500, 520, len(data))):
        with local.repo.begin(local.notebook, local.key) as recorder:
            parts = [part for part in (data[:cut], data[cut:]) if part]
            blocks = [recorder.put(Kind.BLOCK, part) for part in parts]
            ends = (cut, len(data)) if len(parts) == 2 else (len(data),)
            region = StoredRegion(ends, b"".join(blocks))
            value = recorder.put(Kind.VALUE, encode_value(Value(VALUE_FORMAT, (3, 11), b"N.", regions=(region,))))
            from nbcellar.history.model import COMMIT_FORMAT, Covariable

            head = local.head
            entry = Covariable((f"v{number}",), value, bytes([number]) * 16)
            parents = (head,) if head is not None else ()
            commit = Commit(
                COMMIT_FORMAT, local.notebook, parents, CommitKind.AUTO, number, state=StateDelta(head, (entry,))
            )
            recorder.commit(commit)
            recorder.finish()
    assert forget(local).variables == ("v0", "v1", "v2", "v3")
    assert holds(local) == []


def test_a_whole_state_is_rewritten_with_its_previews_and_surroundings(local: Past) -> None:
    first = local.cell(put={"z": f"<{SECRET}>"}, ambient={"environ": ENVIRON})
    with local.repo.begin(local.notebook, local.key) as recorder:
        commit = local.repo.read_commit(first)
        delta = StateDelta(base=first)
        whole = recorder.put(Kind.STATE, local.repo.complete_payload(delta))
        made = msgspec.structs.replace(
            commit, parents=(first,), state=msgspec.structs.replace(delta, complete=whole), time_ns=99
        )
        recorder.commit(made)
        recorder.finish()
    forget(local)
    assert holds(local) == []
    assert local.head is not None
    assert entries(local, local.head)["z"].previews[0].text == "<***>"


def test_a_message_alone_is_cleaned_without_a_new_commit(local: Past) -> None:
    commit = local.cell("a = 1")
    local.repo.set_message(local.notebook, commit, SECRET)
    done = forget(local)
    assert (done.rewritten, dict(done.replaced)) == ({}, {"message": 1})
    assert holds(local) == []
    assert local.repo.message_of(local.notebook, commit) == "***"


def test_what_cannot_be_changed_is_named(local: Past) -> None:
    local.cell("swordfish = 1", put={"swordfish": pickle.dumps((1,), 5)})
    done = forget(local, "swordfish")
    assert any("name of variable" in line for line in done.remaining)


def test_commits_of_others_are_rewritten_only_with_force(local: Past) -> None:
    local.cell(f"x = {SECRET!r}")
    theirs, local.key = local.key, Key()
    assert theirs is not local.key
    with pytest.raises(InvalidInputError, match="signed by others"):
        forget(local)
    assert forget(local, force=True).signed_for_others == 1


@pytest.mark.parametrize("text", ["", "abc", "    ", "***", "*****", "x" * 200_000])
def test_a_text_that_stands_everywhere_is_refused(local: Past, text: str) -> None:
    local.cell("abc")
    with pytest.raises(InvalidInputError):
        forget(local, text)


def test_a_text_that_stands_nowhere_is_not_found(local: Past) -> None:
    local.cell("a = 1")
    head = local.head
    for dry_run in (True, False):
        with pytest.raises(NotFoundError, match="stands nowhere"):
            forget(local, dry_run=dry_run)
    assert local.head == head


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=12).filter(
    lambda text: bool(text.strip()) and set(text) != {"*"}
)


@given(TEXTS, st.text(max_size=20), st.text(max_size=20))
def test_a_scrubbed_text_does_not_hold_it_in_any_form(secret: str, before: str, after: str) -> None:
    try:
        scrub = Scrub(secret)
    except InvalidInputError:
        return
    for form in (secret, json.dumps(secret), repr(secret)):
        cleaned = scrub.text(before + form + after)
        assert "***" in cleaned
        if "*" not in secret:
            assert secret not in cleaned or secret in before + "***" + after
    assert scrub.is_in(secret.encode()) and scrub.is_in(secret.encode("utf-32-le"))


@given(TEXTS, st.lists(st.text(max_size=30), max_size=4), st.booleans())
def test_a_document_without_the_text_stays_as_it_is_and_one_with_it_loses_it(
    secret: str, sources: list[str], ascii_only: bool
) -> None:
    value = json.loads(document(*sources, "last"))
    value["cells"][-1]["source"] = ["a\n", f"x = {secret}\n"]
    data = json.dumps(value, ensure_ascii=ascii_only, indent=2).encode("utf-8", "replace")
    notebook = codec.read(data)
    try:
        scrub = Scrub(secret)
    except InvalidInputError:
        return
    cleaned = scrub.notebook(notebook)
    text = codec.write(cleaned)
    assert all(secret not in cell.source or "*" in secret for cell in cleaned.cells)
    assert codec.read(text).cells == cleaned.cells
    assert scrub.notebook(codec.read(document(*sources))) == codec.read(document(*sources)) or any(
        secret in source or scrub.text(source) != source
        for source in [*sources, json.dumps(value["metadata"]), "c0123"]
    )


@pytest.mark.parametrize("text", ["source", "stream", "stdout", "text", "code", "cell_type", "nbformat", "text/plain"])
def test_a_word_of_the_document_format_is_taken_out_of_texts_and_not_out_of_the_form(local: Past, text: str) -> None:
    outputs = [stream(f"a {text}\n"), bundle(text_plain=f"the {text} here")]
    commit = local.cell(f"x = '{text}'", outputs=outputs, file=document(f"x = '{text}'", outputs=outputs))
    new = forget(local, text).rewritten[commit]
    found = local.repo.read_commit(new)
    assert found.cell is not None and found.cell.source == "x = '***'"
    shown = json.loads(local.repo.store.read(Digest(found.cell.outputs or b"")))
    assert shown == [stream("a ***\n"), bundle(text_plain="the *** here")]
    notebook = tree.join(Digest(found.tree or b""), local.repo.store.read)
    assert codec.write(notebook) == document("x = '***'", outputs=shown)


def test_a_private_key_of_many_lines_goes_from_a_source_an_output_and_a_repr(local: Past) -> None:
    import random

    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    rng = random.Random(5)
    key = "\n".join("".join(rng.choice(letters) for _ in range(64)) for _ in range(50))
    local.cell(
        f'key = """{key}"""', outputs=[stream(key), bundle(text_plain=repr(key))], file=document(f"k = [{key!r}]")
    )
    assert forget(local, key).remaining == ()
    assert holds(local, key) == []
    assert holds(local, key[1000:1050]) == []


def test_files_are_searched_after_all(local: Past, tmp_path: Path) -> None:
    local.cell(f"x = {SECRET!r}")
    (tmp_path / ".cellar" / "notes.txt").write_text(f"do not lose {SECRET}", "utf-8")
    assert [line for line in forget(local).remaining if line.endswith("notes.txt")]
