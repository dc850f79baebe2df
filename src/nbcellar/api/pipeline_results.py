"""The results of a notebook's pipeline: listing them, taking them away.

    list_results("sales.ipynb")                            each result: when, how large, good now or why not
    clear_results("sales.ipynb", older_than_days=30)       the space comes back with `cellar gc`

Not for: running (`pipelines.py`), archives (`pipeline_archives.py`).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from nbcellar import config
from nbcellar.api.describe import moment
from nbcellar.api.notebook_files import read_notebook
from nbcellar.api.pipeline_result_views import ClearedResults, KeptComponent, KeptResult, KeptResults, ResultValue
from nbcellar.api.pipelines import opened
from nbcellar.components.editing import find_component
from nbcellar.components.model import Component, Pipeline
from nbcellar.components.reading import read_pipeline
from nbcellar.errors import CellarError

if TYPE_CHECKING:
    from nbcellar.api.result_signers import Signers
    from nbcellar.history.model import Commit
    from nbcellar.pipeline.cache import Cache
    from nbcellar.pipeline.kept import Kept, Sizes, Standing
    from nbcellar.pipeline.model import Facts
    from nbcellar.pipeline.steps import Place

_DAY_S = 86_400


def list_results(notebook: str | Path, components: Sequence[str] = (), *, folder: Path | None = None) -> KeptResults:
    """Return the results that are kept for a notebook's components; see `cellar pipeline cache ls --help`.

    Raises CellarError; a result of somebody who is not trusted is listed, and says so.
    """
    with opened_results(notebook, folder or Path.cwd()) as at:
        kept = at.kept(components)
        views = _views(at, kept)
        by_cell: dict[str, list[KeptResult]] = {}
        for view in views:
            by_cell.setdefault(view.cell, []).append(view)
        shown = chosen_cells(at.pipeline, at.kept(), components) if components else None
        listed = [
            _component_view(at, component, by_cell.pop(component.id, []))
            for component in at.pipeline.components
            if shown is None or component.id in shown
        ]
        former = [
            KeptComponent(
                name=results[0].component,
                cell=cell,
                number=None,
                cached=False,
                reason="its cell is no component now",
                results=results,
            )
            for cell, results in by_cell.items()
        ]
        own = at.sizes.own([entry.commit for entry in kept])
        return KeptResults(notebook=str(notebook), components=[*listed, *former], bytes=own)


def clear_results(
    notebook: str | Path,
    components: Sequence[str] = (),
    *,
    older_than_days: float | None = None,
    folder: Path | None = None,
    dry_run: bool = False,
    now: datetime | None = None,
) -> ClearedResults:
    """Take results away, or say which: of some components or all, all or the old ones.

    What another notebook's component had last stays. now: the time that ages are counted to.
    """
    from nbcellar.pipeline.kept import take_away

    with opened_results(notebook, folder or Path.cwd()) as at:
        chosen = at.kept(components)
        if older_than_days is not None:
            before = (now or datetime.now(timezone.utc)).timestamp() - older_than_days * _DAY_S
            chosen = [entry for entry in chosen if entry.made.time_ns / 1e9 < before]
        going = [entry for entry in chosen if not entry.others]
        commits = [entry.commit for entry in going]
        done = ClearedResults(
            notebook=str(notebook),
            dry_run=dry_run,
            cleared=_views(at, going),
            kept=_views(at, [entry for entry in chosen if entry.others]),
            bytes=at.sizes.own(commits),
        )
        if going and not dry_run:
            take_away(at.repo, at.place.notebook, commits)
        return done


class At:
    """A notebook's pipeline beside its repository, as a dry run finds it."""

    def __init__(self, cache: Cache, place: Place, pipeline: Pipeline, standing: Standing) -> None:
        self.repo, self.cache, self.place, self.pipeline = cache.repository, cache, place, pipeline
        self.standing = standing

    def kept(self, components: Sequence[str] = ()) -> list[Kept]:
        """Return the results of some components, or of all. Raises CellarError for what is none."""
        if not components:
            return self._all
        wanted = chosen_cells(self.pipeline, self._all, components)
        return [entry for entry in self._all if entry.cell in wanted]

    @cached_property
    def _all(self) -> list[Kept]:
        from nbcellar.pipeline.kept import list_kept

        return list_kept(self.repo, self.cache, self.place, self.standing)

    @cached_property
    def sizes(self) -> Sizes:
        """What the results take."""
        from nbcellar.pipeline.kept import Sizes

        return Sizes(self.repo, [entry.commit for entry in self._all])

    @cached_property
    def signers(self) -> Signers:
        """Who signed them."""
        return signers_in(self.repo.project)


