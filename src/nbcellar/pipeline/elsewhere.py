"""What is other on the machine where a component ran just now than it is here: files, packages, the environment.

Invariant: a result that met other files is not taken. What is installed there may be other on purpose: that is told,
and the result is not used another time. Not for: results of before (`cache.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from nbcellar.pipeline.model import Facts, Failure, Outcome

if TYPE_CHECKING:
    from nbcellar.pipeline.cache import Beside, Cache
    from nbcellar.pipeline.executors import Answer


def refused(cache: Cache, answer: Answer, beside: Beside) -> Outcome | None:
    """Return the failure of a component whose result met other files; None: it can be taken."""
    outcome = answer.outcome
    if not answer.is_elsewhere or outcome is None or outcome.facts is None:
        return None
    why = _why_refused(cache, outcome.facts, beside)
    if not why:
        return None
    return Outcome(id=outcome.id, failure=Failure("Cellar", why), facts=outcome.facts, seconds=outcome.seconds)


def explained(cache: Cache, answer: Answer, outcome: Outcome, beside: Beside) -> Outcome:
    """Add to a failure which file that it met is another one here: that may be why."""
    failure, met = outcome.failure, outcome.facts
    if not answer.is_elsewhere or failure is None or met is None:
        return outcome
    named = {path: digest for path, digest in met.files.items() if path in failure.message}
    for facts in (Facts(files=named, absent=met.absent), met):  # it may seem to have met what others met meanwhile
        if why := _why_refused(cache, facts, beside):
            told = msgspec.structs.replace(failure, message=f"{failure.message} ({why})")
            return msgspec.structs.replace(outcome, failure=told)
    return outcome


def notes(cache: Cache, answer: Answer) -> tuple[str, ...]:
    """Return what to note of a result that is taken."""
    if not answer.is_elsewhere or answer.outcome is None or answer.outcome.facts is None:
        return ()
    return tuple(f"where it ran, {other}" for other in cache.installed_otherwise(answer.outcome.facts))


def _why_refused(cache: Cache, facts: Facts, beside: Beside) -> str:
    other = cache.files_differ_here(facts, beside)
    return f"the files where it ran are others than here: {other}" if other else ""


__all__ = ["explained", "notes", "refused"]
