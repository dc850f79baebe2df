"""Measure pipelines beside other tools and beside the best schedule: `python benchmarks/pipeline.py [--quick]`.

The peers (Dask, Hamilton, redun, joblib) are installed from the package index into `.venv-pipeline-peers` at the first
run. One Markdown table on standard output, progress on standard error. Times are seconds by the clock, processor time
in brackets.

- graph: ten components that keep a processor busy, two workers that are warm, beside two bare processes that get the
  same work in the best order, and Dask with its default settings. Pairs run in turns; the ratio is the median of
  the pairs'. `over`: processor time beyond the work. With --dask also on a Dask cluster of Cellar's own.
- start: two workers until they are ready, which the graph does not count.
- nothing to do: sixty components whose results are there, in a process that has loaded everything; the best of five.
- inference: a plain notebook of sixty cells; the best of five.
- store: 40 MB through six components that read it, and through six that put something into it.
- cached: a run of such a chain with nothing to do, its value loaded, beside loading a pickle of it; the best of five.
- cut-off: the first of sixty is edited and comes to the same value, then to another one, then it is as it was.

Nothing here is asserted in tests: a figure depends on the machine, so read the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pipeline_inputs
from nbcellar.api.pipelines import load_results, run_pipeline
from nbcellar.components.reading import read_pipeline
from nbcellar.history.repository import Repository
from nbcellar.notebook.codec import read
from nbcellar.pipeline.executors import Executor, Processes

HERE = Path(__file__).parent
PEERS = HERE.parent / ".venv-pipeline-peers"
WANTED = ("dask[distributed]==2026.8.*", "redun==0.44.*", "sf-hamilton==1.90.*", "joblib==1.6.*", "numpy", "pandas")
MBYTES = 40


class Cost(NamedTuple):
    """Seconds by the clock and of processors."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:.3f} ({self.cpu:.3f})"


class Line(NamedTuple):
    what: str
    ours: str
    bar: str
    peers: str


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="little work: does everything run?")
    parser.add_argument("--no-peers", action="store_true", help="Cellar and the best schedule alone")
    parser.add_argument("--dask", action="store_true", help="the graph on a Dask cluster as well (nbcellar[dask])")
    parser.add_argument("--repeat", type=int, default=5, help="pairs of runs of the graph")
    parser.add_argument("--only", action="append", choices=sorted(PARTS), help="this part; repeatable")
    options = parser.parse_args(arguments)
    if not options.no_peers:
        make_peers()
    print("| what | Cellar | bar | beside |\n|---|---|---|---|")
    with own_home():
        for name in options.only or PARTS:
            print(f"{name} ...", file=sys.stderr)
            for line in PARTS[name](options):
                print(f"| {line.what} | {line.ours} | {line.bar} | {line.peers} |", flush=True)
    return 0


def make_peers() -> None:
    made, wanted = PEERS / ".made", "\n".join(WANTED)
    if made.exists() and made.read_text() == wanted:
        return
    print("installing the peers ...", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(PEERS)], check=True)
    subprocess.run([str(PEERS / "bin" / "python"), "-m", "pip", "install", "-qq", *WANTED], check=True)
    made.write_text(wanted)


@contextmanager
def own_home() -> Iterator[None]:
    """A key and settings of the benchmark's own."""
    with tempfile.TemporaryDirectory() as name:
        before = dict(os.environ)
        os.environ.update(HOME=name, XDG_CONFIG_HOME=f"{name}/config", XDG_DATA_HOME=f"{name}/data")
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


