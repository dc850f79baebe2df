"""Whether a cell's text names the world outside: files, clocks, networks, programs, chance that is not recorded.

Pure, and cautious: a name that may mean one of these counts, whatever it is bound to, and so does code that cannot be
parsed. Not for: telling people what a cell does (`sources.effects_of`).
"""

from __future__ import annotations

import ast

_NAMES = frozenset(
    # files and folders
    "open read write load loads loadtxt genfromtxt fromfile imread imsave memmap listdir scandir walk glob rglob iglob "
    "exists stat Path getcwd chdir remove unlink rename mkdir mkdtemp NamedTemporaryFile TemporaryDirectory savefig "
    # clocks
    "time time_ns perf_counter monotonic process_time now today utcnow localtime gmtime strftime sleep datetime "
    # chance and identity that no recorded random state rules
    "uuid1 uuid4 urandom SystemRandom default_rng SeedSequence token_hex token_bytes token_urlsafe secrets getrandbits "
    "Generator RandomState id hash "
    # the process and the network
    "environ getenv getpid gethostname input system Popen subprocess socket connect urlopen urlretrieve requests httpx "
    "get_ipython exec eval compile globals locals vars __import__ import_module threading Thread ThreadPoolExecutor "
    "ProcessPoolExecutor Pool asyncio execute fetchall fetchone sys os shutil pathlib tempfile".split()
)
_PREFIXES = ("read_", "load_", "fetch_", "to_", "write_", "scan_", "sink_", "open_", "download")
_INNOCENT = frozenset(
    "to_numpy to_frame to_list to_dict to_series to_datetime to_numeric to_timedelta to_period".split()
)


def names_the_outside(source: str) -> bool:
    """True if running the code again may give something else, as far as its text shows."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return True
    return any(_is_outside(name) for node in ast.walk(tree) for name in _names(node))


def _names(node: ast.AST) -> tuple[str, ...]:
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        return (node.attr,)
    if isinstance(node, ast.ImportFrom):
        return tuple(alias.name for alias in node.names)
    if isinstance(node, ast.keyword) and node.arg == "n_jobs":
        return ("Pool",)
    return ()


def _is_outside(name: str) -> bool:
    return name in _NAMES or (name.startswith(_PREFIXES) and name not in _INNOCENT)


__all__ = ["names_the_outside"]
