"""What a component becomes in a script outside of a notebook: Python text, and what it needs around it.

Magics become IPython's calls, so a script needs IPython where it has some; those that only set up a notebook's front
end are taken out; those that make no sense without one are refused, with cell and line.

Invariant: text of the notebook stands in a script as code of its component, as a string literal or behind `#`, and
nowhere else. Nothing is run. Pure.
"""

from __future__ import annotations

import ast
import inspect
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from nbcellar.components.model import Component, Parameter, Pipeline
from nbcellar.components.reading import other_language, read_pipeline
from nbcellar.components.transform import NotPythonError, parse, to_python
from nbcellar.errors import InvalidInputError
from nbcellar.notebook.model import Notebook


class Script(msgspec.Struct, frozen=True):
    """The text of a script, and what its reader should know."""

    text: str
    notes: tuple[str, ...] = ()


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A component as Python. `text` has no import from `__future__` any more: `futures` are their names.

    sure: names that it binds in any case. seeds: it may seed random numbers. sets: what it may set for its whole
    process, such as the working folder. awaits: it awaits at the top level.
    magics: it calls IPython. display: it calls a notebook's `display`.
    """

    component: Component
    text: str
    futures: tuple[str, ...] = ()
    sure: frozenset[str] = frozenset()
    seeds: bool = False
    sets: tuple[str, ...] = ()
    awaits: bool = False
    magics: bool = False
    display: bool = False


def pipeline_of(notebook: Notebook) -> Pipeline:
    """Return the pipeline of a notebook of Python. Raises InvalidInputError for another language."""
    if other := other_language(notebook):
        raise InvalidInputError(f"the notebook's language is {other}, and these scripts are Python")
    pipeline = read_pipeline(notebook)
    check_parameters(pipeline.parameters)
    return pipeline


def steps_of(pipeline: Pipeline) -> list[Step]:
    """Return the components in the order of a run. Raises InvalidInputError for what no script can run."""
    for problem in pipeline.errors:
        raise InvalidInputError(problem.message, hint=problem.hint)
    made = frozenset[str]().union(*(each.uses.writes for each in pipeline.components))
    return [_step(pipeline.component(id), made) for id in pipeline.order]


def notes_of(pipeline: Pipeline, steps: Sequence[Step]) -> list[str]:
    """Return what a script needs, and what it may lack: names that no component makes, what no source shows."""
    needs = ["it has magics, so it needs IPython"] if any(step.magics for step in steps) else []
    return [*needs, *(problem.message for problem in pipeline.problems if not problem.is_error)]


def comment(text: str) -> Iterator[str]:
    """Yield text as lines of comments, whatever it holds."""
    for line in re.split(r"\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", text):
        yield f"# {_printable(line)}".rstrip()


def lines_of(source: str, indent: str) -> Iterator[str]:
    """Yield a source as string literals, a line each, to stand in parentheses."""
    for line in source.splitlines(keepends=True) or [""]:
        yield indent + repr(line)


def check_parameters(parameters: Iterable[Parameter]) -> None:
    """Raise InvalidInputError for a parameter that can be no variable."""
    import keyword

    for parameter in parameters:
        if keyword.iskeyword(parameter.name):
            raise InvalidInputError(f"the parameter {parameter.name} is a word of Python's, so it can be no variable")


# one component ----------------------------------------------------------------------------------------------------

_DROPPED = frozenset(
    "autoreload autosave cellar colors matplotlib pinfo pinfo2 precision who who_ls whos xmode".split()
)
"""Line magics that set up a front end, or show something that is there."""
_DROPPED_EXTENSIONS = frozenset({"autoreload", "nbcellar"})
_REFUSED = frozenset(
    "connect_info debug ed edit load loadpy macro notebook pdb qtconsole recall rep rerun save".split()
)
_ONLY_KERNEL = frozenset(("In", "Out", "_", "__", "___", "_ih", "_oh", "_dh"))


def _step(component: Component, made: frozenset[str]) -> Step:
    try:
        ended = component.source.endswith("\n")
        source = component.source if ended else f"{component.source}\n"  # as IPython has it, for %%writefile
        text, tree = to_python(source), parse(source)
    except NotPythonError as error:
        raise _refused(component, error.line, str(error)) from None
    for name in (node for node in ast.walk(tree) if isinstance(node, ast.Name)):
        if name.id in _ONLY_KERNEL and name.id not in made and isinstance(name.ctx, ast.Load):
            if not _binds(tree, name.id):
                raise _refused(component, name.lineno, f"it takes {name.id}, which only a notebook's kernel has")
    cuts = [*_front_end(component, tree), *_futures(tree)]
    text = _cut(text, component.source, [node for node, _ in cuts])
    return Step(
        component=component,
        text=text,
        futures=tuple(name for _, names in cuts for name in names),
        sure=frozenset(_surely_bound(tree.body)),
        seeds=not _SEEDING.isdisjoint(_words(tree)),
        sets=tuple(sorted(_OF_A_PROCESS.intersection(_words(tree)))),
        awaits=_awaits(component, text),
        magics="get_ipython" in text,
        display=any(isinstance(node, ast.Name) and node.id == "display" for node in ast.walk(tree))
        and "display" not in made,
    )


_SEEDING = frozenset("seed manual_seed seed_all seed_everything set_global_seed set_random_seed set_seed".split())
_OF_A_PROCESS = frozenset("chdir environ putenv rcParams set_option set_printoptions set_theme seterr".split())


def _words(tree: ast.AST) -> Iterator[str]:
    """Yield the names and attributes of a cell."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def _surely_bound(body: Iterable[ast.stmt]) -> Iterator[str]:
    """Yield the names that statements bind which run in any case."""
    for statement in body:
        if isinstance(statement, ast.With | ast.AsyncWith):
            yield from _surely_bound(statement.body)
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names)
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        for node in (node for target in targets for node in ast.walk(target)):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id


