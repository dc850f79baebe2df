"""`cellar pipeline cache`: the results of a pipeline, here and as one file for another person."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from nbcellar.cli import exit_codes
from nbcellar.cli.console import Console

if TYPE_CHECKING:
    from nbcellar.api.pipeline_result_views import ImportedResults

ACTIONS = ("cache",)
Told = TypeVar("Told")
Lines = Callable[[Told, Console], Iterator[str]]


def configure(actions: Any) -> None:
    """Add the actions."""
    cache = actions.add_parser("cache", help="the results that are kept", description=_CACHE)
    inner = cache.add_subparsers(dest="cache_action", metavar="ls|export|import|clear", required=True)
    listing = inner.add_parser("ls", help="list results", description=_LS)
    listing.add_argument("notebook", metavar="NB", help="the notebook, or an archive (X.tar.gz)")
    listing.add_argument("components", metavar="COMPONENT", nargs="*", help="only these (default: all)")
    listing.add_argument("--json", action="store_true", help="print JSON (docs/schemas/pipeline-cache.json)")
    export = inner.add_parser("export", help="write results into a file", description=_EXPORT)
    export.add_argument("notebook", metavar="NB", help="the notebook")
    export.add_argument("components", metavar="COMPONENT", nargs="*", help="these and what they need (default: all)")
    export.add_argument("-o", dest="output", metavar="X.tar.gz", required=True, help="write there")
    export.add_argument("--all", action="store_true", help="every result that is kept, not only what is used now")
    export.add_argument("--json", action="store_true", help="print JSON (docs/schemas/pipeline-cache-export.json)")
    importing = inner.add_parser("import", help="take results of a file in", description=_IMPORT)
    importing.add_argument("file", metavar="X.tar.gz", help="the archive")
    importing.add_argument("notebook", metavar="NB", nargs="?", help="(default: the one of the same path)")
    importing.add_argument(
        "--trust",
        metavar="KEY",
        action="append",
        nargs="?",
        const="",
        default=[],
        help="trust the signer with this fingerprint in this project; without KEY: show whose key it is, and ask",
    )
    importing.add_argument("--json", action="store_true", help="print JSON (docs/schemas/pipeline-cache-import.json)")
    clear = inner.add_parser("clear", help="take results away", description=_CLEAR)
    clear.add_argument("notebook", metavar="NB", help="the notebook")
    clear.add_argument("components", metavar="COMPONENT", nargs="*", help="only these (default: all)")
    clear.add_argument("--older-than", metavar="DAYS", type=float, help="only results older than so many days")
    clear.add_argument("--dry-run", action="store_true", help="say what would go; take nothing away")
    clear.add_argument("--json", action="store_true", help="print JSON (docs/schemas/pipeline-cache-clear.json)")
    for action in inner.choices.values():
        action.intermixed = True


_CACHE = "The results that are kept of a pipeline: list them, hand them on in a file, take them away."
_LS = (
    "List each component's results: when, how long it took, how large, and whether a run would use it or why not. Of "
    "an archive: what is in it and who signed it; all of it is checked and nothing is loaded."
)
_EXPORT = (
    "Write the results that a run would use now into one signed file. Who trusts the signer imports it, and the same "
    "notebook runs nothing."
)
_IMPORT = (
    "Check an archive whole and take its results into the repository. Its signer has to be trusted in this project: "
    "values can run code when they are loaded."
)
_CLEAR = "Take results away; `cellar gc` frees the space. What another notebook's component had last stays."


def run(args: argparse.Namespace, console: Console) -> int:
    """Run one of the actions."""
    return {"ls": _list, "export": _export, "import": _import, "clear": _clear}[args.cache_action](args, console)


def _list(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.api.pipeline_archives import is_archive, look_into_results
    from nbcellar.cli import pipeline_cache_text

    if is_archive(args.notebook, console.folder):
        archive = look_into_results(args.notebook, components=args.components, folder=console.folder)
        return _tell(archive, pipeline_cache_text.format_archive, args, console)
    from nbcellar.api.pipeline_results import list_results

    kept = list_results(args.notebook, args.components, folder=console.folder)
    return _tell(kept, pipeline_cache_text.format_kept, args, console)


def _export(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.api.pipeline_archives import export_results
    from nbcellar.cli.pipeline_cache_text import format_exported, format_secrets

    done = export_results(args.notebook, args.output, args.components, all=args.all, folder=console.folder)
    code = _tell(done, format_exported, args, console)
    for line in format_secrets(done):
        console.notice(line)
    return code


def _import(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.cli.pipeline_cache_text import format_imported

    return _tell(_imported(args, console), format_imported, args, console)


def _imported(args: argparse.Namespace, console: Console) -> ImportedResults:
    from nbcellar.api.pipeline_archives import import_results, untrusted_signers

    keys = [key for key in args.trust if key]
    if len(keys) < len(args.trust) and console.can_ask:
        for signer, says in untrusted_signers(args.file, args.notebook, folder=console.folder):
            if not console.confirm(f"{signer.key}{says}: trust this key in this project?"):
                break
            keys.append(signer.key)
    return import_results(args.file, args.notebook, trust=keys, folder=console.folder)


def _clear(args: argparse.Namespace, console: Console) -> int:
    from datetime import datetime, timezone

    from nbcellar.api.pipeline_results import clear_results
    from nbcellar.cli.pipeline_cache_text import format_cleared

    done = clear_results(
        args.notebook,
        args.components,
        older_than_days=args.older_than,
        folder=console.folder,
        dry_run=args.dry_run,
        now=datetime.fromtimestamp(console.clock() / 1e9, timezone.utc),
    )
    return _tell(done, format_cleared, args, console)


def _tell(found: Told, lines: Lines[Told], args: argparse.Namespace, console: Console) -> int:
    """Print what was found or done: as JSON where that was asked for, else in lines."""
    if args.json:
        console.json(found)
    else:
        for line in lines(found, console):
            console.print(line)
    return exit_codes.OK


__all__ = ["ACTIONS", "configure", "run"]
