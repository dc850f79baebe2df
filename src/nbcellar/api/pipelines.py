"""Running a notebook's pipeline, and what of it is cached.

    run_pipeline("sales.ipynb", parameters={"scale": 4})     what is needed; results are in the repository
    run_pipeline("sales.ipynb", dry_run=True)                what would run and why, without running anything

Not for: what a pipeline is (`components/`), how it is run (`pipeline/`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from nbcellar.api.notebook_files import read_notebook
from nbcellar.api.views import View
from nbcellar.components.editing import find_component
from nbcellar.components.model import Pipeline
from nbcellar.components.parameters import type_of
from nbcellar.components.reading import read_pipeline
from nbcellar.errors import InvalidInputError, NoRepositoryError, NotFoundError
from nbcellar.pipeline.model import Failure, State

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository
    from nbcellar.ids import CellId, NotebookId
    from nbcellar.pipeline.cache import Cache
    from nbcellar.pipeline.executors import Executor
    from nbcellar.pipeline.steps import Place, Step

ExecutorName = Literal["serial", "process", "dask"]
EXECUTORS: tuple[ExecutorName, ...] = ("serial", "process", "dask")


class StepLine(msgspec.Struct, frozen=True, kw_only=True):
    """Where one component stands. reason: why it runs or would run, or what it waits for; result: a commit's id.

    cell: the number of its cell, from 1; seconds: how long it ran, when it did.
    """

    id: str
    name: str
    cell: int
    state: State
    reason: str = ""
    seconds: float | None = None
    error: Failure | None = None
    result: str | None = None
    notes: list[str] = []


class PipelineRun(View, frozen=True, kw_only=True):
    """What a run did, or with `dry_run` what it would do; steps in the order of a serial run.

    `outputs`: where they were asked for, nbformat outputs by id of the cell.
    """

    notebook: str
    dry_run: bool
    steps: list[StepLine]
    seconds: float
    outputs: Mapping[str, msgspec.Raw] = {}

    def count(self, state: State) -> int:
        """Return how many components are in a state."""
        return sum(1 for step in self.steps if step.state == state)

    @property
    def is_ok(self) -> bool:
        """True if nothing failed."""
        return not self.count("failed")


def run_pipeline(
    notebook: str | Path,
    components: Sequence[str] = (),
    *,
    from_: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    executor: ExecutorName = "serial",
    workers: int = 0,
    address: str = "",
    remote: str = "",
    on: Executor | None = None,
    again: bool = False,
    dry_run: bool = False,
    outputs: bool = False,
    folder: Path | None = None,
    tell: Callable[[StepLine], None] = lambda step: None,
) -> PipelineRun:
    """Run what is needed of a notebook's pipeline; see `cellar pipeline run --help`.

    components: names, numbers of cells or ids; none: all. from_: this one runs in any case, and what comes after it
    where it changed. again: what is named runs in any case. outputs: give them, of what is cached, too.
    workers: processes, 0: as many as there are processors. address: of a Dask scheduler; none: a cluster for this run.
    remote: by which results go to Dask's workers and back, as s3://BUCKET/FOLDER; none: these see the repository.
    on: an executor that is there, and is left running.
    Raises CellarError for a pipeline that cannot be run; what a cell raises is in the result.
    """
    began = time.perf_counter()
    folder = folder or Path.cwd()
    pipeline = require_sound(read_pipeline(read_notebook(str(notebook), folder)))
    values = _values(pipeline, parameters or {})
    named = [find_component(pipeline, text).id for text in components]
    first = find_component(pipeline, from_).id if from_ is not None else None
    lines = {component.id: component for component in pipeline.components}

    def line(step: Step) -> StepLine:
        return _line(step, lines[step.id].place + 1)

    from nbcellar.pipeline.scheduling import Run
    from nbcellar.pipeline.steps import Wish

    forced = frozenset(named if again else ()) | (frozenset({first}) if first is not None else frozenset())
    if again and not named and first is None:
        forced = frozenset(lines)
    targets = tuple(dict.fromkeys([*named, *([first] if first is not None else [])]))
    wish = Wish(targets=targets, again=forced, after=first is not None, parameters=values)
    with opened(folder / notebook) as (place, cache):
        runner = None if dry_run else on or _executor(executor, workers, address, remote, len(lines), place, cache)
        try:
            steps = Run(pipeline.components, place, cache, wish, runner, lambda step: tell(line(step))).run()
        finally:
            if runner is not None and runner is not on:
                runner.close()
        shown = _outputs(cache, steps) if outputs else {}
    return PipelineRun(
        notebook=str(notebook),
        dry_run=dry_run,
        steps=[line(step) for step in steps.values()],
        seconds=round(time.perf_counter() - began, 3),
        outputs=shown,
    )


def _outputs(cache: Cache, steps: Mapping[CellId, Step]) -> dict[str, msgspec.Raw]:
    """Return what components showed: just now, or when their results were made."""
    found: dict[str, msgspec.Raw] = {}
    for id, step in steps.items():
        if step.outputs is not None or step.result:
            found[id] = msgspec.Raw(cache.outputs(step.result) if step.outputs is None else step.outputs)
    return found


def load_results(
    notebook: str | Path,
    *names: str,
    component: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    folder: Path | None = None,
) -> dict[str, Any]:
    """Return values of a pipeline by name, as it leaves them, from its results; nothing is run.

    component: as this one leaves them. Objects are fresh ones at each call, so they may be changed. Raises
    InvalidInputError for a name that nobody leaves, and for one whose component would have to run first.
    """
    folder = folder or Path.cwd()
    pipeline = require_sound(read_pipeline(read_notebook(str(notebook), folder)))
    last = find_component(pipeline, component).id if component is not None else None
    from nbcellar.pipeline.loading import load
    from nbcellar.pipeline.scheduling import Run
    from nbcellar.pipeline.steps import Wish

    wish = Wish(parameters=_values(pipeline, parameters or {}), targets=(last,) if last is not None else ())
    with opened(folder / notebook) as (place, cache):
        run = Run(pipeline.components, place, cache, wish, None)
        run.run()
        return load(run, pipeline.components, names, last, cache.repository)


class ComponentStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is cached of a component. reason: why it would run. result: the commit of its result, or of the last one.

    seconds: how long that took.
    """

    cached: bool
    reason: str = ""
    result: str | None = None
    seconds: float | None = None


