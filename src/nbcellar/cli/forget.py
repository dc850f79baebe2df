"""Remove a variable, a commit or a text from history for good.

    cellar forget df                     every value of this variable
    cellar forget 3f2a                   this commit: its code, outputs, message
    cellar forget --secret 1b2c          a secret that cellar secrets scan has found, by its id
    cellar forget --text -               a text that is typed in, so that no shell keeps it

History is rewritten: commits after the first one concerned get new ids, and what was removed is deleted from disk at
once, with the operations that could bring it back. A text is replaced by *** in code, outputs, documents and messages
of all notebooks; variables whose values hold it are dropped; then every file and object is searched for it once more.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Literal

from nbcellar.api import Repo
from nbcellar.api.views import Forgotten
from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console
from nbcellar.errors import InvalidInputError

_KIND_WORDS = {
    "code": ("cell run", "cell runs"),
    "document": ("document", "documents"),
    "message": ("message", "messages"),
    "note": ("note", "notes"),
    "output": ("output", "outputs"),
    "preview": ("preview", "previews"),
    "surroundings": ("part of the surroundings", "parts of the surroundings"),
    "environment": ("list of packages", "lists of packages"),
}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="VAR|REF", nargs="?", help="name of a variable, or a commit")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--variable", action="store_true", help="VAR|REF is a variable's name")
    kind.add_argument("--commit", action="store_true", help="VAR|REF is a commit")
    kind.add_argument("--text", metavar="TEXT", help="a text, wherever it stands; -: it is read from standard input")
    kind.add_argument("--secret", metavar="ID", help="a text by the id that cellar secrets scan shows")
    parser.add_argument("--dry-run", action="store_true", help="with --text or --secret: say what would be done")
    parser.add_argument("--force", action="store_true", help="rewrite commits that somebody else signed, too")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/forget.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    is_text = args.text is not None or args.secret is not None
    if is_text and args.what is not None:
        raise InvalidInputError(
            f"'{args.what}' and a text are two things to forget", hint="one of VAR, REF, --text TEXT, --secret ID"
        )
    if not is_text and args.what is None:
        raise InvalidInputError("say what to forget", hint="one of VAR, REF, --text TEXT, --secret ID")
    if args.dry_run and not is_text:
        raise InvalidInputError("--dry-run goes with --text or --secret", hint="without --yes you are asked first")
    with console.open_repo() as repo:
        done = _forget_text(args, repo, console) if is_text else _forget(args, repo, console)
    if done is None:
        console.notice("nothing was changed")
        return exit_codes.FINDINGS
    if args.json:
        console.json(done)
    else:
        for line in _format(done, console):
            console.print(line)
    return exit_codes.FINDINGS if done.remaining else exit_codes.OK


def _forget(args: argparse.Namespace, repo: Repo, console: Console) -> Forgotten | None:
    kind: Literal["variable", "commit"] = (
        "variable" if args.variable else "commit" if args.commit else repo.what_is(args.what)
    )
    if kind == "commit":
        repo.locate(args.what)  # a wrong reference is told before anything is asked
    if not args.yes and not _is_confirmed(f"{kind} '{args.what}'", console):
        return None
    return repo.forget(args.what, kind=kind, force=args.force)


def _forget_text(args: argparse.Namespace, repo: Repo, console: Console) -> Forgotten | None:
    wanted = _typed(console) if args.text == "-" else args.text

    def forget(*, dry_run: bool) -> Forgotten:
        if wanted is not None:
            return repo.forget_text(wanted, force=args.force, dry_run=dry_run)
        return repo.forget_secret(args.secret, force=args.force, dry_run=dry_run)

    if args.dry_run:
        return forget(dry_run=True)
    if not args.yes:
        planned = forget(dry_run=True)
        for line in _format(planned, console):
            console.notice(line)
        if not _is_confirmed(planned.what, console):
            return None
    return forget(dry_run=False)


def _format(done: Forgotten, console: Console) -> Iterator[str]:
    rewritten, deleted = text.plural(done.rewritten, "commit"), text.size(done.removed_bytes)
    what = text.clean(done.what)
    if done.dry_run:
        yield f"{what}: {rewritten} would be rewritten"
    else:
        yield f"forgot {what}: {rewritten} rewritten, {deleted} deleted"
    if done.replaced:
        counts = (text.plural(count, *_KIND_WORDS.get(kind, (kind,))) for kind, count in done.replaced.items())
        yield f"  *** in its place: {', '.join(counts)}"
    if done.variables:
        yield f"  dropped, as their values hold it: {text.names(done.variables)}"
    note = console.style("note:", "yellow")
    if done.shared_pieces:
        pieces = text.plural(done.shared_pieces, "piece")
        yield f"  {note} kept: {pieces} of the value, because other variables hold the same bytes"
    for line in done.notes:
        yield f"  {note} {text.clean(line)}"
    for commit in done.sources_with_text:
        yield f"  {note} the code or message of {commit[:8]} names it; remove that with: cellar forget {commit[:8]}"
    for line in done.remaining:
        yield f"  {console.style('still there:', 'red')} {text.one_line(line, 200)}"
    if done.replaced and not done.dry_run and not done.remaining:
        yield "  no file and no object of the repository holds it any more"


def _typed(console: Console) -> str:
    """Return a text that is typed without being shown, or comes from a pipe."""
    if console.kernel_requests is not None:
        raise InvalidInputError(
            "a notebook has no standard input", hint="use a terminal, or: %cellar forget --secret ID"
        )
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass("Text to forget (not shown): ")
    return sys.stdin.read().removesuffix("\n").removesuffix("\r")


def _is_confirmed(what: str, console: Console) -> bool:
    if not console.can_ask:
        raise InvalidInputError(f"forgetting {what} cannot be undone", hint="add --yes if you mean it")
    return console.confirm(f"Remove {what} from history for good? This cannot be undone.")
