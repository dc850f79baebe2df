"""Writes docs/commands.md, docs/functions.md and docs/schemas/ from the code: `python docs/reference.py`.

Invariant: the pages say what `cellar COMMAND --help` and the docstrings say; a test fails when they are not written
anew after a change.
"""

from __future__ import annotations

import argparse
import inspect
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

import nbcellar
from nbcellar.api import (
    Repo,
    diff_views,
    document_views,
    documents_clean,
    documents_fix,
    merge_views,
    pipeline_changes,
    pipeline_result_views,
    pipeline_views,
    pipelines,
    search_views,
    views,
)
from nbcellar.cli import exit_codes, main
from nbcellar.components import pipeline_file
from nbcellar.git import history
from nbcellar.git.install import doctor

FOLDER = Path(__file__).parent

SCHEMAS: dict[str, type] = {
    "branch": views.Branches,
    "check": views.Check,
    "clean": documents_clean.Cleaning,
    "commit": views.NamedCommit,
    "config": views.Config,
    "diff": diff_views.Diff,
    "diff-notebooks": document_views.NotebookDiffs,
    "doctor": views.Doctor,
    "fix": documents_fix.Fixing,
    "forget": views.Forgotten,
    "gc": views.Gc,
    "git-doctor": doctor.Findings,
    "git-log": history.NotebookHistory,
    "key": views.Key,
    "log": views.Log,
    "merge-file": merge_views.MergeReport,
    "op-log": views.Operations,
    "op-undo": views.OperationUndone,
    "pipeline": pipeline_views.PipelineView,
    "pipeline-cache": pipeline_result_views.KeptResults,
    "pipeline-cache-archive": pipeline_result_views.ResultArchive,
    "pipeline-cache-clear": pipeline_result_views.ClearedResults,
    "pipeline-cache-export": pipeline_result_views.ExportedResults,
    "pipeline-cache-import": pipeline_result_views.ImportedResults,
    "pipeline-diff": pipeline_changes.PipelineDiff,
    "pipeline-file": pipeline_file.Document,
    "pipeline-log": pipeline_changes.PipelineLog,
    "pipeline-run": pipelines.PipelineRun,
    "run": views.Run,
    "session-change": views.SessionChange,
    "search": search_views.Search,
    "secrets-scan": search_views.SecretScan,
    "show": views.Show,
    "size": views.Size,
    "status": views.Status,
    "tag": views.Tags,
    "trust": views.Trust,
    "variable-history": search_views.VariableHistory,
    "vars": views.Variables,
}

INTRODUCTION = """\
# Commands

Written by `python docs/reference.py` from the commands' own help.

    cellar [-C DIR] [-n NOTEBOOK] COMMAND ...

`-C DIR` acts as if started in DIR; `-n NOTEBOOK` says which notebook is meant where several are recorded;
`--color auto|always|never` decides about colours (`NO_COLOR` is honoured). All three may stand before or after the
command's name. In a notebook the same commands are `%cellar COMMAND ...`, and in Python they are methods of
`nbcellar.open(path)`.

**References** are git's: `HEAD`, `HEAD~2`, `HEAD^`, a branch, a tag, the first digits of a commit (4 or more), `op:12`
(where HEAD was after operation 12). They belong to a notebook: with several, write `-n NOTEBOOK` or `NOTEBOOK@REF`.

**Reading commands** read the store, whatever a kernel is doing. Commands that change the session (`undo`, `redo`,
`commit`, `checkout`, `restore`) ask the live kernel of the notebook and wait for the running cell; Ctrl-C stops
waiting.

**`--json`** prints one document; `schema` is the version of its layout, and the schemas are in `docs/schemas/`.

**Errors** are one line `error: ...`, often with `hint: ...`, on the error stream. `NBCELLAR_DEBUG=1` shows a traceback.
"""


def commands_page() -> str:
    """Return docs/commands.md."""
    parts = [INTRODUCTION, "## Exit codes\n", _exit_codes()]
    for group, names in main.COMMANDS.items():
        parts.append(f"## {group.capitalize()}\n")
        parts += [_command(name) for name in names]
    return "\n".join(parts).rstrip() + "\n"


FUNCTIONS = """\
# Functions

Written by `python docs/reference.py` from the docstrings of `nbcellar.api.Repo`.

    import nbcellar

    repo = nbcellar.open("analysis.ipynb")  # or a folder
    for line in repo.log().commits:
        print(line.id[:8], line.title)
    repo.undo()

`nbcellar.open` takes a folder or a notebook, which then is the one that is meant by default. Methods return frozen
data: the classes of `nbcellar.api.views`, whose JSON form is in `docs/schemas/`. Errors are the classes of
`nbcellar.errors`. References are text, as on the command line. Inside a recording kernel, methods that change the
session act on it directly.

"""


def functions_page() -> str:
    """Return docs/functions.md."""
    rows = ["| method | does |", "|---|---|"]
    for name, member in (pair for owner in Repo.__mro__[:-1] for pair in vars(owner).items()):
        if name.startswith("_"):
            continue
        inner = member.fget if isinstance(member, property) else member
        signature = "" if isinstance(member, property) else _signature(inner)
        first = (inspect.getdoc(inner) or "").splitlines()[0]
        rows.append(f"| `{name}{signature}` | {first} |")
    return (
        FUNCTIONS
        + "\n".join(rows)
        + "\n"
        + DOCUMENTS
        + "\n".join(_document_functions())
        + "\n"
        + PIPELINES
        + _results()
    )


