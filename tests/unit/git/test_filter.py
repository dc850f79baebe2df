"""The laws of the filter."""

from __future__ import annotations

import io
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbcellar.clean.notebooks import clean
from nbcellar.clean.rules import rules_for_commits
from nbcellar.config.documents import Clean
from nbcellar.git.cleaner import object_id
from nbcellar.git.filter import Filter, NothingStaged, StagedContents
from nbcellar.git.filter_process import serve
from nbcellar.git.kept_outputs import KeptOutputs
from nbcellar.git.packets import Packets
from nbcellar.notebook.codec import read, write
from nbcellar.notebook.model import Notebook

from ...strategies.notebooks import notebooks


class Always:
    """The same settings for all files; `below` has others for those in a folder."""

    def __init__(self, below: Clean | None = None, **settings: object) -> None:
        self.rules = rules_for_commits(Clean(**settings))  # type: ignore[arg-type]
        self.below = rules_for_commits(below) if below is not None else self.rules

    def key(self, path: str) -> str:
        return (self.below if "/" in path else self.rules).key

    def clean(self, notebook: Notebook, path: str) -> Notebook:
        return clean(notebook, self.below if "/" in path else self.rules).notebook

    def of_tree(self, tree: str) -> Always:
        return self


class Holding:
    """An index that holds some contents under every path."""

    def __init__(self, *contents: bytes) -> None:
        self.contents = contents

    def holds(self, path: str, data: bytes) -> bool:
        return data in self.contents


def cell(source: str, output: str = "", **members: object) -> dict[str, object]:
    """Return a code cell."""
    outputs = [{"name": "stdout", "output_type": "stream", "text": [output]}] if output else []
    count = 1 if output else None
    return {
        "cell_type": "code",
        "execution_count": count,
        "id": f"id-{source}"[:64],
        "metadata": {},
        "outputs": outputs,
        "source": [source],
        **members,
    }


def document(*cells: dict[str, object], indent: int | None = 1, **members: object) -> bytes:
    """Return a notebook's file."""
    value = {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **members}
    return (json.dumps(value, indent=indent) + "\n").encode()


def outputs(data: bytes) -> list[str]:
    """Return the text that each cell printed."""
    return ["".join(str(o["text"][0]) for o in each.outputs or ()) for each in read(data).cells]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def kept(tmp_path: Path) -> KeptOutputs:
    return KeptOutputs(tmp_path / "outputs")


@pytest.fixture
def worker(kept: KeptOutputs, said: list[str]) -> Filter:
    return Filter(Always(), kept, NothingStaged(), say=said.append, exists=lambda path: True)


SOURCES = st.sampled_from(["a", "b", "c", "", "print(1)"])
RUN = {"execution": {"iopub.execute_input": "2026-01-01T00:00:00Z"}, "scrolled": True}
OF_CELLS: list[dict[str, object]] = [
    {},
    {"tags": ["t"]},
    {"tags": ["keep-output"]},
    {"tags": ["remove-output"], "x": {"own": 1}},
    RUN,
    {"x": {"own": 1, "noise": 2}, **RUN},
    {"papermill": {"duration": 1.5, "tags": []}, "trusted": True},
]
OF_NOTEBOOKS: list[dict[str, object]] = [
    {},
    {"kernelspec": {"display_name": "Python 3 (here)", "name": "python3"}, "language_info": {"version": "3.1"}},
    {"language_info": {"name": "python", "version": "3.2"}, "kernelspec": {"display_name": "x", "name": "python3"}},
    {"widgets": {"state": {}}, "keep_output": True},
]
CELLS = st.builds(
    lambda source, output, id_, metadata: cell(source, output, **({"id": id_} if id_ else {}), metadata=metadata),
    SOURCES,
    st.sampled_from(["", "1", "two", "é\n", "\ud800", "<a at 0x7f3a1c>", "<a at 0x7f3a1d>", "long" * 9]),
    st.sampled_from(["", "x", "y", "x-2"]),
    st.sampled_from(OF_CELLS),
)
DOCUMENTS = st.builds(
    lambda cells, indent, metadata: document(*cells, indent=indent, metadata=metadata),
    st.lists(CELLS, max_size=6),
    st.sampled_from([1, 2, None]),
    st.sampled_from(OF_NOTEBOOKS),
)
RULES: list[Clean] = [
    Clean(),
    Clean(outputs=True),
    Clean(outputs=True, execution_counts=True, run_times=True, kernel=True, addresses=True),
    Clean(outputs=True, max_line=20, drop_output_types=("error",), drop_metadata=("cell.metadata.x.noise",)),
    Clean(metadata=("cell.metadata.tags", "metadata.kernelspec"), keep_output_types=("stream",)),
    Clean(ids="new", drop_cell_tags=("t",), drop_empty_cells=True, layout="jupyter", keep_metadata=("*.scrolled",)),
]
ANY = st.one_of(
    notebooks.map(write),
    DOCUMENTS,
    st.binary(max_size=50),
    DOCUMENTS.map(lambda data: data[:-5]),
    DOCUMENTS.map(lambda d: b"\xef\xbb\xbf" + d),
)


