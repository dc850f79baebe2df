"""What git itself calls: the filter, drivers, hooks. The short way in: no parser, nothing imported that is not needed.

Invariant: the words are positions, as git passes them; none is taken for an option.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbcellar.cli.console import Console


def main(words: Sequence[str]) -> int:
    """Run one call and return its exit code: 0 done, 1 conflicts or findings, 2 failed, 129 git is to stop."""
    call = CALLS.get(words[0] if words else "")
    if call is None:
        _say(f"'{words[0] if words else ''}' is nothing that git calls; it calls: {', '.join(CALLS)}")
        return 2
    from nbcellar.cli.lightly import load_msgspec
    from nbcellar.errors import CellarError

    load_msgspec()
    try:
        return call(words[1:])
    except CellarError as error:
        _say(error.message)
        return 2
    except OSError as error:
        if isinstance(error, BrokenPipeError) and words[0] in _SHOWN:
            # Whoever reads has seen enough, as when a pager is left; git would say much of a driver that fails.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            return 0
        _say(f"{error.filename or words[0]}: {error.strerror or error}")
        return 2


def _say(text: str) -> None:
    if not text.isprintable():
        from nbcellar.cli.text import clean  # which is dear for a command that git starts for each file

        text = clean(text)
    sys.stderr.write(f"cellar: {text}\n")
    sys.stderr.flush()


def _filter_process(words: Sequence[str]) -> int:
    from nbcellar.git.filter_process import run_process

    with (
        os.fdopen(0, "rb", 1 << 18, closefd=False) as source,
        os.fdopen(1, "wb", 1 << 18, closefd=False) as target,
    ):
        return run_process(source, target, os.environ, _say, filled=_keep_trusted)


def _filter_once(command: str) -> Callable[[Sequence[str]], int]:
    def call(words: Sequence[str]) -> int:
        from nbcellar.git.filter_process import run_once

        path = words[0] if words else ""
        return run_once(command, path, sys.stdin.buffer, sys.stdout.buffer, os.environ, _say)

    return call


def _merge_driver(words: Sequence[str]) -> int:
    from nbcellar.git.drivers import merge_driver, parse_merge_call

    return merge_driver(parse_merge_call(words, os.environ), os.environ, _say, written=_keep_trusted)


def _keep_trusted(sides: Sequence[bytes], merged: bytes) -> None:
    if b'"output_type"' not in merged:
        return
    from nbcellar.api.jupyter_trust import keep_trusted

    keep_trusted(sides, merged, os.environ)


def _diff_driver(words: Sequence[str]) -> int:
    from nbcellar.errors import InvalidInputError

    if len(words) == 1:  # git says so of a path that is not merged yet
        sys.stdout.write(f"* Unmerged path {words[0]}\n")
        return 0
    if len(words) not in (7, 9):
        raise InvalidInputError("diff-driver needs seven or nine arguments, as git passes them")
    if os.environ.get("GIT_EXTERNAL_DIFF", "").endswith("git-difftool--helper"):
        from nbcellar.git.process import call_difftool

        return call_difftool(words, os.environ)
    new_name = words[7] if len(words) == 9 else words[0]
    _show_difference(words[1], words[4], words[0], new_name, oids=(words[2], words[5]))
    return 0


def _need(words: Sequence[str], least: int, call: str, what: str) -> None:
    from nbcellar.errors import InvalidInputError

    if len(words) < least:
        raise InvalidInputError(f"{call} needs {what}, as git passes it")


def _textconv(words: Sequence[str]) -> int:
    _need(words, 1, "textconv", "a file")
    from nbcellar.git.text_form import text_form
    from nbcellar.git.working_files import read_side

    sys.stdout.buffer.write(text_form(read_side(words[0], os.environ)))
    sys.stdout.flush()
    return 0


def _difftool(words: Sequence[str]) -> int:
    web = list(words[:1]) == ["--web"]
    words = words[1:] if web else words
    _need(words, 2, "difftool", "two files")
    name = words[2] if len(words) > 2 else words[1]
    if web and name.endswith(".ipynb"):
        return _difftool_page(words, name)
    _show_difference(words[0], words[1], name, name)
    return 0


def _difftool_page(words: Sequence[str], name: str) -> int:
    from nbcellar.api.document_sources import Document, Pair
    from nbcellar.cli.document_web import show_pairs
    from nbcellar.git.working_files import read_side

    sides = [
        Document(label, None if word == os.devnull else read_side(word, os.environ, path=name))
        for label, word in (("before", words[0]), ("after", words[1]))
    ]
    show_pairs([Pair(name, *sides)], _console())
    return 0


def _mergetool(words: Sequence[str]) -> int:
    from nbcellar.git.drivers import CONFLICTS, mergetool

    web = list(words[:1]) == ["--web"]
    words = words[1:] if web else words
    _need(words, 4, "mergetool", "the files of base, ours, theirs and the result")
    base, ours, theirs, merged = (Path(word) for word in words[:4])
    code = mergetool(base, ours, theirs, merged, _say, written=_keep_trusted)
    if code != CONFLICTS:
        return code
    from nbcellar.cli.merge_web import has_browser

    return _decide_in_browser(base, ours, theirs, merged) if web or has_browser(os.environ) else code


def _decide_in_browser(base: Path, ours: Path, theirs: Path, merged: Path) -> int:
    """Show what `git mergetool` has to decide; the file has marked cells meanwhile, and if nobody decides."""
    from nbcellar.api.merging_handed import GivenMerge
    from nbcellar.cli.merge_web import show_merge
    from nbcellar.git.drivers import CONFLICTS, MERGED
    from nbcellar.git.labels import one_line, side_names
    from nbcellar.git.repository import find_git_repository
    from nbcellar.git.resolved import merged_branch

    repository = find_git_repository(Path.cwd(), os.environ)
    names = side_names(repository.git_dir, os.environ)
    theirs_name = merged_branch(repository) or names.theirs
    given = GivenMerge(
        base=str(base.resolve()) if base.is_file() else "",
        ours=str(ours.resolve()),
        theirs=str(theirs.resolve()),
        output=str(merged.resolve()),
        shown=str(merged),
        labels=(names.base, names.ours, one_line(theirs_name)),
    )
    outcome = show_merge(given, _console())
    return MERGED if outcome is not None and outcome.saved and not outcome.left else CONFLICTS


def _pre_commit(words: Sequence[str]) -> int:
    from nbcellar.git.compared import limit_bytes
    from nbcellar.git.comparing import compare_waiting
    from nbcellar.git.hooks import refused_notebooks
    from nbcellar.git.process import Git
    from nbcellar.git.repository import common_folder

    git = Git(Path.cwd(), os.environ)
    refused = refused_notebooks(git)
    for entry in refused:
        _say(f"{entry.path}: {entry.reason}, so it is not committed; to resolve: {entry.remedy} {entry.path}")
    if refused:
        _say("git add it again then; to commit it as it is: git commit --no-verify")
        return 1
    compare_waiting(git, common_folder(git) / "cellar", lambda: limit_bytes(git.folder, git.environ, lambda said: None))
    return 0


def _show_difference(
    old: str, new: str, old_name: str, new_name: str, oids: tuple[str | None, str | None] = (None, None)
) -> None:
    """Print what changed between two files of git's: cell by cell, or by lines when one is no notebook."""
    from nbcellar.cli.document_text import format_document
    from nbcellar.diff.document.compare import compare_notebooks
    from nbcellar.git.text_form import both_notebooks, line_difference
    from nbcellar.git.working_files import read_side

    name = new_name if new_name == old_name else f"{old_name} → {new_name}"
    before = read_side(old, os.environ, path=old_name, oid=oids[0])
    after = read_side(new, os.environ, path=new_name, oid=oids[1])
    notebooks = both_notebooks(before, after)
    if notebooks is None:
        lines = line_difference(before, after, old_name, new_name)
    else:
        changed = compare_notebooks(*notebooks)
        lines = format_document(changed.changes, name, _console()) if changed else iter(())
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _console() -> Console:
    """Return what the views need; git's pager takes colours that a pipe would not."""
    from nbcellar.cli.console import Console

    shown = sys.stdout.isatty() or bool(os.environ.get("GIT_PAGER_IN_USE"))
    colour = shown and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Console(out=sys.stdout, err=sys.stderr, environ=os.environ, folder=Path.cwd(), color=colour)


_SHOWN = frozenset({"diff-driver", "textconv", "difftool"})
CALLS: dict[str, Callable[[Sequence[str]], int]] = {
    "filter-process": _filter_process,
    "clean": _filter_once("clean"),
    "smudge": _filter_once("smudge"),
    "merge-driver": _merge_driver,
    "diff-driver": _diff_driver,
    "textconv": _textconv,
    "difftool": _difftool,
    "mergetool": _mergetool,
    "pre-commit": _pre_commit,
}