DOCUMENTS = """
## Notebooks as documents

Functions of `nbcellar` itself, for notebooks that are dicts (as `json.load` or `nbformat.read` give them) or models
(`nbcellar.notebook.read`); what comes back is of the same kind, and what is passed in is not changed.

    changes = nbcellar.diff_notebooks(before, after)  # falsy when equal
    print(changes.changes.summary)
    assert nbcellar.patch_notebook(before, changes) == after

"""


PIPELINES = f"""
## Pipelines

    done = nbcellar.run_pipeline("prices.ipynb", parameters={{"scale": 4}})
    print([step.name for step in done.steps if step.state == "done"])

{inspect.getdoc(pipelines.run_pipeline)}

    scores = nbcellar.load_results("prices.ipynb", "scores")["scores"]

{inspect.getdoc(pipelines.load_results)}
"""


def _results() -> str:
    """Return what is said of the functions for results."""
    names = ("load_results", "list_results", "export_results", "look_into_results", "import_results", "clear_results")
    rows = ["", "The results that are kept:", "", "| function | does |", "|---|---|", *map(_function_row, names)]
    return "\n".join(rows) + "\n"


def _document_functions() -> Iterator[str]:
    yield from ("| function | does |", "|---|---|")
    names = [name for name in nbcellar.__all__ if name.endswith(("notebook", "notebooks"))]
    for name in sorted([*names, "diff_pipelines", "export_pipeline", "import_pipeline", "script_pipeline"]):
        yield _function_row(name)
    yield from map(_function_row, ("resolve", "fix"))


def _function_row(name: str) -> str:
    function = getattr(nbcellar, name)
    text = str(inspect.signature(function))
    signature = re.sub(r": '([^']*)'", r": \1", text).replace(" -> 'AnyNotebook'", "").replace("|", "\\|")
    signature = re.sub(r" -> '([^']*)'", r" -> \1", signature)
    return f"| `{name}{signature}` | {(inspect.getdoc(function) or '').splitlines()[0]} |"


def _signature(function: Callable[..., object]) -> str:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    text = str(inspect.Signature(parameters))
    return re.sub(r": '([^']*)'", r": \1", text).replace("|", "\\|")


def schema_text(name: str) -> str:
    """Return docs/schemas/<name>.json."""
    schema: dict[str, Any] = _cleaned(msgspec.json.schema(SCHEMAS[name]))
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2) + "\n"


def _cleaned(value: Any) -> Any:
    """Return a schema whose descriptions, which are docstrings, are indented alike in all versions of Python."""
    if isinstance(value, dict):
        return {
            key: inspect.cleandoc(item) if key == "description" and isinstance(item, str) else _cleaned(item)
            for key, item in value.items()
        }
    return [_cleaned(item) for item in value] if isinstance(value, list) else value


def _exit_codes() -> str:
    listing = (exit_codes.__doc__ or "").split("\n\n")[1]
    rows = [line.strip().partition(" ")[::2] for line in _joined(listing)]
    table = ["| code | meaning |", "|---|---|", *(f"| {code} | {text.strip()} |" for code, text in rows)]
    return "\n".join(table) + "\n"


def _joined(listing: str) -> list[str]:
    return [line for line in listing.splitlines() if line.strip()]


def _command(name: str) -> str:
    parser = main.command_parser(name, main.load(name), io.StringIO())
    lines = [f"### cellar {name}\n", f"    {_usage(parser)}\n", _description(parser), ""]
    for inner in _leaves(parser):
        lines += [f"    {_usage(inner)}\n", f"{_description(inner)}\n", *_options(inner), ""]
    lines += _options(parser)
    return "\n".join(lines).rstrip() + "\n"


def _description(parser: argparse.ArgumentParser) -> str:
    """Return the help's text; a paragraph of columns becomes a block of code."""
    paragraphs = (parser.description or "").strip().split("\n\n")
    blocks = []
    for paragraph in paragraphs:
        lines = paragraph.splitlines()
        is_columns = all(re.search(r"\S {2,}\S", line) for line in lines)
        blocks.append("\n".join(f"    {line.strip()}" for line in lines) if is_columns else paragraph)
    return "\n\n".join(blocks)


def _usage(parser: argparse.ArgumentParser) -> str:
    formatter = argparse.HelpFormatter(parser.prog, width=400)
    own = [action for action in parser._actions if not _is_for_all(action)]
    formatter.add_usage(None, own, [], prefix="")
    return formatter.format_help().strip()


def _options(parser: argparse.ArgumentParser) -> list[str]:
    lines = []
    for action in parser._actions:
        if _is_for_all(action) or action.help in (None, argparse.SUPPRESS):
            continue
        names = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        value = f" {action.metavar}" if action.option_strings and action.nargs != 0 and action.metavar else ""
        lines.append(f"- `{names}{value}`: {action.help}")
    return lines


def _is_for_all(action: argparse.Action) -> bool:
    """True for the options of every command, which the page's beginning tells."""
    return bool(action.option_strings) and action.dest in ("help", "folder", "notebook", "color")


def _leaves(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Return the parsers of actions, those of actions of actions in their places."""
    return [leaf for inner in _inner_parsers(parser) for leaf in _leaves(inner) or [inner]]


def _inner_parsers(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    groups = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    return [inner for group in groups for inner in group.choices.values()]


def write() -> None:
    """Write all pages."""
    (FOLDER / "commands.md").write_text(commands_page(), "utf-8")
    (FOLDER / "functions.md").write_text(functions_page(), "utf-8")
    (FOLDER / "schemas").mkdir(exist_ok=True)
    for name in SCHEMAS:
        (FOLDER / "schemas" / f"{name}.json").write_text(schema_text(name), "utf-8")


if __name__ == "__main__":
    write()