class Looked(NamedTuple):
    """A pipeline with the edges that its runs showed, and what is cached of it by id of the component."""

    pipeline: Pipeline
    status: dict[str, ComponentStatus] | None


def look(pipeline: Pipeline, notebook: Path) -> Looked:
    """Return what the repository knows of a pipeline; `status` is None without one, or if the pipeline has errors."""
    from nbcellar.pipeline.scheduling import Run
    from nbcellar.pipeline.steps import Wish

    if pipeline.errors:
        return Looked(pipeline, None)
    try:
        with opened(notebook) as (place, cache):
            run = Run(pipeline.components, place, cache, Wish(parameters=_values(pipeline, {})), None)
            status: dict[str, ComponentStatus] = {id: _status(step, cache, place) for id, step in run.run().items()}
            known = msgspec.structs.replace(pipeline, edges=run.found.edges, order=run.found.order)
            return Looked(known, status)
    except NoRepositoryError:
        return Looked(pipeline, None)


def _status(step: Step, cache: Cache, place: Place) -> ComponentStatus:
    if step.state == "cached":
        return ComponentStatus(cached=True, result=step.result, seconds=step.seconds)
    last = cache.last(place.notebook, step.id)
    return ComponentStatus(
        cached=False,
        reason=step.reason,
        result=last.commit if last is not None else None,
        seconds=last.facts.seconds if last is not None else None,
    )


def require_sound(pipeline: Pipeline) -> Pipeline:
    """Return a pipeline that can be run. Raises InvalidInputError that says what is wrong with it."""
    if not pipeline.components:
        raise InvalidInputError("the notebook has no code that could run")
    if pipeline.errors:
        first, *more = pipeline.errors
        also = f"; and {len(more)} more: cellar pipeline show" if more else ""
        raise InvalidInputError(f"{first.message}{also}", hint=first.hint)
    return pipeline


