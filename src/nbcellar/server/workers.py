"""Threads for what would block the server: reading stores, comparing, waiting for kernels.

Invariant: work that waits for a kernel never takes a thread from work that only reads.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal, TypeVar

Lane = Literal["read", "compute", "live"]
Result = TypeVar("Result")

# Reading is quick; two comparisons at once fill two cores; each request to a busy kernel holds a thread for long.
_THREADS: dict[Lane, int] = {"read": 4, "compute": 2, "live": 16}


class Workers:
    """The threads of one server, by lane."""

    def __init__(self) -> None:
        self._pools = {
            lane: ThreadPoolExecutor(count, thread_name_prefix=f"cellar-{lane}") for lane, count in _THREADS.items()
        }

    def start(self, lane: Lane, work: Callable[[], Result]) -> Future[Result]:
        """Run `work` in a thread of a lane, when one is free; until then it can be cancelled."""
        return self._pools[lane].submit(work)

    def close(self) -> None:
        """Take no further work; what runs is not waited for."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)


__all__ = ["Lane", "Workers"]
