"""Threads and tasks of the user, as against those of the kernel: while one runs, anything may change at any time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from typing import Any

_KERNEL_PACKAGES = frozenset(
    {"ipykernel", "IPython", "zmq", "tornado", "debugpy", "_pydevd_bundle", "pydevd", "asyncio", "nbcellar"}
)
# Threads that libraries keep for themselves and that run no function of the user.
_LIBRARY_MODULES = (
    "joblib.",
    "loky.",
    "jupyter_core.",
    "multiprocessing.queues.",
    "concurrent.futures.process.",
    "tqdm.",
)
_before: set[int] = set()


def remember_threads() -> None:
    """Count the threads that run now as the kernel's: for a kernel that has run no cell yet."""
    _before.update(thread.ident for thread in threading.enumerate() if thread.ident is not None)


def user_threads() -> tuple[str, ...]:
    """Return names of live threads that neither the kernel nor Cellar started."""
    return tuple(
        thread.name
        for thread in threading.enumerate()
        if thread is not threading.main_thread() and thread.ident not in _before and not _is_kernel(thread)
    )


def _is_kernel(thread: threading.Thread) -> bool:
    target: Any = getattr(thread, "_target", None)
    makers = (type(thread).__module__, getattr(target, "__module__", None) or "")
    return any(
        maker.partition(".")[0] in _KERNEL_PACKAGES or f"{maker}.".startswith(_LIBRARY_MODULES) for maker in makers
    )


def background_reason() -> str:
    """Return why others than the cell may change variables; empty when nobody can."""
    threads = user_threads()
    if threads:
        return f"thread {threads[0]} is running"
    return "an asyncio task of the notebook is running" if user_tasks() else ""


def user_tasks() -> frozenset[asyncio.Task[Any]]:
    """Return the tasks of the kernel's loop that run code of the notebook."""
    try:
        tasks = asyncio.all_tasks(asyncio.get_running_loop())
    except RuntimeError:
        return frozenset()
    codes = ((task, getattr(task.get_coro(), "cr_code", None)) for task in tasks)
    return frozenset(task for task, code in codes if code is not None and is_user_code(code.co_filename))


def end_tasks(tasks: Iterable[asyncio.Task[Any]]) -> bool:
    """Cancel tasks; True if there were any."""
    found = list(tasks)
    for task in found:
        task.cancel()
    return bool(found)


def is_user_code(filename: str) -> bool:
    """True for the file names that IPython gives cells."""
    return "ipykernel_" in filename or filename.startswith("<ipython-input")
