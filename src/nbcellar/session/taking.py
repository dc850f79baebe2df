"""Single variables of a recorded state brought into the session, beside all that is there: `checkout REF -- NAME`.

It is as if a cell had bound the names: the branch goes on with a commit of its own, which an undo takes back; all other
names, the code, random state and surroundings stay. Invariant: what is brought is whole. A name whose object shared
state with others there comes with these or not at all, and what is made of a class with that class.

Not for: whole states (`engine.py`), values that are not stored.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from nbcellar.errors import CannotRestoreError, InvalidInputError, NotFoundError
from nbcellar.history.model import CommitKind, Covariable
from nbcellar.history.thin import without_thinned
from nbcellar.ids import CommitId, short
from nbcellar.session.encode import Limits
from nbcellar.session.groups import Group
from nbcellar.session.jobs import Version
from nbcellar.session.plan import Plan
from nbcellar.session.recorder import HistoryMovedError
from nbcellar.session.signals import signals_held

if TYPE_CHECKING:
    from nbcellar.session.engine import Session
    from nbcellar.session.restore import Restored, Restorer
    from nbcellar.session.tracker import Tracker

_LISTED = 12


def take(session: Session, target: CommitId, names: Collection[str]) -> dict[str, Any]:
    """Bind `names` to what they were in a state, record that, and return the report. If it fails nothing has changed.

    Raises NotFoundError for a name that is not there, InvalidInputError for one that comes only with others,
    CannotRestoreError for one that is not stored or cannot be rebuilt.
    """
    from nbcellar.session.restore import Restorer  # most kernels never go back

    started = time.perf_counter()
    session._settle()
    state = without_thinned(session.repo, session._recorded_names(session.repo.read_state(target)))
    plan = plan_taking(state.covariables, names, session.tracker, short(target))
    restorer = Restorer(session.repo, session.tracker, session.permit, Limits(session.settings.record.memory_mb << 20))
    restorer.tell = session.work.tell
    before = session.ambient.capture()
    session.replayer.answer, session._ambient_reports = None, []
    submitted = False
    try:
        restored = restorer.restore(plan, {}, lambda: None, started)
        restored = session._with_doubts(restored, msgspec.structs.replace(state, covariables=plan.load), target)
        if session.repo.refresh():
            raise HistoryMovedError
        if plan.load:
            session.work.settle()
            with signals_held():
                _record(session, restorer, restored, f"{', '.join(restored.loaded)} of {short(target)}")
                submitted = True
        session.wait_saved()
    except BaseException as error:
        if not (submitted and isinstance(error, KeyboardInterrupt)):  # else it is done, but not waited for
            with signals_held():
                session._put_back([restorer], before)
        raise
    restorer.finish()
    return session._report(session._with_stale(restored)) | {"target": target.hex()}


def plan_taking(target: Iterable[Covariable], names: Collection[str], tracker: Tracker, where: str) -> Plan:
    """Return what to load of a state so that `names` are what they were; all that is live besides is left alone."""
    target = tuple(target)
    there = {name: entry for entry in target for name in entry.names}
    _require_known(names, there, where)
    wanted = tuple(entry for entry in target if not set(names).isdisjoint(entry.names))
    definitions = {uid: entry for entry in target for uid in entry.defines}
    _require_company(wanted, names, where)
    keep = tuple(entry for entry in wanted if _is_live(entry, tracker))
    load = tuple(entry for entry in wanted if entry not in keep)
    _require_stored(load, where)
    own = {uid for uid, entry in definitions.items() if _is_the_live_class(uid, entry, tracker)}
    _require_classes(load, names, definitions, own, tracker, where)
    _require_no_instances(load, names, tracker, where)
    return Plan(keep, load, definitions, frozenset(own), missing={}, doubtful={}, remove=())


def _record(session: Session, restorer: Restorer, restored: Restored, message: str) -> None:
    """Record what was bound under the versions that it had; what else the binding changed as after a cell."""
    job = session._job(CommitKind.CHECKOUT, session._observe(frozenset(restored.loaded)))
    job.message = message
    for entry, group in restorer.rebuilt():
        uncertain = next((restored.uncertain[n] for n in entry.names if n in restored.uncertain), "")
        job.versions.append(Version(group, entry.previews, None, uncertain, stored=entry))
    session._submit(job)


# what is asked for, and what that takes ----------------------------------------------------------------------------


def _require_known(names: Collection[str], there: Mapping[str, Covariable], where: str) -> None:
    unknown = sorted(name for name in names if name not in there)
    if unknown:
        listed = ", ".join(sorted(there)[:_LISTED]) + (", ..." if len(there) > _LISTED else "")
        raise NotFoundError(
            f"{where} has no variable {', '.join(map(repr, unknown))}", hint=f"it has: {listed or 'none'}"
        )


def _require_company(wanted: Iterable[Covariable], names: Collection[str], where: str) -> None:
    more = {name for entry in wanted for name in entry.names} - set(names)
    if more:
        entry = next(entry for entry in wanted if not more.isdisjoint(entry.names))
        asked = next(name for name in entry.names if name in names)
        others = ", ".join(f"'{name}'" for name in entry.names if name in more)
        raise InvalidInputError(
            f"'{asked}' shared state with {others} at {where}, and comes back only together with that",
            hint=f"name all: {_command(where, {*names, *more})}",
        )


def _require_stored(load: Iterable[Covariable], where: str) -> None:
    lacking = {name: entry.reason for entry in load if entry.value is None for name in entry.names}
    if lacking:
        listed = ", ".join(f"'{name}' ({why or 'it was not recorded'})" for name, why in sorted(lacking.items()))
        raise CannotRestoreError(
            f"{where} does not hold the value of {listed}",
            hint=f"cells can be run again for whole states only: cellar checkout {where} --replay",
        )


def _require_classes(
    load: Iterable[Covariable],
    names: Collection[str],
    definitions: Mapping[str, Covariable],
    own: Collection[str],
    tracker: Tracker,
    where: str,
) -> None:
    """Refuse instances whose class of then has a name that is bound to another class now, or to none."""
    for entry in load:
        for uid in _needed(entry, definitions):
            if uid in own:
                continue
            definition = definitions.get(uid)
            if definition is None or definition.value is None:
                why = definition.reason if definition is not None else "it was not recorded"
                raise CannotRestoreError(f"the class {uid} of '{entry.names[0]}' cannot be rebuilt: {why}")
            missing = set(definition.names) - set(names)
            if missing or (not definition.names and uid in tracker.by_uid):
                raise InvalidInputError(
                    f"'{entry.names[0]}' is made of {uid} as it was at {where}, which is not the one that is live",
                    hint=f"bring it along: {_command(where, {*names, *missing})}"
                    if missing
                    else f"bring back all of that state: cellar checkout {where} --variables",
                )


def _require_no_instances(load: Iterable[Covariable], names: Collection[str], tracker: Tracker, where: str) -> None:
    """Refuse a class in the place of a live one of which something is made that stays."""
    for entry in load:
        for group in tracker.groups():
            left = [name for name in group.names if name not in names]
            if left and not set(group.needs_uids).isdisjoint(entry.defines):
                raise InvalidInputError(
                    f"'{left[0]}' is made of {', '.join(entry.names) or entry.defines[0]} as it is now, "
                    "and would no longer be",
                    hint=f"bring back all of that state: cellar checkout {where} --variables; or: del {left[0]}",
                )


def _needed(entry: Covariable, definitions: Mapping[str, Covariable]) -> Iterator[str]:
    queue, seen = list(entry.needs), set(entry.defines)
    while queue:
        uid = queue.pop()
        if uid in seen:
            continue
        seen.add(uid)
        yield uid
        if uid in definitions:
            queue.extend(definitions[uid].needs)


def _is_live(entry: Covariable, tracker: Tracker) -> bool:
    groups: set[Group | None] = {tracker.by_name.get(name) for name in entry.names}
    (first, *more) = groups
    return not more and first is not None and first.names == entry.names and first.version == entry.version


def _is_the_live_class(uid: str, entry: Covariable, tracker: Tracker) -> bool:
    group = tracker.by_uid.get(uid)
    return group is not None and group.version == entry.version and tracker.uids.class_of(uid) is not None


def _command(where: str, names: Iterable[str]) -> str:
    return f"cellar checkout {where} -- {' '.join(shlex.quote(name) for name in sorted(names))}"


__all__ = ["plan_taking", "take"]
