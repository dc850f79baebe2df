"""Show one commit: the cell that ran, its outputs, and what it changed, with previews. Or print a notebook.

A notebook is a file (or - for standard input, git:REV:PATH for one in git); anything else is a reference.

    cellar show HEAD~2               a commit
    cellar show analysis.ipynb       a notebook, cell by cell
    cellar show analysis.ipynb --cell 3 --no-outputs
    cellar show git:main~2:analysis.ipynb --json > old.ipynb
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nbcellar.api.views import Cell, Show, Variable, VariableChange
from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console
from nbcellar.cli.document_diff import as_invalid_input
from nbcellar.cli.log import format_labels
from nbcellar.cli.writing import write_lines
from nbcellar.errors import InvalidInputError
from nbcellar.history.model import NO_ROOM
from nbcellar.history.thin import THINNED_OUT

if TYPE_CHECKING:
    from nbcellar.notebook.model import Notebook

_MARKS = {"added": ("+", "green"), "changed": ("~", "yellow"), "removed": ("-", "red")}
_MOST_OUTPUT_LINES = 60
_MOST_PREVIEW_LINES = 8


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ref", metavar="REF", nargs="?", default="HEAD", help="the commit, or a notebook's file")
    parser.add_argument(
        "--json", action="store_true", help="print JSON (docs/schemas/show.json, or the notebook itself)"
    )
    parser.add_argument("--cell", metavar="N", type=int, action="append", help="of a notebook: this cell; repeatable")
    parser.add_argument("--no-outputs", action="store_true", help="of a notebook: sources alone")
    parser.add_argument("--metadata", action="store_true", help="of a notebook: metadata, too")
    parser.add_argument("--all", action="store_true", help="of a notebook: long outputs whole")


def run(args: argparse.Namespace, console: Console) -> int:
    if args.ref == "-" or args.ref.endswith(".ipynb"):
        with as_invalid_input():
            return _show_notebook(args, console)
    with console.open_repo() as repo:
        shown = repo.show(args.ref)
    if args.json:
        console.json(shown)
        return exit_codes.OK
    write_lines(None, format_show(shown, console), console)
    return exit_codes.OK


def _show_notebook(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.cli.notebook_text import Shown, format_notebook
    from nbcellar.notebook.codec import write

    notebook = _read_notebook(args.ref, console)
    if args.json:
        console.out.write(write(notebook).decode())
        return exit_codes.OK
    cells = frozenset(args.cell or ())
    missing = sorted(number for number in cells if not 1 <= number <= len(notebook.cells))
    if missing:
        raise InvalidInputError(f"{args.ref} has no cell {missing[0]}: it has {len(notebook.cells)}")
    shown = Shown(outputs=not args.no_outputs, metadata=args.metadata, everything=args.all, cells=cells)
    write_lines(None, format_notebook(notebook, args.ref, console, shown), console)
    return exit_codes.OK


def _read_notebook(name: str, console: Console) -> Notebook:
    if name.startswith("git:") and not (console.folder / name).exists():
        from nbcellar.git.repository import find_git_repository
        from nbcellar.git.revisions import parse_place, read_file
        from nbcellar.notebook.codec import read

        git = find_git_repository(console.folder, console.environ).git
        return read(read_file(git, parse_place(name)), path=name)
    from nbcellar.api.notebook_files import read_notebook

    return read_notebook(name, console.folder)


def format_show(shown: Show, console: Console) -> Iterator[str]:
    """Yield the lines of one commit."""
    commit = shown.commit
    head = f"{console.style('commit ' + commit.id, 'yellow')} {format_labels(commit, console)}".rstrip()
    yield head
    yield f"notebook: {text.clean(commit.notebook)}"
    yield f"when:     {commit.time:%Y-%m-%d %H:%M:%S} UTC ({console.ago(commit.time)})"
    yield f"by:       {text.clean(shown.author) or 'unknown'}{_signed(shown)}"
    yield f"kind:     {_kind(shown)}"
    if shown.git_head:
        yield f"git:      {text.clean(shown.git_head)[:12]}"
    if commit.message:
        yield from ("", *(f"    {line}" for line in text.clean(commit.message).splitlines()))
    if shown.cell is not None:
        yield from format_cell(shown.cell, console)
    yield ""
    if shown.changes:
        yield console.style("variables", "bold")
        for change in shown.changes:
            yield from format_change(change, console)
    elif shown.has_state:
        yield "no variable changed"
    else:
        yield "variables were not recorded here"
    for note in shown.notes:
        yield f"{console.style('note:', 'yellow')} {text.clean(note)}"


def format_cell(cell: Cell, console: Console) -> Iterator[str]:
    """Yield source, error and outputs of a cell run."""
    yield ""
    yield console.style(f"[{cell.execution_count}]", "cyan") + f" {text.seconds(cell.duration_s)}"
    yield from (f"    {line}" for line in text.clean(cell.source).splitlines())
    if cell.error is not None:
        where = f", line {cell.error.line}" if cell.error.line else ""
        value = text.one_line(cell.error.value, 200)
        yield console.style(f"failed{where}: {text.clean(cell.error.name)}: {value}", "red")
    lines = [line for output in cell.outputs for line in output_lines(output)]
    if lines:
        yield ""
        yield from (f"  {line}" for line in lines[:_MOST_OUTPUT_LINES])
        if len(lines) > _MOST_OUTPUT_LINES:
            yield f"  … {len(lines) - _MOST_OUTPUT_LINES} more lines (--json has them all)"
    for name in cell.opened_for_writing:
        yield f"wrote: {text.clean(name)}"


def format_change(change: VariableChange, console: Console) -> Iterator[str]:
    """Yield a changed variable: what it is now, and what it was."""
    mark, color = _MARKS[change.change]
    value = change.after or change.before
    is_long = value is not None and "\n" in value.preview.strip("\n")
    shown = "" if value is None else shape(value) if is_long else preview(value, console.width - 30)
    kind = text.one_line(value.type, 40) if value else ""
    yield f"  {console.style(mark + ' ' + text.clean(change.name), color)}  {kind}  {shown}".rstrip()
    if value is not None and is_long and change.change != "removed":
        yield from (f"      {text.cut(line, console.width - 6)}" for line in head_lines(value))
    if change.before is not None and change.after is not None and change.before.preview != change.after.preview:
        yield console.style(f"      was: {preview(change.before, console.width - 12)}", "dim")
    if change.after is not None:
        yield from (f"      {line}" for line in remarks(change.after, console))


def remarks(variable: Variable, console: Console) -> Iterator[str]:
    """Yield why a variable is not stored or not certain."""
    if not variable.stored:
        reason = text.one_line(variable.reason, 200) or "no reason given"
        says_so = reason.startswith((NO_ROOM, THINNED_OUT))  # the reason is a sentence of its own
        yield console.style(reason if says_so else f"not stored: {reason}", "red")
    if variable.uncertain:
        yield console.style(f"uncertain: {text.one_line(variable.uncertain, 200)}", "yellow")


def preview(variable: Variable, width: int) -> str:
    """Return a variable's preview on one line, its shape first when it has one."""
    shown = text.one_line(variable.preview, max(width, 20))
    return text.cut(f"{shape(variable)} {shown}".lstrip(), max(width, 20))


