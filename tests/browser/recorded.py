"""A notebook that is recorded, in a tab: what a user does to its session, and what became of it.

Invariant: nothing waits for a time; each step waits for what a user would see.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Sequence
from pathlib import Path
from re import Pattern
from typing import Any

from playwright.sync_api import Locator, Page
from tests.browser.studio import Lab, write_notebook

TOAST = ".Toastify__toast"
DIALOG = ".jp-Dialog"
STATE = ".cellar-session-state:visible"
# A cell that runs until there is a file `go` beside the notebook.
WAIT = "import os, time\nwhile not os.path.exists('go'):\n    time.sleep(0.01)"


class Recorded:
    """A notebook `a.ipynb` in a folder of its own, open in a tab; `recorded`: its folder is a repository."""

    def __init__(self, lab: Lab, folder: Path, cells: Sequence[str], *, recorded: bool = True, **kernel: str) -> None:
        self.lab = lab
        self.page: Page = lab.page
        self.file = write_notebook(folder / "a.ipynb", cells, **kernel)
        self.path = f"{folder.name}/a.ipynb"
        if recorded:
            self.ask("init")

    def open(self) -> Recorded:
        """Open it."""
        self.lab.open(self.path)
        return self

    def run(self) -> Recorded:
        """Run all its cells and wait until what they did is on disk."""
        self.lab.run_all()
        self.await_saved()
        return self

    def in_another_tab(self, lab: Lab) -> Recorded:
        """Open the same file once more; it is not written again under the tab that has it."""
        other = copy.copy(self)
        other.lab, other.page = lab, lab.page
        return other.open()

    # what a user does ---------------------------------------------------------------------------------------------

    def focus(self, *, edit: bool = False) -> None:
        """Put the focus on the first cell, on its text with `edit`."""
        self.page.locator(".jp-Notebook .jp-Cell .cm-content").first.click()
        if not edit:
            self.page.keyboard.press("Escape")

    def keys(self, last: str, *, edit: bool = False) -> None:
        """Press Ctrl+K and another key in the notebook."""
        self.lab.await_keys("nbcellar:undo")
        self.focus(edit=edit)
        self.page.keyboard.press("Control+k")
        self.page.keyboard.press(last)

    def start(self, command: str, **args: Any) -> None:
        """Run a command of Cellar's without waiting for it: it may show a dialog."""
        self.lab.begin(f"nbcellar:{command}", **args)

    def restart_kernel(self) -> None:
        """Let the kernel restart, and wait for nothing but that the question about it is gone."""
        self.lab.begin("notebook:restart-kernel")
        self.answer("Restart")

    def toast(self, text: str | Pattern[str]) -> Locator:
        """Wait for a notification that holds a text; one of work under way may hold it, too."""
        found = self.page.locator(TOAST, has_text=text)
        found.first.wait_for()
        return found.first

    def committed(self, message: str) -> Locator:
        """Wait until it is said that a commit with a message was made."""
        return self.toast(re.compile(f"Committed .*{re.escape(message)}"))

    def answer(self, button: str) -> None:
        """Press a button of the dialog and wait until it is gone."""
        self.page.locator(f"{DIALOG} button", has_text=button).click()
        self.page.locator(DIALOG).wait_for(state="detached")

    def await_state(self, state: str) -> Locator:
        """Wait until the item in the status bar or in the toolbar says how recording stands."""
        found = self.page.locator(f"{STATE}[data-state='{state}']")
        found.first.wait_for()
        return found.first

    def await_saved(self) -> None:
        """Wait until what the cells did that have run is on disk."""
        self.await_drawing()  # "saved" of before would be taken for it; by now it is known that something is expected
        self.await_state("saved")

    def await_drawing(self) -> None:
        """Wait until what is known in the page by now is drawn."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")

    # what became of it --------------------------------------------------------------------------------------------

    def value(self, expression: str) -> str:
        """Return the repr of an expression in the kernel."""
        return self.lab.evaluate(expression)

    def ask(self, route: str, **fields: Any) -> Any:
        """Send a POST request as another program would."""
        status, answer = self.lab.server.ask(f"nbcellar/api/{route}", {"path": self.path, **fields})
        assert status == 200, answer
        return answer

    def read(self, route: str, query: str = "") -> Any:
        """Send a GET request as another program would."""
        status, answer = self.lab.server.ask(f"nbcellar/api/{route}?path={self.path}{query}")
        assert status == 200, answer
        return answer

    def commits(self) -> list[dict[str, Any]]:
        """Return the commits, newest first."""
        found: list[dict[str, Any]] = self.read("log")["commits"]
        return found

    def sources(self) -> list[str]:
        """Return the sources of the cells as the file has them."""
        document = json.loads(self.file.read_text("utf-8"))
        return ["".join(cell["source"]) for cell in document["cells"]]

    def shown(self) -> list[str]:
        """Return the sources of the cells as they are open."""
        found: list[str] = self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells.map(c => c.getSource())"
        )
        return found

    def edit(self, index: int, source: str) -> None:
        """Give an open cell another text, without saving it."""
        self.page.evaluate(
            """([index, source]) => {
              window.jupyterapp.shell.currentWidget.content.model.sharedModel.getCell(index).setSource(source);
            }""",
            [index, source],
        )

    def mark_cells(self) -> None:
        """Mark what stands for each cell in the page, to see later which of them stayed."""
        self.page.evaluate(
            "document.querySelectorAll('.jp-Notebook .jp-Cell').forEach((n, i) => { n.dataset.mark = i })"
        )

    def marks(self) -> list[str | None]:
        """Return the marks of the cells in the page."""
        found: list[str | None] = self.page.evaluate(
            "[...document.querySelectorAll('.jp-Notebook .jp-Cell')].map(n => n.dataset.mark ?? null)"
        )
        return found
