"""Bring notebooks into canonical form: what differs from run to run and from machine to machine is left out.

Execution counts, run times, memory addresses in text, the state of widgets, the kernel's display name and the like go;
outputs, tags and all other metadata stay, unless the settings say otherwise (cellar config, the section `clean`; a
project shares them in cellar.toml). A notebook that nbformat does not allow is mended where that is plain. What was
left out is listed, and a file whose text would not change is not written.

    cellar clean analysis.ipynb           clean one notebook
    cellar clean .                        all notebooks of a folder and below
    cellar clean . --check                only say which are not clean, exit with 1 if one is not
    cellar clean --drop-outputs a.ipynb   without outputs
    cellar clean - < a.ipynb              from standard input to standard output

Exit codes are 0 (done, or nothing to do), 1 (with --check: something would change) and 2 (a file could not be cleaned).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbcellar.cli import exit_codes
from nbcellar.cli.console import Console, find_cellar_folder
from nbcellar.cli.files import absolute, names_of, reason
from nbcellar.cli.text import clean as printable
from nbcellar.cli.text import plural
from nbcellar.errors import CellarError, InvalidInputError

if TYPE_CHECKING:
    from nbcellar.api.documents_clean import CleanedFile, CleanedText
    from nbcellar.config.shared import CleanSettings

_FAILURE = 2


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="*", help="notebooks and folders; - is standard input")
    parser.add_argument("--check", action="store_true", help="write nothing, exit with 1 if something would change")
    parser.add_argument("--dry-run", action="store_true", help="write nothing, list what would change")
    parser.add_argument("--diff", action="store_true", help="write nothing, show the lines that would change")
    parser.add_argument("--list", action="store_true", help="list all that is left out, cell by cell")
    parser.add_argument("--stdin", action="store_true", help="the same as -")
    parser.add_argument("--as", dest="name", metavar="FILE", help="with -: the file that is meant, for its settings")
    parser.add_argument("--drop-outputs", action="store_true", help="leave outputs out (clean.outputs)")
    parser.add_argument("--keep-outputs", action="store_true", help="keep outputs, whatever the settings say")
    parser.add_argument("--keep-counts", action="store_true", help="keep execution counts (clean.execution_counts)")
    parser.add_argument(
        "--set", dest="set", metavar="KEY=VALUE", action="append", help="any setting of [clean]; repeatable"
    )
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/clean.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.config.shared import CleanSettings

    settings = CleanSettings(console.environ, _given(args))
    if args.stdin or "-" in args.files:
        if args.files not in ([], ["-"]):
            raise InvalidInputError("standard input and files exclude each other")
        return _clean_stdin(args, settings, console)
    if not args.files:
        raise InvalidInputError("no notebook is named", hint="cellar clean . cleans those of this folder")
    return _clean_files(args, settings, console)


def _given(args: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that options name."""
    from nbcellar import config

    if args.drop_outputs and args.keep_outputs:
        raise InvalidInputError("--drop-outputs and --keep-outputs exclude each other")
    given: dict[str, Any] = {}
    if args.drop_outputs or args.keep_outputs:
        given["outputs"] = bool(args.keep_outputs)
    if args.keep_counts:
        given["execution_counts"] = True
    for word in args.set or ():
        name, equals, value = word.partition("=")
        if not equals:
            raise InvalidInputError(f"--set {word}: a key, = and a value are wanted", hint="--set ids=new")
        name = name.strip().removeprefix("clean.")
        key = config.find_key(f"clean.{name}", where="--set")
        given[name] = config.parse_text(key, value, where="--set")
    return given