@settings(max_examples=300)
@given(
    seen=st.lists(st.tuples(ANY, st.sampled_from(["n.ipynb", "m.ipynb", "f/n.ipynb"])), max_size=5),
    committed=ANY,
    rules=st.tuples(st.sampled_from(RULES), st.sampled_from(RULES)),
    at=st.sampled_from(["n.ipynb", "f/n.ipynb"]),
)
def test_what_was_checked_out_is_clean_whatever_is_kept(
    tmp_path_factory: pytest.TempPathFactory,
    seen: list[tuple[bytes, str]],
    committed: bytes,
    rules: tuple[Clean, Clean],
    at: str,
) -> None:
    kept = KeptOutputs(tmp_path_factory.mktemp("kept"))
    cleaner = Always(rules[1], **msgspec.structs.asdict(rules[0]))
    worker = Filter(cleaner, kept, NothingStaged(), say=lambda text: None, exists=lambda path: False)
    for data, path in seen:
        worker.clean(data, path)
    canonical = worker.clean(committed, at)
    assert worker.clean(worker.smudge(canonical, at), at) == canonical
    worker = Filter(cleaner, kept, Holding(committed), say=lambda text: None, exists=lambda path: False)
    assert worker.clean(worker.smudge(committed, at), at) == committed


@settings(max_examples=150)
@given(data=ANY, rules=st.sampled_from(RULES))
def test_cleaning_twice_is_cleaning_once(tmp_path_factory: pytest.TempPathFactory, data: bytes, rules: Clean) -> None:
    kept = KeptOutputs(tmp_path_factory.mktemp("kept"))
    cleaner = Always(rules, **msgspec.structs.asdict(rules))
    worker = Filter(cleaner, kept, NothingStaged(), say=lambda text: None, exists=lambda path: True)
    once = worker.clean(data, "n.ipynb")
    assert worker.clean(once, "n.ipynb") == once
    assert worker.clean(data, "n.ipynb") == once  # from what was remembered


@settings(max_examples=150)
@given(data=DOCUMENTS, rules=st.sampled_from(RULES))
def test_what_was_left_out_comes_back_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, rules: Clean
) -> None:
    kept = KeptOutputs(tmp_path_factory.mktemp("kept"))
    cleaner = Always(rules, **msgspec.structs.asdict(rules))
    worker = Filter(cleaner, kept, NothingStaged(), say=lambda text: None, exists=lambda path: True)
    assert worker.smudge(worker.clean(data, "n.ipynb"), "n.ipynb") == data


@settings(max_examples=200)
@given(run=DOCUMENTS, committed=DOCUMENTS)
def test_an_output_is_only_put_back_on_the_source_that_printed_it(
    tmp_path_factory: pytest.TempPathFactory, run: bytes, committed: bytes
) -> None:
    kept = KeptOutputs(tmp_path_factory.mktemp("kept"))
    worker = Filter(Always(), kept, NothingStaged(), say=lambda text: None, exists=lambda path: True)
    clean = worker.clean(committed, "other")
    worker.clean(run, "n.ipynb")
    printed = {(each.source, json.dumps(each.outputs)) for data in (run, committed) for each in read(data).cells}
    back = Filter(Always(), kept, NothingStaged(), say=lambda text: None, exists=lambda path: True)
    for each in read(back.smudge(clean, "n.ipynb")).cells:
        assert not each.outputs or (each.source, json.dumps(each.outputs)) in printed


