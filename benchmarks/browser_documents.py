"""What of documents a browser shows, and how fast: parts of `browser.py`.

- shown: from the request for the page until cells stand there, the server's comparison included, with the page's files
  in the browser's cache; two notebooks of N cells as `document_inputs.py` makes them; nbdime's page beside it.
- typing: in a notebook of 300 cells in JupyterLab, with its comparison beside it and without: from the key's event to
  the frame after it, and the tasks of the page's thread.
- bundles: files of the page and of the extension, as a server with gzip sends them.

nbdime 4.0.4 is installed into `.venv-peers` at the first run, as for `document.py`.
"""

from __future__ import annotations

import gzip
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Response

from browser_measuring import (
    AFTER_FRAME,
    ROOT,
    TASK_BAR_MS,
    VIEWPORT,
    Bench,
    Line,
    documents,
    lab,
    percentile,
    studio,
    summary,
    traced,
)
from document import PEERS, make_peers
from document_inputs import make_case
from nbcellar.notebook.codec import write

SHOWN_BARS_MS = {300: 500, 3000: 2000}
KEY_BAR_MS = 50
PAGE_BAR_KB = 450
KEYS = 120

# Notes the time at which the first frame with an element of a selector was drawn.
_FIRST_FRAME = f"""async selector => {{
  {AFTER_FRAME}
  while (!document.querySelector(selector)) await new Promise(requestAnimationFrame);
  window.shownAt = await afterFrame();
}}"""
_WATCH_KEYS = f"""() => {{
  {AFTER_FRAME}
  const isWatched = window.keys !== undefined;
  window.keys = [];
  if (isWatched) return;
  document.addEventListener('keydown', async ({{ timeStamp }}) => {{
    window.keys.push(await afterFrame() - timeStamp);
  }}, true);
}}"""
_SIDE_BY_SIDE = """() => {
  const { shell } = window.jupyterapp;
  const widgets = [...shell.widgets('main')];
  const diff = widgets.find(widget => widget.id.startsWith('nbcellar-diff'));
  const notebook = widgets.find(widget => widget.content?.model?.sharedModel);
  shell.add(diff, 'main', { mode: 'split-right', ref: notebook.id });
  shell.activateById(notebook.id);
}"""