def _clean_stdin(args: argparse.Namespace, settings: CleanSettings, console: Console) -> int:
    from nbcellar.api.documents_clean import clean_text

    name = args.name or "standard input"
    folder = absolute(args.name, console).parent if args.name else console.folder.absolute()
    data = _read_stdin(console)
    text = clean_text(data, settings.of(folder), path=name)
    if args.check or args.diff or args.dry_run or args.json or args.list:
        from nbcellar.api.documents_clean import CleanedFile

        found = CleanedFile(path=name, changed=text.changed, left_out=text.left_out, repairs=text.repairs)
        _show([found], [text], args, console)
        return exit_codes.FINDINGS if args.check and text.changed else exit_codes.OK
    binary = getattr(console.out, "buffer", None)
    if binary is None:
        console.out.write(text.after.decode())
    else:
        binary.write(text.after)
        binary.flush()
    return exit_codes.OK


def _read_stdin(console: Console) -> bytes:
    most = _max_mb(console)
    data = sys.stdin.buffer.read((most << 20) + 1)
    if len(data) > most << 20:
        raise InvalidInputError(f"standard input has more than {most:,} MiB", hint="cellar config notebooks.max_mb N")
    return data


def _max_mb(console: Console) -> int:
    from nbcellar import config

    return config.load(find_cellar_folder(console.folder), console.environ).notebooks.max_mb


def _clean_files(args: argparse.Namespace, settings: CleanSettings, console: Console) -> int:
    from nbcellar.api.documents_clean import CleanedFile, clean_file
    from nbcellar.clean import Rules

    limit = _max_mb(console)
    dry = args.check or args.diff or args.dry_run
    rules: dict[Path, Rules] = {}
    found: list[CleanedFile] = []
    texts: list[CleanedText | None] = []
    for name in names_of(args.files, console):
        try:
            at = absolute(name, console).parent
            if at not in rules:
                rules[at] = Rules(settings.of(at))
            file, text = clean_file(name, console.folder, rules[at], max_mb=limit, environ=console.environ, dry=dry)
            texts.append(text if args.diff else None)
        except (CellarError, OSError, MemoryError) as error:
            file = CleanedFile(path=name, error=reason(error, name), hint=getattr(error, "hint", ""))
            texts.append(None)
        found.append(file)
    _show(found, texts, args, console)
    if any(file.error for file in found):
        return _FAILURE
    return exit_codes.FINDINGS if args.check and any(file.changed for file in found) else exit_codes.OK


def _show(
    found: list[CleanedFile],
    texts: list[CleanedText] | list[CleanedText | None],
    args: argparse.Namespace,
    console: Console,
) -> None:
    if args.json:
        from nbcellar.api.documents_clean import Cleaning

        console.json(Cleaning(files=tuple(found)))
        return
    from nbcellar.cli.clean_text import diff_lines, listed, summary

    dry = args.check or args.diff or args.dry_run
    for file, text in zip(found, texts, strict=True):
        if file.error:
            console.notice(f"{console.style('error:', 'red', 'bold')} {printable(file.error)}")
            if file.hint:
                console.notice(f"{console.style('hint:', 'cyan')} {printable(file.hint)}")
        elif file.changed:
            name = console.style(printable(file.path), "bold")
            console.print(f"{'would clean' if dry else 'cleaned'} {name}: {summary(file)}")
            for line in listed(file) if args.list else ():
                console.print(f"  {line}")
            for line in diff_lines(text) if text is not None and args.diff else ():
                console.print(_coloured(line, console))
    console.print(_total(found, dry))


def _total(found: list[CleanedFile], dry: bool) -> str:
    changed = sum(file.changed for file in found)
    failed = sum(bool(file.error) for file in found)
    clean = len(found) - changed - failed
    parts = [f"{plural(changed, 'notebook')} {'would be cleaned' if dry else 'cleaned'}"] if changed else []
    if clean:
        parts.append(f"{clean:,} {'is' if clean == 1 else 'are'} clean" + ("" if changed or failed else " already"))
    if failed:
        parts.append(f"{failed:,} left as {'it is' if failed == 1 else 'they are'}")
    return ", ".join(parts) or "no notebooks there"


def _coloured(line: str, console: Console) -> str:
    colour = {"-": "red", "+": "green", "@": "cyan"}.get(line[:1])
    return console.style(line, colour) if colour else line
