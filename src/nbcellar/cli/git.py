"""Make git understand notebooks: install drivers and filter, look whether they work, list the commits of a notebook.

    cellar git install               in this repository; --global, --system: in all
    cellar git status                what is installed, and where
    cellar git doctor                what is wrong, with the command that mends it
    cellar git log NB                the commits that changed a notebook, and which cells
    cellar show git:REV:NB           one version of it; cellar diff git:REV NB compares it with the file

The clean filter keeps outputs and noise out of commits and in the working copy: a branch that is checked out again has
the outputs that it had. The settings for cleaning (cellar config, the section `clean`) say what is noise; with
clean.outputs = true, outputs are committed. What git itself calls (merge-driver, diff-driver, textconv, filter-process,
clean, smudge, difftool, mergetool, pre-commit) is no command for people.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console
from nbcellar.errors import NotFoundError

if TYPE_CHECKING:
    from nbcellar.git.install import Places

# What git calls, through `git_calls.py`.
CALLS = (
    *("filter-process", "clean", "smudge", "merge-driver", "diff-driver", "textconv"),
    *("difftool", "mergetool", "pre-commit"),
)
_SCOPES = ("local", "global", "system")
_MARKS = {"ok": ("ok", "green"), "note": ("note", "cyan"), "problem": ("problem", "red")}


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    install = actions.add_parser("install", help="make git use Cellar for notebooks", description=_INSTALL)
    _add_scope(install, "install for")
    install.add_argument("--shared", action="store_true", help="name the drivers in .gitattributes, to be committed")
    install.add_argument("--save-hook", action="store_true", help="also clean and keep outputs whenever Jupyter saves")
    uninstall = actions.add_parser("uninstall", help="take all of it away", description=_UNINSTALL)
    _add_scope(uninstall, "uninstall for")
    status = actions.add_parser("status", help="what is installed", description="Show what is installed, and where.")
    doctor = actions.add_parser("doctor", help="what is wrong", description="Look for what keeps it from working.")
    for each in (status, doctor):
        each.add_argument("--json", action="store_true", help="print JSON (docs/schemas/git-doctor.json)")
    log = actions.add_parser("log", help="commits of a notebook", description="List the commits that changed it.")
    log.add_argument("file", metavar="NB", help="the notebook")
    log.add_argument("-N", "--limit", type=int, metavar="COUNT", help="at most so many commits")
    log.add_argument("--json", action="store_true", help="print JSON (docs/schemas/git-log.json)")
    for name in CALLS:
        call = actions.add_parser(name, description="What git calls. `cellar git install` writes how.")
        call.add_argument("words", metavar="WORD", nargs=argparse.REMAINDER, help="what git passes")
    again = actions.add_parser("renormalize", help="stage committed outputs as removed", description=_RENORMALIZE)
    again.add_argument("paths", metavar="PATH", nargs="*", help="files or folders (default: all)")


_INSTALL = "Install filter, diff and merge driver, difftool, mergetool and the check before commits; or mend them."
_UNINSTALL = "Remove all that install wrote. Files of git are byte for byte what they were before."
_RENORMALIZE = "Clean notebooks that were committed with outputs, and stage them. Working files keep their outputs."


def run(args: argparse.Namespace, console: Console) -> int:
    actions = {
        "install": _install,
        "uninstall": _uninstall,
        "status": _doctor,
        "doctor": _doctor,
        "log": _log,
        "renormalize": _renormalize,
    }
    if args.action in CALLS:
        from nbcellar.cli.git_calls import main

        return main([args.action, *args.words])
    return actions[args.action](args, console)


def _add_scope(parser: argparse.ArgumentParser, verb: str) -> None:
    group = parser.add_mutually_exclusive_group()
    for scope, whom in zip(_SCOPES, ("this repository (the default)", "this user", "this machine"), strict=True):
        group.add_argument(
            f"--{scope}", dest="scope", action="store_const", const=scope, default="local", help=f"{verb} {whom}"
        )


def _places(args: argparse.Namespace, console: Console) -> Places:
    from nbcellar.git.install import global_places, local_places, system_places
    from nbcellar.git.process import Git
    from nbcellar.git.repository import find_git_repository

    if args.scope == "local":
        repository = find_git_repository(console.folder, console.environ)
        return local_places(repository, shared=getattr(args, "shared", False))
    make = global_places if args.scope == "global" else system_places
    return make(Git(console.folder, console.environ))


def _install(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.git.install import install, other_tools
    from nbcellar.git.install.save_hook import settings_file

    others: list[str] = []
    if args.scope == "local":
        from nbcellar.git.repository import find_git_repository

        repository = find_git_repository(console.folder, console.environ)
        others = other_tools(repository.git) if repository.worktree is not None else []
    done = install(_places(args, console), save_hook=settings_file(console.environ) if args.save_hook else None)
    if args.scope == "local":
        from nbcellar.git.filter_process import compare_all_by_content

        if repository.worktree is not None:  # what was checked out before has sizes that git would go by
            compare_all_by_content(repository.git, lambda said: console.notice(text.clean(said)))
    for line in done.changed:
        console.print(text.clean(line))
    for line in (*done.left_alone, *others):
        console.notice(text.clean(line))
    return exit_codes.OK


def _uninstall(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.git.install import uninstall
    from nbcellar.git.install.save_hook import settings_file

    done = uninstall(_places(args, console), save_hook=settings_file(console.environ))
    for line in done.changed or ("nothing was installed",):
        console.print(text.clean(line))
    return exit_codes.OK


def _doctor(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.git.install.doctor import Findings, examine
    from nbcellar.git.process import Git

    findings = examine(Git(console.folder, console.environ))
    if args.json:
        console.json(Findings(findings=findings))
    for finding in () if args.json else findings:
        if args.action == "status" and finding.state == "note":
            continue
        mark, color = _MARKS[finding.state]
        console.print(f"{console.style(f'{mark:<8}', color)} {text.clean(finding.what)}: {text.clean(finding.detail)}")
        if finding.fix:
            console.print(f"         {text.clean(finding.fix)}")
    has_problem = any(finding.state == "problem" for finding in findings)
    return exit_codes.FINDINGS if has_problem and args.action == "doctor" else exit_codes.OK


def _renormalize(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.git.filter_process import RENORMALIZE
    from nbcellar.git.process import Git

    git = Git(console.folder, {**console.environ, RENORMALIZE: "1"})
    git.run("add", "--renormalize", "--", *(args.paths or ["."]))
    changed = git.run("diff", "--cached", "--name-only", "-z", "--no-ext-diff").out.split(b"\0")
    for path in changed:
        if path.endswith(b".ipynb"):
            console.print(f"staged: {text.clean(path.decode('utf-8', 'replace'))}")
    return exit_codes.OK


def _log(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.git.history import NotebookHistory, history_of
    from nbcellar.git.repository import find_git_repository

    repository = find_git_repository(console.folder, console.environ)
    file = console.folder / Path(args.file)
    entries = history_of(repository, repository.path_of(file), limit=args.limit)
    if not entries and not file.exists():
        raise NotFoundError(f"no file {args.file}, and no commit has it")
    if args.json:
        console.json(NotebookHistory(commits=entries))
        return exit_codes.OK
    if not entries:
        console.notice(f"no commit has {args.file}")
    for entry in entries:
        moment = console.ago(entry.moment)
        console.print(
            f"{console.style(entry.commit[:10], 'yellow')} {text.clean(entry.title)} "
            f"{console.style(f'({text.clean(entry.author)}, {moment})', 'dim')}"
        )
        if entry.old_path:
            console.print(f"  renamed from {text.clean(entry.old_path)}")
        for line in entry.changes:
            console.print(f"  {text.clean(line)}")
    return exit_codes.OK
