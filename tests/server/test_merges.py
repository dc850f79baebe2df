"""Merges that wait for decisions, asked for and saved over HTTP, in repositories of real git."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from nbformat import from_dict
from nbformat.sign import NotebookNotary
from tests.browser import studio
from tests.browser.studio import Server
from tests.git.support import Worktree, make, notebook

import nbcellar
from nbcellar.api.code import document
from nbcellar.api.documents import merge_notebooks
from nbcellar.api.merging_handed import VARIABLE, GivenMerge, MergeOutcome, hand_over, outcome_of
from nbcellar.api.session import record_document
from nbcellar.history.model import CommitKind
from nbcellar.ids import CommitId

OPERATIONS = ("merge", "rebase", "cherry-pick", "revert", "stash")
GOES_ON = {
    "merge": "git commit",
    "rebase": "git rebase --continue",
    "cherry-pick": "git cherry-pick --continue",
    "revert": "git revert --continue",
    "stash": "git stash drop",
}


@pytest.fixture
def repo(server: Server, folder: Path) -> Worktree:
    made = make(folder / "repo")
    made.install()
    return made


def conflicted(repo: Worktree, operation: str = "merge") -> str:
    """Bring `n.ipynb` into a conflict in its first cell; return its path below the server's root."""
    repo.write()
    repo.commit("base")
    if operation == "revert":
        repo.write(("a = 'then'", "b = 2", "c = 3"))
        repo.commit("then")
        repo.write(("a = 'ours'", "b = 2", "c = 3"))
        repo.commit("ours")
        repo.git("revert", "--no-edit", "HEAD~1", check=False)
    elif operation == "stash":
        repo.write(("a = 'theirs'", "b = 2", "c = 3"))
        repo.git("stash", "-q")
        repo.write(("a = 'ours'", "b = 2", "c = 3"))
        repo.commit("ours")
        repo.git("stash", "pop", check=False)
    else:
        repo.git("switch", "-qc", "other")
        repo.write(("a = 'theirs'", "b = 2", "c = 3"))
        repo.commit("theirs")
        repo.git("switch", "-q", "main")
        repo.write(("a = 'ours'", "b = 2", "c = 3"))
        repo.commit("ours")
        repo.git(operation, "other", check=False)
    return f"{repo.folder.parent.name}/repo/n.ipynb"


def ask(server: Server, route: str, **asked: Any) -> Any:
    status, answer = server.ask(f"nbcellar/api/{route}", asked)
    assert status == 200, answer
    return answer


def look(server: Server, path: str) -> Any:
    status, answer = server.ask(f"nbcellar/api/merge?path={path}")
    assert status == 200, answer
    return answer


def sources(cells: list[dict[str, Any]]) -> list[str]:
    return ["".join(cell["source"]) for cell in cells]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_conflict_is_told_decided_saved_and_resolved_for_git(server: Server, repo: Worktree, operation: str) -> None:
    path = conflicted(repo, operation)
    found = look(server, path)
    assert found["state"] == "marked"
    assert found["git"]["in_conflict"]
    assert found["git"]["next"] == GOES_ON[operation]
    (conflict,) = found["conflicts"]
    assert conflict["what"] == ["source"]
    base = "a = 'then'" if operation == "revert" else "a = 1"
    theirs = "a = 1" if operation == "revert" else "a = 'theirs'"
    mine = "a = 'ours'"
    if operation == "rebase":  # git's own meaning: ours is what is rebased onto
        mine, theirs = theirs, mine
    shown = [sources(conflict[side]) for side in ("base", "ours", "theirs")]
    assert shown == [[base], [mine], [theirs]]
    assert "conflict" not in json.dumps([cell["metadata"] for cell in (*conflict["ours"], *conflict["theirs"])])
    decisions = [{"id": conflict["id"], "pick": "edited", "source": "a = 'both'"}]
    tried = ask(server, "merge-result", path=path, decisions=decisions)
    assert (tried["left"], sources(tried["notebook"]["cells"])[0]) == (0, "a = 'both'")
    assert "a = 'both'" not in repo.sources()
    saved = ask(server, "merge-save", path=path, version=found["version"], decisions=decisions)
    assert (saved["left"], saved["resolved"], saved["problem"]) == (0, True, "")
    assert repo.sources()[0] == "a = 'both'"
    assert repo.git("ls-files", "-u").stdout == ""
    assert json.loads(repo.staged())["cells"][0]["source"] == ["a = 'both'"]
    if operation != "stash":
        repo.git(*GOES_ON[operation].split()[1:], *(["--no-edit"] if operation in ("merge", "revert") else []))
        assert repo.status() == ""


