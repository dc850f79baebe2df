"""Stores that are damaged, read-only, of others or of the future: an error that names the thing, and an exit code."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from nbcellar.trust.keys import SigningKey


def test_a_lost_database_is_named_and_rebuilt(shell: Any, analysis: Any) -> None:
    assert shell.run("gc") == 0  # writes what is in the database into a pack, too
    before = shell.json("log")
    analysis.repository.close()
    for path in (shell.folder / ".cellar").glob("meta.db*"):
        path.unlink()
    assert shell.run("log") == 4
    assert "meta.db is missing" in shell.err and "hint: cellar check --rebuild" in shell.err
    assert shell.run("check --rebuild") == 0
    assert [line["id"] for line in shell.json("log")["commits"]] == [line["id"] for line in before["commits"]]


def test_a_damaged_pack_is_said_by_a_rebuild(shell: Any, analysis: Any) -> None:
    assert shell.run("gc") == 0
    analysis.repository.close()
    for path in (shell.folder / ".cellar").glob("meta.db*"):
        path.unlink()
    pack = next(path for path in (shell.folder / ".cellar" / "packs").rglob("*") if path.is_file())
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 1
    pack.chmod(0o600)
    pack.write_bytes(data)
    assert shell.run("check --rebuild") == 4
    assert "what was recorded after the newest of them is not there" in shell.err


def test_a_newer_format_is_refused_with_the_way_out(shell: Any, analysis: Any) -> None:
    analysis.repository.close()
    with sqlite3.connect(shell.folder / ".cellar" / "meta.db") as database:
        changed = database.execute("UPDATE meta SET value = 999 WHERE key = 'format'").rowcount
    database.close()
    assert changed == 1
    assert shell.run("log") == 4
    assert "999" in shell.err and "pip install --upgrade nbcellar" in shell.err


def test_the_commits_of_somebody_else_are_shown_and_named_as_not_trusted(shell: Any, analysis: Any) -> None:
    analysis.key = SigningKey(b"k" * 32)
    analysis.cell("theirs = 1")
    assert shell.run("show") == 0
    assert "(signed, not trusted here)" in shell.out
    keys = shell.json("trust ls")["keys"]
    theirs = next(key for key in keys if key["trust"] == "untrusted")
    assert shell.run(f"trust add {theirs['key']} --name Grace") == 0
    assert "Grace" in shell.out
    assert shell.run("show") == 0
    assert "(signed, trusted)" in shell.out
    assert shell.run("trust rm Grace") == 0
    assert next(k for k in shell.json("trust ls")["keys"] if k["key"] == theirs["key"])["trust"] == "untrusted"


def test_ones_own_key_cannot_be_distrusted(shell: Any, analysis: Any) -> None:
    own = shell.json("key show")["fingerprint"]
    assert shell.run(f"trust rm {own}") == 2
    assert "your own key" in shell.err


def test_two_notebooks_are_listed_when_none_is_named(shell: Any, analysis: Any) -> None:
    (shell.folder / "other.ipynb").write_bytes(b'{"nbformat": 4, "cells": []}')
    analysis.repository.notebook_for(Path("other.ipynb"), create=True)
    for line in ("log", "show", "branch", "undo"):
        assert shell.run(line) == 2
        assert "there are 2 notebooks here: analysis.ipynb, other.ipynb" in shell.err
        assert "-n analysis.ipynb" in shell.err
    assert shell.run("show analysis.ipynb@v1") == 0
    assert shell.run("log -n analysis") == 0
    assert shell.run("op log") == 0


def test_an_empty_repository_says_what_to_do(shell: Any) -> None:
    assert shell.run("log") == 0
    assert shell.err == "nothing is recorded yet; open the notebook and run a cell\n"
    assert shell.run("show") == 2
    assert shell.err == "error: HEAD names no commit yet: nothing is recorded\nhint: run a cell first\n"


@pytest.mark.parametrize("content", ["not JSON", json.dumps({"worksheets": []}), ""])
def test_a_notebook_that_is_none_is_refused_before_a_kernel_starts(shell: Any, content: str) -> None:
    (shell.folder / "bad.ipynb").write_text(content)
    assert shell.run("run bad.ipynb") == 2
    assert "bad.ipynb" in shell.err


def test_a_wrong_setting_stops_a_command_with_file_and_key(shell: Any, analysis: Any) -> None:
    (shell.folder / ".cellar" / "config.toml").write_text("[record]\nhook = 'rm'\n")
    assert shell.run("log") == 2
    assert "config.toml: unknown key 'record.hook'" in shell.err


def test_forget_removes_the_value_and_says_what_stays(shell: Any, analysis: Any) -> None:
    assert shell.run("forget x --yes") == 0
    assert "forgot variable x" in shell.out
    assert shell.run("vars v1") == 0
    assert "not stored: forgotten" in shell.out
    assert shell.run("show v1") == 0
    assert "x = 1" in shell.out  # the source is text, and stays


class TestCompletion:
    """Scripts that shells accept."""

    @pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
    def test_a_script_names_every_command(self, shell: Any, name: str) -> None:
        from nbcellar.cli.main import COMMANDS

        assert shell.run(f"completion {name}") == 0
        assert all(command in shell.out for group in COMMANDS.values() for command in group)

    def test_bash_completes_commands_options_and_references(self, shell: Any, analysis: Any, tmp_path: Path) -> None:
        import shutil
        import subprocess

        bash = shutil.which("bash")
        assert bash is not None
        shell.run("completion bash")
        (tmp_path / "script").write_text(shell.out)
        lines = f"""
            source {tmp_path}/script
            cellar() {{ printf 'HEAD\\nmain\\ntrial\\nv1\\n'; }}
            try() {{ COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _cellar; echo "${{COMPREPLY[*]}}"; }}
            try cellar ch; try cellar -n a.ipynb lo; try cellar log --gr; try cellar show tr; try cellar op un
            try cellar op ''; try cellar config record.bu
        """
        run = subprocess.run([bash, "-c", lines], capture_output=True, text=True, check=True)
        assert run.stdout.splitlines() == [
            *("checkout check", "log", "--graph", "trial", "undo"),
            *("log undo", "record.budget_s"),
        ]
        assert run.stderr == ""

    def test_without_a_notebook_the_references_of_all_are_offered(self, shell: Any, analysis: Any) -> None:
        analysis.repository.notebook_for(Path("other.ipynb"), create=True)
        assert shell.run("completion --refs") == 0
        assert shell.out.split() == ["HEAD", "main", "trial", "v1"]
