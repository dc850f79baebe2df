"""What it costs that commits hold notebooks as they are open: `python benchmarks/drafts.py [--runs N] [--browser]`.

Three kernels run the same tiny cell, by turns, each with a notebook of 40 or 300 cells (each with 2 KB of output, every
tenth with a picture of 50 KB):

- file: the notebook's file does not change, so that each commit is without a notebook;
- saved: before each run another cell is edited and the file is saved, so that each commit holds a notebook;
- draft: the same edit is left as a draft, as JupyterLab does, and the file stays.

- kernel: processor time of the kernel process from sending the cell until its commit is durable, the median;
- server: processor time of keeping the draft in a process that does what the server does, the median;
- stored: bytes of documents (CELL and TREE objects) that a run adds.

`--browser`: in JupyterLab with the larger notebook, what is sent when all cells changed and then with each edit and run
of a cell, and how long the page's thread makes JSON of cells at a stretch (twice of it, as the watch does it again).

Nothing here is asserted in tests: a figure depends on the machine, so read the ratios.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from kernel import Kernel  # noqa: E402
from nbcellar.api import init  # noqa: E402
from nbcellar.api.drafts import SentCell, SentDraft, keep_draft  # noqa: E402
from nbcellar.history.repository import Repository  # noqa: E402
from nbcellar.store.interface import Kind  # noqa: E402
from variants import NOTEBOOK, VARIANTS, environment  # noqa: E402

SIZES = (40, 300)
_LATER_MS = 1 << 52
_SPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
_REST: dict[str, Any] = {"metadata": {"kernelspec": _SPEC}, "nbformat": 4, "nbformat_minor": 5}
_SAVED = "__import__('inkernel').wait_saved()"


def make_cells(count: int) -> list[dict[str, Any]]:
    """Return cells with outputs."""
    text = "".join(f"a line of output, number {n}\n" for n in range(70))
    picture = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "iVBORw0KGgo" * 4545}}
    return [
        {
            "cell_type": "code",
            "id": f"c{n}",
            "metadata": {},
            "execution_count": n,
            "source": f"value_{n} = {n}\nprint(value_{n})",
            "outputs": [{"output_type": "stream", "name": "stdout", "text": text}, *([picture] if n % 10 == 0 else [])],
        }
        for n in range(count)
    ]


class Bench:
    """One kernel with its notebook."""

    def __init__(self, how: str, count: int, folder: Path) -> None:
        self.how = how
        self.folder = folder
        self.cells = make_cells(count)
        self.keys = list(range(count))
        self.kernel_s: list[float] = []
        self.server_s: list[float] = []
        self.environ = environment(folder)
        init(folder, environ=self.environ).close()
        self._save()
        self.kernel = Kernel(VARIANTS["cellar"].python(), folder, self.environ)
        VARIANTS["cellar"].install(self.kernel, folder)
        if how == "draft":
            self._send(range(count), opening=True)

    def run(self, number: int) -> None:
        """Edit one cell and run another."""
        edited, ran = number % len(self.cells), (number + 1) % len(self.cells)
        self.cells[edited] = {**self.cells[edited], "source": f"edited = {number}"}
        if self.how == "saved":
            self._save()
        if self.how == "draft":
            self._send((edited, ran))
        before = self.kernel.cpu_s()
        client = self.kernel._client
        content = {"code": f"x = {number}", "silent": False, "store_history": True, "user_expressions": {}}
        message = client.session.msg("execute_request", {**content, "allow_stdin": False, "stop_on_error": True})
        message["metadata"] = {"cellId": f"c{ran}"}
        client.shell_channel.send(message)
        while client.get_shell_msg(timeout=60)["parent_header"].get("msg_id") != message["header"]["msg_id"]:
            pass
        self.kernel.ask(_SAVED)
        self.kernel_s.append(self.kernel.cpu_s() - before)

    def close(self) -> int:
        """End the kernel; return the bytes of documents that are stored."""
        self.kernel.__exit__(None, None, None)
        with Repository.open(self.folder) as repo:
            return sum(info.stored_bytes for info in repo.store.objects() if info.kind in (Kind.CELL, Kind.TREE))

    def stored(self) -> int:
        """Return the bytes of documents that are stored by now."""
        with Repository.open(self.folder) as repo:
            return sum(info.stored_bytes for info in repo.store.objects() if info.kind in (Kind.CELL, Kind.TREE))

    def _save(self) -> None:
        text = json.dumps({"cells": self.cells, **_REST}, indent=1, sort_keys=True, ensure_ascii=False)
        (self.folder / NOTEBOOK).write_text(text + "\n", "utf-8")

    def _send(self, changed: Any, *, opening: bool = False) -> None:
        fresh = []
        for at in changed:
            self.keys[at] = max(self.keys) + 1
            fresh.append(SentCell(key=self.keys[at], cell=self.cells[at]))
        draft = SentDraft(
            client=self.kernel._client.session.session,
            sent_ms=_LATER_MS,
            order=self.keys,
            cells=fresh,
            rest=_REST if opening else None,
            minor=5,
            opening=opening,
        )
        before = time.process_time()
        kept = keep_draft(self.folder / NOTEBOOK, self.environ, draft)
        self.server_s.append(time.process_time() - before)
        if not kept.kept:
            raise RuntimeError(f"the draft was not kept: {kept}")


def measure(count: int, runs: int) -> list[str]:
    """Return the rows of one size."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        benches = []
        for how in ("file", "saved", "draft"):
            folder = Path(name, how)
            folder.mkdir()
            benches.append(Bench(how, count, folder))
        for number in range(5):  # what is done once is not measured
            for bench in benches:
                bench.run(number)
        before = {bench.how: bench.stored() for bench in benches}
        for bench in benches:
            bench.kernel_s.clear()
        for number in range(5, 5 + runs):
            for bench in benches:
                bench.run(number)
        for bench in benches:
            stored = (bench.close() - before[bench.how]) / runs
            server = f"{statistics.median(bench.server_s) * 1e3:.2f} ms" if bench.server_s else ""
            kernel = f"{statistics.median(bench.kernel_s) * 1e3:.2f} ms"
            rows.append(f"| {count} | {bench.how} | {kernel} | {server} | {stored / 1000:.1f} KB |")
    return rows


