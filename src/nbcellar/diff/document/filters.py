"""Which parts of notebooks a comparison looks at."""

from __future__ import annotations

import msgspec


class Tolerance(msgspec.Struct, frozen=True, kw_only=True):
    """Two numbers are taken for equal if they differ by at most `absolute + relative * larger magnitude`."""

    absolute: float = 0.0
    relative: float = 0.0


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared. A part that is off is not compared at all; its changes are in no diff.

    `transient`: counts, run times, addresses, kernel metadata and widget state. Which cells there are, and of which
    type, is always compared. `tolerance` decides which numbers in outputs count as equal in what people are told;
    operations do not depend on it, so that a patch gives the second notebook all the same. `pictures`: the changes hold
    pictures and what differs in them, for a view that has nothing else to draw them from.
    """

    sources: bool = True
    outputs: bool = True
    metadata: bool = True
    attachments: bool = True
    ids: bool = True
    transient: bool = True
    tolerance: Tolerance = Tolerance()
    pictures: bool = True


EVERYTHING = Filters()

__all__ = ["EVERYTHING", "Filters", "Tolerance"]
