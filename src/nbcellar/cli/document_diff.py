"""`cellar diff` of notebooks: which form the answer has."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console
from nbcellar.cli.writing import write_json, write_lines, write_text
from nbcellar.errors import InvalidInputError, StoreUnavailableError, UnsupportedFormatError

if TYPE_CHECKING:
    from nbcellar.api.document_sources import Pair
    from nbcellar.cli.diff_sides import Chosen
    from nbcellar.diff.document.compare import NotebookDiff
    from nbcellar.diff.document.filters import Filters

PARTS = ("sources", "outputs", "metadata", "attachments", "ids", "transient")
_OF_COMMITS = (("names", "--var"), ("code", "--code"), ("vars", "--vars"))


def configure(group: argparse._ArgumentGroup) -> None:
    """Add the options that are for notebooks."""
    group.add_argument("--format", choices=("jep",), help="jep: the diff in the Jupyter Enhancement Proposal's JSON")
    group.add_argument("--raw", action="store_true", help="the files' text, line by line, as a patch")
    group.add_argument("--web", action="store_true", help="show it in a browser, until the page is done with")
    group.add_argument("--no-browser", action="store_true", help="with --web: print the address, and open nothing")
    group.add_argument("--md", action="store_true", help="Markdown, for a pull request")
    group.add_argument(
        "--tolerance",
        metavar="X",
        type=_tolerance,
        help="numbers in outputs that differ by at most this part of the larger one are equal; as in --tolerance 1e-6",
    )
    for part in PARTS:
        what = {"transient": "counts, run times, addresses, kernel metadata and widget state"}.get(part, part)
        group.add_argument(f"--{part}", action=argparse.BooleanOptionalAction, default=None, help=f"compare {what}")


def refuse_options(args: argparse.Namespace) -> None:
    """Refuse what is for notebooks alone. Raises InvalidInputError."""
    used = [
        f"--{name}"
        for name in ("format", "raw", "md", "web", "tolerance", *PARTS)
        if getattr(args, name) not in (None, False)
    ]
    used += [f"--no-{name}" for name in PARTS if getattr(args, name) is False]
    if used:
        raise InvalidInputError(f"{used[0]} is for notebooks, and these are commits", hint="cellar diff --help")


def run(args: argparse.Namespace, chosen: Chosen, console: Console) -> int:
    """Compare and write; return the exit code. Whatever is wrong with a notebook is an InvalidInputError."""
    with as_invalid_input():
        return _run(args, chosen, console)


@contextlib.contextmanager
def as_invalid_input() -> Iterator[None]:
    """Make of a file that is no notebook of ours, or cannot be read, what it is for a command: wrong input."""
    try:
        yield
    except (UnsupportedFormatError, StoreUnavailableError) as error:
        raise InvalidInputError(error.message, hint=error.hint) from error


def _run(args: argparse.Namespace, chosen: Chosen, console: Console) -> int:
    for name, option in _OF_COMMITS:
        if getattr(args, name) and name != "names":
            raise InvalidInputError(f"{option} is for commits, and these are notebooks", hint="cellar diff --help")
    filters = _filters(args)
    pairs = chosen.sources.pairs(chosen.before, chosen.after, chosen.paths)
    if args.web:
        from nbcellar.cli.document_web import show_pairs

        return _code(args, show_pairs(pairs, console, browser=not args.no_browser))
    if args.raw:
        found = [line for pair in pairs for line in _raw(pair)]
        write_lines(args.output, found, console)
        return _code(args, bool(found))
    compared = _Compared(pairs, filters)
    if args.html is not None:
        from nbcellar.api.document_page import render

        write_text(args.html, render(list(compared)), console)
        if args.html != "-":
            console.notice(f"wrote {args.html}")
    elif args.format == "jep":
        _write_jep(args.output, list(compared), console)
    elif args.json:
        from nbcellar.api.document_views import notebook_diffs

        write_json(args.output, notebook_diffs(list(compared)), console)
    elif args.md:
        from nbcellar.api.document_markdown import markdown

        write_lines(args.output, markdown(list(compared)), console)
    else:
        write_lines(args.output, _lines(compared, args, console), console)
    return _code(args, compared.differ)


class _Compared:
    """The comparisons, one after the other; `differ` says whether one that was made found something."""

    def __init__(self, pairs: Iterator[Pair], filters: Filters) -> None:
        self._pairs = pairs
        self._filters = filters
        self.differ = False

    def __iter__(self) -> Iterator[tuple[Pair, NotebookDiff]]:
        from nbcellar.api.documents import compare_pair

        for pair in self._pairs:
            found = compare_pair(pair, self._filters)
            is_there = pair.before.data is not None and pair.after.data is not None
            self.differ = self.differ or not is_there or (bool(found) and not _is_within_tolerance(found))
            yield pair, found


def _is_within_tolerance(found: NotebookDiff) -> bool:
    """Return whether nothing but numbers changed, and those within a tolerance that was asked for."""
    return (
        bool(found.filters.tolerance.relative)
        and set(found.changes.noise) == {"tolerance"}
        and found.changes.only_noise
    )


def _lines(compared: _Compared, args: argparse.Namespace, console: Console) -> Iterator[str]:
    from nbcellar.cli.document_text import format_document, format_document_stat

    count = same = 0
    for pair, found in compared:
        if not found and pair.before.data is not None and pair.after.data is not None:
            same += 1
            continue
        state = "" if pair.before.data is not None else "new" if pair.after.data is not None else ""
        state = "deleted" if pair.after.data is None else state
        name = f"{pair.name} ({state})" if state else pair.name
        if args.stat:
            yield format_document_stat(found.changes, name, console)
        else:
            yield from [""] if count else []
            yield from format_document(found.changes, name, console, everything=args.all)
        count += 1
    if args.stat and count > 1:
        yield console.style(f"{text.plural(count, 'notebook')} differ", "dim")


def _filters(args: argparse.Namespace) -> Filters:
    """Return the parts to compare: with positive words those alone, with negative ones all but those."""
    from nbcellar.diff.document.filters import Filters, Tolerance

    said = {part: getattr(args, part) for part in PARTS if getattr(args, part) is not None}
    if True in said.values() and False in said.values():
        raise InvalidInputError(
            "some parts are asked for and others are left out: that leaves open what holds for the rest",
            hint="say --no-PART for each that does not count, or --PART for each that does",
        )
    default = True not in said.values()
    parts = {part: said.get(part, default) for part in PARTS}
    return Filters(**parts, tolerance=Tolerance(relative=args.tolerance or 0.0))


def _tolerance(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"'{word}' is no number from 0 to below 1")
    return value


def _raw(pair: Pair) -> Iterator[str]:
    """Yield the text of both files as a unified diff."""
    import difflib

    old, new = ((side.data or b"").decode("utf-8", "replace").splitlines() for side in (pair.before, pair.after))
    names = [text.one_line(side.name, 300) for side in (pair.before, pair.after)]
    for line in difflib.unified_diff(old, new, names[0], names[1], lineterm=""):
        yield text.clean(line)


def _write_jep(path: str | None, compared: list[tuple[Pair, NotebookDiff]], console: Console) -> None:
    if len(compared) == 1:
        value: object = compared[0][1].to_jep()
    else:
        value = {pair.name: found.to_jep() for pair, found in compared}
    if path:
        write_text(path, msgspec.json.encode(value).decode() + "\n", console)
    else:
        console.json(value)


def _code(args: argparse.Namespace, differ: bool) -> int:
    return exit_codes.FINDINGS if args.exit_code and differ else exit_codes.OK


__all__ = ["PARTS", "as_invalid_input", "configure", "refuse_options", "run"]
