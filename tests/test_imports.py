"""The source keeps its shape: who may import whom, what a kernel must not pay for, what the library never does.

ARCHITECTURE.md draws the layers; `LAYERS` is the same drawing for the machine. A new folder has to be entered in both.
"""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

SOURCE = Path(__file__).parent.parent / "src"
PACKAGE = "nbcellar"
FILES = sorted((SOURCE / PACKAGE).rglob("*.py"))
LONGEST_FILE = 500

# Open to all; stands on nothing but itself.
FOUNDATION = frozenset({"errors", "ids", "config", "entry_points", "files"})
# What a program calls (`nbcellar.open`), and what the command line is made of.
INTERFACE = frozenset({"api"})
_BELOW_INTERFACE = frozenset(
    {
        *("trust", "store", "notebook", "clean", "values", "search", "secrets", "diff", "merge", "git", "history"),
        *("session", "components", "pipeline", "remote"),
    }
)

# Part -> the parts it may import.
LAYERS: dict[str, frozenset[str]] = {
    "trust": frozenset(),
    "clean": frozenset({"notebook"}),
    "store": frozenset(),
    "remote": frozenset(),
    "notebook": frozenset(),
    "components": frozenset({"notebook"}),
    "values": frozenset({"store"}),
    "diff": frozenset({"notebook", "values"}),
    "merge": frozenset({"diff", "components", "notebook"}),
    "git": frozenset({"merge", "diff", "notebook", "store", "clean"}),
    "history": frozenset({"trust", "store", "notebook"}),
    "search": frozenset({"store", "history", "notebook"}),
    "secrets": frozenset({"search", "store", "history", "notebook"}),
    "session": frozenset({"secrets", "trust", "store", "history", "notebook", "values"}),
    "pipeline": frozenset(
        {"components", "notebook", "store", "values", "history", "session", "merge", "trust", "diff", "remote"}
    ),
    **dict.fromkeys(sorted(INTERFACE), _BELOW_INTERFACE | INTERFACE),
    "server": _BELOW_INTERFACE | INTERFACE,
    "cli": _BELOW_INTERFACE | INTERFACE,
    "testing": _BELOW_INTERFACE | INTERFACE,
}
TOP = frozenset({"cli", "server", "testing"})

# Imports against the direction, inside a function only: (file, imported part) -> why it is right all the same.
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("nbcellar/__init__.py", "cli"): "IPython calls the package to load the extension, and %cellar is the command line",
    ("nbcellar/testing/report.py", "cli"): "a failed test reads like `cellar diff`, drawn by its code",
}

# A user's kernel pays for these only when it uses them.
TOO_DEAR_FOR_A_KERNEL = ("numpy", "pandas", "rich", "nbclient", "jupyter_client", "cryptography")


# Loaded by the registry when a value of that library is met, so the library is there already.
_REDUCERS = f"{PACKAGE}.session.reducers"
LOADED_WITH_THEIR_LIBRARY = frozenset({f"{_REDUCERS}.numpy_reducers", f"{_REDUCERS}.pandas_reducers"})


class Import(NamedTuple):
    file: str
    line: int
    module: str
    at_top: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def _imports_of(path: Path) -> Iterator[Import]:
    """Yield every absolute name that a file imports, inside functions and type-checking blocks too."""
    file = path.relative_to(SOURCE).as_posix()
    package = path.relative_to(SOURCE).parent.parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, node.lineno, alias.name, node.col_offset == 0)
        elif isinstance(node, ast.ImportFrom):
            head = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*head, node.module)) if node.module else ".".join(head)
            # `from nbcellar import store` names a part just as `import nbcellar.store` does.
            for alias in node.names:
                name = f"{base}.{alias.name}" if base == PACKAGE else base
                yield Import(file, node.lineno, name, node.col_offset == 0)


def _part(module: str) -> str | None:
    """Return the folder or module directly under the package; None for the package itself and for others."""
    names = module.split(".")
    return names[1] if names[0] == PACKAGE and len(names) > 1 else None


