"""One module unpickles: every other one that could is found here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import nbcellar

SOURCE = Path(nbcellar.__file__).parent
DOOR = SOURCE / "trust" / "gate.py"

# What loads objects by running what the bytes say, by module.
LOADERS = {
    "pickle": {"load", "loads", "Unpickler", "_Unpickler", "_load", "_loads"},
    "_pickle": {"load", "loads", "Unpickler"},
    "cPickle": {"load", "loads", "Unpickler"},
    "marshal": {"load", "loads"},
    "shelve": {"open", "Shelf", "DbfilenameShelf", "BsdDbShelf"},
    "dill": {"load", "loads", "load_session", "load_module", "Unpickler"},
    "cloudpickle": {"load", "loads"},
    "joblib": {"load"},
    "torch": {"load"},
    "pandas": {"read_pickle"},
}
ANY_MODULE = {"read_pickle", "allow_pickle"}


def loaders_in(tree: ast.AST) -> Iterator[str]:
    """Yield what loads pickles in a module: attributes, imported names, and keyword arguments that allow it."""
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module in LOADERS:
            yield from (f"{node.module}.{a.name}" for a in node.names if a.name in LOADERS[node.module] | {"*"})
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            module = modules.get(ast.unparse(node.value), "")
            if node.attr in LOADERS.get(module, set()) | ANY_MODULE:
                yield f"{ast.unparse(node.value)}.{node.attr}"
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            if not (isinstance(node.value, ast.Constant) and node.value.value is False):
                yield "allow_pickle"
        elif isinstance(node, ast.Call) and "__import__" in ast.unparse(node.func):
            yield from (name for name in LOADERS if any(name in ast.unparse(arg) for arg in node.args))


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_only_the_gate_unpickles(path: Path) -> None:
    found = list(loaders_in(ast.parse(path.read_text(encoding="utf-8"))))
    assert bool(found) == (path == DOOR), f"{path} uses {found}"


@pytest.mark.parametrize(
    "source",
    [
        "import pickle\npickle.loads(b'')",
        "import pickle as p\np.Unpickler",
        "from pickle import loads",
        "from pickle import *",
        "import marshal\nmarshal.loads(b'')",
        "import shelve\nshelve.open('x')",
        "import numpy\nnumpy.load('x', allow_pickle=True)",
        "import pandas as pd\npd.read_pickle('x')",
        "def f():\n    import _pickle\n    return _pickle.load",
        "__import__('pickle').loads",
    ],
)
def test_a_module_that_unpickles_would_be_found(source: str) -> None:
    assert list(loaders_in(ast.parse(source)))


def test_pickling_and_other_formats_are_no_finding() -> None:
    source = "import pickle, json\nclass P(pickle.Pickler): ...\npickle.dumps(1)\njson.loads('1')\nload = open"
    assert list(loaders_in(ast.parse(source))) == []
