"""Which cells look as if they set something for all that comes after: options, environment, folder, patches of modules.

What a cell really sets shows when it has run. Until then it is better to wait for one that looks so than to run what
comes after it twice. Invariant: a guess, on which no result depends. Pure. Not for: edges by names (`edges.py`).
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache

from nbcellar.components.transform import NotPythonError, trees_of

_MAGICS = frozenset("cd config env load_ext matplotlib popd precision pushd pylab reload_ext run set_env".split())
_CALLS = frozenset(
    """addLevelName basicConfig captureWarnings chdir filterwarnings load_dotenv manual_seed putenv
    register_dataframe_accessor register_series_accessor reset_option seed set_bit_generator set_context
    set_default_dtype set_option set_options set_palette set_printoptions set_rng_state set_seed set_state set_style
    set_theme setcontext seterr setlocale setrecursionlimit simplefilter unsetenv use""".split()
)
_SEEDS = re.compile(r"seed|set_?(rng_?)?state|set_bit_generator", re.IGNORECASE)
_PLACES = frozenset("environ options rcParams meta_path path_hooks modules".split())


def looks_seeding(text: str) -> bool:
    """True where code may set a random stream."""
    return _SEEDS.search(text) is not None


@lru_cache(maxsize=1024)
def looks_setting(source: str) -> bool:
    """True where a cell calls what usually sets something for the whole process, or assigns to a module's parts."""
    try:
        nodes = [node for tree in trees_of(source) for node in ast.walk(tree)]
    except NotPythonError:
        return False
    modules = {
        (alias.asname or alias.name).partition(".")[0]
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    return any(_sets(node, modules) for node in nodes)


def _sets(node: ast.AST, modules: set[str]) -> bool:
    if isinstance(node, ast.Call):
        return _is_setting_call(node)
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign | ast.Delete):
        targets = node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets = [node.target]
    return any(_is_setting_target(target, modules) for target in targets)


def _is_setting_call(call: ast.Call) -> bool:
    function = call.func
    if not isinstance(function, ast.Attribute):
        return isinstance(function, ast.Name) and function.id in _CALLS
    first = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
    if function.attr in ("run_line_magic", "run_cell_magic"):
        return first in _MAGICS
    return function.attr in _CALLS or _is_place(_words(function.value))


def _is_setting_target(target: ast.expr, modules: set[str]) -> bool:
    if not isinstance(target, ast.Attribute | ast.Subscript):
        return False
    words = _words(target)
    return _is_place(words) or (isinstance(target, ast.Attribute) and bool(modules & set(words[:1])))


def _is_place(words: list[str]) -> bool:
    return not _PLACES.isdisjoint(words) or words[:2] == ["sys", "path"]


def _words(node: ast.expr) -> list[str]:
    """Return the names of `a.b[0].c` from left to right; none where it begins with no name."""
    words: list[str] = []
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute):
            words.append(node.attr)
        node = node.value
    return [node.id, *reversed(words)] if isinstance(node, ast.Name) else []


__all__ = ["looks_seeding", "looks_setting"]
