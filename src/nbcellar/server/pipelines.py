"""The routes about pipelines: the open notebook as one, edits of it, and runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from nbcellar.api.editors import from_editor
from nbcellar.api.notebook_files import read_bytes
from nbcellar.api.pipeline_exchange import PipelineExported, PipelineImported, export_open, import_open
from nbcellar.api.pipeline_panel import (
    PipelineEdited,
    PipelineShown,
    PipelineStatus,
    edit_open,
    show_open,
    status_elsewhere,
    status_open,
)
from nbcellar.errors import (
    CellarError,
    NoRepositoryError,
    NotFoundError,
    StoreUnavailableError,
    UnsupportedFormatError,
)
from nbcellar.notebook.codec import read
from nbcellar.server import pipelines_messages as messages
from nbcellar.server.messages import Asked, Event
from nbcellar.server.pipeline_lines import PipelineLine
from nbcellar.server.pipeline_runs import words_of
from nbcellar.server.places import Place, Places
from nbcellar.server.route import Route, get, post

_DEFAULT_KERNEL = "python3"


def pipeline(places: Places, asked: messages.OpenPipeline) -> PipelineShown:
    """Return the pipeline of a notebook as it is open."""
    return show_open(asked.notebook, places.notebook(asked.path).file.name, asked.seen)


def edit(places: Places, asked: messages.EditedPipeline) -> PipelineEdited:
    """Say what an edit of the pipeline changes in the metadata of the open notebook; nothing is written."""
    return edit_open(asked.notebook, places.notebook(asked.path).file.name, asked.edit, asked.seen)


def status(places: Places, asked: messages.StandingPipeline) -> PipelineStatus:
    """Return what is cached of the pipeline of a notebook as it is open, in the environment of its kernel."""
    place = places.notebook(asked.path)
    try:
        with place.open() as repo:
            repo.notebook()  # one that nobody recorded or ran has no results, and does not become known by a look
    except (NoRepositoryError, NotFoundError):
        return PipelineStatus()
    kernel = _kernel_of_open(asked.notebook, asked.kernel)
    if places.runs.is_own(kernel):
        return status_open(asked.notebook, place.file)
    words = ["pipeline", "show", "--json", "--", f".{os.sep}{place.file.name}"]
    try:
        told = places.runs.ask(place.file, words, kernel, places.environ)
    except StoreUnavailableError as error:
        return PipelineStatus(reason=places.hide(error.message))
    return status_elsewhere(told, asked.notebook, place.file)


def run(places: Places, asked: messages.RunPipeline) -> messages.PipelineStarted:
    """Run the pipeline of a notebook's file, in the environment of its kernel."""
    place = places.notebook(asked.path)
    if not place.file.is_file():
        raise NotFoundError(f"{asked.path} is not there", hint="save the notebook first")
    with place.open():
        pass  # without a repository there is no place for results
    words = words_of(place.file, asked.components, asked.start, asked.parameters)

    def tell(line: PipelineLine) -> None:
        places.tell(asked.path, Event(event="pipeline", path=asked.path, line=line))

    kernel = kernel_of(place, asked.kernel)
    name = places.runs.start(place.file.resolve(), words, kernel, places.environ, tell, places.hide)
    return messages.PipelineStarted(run=name)


def cancel(places: Places, asked: Asked) -> messages.PipelineCancelled:
    """Cancel the run of a notebook's pipeline."""
    return messages.PipelineCancelled(found=places.runs.cancel(places.notebook(asked.path).file.resolve()))


def lines(places: Places, asked: Asked) -> messages.PipelineLines:
    """Return what the last run of a notebook's pipeline told so far."""
    name, found = places.runs.lines(places.notebook(asked.path).file.resolve())
    return messages.PipelineLines(run=name, lines=found)


def export(places: Places, asked: messages.ExportedPipeline) -> PipelineExported:
    """Return the pipeline of a notebook as it is open, or some of its components, as a pipeline file."""
    places.notebook(asked.path)
    try:
        is_own = places.runs.is_own(_kernel_of_open(asked.notebook, asked.kernel))
    except CellarError:
        is_own = False  # no kernel of that name; its environment is not this one
    return export_open(asked.notebook, asked.components, environment=is_own)


def take_in(places: Places, asked: messages.ImportedPipeline) -> PipelineImported:
    """Say which cells the open notebook has with a pipeline file in it; nothing is written."""
    places.notebook(asked.path)
    return import_open(asked.notebook, asked.text, asked.name, replace=asked.replace)


def kernel_of(place: Place, asked: str) -> str:
    """Return the name of the kernelspec that was asked for, "" for the one that the notebook's file names."""
    try:
        named = asked or read(read_bytes(str(place.file), place.folder), path=place.file.name).kernel_name
    except UnsupportedFormatError:
        named = ""  # the command says what is wrong with the file
    return named or _DEFAULT_KERNEL


def _kernel_of_open(notebook: Mapping[str, Any], asked: str) -> str:
    """Return the name of the kernelspec that was asked for, "" for the one that the open notebook names."""
    return asked or from_editor(notebook).kernel_name or _DEFAULT_KERNEL


ROUTES: tuple[Route, ...] = (
    post("pipeline", messages.OpenPipeline, PipelineShown, pipeline, "compute", action="read"),
    post("pipeline-edit", messages.EditedPipeline, PipelineEdited, edit, "compute", action="read"),
    post("pipeline-export", messages.ExportedPipeline, PipelineExported, export, "compute", action="read"),
    post("pipeline-import", messages.ImportedPipeline, PipelineImported, take_in, "compute", action="read"),
    post("pipeline-status", messages.StandingPipeline, PipelineStatus, status, "compute", action="read"),
    post("pipeline-run", messages.RunPipeline, messages.PipelineStarted, run, "read", action="execute"),
    post("pipeline-cancel", Asked, messages.PipelineCancelled, cancel, "read", action="execute"),
    get("pipeline-lines", Asked, messages.PipelineLines, lines),
)

__all__ = ["ROUTES", "kernel_of"]
