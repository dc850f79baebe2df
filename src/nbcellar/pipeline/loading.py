"""Loads values that components left, as fresh objects, into a namespace of their own.

Invariant: loads what is verified, signed and trusted, as everywhere; no name of the caller's is touched. Not for:
finding results (`cache.py`).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nbcellar.errors import InvalidInputError
from nbcellar.pipeline.giving import bring
from nbcellar.pipeline.model import Take
from nbcellar.pipeline.names import SCOPE_DIGITS
from nbcellar.pipeline.sessions import Sessions

if TYPE_CHECKING:
    from nbcellar.components.model import Component
    from nbcellar.history.repository import Repository
    from nbcellar.ids import CellId
    from nbcellar.pipeline.resolving import Held
    from nbcellar.pipeline.scheduling import Run


def load(
    run: Run,
    components: Sequence[Component],
    names: Collection[str],
    last: CellId | None,
    repo: Repository,
    environ: Mapping[str, str] = os.environ,
) -> dict[str, Any]:
    """Return names as the pipeline leaves them, or as one component does. run: a look at what is there now.

    Raises InvalidInputError for names that nobody left, or that have no result now.
    """
    order = [id for id in run.found.order if id in run.steps]
    upto = order[: order.index(last) + 1] if last is not None else order
    by_id = {component.id: component for component in components}
    found: dict[CellId, list[str]] = {}
    for name in dict.fromkeys(names):
        held = _last_held(run, [by_id[id] for id in upto], name)
        if not held.digest:
            why = run.results[held.maker].values[name].reason or "it cannot be stored"
            raise InvalidInputError(f"{name}, which '{by_id[held.maker].name}' leaves, has no value: {why}")
        found.setdefault(held.maker, []).append(name)
    takes = [Take(run.results[id].commit, tuple(found[id])) for id in order if id in found]
    definitions = [run.results[id].commit for id in upto if id in run.results and run.results[id].defines]
    session = Sessions({}, {}, environ).take(repo, "0" * SCOPE_DIGITS)
    bring(session, repo, takes, definitions)
    return {name: session.tracker.namespace[name] for name in names}


def _last_held(run: Run, upto: Sequence[Component], name: str) -> Held:
    for component in reversed(upto):
        id = component.id
        if id not in run.results:
            if name in component.uses.writes | component.uses.changes:
                raise InvalidInputError(
                    f"'{component.name}', which makes {name}, has no result now: {run.steps[id].reason}",
                    hint=f"run it first: cellar pipeline run NB {component.name}",
                )
        elif name in run.results[id].facts.dropped:
            break
        elif name in run.left[id]:
            return run.left[id][name]
    raise InvalidInputError(f"no component leaves a name {name}")


__all__ = ["load"]
