"""The random state and the options of libraries that every component begins with, and which of these a cell changed.

Invariant: what a component begins with depends on its key alone. Not for: settings of the process
(`process_settings.py`).
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from nbcellar.components.settings import looks_seeding
from nbcellar.session.surroundings import imports
from nbcellar.session.surroundings.ambient import MODULES, RANDOM_PARTS, AmbientTracker

NOTHING_SET = dict.fromkeys(("pandas.options", "matplotlib.rc"), msgspec.msgpack.encode([{}, []]))
"""Options of libraries that a worker loads later on, as nobody has set any."""


def import_random_streams() -> None:
    """Load numpy where it is installed: its random stream begins as the process's own, or as it is set below."""
    with contextlib.suppress(ImportError):
        importlib.import_module("numpy.random")


def begin_streams(key: str) -> None:
    """Give the random streams the start that belongs to a component: another one for each, the same one each time."""
    import random

    start = int(key[:8], 16)
    random.seed(start)
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed(start)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(start)


def without_seeded(parts: Mapping[str, bytes]) -> dict[str, bytes]:
    """Leave out the streams that `begin_streams` sets as a whole: numpy's, while it is of the kind that it was."""
    numpy: Any = sys.modules.get("numpy.random")
    kind = getattr(numpy, "get_bit_generator", None)  # from 1.24 on; the kind cannot be changed before
    is_seeded = kind is None or type(kind()).__name__ == "MT19937"
    seeded = {"random", "numpy.random"} if is_seeded else {"random"}
    return {part: data for part, data in parts.items() if part not in seeded}


def changed_parts(
    start: Mapping[str, bytes], after: Mapping[str, bytes], source: str, *, has_imported: bool
) -> set[str]:
    """Return the parts of the surroundings that a cell changed, without what importing libraries does by itself."""
    found = set()
    for part, now in after.items():
        then = start.get(part)
        if part == MODULES or now == then:
            continue
        is_new = then is None and part not in RANDOM_PARTS and _is_as_imported(part, now)
        if is_new or (has_imported and then is not None and imports.is_unnamed(part, then, now, source)):
            continue
        found.add(part)
    return found


def may_seed(paths: Iterable[str]) -> bool:
    """True if some code in these files may set a random stream."""
    for path in paths:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if path.endswith((".py", ".ipy")) and looks_seeding(Path(path).read_text("utf-8")):
                return True
    return False


def _is_as_imported(part: str, now: bytes) -> bool:
    """True for what a library has set when it was just imported, and as inline plots have it."""
    decoded = msgspec.msgpack.decode(now)
    if part in NOTHING_SET:
        return decoded in ([{}, []], [{"interactive": True}, []])
    return not decoded


def fixed_streams(ambient: AmbientTracker) -> dict[str, bytes]:
    """Give the random streams of a worker a fixed start and return all surroundings then."""
    import random

    random.seed(0)
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed(0)
    return ambient.capture()


def show_plots() -> None:
    """Have the inline backend draw what a cell plots, as in a kernel: it does where pyplot is interactive."""
    matplotlib: Any = sys.modules.get("matplotlib")
    if matplotlib is None or "matplotlib.pyplot" not in sys.modules:
        return
    if matplotlib.get_backend() in ("inline", "module://matplotlib_inline.backend_inline"):
        importlib.import_module("matplotlib_inline.backend_inline")
        matplotlib.interactive(True)


__all__ = [
    "NOTHING_SET",
    "begin_streams",
    "changed_parts",
    "fixed_streams",
    "import_random_streams",
    "may_seed",
    "show_plots",
    "without_seeded",
]