def test_git_is_told_nothing_while_a_conflict_is_left(server: Server, repo: Worktree) -> None:
    repo.write()
    repo.commit()
    repo.git("switch", "-qc", "other")
    repo.write(("a = 'theirs'", "b = 2", "c = 'theirs'"))
    repo.commit()
    repo.git("switch", "-q", "main")
    repo.write(("a = 'ours'", "b = 2", "c = 'ours'"))
    repo.commit()
    repo.git("merge", "other", check=False)
    path = f"{repo.folder.parent.name}/repo/n.ipynb"
    found = look(server, path)
    first, second = found["conflicts"]
    saved = ask(
        server, "merge-save", path=path, version=found["version"], decisions=[{"id": first["id"], "pick": "ours"}]
    )
    assert (saved["left"], saved["resolved"]) == (1, False)
    assert repo.git("ls-files", "-u").stdout != ""
    assert ask(server, "merge-resolved", path=path)["resolved"] is False
    again = look(server, path)
    assert [one["id"] for one in again["conflicts"]] == [second["id"]]
    late = {"path": path, "version": found["version"], "decisions": []}
    status, answer = server.ask("nbcellar/api/merge-save", late)
    assert (status, answer["code"]) == (409, "conflict")
    saved = ask(
        server, "merge-save", path=path, version=again["version"], decisions=[{"id": second["id"], "pick": "both"}]
    )
    assert (saved["left"], saved["resolved"]) == (0, True)
    assert repo.sources() == ["a = 'ours'", "b = 2", "c = 'ours'", "c = 'theirs'"]


def test_an_open_notebook_is_looked_at_as_it_is_and_git_told_once_it_is_saved(server: Server, repo: Worktree) -> None:
    path = conflicted(repo)
    before = repo.bytes()
    live = json.loads(before)
    live["cells"].append({**live["cells"][-1], "id": "typed", "source": "not saved yet"})
    for cell in live["cells"]:  # as an editor marks what Jupyter trusts; no file has that
        cell["metadata"] = {**cell["metadata"], "trusted": True}
    found = ask(server, "merge-live", path=path, notebook=live)
    (conflict,) = found["conflicts"]
    tried = ask(server, "merge-result", path=path, notebook=live, decisions=[{"id": conflict["id"], "pick": "theirs"}])
    assert sources(tried["notebook"]["cells"]) == ["a = 'theirs'", "b = 2", "c = 3", "not saved yet"]
    assert not any("trusted" in cell["metadata"] for cell in tried["notebook"]["cells"])
    assert repo.bytes() == before
    assert ask(server, "merge-resolved", path=path)["left"] == 1
    (repo.folder / "n.ipynb").write_text(json.dumps(tried["notebook"]))
    told = ask(server, "merge-resolved", path=path)
    assert (told["left"], told["resolved"]) == (0, True)
    assert ask(server, "merge-resolved", path=path)["resolved"] is False  # it was already


