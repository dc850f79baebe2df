"""What the parts of `browser.py` share: lines of the table, tabs, times to a frame, tasks of the page's thread.

A time in the page is elapsed time, read off the page's own clock: take it on a quiet machine. A task is what the page's
thread does without a pause, in processor time, from Chromium's own trace: other programs do not count.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
from tests.browser import documents, studio  # noqa: E402

VIEWPORT = {"width": 1280, "height": 720}
TASK_BAR_MS = 50


@dataclass(frozen=True)
class Line:
    """One line of the table; `bar` is the most that is allowed of the figure that `judged` names, in the same unit."""

    what: str
    values: Sequence[float]
    unit: str = "ms"
    bar: float | None = None
    judged: Literal["median", "p95", "worst"] = "median"
    beside: str = ""

    @property
    def figures(self) -> dict[str, float]:
        """The median, the 95th of a hundred, the largest."""
        return {
            "median": statistics.median(self.values),
            "p95": percentile(self.values, 95),
            "worst": max(self.values),
        }

    @property
    def is_missed(self) -> bool:
        """The judged figure is above the bar."""
        return self.bar is not None and self.figures[self.judged] > self.bar

    def __str__(self) -> str:
        single = len(self.values) == 1
        numbers = [amount(figure, self.unit) for figure in self.figures.values()][: 1 if single else None]
        numbers += [""] * (3 - len(numbers))
        bar = ""
        if self.bar is not None:
            which = "" if single or self.judged == "median" else f"{self.judged} "
            bar = f"{which}≤ {self.bar:g} {self.unit}".rstrip() + (" **missed**" if self.is_missed else "")
        return f"| {self.what} | {len(self.values)} | {' | '.join(numbers)} | {bar} | {self.beside} |"


HEAD = "| what | n | median | p95 | worst | bar | beside it in the same run |\n|---|---|---|---|---|---|---|"


@dataclass(frozen=True)
class Bench:
    """What every part is given. `folder` is the part's own."""

    browser: Browser
    folder: Path
    repeat: int
    commits: int


def amount(value: float, unit: str) -> str:
    """Return a figure with its unit."""
    return f"{value:,.0f} {unit}".rstrip()


def summary(values: Sequence[float], unit: str = "ms") -> str:
    """Return median and largest in a line."""
    return f"{amount(statistics.median(values), unit)}, worst {amount(max(values), unit)}"


def percentile(values: Sequence[float], share: int) -> float:
    """Return the smallest value that `share` of a hundred do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


# Two frames are needed to know that one was painted: the message comes after the frame in which the element stood.
AFTER_FRAME = """const afterFrame = () => new Promise(done => requestAnimationFrame(() => {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => done(performance.now());
  channel.port2.postMessage(0);
}));"""

# From a command's call to the end of the first frame with an element that fits.
_TO_PAINT = f"""async ([command, argument, wanted]) => {{
  {AFTER_FRAME}
  const begun = performance.now();
  window.jupyterapp.commands.execute(command, argument);
  while (!document.querySelector(wanted)) await new Promise(requestAnimationFrame);
  return await afterFrame() - begun;
}}"""

# From a key's event to the end of the first frame with an element that fits and holds a text. The answer, in
# `window.painted`: both moments in milliseconds since 1970, the clock that other programs have, too.
_AFTER_KEY = f"""([key, wanted, text]) => {{
  {AFTER_FRAME}
  const stands = () => [...document.querySelectorAll(wanted)].some(found => found.textContent.includes(text));
  const sinceEpoch = moment => Date.now() - (performance.now() - moment);
  window.painted = new Promise(done => addEventListener('keydown', async function heard(event) {{
    if (event.key.toLowerCase() !== key) return;
    removeEventListener('keydown', heard, true);
    const pressed = sinceEpoch(event.timeStamp);
    while (!stands()) await new Promise(requestAnimationFrame);
    done([pressed, sinceEpoch(await afterFrame())]);
  }}, true));
}}"""


def to_paint(page: Page, command: str, wanted: str, **arguments: Any) -> float:
    """Run a command of JupyterLab; return milliseconds until the first frame with an element that fits."""
    found: float = page.evaluate(_TO_PAINT, [command, arguments, wanted])
    return found


def press(page: Page, key: str, wanted: str, text: str = "") -> tuple[float, float]:
    """Press Ctrl+K and a key; return when that key came and when an element with a text was painted, ms since 1970."""
    page.evaluate(_AFTER_KEY, [key, wanted, text])
    page.keyboard.press("Control+k")
    page.keyboard.press(key)
    pressed, painted = page.evaluate("window.painted")
    return pressed, painted


@contextmanager
def lab(bench: Bench, server: studio.Server, notebook: str) -> Iterator[studio.Lab]:
    """Open a notebook in a fresh tab, its kernel ready; end the kernel with it."""
    with bench.browser.new_context(viewport=VIEWPORT) as context:  # type: ignore[arg-type]
        tab = studio.Lab(server, context)
        tab.open(notebook)
        yield tab
        problems = list(tab.problems)
        server.end_kernels()
    if problems:
        raise RuntimeError(f"the page met errors: {problems}")


@dataclass
class Tasks:
    """Processor time of each task of the page's thread, in ms; there once the tracing is over."""

    ms: list[float] = field(default_factory=list)

    @property
    def longest(self) -> float:
        """The longest task."""
        return max(self.ms, default=0.0)


@contextmanager
def traced(bench: Bench, page: Page) -> Iterator[Tasks]:
    """Trace what the page does meanwhile."""
    tasks = Tasks()
    bench.browser.start_tracing(page=page, categories=["toplevel", "disabled-by-default-devtools.timeline"])
    try:
        yield tasks
    finally:
        tasks.ms += _tasks(json.loads(bench.browser.stop_tracing())["traceEvents"])


def _tasks(events: list[dict[str, Any]]) -> list[float]:
    """Return the tasks of the busiest of the threads that draw pages: other tabs do nothing."""
    threads: dict[tuple[int, int], list[float]] = {
        (event["pid"], event["tid"]): []
        for event in events
        if event.get("name") == "thread_name" and event["args"].get("name") == "CrRendererMain"
    }
    for event in events:
        if event.get("name") == "RunTask" and event.get("ph") == "X" and (event["pid"], event["tid"]) in threads:
            threads[event["pid"], event["tid"]].append(event.get("tdur", 0) / 1000)
    return max(threads.values(), key=sum, default=[])


__all__ = [
    "AFTER_FRAME",
    "HEAD",
    "ROOT",
    "TASK_BAR_MS",
    "VIEWPORT",
    "Bench",
    "Line",
    "documents",
    "lab",
    "percentile",
    "press",
    "studio",
    "summary",
    "to_paint",
    "traced",
]
