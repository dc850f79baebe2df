"""Memory that a capture used for a moment goes back to the system.

Invariant: frees nothing that is in use. Only glibc keeps freed memory by the tens of megabytes; elsewhere nothing
happens.
"""

from __future__ import annotations

import ctypes
import sys


def return_free_memory() -> None:
    """Give freed memory back; takes about a millisecond for each 10 MB."""
    if not sys.platform.startswith("linux"):
        return
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):  # another C library
        return
