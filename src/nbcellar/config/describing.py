"""What is said of a setting where it is declared."""

from __future__ import annotations

from msgspec import Meta


def doc(description: str, allowed: str) -> Meta:
    """Return the description of a setting and, for errors, of the values it may have."""
    return Meta(description=description, extra={"allowed": allowed})
