"""Which parts of notebooks a comparison looks at."""

from __future__ import annotations

import msgspec


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared. A part that is off is not compared at all; its changes are in no diff.

    `transient`: counts, run times, addresses, kernel metadata and widget state. Which cells there are, and of which
    type, is always compared.
    """

    sources: bool = True
    outputs: bool = True
    metadata: bool = True
    attachments: bool = True
    ids: bool = True
    transient: bool = True

    @property
    def are_off(self) -> bool:
        """True if everything is compared."""
        return self == EVERYTHING


EVERYTHING = Filters()

__all__ = ["EVERYTHING", "Filters"]
