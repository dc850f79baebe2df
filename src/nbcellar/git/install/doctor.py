"""Looking whether git will do with notebooks what was installed.

Invariant: what git says is looked at (the attributes of a path, the value of a setting), not what we wrote; nothing is
changed; each finding that is a problem names the command that mends it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from nbcellar.errors import CellarError
from nbcellar.git.compared import choose, limit_bytes, tracked_notebooks
from nbcellar.git.install import hooks
from nbcellar.git.install.places import Places, global_places, local_places
from nbcellar.git.install.save_hook import settings_file
from nbcellar.git.install.settings import config_block
from nbcellar.git.process import Git
from nbcellar.git.repository import GitRepository, find_git_repository

_OLDEST = (2, 22)
_SETTINGS = ("filter.cellar.process", "diff.cellar.command", "diff.cellar.textconv", "merge.cellar.driver")
_PROBE = "x.ipynb"
_MOST_NAMED = 5


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at: how it is, and what mends it."""

    what: str
    detail: str
    state: Literal["ok", "note", "problem"] = "ok"
    fix: str = ""


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to say of a folder: `cellar git status --json` and `cellar git doctor --json`."""

    schema: int = 1
    findings: list[Finding]


def examine(git: Git) -> list[Finding]:
    """Return what there is to say of the folder that `git` stands in."""
    try:
        repository: GitRepository | None = find_git_repository(git.folder, git.environ)
    except CellarError as error:
        first = Finding("repository", error.message, "note", "what holds for all repositories is shown")
        return [first, *_version(git), *_settings(git), *_program(git, global_places(git))]
    assert repository is not None
    top = repository.git
    return [
        Finding("repository", str(repository.worktree or repository.git_dir)),
        *_version(top),
        *_settings(top),
        *_attributes(top),
        *_programs(repository),
        *_rules(top),
        *_compared(repository),
        *_save_hook(top),
        *_hook(repository),
        *_kept(repository),
        *_unresolved(top),
    ]


def _version(git: Git) -> Iterator[Finding]:
    words = git.line("--version").split()
    number = next((word for word in words if word[:1].isdigit()), "0")
    parts = tuple(int(part) for part in number.split(".")[:2] if part.isdecimal())
    if parts < _OLDEST:
        wanted = ".".join(map(str, _OLDEST))
        yield Finding("git", f"{number}; Cellar is made for {wanted} and later", "problem", "upgrade git")
    else:
        yield Finding("git", number)


def _settings(git: Git) -> Iterator[Finding]:
    missing = [name for name in _SETTINGS if not _setting(git, name)]
    if len(missing) == len(_SETTINGS):
        yield Finding("drivers", "not installed", "problem", "cellar git install")
    elif missing:
        yield Finding("drivers", f"not set: {', '.join(missing)}", "problem", "cellar git install")
    else:
        yield Finding("drivers", "filter, diff and merge are set")
    if _setting(git, "filter.cellar.required") == "true":
        yield Finding(
            "filter.cellar.required",
            "is true: without Cellar no notebook could be checked out",
            "problem",
            "git config --unset filter.cellar.required",
        )


def _attributes(git: Git) -> Iterator[Finding]:
    fields = git.run("check-attr", "-z", "filter", "diff", "merge", "--", _PROBE).out.decode().split("\0")
    values = dict(zip(fields[1::3], fields[2::3], strict=False))
    others = {name: value for name, value in values.items() if value != "cellar"}
    if not others:
        yield Finding("attributes", "*.ipynb goes through filter, diff and merge driver")
    elif set(others.values()) == {"unspecified"}:
        yield Finding("attributes", "*.ipynb is not given to Cellar", "problem", "cellar git install")
    else:
        told = ", ".join(f"{name}={value}" for name, value in others.items())
        yield Finding(
            "attributes",
            f"*.ipynb has {told}",
            "problem",
            "cellar git install (.git/info/attributes goes before .gitattributes); which line decides: "
            "git check-attr -a x.ipynb",
        )


def _programs(repository: GitRepository) -> Iterator[Finding]:
    local = local_places(repository)
    found = [places for places in (local, global_places(repository.git)) if (places.program / "run").exists()]
    yield from _program(repository.git, found[0] if found else local)


def _program(git: Git, places: Places) -> Iterator[Finding]:
    run = places.program / "run"
    scope = f"cellar git install --{places.scope.value}"
    if not run.exists():
        if _setting(git, _SETTINGS[0]):
            yield Finding("program", f"{run} is gone, which git calls", "problem", scope)
        return
    python = _python_of(run)
    if not os.access(python, os.X_OK):
        yield Finding("program", f"{python} is gone: the environment was moved or deleted", "problem", scope)
        return
    # The environment may hold another Cellar, or none: what counts is whether it starts.
    code = subprocess.run([str(run), "textconv", os.devnull], capture_output=True, check=False, cwd=git.folder)
    if code.returncode or code.stderr:
        said = code.stderr.decode("utf-8", "replace").strip().splitlines()
        yield Finding("program", f"{python} does not start it: {said[0] if said else ''}", "problem", scope)
    elif python != sys.executable:
        yield Finding("program", f"git calls Cellar of another environment: {python}", "note", scope)
    else:
        yield Finding("program", f"{run}, with {python}")
    block = config_block(places)
    try:
        if block not in places.config.read_bytes():
            yield Finding("settings", f"{places.config}: written by another version, or changed", "note", scope)
    except OSError:
        pass


def _python_of(run: Path) -> str:
    for line in run.read_text("utf-8", "surrogateescape").splitlines():
        if line.startswith("python='"):
            return line.removeprefix("python='").removesuffix("'").replace("'\\''", "'")
    return ""


def _rules(git: Git) -> Iterator[Finding]:
    """Look at the settings of all folders that hold notebooks."""
    from nbcellar.clean.rules import not_for_commits
    from nbcellar.config.shared import CleanSettings

    listing = git.run("ls-files", "-z", "--cached", "--others", "--exclude-standard").out.split(b"\0")
    folders = {os.fsdecode(path.rpartition(b"/")[0]) for path in listing if path.endswith(b".ipynb")} or {""}
    settings = CleanSettings(git.environ)
    slips: dict[str, str] = {}
    left: dict[str, None] = {}
    with_outputs = []
    for folder in sorted(folders):
        try:
            found = settings.of(git.folder.absolute() / folder)
        except CellarError as error:
            slips[error.message] = error.hint
            folders = folders - {folder}
            continue
        left |= dict.fromkeys(not_for_commits(found))
        if found.outputs is True:
            with_outputs.append(folder or ".")
    for message, hint in slips.items():
        detail = f"{message}; until that is mended, the filter goes by the defaults"
        yield Finding("commits", detail, "problem", hint or "edit that file")
    if folders and len(with_outputs) == len(folders):
        yield Finding("commits", "with outputs, without noise (clean.outputs)")
    elif with_outputs:
        named = ", ".join(with_outputs[:_MOST_NAMED]) + (", ..." if len(with_outputs) > _MOST_NAMED else "")
        yield Finding("commits", f"with outputs in {named} (clean.outputs), elsewhere without; without noise")
    elif folders:
        yield Finding("commits", "without outputs and noise, which stay in the files")
    if left:
        names = ", ".join(f"clean.{name}" for name in left)
        yield Finding("cleaning", f"the filter leaves {names} to the command", "note", "cellar clean .")


def _compared(repository: GitRepository) -> Iterator[Finding]:
    """Yield the notebooks that are beyond what git compares by content."""
    if repository.worktree is None:
        return
    said: list[str] = []
    limit = limit_bytes(repository.worktree, repository.git.environ, said.append)
    choice = choose(tracked_notebooks(repository.git), repository.worktree, lambda: limit)
    if choice.by_size:
        count = len(choice.by_size)
        detail = (
            f"{count} {'notebook is' if count == 1 else 'notebooks are'} beyond the newest {limit >> 20} MiB: after a "
            "run, the first git command takes one for modified or refuses, the next one does not"
        )
        yield Finding("comparing", detail, "note", "cellar config notebooks.compare_mb N")


def _save_hook(git: Git) -> Iterator[Finding]:
    file = settings_file(git.environ)
    if file.exists():
        yield Finding("save hook", f"Jupyter Server loads it: {file}")
    else:
        detail = "not installed: outputs that git never looked at are lost when it overwrites a file"
        yield Finding("save hook", detail, "note", "cellar git install --save-hook")


def _hook(repository: GitRepository) -> Iterator[Finding]:
    places = local_places(repository)
    if places.hooks is None:
        yield Finding("pre-commit", places.why_no_hooks, "note")
    elif hooks.has_hook(places.hooks):
        yield Finding("pre-commit", "refuses notebooks with unresolved conflicts")
    else:
        yield Finding(
            "pre-commit", "not installed: unresolved conflicts can be committed", "note", "cellar git install"
        )


def _kept(repository: GitRepository) -> Iterator[Finding]:
    folder = repository.private / "outputs"
    if folder.is_dir():
        files = [path for path in (folder / "raw").rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        yield Finding("kept outputs", f"of {len(files)} versions, {size / 1e6:.1f} MB, in {folder}")


def _unresolved(git: Git) -> Iterator[Finding]:
    listing = git.run("ls-files", "-u", "-z").out.split(b"\0")
    paths = {os.fsdecode(line.partition(b"\t")[2]) for line in listing if line.endswith(b".ipynb")}
    for path in sorted(paths):
        yield Finding("merge", f"{path} is not resolved", "note", f"cellar resolve {path}")


def _setting(git: Git, name: str) -> str:
    answer = git.run("config", "--get", name, check=False)
    return answer.out.decode("utf-8", "replace").removesuffix("\n") if answer.code == 0 else ""