def _binds(tree: ast.AST, name: str) -> bool:
    """True if a name is bound anywhere in a cell: in a comprehension, as an argument."""
    return any(
        (isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store))
        or (isinstance(node, ast.arg) and node.arg == name)
        for node in ast.walk(tree)
    )


def _front_end(component: Component, tree: ast.Module) -> Iterator[tuple[ast.stmt, tuple[str, ...]]]:
    """Yield the magics that go. Raises InvalidInputError for one that needs a notebook."""
    for node in ast.walk(tree):
        called = _magic(node)
        if called is not None and called[0] in _REFUSED:
            raise _refused(component, called[2], f"%{called[0]} needs a notebook, and a script is none")
        if not isinstance(node, ast.Expr):
            continue
        called = _magic(node.value)
        if called is not None and _goes(called[0], called[1]):
            yield node, ()


def _magic(node: ast.AST) -> tuple[str, str, int] | None:
    """Return name, argument and line of a magic's call, None for anything else."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return None
    words = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    if node.func.attr in ("run_line_magic", "run_cell_magic") and len(words) >= 2:
        return words[0], words[1], node.lineno
    return None


def _goes(name: str, argument: str) -> bool:
    if name in ("load_ext", "reload_ext"):
        return argument.strip() in _DROPPED_EXTENSIONS
    if name == "config":
        return argument.strip().startswith("InlineBackend")
    return name in _DROPPED


def _futures(tree: ast.Module) -> Iterator[tuple[ast.stmt, tuple[str, ...]]]:
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            yield node, tuple(alias.name for alias in node.names)


def _cut(text: str, source: str, nodes: Iterable[ast.stmt]) -> str:
    """Return text with statements replaced by `pass`, and what they were in a comment; lines keep their numbers."""
    was = source.split("\n")
    lines = [line.encode("utf-8", "surrogatepass") for line in re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)]
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        before, after = lines[first][: node.col_offset], lines[last][node.end_col_offset :]
        told = next(comment(was[first].strip())) if first < len(was) and not before.strip() else "#"
        note = b"" if after.strip() else f"  {told}".encode()
        lines[first : last + 1] = [before + b"pass" + note + after, *[b"\n"] * (last - first)]
    return b"".join(lines).decode("utf-8", "surrogatepass")


def _awaits(component: Component, text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(text, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        raise _refused(component, error.lineno or 1, error.msg) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise _refused(component, 1, str(error) or type(error).__name__) from None
    return bool(code.co_flags & inspect.CO_COROUTINE)


def _refused(component: Component, line: int, why: str) -> InvalidInputError:
    message = f"'{component.name}' (cell {component.place + 1}), line {line}: {why}"
    return InvalidInputError(message, hint="change the cell, or take it out: cellar pipeline remove NB COMPONENT")


def _printable(line: str) -> str:
    """Return a line without characters that end it, that no file can hold, or that draw over others."""
    return re.sub(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", "\ufffd", line)


__all__ = ["Script", "Step", "comment", "lines_of", "notes_of", "pipeline_of", "steps_of"]
