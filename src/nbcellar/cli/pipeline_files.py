"""`cellar pipeline export`, `import` and `script`: a pipeline as a file that something else takes."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console
from nbcellar.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nbcellar.components.importing import Imported
    from nbcellar.components.pipeline_file import EdgeEntry

ACTIONS = ("export", "import", "script")
FORMATS = ("python", "snakemake")


def configure(actions: Any) -> None:
    """Add the actions."""
    export = actions.add_parser("export", help="write a pipeline file", description=_EXPORT)
    export.add_argument("notebook", metavar="NB", help="the notebook")
    export.add_argument("components", metavar="COMPONENT", nargs="*", help="only these (default: the whole notebook)")
    export.add_argument("-o", dest="output", metavar="P.json", help="write there instead of printing")
    export.add_argument(
        "--no-environment", dest="environment", action="store_false", help="leave out Python and library versions"
    )
    importing = actions.add_parser("import", help="take a pipeline file in", description=_IMPORT)
    importing.add_argument("file", metavar="P.json", help="the pipeline file; - reads standard input")
    importing.add_argument("-o", dest="notebook", metavar="NB", required=True, help="the notebook, new or not")
    importing.add_argument("--replace", action="store_true", help="what differs becomes as the file has it")
    script = actions.add_parser("script", help="a script that needs no Cellar", description=_SCRIPT)
    script.add_argument("notebook", metavar="NB", help="the notebook")
    script.add_argument("--format", choices=FORMATS, default="python", help="(default: python)")
    script.add_argument("-o", dest="output", metavar="FILE", help="write there instead of printing")


_EXPORT = "Write the pipeline of a notebook, or some of its components, as JSON (docs/schemas/pipeline-file.json)."
_IMPORT = "Put a pipeline file into a notebook, new or not. Nothing of it is run."
_SCRIPT = "Write a pipeline as a Python script, or as a Snakefile with a rule for each component. Nothing is run."


def run(args: argparse.Namespace, console: Console) -> int:
    """Run one of the actions."""
    if args.action == "export":
        return _export(args, console)
    if args.action == "import":
        return _import(args, console)
    return _script(args, console)


def _export(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.api.notebook_files import read_notebook
    from nbcellar.api.pipeline_files import export_file
    from nbcellar.components.exporting import prepared
    from nbcellar.components.pipeline_file import write_file
    from nbcellar.components.reading import read_pipeline

    notebook = read_notebook(args.notebook, console.folder)
    file = export_file(notebook, args.components, environment=args.environment)
    _write(args.output, write_file(file), console)
    names = {str(component.id): component.name for component in read_pipeline(prepared(notebook)).components}
    for line in _needs(file.document.needs, names, "is not exported"):
        console.notice(line)
    return exit_codes.OK


def _import(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.api.notebook_files import STANDARD_INPUT, read_bytes, read_to_rewrite, write_bytes, write_rewritten
    from nbcellar.components.importing import import_pipeline
    from nbcellar.components.pipeline_file import read_file
    from nbcellar.notebook.codec import write
    from nbcellar.notebook.model import Notebook

    if args.notebook == STANDARD_INPUT:
        raise InvalidInputError("a pipeline is imported into a file, not into standard output")
    shown = "standard input" if args.file == STANDARD_INPUT else args.file
    file = read_file(read_bytes(args.file, console.folder), shown)
    if (console.folder / args.notebook).exists():
        there, before = read_to_rewrite(args.notebook, console.folder)
        found = import_pipeline(file, before, replace=args.replace)
        changed = write_rewritten(there, args.notebook, console.folder, write(found.notebook))
    else:
        before, found = Notebook(cells=()), import_pipeline(file)
        changed = write_bytes(args.notebook, console.folder, write(found.notebook))
    _tell(before, found, changed, args.notebook, console)
    names = {component.id: component.name for component in file.document.components}
    for line in _needs(found.needs, names, f"is not in {args.notebook}"):
        console.notice(line)
    for edge in found.left_out:
        console.notice(f"left out: the edge from {edge.parent} to '{text.clean(names[edge.child])}'")
    return exit_codes.OK


def _tell(before: Any, found: Imported, changed: bool, name: str, console: Console) -> None:
    from nbcellar.cli.pipeline_text import format_edit
    from nbcellar.components.reading import read_pipeline

    if not changed:
        console.notice(f"{name} has all of it already")
        return
    for line in format_edit(read_pipeline(before), read_pipeline(found.notebook), console):
        console.print(line)
    counts = ((found.added, "added"), (found.replaced, "replaced"), (found.same, "there already"))
    console.print(", ".join(f"{text.plural(len(ids), 'cell')} {word}" for ids, word in counts if ids) or "no cells")
    if found.gave_ids:
        console.notice("the notebook's cells had no ids of their own; they have now (nbformat 4.5)")


def _needs(needs: Iterable[EdgeEntry], names: Mapping[str, str], where: str) -> list[str]:
    """Return what components take from others that are elsewhere, a line each."""
    lines = []
    for need in needs:
        parent = f"'{names[need.parent]}'" if need.parent in names else f"cell {need.parent}"
        taken = ", ".join(need.names) if need.names else "only the order"
        lines.append(text.clean(f"'{names.get(need.child, need.child)}' comes after {parent}, which {where} ({taken})"))
    return lines


def _script(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.api.notebook_files import read_notebook
    from nbcellar.api.pipeline_files import script_of

    notebook = read_notebook(args.notebook, console.folder)
    made = script_of(notebook, args.format, name=args.notebook)
    _write(args.output, made.text.encode(), console)
    for note in made.notes:
        console.notice(text.clean(note))
    return exit_codes.OK


def _write(output: str | None, data: bytes, console: Console) -> None:
    from nbcellar.api.notebook_files import STANDARD_INPUT, write_bytes

    if output is None or output == STANDARD_INPUT:
        console.out.write(data.decode())
        return
    changed = write_bytes(output, console.folder, data)
    console.notice(f"wrote {output}" if changed else f"{output} is so already")


__all__ = ["ACTIONS", "configure", "run"]
