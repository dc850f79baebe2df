"""A folder that came from somewhere, with its `.git`: looking at a notebook there runs nothing that it names."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nbcellar.server.places import Places
from nbcellar.server.routes import ROUTES

from .support import Worktree, notebook

_ROUTES = {route.name: route for route in ROUTES}
_LIVE = json.loads(notebook(("a = 2",)))
_GIT = {"kind": "git", "revision": "HEAD"}
_READING: list[tuple[str, dict[str, Any]]] = [
    ("standing", {}),
    ("merge", {}),
    ("merge-live", {"notebook": _LIVE}),
    ("git-log", {}),
    ("git-base", {}),
    ("git-base", {"revision": ""}),
    ("git-marks", {"notebook": _LIVE}),
    ("revisions", {}),
    ("diff", {"before": _GIT, "after": {"kind": "open", "notebook": _LIVE}}),
    ("diff", {"before": {"kind": "git"}, "after": {"kind": "file"}}),
]
_HOOKS = ("post-index-change", "reference-transaction", "post-checkout", "pre-commit", "fsmonitor-watchman")


def ask(root: Path, name: str, asked: dict[str, Any]) -> Any:
    """Ask a route as the server does."""
    route = _ROUTES[name]
    return route.does(Places(root, os.environ), msgspec.convert(asked, route.takes))


@pytest.fixture
def hostile(bare_repo: Worktree, tmp_path: Path) -> Callable[[], list[str]]:
    """Make of a repository with two versions of `n.ipynb` one that names programs; return which of them ran."""
    ran = tmp_path / "ran"
    ran.mkdir()

    def program(path: Path, name: str) -> str:
        path.write_text(f'#!/bin/sh\ntouch "{ran}/{name}"\nexit 1\n')
        path.chmod(0o755)
        return str(path)

    bare_repo.write(("a = 1",))
    bare_repo.commit("one")
    bare_repo.write(("a = 3",))
    bare_repo.commit("two")
    _sign_head(bare_repo)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for hook in _HOOKS:
        program(hooks / hook, f"hook {hook}")
    names = (
        *("core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass", "gpg.program"),
        *("diff.external", "diff.evil.command", "diff.evil.textconv", "merge.evil.driver"),
        *("filter.evil.clean", "filter.evil.smudge", "credential.helper"),
    )
    for name in names:
        bare_repo.git("config", name, program(tmp_path / name, name))
    bare_repo.git("config", "core.hooksPath", str(hooks))
    bare_repo.git("config", "log.showSignature", "true")
    (bare_repo.folder / ".gitattributes").write_text("*.ipynb diff=evil filter=evil merge=evil\n")
    os.utime(bare_repo.folder / "n.ipynb", (1, 1))
    for file in ran.iterdir():
        file.unlink()
    return lambda: sorted(file.name for file in ran.iterdir())


@pytest.mark.parametrize(("name", "asked"), _READING, ids=lambda value: value if isinstance(value, str) else "")
def test_looking_runs_no_program_and_writes_nothing(
    bare_repo: Worktree, hostile: Callable[[], list[str]], name: str, asked: dict[str, Any]
) -> None:
    before = (bare_repo.folder / ".git" / "index").stat().st_mtime_ns
    ask(bare_repo.folder, name, {"path": "n.ipynb", **asked})
    assert hostile() == []
    assert (bare_repo.folder / ".git" / "index").stat().st_mtime_ns == before


def test_listing_a_folder_runs_no_program(bare_repo: Worktree, hostile: Callable[[], list[str]]) -> None:
    ask(bare_repo.folder, "notebooks", {"path": ""})
    assert hostile() == []


def test_programs_that_are_named_would_run(bare_repo: Worktree, hostile: Callable[[], list[str]]) -> None:
    bare_repo.git("status", check=False)
    bare_repo.git("log", check=False)
    assert {"core.fsmonitor", "gpg.program", "hook post-index-change"} <= set(hostile())


def test_settings_of_how_a_log_is_shown_change_nothing(bare_repo: Worktree) -> None:
    bare_repo.write(("a = 1",))
    bare_repo.commit("größer")
    bare_repo.git("config", "log.showRoot", "false")
    bare_repo.git("config", "i18n.logOutputEncoding", "latin1")
    (only,) = ask(bare_repo.folder, "git-log", {"path": "n.ipynb"}).commits
    assert (only.title, only.changes) == ("größer", ("added the notebook: 1 cell",))


def _sign_head(repo: Worktree) -> None:
    """Make HEAD a commit with a signature, which git would have verified."""
    head, _, message = repo.git("cat-file", "commit", "HEAD").stdout.partition("\n\n")
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----"
    (repo.folder / ".git" / "signed").write_text(f"{head}\n{signature}\n\n{message}")
    made = repo.git("hash-object", "-w", "-t", "commit", ".git/signed").stdout.strip()
    repo.git("update-ref", "HEAD", made)
