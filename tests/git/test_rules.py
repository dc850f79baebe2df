"""The filter goes by the settings of the file's project, and all that compares with git does so, too."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from nbcellar.notebook.codec import read
from nbcellar.notebook.codec import write as write_notebook
from nbcellar.notebook.stale import is_stale, with_stale_mark

from .support import SOURCES, Worktree
from .support import run_cellar as cellar

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
NOISE = {"execution": {"iopub.execute_input": "2026-01-01"}, "tags": ["t"]}
KERNEL = {"kernelspec": {"display_name": "Python 3 (here)", "name": "python3"}, "language_info": {"version": "3.1"}}


def as_json(folder: Path, schema: str, *words: str) -> Any:
    """Run a command and return its JSON, which fits its schema."""
    found = json.loads(cellar(folder, *words)[1])
    wanted = json.loads((SCHEMAS / f"{schema}.json").read_text("utf-8"))
    jsonschema.validate(found, wanted, format_checker=jsonschema.FormatChecker())
    assert found["schema"] == 1
    return found


def write(repo: Worktree, name: str, output: str = "x", sources: tuple[str, ...] = SOURCES) -> None:
    """Write a notebook that was run, with noise of all kinds."""
    (repo.folder / name).parent.mkdir(exist_ok=True)
    repo.write(sources, output, name=name)
    value = json.loads(repo.bytes(name))
    value["metadata"] = KERNEL
    for cell in value["cells"]:
        cell["metadata"] = NOISE
    (repo.folder / name).write_text(json.dumps(value, indent=1) + "\n")


def staged(repo: Worktree, name: str) -> Any:
    return json.loads(repo.staged(name))


@pytest.fixture
def papers(repo: Worktree) -> Worktree:
    """A repository whose folder `papers` has its outputs committed."""
    (repo.folder / "papers").mkdir()
    (repo.folder / "papers" / "cellar.toml").write_text("[clean]\noutputs = true\n")
    write(repo, "n.ipynb", "<o at 0x7f3a11>")
    write(repo, "papers/p.ipynb", "<o at 0x7f3a11>")
    repo.commit("first")
    return repo


def test_each_folder_commits_by_its_settings(papers: Worktree) -> None:
    for name, text in (("n.ipynb", None), ("papers/p.ipynb", ["<o at 0x...>"])):
        value = staged(papers, name)
        assert value["metadata"]["kernelspec"]["display_name"] == "python3"
        for cell in value["cells"]:
            assert (cell["execution_count"], cell["metadata"]) == (None, {"tags": ["t"]})
            assert [output["text"] for output in cell["outputs"]] == ([text] if text else [])
    assert papers.status() == ""


def test_a_mark_of_stale_outputs_is_committed_with_these_and_never_alone(papers: Worktree) -> None:
    for name in ("n.ipynb", "papers/p.ipynb"):
        file = papers.folder / name
        notebook = read(file.read_bytes())
        marked = with_stale_mark(notebook.cells[0])
        ran_again = msgspec.structs.replace(with_stale_mark(notebook.cells[1]), execution_count=70)
        cells = (marked, ran_again, *notebook.cells[2:])
        file.write_bytes(write_notebook(msgspec.structs.replace(notebook, cells=cells)))
        before = file.read_bytes()
        assert papers.status() == ("" if name == "n.ipynb" else f" M {name}\n")
        papers.git("add", name)
        committed = read(papers.staged(name)).cells
        assert [is_stale(cell) for cell in committed[:2]] == [name != "n.ipynb", False]
        assert ["cellar" in cell.metadata for cell in committed[:2]] == [name != "n.ipynb", False]
        file.unlink()
        papers.git("checkout", "--", name)
        assert file.read_bytes() == before


def test_what_was_left_out_comes_back_on_checkout(papers: Worktree) -> None:
    before = {name: papers.bytes(name) for name in ("n.ipynb", "papers/p.ipynb")}
    papers.git("switch", "-qc", "other")
    for name in before:
        write(papers, name, "<o at 0x7f3a11>", ("a = 0", *SOURCES[1:]))
    papers.commit("other")
    papers.git("switch", "-q", "main")
    assert {name: papers.bytes(name) for name in before} == before
    papers.git("merge", "-q", "other")
    assert papers.status() == ""
    for name in before:
        value = json.loads(papers.bytes(name))
        assert value["metadata"] == KERNEL
        assert [cell["metadata"] for cell in value["cells"]] == [NOISE] * 5


@pytest.mark.parametrize("name", ["cellar.toml", "pyproject.toml"])
def test_branches_with_other_settings_do_not_stand_in_the_way(repo: Worktree, name: str) -> None:
    section = "clean" if name == "cellar.toml" else "tool.cellar.clean"
    write(repo, "n.ipynb", "result")
    repo.commit("first")
    before = repo.bytes("n.ipynb")
    repo.git("switch", "-qc", "published")
    (repo.folder / name).write_text(f"[{section}]\noutputs = true\n")
    write(repo, "n.ipynb", "published")
    repo.commit("with outputs")
    published = repo.bytes("n.ipynb")
    for branch, data in (("main", before), ("published", published), ("main", before)):
        repo.git("switch", "-q", branch)
        assert repo.bytes("n.ipynb") == data
        assert repo.status() == ""
    (repo.folder / name).write_text(f"[{section}]\noutputs = false\n")  # git does not know it, so it stays
    repo.git("reset", "-q", "--hard", "published~1")
    assert repo.bytes("n.ipynb") == before
    (repo.folder / name).unlink()
    repo.git("merge", "-q", "published")
    assert repo.bytes("n.ipynb") == published
    assert repo.status() == ""


def test_a_run_that_changed_noise_alone_is_no_change(papers: Worktree) -> None:
    write(papers, "papers/p.ipynb", "<o at 0x7fffff>")
    assert papers.status() == ""
    write(papers, "papers/p.ipynb", "result")
    assert papers.status() == " M papers/p.ipynb\n"


def test_the_diffs_of_git_know_the_rules_of_each_file(papers: Worktree) -> None:
    assert papers.git("log", "-p", "--format=", "papers/p.ipynb").stdout.count("0x...") == 5
    write(papers, "papers/p.ipynb", "<o at 0x7fffff>", ("a = 0", *SOURCES[1:]))
    write(papers, "n.ipynb", "other", ("a = 0", *SOURCES[1:]))
    for words in (["diff"], ["diff", "--no-ext-diff"], ["diff", "--no-ext-diff", "HEAD"]):
        said = papers.git(*words).stdout
        assert "a = 0" in said
        assert "0x7f" not in said and "other" not in said and "Python 3 (here)" not in said
    # a version of a commit that git hands over with all put back, without saying of which file
    papers.git("checkout", "--", ".")
    assert "0x7f" not in papers.git("show", "--no-ext-diff", "--textconv", "HEAD:papers/p.ipynb").stdout


@pytest.mark.parametrize("words", [["git:HEAD"], ["git:HEAD", "n.ipynb"], ["git:HEAD:n.ipynb", "n.ipynb"], ["git:"]])
def test_outputs_that_are_kept_out_of_commits_are_no_difference(papers: Worktree, words: list[str]) -> None:
    assert cellar(papers.folder, "diff", *words, "--exit-code") == (0, "")
    write(papers, "n.ipynb", "new output", ("a = 0", *SOURCES[1:]))
    code, said = cellar(papers.folder, "diff", *words, "--exit-code")
    assert code == 1
    assert "a = 0" in said
    assert "new output" not in said and "Python 3 (here)" not in said


@pytest.mark.parametrize("words", [["git:HEAD"], ["git:HEAD:n.ipynb", "n.ipynb"]])
def test_a_notebook_that_was_committed_with_outputs_does_not_differ(bare_repo: Worktree, words: list[str]) -> None:
    bare_repo.write(output="x")
    bare_repo.commit()
    bare_repo.install()
    os.utime(bare_repo.folder / "n.ipynb", (1, 1))
    assert cellar(bare_repo.folder, "diff", *words, "--exit-code") == (0, "")


def test_without_the_filter_the_file_itself_is_compared(bare_repo: Worktree) -> None:
    bare_repo.write()
    bare_repo.commit()
    bare_repo.write(output="new output")
    assert "new output" in cellar(bare_repo.folder, "diff", "git:HEAD")[1]
    assert "new output" in cellar(bare_repo.folder, "diff", "git:HEAD", "n.ipynb")[1]


def test_the_doctor_says_what_is_committed(papers: Worktree) -> None:
    def said(kind: str) -> list[Any]:
        found = as_json(papers.folder, "git-doctor", "git", "doctor", "--json")["findings"]
        return [(each["state"], each["detail"]) for each in found if each["what"] == kind]

    assert said("commits") == [("ok", "with outputs in papers (clean.outputs), elsewhere without; without noise")]
    assert said("cleaning") == []
    (papers.folder / "cellar.toml").write_text("[clean]\ndrop_empty_cells = true\n")
    assert said("cleaning") == [("note", "the filter leaves clean.drop_empty_cells to the command")]
    (papers.folder / "cellar.toml").write_text("[clean]\noutputs = true\n")
    assert said("commits") == [("ok", "with outputs, without noise (clean.outputs)")]
    (papers.folder / "cellar.toml").write_text("[clean]\nno_such_key = true\n")
    ((state, detail),) = said("commits")
    assert state == "problem"
    assert "no_such_key" in detail
    assert cellar(papers.folder, "git", "doctor")[0] == 1
    (papers.folder / "papers" / "cellar.toml").unlink()
    (papers.folder / "cellar.toml").unlink()
    assert said("commits") == [("ok", "without outputs and noise, which stay in the files")]


def test_broken_settings_are_said_and_outputs_stay_out(papers: Worktree) -> None:
    (papers.folder / "cellar.toml").write_text("<<<<<<< ours\n")
    write(papers, "n.ipynb", "new", ("a = 0", *SOURCES[1:]))
    done = papers.git("add", "n.ipynb")
    assert done.stderr.count("cellar.toml") == 1
    assert [cell["outputs"] for cell in staged(papers, "n.ipynb")["cells"]] == [[]] * 5


def test_status_and_log_fit_their_schemas(papers: Worktree) -> None:
    states = {each["state"] for each in as_json(papers.folder, "git-doctor", "git", "status", "--json")["findings"]}
    assert states <= {"ok", "note"}
    write(papers, "n.ipynb", "x", ("a = 0", *SOURCES[1:]))
    papers.commit("second")
    (second, first) = as_json(papers.folder, "git-log", "git", "log", "n.ipynb", "--json")["commits"]
    assert (second["title"], first["title"]) == ("second", "first")
    assert second["changes"]


def test_a_patch_knows_the_notebook_it_was_made_from(tmp_path: Path, bare_repo: Worktree) -> None:
    folder = bare_repo.folder
    bare_repo.write(name="a.ipynb")
    bare_repo.write(("a = 0", *SOURCES[1:]), name="b.ipynb")
    bare_repo.write((*SOURCES[:4], "e = 50"), name="other.ipynb")
    found = as_json(folder, "diff-notebooks", "diff", "a.ipynb", "b.ipynb", "--json")
    (folder / "d.json").write_text(json.dumps(found))
    untouched = bare_repo.bytes("other.ipynb")
    code, said = cellar(folder, "patch", "other.ipynb", "d.json")
    assert code == 2
    assert "other.ipynb: the diff does not fit" in said and "--force" in said
    assert bare_repo.bytes("other.ipynb") == untouched
    assert cellar(folder, "patch", "other.ipynb", "d.json", "--force")[0] == 0
    assert bare_repo.sources("other.ipynb") == ["a = 0", *SOURCES[1:4], "e = 50"]
    (folder / "a.ipynb").write_text(json.dumps(json.loads(bare_repo.bytes("a.ipynb"))))  # another layout, same document
    assert cellar(folder, "patch", "a.ipynb", "d.json", "-o", "c.ipynb")[0] == 0
    assert bare_repo.sources("c.ipynb") == bare_repo.sources("b.ipynb")


def test_a_diff_that_says_no_base_is_applied_where_it_fits(bare_repo: Worktree) -> None:
    folder = bare_repo.folder
    bare_repo.write(name="a.ipynb")
    bare_repo.write(("a = 0", *SOURCES[1:]), name="b.ipynb")
    bare_repo.write((*SOURCES[:4], "e = 50"), name="other.ipynb")
    (folder / "d.json").write_text(cellar(folder, "diff", "a.ipynb", "b.ipynb", "--format", "jep")[1])
    assert cellar(folder, "patch", "other.ipynb", "d.json")[0] == 0
    assert bare_repo.sources("other.ipynb")[0] == "a = 0"
    new = as_json(folder, "diff-notebooks", "diff", os.devnull, "b.ipynb", "--json")
    assert new["notebooks"][0]["base_digest"] is None
    (folder / "d.json").write_text(json.dumps({"notebooks": [{"operations": [], "base_digest": 7}]}))
    code, said = cellar(folder, "patch", "other.ipynb", "d.json")
    assert (code, "base_digest is no text" in said) == (2, True)
