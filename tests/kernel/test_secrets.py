"""A secret in a real session: printed, in code, in variables, in the environment; found, forgotten, gone."""

from __future__ import annotations

import json
from pathlib import Path

from .support import Kernel, Project

TOKEN = "gh" + "p_" + "Zk3fVq81LmXc72RtYw0BnHs94JdPoEuAi65G"
NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "a",
            "metadata": {},
            "outputs": [],
            "source": [f"x='{TOKEN}'"],
        }
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def holds(folder: Path) -> list[str]:
    """Return the files with the token, as it is or in two or four bytes a letter."""
    forms = [TOKEN.encode(name) for name in ("utf-8", "utf-16-le", "utf-32-le")]
    return [str(path) for path in folder.rglob("*") if path.is_file() and any(f in path.read_bytes() for f in forms)]


def record(kernel: Kernel) -> None:
    kernel.run(
        "import os, collections\nn = 2",
        f"client = {{'token': '{TOKEN}', 'n': n}}\nprint('using', client['token'])",
        f"os.environ['SERVICE_LOGIN'] = '{TOKEN}'",
        f"class C:\n    auth = '{TOKEN}'\nc = C()",
        f"def f(x):\n    return x + '{TOKEN}'",
        "client",
        "kept = list(range(100))",
    )
    kernel.fail(f"raise ValueError('{TOKEN}')", "ValueError")
    kernel.run("n = n + 1", "del client, C, c, f; del os.environ['SERVICE_LOGIN']")


def test_a_secret_is_found_forgotten_and_nowhere_any_more(project: Project) -> None:
    (project.root / "a.ipynb").write_text(json.dumps(NOTEBOOK))
    kernel = project.kernel()
    record(kernel)
    scanned = project.cellar("secrets", "scan", "--json")
    assert scanned.returncode == 1
    assert TOKEN not in scanned.stdout
    (found,) = json.loads(scanned.stdout)["secrets"]
    wheres = {place["where"] for place in found["places"]}
    assert {"code", "document", "output", "value", "preview", "environment"} <= wheres
    planned = project.cellar("forget", "--secret", found["id"], "--dry-run")
    assert planned.returncode == 0 and TOKEN not in planned.stdout
    (project.root / "a.ipynb").write_text(json.dumps({**NOTEBOOK, "cells": []}))
    done = project.cellar("forget", "--secret", found["id"], "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert TOKEN not in done.stdout
    assert holds(project.root / ".cellar") == []
    assert project.cellar("secrets", "scan").returncode == 0
    assert project.cellar("check", "--read-data").returncode == 0
    with project.open() as repo:
        store = repo.repository.store
        assert not any(TOKEN.encode() in store.read(info.digest) for info in store.objects())


def test_a_commit_says_once_that_its_code_looks_like_it_holds_a_secret(project: Project) -> None:
    kernel = project.kernel()
    kernel.run("n = 1", f"x = 1\ny = '{TOKEN}'", f"z = '{TOKEN}'")
    notes = [project.commit(ref).notes for ref in ("HEAD~2", "HEAD~1", "HEAD")]
    assert notes == [(), ("line 2 looks like it holds a secret (GitHub token): cellar secrets scan",), ()]


def test_a_session_goes_on_after_a_text_was_forgotten_and_its_other_values_come_back(project: Project) -> None:
    kernel = project.kernel()
    record(kernel)
    before = [line.title for line in project.log()]
    assert project.cellar("forget", "--text", TOKEN, "--yes").returncode == 0
    assert [line.title for line in project.log()] == [title.replace(TOKEN, "***") for title in before]
    kernel.run("n = n + 1")
    assert project.log()[0].title == "n = n + 1"
    kernel.undo()
    kernel.is_true("n == 3", "kept == list(range(100))")
    state = {name: entry for entry in project.state("HEAD~5").covariables for name in entry.names}
    assert (state["client"].value, state["client"].reason) == (None, "forgotten")
    assert state["kept"].value is not None
    assert holds(project.root / ".cellar") == []


def test_code_that_a_text_was_taken_out_of_is_not_run_again(project: Project) -> None:
    kernel = project.kernel()
    kernel.run("n = 1", f"client = {{'token': '{TOKEN}'}}", "del client")
    assert project.cellar("forget", "--text", TOKEN, "--yes").returncode == 0
    done = project.cellar("checkout", "HEAD~1", "--variables", "--replay")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "not restored: client" in done.stdout
    kernel.is_true("'client' not in globals()", "n == 1")


def test_a_text_comes_in_through_a_pipe_and_the_file_that_still_holds_it_is_named(project: Project) -> None:
    import subprocess
    import sys

    (project.root / "a.ipynb").write_text(json.dumps(NOTEBOOK))
    project.kernel().run(f"x = '{TOKEN}'")
    done = subprocess.run(
        [sys.executable, "-m", "nbcellar.cli.main", "forget", "--text", "-", "--yes"],
        cwd=project.root,
        env=project.environ,
        input=TOKEN + "\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "a.ipynb" in done.stdout and "still holds it" in done.stdout
    assert TOKEN not in done.stdout
    assert "del x" in done.stdout, "the live kernel would record it again"


def test_search_and_the_versions_of_a_variable_in_a_notebook(project: Project) -> None:
    kernel = project.kernel()
    kernel.run("price = 1", "price = 2  # raised", "other = 3")
    kernel.undo(2)
    shown = kernel.run("%cellar search raised").text + project.cellar("search", "raised").stdout
    assert "price = 2" in shown
    events = json.loads(project.cellar("vars", "--history", "price", "--json").stdout)["events"]
    assert [event["change"] for event in events] == ["changed", "changed", "created"]
    assert events[0]["back_to"] == events[2]["commit"]["id"]
    assert events[0]["after"]["version"] == events[2]["after"]["version"]
