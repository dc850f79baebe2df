"""Writing new outputs into a notebook.

Invariant: the cells that are named get new outputs and execution counts, every other byte of the file stays; a file
that is not what it was when it was read is not written at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from nbcellar import notebook
from nbcellar.api.notebook_files import write_file
from nbcellar.errors import ConflictError, InvalidInputError, StoreUnavailableError
from nbcellar.notebook.model import Notebook
from nbcellar.testing.running import CellResult


def check_writable(source: Notebook, data: bytes, path: Path) -> None:
    """Raise InvalidInputError for a notebook that could not be written as it was read."""
    if notebook.write(source) != data:
        raise InvalidInputError(
            f"{path.name} is of an nbformat before 4: it is tested, but not updated",
            hint="save it in Jupyter once, which brings it to nbformat 4",
        )


def update(path: Path, source: Notebook, data: bytes, results: Mapping[int, CellResult]) -> bytes:
    """Write the outputs of some cells, and return the file's bytes; `data` is the file as `source` was read from it.

    Raises ConflictError if somebody changed the file meanwhile, InvalidInputError, StoreUnavailableError.
    """
    check_writable(source, data, path)
    try:
        now = path.resolve().read_bytes()
    except OSError as error:
        raise StoreUnavailableError(f"{path}: {error.strerror or error}") from None
    if now != data:
        raise ConflictError(
            f"{path.name} was changed while its cells ran: it is left as it is now", hint="run the update again"
        )
    cells = list(source.cells)
    for place, result in results.items():
        outputs = tuple(_sorted(output) for output in result.outputs)
        cells[place] = msgspec.structs.replace(cells[place], outputs=outputs, execution_count=result.count)
    written = notebook.write(msgspec.structs.replace(source, cells=tuple(cells)))
    write_file(path.resolve(), written)
    return written


def _sorted(value: Any) -> Any:
    """Return JSON with its keys in the order in which Jupyter writes them."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


__all__ = ["check_writable", "update"]