def signers_in(project: str | None) -> Signers:
    """Return who keys are in a project, to this user."""
    from nbcellar.api.result_signers import Signers
    from nbcellar.trust.decisions import TrustStore

    user = config.user_folder(os.environ)
    return Signers(user, TrustStore(user), project)


@contextmanager
def opened_results(notebook: str | Path, folder: Path) -> Iterator[At]:
    """Open the repository of a notebook and see how its pipeline stands. Raises CellarError."""
    from nbcellar.pipeline.kept import Standing
    from nbcellar.pipeline.scheduling import Run
    from nbcellar.pipeline.steps import Wish

    pipeline = read_pipeline(read_notebook(str(notebook), folder))
    with opened(folder / notebook) as (place, cache):
        if pipeline.errors or not pipeline.components:
            yield At(cache, place, pipeline, Standing(pipeline.components, {}, {}))
            return
        wish = Wish(parameters={parameter.name: parameter.value for parameter in pipeline.parameters})
        run = Run(pipeline.components, place, cache, wish, None)
        steps = run.run()
        ahead = {component.id: run.outlook(component.id) for component in pipeline.components}
        yield At(cache, place, pipeline, Standing(pipeline.components, steps, ahead))


def chosen_cells(pipeline: Pipeline, kept: Sequence[Kept], components: Sequence[str]) -> set[str]:
    """Return the cells of some components; one that is none any more is called what it was."""
    wanted: set[str] = set()
    for text in components:
        former = {entry.cell for entry in kept if text in (entry.facts.component, entry.cell)}
        try:
            wanted.add(find_component(pipeline, text).id)
        except CellarError:
            if not former:
                raise
            wanted |= former
    return wanted


def values_view(made: Commit, facts: Facts) -> list[ResultValue]:
    """Return what is shown of a result's names, those of which nothing is stored, too."""
    from nbcellar.pipeline.archive_export import values_of

    stored = {
        name: ResultValue(
            name=name, type=found.type, shape=list(found.shape), size_bytes=found.size_bytes, reason=found.reason
        )
        for name, found in values_of(made, lambda digest: False).items()
    }
    return [*stored.values(), *left_out_view(facts, stored)]


def left_out_view(facts: Facts, stored: Collection[str]) -> list[ResultValue]:
    """Return what is shown of names that a component left, and that were not recorded."""
    return [
        ResultValue(name=name, type="", reason=value.reason or "it was not recorded")
        for name, value in sorted(facts.values.items())
        if name not in stored
    ]


def _component_view(at: At, component: Component, results: list[KeptResult]) -> KeptComponent:
    step = at.standing.steps.get(component.id)
    cached = step is not None and step.state == "cached"
    if at.pipeline.errors:
        reason = "the pipeline has errors: cellar pipeline show"
    else:
        reason = "" if step is None else step.reason
    return KeptComponent(
        name=component.name,
        cell=component.id,
        number=component.place + 1,
        cached=cached,
        reason=reason,
        results=results,
    )


def _views(at: At, kept: Sequence[Kept]) -> list[KeptResult]:
    named: Mapping[str, str] = {component.id: component.name for component in at.pipeline.components}
    return [
        KeptResult(
            commit=entry.commit.hex(),
            component=named.get(entry.cell, entry.facts.component),
            cell=entry.cell,
            time=moment(entry.made.time_ns),
            seconds=entry.facts.seconds,
            bytes=at.sizes.of(entry.commit),
            own_bytes=at.sizes.own([entry.commit]),
            values=values_view(entry.made, entry.facts),
            signer=at.signers(at.repo.read_signed(entry.commit).key),
            good=not entry.reason,
            used=entry.is_used,
            reason=entry.reason,
            others=list(entry.others),
        )
        for entry in kept
    ]


__all__ = [
    "At",
    "chosen_cells",
    "clear_results",
    "left_out_view",
    "list_results",
    "opened_results",
    "signers_in",
    "values_view",
]
