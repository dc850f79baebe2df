"""The session in JupyterLab, parts of `browser.py`: undo by its keys, and the dialog in which a commit is chosen.

- undo: a cell changes a variable, then Ctrl+K Z is pressed in JupyterLab. From the event of Z until the kernel has
  bound the old value, and until the notification is painted; beside it the same undo asked of the engine inside the
  kernel, in turns. When a value was bound is noted by the kernel itself: a reading of the clock after the swap of names
  (`inkernel.note_undos`), so that nothing polls. Both clocks are the machine's own.
- checkout: Ctrl+K V, until the list of commits is painted; and what the page does until it has read all of them.
"""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from browser_measuring import TASK_BAR_MS, Bench, Line, lab, press, studio, summary, traced
from browser_panels import PAINT_BAR_MS, long_notebook
from workloads import data_frame

UNDO_BAR_MS = 150
TOAST = ".Toastify__toast"
OPTION = ".cellar-session-checkout [role=option]"
LIST = ".cellar-session-checkout [role=listbox]"

# When the request for an undo left after a moment, and when its answer was there, in milliseconds since 1970; the
# browser lists a request a little after its end.
_REQUEST = """async pressed => {
  for (;;) {
    const since = Date.now() - performance.now();
    const found = performance.getEntriesByType('resource')
      .find(({ name, startTime }) => name.includes('/api/undo') && startTime + since > pressed - 2);
    if (found) return [found.requestStart + since, found.responseEnd + since];
    await new Promise(requestAnimationFrame);
  }
}"""


class Case(NamedTuple):
    """A variable that a cell changes: cells before it, the cell, an expression that tells the values apart."""

    title: str
    setup: tuple[str, ...]
    change: str
    probe: str


CASES = (
    Case("an int", ("n = 1",), "n += 1", "n"),
    Case(
        "a column of a frame of 1,000,000 rows",
        data_frame(quick=False).setup,
        'df["x"] = df["x"] + 1',
        '(len(df), float(df["x"].sum()))',
    ),
)


class Undo(NamedTuple):
    """One undo by key, milliseconds since its press; `engine` and `engine_whole` since the request inside."""

    sent: float
    came: float
    changed: float
    answered: float
    received: float
    painted: float
    engine: float
    engine_whole: float


def undo(bench: Bench) -> Iterator[Line]:
    """Yield how long an undo by keys takes."""
    with studio.serve(bench.folder, environ={"PYTHONPATH": str(Path(__file__).parent)}) as server:
        for number, case in enumerate(CASES):
            yield from _lines(case.title, _undone(bench, server, f"undo-{number}", case))


def _lines(title: str, found: list[Undo]) -> Iterator[Line]:
    def column(name: str) -> list[float]:
        return [getattr(one, name) for one in found]

    middle = {name: f"{statistics.median(column(name)):.0f}" for name in Undo._fields}
    yield Line(
        f"undo of {title}: key to the changed variable",
        column("changed"),
        beside=f"engine, asked inside: {summary(column('engine'))}",
    )
    yield Line(
        f"undo of {title}: more than the engine's own time",
        [one.changed - one.engine for one in found],
        bar=UNDO_BAR_MS,
        judged="p95",
        beside="medians since the key: sent {sent}, at the kernel {came}, changed {changed} ms".format(**middle),
    )
    yield Line(
        f"undo of {title}: key to the painted notification",
        column("painted"),
        beside="medians since the key: answered {answered}, received {received}, painted {painted} ms; "
        "engine, whole: {engine_whole} ms".format(**middle),
    )


