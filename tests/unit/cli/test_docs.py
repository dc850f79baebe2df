"""The pages say what the commands say, and every --json is what its schema says."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest

from nbcellar import errors
from nbcellar.cli import exit_codes, main

DOCS = Path(__file__).parents[3] / "docs"


def load_reference() -> ModuleType:
    """Return docs/reference.py as a module."""
    spec = importlib.util.spec_from_file_location("reference", DOCS / "reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference = load_reference()


def test_the_page_of_commands_is_what_the_commands_say() -> None:
    assert (DOCS / "commands.md").read_text("utf-8") == reference.commands_page(), "run: python docs/reference.py"


def test_the_page_of_functions_is_what_the_docstrings_say() -> None:
    assert (DOCS / "functions.md").read_text("utf-8") == reference.functions_page(), "run: python docs/reference.py"


@pytest.mark.parametrize("name", sorted(reference.SCHEMAS))
def test_a_schema_is_what_the_code_says(name: str) -> None:
    assert (DOCS / "schemas" / f"{name}.json").read_text("utf-8") == reference.schema_text(name)


def test_no_schema_is_left_over() -> None:
    assert {path.stem for path in (DOCS / "schemas").glob("*.json")} == set(reference.SCHEMAS)


def test_every_command_is_listed_once_and_has_a_module_with_help() -> None:
    names = [name for group in main.COMMANDS.values() for name in group]
    assert len(names) == len(set(names))
    for name in names:
        assert main.load(name).__doc__


def test_every_error_has_an_exit_code_and_a_code_of_its_own() -> None:
    kinds = [getattr(errors, name) for name in errors.__all__]
    assert {exit_codes.exit_code(kind("x")) for kind in kinds} <= {1, 2, 3, 4, 5, 6}
    assert len({kind.code for kind in kinds}) == len(kinds)


READING = {
    "log": "log",
    "log --all -N 2": "log",
    "show HEAD~2": "show",
    "show": "show",
    "vars": "vars",
    "vars --history x": "variable-history",
    "log con": "variable-history",
    "search x": "search",
    "search --variable x": "search",
    "search --variable x 2": "search",
    "diff": "diff",
    "diff v1 HEAD": "diff",
    "branch": "branch",
    "tag": "tag",
    "op log": "op-log",
    "op undo": "op-undo",
    "status": "status",
    "size": "size",
    "check": "check",
    "gc --dry-run": "gc",
    "key show": "key",
    "trust ls": "trust",
    "config": "config",
    "config ui.color": "config",
    "doctor": "doctor",
    "commit -m x": "commit",
    "checkout HEAD~1 --code": "session-change",
    "forget x --yes": "forget",
    "forget --text rows --dry-run": "forget",
    "secrets scan": "secrets-scan",
}


@pytest.mark.usefixtures("analysis")
@pytest.mark.parametrize("line", READING)
def test_json_fits_its_schema(shell: Any, line: str) -> None:
    found = shell.json(line)
    schema = json.loads((DOCS / "schemas" / f"{READING[line]}.json").read_text("utf-8"))
    jsonschema.validate(found, schema, format_checker=jsonschema.FormatChecker())
    assert found["schema"] == 1
