"""Loading msgspec for a process that lives for some milliseconds.

msgspec asks typing_extensions for what typing has since Python 3.11, if it is installed; that loads inspect, ast and
more, a fifth of what a driver of git's may take to start. Told that it is not there, msgspec takes typing's own.
"""

from __future__ import annotations

import sys


def load_msgspec() -> None:
    """Import msgspec without typing_extensions. For the beginning of a process of our own, not inside a kernel."""
    if sys.version_info < (3, 11) or "msgspec" in sys.modules or "typing_extensions" in sys.modules:
        return
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    try:
        import msgspec  # noqa: F401
    finally:
        del sys.modules["typing_extensions"]


__all__ = ["load_msgspec"]