def _undone(bench: Bench, server: studio.Server, name: str, case: Case) -> list[Undo]:
    """Change and undo in turns: once by the engine inside the kernel, once by the keys."""
    studio.write_notebook(bench.folder / name / "a.ipynb", [*case.setup, case.change])
    status, answer = server.ask("nbcellar/api/init", {"path": f"{name}/a.ipynb"})
    if status != 200:
        raise RuntimeError(f"no repository: {answer}")
    found = []
    with lab(bench, server, f"{name}/a.ipynb") as tab:
        tab.page.locator(".jp-Notebook .jp-Cell .cm-content").first.click()
        tab.page.keyboard.press("Escape")
        for _ in case.setup:
            tab.command("notebook:run-cell-and-select-next")
        tab.page.evaluate("performance.setResourceTimingBufferSize(100_000)")
        _ask(tab, "__import__('inkernel').note_undos()")
        before = _ask(tab, case.probe)
        for number in range(3 * bench.repeat + 1):
            _change(tab, case, before)
            came, changed, answered = (ns / 1e6 for ns in _ask(tab, "__import__('inkernel').undo_from_inside()"))
            _require(tab, case.probe, before)
            count = _change(tab, case, before)
            by_key = _press(tab, count)
            _require(tab, case.probe, before)
            if number:  # the first of both loads code that later ones have
                found.append(Undo(*by_key, changed - came, answered - came))
    return found


def _press(tab: studio.Lab, count: int) -> tuple[float, ...]:
    pressed, painted = press(tab.page, "z", TOAST, f"Undid [{count}]")
    sent, received = tab.page.evaluate(_REQUEST, pressed)
    came, changed, answered = (ns / 1e6 for ns in _ask(tab, "__import__('inkernel').take_moments()"))
    return tuple(moment - pressed for moment in (sent, came, changed, answered, received, painted))


def _change(tab: studio.Lab, case: Case, before: Any) -> int:
    """Run the cell that changes the variable and wait until that is saved and said; return its execution count."""
    tab.command("notebook:run-cell")
    _ask(tab, "__import__('inkernel').wait_saved()")
    tab.page.locator(".cellar-session-state[data-state=saved]:visible").wait_for()
    if _ask(tab, case.probe) == before:
        raise RuntimeError(f"{case.change!r} changed nothing")
    return int(_ask(tab, "get_ipython().execution_count - 1"))


def _require(tab: studio.Lab, probe: str, before: Any) -> None:
    if (now := _ask(tab, probe)) != before:
        raise RuntimeError(f"the undo was wrong: {now} instead of {before}")


def _ask(tab: studio.Lab, expression: str) -> Any:
    return ast.literal_eval(tab.evaluate(expression))


def checkout(bench: Bench) -> Iterator[Line]:
    """Yield how long the dialog takes on a long history."""
    opened, tasks, searched = [], [], []
    notebook = long_notebook(bench)
    with studio.serve(bench.folder) as server:
        for _ in range(bench.repeat):
            with lab(bench, server, notebook) as tab:
                _focus(tab)
                pressed, painted = press(tab.page, "v", OPTION)
                opened.append(painted - pressed)
            with lab(bench, server, notebook) as tab:
                _focus(tab)
                with traced(bench, tab.page) as found:
                    press(tab.page, "v", OPTION)
                    tab.page.wait_for_selector(f"{LIST}[aria-busy=false]")
                tasks.append(found.longest)
                with traced(bench, tab.page) as found:
                    tab.page.keyboard.type("summary", delay=60)
                    tab.page.wait_for_timeout(500)
                searched.append(found.longest)
    what = f"checkout dialog, {bench.commits:,} commits"
    yield Line(f"{what}: key to first paint of the list", opened, bar=PAINT_BAR_MS)
    yield Line(f"{what}: longest task until all are read", tasks, bar=TASK_BAR_MS, judged="worst")
    yield Line(f"{what}: longest task while a search is typed", searched, bar=TASK_BAR_MS, judged="worst")


def _focus(tab: studio.Lab) -> None:
    tab.page.locator(".jp-Notebook .jp-Cell .cm-content").first.click()
    tab.page.keyboard.press("Escape")


PARTS = {"checkout": checkout, "undo": undo}