def shape(variable: Variable) -> str:
    """Return `(3 x 2)`, or nothing for what has no shape."""
    return f"({' x '.join(str(length) for length in variable.shape)})" if variable.shape else ""


def head_lines(variable: Variable) -> list[str]:
    """Return the first lines of a preview of several lines."""
    lines = text.clean(variable.preview).strip("\n").splitlines()
    return lines[:_MOST_PREVIEW_LINES] + (["…"] if len(lines) > _MOST_PREVIEW_LINES else [])


def output_lines(output: dict[str, object]) -> list[str]:
    """Return an nbformat output as lines of text; what is no text is named by its MIME type."""
    kind = output.get("output_type")
    if kind == "stream":
        return _lines(output.get("text"))
    if kind == "error":
        return [f"{text.clean(str(output.get('ename')))}: {text.one_line(str(output.get('evalue')), 200)}"]
    data = output.get("data")
    if not isinstance(data, dict):
        return []
    if "text/plain" in data and not any(str(mime).startswith("image/") for mime in data):
        return _lines(data["text/plain"])
    return [f"<{text.clean(', '.join(sorted(data)))}>"]


def _lines(value: object) -> list[str]:
    joined = "".join(map(str, value)) if isinstance(value, list) else str(value or "")
    return text.clean(joined).splitlines()


def _signed(shown: Show) -> str:
    if not shown.signers:
        return "  (not signed)"
    words = {"own": "signed with your key", "trusted": "signed, trusted", "untrusted": "signed, not trusted here"}
    return f"  ({words.get(shown.signers[0].trust, shown.signers[0].trust)})"


def _kind(shown: Show) -> str:
    commit = shown.commit
    holds = [word for word, there in (("variables", shown.has_state), ("code", shown.has_code)) if there]
    target = f" to {commit.at[:8]}" if commit.at else ""
    return f"{commit.kind}{target}; holds {' and '.join(holds) or 'neither variables nor code'}"
