"""Runs what others do for the same work: `pipeline_peers.py WHAT FOLDER SECONDS`, in the peers' environment.

Prints one JSON object: `wall_s` and `cpu_s` of the work, without start-up. `bare` is no tool but the best schedule:
two processes that get the components in order as soon as these can run. Imported by nobody: it runs under another
Python, which has the peers but not Cellar. `pipeline_inputs.py` is the only other file of ours that it needs.
"""

from __future__ import annotations

import json
import os
import resource
import selectors
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline_inputs import GRAPH

MBYTES = 40


def main(words: list[str]) -> None:
    what, folder, seconds = words
    os.chdir(folder)
    print(json.dumps(_WORK[what](float(seconds))))


def spin(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def measured(work: Callable[[], object]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), _cpu()
    work()
    return {"wall_s": time.perf_counter() - wall, "cpu_s": _cpu() - cpu}


def _cpu() -> float:
    found = resource.getrusage(resource.RUSAGE_SELF)
    return found.ru_utime + found.ru_stime


# the graph ------------------------------------------------------------------------------------------------------------


def bare(seconds: float) -> dict[str, float]:
    pipes = []
    for _ in range(2):
        there, here = os.pipe(), os.pipe()
        if os.fork() == 0:
            while (name := os.read(there[0], 64)) != b"end":
                spin(seconds)
                os.write(here[1], name)
            os._exit(0)
        pipes.append((there[1], here[0]))
    found = measured(lambda: _schedule(pipes))
    for pipe in pipes:
        os.write(pipe[0], b"end")
        os.wait()
    return found


def _schedule(pipes: list[tuple[int, int]]) -> None:
    done: set[str] = set()
    todo, idle = list(GRAPH), list(pipes)
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe[1], selectors.EVENT_READ, pipe)
        while len(done) < len(GRAPH):
            for name in [name for name in todo if done.issuperset(GRAPH[name])][: len(idle)]:
                todo.remove(name)
                os.write(idle.pop()[0], name.encode())
            for key, _ in selector.select():
                done.add(os.read(key.data[1], 64).decode())
                idle.append(key.data)


def dask(seconds: float) -> dict[str, float]:
    import dask
    from distributed import Client, LocalCluster

    @dask.delayed(pure=False)  # type: ignore[untyped-decorator]
    def component(*_: object) -> int:
        spin(seconds)
        return 1

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,  # type: ignore[no-untyped-call]
        Client(cluster) as client,  # type: ignore[no-untyped-call]
    ):
        client.gather(client.map(lambda n: n, range(4), pure=False))
        made: dict[str, Any] = {}
        for name, parents in GRAPH.items():
            made[name] = component(*(made[parent] for parent in parents))
        return measured(lambda: client.compute(made["report"]).result())


# caches ---------------------------------------------------------------------------------------------------------------


def _frame() -> Any:
    import numpy as np
    import pandas as pd

    rows = MBYTES * 1_000_000 // (50 * 8)
    return pd.DataFrame(np.random.default_rng(0).random((rows, 50)), columns=[f"x{n}" for n in range(50)])


def _step(frame: Any, number: int) -> Any:
    return frame.assign(**{f"flag{number}": frame[f"x{number}"] > 0.5})


def joblib_chain(_: float) -> dict[str, float]:
    from joblib import Memory

    memory = Memory("store", verbose=0)
    made, step = memory.cache(_frame), memory.cache(_step)

    def work() -> None:
        frame = made()
        for number in range(1, 6):
            frame = step(frame, number)

    return measured(work)


def hamilton_chain(_: float) -> dict[str, float]:
    found = [
        "import pipeline_peers as p",
        "import pandas as pd",
        "def frame0() -> pd.DataFrame:",
        "    return p._frame()",
    ]
    for number in range(1, 6):
        found.append(f"def frame{number}(frame{number - 1}: pd.DataFrame) -> pd.DataFrame:")
        found.append(f"    return p._step(frame{number - 1}, {number})")
    return _hamilton("hamilton_chain_nodes", found, "frame5")


def hamilton_sixty(_: float) -> dict[str, float]:
    found = ["import numpy as np", "def v0() -> np.ndarray:", "    return np.arange(1000)"]
    for number in range(1, 60):
        one, two = max(number - 6, 0), max(number - 5, 0) if number > 5 else 0
        given = ", ".join(f"v{at}: np.ndarray" for at in dict.fromkeys((one, two)))
        found.append(f"def v{number}({given}) -> np.ndarray:")
        found.append(f"    return np.concatenate([v{one}[:500], v{two}[:500]]) + {number}")
    return _hamilton("hamilton_sixty_nodes", found, *(f"v{at}" for at in range(54, 60)))


def _hamilton(name: str, lines: list[str], *wanted: str) -> dict[str, float]:
    import importlib

    from hamilton import driver

    Path(f"{name}.py").write_text("\n".join(lines))
    sys.path.insert(0, str(Path.cwd()))
    module = importlib.import_module(name)
    found = driver.Builder().with_modules(module).with_cache(path="store").build()
    return measured(lambda: found.execute(list(wanted)))


def redun_chain(_: float) -> dict[str, float]:
    from redun import task

    made = task(name="made", namespace="bench")(_frame)
    step = task(name="step", namespace="bench")(_step)

    def whole() -> Any:
        frame = made()
        for number in range(1, 6):
            frame = step(frame, number)
        return frame

    return _redun(task(name="whole", namespace="bench")(whole))


def redun_sixty(_: float) -> dict[str, float]:
    import numpy as np
    from redun import task

    first = task(name="first", namespace="bench")(lambda: np.arange(1000))
    join = task(name="join", namespace="bench")(_join)

    def whole() -> Any:
        values = [first()]
        for number in range(1, 60):
            one, two = max(number - 6, 0), max(number - 5, 0) if number > 5 else 0
            values.append(join(values[one], values[two], number))
        return values[-6:]

    return _redun(task(name="whole", namespace="bench")(whole))


def _join(one: Any, two: Any, number: int) -> Any:
    import numpy as np

    return np.concatenate([one[:500], two[:500]]) + number


def _redun(whole: Any) -> dict[str, float]:
    import logging

    from redun import Scheduler
    from redun.config import Config

    logging.disable(logging.CRITICAL)
    Path("store").mkdir(exist_ok=True)
    scheduler = Scheduler(config=Config({"backend": {"db_uri": "sqlite:///store/redun.db"}}))
    scheduler.load()
    return measured(lambda: scheduler.run(whole()))


_WORK: dict[str, Callable[[float], dict[str, float]]] = {
    "bare": bare,
    "dask": dask,
    "joblib-chain": joblib_chain,
    "hamilton-chain": hamilton_chain,
    "hamilton-sixty": hamilton_sixty,
    "redun-chain": redun_chain,
    "redun-sixty": redun_sixty,
}

if __name__ == "__main__":
    main(sys.argv[1:])
