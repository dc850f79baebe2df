"""Look for passwords, keys and tokens in all that is recorded.

    cellar secrets scan [REF]        in everything that is kept, or in what REF reaches
    cellar secrets allow ID ...      this is no secret: leave it out from now on

Looked at are code, documents, outputs, messages, previews, environment variables, and texts in values, which are not
loaded for it. Of a secret only the first and last letters are shown, and an id: cellar forget --secret ID takes it out
of history for good. A line of code that ends with "# cellar: not-a-secret" or "# pragma: allowlist secret" is taken at
its word.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from nbcellar.api.search_views import Secret, SecretPlace, SecretScan
from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console

_MOST_PLACES = 5


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="scan|allow", required=True)
    scan = actions.add_parser(
        "scan", help="list what looks like a secret", description="List what looks like a secret."
    )
    scan.add_argument("ref", metavar="REF", nargs="?", help="only what this commit reaches (default: all that is kept)")
    scan.add_argument("--json", action="store_true", help="print JSON (docs/schemas/secrets-scan.json)")
    allow = actions.add_parser(
        "allow", help="leave these out from now on", description="Leave secrets out from now on."
    )
    allow.add_argument("ids", metavar="ID", nargs="+", help="an id that the scan showed, or a shell pattern of texts")


def run(args: argparse.Namespace, console: Console) -> int:
    if args.action == "allow":
        with console.open_repo() as repo:
            allowed = repo.allow_secrets(args.ids)
        console.print(f"secrets.allow has {text.plural(len(allowed), 'entry', 'entries')} now")
        return exit_codes.OK
    with console.open_repo() as repo:
        found = repo.scan_secrets(args.ref)
    if args.json:
        console.json(found)
    else:
        for secret in found.secrets:
            for line in _format(secret, console):
                console.print(line)
        for line in _notices(found):
            console.notice(line)
    return exit_codes.FINDINGS if found.secrets else exit_codes.OK


def _format(secret: Secret, console: Console) -> Iterator[str]:
    shown = console.style(text.clean(secret.shown), "red")
    yield f"{console.style(secret.kind, 'bold')}  {shown}  {console.style(f'id {secret.id}', 'yellow')}"
    for place in secret.places[:_MOST_PLACES]:
        more = f" and {text.plural(place.commits - 1, 'commit')} after it" if place.commits > 1 else ""
        yield f"  {_where(place)}  {console.style(place.commit[:8], 'yellow')}{more}"
    rest = len(secret.places) - _MOST_PLACES + secret.more_places
    if rest > 0:
        yield console.style(f"  … {text.plural(rest, 'place')} more", "dim")
    yield console.style(f"  to remove it: {secret.forget}", "dim")


def _where(place: SecretPlace) -> str:
    line = f", line {place.line}" if place.line else ""
    if place.where in ("value", "preview"):
        return f"{place.where} of {text.clean(place.name)}"
    if place.where == "environment":
        return f"environment variable {text.clean(place.name)}" if place.name else "environment"
    return f"document cell {place.cell}{line}" if place.cell else f"{place.where}{line}"


def _notices(found: SecretScan) -> Iterator[str]:
    if not found.secrets:
        yield f"nothing that looks like a secret in {text.plural(found.commits, 'commit')}"
    else:
        yield "what is not one: cellar secrets allow ID"
    if found.allowed:
        yield f"left out, as allowed: {found.allowed:,}"
    if found.values_in_part:
        yield f"of {text.plural(found.values_in_part, 'value')} only the beginning was looked at, as they are large"
    for damaged in found.damaged:
        yield f"not looked at: {text.one_line(damaged, 200)}"
