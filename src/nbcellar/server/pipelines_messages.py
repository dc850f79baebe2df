"""Requests about pipelines, their answers, and what is told while one runs. See `messages.py`."""

from __future__ import annotations

from typing import Any

import msgspec

from nbcellar.api.pipeline_panel import PipelineEdit, SeenEdge
from nbcellar.server.messages import Asked
from nbcellar.server.pipeline_lines import PipelineLine


class OpenPipeline(Asked, frozen=True, kw_only=True):
    """The notebook as it is open; outputs may be left out. seen: the edges that runs showed, of `pipeline-status`."""

    notebook: dict[str, Any]
    seen: list[SeenEdge] = msgspec.field(default_factory=list)


class EditedPipeline(OpenPipeline, frozen=True, kw_only=True):
    """The notebook as it is open, and one edit of its pipeline."""

    edit: PipelineEdit


class StandingPipeline(OpenPipeline, frozen=True, kw_only=True):
    """The notebook as it is open, and the kernelspec that it runs with, "" for the one that it names."""

    kernel: str = ""


class RunPipeline(Asked, frozen=True, kw_only=True):
    """Run the pipeline of a notebook's file: all of it, `components` with what they need, or from `start` on.

    components, start: names or ids of cells. parameters: values for this run alone. kernel: the kernelspec whose
    environment it runs in, "" for the one that the file names.
    """

    components: list[str] = msgspec.field(default_factory=list)
    start: str = ""
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    kernel: str = ""


class ExportedPipeline(OpenPipeline, frozen=True, kw_only=True):
    """The notebook as it is open, and the components to export, names or ids; none: the whole notebook.

    kernel: the kernelspec that it runs with, "" for the one that it names.
    """

    components: list[str] = msgspec.field(default_factory=list)
    kernel: str = ""


class ImportedPipeline(OpenPipeline, frozen=True, kw_only=True):
    """The notebook as it is open, each cell with an id, and the text of a pipeline file. name: that file's.

    replace: what differs becomes as the file has it; otherwise it is refused.
    """

    text: str
    name: str = "the file"
    replace: bool = False


class PipelineStarted(msgspec.Struct, frozen=True, kw_only=True):
    """A run has begun; its lines come as events `pipeline`."""

    run: str


class PipelineLines(msgspec.Struct, frozen=True, kw_only=True):
    """What the last run since the server's start told so far; `run` is "" where there was none."""

    run: str
    lines: list[PipelineLine]


class PipelineCancelled(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a run was under way; that it ended is told as its last line."""

    found: bool
