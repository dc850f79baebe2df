"""Notebooks whose pipelines are run for real, by worker processes that are kept warm for all tests of a module."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from nbcellar.api.pipelines import PipelineRun, StepLine, run_pipeline
from nbcellar.pipeline.executors import Executor


class Notebook:
    """A notebook in a repository of its own; its cells are `a`, `b`, ... in order, unless they are given by name."""

    def __init__(self, folder: Path, executor: Executor) -> None:
        self.folder = folder
        self.executor = executor
        self.path = folder / "nb.ipynb"
        self.steps: list[StepLine] = []

    def write(
        self,
        *sources: str,
        parameters: Mapping[str, Any] | None = None,
        components: Mapping[str, Mapping[str, Any]] | None = None,
        **named: str,
    ) -> Notebook:
        """Write the notebook anew. components: what the metadata of a cell says of it."""
        cells = dict(zip("abcdefghijklmnop", sources, strict=False)) | named
        said = components or {}
        made = [
            {
                "cell_type": "code",
                "id": id,
                "metadata": {"cellar": {"component": {"name": id} | dict(said.get(id, {}))}},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for id, source in cells.items()
        ]
        metadata = {"cellar": {"parameters": dict(parameters)}} if parameters else {}
        document = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": made}
        self.path.write_text(json.dumps(document), "utf-8")
        return self

    def run(self, *components: str, **options: Any) -> PipelineRun:
        """Run what is needed."""
        self.steps = []
        return run_pipeline(
            self.path.name,
            components,
            folder=self.folder,
            on=None if "executor" in options else self.executor,
            outputs=not options.get("dry_run"),
            tell=self.steps.append,
            **options,
        )

    def ran(self, *components: str, **options: Any) -> str:
        """Run what is needed, without a failure; return the names of what ran, in one word."""
        done = self.run(*components, **options)
        assert done.is_ok, [step for step in done.steps if step.error]
        return "".join(step.name for step in done.steps if step.state == "done")

    def why(self, **options: Any) -> dict[str, str]:
        """Return name -> reason of what a dry run would run."""
        done = self.run(dry_run=True, **options)
        return {step.name: step.reason for step in done.steps if step.state == "waiting"}


def printed(done: PipelineRun, id: str) -> str:
    """Return what a component wrote to its streams."""
    outputs: Sequence[Any] = msgspec.json.decode(done.outputs[id])
    return "".join(output.get("text", "") for output in outputs)


def states(done: PipelineRun) -> dict[str, str]:
    """Return name -> state."""
    return {step.name: step.state for step in done.steps}


def await_end(pid: int) -> None:
    """Wait until a process is gone, or is only waited for by its parent."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
            os.sched_yield()