def test_cells_that_changed_get_nothing_back(worker: Filter) -> None:
    worker.clean(document(cell("a", "1"), cell("b", "2"), cell("c", "3")), "n.ipynb")
    merged = document(cell("a"), cell("b = 0", id="id-b"), cell("new"), cell("c"))
    assert outputs(worker.smudge(merged, "n.ipynb")) == ["1", "", "", "3"]


def test_cells_without_ids_are_found_by_what_they_say_unless_that_is_unclear(worker: Filter) -> None:
    def plain(source: str, output: str = "") -> dict[str, object]:
        return {key: value for key, value in cell(source, output).items() if key != "id"}

    worker.clean(document(plain("a", "1"), plain("show()", "x"), plain("show()", "y"), nbformat_minor=4), "n.ipynb")
    both = document(plain("new"), plain("a"), plain("show()"), plain("show()"), nbformat_minor=4)
    assert outputs(worker.smudge(both, "n.ipynb")) == ["", "1", "x", "y"]
    one = document(plain("a"), plain("show()"), nbformat_minor=4)
    assert outputs(worker.smudge(one, "n.ipynb")) == ["1", ""]


def test_a_cell_whose_metadata_was_merged_keeps_its_output(worker: Filter) -> None:
    worker.clean(document(cell("a", "1")), "n.ipynb")
    assert outputs(worker.smudge(document(cell("a", metadata={"tags": ["t"]})), "n.ipynb")) == ["1"]


def metadata(data: bytes) -> list[object]:
    """Return the metadata of the notebook and of its cells."""
    notebook = read(data)
    return [notebook.metadata, *(each.metadata for each in notebook.cells)]


def test_noise_comes_back_beside_what_a_merge_changed(worker: Filter) -> None:
    kernel = {"display_name": "Python 3 (here)", "name": "python3"}
    notes = {"duration": 1.5, "parameters": {"a": 1}}
    run = document(
        cell("a", "1", metadata={"scrolled": True, "papermill": notes}),
        cell("b", "2", metadata=RUN),
        metadata={"kernelspec": kernel, "language_info": {"name": "python", "version": "3.11.2"}},
    )
    clean_ = worker.clean(run, "n.ipynb")
    named = {"display_name": "python3", "name": "python3"}
    assert metadata(clean_) == [
        {"kernelspec": named, "language_info": {"name": "python"}},
        {"papermill": {"parameters": {"a": 1}}},
        {},
    ]
    merged = document(
        cell("a", metadata={"papermill": {"parameters": {"a": 2}}, "tags": ["new"]}),
        cell("b"),
        metadata={"kernelspec": named, "language_info": {"name": "python"}, "theirs": 1},
    )
    back = worker.smudge(merged, "n.ipynb")
    assert outputs(back) == ["1", "2"]
    assert metadata(back) == [
        {"kernelspec": kernel, "language_info": {"name": "python", "version": "3.11.2"}, "theirs": 1},
        {"scrolled": True, "papermill": {"duration": 1.5, "parameters": {"a": 2}}, "tags": ["new"]},
        RUN,
    ]
    assert worker.clean(back, "n.ipynb") == merged


def test_committed_outputs_of_another_run_are_not_mixed_with_ours(kept: KeptOutputs) -> None:
    worker = Filter(Always(outputs=True), kept, NothingStaged(), say=lambda text: None, exists=lambda path: True)
    ours = document(cell("a", "<o at 0x7f3a11>", metadata=RUN), cell("b", "ours", metadata=RUN))
    assert outputs(worker.clean(ours, "n.ipynb")) == ["<o at 0x...>", "ours"]
    theirs = document(
        cell("a", "<o at 0x...>", execution_count=None),
        cell("b", "theirs", execution_count=None),
        cell("c", "new", execution_count=None),
    )
    back = worker.smudge(theirs, "n.ipynb")
    assert outputs(back) == ["<o at 0x7f3a11>", "theirs", "new"]
    assert [each.execution_count for each in read(back).cells] == [1, None, None]
    assert metadata(back)[1:] == [RUN, {}, {}]
    assert worker.clean(back, "n.ipynb") == theirs


def test_a_tag_that_keeps_outputs_holds_nothing_back_from_other_cells(worker: Filter) -> None:
    worker.clean(document(cell("a", "1"), cell("b", "2")), "n.ipynb")
    merged = document(cell("a", metadata={"tags": ["keep-output"]}), cell("b"))
    back = worker.smudge(merged, "n.ipynb")
    assert outputs(back) == ["", "2"]
    assert worker.clean(back, "n.ipynb") == merged


