"""Run one workload in one variant and return its figures as frozen data.

Invariant: every variant is sent the same requests in the same order, the silent ones that ask whether all is saved
included, so that a difference of processor time is the variant's own.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kernel import CellTimes, Kernel
from variants import Variant, environment, prepare, prepare_cellar
from workloads import Workload

UNDO_ROUNDS = 3
LOAD_ROUNDS = 5
AT_ONCE = 20
REST_S = 2.0


@dataclass(frozen=True)
class Undo:
    """Medians in seconds; `right` says whether the probe's value came back each time."""

    wall_s: float
    cpu_s: float
    right: bool


@dataclass(frozen=True)
class Figures:
    """What one kernel did in one workload. Times in seconds, sizes in bytes; None: the variant has no such thing."""

    variant: str
    setup_cpu_s: float
    cell_cpu_s: tuple[float, ...]
    reply_s: tuple[float, ...]
    idle_s: tuple[float, ...]
    output_s: tuple[float, ...]
    rest_cpu_s: float  # processor time of the kernel in some idle seconds after the last cell
    all_s: float  # the counted cells once more, sent at once, until the last reply
    printed: tuple[str, ...]
    stored_bytes: int
    stored_at_mark: tuple[int, ...]
    state_bytes: int  # of the bare kernel only, with the time of loading it
    load_s: float
    undo: Undo | None
    undo_untouched: Undo | None

    @property
    def cpu_s(self) -> float:
        """Processor time of all counted cells until saved."""
        return sum(self.cell_cpu_s)


def measure(workload: Workload, variant: Variant) -> Figures:
    """Run the workload in a fresh kernel and folder."""
    python = variant.python()
    with tempfile.TemporaryDirectory(prefix="cellar-bench-") as name:
        folder = Path(name).resolve()
        prepare(folder)
        if variant.name == "cellar":
            prepare_cellar(folder)
        with Kernel(python, folder, environment(folder)) as kernel:
            kernel.ask("__import__('inkernel').warm_up()")
            variant.install(kernel, folder)
            return _measure(workload, variant, kernel, folder)


def combine(runs: Sequence[Figures]) -> Figures:
    """Return the median of several runs, figure by figure and cell by cell; an undo is right if all were."""
    first = runs[0]
    return replace(
        first,
        setup_cpu_s=statistics.median(run.setup_cpu_s for run in runs),
        cell_cpu_s=_medians(run.cell_cpu_s for run in runs),
        reply_s=_medians(run.reply_s for run in runs),
        idle_s=_medians(run.idle_s for run in runs),
        output_s=_medians(run.output_s for run in runs),
        rest_cpu_s=statistics.median(run.rest_cpu_s for run in runs),
        all_s=statistics.median(run.all_s for run in runs),
        stored_bytes=statistics.median_high(run.stored_bytes for run in runs),
        load_s=statistics.median(run.load_s for run in runs),
        undo=_combine_undo([run.undo for run in runs]),
        undo_untouched=_combine_undo([run.undo_untouched for run in runs]),
    )


def _medians(lines: Iterable[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(statistics.median(column) for column in zip(*lines, strict=True))


def _combine_undo(undos: Sequence[Undo | None]) -> Undo | None:
    found = [undo for undo in undos if undo is not None]
    if not found:
        return None
    return Undo(
        statistics.median(undo.wall_s for undo in found),
        statistics.median(undo.cpu_s for undo in found),
        all(undo.right for undo in found),
    )


def _measure(workload: Workload, variant: Variant, kernel: Kernel, folder: Path) -> Figures:
    setup = [kernel.run(source, variant.saved) for source in workload.setup]
    marks: list[int] = []
    cells: list[CellTimes] = []
    for number, source in enumerate(workload.cells, start=1):
        cells.append(kernel.run(source, variant.saved))
        if number in workload.marks:
            marks.append(variant.stored_bytes(folder))
    before = kernel.cpu_s()
    time.sleep(REST_S)
    rest = kernel.cpu_s() - before
    stored = variant.stored_bytes(folder)
    undo = _undo(kernel, variant, workload.last, workload.probe)
    untouched = _undo(kernel, variant, workload.untouched, workload.untouched_probe) if workload.untouched else None
    all_s = kernel.run_at_once(workload.cells[:AT_ONCE])
    kernel.ask(variant.saved)
    size, load = _final_state(kernel, folder) if variant.name == "bare" else (0, 0.0)
    return Figures(
        variant=variant.name,
        setup_cpu_s=sum(cell.cpu_s for cell in setup),
        cell_cpu_s=tuple(cell.cpu_s for cell in cells),
        reply_s=tuple(cell.reply_s for cell in cells),
        idle_s=tuple(cell.idle_s for cell in cells),
        output_s=tuple(cell.output_s for cell in cells),
        rest_cpu_s=rest,
        all_s=all_s,
        printed=tuple(cell.text for cell in cells),
        stored_bytes=stored,
        stored_at_mark=tuple(marks),
        state_bytes=size,
        load_s=load,
        undo=undo,
        undo_untouched=untouched,
    )


def _final_state(kernel: Kernel, folder: Path) -> tuple[int, float]:
    """Return the size of the variables as a pickle and the time of loading it; of the bare kernel."""
    path = str(folder / "state.pickle")
    size, load = kernel.ask(f"__import__('inkernel').final_state(get_ipython(), {path!r}, {LOAD_ROUNDS})")
    return int(size), float(load)


def _undo(kernel: Kernel, variant: Variant, last: str, probe: str) -> Undo | None:
    """Run the last cell and undo it, some times over."""
    if variant.undo is None:
        return None
    expression = variant.undo
    walls, cpus, right = [], [], []
    before = kernel.ask(f"repr({probe})")
    for _ in range(UNDO_ROUNDS):
        kernel.run(last, variant.saved)
        changed = kernel.ask(f"repr({probe})")
        wall, cpu = kernel.ask(expression)
        kernel.ask(variant.saved)
        walls.append(wall)
        cpus.append(cpu)
        right.append(kernel.ask(f"repr({probe})") == before != changed)
    return Undo(statistics.median(walls), statistics.median(cpus), all(right))


def median_ms(values: Iterable[float]) -> float:
    """Return the median of seconds, in milliseconds."""
    return statistics.median(values) * 1000
