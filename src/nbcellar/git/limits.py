"""How large a notebook may be for what git calls: above, time and memory are no longer those of a version control."""

from __future__ import annotations

# A larger file would take minutes and gigabytes.
LARGEST_BYTES = 256 << 20


def too_large(size_bytes: int) -> str:
    """Return what is wrong with a file of this size; "" if nothing is."""
    if size_bytes <= LARGEST_BYTES:
        return ""
    return f"{size_bytes >> 20:,} MiB, and more than {LARGEST_BYTES >> 20} are not taken for a notebook"


__all__ = ["LARGEST_BYTES", "too_large"]
