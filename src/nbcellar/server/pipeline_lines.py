"""What `cellar pipeline run --json-lines` tells, line by line, and how the browser is told of it."""

from __future__ import annotations

from typing import Literal

import msgspec

_LONGEST_TEXT = 20_000


class PlannedStep(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is going to do with a component, and why."""

    id: str
    name: str = ""
    action: Literal["run", "cached"] = "run"
    reason: str = ""


class StepError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a component failed. `line` counts from 1 in its cell, None where that is not known."""

    name: str = ""
    message: str = ""
    line: int | None = None
    traceback: str = ""


class PipelineLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a run told. `number` counts them from 0; `run` says of which run.

    plan: `steps` are those to come. step: the component `id` is now in `state`; `notes` say what else is to be known.
    end: `state` is done, failed or cancelled, `message` and `hint` say what went wrong with the run itself.
    """

    event: Literal["plan", "step", "end"]
    run: str = ""
    number: int = 0
    steps: list[PlannedStep] = []
    id: str = ""
    name: str = ""
    state: Literal["", "waiting", "running", "done", "cached", "failed", "blocked", "cancelled"] = ""
    reason: str = ""
    seconds: float | None = None
    error: StepError | None = None
    result: str | None = None
    ran: int = 0
    cached: int = 0
    failed: int = 0
    blocked: int = 0
    notes: list[str] = []
    message: str = ""
    hint: str = ""


def read_line(text: bytes) -> PipelineLine | None:
    """Return a line of the command; None for what is none, such as words of a library on standard output."""
    try:
        return _shortened(msgspec.json.decode(text, type=PipelineLine))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _shortened(line: PipelineLine) -> PipelineLine:
    """Leave out the middle of a traceback that goes on and on."""
    error = line.error
    if error is None or len(error.traceback) <= _LONGEST_TEXT:
        return line
    half = _LONGEST_TEXT // 2
    text = f"{error.traceback[:half]}\n...\n{error.traceback[-half:]}"
    return msgspec.structs.replace(line, error=msgspec.structs.replace(error, traceback=text))


__all__ = ["PipelineLine", "PlannedStep", "StepError", "read_line"]