def _own_imports() -> list[tuple[str, str, Import]]:
    found = []
    for path in FILES:
        importer = path.relative_to(SOURCE / PACKAGE).parts[0].removesuffix(".py")
        for entry in _imports_of(path):
            imported = _part(entry.module)
            if imported is not None and imported != importer and _exists(imported):
                found.append((importer, imported, entry))
    return found


def _is_excepted(entry: Import, imported: str) -> bool:
    return not entry.at_top and (entry.file, imported) in EXCEPTIONS


def _exists(part: str) -> bool:
    """True for a folder or file; false for a function that the package itself exports."""
    return (SOURCE / PACKAGE / part).is_dir() or (SOURCE / PACKAGE / f"{part}.py").is_file()


def test_every_part_is_in_the_drawing_of_layers() -> None:
    folders = {path.name for path in (SOURCE / PACKAGE).iterdir() if (path / "__init__.py").is_file()}
    modules = {path.stem for path in (SOURCE / PACKAGE).glob("*.py")} - {"__init__", "__main__"}
    assert folders | modules <= set(LAYERS) | FOUNDATION


def test_parts_import_only_the_parts_below_them() -> None:
    wrong = [
        str(entry)
        for importer, imported, entry in _own_imports()
        if importer in LAYERS and imported not in LAYERS[importer] | FOUNDATION and not _is_excepted(entry, imported)
    ]
    assert wrong == []


def test_the_foundation_stands_on_nothing_but_itself() -> None:
    own = [(imported, str(entry)) for importer, imported, entry in _own_imports() if importer in FOUNDATION]
    assert [text for imported, text in own if imported not in FOUNDATION] == []


def test_nothing_imports_the_command_line_or_the_server() -> None:
    wrong = [
        str(entry)
        for importer, imported, entry in _own_imports()
        if imported in TOP and not _is_excepted(entry, imported)
    ]
    assert wrong == []


def test_exceptions_to_the_direction_are_still_in_use() -> None:
    used = {(entry.file, imported) for _, imported, entry in _own_imports()}
    assert set(EXCEPTIONS) <= used


def _modules_loaded_by(statement: str) -> set[str]:
    report = "print(json.dumps(sorted(set(sys.modules) - before)))"
    code = f"import json, sys\nbefore = set(sys.modules)\n{statement}\n{report}"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout))


def _modules_in(folder: str) -> list[str]:
    paths = sorted((SOURCE / PACKAGE / folder).rglob("*.py"))
    names = [".".join(path.relative_to(SOURCE).with_suffix("").parts) for path in paths]
    return [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]


def test_the_session_loads_nothing_dear_into_a_kernel() -> None:
    names = [name for name in _modules_in("session") if name not in LOADED_WITH_THEIR_LIBRARY]
    loaded = _modules_loaded_by("\n".join(f"import {name}" for name in names))
    assert loaded.isdisjoint(LOADED_WITH_THEIR_LIBRARY)
    assert sorted(name for name in loaded if name.split(".")[0] in TOO_DEAR_FOR_A_KERNEL) == []


def test_importing_the_package_alone_loads_nothing_dear() -> None:
    loaded = _modules_loaded_by(f"import {PACKAGE}")
    assert sorted(name for name in loaded if name.split(".")[0] in TOO_DEAR_FOR_A_KERNEL) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE / PACKAGE).as_posix())
def test_a_source_file_is_finished_and_short(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") <= LONGEST_FILE, "asks whether it is two things"
    comments = [
        token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type == tokenize.COMMENT
    ]
    assert [c.start[0] for c in comments if any(word in c.string for word in ("TODO", "FIXME", "XXX", "HACK"))] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE / PACKAGE).as_posix())
def test_a_source_file_begins_by_saying_what_it_is_for(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert not tree.body or ast.get_docstring(tree), "a module docstring is missing"


def test_only_the_command_line_prints() -> None:
    wrong = []
    for path in FILES:
        if path.relative_to(SOURCE / PACKAGE).parts[0] == "cli":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                wrong.append(f"{path.relative_to(SOURCE)}:{node.lineno}")
    assert wrong == []