@contextmanager
def project(cells: dict[str, str]) -> Iterator[Path]:
    """A repository with one notebook in it."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve()
        Repository.create(root).close()
        yield pipeline_inputs.write(root / "nb.ipynb", cells)


def run(notebook: Path, executor: Executor, **options: object) -> str:
    """Run what is needed; return the names of what ran."""
    done = run_pipeline(notebook.name, folder=notebook.parent, on=executor, **options)  # type: ignore[arg-type]
    if not done.is_ok:
        raise RuntimeError(str([step.error for step in done.steps if step.error]))
    return " ".join(step.name for step in done.steps if step.state == "done")


def cost(work: Callable[[], object], *, children: Processes | None = None) -> Cost:
    """Return what one call costs, the work of its workers included."""
    wall, cpu = time.perf_counter(), time.process_time() + _of_workers(children)
    work()
    return Cost(time.perf_counter() - wall, time.process_time() + _of_workers(children) - cpu)


def _of_workers(executor: Processes | None) -> float:
    """Return the processor time of worker processes that are there, from /proc; 0 where there is none."""
    total = 0.0
    for child in [*executor._idle, *executor._busy] if executor is not None else []:
        try:
            words = Path(f"/proc/{child.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    return total


def best(work: Callable[[], object], rounds: int = 5) -> Cost:
    return min(cost(work) for _ in range(rounds))


def peer(what: str, folder: Path, seconds: float = 0.0, *, rounds: int = 1) -> Cost:
    """Run a peer's work in the peers' environment; the last of some rounds on the same folder."""
    python = sys.executable if what == "bare" else str(PEERS / "bin" / "python")
    words = [python, str(HERE / "pipeline_peers.py"), what, str(folder), str(seconds)]
    environ = os.environ | {"PYTHONPATH": str(HERE)}
    for _ in range(rounds):
        done = subprocess.run(words, check=True, capture_output=True, text=True, env=environ)
    found = json.loads(done.stdout.splitlines()[-1])
    return Cost(found["wall_s"], found["cpu_s"])


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


# parts ----------------------------------------------------------------------------------------------------------------


def graphs(options: argparse.Namespace) -> list[Line]:
    lines = []
    lengths = (0.05,) if options.quick else (0.2, 1.0)
    bars = {"process": 1.05} | ({"Dask": 1.10} if options.dask else {})
    for seconds in lengths:
        repeat = max(options.repeat if seconds < 0.5 else options.repeat // 2, 1)
        theirs = _dask_default(options, seconds)
        lines += [_graph(name, seconds, repeat, bar, theirs) for name, bar in bars.items()]
    return lines


def _graph(name: str, seconds: float, repeat: int, bar: float, theirs: str) -> Line:
    pairs = []
    for _ in range(repeat):
        with project(pipeline_inputs.graph(seconds)) as notebook, warm_executor(name, notebook.parent) as executor:
            ideal = peer("bare", notebook.parent, seconds)
            workers = executor if isinstance(executor, Processes) else None
            pairs.append((cost(lambda nb=notebook, on=executor: run(nb, on), children=workers), ideal))  # type: ignore[misc]
    ratio = statistics.median(ours.wall / ideal.wall for ours, ideal in pairs)
    least, fastest = min(ours.wall for ours, _ in pairs), min(ideal.wall for _, ideal in pairs)
    over = f", over {min(ours.cpu for ours, _ in pairs) - 10 * seconds:.2f}" if name == "process" else ""
    return Line(
        f"graph of {seconds:g} s, {name}: wall / best schedule (least wall{', cpu' if over else ''})",
        f"{ratio:.3f} (least {least:.2f}{over})",
        f"{bar:.2f}",
        f"best schedule {fastest:.2f}, ideal {pipeline_inputs.IDEAL * seconds:.2f}{theirs}",
    )


@contextmanager
def warm_executor(name: str, folder: Path) -> Iterator[Executor]:
    """Two workers that have run something already: the first component that a worker runs is not counted."""
    if name == "Dask":
        from nbcellar.pipeline.dask_executor import Dask

        executor: Executor = Dask(folder, workers=2)
    else:
        executor = Processes(2)
    try:
        cells = {f"warm{n}": f"import time\nv{n} = time.sleep(0.2)" for n in range(4)}
        run(pipeline_inputs.write(folder / "warm.ipynb", cells), executor)
        yield executor
    finally:
        executor.close()


def _dask_default(options: argparse.Namespace, seconds: float) -> str:
    if options.no_peers:
        return ""
    with tempfile.TemporaryDirectory() as name:
        rounds = [(peer("dask", Path(name), seconds), peer("bare", Path(name), seconds)) for _ in range(2)]
    return f"; Dask, default {min(dask.wall / bare.wall for dask, bare in rounds):.2f} of it"


def starts(options: argparse.Namespace) -> list[Line]:
    found = []
    for _ in range(1 if options.quick else 3):
        workers = Processes(2)
        try:
            found.append(cost(workers.warm).wall)
            cpu = _of_workers(workers)
        finally:
            workers.close()
    return [Line("start of two workers, wall (cpu of both)", f"{min(found):.2f} ({cpu:.2f})", "", "listed apart")]


def nothings(options: argparse.Namespace) -> list[Line]:
    executor = Processes(2)
    try:
        with project(pipeline_inputs.sixty()) as notebook:
            first = cost(lambda: run(notebook, executor), children=executor)
            if ran := run(notebook, executor):
                raise RuntimeError(f"not cached: {ran}")
            again = best(lambda: run(notebook, executor))
            words = [str(Path(sys.executable).with_name("cellar")), "pipeline", "run", notebook.name]
            whole = min(_process(words, notebook.parent) for _ in range(1 if options.quick else 3))
    finally:
        executor.close()
    said = ""
    if not options.no_peers:
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            said = f"Hamilton {peer('hamilton-sixty', Path(one), rounds=2)}, "
            said += f"redun {peer('redun-sixty', Path(two), rounds=2)}"
    return [
        Line("60 components, nothing to do", str(again), "0.150", said),
        Line("the same, `cellar pipeline run` as a whole process", str(whole), "", f"first run {first}"),
    ]


def _process(words: list[str], folder: Path) -> Cost:
    wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, cwd=folder, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.perf_counter() - wall, cpu)


def inferences(options: argparse.Namespace) -> list[Line]:
    with tempfile.TemporaryDirectory() as name:
        data = pipeline_inputs.write(Path(name) / "nb.ipynb", pipeline_inputs.plain(), components=False).read_bytes()
    found = read_pipeline(read(data))
    return [
        Line(
            f"inference on 60 plain cells ({len(found.components)} components, {len(found.edges)} edges)",
            str(best(lambda: read_pipeline(read(data)))),
            "0.100",
            "",
        )
    ]


def chains(options: argparse.Namespace) -> list[Line]:
    lines = []
    mbytes = 4 if options.quick else MBYTES
    executor = Processes(2)
    try:
        for grows in (False, True):
            with project(pipeline_inputs.chain(mbytes, grows=grows)) as notebook:
                before = bytes_in(notebook.parent / ".cellar")
                run(notebook, executor)
                stored = (bytes_in(notebook.parent / ".cellar") - before) / 1e6
                if run(notebook, executor):
                    raise RuntimeError("not cached")
                what = "put something into it" if grows else "read it"
                lines.append(
                    Line(
                        f"store of {mbytes} MB, six components that {what}: MB / {mbytes}",
                        f"{stored / mbytes:.2f}",
                        "1.20",
                        _peers_chain(options) if grows else "",
                    )
                )
                if grows:
                    lines += _cached(notebook, executor)
    finally:
        executor.close()
    return lines


def _cached(notebook: Path, executor: Executor) -> list[Line]:
    def load() -> object:
        return load_results(notebook.name, "frame", folder=notebook.parent)

    def whole() -> object:
        run(notebook, executor)
        return load()

    frame = load_results(notebook.name, "frame", folder=notebook.parent)["frame"]
    file = notebook.parent / "frame.pickle"
    file.write_bytes(pickle.dumps(frame, protocol=5))
    plain = best(lambda: pickle.loads(file.read_bytes()))
    both = best(whole)
    over = both.wall - 1.2 * plain.wall
    return [
        Line("cached run of the chain and its value loaded", str(both), f"{1.2 * plain.wall + 0.15:.3f}", ""),
        Line("the same, beyond 1.2 x loading a pickle", f"{over:.3f}", "0.150", f"the pickle {plain}"),
        Line("loading alone (`load_results`)", str(best(load)), "", ""),
    ]


def _peers_chain(options: argparse.Namespace) -> str:
    if options.no_peers:
        return ""
    found = []
    for name in ("joblib", "Hamilton", "redun"):
        with tempfile.TemporaryDirectory() as folder:
            again = peer(f"{name.lower()}-chain", Path(folder), rounds=2)
            found.append(f"{name} {bytes_in(Path(folder) / 'store') / 1e6 / MBYTES:.2f}, again {again}")
    return "; ".join(found)


def cut_offs(options: argparse.Namespace) -> list[Line]:
    executor = Processes(2)
    cells = pipeline_inputs.sixty()
    try:
        with project(cells) as notebook:
            run(notebook, executor)
            lines = []
            for what, edit in (
                ("to the same value", "import numpy as np\nv0 = np.array(range(1000))"),
                ("to another one", "import numpy as np\nv0 = np.arange(1000, 2000)"),
            ):
                pipeline_inputs.write(notebook, cells | {"c0": edit})
                ran: list[str] = []
                spent = cost(lambda: ran.append(run(notebook, executor)), children=executor)  # noqa: B023
                text = f"{len(ran[0].split())} of 60 ran: {spent}"
                lines.append(Line(f"the first of 60 is edited, {what}", text, "", ""))
            pipeline_inputs.write(notebook, cells)
            back = cost(lambda: ran.append(run(notebook, executor)), children=executor)
            lines.append(Line("and back", f"{len(ran[-1].split())} of 60 ran: {back}", "", ""))
    finally:
        executor.close()
    return lines


PARTS: dict[str, Callable[[argparse.Namespace], list[Line]]] = {
    "graph": graphs,
    "start": starts,
    "nothing": nothings,
    "inference": inferences,
    "chain": chains,
    "cut-off": cut_offs,
}


if __name__ == "__main__":
    sys.exit(main())
