"""The panels History and Variables on a long history, a part of `browser.py`: opening and scrolling."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import Page

from browser_measuring import TASK_BAR_MS, Bench, Line, lab, percentile, studio, to_paint, traced
from long_history import make

PAINT_BAR_MS = 300

_SCROLL = """([selector, pixels, frames]) => new Promise(done => {
  const list = document.querySelector(selector), gaps = [];
  let last = performance.now(), left = frames, empty = 0;
  const step = now => {
    gaps.push(now - last);
    last = now;
    const box = list.getBoundingClientRect();
    const middle = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    if (!middle?.closest('.cellar-list-row')) empty++;
    if (--left === 0) return done({ gaps, empty });
    list.scrollTop += pixels;
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""


def history(bench: Bench) -> Iterator[Line]:
    """Yield how long the panels take on a long history."""
    opened: list[float] = []
    variables: list[float] = []
    tasks: list[float] = []
    notebook = long_notebook(bench)
    with studio.serve(bench.folder) as server:
        for _ in range(bench.repeat):
            with lab(bench, server, notebook) as tab:
                opened.append(to_paint(tab.page, "nbcellar:show-history", ".cellar-entry"))
                _await_all(tab.page)
                variables.append(to_paint(tab.page, "nbcellar:show-variables", ".cellar-variable"))
            with lab(bench, server, notebook) as tab, traced(bench, tab.page) as found:
                tab.page.evaluate("() => window.jupyterapp.commands.execute('nbcellar:show-history')")
                _await_all(tab.page)
            tasks.append(found.longest)
        count = f"{bench.commits:,} commits"
        yield Line(f"History, {count}: open to first paint", opened, bar=PAINT_BAR_MS)
        yield Line(f"Variables, {count}: open to first paint", variables, bar=PAINT_BAR_MS)
        yield Line("History, opening and reading all: longest task", tasks, bar=TASK_BAR_MS, judged="worst")
        with lab(bench, server, notebook) as tab:
            to_paint(tab.page, "nbcellar:show-history", ".cellar-entry")
            _await_all(tab.page)
            yield from _scrolling(bench, tab.page, "runs folded")
            tab.page.locator(".cellar-toggle", has_text="this branch").click()
            tab.page.wait_for_function("document.querySelector('.cellar-counts').textContent.includes(' of ')")
            yield from _scrolling(bench, tab.page, "every entry of the branch")


def long_notebook(bench: Bench) -> str:
    """Make a notebook with a long history in the part's folder; return its path there."""
    make(bench.folder / "long", bench.commits)
    studio.write_notebook(bench.folder / "long" / "analysis.ipynb", ["x = 1"])
    return "long/analysis.ipynb"


def _scrolling(bench: Bench, page: Page, what: str) -> Iterator[Line]:
    page.locator(".cellar-list").evaluate("list => { list.scrollTop = 0; }")
    with traced(bench, page) as tasks:
        found = page.evaluate(_SCROLL, [".cellar-list", 400, 240])
    yield Line(f"scrolling, {what}: longest task", [tasks.longest], bar=TASK_BAR_MS)
    yield Line(f"scrolling, {what}: frame to frame, 95 %", [percentile(found["gaps"], 95)])
    yield Line(f"scrolling, {what}: frames with an empty middle", [found["empty"]], "", 0)


def _await_all(page: Page) -> None:
    page.wait_for_selector(".cellar-history[aria-busy=false]", state="attached")


PARTS = {"history": history}

__all__ = ["PAINT_BAR_MS", "PARTS", "long_notebook"]
