"""Look at a notebook as a pipeline of cells, and say which cells are its components.

    cellar pipeline show NB                 components, what flows between them, what is wrong
    cellar pipeline show NB --graph svg -o NB.svg
    cellar pipeline init NB                 make the proposal for a plain notebook its pipeline
    cellar pipeline add NB 4 load           cell 4 is a component called load
    cellar pipeline connect NB load report  load comes before report, whatever flows between them
    cellar pipeline param NB scale=3        a parameter of the pipeline
    cellar pipeline run NB -p scale=4       run what is needed; the rest comes from the cache
    cellar pipeline run NB --dry-run        what would run, and why
    cellar pipeline cache ls NB             the results that are kept; export, import, clear
    cellar pipeline export NB -o P.json     the pipeline, or some components, for another notebook
    cellar pipeline import P.json -o NB     into a new notebook, or one that is there
    cellar pipeline script NB -o run.py     a script that runs it without Cellar, or a file for Snakemake
    cellar pipeline log NB                  what became of it, commit by commit in git
    cellar pipeline diff A B                what two versions differ in: structure and code

A component is a code cell; edges follow from the names in their sources, and are declared where order alone matters. A
plain notebook is shown as the pipeline it could be, and is not changed. COMPONENT is a name, the number of a cell or
its id; CELL is a number or an id.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from nbcellar.cli import exit_codes, parameters, pipeline_cache, pipeline_changes, pipeline_files, pipeline_run, text
from nbcellar.cli.console import Console
from nbcellar.errors import CellarError, InvalidInputError

if TYPE_CHECKING:
    from nbcellar.api.pipelines import Looked
    from nbcellar.notebook.model import Notebook

_GRAPHS = ("svg", "mermaid", "json")
_PARTS = (pipeline_cache, pipeline_files, pipeline_changes)


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = _action(
        actions, "show", "components, edges, parameters", "Show a notebook as a pipeline. It is not changed."
    )
    show.add_argument("--graph", choices=_GRAPHS, help="the graph as a picture, as text for Mermaid, or as JSON")
    show.add_argument("--json", action="store_true", help="print JSON (docs/schemas/pipeline.json)")
    show.add_argument("-o", dest="output", metavar="FILE", help="write there instead of printing")
    _action(
        actions, "init", "write the proposal down", "Name the components that `show` proposes for a plain notebook."
    )
    add = _action(actions, "add", "make a cell a component", "Make a code cell a component.")
    add.add_argument("cell", metavar="CELL", help="its number or id")
    add.add_argument("name", metavar="NAME", nargs="?", help="(default: after what the cell makes)")
    remove = _action(actions, "remove", "make a component a plain cell", "Make a component a plain cell again.")
    remove.add_argument("component", metavar="COMPONENT")
    rename = _action(actions, "rename", "give a component another name", "Give a component another name. Edges stay.")
    rename.add_argument("component", metavar="COMPONENT")
    rename.add_argument("name", metavar="NAME")
    for name, told, more in (
        ("connect", "declare that one comes before another", "Declare that PARENT is done before CHILD begins."),
        ("disconnect", "take a declared edge away", "Take a declared edge away. What the names say stays."),
    ):
        edge = _action(actions, name, told, more)
        edge.add_argument("parent", metavar="PARENT")
        edge.add_argument("child", metavar="CHILD")
    param = _action(actions, "param", "set parameters", "List, set or remove parameters of the pipeline.")
    param.add_argument("values", metavar="NAME=VALUE", nargs="*", help="VALUE is JSON; what is none is text")
    param.add_argument(
        "--remove", metavar="NAME", action="append", default=[], help="take a parameter away; repeatable"
    )
    policy = _action(actions, "policy", "how a component is run", "Say how a component is run.")
    policy.add_argument("component", metavar="COMPONENT")
    policy.add_argument("--cache", action=argparse.BooleanOptionalAction, help="whether its results are used again")
    policy.add_argument(
        "--freeze", action=argparse.BooleanOptionalAction, help="use the result that is there, whatever changed"
    )
    policy.add_argument("--retries", metavar="N", type=int, help="how often it runs again after an error")
    policy.add_argument("--timeout", metavar="S", type=float, help="seconds that it may take; 0: no end")
    pipeline_run.configure(
        _action(
            actions,
            "run",
            "run what is needed",
            "Run what is needed of a pipeline. Each component begins with fresh objects in a process of its own kind; "
            "results are kept in the repository, by what they depend on.",
        )
    )
    for part in _PARTS:
        part.configure(actions)
    for name in ("run", "export"):
        mixed: Any = actions.choices[name]
        mixed.intermixed = True


def _action(actions: Any, name: str, told: str, more: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = actions.add_parser(name, help=told, description=more)
    made.add_argument("notebook", metavar="NB", help="the notebook")
    return made


def run(args: argparse.Namespace, console: Console) -> int:
    if args.action not in ("import", "diff"):  # which are about more than one notebook
        console = console.but(notebook=args.notebook)
    try:
        return _run(args, console)
    except CellarError as error:
        error.hint = text.with_notebook(error.hint, console.notebook)
        raise


def _run(args: argparse.Namespace, console: Console) -> int:
    if args.action == "show":
        return _show(args, console)
    if args.action == "run":
        return pipeline_run.run(args, console)
    for part in _PARTS:
        if args.action in part.ACTIONS:
            return int(part.run(args, console))
    if args.action == "param" and not args.values and not args.remove:
        return _list_parameters(args, console)
    return _edit(args, console)


def _show(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.api.pipeline_views import view_of
    from nbcellar.cli.writing import write_lines

    pipeline, status = _looked_at(args, console)
    if args.graph in ("svg", "mermaid"):
        from nbcellar.components.drawing import to_mermaid, to_svg

        drawn = to_svg(pipeline, args.notebook) if args.graph == "svg" else to_mermaid(pipeline)
        if args.output:
            write_lines(args.output, drawn.rstrip("\n").split("\n"), console)
        else:
            console.out.write(drawn)
    elif args.json or args.graph == "json":
        if args.output:
            raise InvalidInputError("JSON is printed", hint="send it to a file with >")
        console.json(view_of(pipeline, args.notebook, status))
    else:
        from nbcellar.cli.pipeline_text import format_pipeline

        write_lines(args.output, format_pipeline(pipeline, args.notebook, console, status), console)
    return exit_codes.OK


def _looked_at(args: argparse.Namespace, console: Console) -> Looked:
    """Return the pipeline of a notebook, with what the repository knows of it, where it is a file in one."""
    from nbcellar.api.notebook_files import STANDARD_INPUT, read_notebook
    from nbcellar.api.pipelines import Looked, look
    from nbcellar.cli.console import find_cellar_folder
    from nbcellar.components.reading import read_pipeline

    pipeline = read_pipeline(read_notebook(args.notebook, console.folder))
    path = console.folder / args.notebook
    if args.notebook == STANDARD_INPUT or find_cellar_folder(path.parent) is None:
        return Looked(pipeline, None)
    return look(pipeline, path)


def _list_parameters(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.api.notebook_files import read_notebook
    from nbcellar.cli.pipeline_text import format_parameters
    from nbcellar.components.reading import read_pipeline

    pipeline = read_pipeline(read_notebook(args.notebook, console.folder))
    none = text.with_notebook("no parameters; set one: cellar pipeline param NB NAME=VALUE", args.notebook)
    for line in format_parameters(pipeline, console) or [text.clean(none)]:
        console.print(line)
    return exit_codes.OK


def _edit(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.api.jupyter_trust import keep_trusted
    from nbcellar.api.notebook_files import STANDARD_INPUT, read_to_rewrite, write_rewritten
    from nbcellar.cli.pipeline_text import format_edit
    from nbcellar.components.reading import read_pipeline
    from nbcellar.notebook.codec import write

    if args.notebook == STANDARD_INPUT:
        raise InvalidInputError("a notebook that is changed is a file, not standard input")
    file, notebook = read_to_rewrite(args.notebook, console.folder)
    made = _edited(args, notebook)
    data = write(made)
    if not write_rewritten(file, args.notebook, console.folder, data):
        console.notice(f"{args.notebook} is so already")
        return exit_codes.OK
    keep_trusted([file.data], data, console.environ)
    for line in format_edit(read_pipeline(notebook), read_pipeline(made), console):
        console.print(line)
    return exit_codes.OK


def _edited(args: argparse.Namespace, notebook: Notebook) -> Notebook:
    from nbcellar.components import editing

    if args.action == "init":
        return editing.init(notebook)
    if args.action == "add":
        return editing.add(notebook, args.cell, args.name)
    if args.action == "remove":
        return editing.remove(notebook, args.component)
    if args.action == "rename":
        return editing.rename(notebook, args.component, args.name)
    if args.action == "connect":
        return editing.connect(notebook, args.parent, args.child)
    if args.action == "disconnect":
        return editing.disconnect(notebook, args.parent, args.child)
    if args.action == "policy":
        said = {"cache": args.cache, "freeze": args.freeze, "retries": args.retries}
        changes: dict[str, Any] = {field: value for field, value in said.items() if value is not None}
        if args.timeout is not None:
            changes["timeout_s"] = args.timeout or None
        return editing.set_policy(notebook, args.component, changes)
    return editing.set_parameters(notebook, dict(map(parameters.parse, args.values)), args.remove)


__all__ = ["configure", "run"]
