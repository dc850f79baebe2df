"""What `cellar clean` shows and writes, and its exit codes."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

SCHEMA = Path(__file__).parents[3] / "docs" / "schemas" / "clean.json"

CELLS: list[dict[str, Any]] = [
    {"cell_type": "markdown", "id": "m", "metadata": {}, "source": ["# Title"]},
    {
        "cell_type": "code",
        "execution_count": 7,
        "id": "c",
        "metadata": {"execution": {"iopub.status.busy": "2026-01-01"}, "scrolled": True, "tags": ["parameters"]},
        "outputs": [
            {"name": "stderr", "output_type": "stream", "text": ["warning\n"]},
            {
                "data": {"image/png": "AAAA\n", "text/plain": ["<Axes at 0x7f3a1c22>"]},
                "execution_count": 7,
                "metadata": {},
                "output_type": "execute_result",
            },
        ],
        "source": ["ax"],
    },
]
METADATA = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}


def notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    value = {"cells": list(cells or CELLS), "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
    return json.loads(json.dumps(value))  # type: ignore[no-any-return]  # no part shared


@pytest.fixture
def folder(shell: Any) -> Path:
    """A folder with a notebook of each kind, without a history of its own."""
    made = shell.folder / "work"
    (made / "sub").mkdir(parents=True)
    shell.folder = made
    twice = notebook(CELLS[1], CELLS[1])
    del twice["cells"][0]["metadata"]
    files = {"a.ipynb": notebook(), "sub/tidy.ipynb": tidy(), "sub/twice.ipynb": twice}
    for name, value in files.items():
        (made / name).write_text(json.dumps(value, indent=1) + "\n", "utf-8")
    (made / "indented.ipynb").write_text(json.dumps(tidy(), indent=4), "utf-8")
    (made / "broken.ipynb").write_text('{\n "cells": [\n', "utf-8")
    (made / "marked.ipynb").write_text('{\n<<<<<<< HEAD\n "cells": []\n=======\n>>>>>>> b\n}', "utf-8")
    return made  # type: ignore[no-any-return]


def tidy() -> dict[str, Any]:
    value = notebook(CELLS[0])
    value["metadata"]["kernelspec"]["display_name"] = "python3"
    return value


COMMANDS = [
    "clean",
    "clean a.ipynb --check",
    "clean a.ipynb --diff",
    "clean a.ipynb --dry-run --list --drop-outputs",
    "clean a.ipynb --dry-run --set drop_output_types=stream:stderr --set addresses=yes --keep-counts",
    "clean . --check",
    "clean sub --list",
    "clean sub",
    "clean sub/tidy.ipynb --check",
    "clean missing.ipynb sub/tidy.ipynb",
    "clean --set outptus=no a.ipynb",
    "clean --set outputs=perhaps a.ipynb",
    "clean --drop-outputs --keep-outputs a.ipynb",
    "--color always clean a.ipynb",
]


@pytest.mark.usefixtures("folder")
def test_transcript_of_cleaning(shell: Any) -> None:
    shell.check_transcript("clean", shell.transcript(COMMANDS))


def test_the_exit_code_says_whether_something_would_change_or_failed(shell: Any, folder: Path) -> None:
    assert shell.run("clean a.ipynb --check") == 1
    assert shell.run("clean a.ipynb --diff") == 0
    assert shell.run("clean a.ipynb") == 0
    assert shell.run("clean a.ipynb --check") == 0
    assert shell.run("clean .") == 2
    assert shell.run("clean . --check") == 2
    assert (folder / "broken.ipynb").read_text() == '{\n "cells": [\n'


def test_one_bad_file_does_not_keep_the_others_from_being_cleaned(shell: Any, folder: Path) -> None:
    assert shell.run("clean broken.ipynb a.ipynb") == 2
    assert json.loads((folder / "a.ipynb").read_text())["cells"][1]["execution_count"] is None


@pytest.mark.usefixtures("folder")
def test_json_fits_its_schema(shell: Any) -> None:
    assert shell.run("clean . --check --json") == 2
    found = json.loads(shell.out)
    jsonschema.validate(found, json.loads(SCHEMA.read_text("utf-8")))
    assert [file["path"] for file in found["files"] if file["changed"]] == [
        "a.ipynb",
        "indented.ipynb",
        "sub/twice.ipynb",
    ]


def test_settings_of_the_folder_hold_and_options_win(shell: Any, folder: Path) -> None:
    (folder / "cellar.toml").write_text("[clean]\nexecution_counts = true\nkernel = true\noutputs = false\n")
    assert shell.run("clean a.ipynb --keep-outputs") == 0
    made = json.loads((folder / "a.ipynb").read_text())
    assert made["cells"][1]["execution_count"] == 7
    assert len(made["cells"][1]["outputs"]) == 2
    assert made["metadata"] == METADATA


class Input:
    """Standard input with bytes."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


@pytest.mark.parametrize("line", ["clean -", "clean --stdin", "clean - --as sub/a.ipynb"])
def test_standard_input_goes_to_standard_output(
    shell: Any, folder: Path, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = (folder / "a.ipynb").read_bytes()
    monkeypatch.setattr(sys, "stdin", Input(data))
    assert shell.run(line) == 0
    shell.run("clean a.ipynb")
    monkeypatch.setattr(sys, "stdin", Input(data))
    text = (folder / "a.ipynb").read_text()
    assert shell.run(line) == 0
    assert shell.out == text


def test_the_folder_of_a_named_file_decides_about_standard_input(
    shell: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "sub/cellar.toml").write_text("[clean]\noutputs = false\n")
    monkeypatch.setattr(sys, "stdin", Input((folder / "a.ipynb").read_bytes()))
    assert shell.run("clean - --as sub/x.ipynb") == 0
    assert json.loads(shell.out)["cells"][1]["outputs"] == []


def test_bad_standard_input_is_an_error_without_output(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Input(b"{"))
    assert shell.run("clean -") == 2
    assert shell.out == ""
    assert re.search(r"standard input, line 1", shell.err)


def test_standard_input_above_the_limit_is_refused(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.environ["NBCELLAR_NOTEBOOKS_MAX_MB"] = "1"
    monkeypatch.setattr(sys, "stdin", Input(b" " * (1 << 20) + b"{}"))
    assert shell.run("clean -") == 2
    assert "more than 1 MiB" in shell.err