def test_marks_of_conflicts_are_committed_whatever_metadata_is_allowed(kept: KeptOutputs) -> None:
    worker = Filter(Always(metadata=()), kept, NothingStaged(), say=lambda text: None, exists=lambda path: True)
    marked = {"cellar": {"conflict": {"id": "c1", "role": "ours"}}}
    data = document(cell("a", metadata={**marked, "other": 1}), metadata=marked)
    assert metadata(worker.clean(data, "n.ipynb")) == [marked, marked]


def test_cells_ids_and_layout_are_left_to_the_command(kept: KeptOutputs) -> None:
    cleaner = Always(drop_cell_tags=("t",), drop_empty_cells=True, ids="new", layout="jupyter")
    worker = Filter(cleaner, kept, NothingStaged(), say=lambda text: None, exists=lambda path: True)
    data = document(cell("a", metadata={"tags": ["t"]}), cell(""), indent=3)
    assert worker.clean(data, "n.ipynb") == data


def test_another_file_gets_outputs_only_when_the_first_is_gone(kept: KeptOutputs) -> None:
    there = {"old.ipynb"}
    worker = Filter(Always(), kept, NothingStaged(), say=lambda text: None, exists=lambda path: path in there)
    worker.clean(document(cell("a", "1"), cell("b", "2")), "old.ipynb")
    renamed = document(cell("a"), cell("b"), cell("c"))
    assert outputs(worker.smudge(renamed, "new.ipynb")) == ["", "", ""]
    there.clear()
    assert outputs(worker.smudge(renamed, "new.ipynb")) == ["1", "2", ""]


def test_the_newest_run_is_what_comes_back(worker: Filter) -> None:
    for output in ("1", "2", "1"):
        clean = worker.clean(document(cell("a", output)), "n.ipynb")
    assert outputs(worker.smudge(clean, "n.ipynb")) == ["1"]


def test_a_file_that_is_staged_as_it_is_is_clean(kept: KeptOutputs) -> None:
    data = document(cell("a", "1"))
    worker = Filter(Always(), kept, Holding(data), say=lambda text: None, exists=lambda path: True)
    assert worker.clean(data, "n.ipynb") == data
    assert worker.clean(document(cell("a", "2")), "n.ipynb") == document(cell("a"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\x00\xff" * 9,
        b'{"nbformat": 5, "cells": []}',
        b"<<<<<<< a\n{}\n=======\n>>>>>>> b\n",
        b"[" * 99999,
        b'{"a":' * 99999,
    ],
)
def test_what_is_no_notebook_goes_through(worker: Filter, data: bytes) -> None:
    assert worker.clean(data, "n.ipynb") == data
    assert worker.smudge(data, "n.ipynb") == data


def test_of_a_broken_notebook_it_is_said_where(worker: Filter, said: list[str]) -> None:
    worker.clean(document(cell("a", "1"))[:-30], "n.ipynb")
    assert len(said) == 1
    assert said[0].startswith("n.ipynb, line ")


def test_of_conflict_marks_nothing_is_said(worker: Filter, said: list[str]) -> None:
    worker.clean(b'{\n<<<<<<< a\n "x": 1\n=======\n "x": 2\n>>>>>>> b\n}\n', "n.ipynb")
    assert said == []


def test_an_older_notebook_is_not_upgraded_by_the_way(worker: Filter) -> None:
    old = json.dumps(
        {"worksheets": [{"cells": [], "metadata": {}}], "metadata": {}, "nbformat": 3, "nbformat_minor": 0}
    )
    assert worker.clean(old.encode(), "n.ipynb") == old.encode()


def test_outputs_that_cannot_be_kept_stay_in_the_file(tmp_path: Path, said: list[str]) -> None:
    (tmp_path / "outputs").write_text("a file where the folder should be")
    worker = Filter(Always(), KeptOutputs(tmp_path / "outputs"), NothingStaged(), say=said.append, exists=bool)
    data = document(cell("a", "1"))
    assert worker.clean(data, "n.ipynb") == data
    assert "could not be kept aside" in said[0]


