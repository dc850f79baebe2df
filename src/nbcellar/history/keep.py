"""Which states keep the values of all their variables: the keep policy, as backup tools have one.

Invariant: what a person named or built on is kept, whatever its age, and so are the newest states and the last one of
each session. Hours lie within days and days within weeks, so the state that stands for a week was the one of its day
and hour before: to thin out often leaves what to thin out once does. Pure. Not for: what happens to the values of the
other states (`thin.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from nbcellar.history.model import CommitKind
from nbcellar.ids import CommitId, NotebookId

HOUR_NS = 3600 * 10**9
DAY_NS = 24 * HOUR_NS
WEEK_NS = 7 * DAY_NS


class KeepPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """See the settings of the same names. Values smaller than `below_bytes` are never thinned out."""

    last: int = 200
    all_hours: int = 48
    hourly_days: int = 14
    daily_days: int = 180
    weekly: bool = True  # without end, for what is older than all the others reach
    below_bytes: int = 16 << 10


class Place(msgspec.Struct, frozen=True):
    """What the policy needs to know of a commit. Given parents before children."""

    id: CommitId
    notebook: NotebookId
    kind: CommitKind
    time_ns: int
    parents: tuple[CommitId, ...]
    has_state: bool


def kept_states(
    places: Sequence[Place], policy: KeepPolicy, *, now_ns: int, pinned: AbstractSet[CommitId]
) -> dict[CommitId, str]:
    """Return the commits whose states keep all their values, each with the reason, for people.

    pinned: commits that a ref names, or an operation that can still be undone.
    """
    with_state = _nearest_states(places)
    kept: dict[CommitId, str] = {}

    def keep(commit: CommitId | None, why: str) -> None:
        state = with_state.get(commit) if commit is not None else None
        if state is not None:
            kept.setdefault(state, why)

    children = Counter(parent for place in places for parent in place.parents)
    for place in places:
        if place.id in pinned:
            keep(place.id, "a branch, a tag, HEAD or an operation that can be undone names it")
        elif place.kind is CommitKind.NAMED:
            keep(place.id, "it was named")
        elif children[place.id] > 1:
            keep(place.id, "more than one line goes on from it")
        if place.kind in (CommitKind.START, CommitKind.ATTACH):
            keep(place.parents[0] if place.parents else None, "it is the last of a session")
    for of_notebook in _by_notebook(places):
        newest_first = [place for place in reversed(of_notebook) if place.has_state]
        for place in newest_first[: policy.last]:
            keep(place.id, f"it is one of the last {policy.last}")
        for place, why in _by_age(newest_first, policy, now_ns):
            keep(place.id, why)
    return kept


def _nearest_states(places: Sequence[Place]) -> dict[CommitId, CommitId]:
    """Return, for each commit, itself or the last one before it that has a state: a capture may be interrupted."""
    found: dict[CommitId, CommitId] = {}
    for place in places:
        if place.has_state:
            found[place.id] = place.id
        elif place.parents and place.parents[0] in found:
            found[place.id] = found[place.parents[0]]
    return found


def _by_notebook(places: Sequence[Place]) -> list[list[Place]]:
    groups: dict[NotebookId, list[Place]] = {}
    for place in places:
        groups.setdefault(place.notebook, []).append(place)
    return list(groups.values())


def _by_age(newest_first: Sequence[Place], policy: KeepPolicy, now_ns: int) -> Iterator[tuple[Place, str]]:
    """Yield what its age keeps. Hours, days and weeks are those of UTC, so that they do not move with the clock."""
    all_ns, hourly_ns, daily_ns = policy.all_hours * HOUR_NS, policy.hourly_days * DAY_NS, policy.daily_days * DAY_NS
    spans: tuple[tuple[Callable[[int], bool], int, str], ...] = (
        (lambda age: age < hourly_ns, HOUR_NS, "it is the last of an hour"),
        (lambda age: age < daily_ns, DAY_NS, "it is the last of a day"),
        (lambda age: policy.weekly, WEEK_NS, "it is the last of a week"),
    )
    seen: set[tuple[int, int]] = set()
    for place in sorted(newest_first, key=lambda place: -place.time_ns):  # stable: of equal times, the newest
        age = now_ns - place.time_ns
        if age < all_ns:
            yield place, f"it is younger than {policy.all_hours} hours"
            continue
        for applies, length, why in spans:
            period = (length, place.time_ns // length)
            if applies(age) and period not in seen:
                seen.add(period)
                yield place, why


__all__ = ["KeepPolicy", "Place", "kept_states"]
