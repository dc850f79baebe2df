"""Mend notebooks that do not open: what git left with conflict marks, and what nbformat does not allow.

A notebook that git merged as text has lines like <<<<<<< in its JSON. Its versions, from git's index or from the text
itself, are merged again cell by cell; what has to be decided becomes marked cells, for `cellar resolve`.

Of what nbformat does not allow (duplicate or missing ids, missing parts, parts of a wrong type), what is plainly meant
is mended; each repair is said, and no text is lost: what has no place where it stood is moved into the metadata of its
cell. What is still not allowed is listed with its place in the file. Notebooks of nbformat 1 to 3 become nbformat 4.5.

    cellar fix analysis.ipynb           mend one notebook
    cellar fix . --check                only say what is wrong, exit with 1 if something is

Exit codes are 0 (all is well now), 1 (something remains to be decided or mended, or with --check would be) and 2 (a
file cannot be read or written).
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from nbcellar.cli import exit_codes
from nbcellar.cli.console import Console, find_cellar_folder
from nbcellar.cli.files import names_of, reason
from nbcellar.cli.text import clean as printable
from nbcellar.cli.text import plural
from nbcellar.errors import CellarError, InvalidInputError

if TYPE_CHECKING:
    from nbcellar.api.documents_fix import FixedFile

_FAILURE = 2


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="*", help="notebooks and folders")
    parser.add_argument("--check", action="store_true", help="write nothing, exit with 1 if something is wrong")
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/fix.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    if not args.files:
        raise InvalidInputError("no notebook is named", hint="cellar fix . --check looks at those of this folder")
    from nbcellar import config
    from nbcellar.api.documents_fix import FixedFile, Fixing, fix_file

    limit = config.load(find_cellar_folder(console.folder), console.environ).notebooks.max_mb
    found = []
    for name in names_of(args.files, console):
        try:
            file = fix_file(name, console.folder, max_mb=limit, dry=args.check, environ=console.environ)
        except (CellarError, OSError, MemoryError) as error:
            file = FixedFile(path=name, error=reason(error, name), hint=_hint(error))
        found.append(file)
    if args.json:
        console.json(Fixing(files=tuple(found)))
    else:
        for file in found:
            _show(file, console, check=args.check)
    if any(file.error for file in found):
        return _FAILURE
    is_wrong = any(file.remaining or file.conflicts or (args.check and (file.repairs or file.marks)) for file in found)
    return exit_codes.FINDINGS if is_wrong else exit_codes.OK


def _hint(error: Exception) -> str:
    hint = str(getattr(error, "hint", ""))
    return "take one side with: git checkout --ours|--theirs FILE" if "conflict marks" in hint else hint


def _show(file: FixedFile, console: Console, *, check: bool) -> None:
    if file.error:
        console.notice(f"{console.style('error:', 'red', 'bold')} {printable(file.error)}")
        if file.hint:
            console.notice(f"{console.style('hint:', 'cyan')} {printable(file.hint)}")
        return
    if file.marks:
        _show_merge(file, console, check=check)
        return
    done = plural(len(file.repairs), "repair") + (" to be made" if check else "") if file.repairs else "nothing to mend"
    left = f", {plural(len(file.remaining), 'problem')} left" if file.remaining else ""
    console.print(f"{console.style(printable(file.path), 'bold')}: {done}{left}")
    for repair in file.repairs:
        console.print(f"  {printable(str(repair))}")
    for problem in file.remaining:
        console.print(f"  {console.style('not mended:', 'yellow')} {printable(str(problem))}")


def _show_merge(file: FixedFile, console: Console, *, check: bool) -> None:
    marks = plural(file.marks, "conflict")
    done = f"git left {marks} in the text" + ("" if check else ": merged again, cell by cell")
    console.print(f"{console.style(printable(file.path), 'bold')}: {done}")
    for entry in (*file.dropped, *map(str, file.repairs)):
        console.print(f"  {printable(entry)}")
    if file.conflicts:
        console.print(f"  {console.style(plural(file.conflicts, 'conflict') + ' to decide', 'yellow')}")
        if not check:
            console.notice(f"hint: decide with: cellar resolve {printable(file.path)}")
    elif not check:
        console.print(f"  nothing is left to decide; tell git: git add {printable(file.path)}")