def in_browser() -> list[str]:
    """Return what an edit and a run cost the page."""
    from playwright.sync_api import sync_playwright
    from tests.browser import studio

    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        root = Path(name, "root")
        root.mkdir()
        document = {"cells": make_cells(SIZES[-1]), **_REST}
        (root / NOTEBOOK).write_text(json.dumps(document, indent=1), "utf-8")
        browser = studio.launch(playwright)
        with studio.serve(root) as server, browser.new_context(viewport={"width": 1280, "height": 720}) as context:
            server.ask("nbcellar/api/init", {"path": NOTEBOOK})
            lab = studio.Lab(server, context)
            times: list[float] = []
            lab.page.on("requestfinished", lambda request: _note(request, times))
            lab.open(NOTEBOOK)
            lab.page.evaluate(_WATCH)
            with lab.page.expect_response("**/nbcellar/api/draft"):  # all cells changed: all of it is made and sent
                lab.page.evaluate(
                    """() => {
                      const { cells } = window.jupyterapp.shell.currentWidget.content.model.sharedModel;
                      cells.forEach(cell => cell.setSource(cell.getSource() + ' # seen'));
                    }"""
                )
            for number in range(20):
                lab.page.evaluate(
                    """number => {
                      const { content } = window.jupyterapp.shell.currentWidget;
                      content.model.sharedModel.getCell(0).setSource(`value = ${number}`);
                      content.activeCellIndex = 1;
                    }""",
                    number,
                )
                lab.command("notebook:run-cell")
            steps, sizes = lab.page.evaluate("() => [window.cellarSteps, window.cellarSizes]")
        browser.close()
    first, *later = sizes
    return [
        f"requests: one of {first / 1e6:.2f} MB, then {len(later)} of {statistics.median(later) / 1000:.1f} KB",
        f"from request to answer: {statistics.median(times[2:]):.1f} ms",
        f"turns of the page that make JSON: {len(steps)}, the longest {max(steps):.1f} ms, all {sum(steps):.0f} ms",
    ]


# The time of each `toJSON` of a cell with what is made of it, summed up between two turns of the page.
_WATCH = """() => {
  window.cellarSteps = [];
  const { sharedModel } = window.jupyterapp.shell.currentWidget.content.model;
  const kind = Object.getPrototypeOf(sharedModel.getCell(0));
  const original = kind.toJSON;
  let sum = 0;
  window.cellarSizes = [];
  window.Blob = class extends Blob {
    constructor(parts, options) {
      super(parts, options);
      window.cellarSizes.push(this.size);
    }
  };
  kind.toJSON = function () {
    const began = performance.now();
    const made = original.call(this);
    JSON.stringify(made);
    if (sum === 0) {
      setTimeout(() => { window.cellarSteps.push(sum); sum = 0; });
    }
    sum += performance.now() - began;
    return made;
  };
}"""


def _note(request: Any, times: list[float]) -> None:
    if request.url.endswith("/nbcellar/api/draft"):
        times.append(request.timing["responseEnd"] - request.timing["requestStart"])


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks/drafts.py", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--runs", type=int, default=60, metavar="N", help="how often each kernel runs the cell")
    parser.add_argument("--browser", action="store_true", help="also what it costs the page")
    options = parser.parse_args()
    print("| cells | how | kernel | server | stored |\n|---|---|---|---|---|")
    for count in SIZES:
        print("\n".join(measure(count, options.runs)), flush=True)
    if options.browser:
        print("\n" + "\n".join(in_browser()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
