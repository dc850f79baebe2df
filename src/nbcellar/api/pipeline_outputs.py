"""What components showed, written into the notebook that was run.

Invariant: a cell that was changed while the pipeline ran keeps its outputs; the rest of the file stays as it is. What
Jupyter trusted stays trusted: the outputs are the user's own, or of those whose results the user trusts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from nbcellar.api.jupyter_trust import keep_trusted
from nbcellar.api.notebook_files import read_to_rewrite, write_rewritten
from nbcellar.api.pipelines import PipelineRun
from nbcellar.components.reading import cell_ids
from nbcellar.notebook.codec import write
from nbcellar.notebook.model import Cell, Notebook
from nbcellar.notebook.plain import output_to_file


def sources_of(notebook: Notebook) -> dict[str, str]:
    """Return cell id -> source, to be compared with what is there after a run."""
    return {id: cell.source for id, cell in zip(cell_ids(notebook), notebook.cells, strict=True)}


def write_outputs(name: str, folder: Path, done: PipelineRun, sources: Mapping[str, str]) -> list[str]:
    """Write the outputs of a run into its notebook; return the names of components that were changed since.

    sources: what the cells were when the run began. A component that is gone counts as changed. Raises CellarError
    for a file that cannot be written, which is left as it is.
    """
    file, notebook = read_to_rewrite(name, folder)
    numbers = {step.id: number for number, step in enumerate(done.steps, 1)}
    now = sources_of(notebook)
    fits = {id for id in done.outputs if id in now and now[id] == sources.get(id)}
    ids = cell_ids(notebook)
    cells = tuple(
        _with_outputs(cell, msgspec.json.decode(done.outputs[id]), numbers.get(id)) if id in fits else cell
        for cell, id in zip(notebook.cells, ids, strict=True)
    )
    data = write(msgspec.structs.replace(notebook, cells=cells))
    write_rewritten(file, name, folder, data)
    keep_trusted([file.data], data, os.environ, own={place for place, id in enumerate(ids) if id in fits})
    return [step.name for step in done.steps if step.id in done.outputs.keys() - fits]


def _with_outputs(cell: Cell, outputs: list[dict[str, Any]], number: int | None) -> Cell:
    made = []
    for output in outputs:
        counted = {"execution_count": number} if output.get("output_type") == "execute_result" else {}
        made.append(output_to_file(dict(sorted({**output, **counted}.items())), cell.outputs or ()))
    return msgspec.structs.replace(cell, outputs=tuple(made), execution_count=number)


__all__ = ["sources_of", "write_outputs"]
