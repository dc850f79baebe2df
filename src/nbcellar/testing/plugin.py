"""The entry point for pytest: options, and nothing else until notebooks are asked for.

Invariant: importing this loads nothing that pytest has not loaded; nothing is collected unless notebooks are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

# (name, metavar or "" for a switch, help); each is an option `--notebooks-NAME` and a setting `notebooks_NAME`.
_OPTIONS = (
    ("lax", "", "compare only cells marked with nbval-check-output; the others are only run"),
    ("update", "", "write the outputs of cells that differ into the notebooks"),
    ("keep-going", "", "run the cells after one that failed, too"),
    ("record", "", "let Cellar record the runs, where a folder is initialised"),
    ("absolute", "NUMBER", "numbers in outputs may differ by this much"),
    ("relative", "NUMBER", "numbers in outputs may differ by this part of the larger one"),
    ("ignore", "WHAT", "outputs that are not compared: MIME types (image/*), stdout, stderr, error; may be repeated"),
    ("sanitize", "FILE", "regular expressions for outputs, and what replaces them, as nbval has them; may be repeated"),
    ("timeout", "SECONDS", "longest run of one cell; 0: any time (default: 600)"),
    ("kernel", "NAME", "run all notebooks with this kernel"),
)
_LISTS = ("ignore", "sanitize")
_NO_SETTINGS = ("update",)
_ASKING = ("notebooks", "notebooks_lax", "notebooks_update")  # any of them asks for notebooks


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and settings."""
    group = parser.getgroup("notebooks", "notebooks (nbcellar)")
    group.addoption("--notebooks", action="store_true", help="run notebooks (*.ipynb) as tests, a cell at a time")
    parser.addini("notebooks", "run notebooks as tests", type="bool", default=False)
    parser.addini("notebooks_files", "patterns of notebooks to run", type="args", default=["*.ipynb"])
    for name, metavar, help in _OPTIONS:
        keys: dict[str, Any] = {"action": "store_true"} if not metavar else {"metavar": metavar}
        if name in _LISTS:
            keys = {"action": "append", "metavar": metavar}
        group.addoption(f"--notebooks-{name}", dest=_dest(name), default=None, help=help, **keys)
        if name not in _NO_SETTINGS:
            kind = "bool" if not metavar else "linelist" if name in _LISTS else "string"
            parser.addini(_dest(name), help, type=kind, default=None)  # type: ignore[arg-type]


def _dest(name: str) -> str:
    return f"notebooks_{name.replace('-', '_')}"


def pytest_configure(config: pytest.Config) -> None:
    """Load the rest where notebooks are asked for."""
    if any(config.getoption(name) for name in _ASKING) or config.getini("notebooks"):
        from nbcellar.testing.collecting import NotebookTests

        config.pluginmanager.register(NotebookTests(config), "nbcellar-notebooks")
