"""A pipeline as one Python script: components in the order of a run, Markdown as comments, parameters as options.

Invariant: the script needs neither Cellar nor, without magics, IPython; equal notebooks give equal scripts. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nbcellar.components.model import Parameter
from nbcellar.components.parameters import as_text, literal
from nbcellar.components.script_steps import (
    Script,
    Step,
    comment,
    lines_of,
    notes_of,
    pipeline_of,
    steps_of,
)
from nbcellar.notebook.model import Notebook


def to_script(notebook: Notebook, name: str) -> Script:
    """Return a notebook's pipeline as a script; `name` is what to call the notebook.

    Raises InvalidInputError, with cell and line, for what no script can run.
    """
    pipeline = pipeline_of(notebook)
    steps = steps_of(pipeline)
    lines = ["#!/usr/bin/env python3", "# -*- coding: utf-8 -*-"]
    lines += comment(f"{name} as a script, written by `cellar pipeline script`: its components in the order of a run.")
    futures = sorted({future for step in steps if not step.awaits for future in step.futures})
    if futures:
        lines += ["", f"from __future__ import {', '.join(futures)}"]
    if any(step.magics for step in steps):
        lines += ["", *_SHELL.strip("\n").split("\n")]
    if any(step.display for step in steps):
        lines += ["", *_DISPLAY.strip("\n").split("\n")]
    if any(step.awaits for step in steps):
        lines += ["", *_AWAIT.strip("\n").split("\n")]
    lines += _options(pipeline.parameters)
    lines += _body(notebook, steps)
    return Script("\n".join(lines).rstrip("\n") + "\n", tuple(notes_of(pipeline, steps)))


_SHELL = """
def _cellar_shell():
    import sys

    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    settings = Config({"HistoryManager": {"enabled": False}})
    InteractiveShell.instance(user_module=sys.modules[__name__], user_ns=globals(), config=settings)


_cellar_shell()
from IPython import get_ipython
"""

_DISPLAY = """
try:
    from IPython.display import display
except ImportError:
    display = print
"""

_AWAIT = """
def _cellar_await(name, source, loop=[]):
    import ast
    import asyncio

    if not loop:
        loop.append(asyncio.new_event_loop())
        asyncio.set_event_loop(loop[0])
    code = compile(source, f"<{name}>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    loop[0].run_until_complete(eval(code, globals()))
"""


def _options(parameters: Sequence[Parameter]) -> Iterator[str]:
    """Yield what reads the command line and binds the parameters."""
    if not parameters:
        return
    yield from ("", "", "def _cellar_arguments():", "    import argparse")
    kinds = {_kind(parameter) for parameter in parameters}
    yield from (f"    import {module}" for word, module in _NEEDS.items() if word in kinds)
    yield ""
    for word, text in _CONVERTERS.items():
        if word in kinds:
            yield from (f"    {line}".rstrip() for line in text.strip("\n").split("\n"))
            yield ""
    taken = {parameter.name for parameter in parameters}
    yield "    parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False)"
    words = '"-h"' if "help" in taken else '"-h", "--help"'
    yield f'    parser.add_argument({words}, action="help", help="show this and exit")'
    for parameter in parameters:
        yield f"    parser.add_argument({_option(parameter)})"
    yield from ("    return parser.parse_args()", "", "", "_cellar_given = _cellar_arguments()")
    for parameter in parameters:
        yield f"{parameter.name} = _cellar_given.{parameter.name}"


def _kind(parameter: Parameter) -> str:
    return {"integer": "int", "number": "float", "string": "str", "boolean": "bool"}.get(
        parameter.type, "JSON" if parameter.type in ("array", "object", "null") else "literal"
    )


_NEEDS = {"literal": "ast", "JSON": "json"}
_CONVERTERS = {
    "JSON": """
def JSON(text):
    return json.loads(text)
""",
    "literal": """
def literal(text):
    return ast.literal_eval(text)
""",
}


def _option(parameter: Parameter) -> str:
    name, dashed = parameter.name, parameter.name.replace("_", "-")
    words = [f"--{name}"]
    if dashed != name and dashed.strip("-") == dashed and not dashed.startswith("no-"):  # as --no-x of a --x is
        words.append(f"--{dashed}")
    arguments = [*(ascii(word) for word in words), f"dest={name!a}", f"default={literal(parameter.value)}"]
    kind = _kind(parameter)
    if kind == "bool":
        arguments.append("action=argparse.BooleanOptionalAction")
    else:
        arguments += [f"type={kind}", f"metavar={kind.upper()!r}"]
        arguments.append(f"help={f'(default: {_shown(parameter, kind)})'.replace('%', '%%')!a}")
    return ", ".join(arguments)


def _shown(parameter: Parameter, kind: str) -> str:
    """Return the value as it would be given on the command line."""
    return str(parameter.value) if kind == "str" else as_text(parameter.value)


def _body(notebook: Notebook, steps: Sequence[Step]) -> Iterator[str]:
    """Yield the components, each below the Markdown that stands above it in the notebook."""
    above, rest = _texts(notebook, [step.component.place for step in steps])
    for step in steps:
        for text in above.get(step.component.place, ()):
            yield from ("", "# %% [markdown]", *comment(text))
        title = next(comment(f"%% {step.component.name} (cell {step.component.place + 1})"))
        yield from ("", title)
        if step.awaits:
            yield from (f"_cellar_await({step.component.name!a}, (", *lines_of(_whole(step), "    "), "))")
        else:
            yield from step.text.rstrip("\n").split("\n")
    for text in rest:
        yield from ("", "# %% [markdown]", *comment(text))


def _whole(step: Step) -> str:
    """Return the text of a component that is compiled by itself, with its own imports from `__future__`."""
    return f"from __future__ import {', '.join(step.futures)}; {step.text}" if step.futures else step.text


def _texts(notebook: Notebook, places: Sequence[int]) -> tuple[dict[int, list[str]], list[str]]:
    """Return the Markdown above each component, by place, and what stands below the last."""
    known, found = set(places), dict[int, list[str]]()
    above: list[str] = []
    for place, cell in enumerate(notebook.cells):
        if cell.type == "markdown":
            above.append(cell.source)
        elif place in known:
            found[place], above = above, []
    return found, above


__all__ = ["to_script"]