def test_what_git_left_as_text_becomes_marked_cells_at_one_request(server: Server, repo: Worktree) -> None:
    (repo.folder / ".git" / "info" / "attributes").write_text("*.ipynb -merge\n*.ipynb merge=text\n")
    path = conflicted(repo)
    assert b"<<<<<<<" in repo.bytes()
    found = look(server, path)
    assert (found["state"], found["marks"], found["conflicts"]) == ("text", 1, [])
    fixed = ask(server, "merge-fix", path=path)
    assert (fixed["written"], fixed["conflicts"]) == (True, 1)
    assert sources(look(server, path)["conflicts"][0]["theirs"]) == ["a = 'theirs'"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_look_writes_nothing_of_git_s(server: Server, repo: Worktree, operation: str) -> None:
    path, index = conflicted(repo, operation), repo.folder / ".git" / "index"

    def stamp() -> tuple[int, int, bytes]:
        found = index.stat()
        return found.st_ino, found.st_mtime_ns, index.read_bytes()

    before = stamp()
    found = look(server, path)
    assert look(server, path) == found
    assert stamp() == before
    decisions = [{"id": found["conflicts"][0]["id"], "pick": "ours"}]
    assert ask(server, "merge-save", path=path, version=found["version"], decisions=decisions)["resolved"]
    before = stamp()
    for _ in range(3):
        assert not look(server, path)["git"]["in_conflict"]
        assert stamp() == before


def test_where_the_file_holds_one_side_alone_git_s_versions_are_merged_anew(server: Server, repo: Worktree) -> None:
    path = conflicted(repo)
    ours = notebook(("a = 'ours'", "b = 2", "c = 3"))
    (repo.folder / "n.ipynb").write_bytes(ours)
    found = look(server, path)
    assert (found["state"], found["anew"], found["git"]["in_conflict"]) == ("none", True, True)
    assert found["holds"]
    status, made = server.ask(f"nbcellar/api/merge-anew?path={path}")
    assert (status, made["left"]) == (200, 1)
    assert {"a = 'ours'", "a = 'theirs'"} <= set(sources(made["notebook"]["cells"]))
    assert repo.bytes() == ours, "a look changes nothing"


def test_git_s_versions_are_merged_again_into_the_file_that_was_looked_at(server: Server, repo: Worktree) -> None:
    path = conflicted(repo)
    marked = look(server, path)
    (repo.folder / "n.ipynb").write_bytes(notebook(("a = 'theirs'", "b = 2", "c = 3")))
    late = {"path": path, "version": marked["version"]}
    status, answer = server.ask("nbcellar/api/merge-again", late)
    assert (status, answer["code"]) == (409, "conflict")
    assert repo.sources()[0] == "a = 'theirs'"
    saved = ask(server, "merge-again", path=path, version=look(server, path)["version"])
    assert (saved["left"], saved["resolved"], saved["git"]["in_conflict"]) == (1, False, True)
    again = look(server, path)
    assert (again["state"], again["version"]) == ("marked", saved["version"])
    (conflict,) = again["conflicts"]
    assert [sources(conflict[side]) for side in ("base", "ours", "theirs")] == [
        ["a = 1"],
        ["a = 'ours'"],
        ["a = 'theirs'"],
    ]


def test_without_versions_in_git_nothing_is_merged_anew(server: Server, repo: Worktree) -> None:
    repo.write()
    repo.commit("base")
    path, before = f"{repo.folder.parent.name}/repo/n.ipynb", repo.bytes()
    status, answer = server.ask(f"nbcellar/api/merge-anew?path={path}")
    assert (status, answer["code"]) == (404, "not-found")
    status, answer = server.ask("nbcellar/api/merge-again", {"path": path, "version": look(server, path)["version"]})
    assert (status, answer["code"]) == (404, "not-found")
    assert repo.bytes() == before


def test_what_a_policy_left_out_is_listed_and_comes_back(server: Server, folder: Path) -> None:
    repo = make(folder / "repo")
    repo.install()
    (repo.folder / ".git" / "info" / "attributes").write_text("*.ipynb merge=cellar\n")  # outputs are committed
    repo.write(output="old\n")
    repo.commit()
    repo.git("switch", "-qc", "other")
    repo.write(("a = 'theirs'", "b = 2", "c = 3"), "of theirs\n")
    repo.commit()
    repo.git("switch", "-q", "main")
    repo.write(("a = 'ours'", "b = 2", "c = 3"), "of ours\n")
    repo.commit()
    repo.git("merge", "other", check=False)
    path = f"{repo.folder.parent.name}/repo/n.ipynb"
    found = look(server, path)
    assert [(one["side"], one["what"], one["cell"]) for one in found["dropped"]] == [
        ("theirs", "outputs", 2),
        ("theirs", "outputs", 3),
    ]
    (conflict,) = found["conflicts"]
    assert [cell["outputs"][0]["text"] for side in ("base", "ours", "theirs") for cell in conflict[side]] == [
        "old\n",
        "of ours\n",
        "of theirs\n",
    ]
    ask(
        server,
        "merge-save",
        path=path,
        version=found["version"],
        decisions=[{"id": conflict["id"], "pick": "ours"}],
        back=[found["dropped"][0]["id"]],
    )
    assert repo.outputs() == ["of ours\n", "of theirs\n", "of ours\n"]


def test_a_notebook_of_another_folder_than_gits_is_decided_without_git(server: Server, folder: Path) -> None:
    versions = [json.loads(notebook((source,))) for source in ("a = 1", "a = 2", "a = 3")]
    merged = merge_notebooks(*versions)
    (folder / "n.ipynb").write_text(json.dumps(merged.notebook))
    found = look(server, f"{folder.name}/n.ipynb")
    assert not found["git"]["in_conflict"]
    decisions = [{"id": found["conflicts"][0]["id"], "pick": "base"}]
    saved = ask(server, "merge-save", path=f"{folder.name}/n.ipynb", version=found["version"], decisions=decisions)
    assert (saved["left"], saved["resolved"], saved["problem"]) == (0, False, "")
    assert sources(json.loads((folder / "n.ipynb").read_text())["cells"]) == ["a = 1"]


def test_what_is_replaced_is_recorded_where_cellar_records(server: Server, repo: Worktree) -> None:

    path = conflicted(repo)
    marked = repo.bytes()
    ask(server, "init", path=path)
    with nbcellar.open(str(repo.folder)) as opened:
        known = opened.repository.notebook_for(repo.folder / "n.ipynb", create=True)
        record_document(opened, known, kind=CommitKind.NAMED, message="marked")
    live = json.loads(marked)
    live["cells"].append({**live["cells"][-1], "id": "typed", "source": ["typed since"]})
    (repo.folder / "n.ipynb").write_text(json.dumps(live))
    found = look(server, path)
    decisions = [{"id": found["conflicts"][0]["id"], "pick": "ours"}]
    saved = ask(server, "merge-save", path=path, version=found["version"], decisions=decisions)
    assert saved["left"] == 0
    with nbcellar.open(str(repo.folder)) as opened:
        recorded = document(opened.repository, CommitId(bytes.fromhex(saved["recorded"])))
    assert sources(json.loads(recorded)["cells"]) == sources(live["cells"])


HOSTILE = "</script><img src=x onerror=alert(1)>\u202e\u0000"


def test_hostile_contents_are_told_as_they_are_or_refused(server: Server, folder: Path) -> None:
    def cell(role: str, **more: Any) -> dict[str, Any]:
        mark = {"id": HOSTILE, "role": role, **more}
        return {"cell_type": "markdown", "metadata": {"cellar": {"conflict": mark}}, "source": HOSTILE, "id": role}

    cells = [
        cell("begin", what=[HOSTILE, 7, None], labels={"ours": HOSTILE, "base": []}, base={"cell_type": 3}, ours="x"),
        cell("ours"),
        cell("theirs"),
        cell("notebook", values=[{"path": ["metadata", "x"], "ours": {"a": [HOSTILE]}}, {"path": []}, 5]),
        {"cell_type": "markdown", "metadata": {"cellar": {"conflict": {"id": ["list"], "role": {}}}}, "source": ""},
    ]
    hostile = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    (folder / "n.ipynb").write_text(json.dumps(hostile))
    found = look(server, f"{folder.name}/n.ipynb")
    assert found["conflicts"][0]["what"] == [HOSTILE]
    for pick in ("ours", "theirs", "both", "base", "edited"):
        asked = {"path": f"{folder.name}/n.ipynb", "decisions": [{"id": HOSTILE, "pick": pick, "source": HOSTILE}]}
        status, answer = server.ask("nbcellar/api/merge-result", asked)
        assert status == 200 or answer["code"] in ("invalid-input", "not-found"), answer
    (folder / "deep.ipynb").write_text('{"cells": ' + "[" * 100_000)
    status, answer = server.ask(f"nbcellar/api/merge?path={folder.name}/deep.ipynb")
    assert (status, answer["code"]) == (400, "invalid-input")


@pytest.mark.parametrize(
    "asked",
    [
        {"decisions": [{"id": "nobody", "pick": "ours"}]},
        {"decisions": [{"id": "x", "pick": "mine"}]},
        {"decisions": [{"id": "x", "pick": "ours", "sauce": ""}]},
        {"back": ["nothing"]},
        {"notebook": {"cells": 5}},
        {"notebook": {"nbformat": 3}},
        {"given": "0" * 16},
    ],
    ids=lambda asked: next(iter(asked)),
)
def test_what_makes_no_sense_is_refused(server: Server, repo: Worktree, asked: dict[str, Any]) -> None:
    path = conflicted(repo)
    status, answer = server.ask("nbcellar/api/merge-result", {"path": path, **asked})
    assert status in (400, 404), answer
    assert answer["code"] in ("invalid-input", "not-found")


def test_a_link_that_leads_out_is_not_followed(server: Server, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    (folder / "n.ipynb").symlink_to(tmp_path / "secret.ipynb")
    for route, body in (("merge", None), ("merge-fix", {}), ("merge-resolved", {}), ("merge-save", {"version": ""})):
        asked = f"nbcellar/api/{route}"
        path = f"{folder.name}/n.ipynb"
        status, answer = (
            server.ask(f"{asked}?path={path}") if body is None else server.ask(asked, {"path": path, **body})
        )
        assert (status, answer["code"]) == (400, "invalid-input"), (route, answer)


@pytest.fixture
def handed(tmp_path: Path) -> Callable[..., tuple[dict[str, str], str, Path]]:
    """Hands a merge of three files, which lie outside of any server's root, to a server to be started."""

    def make_one() -> tuple[dict[str, str], str, Path]:
        names = {}
        for name, source in (("base", "a = 1"), ("ours", "a = 2"), ("theirs", "a = 3")):
            (tmp_path / f"{name}.ipynb").write_bytes(notebook((source, "b = 2")))
            names[name] = str(tmp_path / f"{name}.ipynb")
        private = tmp_path / "private"
        private.mkdir(mode=0o700)
        given = GivenMerge(**names, output=str(tmp_path / "out.ipynb"), shown="out.ipynb")
        return {VARIABLE: str(private)}, hand_over(private, given), private

    return make_one


def test_three_files_outside_of_the_root_are_merged_by_an_id(
    handed: Callable[..., tuple[dict[str, str], str, Path]], tmp_path: Path, own_environment: Path
) -> None:

    environ, id_, private = handed()
    with studio.serve(tmp_path / "root", module="nbcellar.server", environ=environ) as server:
        status, found = server.ask(f"nbcellar/api/merge?path=&given={id_}")
        assert (status, found["target"]) == (200, "out.ipynb")
        assert str(tmp_path) not in json.dumps(found)
        decisions = [{"id": found["conflicts"][0]["id"], "pick": "theirs"}]
        saved = ask(server, "merge-save", path="", given=id_, version=found["version"], decisions=decisions)
        assert saved["left"] == 0
        again = {"path": "", "given": id_, "version": found["version"], "decisions": decisions}
        assert server.ask("nbcellar/api/merge-save", again)[0] == 409
        assert ask(server, "merge-end", path="", given=id_) == {"saved": True, "left": 0}
        assert server.process.wait(60) == 0  # nothing is left to serve
    assert sources(json.loads((tmp_path / "out.ipynb").read_bytes())["cells"]) == ["a = 3", "b = 2"]
    assert outcome_of(private, id_) == MergeOutcome(saved=True, left=0)


def test_outputs_stay_trusted_when_conflicts_are_decided(server: Server, folder: Path) -> None:
    versions = [json.loads(notebook((source, "b = 2"), "1\n")) for source in ("a = 1", "a = 2", "a = 3")]
    merged = merge_notebooks(*versions).notebook
    (folder / "n.ipynb").write_text(json.dumps(merged))
    Path(os.environ["JUPYTER_DATA_DIR"]).mkdir(parents=True, exist_ok=True)
    notary = NotebookNotary(data_dir=os.environ["JUPYTER_DATA_DIR"])
    with closing(notary.store):
        notary.sign(from_dict(merged))
        found = look(server, f"{folder.name}/n.ipynb")
        decisions = [{"id": found["conflicts"][0]["id"], "pick": "ours"}]
        ask(server, "merge-save", path=f"{folder.name}/n.ipynb", version=found["version"], decisions=decisions)
        made = json.loads((folder / "n.ipynb").read_text())
        assert sources(made["cells"]) == ["a = 2", "b = 2"]
        assert notary.check_signature(from_dict(made))
