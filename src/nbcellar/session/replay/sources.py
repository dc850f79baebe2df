"""What the text of a cell says about running it again: whether it can be, what it assigns anew, what it does outside.

Pure: nothing is run. What is found about effects is for people; it names what is written in the cell itself, not what
functions that it calls do.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Set

from nbcellar.session.touched.codefacts import quoted_names

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_CO_COROUTINE = 0x80 | 0x100 | 0x200


def why_not_again(source: str, transform: Callable[[str], str]) -> str:
    """Return why a cell cannot be run a second time in the midst of a command, or nothing."""
    for line in source.splitlines():
        if line.strip().startswith(("%cellar", "%%cellar", "%load_ext nbcellar", "%reload_ext nbcellar")):
            return "it holds a %cellar command"
    try:
        code = compile(transform(source), "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError):
        return ""  # it failed then, too, or is a magic's business
    return "it awaits" if code.co_flags & _CO_COROUTINE else ""


def assigned_before_use(source: str, names: Set[str], transform: Callable[[str], str]) -> frozenset[str]:
    """Return those of `names` that the cell binds before it can have read them, as far as its own text goes."""
    tree = _parse(source, transform)
    if tree is None:
        return frozenset()
    quoted = _quoted_by(tree)
    seen: set[str] = set()
    fresh: set[str] = set()
    for statement in tree.body:
        mentioned = {name for name in _names_in(statement, quoted) if name in names and name not in seen}
        fresh.update(mentioned & _binds_first(statement, quoted))
        seen.update(mentioned)
    return frozenset(fresh)


def names_in(source: str, transform: Callable[[str], str]) -> frozenset[str]:
    """Return the names in the text of a cell."""
    tree = _parse(source, transform)
    return frozenset(_names_in(tree, _quoted_by(tree))) if tree is not None else frozenset()


_ANEW = frozenset(
    "time_ns perf_counter perf_counter_ns monotonic monotonic_ns process_time now today utcnow uuid1 uuid4 urandom "
    "SystemRandom token_hex token_bytes token_urlsafe getpid".split()
)


def anew_each_time(source: str, transform: Callable[[str], str]) -> list[str]:
    """Return what a cell calls that gives something else each time: clocks, identifiers, chance that nobody rules."""
    found = set()
    tree = _parse(source, transform)
    for node in ast.walk(tree) if tree is not None else ():
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name in _ANEW or (name == "default_rng" and not node.args) or ast.unparse(function) == "time.time":
            found.add(name)
    return sorted(found)


def _parse(source: str, transform: Callable[[str], str]) -> ast.Module | None:
    try:
        return ast.parse(transform(source))
    except (SyntaxError, ValueError, RecursionError):
        return None


def _names_in(node: ast.AST, quoted: Quoted) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id
        elif isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield inner.name
        elif isinstance(inner, ast.alias):
            yield (inner.asname or inner.name).partition(".")[0]
        elif isinstance(inner, ast.Global | ast.Nonlocal):
            yield from inner.names
        elif isinstance(inner, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and inner.name:
            yield inner.name
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield from quoted(inner.value)


Quoted = Callable[[str], Iterable[str]]
"""Returns the variables that a string in the code may name: for a library, or for a magic."""


def _quoted_by(tree: ast.Module) -> Quoted:
    magics = any(isinstance(node, ast.Name) and node.id == "get_ipython" for node in ast.walk(tree))
    return _IDENTIFIER.findall if magics else quoted_names


def _binds_first(statement: ast.stmt, quoted: Quoted) -> set[str]:
    """Return names that a statement binds whatever happens in it, without reading them first."""
    read: set[str] = set()
    if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        plain = {name for target in targets for name in _plain_targets(target)}
        read = {n for part in (statement.value, *targets) for n in _loaded_in(part, quoted)}
        return plain - read
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return set(_names_in(statement, quoted))
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        outside = [*statement.decorator_list, statement.args, *([statement.returns] if statement.returns else [])]
        return {statement.name} - {n for part in outside for n in _loaded_in(part, quoted)}
    if isinstance(statement, ast.ClassDef):
        return {statement.name} - set(_loaded_in(statement, quoted))
    if isinstance(statement, ast.With) and statement.items:
        first = statement.items[0]
        plain = set(_plain_targets(first.optional_vars)) if first.optional_vars is not None else set()
        return plain - set(_loaded_in(first.context_expr, quoted))
    return set()


def _plain_targets(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            yield from _plain_targets(element)
    elif isinstance(target, ast.Starred):
        yield from _plain_targets(target.value)


def _loaded_in(node: ast.AST, quoted: Quoted) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load):
            yield inner.id
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield from quoted(inner.value)


# effects ----------------------------------------------------------------------------------------------------------

_WRITERS = frozenset(
    "to_csv to_parquet to_excel to_json to_pickle to_feather to_hdf to_sql to_html to_stata write_csv write_parquet "
    "write_ipc write_json savefig imsave imwrite save savez savez_compressed savetxt tofile dump write_text "
    "write_bytes write_table write_html write_image to_netcdf to_zarr save_model save_pretrained sink_csv "
    "sink_parquet".split()
)
_REMOVERS = frozenset(
    "remove unlink rmtree rmdir rename replace_file move copyfile copytree copy2 mkdir makedirs".split()
)
_RUNNERS = frozenset("system Popen run check_call check_output getoutput call spawn popen".split())
_NETWORK = frozenset("get post put patch delete request urlopen urlretrieve connect create_connection".split())
_NETWORK_MODULES = frozenset("requests httpx urllib socket aiohttp boto3 smtplib ftplib paramiko".split())
_PROCESS_MODULES = frozenset("subprocess os".split())
_FILE_MODULES = frozenset("os shutil path Path pathlib".split())
_DATABASE = frozenset("execute executemany executescript commit".split())
_SHELL_MAGICS = frozenset("system getoutput sx bash sh script".split())


def effects_of(source: str, transform: Callable[[str], str]) -> tuple[str, ...]:
    """Return what a cell does outside of its variables, as far as its own text shows, each in a few words."""
    tree = _parse(source, transform)
    if tree is None:
        return ()
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            effect = _effect(node)
            if effect:
                found[effect] = None
    return tuple(found)


def _effect(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Name):
        if function.id == "open":
            return _opening(call)
        return "waits for input" if function.id == "input" else ""
    if not isinstance(function, ast.Attribute):
        return ""
    name, owner = function.attr, _root(function.value)
    if name == "open" and owner not in _NETWORK_MODULES:
        return _opening(call)
    if owner == "get_ipython":
        return _magic(name, call)
    for names, modules, words in (
        (_NETWORK, _NETWORK_MODULES, "uses the network"),
        (_RUNNERS, _PROCESS_MODULES, "runs a program"),
        (_REMOVERS, _FILE_MODULES, "changes files"),
    ):
        if name in names and owner in modules:
            return f"{words}: {owner}.{name}"
    if name in _WRITERS:
        return f"writes a file: {name}({_first_text(call)})"
    if name in _DATABASE:
        return f"talks to a database: {name}"
    return ""


def _opening(call: ast.Call) -> str:
    mode = next((k.value for k in call.keywords if k.arg == "mode"), call.args[1] if len(call.args) > 1 else None)
    text = mode.value if isinstance(mode, ast.Constant) and isinstance(mode.value, str) else None
    if mode is None or (text is not None and not set(text) & set("wax+")):
        return ""
    return f"opens for writing: {_first_text(call)}"


def _magic(name: str, call: ast.Call) -> str:
    if name in ("system", "getoutput"):
        return f"runs a program: {_first_text(call)}"
    if name in ("run_cell_magic", "run_line_magic"):
        magic = _first_text(call).strip("'\"")
        if magic in _SHELL_MAGICS:
            return f"runs a program: %{magic}"
        return f"writes a file: %%{magic}" if magic == "writefile" else ""
    return ""


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Call):
        node = node.value if isinstance(node, ast.Attribute) else node.func
    return node.id if isinstance(node, ast.Name) else ""


def _first_text(call: ast.Call) -> str:
    if not call.args:
        return ""
    text = ast.unparse(call.args[0])
    return text if len(text) <= 60 else text[:59] + "…"


__all__ = ["anew_each_time", "assigned_before_use", "effects_of", "names_in", "why_not_again"]