@contextmanager
def opened(notebook: Path) -> Iterator[tuple[Place, Cache]]:
    """Open the repository of a notebook. Raises NoRepositoryError."""
    import os

    from nbcellar import config
    from nbcellar.history.operations import local_identity
    from nbcellar.history.repository import FOLDER, Repository, find_root
    from nbcellar.pipeline.cache import Cache
    from nbcellar.pipeline.steps import Place
    from nbcellar.trust.decisions import TrustStore

    notebook = notebook.resolve()
    root = find_root(notebook.parent)
    settings = config.load(root / FOLDER, os.environ)
    # Late: a power failure during a run costs results that can be made again; closing makes all durable at once.
    with Repository.open(root, by=settings.author.name or local_identity(), late=True) as repo:
        place = Place(
            root=root,
            folder=notebook.parent,
            path=str(notebook.relative_to(root)),
            notebook=_known(repo, notebook),
        )
        yield place, Cache(repo, TrustStore(config.user_folder(os.environ)), notebook.parent)


def _known(repo: Repository, notebook: Path) -> NotebookId | None:
    try:
        return repo.notebook_for(notebook)
    except NotFoundError:
        return None


def _executor(
    name: ExecutorName, workers: int, address: str, remote: str, components: int, place: Place, cache: Cache
) -> Executor:
    import os

    from nbcellar.pipeline.executors import Processes

    if address and name != "dask":
        raise InvalidInputError("an address is for Dask", hint="--executor dask --address tcp://HOST:PORT")
    if remote and name != "dask":
        raise InvalidInputError("a remote is for Dask's workers", hint="--executor dask --remote s3://BUCKET/FOLDER")
    if workers < 0:
        raise InvalidInputError("workers are 1 or more")
    if workers and address:
        raise InvalidInputError("the cluster at an address has its own workers", hint="leave out --workers")
    many = workers or min(os.cpu_count() or 1, max(components, 1))
    if name == "dask":
        from nbcellar.pipeline.dask_executor import Dask

        return Dask(place.root, address=address, workers=many, is_trusted=cache.trusts, remote=remote)
    return Processes(1 if name == "serial" else many)


def _values(pipeline: Pipeline, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a run. Raises InvalidInputError for one that is unknown or of another type."""
    values = {parameter.name: parameter.value for parameter in pipeline.parameters}
    types = {parameter.name: parameter.type for parameter in pipeline.parameters}
    users = {parameter.name: parameter.used_by for parameter in pipeline.parameters}
    for name, value in given.items():
        if name not in values:
            raise InvalidInputError(f"the pipeline has no parameter {name}", hint=_how_to_get(pipeline, name))
        wanted, found = types[name], type_of(value)
        if found != wanted and "null" not in (wanted, found) and {found, wanted} != {"integer", "number"}:
            raise InvalidInputError(
                f"the parameter {name} is of type {wanted}, not {found}: {value!r}",
                hint=f"for another type: cellar pipeline param NB {name}=VALUE",
            )
        if not users[name] and not any(component.uses.unseen for component in pipeline.components):
            raise InvalidInputError(f"no component takes the parameter {name}", hint=_who_sets(pipeline, name))
        values[name] = value
    return values


def _how_to_get(pipeline: Pipeline, name: str) -> str:
    maker = next((each for each in pipeline.components if name in each.uses.writes), None)
    if maker is not None:
        return (
            f"'{maker.name}' sets {name}: give cell {maker.place + 1} the tag `parameters` if it sets nothing else, or "
            f"take the line out of it and: cellar pipeline param NB {name}=VALUE"
        )
    known = ", ".join(parameter.name for parameter in pipeline.parameters) or "none"
    return f"it has: {known}"


def _who_sets(pipeline: Pipeline, name: str) -> str:
    maker = next((each for each in pipeline.components if name in each.uses.writes), None)
    return f"'{maker.name}' sets it itself: take the line out of cell {maker.place + 1}" if maker else ""


def _line(step: Step, cell: int) -> StepLine:
    return StepLine(
        id=step.id,
        name=step.name,
        cell=cell,
        state=step.state,
        reason=step.reason,
        seconds=step.seconds,
        error=step.failure,
        result=step.result or None,
        notes=list(step.notes),
    )


__all__ = [
    "EXECUTORS",
    "ComponentStatus",
    "ExecutorName",
    "Looked",
    "PipelineRun",
    "StepLine",
    "load_results",
    "look",
    "opened",
    "require_sound",
    "run_pipeline",
]
