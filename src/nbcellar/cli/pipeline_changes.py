"""`cellar pipeline log` and `diff`: what became of a pipeline, in structure and code together."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbcellar.cli import exit_codes
from nbcellar.cli.console import Console
from nbcellar.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from nbcellar.api.document_sources import Pair
    from nbcellar.api.pipeline_changes import Compared

ACTIONS = ("log", "diff")


def configure(actions: Any) -> None:
    """Add the actions."""
    log = actions.add_parser("log", help="its history in git", description=_LOG)
    log.add_argument("notebook", metavar="NB", help="the notebook")
    log.add_argument("-N", "--limit", type=int, metavar="COUNT", help="at most so many commits")
    log.add_argument("--json", action="store_true", help="print JSON (docs/schemas/pipeline-log.json)")
    diff = actions.add_parser("diff", help="what two versions differ in", description=_DIFF)
    diff.add_argument("refs", metavar="A", nargs="*", help="the sides, as of `cellar diff`, and paths")
    diff.add_argument("--graph", choices=("svg", "mermaid"), help="both versions as one picture, or as Mermaid's text")
    diff.add_argument("--stat", action="store_true", help="without the lines of code")
    diff.add_argument("--json", action="store_true", help="print JSON (docs/schemas/pipeline-diff.json)")
    diff.add_argument("-o", dest="output", metavar="FILE", help="write there instead of printing")
    diff.add_argument("--exit-code", action="store_true", help="exit with 1 if there is a difference")


_LOG = "List the commits in git that touched a notebook, and what became of its components, edges and parameters."
_DIFF = (
    "Show what differs between two pipelines. A side is what it is for `cellar diff`: a file, a folder, git:REV, git:, "
    "a commit of Cellar's."
)


def run(args: argparse.Namespace, console: Console) -> int:
    """Run one of the actions."""
    if args.action == "log":
        return _log(args, console)
    from nbcellar.cli.document_diff import as_invalid_input

    with as_invalid_input():
        return _diff(args, console)


def _log(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.api.pipeline_changes import log_for_programs, log_of
    from nbcellar.cli.pipeline_changes_text import format_commit
    from nbcellar.cli.writing import write_lines
    from nbcellar.git.repository import find_git_repository

    repository = find_git_repository(console.folder, console.environ)
    file = console.folder / Path(args.notebook).expanduser()
    entries = log_of(repository, repository.path_of(file), limit=args.limit)
    if not entries and not file.exists():
        raise NotFoundError(f"no file {args.notebook}, and no commit has it")
    if args.json:
        console.json(log_for_programs(entries))
        return exit_codes.OK
    if not entries:
        console.notice(f"no commit has {args.notebook}")
    write_lines(None, (line for entry in entries for line in format_commit(entry, console)), console)
    return exit_codes.OK


def _diff(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.api.pipeline_changes import compare_pair

    if args.graph and args.json:
        raise InvalidInputError("--graph and --json exclude each other")
    found = [each for each in map(compare_pair, _pairs(args.refs, console)) if args.graph or each.state != "same"]
    if args.graph:
        _draw(args, found, console)
    elif args.json:
        from nbcellar.api.pipeline_changes import PipelineDiff, changes_of
        from nbcellar.cli.writing import write_json

        write_json(args.output, PipelineDiff(notebooks=[changes_of(each) for each in found]), console)
    else:
        from nbcellar.cli.pipeline_changes_text import format_compared
        from nbcellar.cli.writing import write_lines

        lines = (
            line
            for at, each in enumerate(found)
            for line in ([""] if at else []) + format_compared(each, console, code=not args.stat)
        )
        write_lines(args.output, lines, console)
        if not found:
            console.notice("no difference in components, edges or parameters")
    differ = any(each.state != "same" for each in found)
    return exit_codes.FINDINGS if args.exit_code and differ else exit_codes.OK


def _pairs(words: list[str], console: Console) -> Iterator[Pair]:
    """Yield the pairs of notebooks that the words name."""
    from nbcellar.cli import diff_sides

    chosen = diff_sides.choose(words, (), console)
    if chosen is not None:
        yield from chosen.sources.pairs(chosen.before, chosen.after, chosen.paths)
        return
    yield _recorded(words, console)


def _recorded(words: list[str], console: Console) -> Pair:
    """Return the notebooks of two commits of Cellar's: one word means from there to HEAD, none the last step."""
    from nbcellar.api.code import document
    from nbcellar.api.document_sources import Document, Pair

    if len(words) == 1 and ".." in words[0]:
        words = [part or "HEAD" for part in words[0].split("..", 1)]
    if len(words) > 2:
        raise InvalidInputError(f"{len(words)} references are too many: {' '.join(words)}")
    sides = [*(words or ["HEAD^"]), "HEAD"][:2]
    with console.open_repo() as repo:
        before, after = (Document(word, document(repo.repository, repo.resolve(word))) for word in sides)
    return Pair(f"{sides[0]} -> {sides[1]}", before, after)


def _draw(args: argparse.Namespace, found: list[Compared], console: Console) -> None:
    from nbcellar.cli.writing import write_text
    from nbcellar.components.drawing_changes import to_mermaid, to_svg

    if len(found) != 1:
        names = f": {', '.join(each.name for each in found)}" if found else ""
        raise InvalidInputError(
            f"a picture is of one notebook, and these are {len(found)}{names}" if found else "nothing differs",
            hint="name one, as in: cellar pipeline diff git:main analysis.ipynb --graph svg",
        )
    (only,) = found
    picture = to_svg(only.before, only.after, only.name) if args.graph == "svg" else to_mermaid(only.before, only.after)
    write_text(args.output or "-", picture, console)


__all__ = ["ACTIONS", "configure", "run"]
