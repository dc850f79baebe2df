"""Components on a Dask cluster: what the other executors give, and what happens to what is under way.

Cells say by named pipes where they are, and wait there; nothing here waits for a time to pass.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from nbcellar.api.pipelines import PipelineRun, opened, run_pipeline
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId
from nbcellar.pipeline.executors import Executor, Processes

from .dask_support import BEGIN, FOR_EVER, WAIT, Cluster, error_of, in_background, indented, pipe, write
from .support import await_end, states

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def executors(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Iterator[dict[str, Executor]]:
    """All kinds of executors, by name."""
    from nbcellar.pipeline.dask_executor import Dask

    root = tmp_path_factory.mktemp("root")
    Repository.create(root).close()
    made: dict[str, Executor] = {"serial": Processes(1), "process": Processes(2)}
    made["dask"] = Dask(root, address=cluster.address)
    yield made
    for executor in made.values():
        executor.close()


DATA = {
    "load": "%matplotlib inline\nimport numpy as np, pandas as pd\nframe = pd.read_csv('data.csv')\n"
    "raw = np.arange(100_000.0)",
    "clean": "frame['double'] = frame['x'] * 2\nmean = frame.groupby('k').double.mean()",
    "draw": "sample = np.random.rand(1000)\nimport random\npicked = [random.random() for _ in range(5)]",
    "more": "again = np.random.rand(10)\ntotal = raw.sum() + sample.sum()",
    "picture": "import matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\naxes.plot(mean.values)\nplt.show()",
    "file": "frame.to_csv('out.csv')\nwritten = True",
    "model": "x = raw.reshape(-1, 10)\ng = x.T @ x\nweights = np.linalg.solve(g + np.eye(10), x.T @ x[:, 0])",
    "report": "result = {'total': total, 'rows': len(pd.read_csv('out.csv')), 'w': weights}\nresult",
}
CODE = {
    "setting": "%matplotlib inline\nfactor = 3\nimport asyncio",
    "function": "def area(size):\n    'doc'\n    return size * size * factor",
    "class": "class Shape:\n    def __init__(self, size): self.size = size\n    def area(self): return area(self.size)",
    "await": "await asyncio.sleep(0)\nshapes = [Shape(n) for n in range(3)]",
    "ring": "class Ring(Shape):\n    pass\nshapes.append(Ring(4))",
    "shell": "%%bash\necho hello > said.txt",
    "read": "said = !cat said.txt\nheld = open('said.txt').read()",
    "capture": "%%capture shown\nprint(held)",
    "edit": "alias = shapes\n[add(Shape(9)) for add in (alias.append,)]",
    "report": "print([one.area() for one in shapes], said, shown.stdout, isinstance(shapes[3], Shape))",
}
WRONG = {
    "tried": "with open('tries', 'a') as tries:\n    tries.write('x')\nif len(open('tries').read()) < 3: 1 / 0\nx = 1",
    "never": "print('before')\n\nint('none')",
    "after": "y = x + len(never_made)\nlen([])",
    "late": "import time\ntime.sleep(1000)",
    "gone": "import os\nos._exit(3)",
    "random": "import uuid\nonce = str(uuid.uuid4())[:0]",
    "report": "z = x + 1\nz",
}
SAME = ("key", "code", "reads", "parameters", "python", "modules", "classes", "consumed", "dropped", "unsure")
"""Facts of a result that have to be the same. Which files and packages it met depends on what runs beside it, and on
what its process had loaded before."""

POLICIES = {
    "tried": {"retries": 2},
    "never": {"retries": 1},
    "after": {"after": ["never"]},
    "late": {"timeout_s": 1},
    "random": {"cache": False},
}


@pytest.mark.parametrize(
    ("sources", "policies", "expected"),
    [
        pytest.param(DATA, {"report": {"after": ["file"]}}, {}, id="data, random numbers, plots, files"),
        pytest.param(CODE, {"read": {"after": ["shell"]}}, {}, id="magics, await, classes, aliases"),
        pytest.param(
            WRONG,
            POLICIES,
            {"never": "failed", "after": "blocked", "late": "failed", "gone": "failed"},
            id="failures, retries, timeouts",
        ),
    ],
)
def test_all_executors_give_identical_results(
    tmp_path: Path,
    executors: dict[str, Executor],
    sources: dict[str, str],
    policies: dict[str, dict[str, Any]],
    expected: dict[str, str],
) -> None:
    found, again = {}, {}
    for name, executor in executors.items():
        folder = tmp_path / name
        folder.mkdir()
        Repository.create(folder).close()
        (folder / "data.csv").write_text("k,x\n" + "".join(f"{n % 3},{n}\n" for n in range(90)))
        path = write(folder, sources, policies)
        found[name] = told(path, run_pipeline(path, on=executor, outputs=True))
        again[name] = states(run_pipeline(path, on=executor))
        stood = {id: step["state"] for id, step in found[name].items()}
        assert stood == dict.fromkeys(sources, "done") | expected, found[name]
    assert found["process"] == found["serial"]
    assert found["dask"] == found["serial"]
    assert again["dask"] == again["process"] == again["serial"]


def told(path: Path, done: PipelineRun) -> dict[str, dict[str, Any]]:
    """Return what a run says of each component, keys and digests, too."""
    with opened(path) as (_, cache):
        return {step.name: _told(step, cache, done) for step in done.steps}


def _told(step: Any, cache: Any, done: PipelineRun) -> dict[str, Any]:
    # What ran and was looked at again, for an edge that another showed, stands as cached.
    said: dict[str, Any] = {"state": "done" if step.state == "cached" else step.state}
    if step.error is not None:
        said["error"] = (step.error.name, step.error.message, step.error.line)
    if step.id in done.outputs:
        said["outputs"] = json.loads(bytes(done.outputs[step.id]))
    if step.result is not None:
        result = cache.read(CommitId(bytes.fromhex(step.result)))
        said |= {"values": result.values, "surroundings": result.surroundings, "defines": result.defines}
        said |= {name: getattr(result.facts, name) for name in SAME}
    return said


def test_what_cannot_be_stored_is_made_again(folder: Path, cluster: Cluster) -> None:
    path = write(
        folder, {"a": "import threading\nguard = threading.Lock()", "b": "with guard:\n    x = guard.locked()\nx"}
    )
    done = run_pipeline(path, executor="dask", address=cluster.address)
    assert states(done) == {"a": "done", "b": "done"}
    assert shown(path, done, "b") == "True"


def test_what_one_executor_did_another_finds(folder: Path, cluster: Cluster) -> None:
    path = write(folder, {"a": "x = 1", "b": "y = x + 1"})
    assert set(states(run_pipeline(path, executor="dask", address=cluster.address)).values()) == {"done"}
    assert set(states(run_pipeline(path, executor="serial")).values()) == {"cached"}


def test_a_component_of_a_killed_worker_runs_again(folder: Path, cluster: Cluster) -> None:
    pipe(folder, "began")
    first = "import os\nif not os.path.exists('first'):\n    open('first', 'w').close()\n"
    path = write(folder, {"a": first + indented(BEGIN + FOR_EVER) + "x = 1", "b": "y = x + 1"})
    run = in_background(lambda: run_pipeline(path, executor="dask", address=cluster.address))
    own, worker = map(int, (folder / "began").read_text().split())
    left = psutil.Process(own)
    os.kill(worker, signal.SIGKILL)
    assert states(run.result()) == {"a": "done", "b": "done"}
    assert psutil.wait_procs([left], timeout=30)[1] == []


def test_a_component_that_ends_its_worker_each_time_fails(folder: Path, cluster: Cluster) -> None:
    end = "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nimport time\ntime.sleep(1000)"
    path = write(folder, {"a": end, "b": "y = 2"})
    done = run_pipeline(path, executor="dask", address=cluster.address)
    assert states(done) == {"a": "failed", "b": "done"}
    assert error_of(done, "a").startswith("WorkerLost: its Dask worker was ended 2 times")


def test_a_component_that_ends_its_process_fails_alone(folder: Path, cluster: Cluster) -> None:
    path = write(folder, {"a": "import os\nos._exit(3)", "b": "y = 2"})
    done = run_pipeline(path, executor="dask", address=cluster.address)
    assert states(done) == {"a": "failed", "b": "done"}
    assert error_of(done, "a") == "WorkerLost: its process ended"


def test_retries_run_the_component_again(folder: Path, cluster: Cluster) -> None:
    (folder / "tries").write_text("")
    source = (
        "with open('tries', 'a') as tries:\n    tries.write('x')\nif len(open('tries').read()) < 3:\n    1 / 0\nx = 1"
    )
    path = write(folder, {"a": source}, {"a": {"retries": 2}})
    assert states(run_pipeline(path, executor="dask", address=cluster.address)) == {"a": "done"}
    assert (folder / "tries").read_text() == "xxx"


def test_a_component_is_ended_after_its_time(folder: Path, cluster: Cluster) -> None:
    path = write(folder, {"a": BEGIN + FOR_EVER, "b": "y = 1"}, {"a": {"timeout_s": 0.5}})
    done = run_pipeline(path, executor="dask", address=cluster.address)
    assert states(done) == {"a": "failed", "b": "done"}
    assert "it took longer than 0.5 s" in error_of(done, "a")
    began = folder / "began"  # a plain file: on a busy machine the time may be over before the cell has begun
    for own in began.read_text().split()[:1] if began.exists() else ():
        await_end(int(own))


def test_two_runs_at_once_share_what_is_in_flight(folder: Path, cluster: Cluster) -> None:
    began, go = pipe(folder, "began"), pipe(folder, "go")
    path = write(folder, {"a": "open('count', 'a').write('x')\n" + BEGIN + WAIT + "x = 1", "b": "y = x + 1"})
    first = in_background(lambda: run_pipeline(path, executor="dask", address=cluster.address))
    began.read_text()
    second = share(path, cluster)
    go.write_text("")
    assert states(first.result())["b"] == "done"
    assert set(states(second.result()).values()) <= {"done", "cached"}
    assert (folder / "count").read_text() == "x"


def share(path: Path, cluster: Cluster) -> Future[PipelineRun]:
    """Start another run of what is under way, and return when both wait for one task."""
    asked = pipe(path.parent, "asked")
    told: list[Any] = []

    def tell(step: Any) -> None:
        if step.state == "running" and not told:
            told.append(step)
            asked.write_text("now")

    run = in_background(lambda: run_pipeline(path, executor="dask", address=cluster.address, tell=tell))
    asked.read_text()
    wait_until_shared(cluster)
    return run


def wait_until_shared(cluster: Cluster) -> None:
    """Wait until a task is wanted by two clients."""
    import distributed

    async def wanted_twice(dask_scheduler: Any = None) -> None:
        import asyncio

        while not any(len(task.who_wants) > 1 for task in dask_scheduler.tasks.values()):
            await asyncio.sleep(0.01)

    with distributed.Client(cluster.address, set_as_default=False) as client:
        client.run_on_scheduler(wanted_twice)


@pytest.mark.parametrize("then", ["pass", "1 / 0"])
def test_what_is_in_flight_is_not_taken_once_a_file_has_changed(folder: Path, cluster: Cluster, then: str) -> None:
    began, go = pipe(folder, "began"), pipe(folder, "go")
    (folder / "data").write_text("old")
    source = "data = open('data').read()\nimport os\nif data == 'old':\n"
    path = write(folder, {"a": source + indented(BEGIN + WAIT + then) + "data"})
    first = in_background(lambda: run_pipeline(path, executor="dask", address=cluster.address))
    began.read_text()
    (folder / "data").write_text("new")
    second = share(path, cluster)
    go.write_text("")
    assert states(first.result()) == {"a": "done" if then == "pass" else "failed"}
    done = second.result()
    assert states(done) == {"a": "done"}
    assert shown(path, done, "a") == "new"


def shown(path: Path, done: PipelineRun, component: str) -> object:
    """Return the text of a component's last output."""
    with opened(path) as (_, cache):
        step = next(step for step in done.steps if step.name == component)
        assert step.result is not None
        outputs = msgspec.json.decode(cache.outputs(step.result))
    return outputs[-1]["data"]["text/plain"].strip("'")
