"""A record of a live session by means of its own: runs in the kernel, knows nothing of Cellar.

`take` forks. The child walks all variables, calls functions, draws figures, advances generators, asks models to
predict, writes what it found as JSON and ends at once: whatever it does, the session is not touched. Invariant: the
same session gives the same record, in this process and in another one; nothing is pickled.

What is compared: types, values, bytes of arrays, columns, dtypes and indexes of frames, code, closures and globals of
functions, definitions of classes, which objects are one and the same, which memory is shared, random streams, options,
pixels of figures. Not: order of sets, addresses, caches of libraries, where code says it came from.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import random
import re
import select
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from . import libraries, numpy_pandas, python_kinds  # they enter the kinds they know
from .record import Record

__all__ = ["begin", "libraries", "numpy_pandas", "python_kinds", "take", "variables"]

TIMEOUT_S = 120.0
_OWN = re.compile(r"_i?\d+|_+|_i+|In|Out|_[io]h|_dh|_sh|get_ipython|exit|quit|open|__\w+__|_exit_code")

_baseline: dict[str, object] = {}


def begin(namespace: Mapping[str, object]) -> None:
    """Note what a kernel has before the first cell; this is nobody's variable."""
    _baseline.clear()
    _baseline.update(namespace)


def variables(namespace: Mapping[str, object]) -> dict[str, object]:
    """Return the user's variables by name, sorted."""
    nothing = object()
    return {
        name: value
        for name, value in sorted(namespace.items())
        if not _OWN.fullmatch(name) and _baseline.get(name, nothing) is not value
    }


def take(namespace: dict[str, Any], calls: Sequence[str], target: str) -> int:
    """Write the record of the session to the file `target`; return how many variables there are.

    calls: expressions over the variables whose values belong to the record. Raises RuntimeError if the child fails.
    """
    stream = random.getstate()  # a fork seeds it anew in the child
    out, into = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python 3.12 warns of forks with threads; the child uses none
        child = os.fork()
    if child == 0:
        _in_child(namespace, calls, target, stream, into)
    os.close(into)
    try:
        said = _read(out)
    finally:
        os.close(out)
        with contextlib.suppress(OSError):
            os.kill(child, signal.SIGKILL)  # it has said all it had to
        os.waitpid(child, 0)
    if not said.isdigit():
        raise RuntimeError(said.decode(errors="replace") or "the child that takes the record died")
    return int(said)


def _read(out: int) -> bytes:
    said, until = b"", time.monotonic() + TIMEOUT_S
    while True:
        ready, _, _ = select.select([out], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            return b"the child that takes the record hangs"
        piece = os.read(out, 65536)
        if not piece:
            return said
        said += piece


def _in_child(namespace: dict[str, Any], calls: Sequence[str], target: str, stream: Any, into: int) -> None:
    said = b""
    try:
        gc.disable()
        sys.setrecursionlimit(20_000)
        warnings.simplefilter("ignore")
        record = Record(namespace, variables(namespace), calls, stream).as_json()
        with open(target, "w", encoding="utf-8") as file:
            json.dump(record, file)
        said = str(len(record["variables"])).encode()
    except BaseException:
        said = traceback.format_exc()[-3000:].encode(errors="replace")
    finally:
        os.write(into, said)
        os._exit(0)