def shown(bench: Bench) -> Iterator[Line]:
    """Yield how long it takes until a comparison is there."""
    make_peers()
    for size, bar in SHOWN_BARS_MS.items():
        root = bench.folder / str(size)
        root.mkdir()
        case = make_case(size)
        (root / "a.ipynb").write_bytes(write(case.before))
        (root / "b.ipynb").write_bytes(write(case.after))
        with studio.serve(root, module="nbcellar.server") as server:
            query = {"view": "diff", "path": "b.ipynb", "before": "file:a.ipynb", "after": "file"}
            address = f"{server.url}/nbcellar/?{urllib.parse.urlencode({**query, 'token': server.token})}"
            ours = _first_frames(bench.browser, address, ".cellar-diff[data-ready] article", bench.repeat)
        with _nbdime(root) as address:
            theirs = _first_frames(bench.browser, address, ".jp-Cell-diff", max(2, bench.repeat // 2))
        what = f"two notebooks of {size:,} cells: request to first cells"
        yield Line(what, ours, bar=bar, beside=f"nbdime 4.0.4: {summary(theirs)}")


def typing(bench: Bench) -> Iterator[Line]:
    """Yield what a key costs beside a live comparison."""
    root, case = bench.folder, make_case(300)
    (root / "b.ipynb").write_bytes(write(case.before))
    documents.git(root, "init", "-q", "-b", "main")
    documents.git(root, "add", "b.ipynb")
    documents.git(root, "commit", "-qm", "first")
    (root / "b.ipynb").write_bytes(write(case.after))
    with studio.serve(root) as server, lab(bench, server, "b.ipynb") as tab:
        _typed(bench, tab, 30)  # code that is new to the browser is slow
        alone = _typed(bench, tab)
        tab.command("nbcellar:diff-head")
        tab.page.wait_for_selector(".cellar-diff[data-ready] article")
        tab.page.evaluate(_SIDE_BY_SIDE)
        tab.page.wait_for_selector(".cellar-diff article", state="visible")
        beside = _typed(bench, tab)
        tab.page.locator(".cellar-diff article", has_text="abcdefghij abcdefghij").first.wait_for()  # it did follow
    yield Line(
        "typing beside a live comparison: key to paint",
        beside.keys,
        bar=KEY_BAR_MS,
        judged="p95",
        beside=f"without it: p95 {percentile(alone.keys, 95):.0f} ms",
    )
    yield Line(
        "typing beside a live comparison: longest task",
        [max(beside.tasks)],
        bar=TASK_BAR_MS,
        beside=f"without it: {max(alone.tasks):.0f} ms",
    )
    yield Line(
        "typing beside a live comparison: processor time of the page for a key",
        [sum(beside.tasks) / KEYS],
        beside=f"without it: {sum(alone.tasks) / KEYS:.0f} ms",
    )


def bundles(bench: Bench) -> Iterator[Line]:
    """Yield the sizes of what a browser loads."""
    page = ROOT / "src" / "nbcellar" / "server" / "static"
    extension = ROOT / "ui" / "labextension" / "static"
    for whose, folder in (("page", page), ("JupyterLab", extension)):
        files = sorted(file for file in folder.rglob("*") if file.suffix in (".js", ".css", ".html"))
        sizes = {file.name: _gzipped_kb(file.read_bytes()) for file in files}
        for name, size in {**sizes, "all of these": sum(sizes.values())}.items():
            yield Line(f"{whose}: {name}", [size], "KB gzip")
    documents.committed(bench.folder)
    loaded: list[Response] = []
    with studio.serve(bench.folder, module="nbcellar.server") as server, bench.browser.new_context() as context:
        tab = context.new_page()
        tab.on("response", lambda answer: loaded.append(answer))
        tab.goto(f"{server.url}/nbcellar/?view=diff&path=prices.ipynb&token={server.token}")
        tab.wait_for_selector(".cellar-diff[data-ready] article")
        ours = [found for found in loaded if "/nbcellar/" in found.url and "/api/" not in found.url]
        total = sum(_gzipped_kb(found.body()) for found in ours if found.status == 200)
    yield Line("page: all that is loaded at the first paint of a comparison", [total], "KB gzip", PAGE_BAR_KB)


PARTS = {"shown": shown, "typing": typing, "bundles": bundles}


def _gzipped_kb(data: bytes) -> float:
    return len(gzip.compress(data, 6)) / 1024


class _Typed(NamedTuple):
    keys: list[float]
    tasks: list[float]


def _typed(bench: Bench, tab: studio.Lab, keys: int = KEYS) -> _Typed:
    page = tab.page
    page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Control+End")
    page.wait_for_timeout(1000)
    page.evaluate(_WATCH_KEYS)
    with traced(bench, page) as tasks:
        for number in range(keys):
            page.keyboard.type("abcdefghij "[number % 11])
            page.wait_for_timeout(60)  # seventeen keys a second, faster than anybody
        page.wait_for_timeout(1500)
    return _Typed(page.evaluate("window.keys"), tasks.ms)


def _first_frames(browser: Browser, address: str, selector: str, times: int) -> list[float]:
    """Return milliseconds from the request for a page to the frame with the first such element, files cached."""
    found = []
    with browser.new_context(viewport=VIEWPORT) as context:  # type: ignore[arg-type]
        context.add_init_script(f"({_FIRST_FRAME})({selector!r})")
        for number in range(times + 1):
            tab = context.new_page()
            tab.goto(address, wait_until="commit")
            tab.wait_for_function("() => window.shownAt", timeout=120_000)
            if number:
                found.append(float(tab.evaluate("window.shownAt")))
            tab.close()
    return found


@contextmanager
def _nbdime(root: Path) -> Iterator[str]:
    port = studio.free_port()
    words = [PEERS / "bin" / "nbdiff-web", "--browser=true %s", "--persist", f"--port={port}", "a.ipynb", "b.ipynb"]
    process = subprocess.Popen(words, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}/diff?base=a.ipynb&remote=b.ipynb"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(address, timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()