@given(junk=st.binary(max_size=200), at=st.integers(0, 5))
@settings(max_examples=50)
def test_damaged_files_of_the_store_are_not_put_back(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, at: int
) -> None:
    kept = KeptOutputs(tmp_path_factory.mktemp("kept"))
    worker = Filter(Always(), kept, NothingStaged(), say=lambda text: None, exists=lambda path: True)
    data = document(cell("a", "1"), cell("b", "2"))
    clean = worker.clean(data, "n.ipynb")
    files = sorted(path for path in kept.folder.rglob("*") if path.is_file())
    files[at % len(files)].write_bytes(junk)
    assert worker.smudge(clean, "n.ipynb") in (data, clean)
    assert worker.clean(data, "n.ipynb") == clean


def test_a_line_of_200_kb_is_cleaned(worker: Filter) -> None:
    data = document(cell("x = '" + "at 0x7f00 " * 20_000 + "'", "at 0x7f00 " * 20_000))
    assert outputs(worker.clean(data, "n.ipynb")) == [""]


@pytest.mark.parametrize("digits", [40, 64])
def test_what_the_index_holds_is_read_again_when_it_changed(digits: int) -> None:
    data, version, listing = b"data", [1], {"n.ipynb": frozenset({"0" * digits})}
    staged = StagedContents(lambda: version[0], lambda: dict(listing))
    assert not staged.holds("n.ipynb", data)
    listing["n.ipynb"] = frozenset({object_id(data, digits)})
    assert not staged.holds("n.ipynb", data)
    version[0] = 2
    assert staged.holds("n.ipynb", data)
    assert not staged.holds("m.ipynb", data)


def packet(data: bytes) -> bytes:
    return b"%04x" % (len(data) + 4) + data


def request(command: str, path: bytes, content: bytes) -> bytes:
    parts = [content[at : at + 65516] for at in range(0, len(content), 65516)]
    head = packet(b"command=" + command.encode() + b"\n") + packet(b"pathname=" + path + b"\n") + b"0000"
    return head + b"".join(map(packet, parts)) + b"0000"


def conversation(worker: Filter, said: list[str], *requests: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return the paths that were asked for and the contents that were answered."""
    target = io.BytesIO()
    paths = serve(Packets(io.BytesIO(b"".join(requests)), target), worker, said.append)
    answers = Packets(io.BytesIO(target.getvalue()), io.BytesIO())
    contents = []
    while True:
        try:
            status = answers.read_fields()["status"]
        except EOFError:
            return paths, contents
        if status != b"success":
            contents.append(status)
            continue
        contents.append(answers.read_content().read())
        assert answers.read_lines() == []


def test_a_conversation_of_many_files(worker: Filter, said: list[str]) -> None:
    first, second = document(cell("a", "1" * 200_000)), b"no notebook"
    odd = b"odd \xff\n=name.ipynb"
    paths, contents = conversation(
        worker,
        said,
        request("clean", odd, first),
        request("smudge", odd, document(cell("a"))),
        request("clean", b"b", second),
        request("explode", b"b", b""),
        request("clean", b"b", b""),
    )
    assert contents == [document(cell("a")), first, second, b"error", b""]
    assert paths == [odd, b"b"]


def test_a_defect_of_ours_does_not_stop_git(kept: KeptOutputs, said: list[str]) -> None:
    class Broken(Always):
        def clean(self, notebook: object, path: str) -> object:  # type: ignore[override]
            raise ZeroDivisionError

    worker = Filter(Broken(), kept, NothingStaged(), say=said.append, exists=lambda path: True)  # type: ignore[arg-type]
    data = document(cell("a", "1"))
    assert conversation(worker, said, request("clean", b"n", data))[1] == [data]
    assert "ZeroDivisionError" in said[0]


def test_both_ends_agree_on_version_two() -> None:
    hello = packet(b"git-filter-client\n") + packet(b"version=2\n") + b"0000"
    offers = packet(b"capability=clean\n") + packet(b"capability=smudge\n") + packet(b"capability=delay\n") + b"0000"
    target = io.BytesIO()
    Packets(io.BytesIO(hello + offers), target).greet(("clean", "smudge"))
    assert b"delay" not in target.getvalue()
    assert target.getvalue().startswith(b"0016git-filter-server\n000eversion=2\n0000")


@pytest.mark.parametrize("data", [b"zzzz", b"0003", packet(b"version=3\n") + b"0000"])
def test_another_protocol_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"packet|protocol"):
        Packets(io.BytesIO(data), io.BytesIO()).greet(("clean",))
