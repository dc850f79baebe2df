"""What the benchmark runs inside a kernel: imported as a module, so that it leaves no name in the user's namespace.

Invariant: returns plain literals (the harness reads their repr). Every variant's kernel imports this file and warms up
the same libraries, so that what one peer imports by itself is no advantage; peers are imported where they are used.
"""

from __future__ import annotations

import importlib
import pickle
import time
import types
from pathlib import Path
from typing import Any


def user_variables(shell: Any) -> dict[str, Any]:
    """Return what a user would call their variables: no IPython names, no underscores, no peers' handles."""
    hidden = shell.user_ns_hidden
    return {
        name: value
        for name, value in shell.user_ns.items()
        if not name.startswith("_")
        and name not in {"In", "Out", "get_ipython", "exit", "quit", "open", "init_kishu"}
        and not (name in hidden and hidden[name] is value)
    }


def final_state(shell: Any, path: str, repeats: int) -> tuple[int, float]:
    """Pickle the variables (protocol 5, in band, modules left out); return bytes and the best time of a warm load."""
    values = {k: v for k, v in user_variables(shell).items() if not isinstance(v, types.ModuleType)}
    target = Path(path)
    with target.open("wb") as stream:
        pickle.dump(values, stream, protocol=5)
    target.read_bytes()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        with target.open("rb") as stream:
            loaded = pickle.load(stream)
        times.append(time.perf_counter() - began)
        del loaded
    size = target.stat().st_size
    target.unlink()
    return size, min(times)


def warm_up() -> None:
    """Import the libraries of the workloads before anything is measured, in every variant alike."""
    for name in ("numpy", "pandas", "sklearn.ensemble", "sklearn.linear_model"):
        importlib.import_module(name)


def install_dill(shell: Any, folder: str) -> str:
    """After each cell, dump the whole namespace into a new file, before the reply leaves."""
    import dill

    numbers = iter(range(10**9))

    def dump(result: Any) -> None:
        with (Path(folder) / f"{next(numbers)}.dill").open("wb") as stream:
            dill.dump(user_variables(shell), stream)

    shell.events.register("post_run_cell", dump)
    return dill.__version__


def undo_kishu(handle: Any) -> tuple[float, float]:
    """Do what Kishu's own `undo` does once it has found the kernel; return seconds by clock and by processor."""
    from kishu.storage.commit import CommitEntryKind

    began, began_cpu = time.perf_counter(), time.process_time()
    ids = [node.commit_id for node in handle._kishu_graph.list_history()]
    entries = handle._kishu_commit.get_commits(ids)
    automatic = [entries[i] for i in ids if entries[i].kind == CommitEntryKind.jupyter]
    handle.checkout(automatic[1].commit_id, skip_notebook=True)
    return time.perf_counter() - began, time.process_time() - began_cpu


def undo_cellar() -> tuple[float, float]:
    """Undo one cell as a request of `cellar undo` does; return seconds from request to swap, and all processor seconds.

    What comes after the swap (the look at what stayed, the commit of the undo) is in the processor seconds.
    """
    from nbcellar.session import remote

    began_cpu = time.process_time()
    result = remote.perform("undo", {})
    return float(result["seconds"]), time.process_time() - began_cpu


def wait_saved() -> bool:
    """Return once nothing of the session is pending; True if all of it is durable."""
    from nbcellar.session import remote

    return bool(remote.perform("wait_saved", {})["saved"])


_moments: list[tuple[int, int, int]] = []


def note_undos() -> None:
    """From now on, note when a request that changes variables came, when they were changed and when it was answered.

    That is three readings of the clock, and nothing that waits or looks at a variable.
    """
    from nbcellar.session import remote, restore

    handle, swap = remote.handle, restore.Restorer._swap
    swapped: list[int] = []

    def noting_swap(*args: Any) -> None:
        swap(*args)
        swapped.append(time.time_ns())

    def noting_handle(encoded: str) -> str:
        swapped.clear()
        came = time.time_ns()
        answer = handle(encoded)
        if swapped:
            _moments.append((came, swapped[-1], time.time_ns()))
        return answer

    restore.Restorer._swap = noting_swap  # type: ignore[method-assign]
    remote.handle = noting_handle


def take_moments() -> tuple[int, int, int]:
    """Return what was noted of the last change: nanoseconds since 1970."""
    [found] = _moments
    _moments.clear()
    return found


def undo_from_inside() -> tuple[int, int, int]:
    """Undo one cell as a request does that needs no server and no connection; return what `take_moments` does."""
    import base64
    import json

    from nbcellar import __version__
    from nbcellar.session import remote

    request = {"protocol": remote.PROTOCOL, "version": __version__, "command": "undo", "args": {}}
    answer = json.loads(base64.b64decode(remote.handle(base64.b64encode(json.dumps(request).encode()).decode())))
    if not answer["ok"]:
        raise RuntimeError(answer["error"])
    return take_moments()
