"""`cellar pipeline run`: what is needed of a pipeline runs, with a line for each component as it is done."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from nbcellar.cli import exit_codes, parameters, text
from nbcellar.cli.console import Console
from nbcellar.errors import InvalidInputError

if TYPE_CHECKING:
    from nbcellar.api.pipelines import PipelineRun, StepLine

_MARKS = {
    "done": ("ran", "green"),
    "cached": ("cached", "cyan"),
    "failed": ("failed", "red"),
    "blocked": ("blocked", "yellow"),
    "waiting": ("would run", "yellow"),
    "running": ("running", "bold"),
    "cancelled": ("cancelled", "yellow"),
}
_WIDEST_MARK = 9
_WIDEST_NAME = 32
_USUAL_NAME = 14
"""What comes after names begins there, while it is not known yet how wide all names are."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `cellar pipeline run`."""
    parser.add_argument("components", metavar="COMPONENT", nargs="*", help="with what they need (default: all)")
    parser.add_argument("--from", dest="from_", metavar="X", help="run X in any case, and what follows it as needed")
    parser.add_argument("--again", action="store_true", help="run what is named (or all) even if it is cached")
    parameters.configure(parser, "a parameter for this run (JSON, else text); repeatable")
    parser.add_argument(
        "--executor",
        choices=("serial", "process", "dask"),
        default="serial",
        help="one process, several, or a Dask cluster",
    )
    parser.add_argument("--workers", metavar="N", type=int, default=0, help="processes (default: one for a processor)")
    parser.add_argument("--address", metavar="ADDRESS", default="", help="of a Dask scheduler that runs already")
    parser.add_argument(
        "--remote",
        metavar="REMOTE",
        default="",
        help="hand results to Dask's workers by an object store or a shared folder: s3://BUCKET/FOLDER, gs://..., "
        "az://..., file:///FOLDER; without it they have to see the repository",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would run and why; run nothing")
    parser.add_argument("--write-outputs", action="store_true", help="write what the cells show into the notebook")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON (docs/schemas/pipeline-run.json)")
    form.add_argument("--json-lines", action="store_true", help="print each step as it happens, one JSON object a line")


def run(args: argparse.Namespace, console: Console) -> int:
    """Run what is needed, or say what that would be."""
    from nbcellar.api.pipelines import run_pipeline

    if args.dry_run and args.write_outputs:
        raise InvalidInputError("a dry run has no outputs to write")
    report = _Lines(console) if args.json_lines else _Report(console, is_quiet=args.json or args.dry_run)
    options: dict[str, Any] = {
        "from_": args.from_,
        "parameters": dict(map(parameters.parse, args.parameter)),
        "again": args.again,
        "folder": console.folder,
    }
    sources = _sources(args.notebook, console) if args.write_outputs else {}
    if args.json_lines:
        report.plan(run_pipeline(args.notebook, args.components, **options, dry_run=True))
    if args.executor == "dask" and not args.dry_run:
        report.wait(f"connecting to {args.address}" if args.address else "starting a Dask cluster")
    try:
        done = run_pipeline(
            args.notebook,
            args.components,
            **options,
            executor=args.executor,
            workers=args.workers,
            address=args.address,
            remote=args.remote,
            dry_run=args.dry_run,
            outputs=args.write_outputs,
            tell=report.step,
        )
    except KeyboardInterrupt:
        report.end(None)
        return exit_codes.INTERRUPTED
    except BaseException:
        report.clear()
        raise
    if args.write_outputs:
        _write_outputs(args.notebook, done, sources, console)
    if args.json:
        console.json(done)
    else:
        report.end(done)
    return exit_codes.OK if done.is_ok else exit_codes.FINDINGS


class _Report:
    """A line for each component that is settled, for people."""

    def __init__(self, console: Console, *, is_quiet: bool) -> None:
        self._console, self._is_quiet = console, is_quiet
        self._running: dict[str, str] = {}
        self._is_drawn = False

    def plan(self, found: PipelineRun) -> None:
        """Nothing: what runs is said as it runs."""

    def step(self, step: StepLine) -> None:
        """Say that a component is settled; on a terminal, what runs stands below."""
        self._running.pop(step.id, None)
        self.clear()
        if not self._is_quiet and step.state in ("done", "cached", "failed"):
            for line in format_step(step, self._console):
                self._console.print(line)
        if step.state == "running":
            self._running[step.id] = step.name
        if self._running:
            names = ", ".join(text.clean(name) for name in self._running.values())
            self.wait(f"{'running'.ljust(_WIDEST_MARK)} {names}")

    def wait(self, what: str) -> None:
        """Say on a terminal what is waited for, until there is something to tell."""
        if self._console.live_progress:
            self._console.err.write(text.cut(text.clean(what), self._console.width - 1))
            self._console.err.flush()
            self._is_drawn = True

    def clear(self) -> None:
        """Take away what stands below the lines on a terminal."""
        if self._is_drawn:
            self._console.err.write("\r\x1b[K")
            self._console.err.flush()
            self._is_drawn = False

    def end(self, done: PipelineRun | None) -> None:
        """Say what is left to be said."""
        self.clear()
        if done is None:
            self._console.print("interrupted; what is done is kept, and a new run goes on from there")
            return
        told = [s for s in done.steps if done.dry_run or s.state not in ("done", "cached", "failed")]
        width = max((text.columns(text.clean(step.name)) for step in told), default=0)
        for step in told:
            for line in format_step(step, self._console, min(width, _WIDEST_NAME)):
                self._console.print(line)
        self._console.print(summary(done))


class _Lines:
    """One JSON object a line, for programs."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def plan(self, found: PipelineRun) -> None:
        """Say what would run."""
        steps = [
            {"id": s.id, "name": s.name, "action": "cached" if s.state == "cached" else "run", "reason": s.reason}
            for s in found.steps
        ]
        self._send({"event": "plan", "steps": steps})

    def wait(self, what: str) -> None:
        """Nothing: there is no step yet."""

    def clear(self) -> None:
        """Nothing: each line stays."""

    def step(self, step: StepLine) -> None:
        """Say where a component stands."""
        import msgspec

        self._send({"event": "step"} | msgspec.to_builtins(step))

    def end(self, done: PipelineRun | None) -> None:
        """Say how it ended."""
        if done is None:
            self._send({"event": "end", "state": "cancelled"})
            return
        self._send(
            {
                "event": "end",
                "state": "done" if done.is_ok else "failed",
                "seconds": done.seconds,
                "ran": done.count("done"),
                "cached": done.count("cached"),
                "failed": done.count("failed"),
                "blocked": done.count("blocked"),
            }
        )

    def _send(self, message: dict[str, Any]) -> None:
        self._console.out.write(json.dumps(message) + "\n")
        self._console.out.flush()


def format_step(step: StepLine, console: Console, width: int = _USUAL_NAME) -> list[str]:
    """Return the lines that say where a component stands. width: of the names, in columns of a terminal."""
    mark, colour = _MARKS[step.state]
    name = text.cut(text.clean(step.name), _WIDEST_NAME)
    told = text.seconds(step.seconds) if step.seconds is not None and step.state != "cached" else ""
    if step.reason:
        told = f"{told}: {text.clean(step.reason)}" if told else text.clean(step.reason)
    padded = name + " " * (width - text.columns(name)) if told else name
    lines = [f"{console.style(mark.ljust(_WIDEST_MARK), colour)} {padded}" + (f"  {told}" if told else "")]
    if step.error is not None:
        where = f"cell {step.cell}" + (f", line {step.error.line}" if step.error.line else "")
        said = ": ".join(part for part in (step.error.name, text.one_line(step.error.message, 200)) if part)
        lines.append(f"{' ' * _WIDEST_MARK} {where}: {text.clean(said)}")
    lines += [f"{' ' * _WIDEST_MARK} note: {text.clean(note)}" for note in step.notes]
    return lines


def summary(done: PipelineRun) -> str:
    """Return one line about a run."""
    counts = [
        (done.count("waiting"), "would run" if done.dry_run else "did not run"),
        (done.count("done"), "ran"),
        (done.count("cached"), "cached"),
        (done.count("failed"), "failed"),
        (done.count("blocked"), "blocked"),
    ]
    listed = ", ".join(f"{count} {word}" for count, word in counts if count)
    return f"{listed or 'nothing to do'}" + ("" if done.dry_run else f" in {text.seconds(done.seconds)}")


def _sources(name: str, console: Console) -> dict[str, str]:
    from nbcellar.api.notebook_files import read_to_rewrite
    from nbcellar.api.pipeline_outputs import sources_of

    return sources_of(read_to_rewrite(name, console.folder)[1])


def _write_outputs(name: str, done: PipelineRun, sources: dict[str, str], console: Console) -> None:
    from nbcellar.api.pipeline_outputs import write_outputs

    for changed in write_outputs(name, console.folder, done, sources):
        console.notice(f"'{text.clean(changed)}' was changed while it ran: its outputs are not written")


__all__ = ["configure", "format_step", "run", "summary"]
