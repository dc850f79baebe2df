"""Look for a text in the history of a notebook: where it stands, or where a variable was created, changed, deleted.

    cellar search read_csv               everywhere
    cellar search --code 'def fit'       code only: what ran, and the cells of the document
    cellar search --variable df          where df was created, changed and deleted
    cellar search --variable df price    those of its versions whose preview says price

Looked at are the code that ran, the document, outputs as text, messages, and the previews of variables, in all that
HEAD reaches. The same text in many commits is shown once, at the newest. A TEXT without capital letters matches
capitals, too.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from nbcellar.api.search_views import FoundCommit, Match, MatchedLine, Search
from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console
from nbcellar.cli.log import commit_count, format_head
from nbcellar.cli.versions import format_event

_MOST_COMMITS = 100
_BEFORE_MATCH = 20


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", metavar="TEXT", nargs="?", help="what to look for")
    parser.add_argument("--code", action="store_true", help="only in code: executed cells and the document")
    parser.add_argument("--output", action="store_true", help="only in outputs and errors")
    parser.add_argument("--message", action="store_true", help="only in messages of commits")
    parser.add_argument("--preview", action="store_true", help="only in previews of variables")
    parser.add_argument("--variable", metavar="NAME", help="where this variable was created, changed and deleted")
    case = parser.add_mutually_exclusive_group()
    case.add_argument("-i", "--ignore-case", action="store_true", help="capital and small letters are the same")
    case.add_argument("-s", "--case-sensitive", action="store_true", help="they never are")
    parser.add_argument("-w", "--word", action="store_true", help="whole words only")
    parser.add_argument("-E", "--regex", action="store_true", help="TEXT is a regular expression of Python, for a line")
    parser.add_argument("--from", dest="ref", metavar="REF", help="look at what REF reaches (default: HEAD)")
    parser.add_argument("--all", action="store_true", help="all commits that are kept, not only what HEAD reaches")
    parser.add_argument("--all-notebooks", action="store_true", help="in every notebook of the repository")
    parser.add_argument(
        "-N", "--limit", type=commit_count, metavar="COUNT", help="at most so many commits (default: 100; 0: all)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/search.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    chosen = [("code", args.code), ("document", args.code), ("output", args.output), ("message", args.message)]
    with console.open_repo() as repo:
        found = repo.search(
            args.text,
            variable=args.variable,
            where=[name for name, wanted in (*chosen, ("variable", args.preview)) if wanted],  # type: ignore[misc]
            ref=args.ref,
            all=args.all,
            all_notebooks=args.all_notebooks,
            ignore_case=True if args.ignore_case else False if args.case_sensitive else None,
            regex=args.regex,
            word=args.word,
        )
    limit = args.limit if args.limit is not None else None if args.json else _MOST_COMMITS
    shown = found.commits[:limit] if limit else found.commits
    if args.json:
        import msgspec

        console.json(msgspec.structs.replace(found, commits=shown))
        return exit_codes.OK
    for commit in shown:
        for line in format_found(commit, console, with_notebook=args.all_notebooks):
            console.print(line)
    for line in _notices(found, len(shown)):
        console.notice(line)
    return exit_codes.OK


def format_found(found: FoundCommit, console: Console, *, with_notebook: bool = False) -> Iterator[str]:
    """Yield a commit and the lines that match in it."""
    where = f"{text.clean(found.commit.notebook)} " if with_notebook else ""
    if found.event is not None:
        yield from (f"{where}{line}" if n == 0 else line for n, line in enumerate(format_event(found.event, console)))
    else:
        yield where + format_head(found.commit, console, width=console.width - text.columns(where))
    for match in found.matches:
        yield from _format_match(match, console)


def _format_match(match: Match, console: Console) -> Iterator[str]:
    title = f"variable {text.clean(match.variable)}" if match.variable else match.where
    for line in match.lines:
        place = f"{title} cell {match.cell}" if match.cell else title
        number = f":{line.number}" if match.where in ("code", "document", "output") else ""
        head = f"  {console.style(f'{place}{number}', 'cyan')}  "
        yield head + highlight(line, console, width=console.width - text.shown_columns(head))
    if match.more_lines:
        yield console.style(f"    … {text.plural(match.more_lines, 'line')} more in it", "dim")
    if match.commits > 1:
        others = text.plural(match.commits - 1, "other commit")
        yield console.style(f"    also in {others}, the first is {match.first[:8]}", "dim")


def highlight(line: MatchedLine, console: Console, *, width: int) -> str:
    """Return a line with its matches in colour, cut so that the first one is in sight."""
    whole, matches, width = line.text, sorted(line.matches), max(width, 20)
    indent = len(whole) - len(whole.lstrip())
    start = min(indent, matches[0][0]) if matches else indent
    if matches and matches[0][1] - start > width:
        start = max(matches[0][0] - _BEFORE_MATCH, 0)
    parts = ["…"] if start > indent else []
    used, at = len(parts), start
    for begin, end in [*matches, (len(whole), len(whole))]:
        for piece, style in ((whole[at : max(begin, at)], ()), (whole[max(begin, at) : end], ("red", "bold"))):
            shown = text.cut(text.clean(piece).replace("\t", " ").replace("\n", " "), max(width - used, 1))
            parts.append(console.style(shown, *style) if style else shown)
            used += text.columns(shown)
            if used >= width:
                return "".join(parts).rstrip()
        at = max(end, at)
    return "".join(parts).rstrip()


def _notices(found: Search, shown: int) -> Iterator[str]:
    if not found.commits:
        yield f"nothing found in {text.plural(found.searched, 'commit')}"
    if len(found.commits) > shown:
        yield f"there are {len(found.commits) - shown:,} more commits with matches; all of them: -N 0"
    if found.elsewhere:
        verb = "matches" if found.elsewhere == 1 else "match"
        yield f"{text.plural(found.elsewhere, 'text')} more {verb} in commits that were not searched: add --all"
    for damaged in found.damaged:
        yield f"not searched: {text.one_line(damaged, 200)}"
