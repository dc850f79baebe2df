"""The files of a headless run: the notebook that is read, and the one that is written with its outputs.

Invariant: what could not be written afterwards is refused before anything runs; cells that did not run have no outputs.
Not for: running (`headless.py`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from nbcellar import notebook
from nbcellar.api.notebook_files import write_file
from nbcellar.errors import InvalidInputError, StoreUnavailableError
from nbcellar.notebook import Notebook

if TYPE_CHECKING:
    from nbformat import NotebookNode


def read(path: Path) -> Notebook:
    """Return the notebook of a file. Raises InvalidInputError, StoreUnavailableError."""
    try:
        return notebook.read(path.read_bytes(), path=str(path))
    except FileNotFoundError:
        raise InvalidInputError(f"there is no file {path}") from None
    except IsADirectoryError:
        raise InvalidInputError(f"{path} is a folder", hint="give a notebook in it") from None
    except OSError as error:
        raise StoreUnavailableError(f"{path}: {error.strerror or error}") from None


def check_language(source: Notebook, path: Path) -> None:
    """Raise InvalidInputError for a notebook that is not Python."""
    if source.language not in ("", "python", "python3", "ipython"):
        raise InvalidInputError(
            f"{path.name} is a notebook for {source.language}; Cellar runs and records Python",
            hint="run it with: jupyter execute",
        )


def check_out(out: Path) -> None:
    """Raise before anything runs if the outputs could not be written afterwards."""
    if out.is_dir():
        raise InvalidInputError(f"{out} is a folder", hint="name the notebook to write, --out FOLDER/NAME.ipynb")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailableError(f"{out.parent}: {error.strerror or error}") from None
    if not os.access(out.parent, os.W_OK):
        raise StoreUnavailableError(f"{out.parent} cannot be written", hint="choose another --out")


def write(out: Path, source: Notebook, outputs: Sequence[tuple[tuple[dict[str, Any], ...], int | None] | None]) -> None:
    """Write the notebook with the outputs of the cells that ran, and none for those that did not."""
    cells = []
    for cell, ran in zip(source.cells, outputs, strict=True):
        if cell.type != "code":
            cells.append(cell)
        elif ran is None:
            cells.append(msgspec.structs.replace(cell, outputs=(), execution_count=None))
        else:
            cells.append(msgspec.structs.replace(cell, outputs=ran[0], execution_count=ran[1]))
    write_file(out, notebook.write(msgspec.structs.replace(source, cells=tuple(cells))))


def to_nbformat(source: Notebook) -> NotebookNode:
    """Return the notebook as nbclient takes it, without outputs."""
    import nbformat

    node: Any = nbformat.from_dict(json.loads(notebook.write(source)))  # type: ignore[no-untyped-call]
    for cell in node.cells:
        if isinstance(cell.get("source"), list):
            cell["source"] = "".join(cell["source"])
        if cell.get("cell_type") == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return node  # type: ignore[no-any-return]


def plain(value: Any) -> Any:
    """Return outputs as plain JSON, text split into lines as Jupyter writes it."""
    import nbformat

    holder = nbformat.from_dict(  # type: ignore[no-untyped-call]
        {"cells": [{"cell_type": "code", "source": "", "metadata": {}, "outputs": value}], "metadata": {}}
    )
    split = nbformat.v4.rwbase.split_lines(holder)  # type: ignore[no-untyped-call]
    return json.loads(json.dumps(split.cells[0].outputs))
