"""Names for components that have none: after what the cell makes, or what it does.

Invariant: the same cells get the same names; no two of a notebook are alike. Pure.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nbcellar.components.transform import NotPythonError, parse
from nbcellar.components.uses import Uses

LONGEST_NAME = 80
_ESCAPES = ("system", "getoutput", "run_line_magic", "run_cell_magic")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


def propose_name(source: str, uses: Uses, place: int, taken: set[str]) -> str:
    """Return a name for the cell at `place`, and enter it into `taken`."""
    stem = next(_stems(source, uses), f"cell-{place + 1}")[:LONGEST_NAME]
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}-{number}", number + 1
    taken.add(name)
    return name


def name_problem(name: object) -> str:
    """Return why something is no name of a component, "" for one."""
    if not isinstance(name, str) or not name.strip():
        return "a component's name is text, and not empty"
    if len(name) > LONGEST_NAME:
        return f"a component's name has {LONGEST_NAME} characters at most"
    if _CONTROL.search(name) or name != name.strip():
        return "a component's name is one line, without blanks around it"
    return ""


def _stems(source: str, uses: Uses) -> Iterator[str]:
    made = [name for name in uses.binds if name not in uses.modules and not name.startswith("_")]
    defined = [name for name in made if name in uses.needs]
    if made and len(defined) == len(made):
        yield defined[0]
    values = [name for name in made if name not in uses.needs and len(name) > 1]
    if values:
        yield values[-1]
    if uses.modules and not made and _mostly_imports(source):
        yield "imports"
    if made:
        yield made[-1]
    changed = sorted(uses.changes)
    called = _last_call(source)
    if called:
        yield called
    if changed:
        yield changed[0]


def _mostly_imports(source: str) -> bool:
    body = _body(source)
    imports = sum(isinstance(statement, ast.Import | ast.ImportFrom) for statement in body)
    return 2 * imports >= len(body)


def _last_call(source: str) -> str:
    """Return what the last call of a cell is called: `plot` of `prices.plot()`, `wc` of `!wc -l data.csv`."""
    for statement in reversed(_body(source)):
        for node in ast.walk(statement):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
                if name in _ESCAPES:
                    name = _escaped(node)
                if name not in ("", "get_ipython"):
                    return str(name)
    return ""


def _escaped(call: ast.Call) -> str:
    """Return the name of a magic, or of the program that a line starts."""
    first = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else ""
    words = str(first).split()
    return re.sub(r"[^\w.-]+", "", words[0].rsplit("/", 1)[-1]) if words else ""


def _body(source: str) -> list[ast.stmt]:
    try:
        return parse(source).body
    except NotPythonError:
        return []


__all__ = ["LONGEST_NAME", "name_problem", "propose_name"]
