"""A tab of JupyterLab that is kept for several tests: to load it anew for each would take most of their time.

Invariant: what one test leaves, none sees. `KeptLab.clear` makes the tab as it was once it was loaded, and fails where
it cannot; a tab of a test that failed is not used again. Not kept are settings that a test changes, what Lab reads only
when it is loaded, and listeners that a test puts on the page: such a test takes the fixture `fresh_lab`.
"""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Error, Request, expect
from tests.browser.studio import Lab, Server

# What takes the whole window, or lies over it.
_ABOVE = ".jp-Dialog, .lm-Menu, .cellar-menu, .jp-ModalCommandPalette:not(.lm-mod-hidden)"
_LIGHT = "JupyterLab Light"
# Lab itself shows the launcher where nothing is open.
_AT_START = {"main": ["Launcher"], "left": ["filebrowser"], "right": [], "down": [], "theme": _LIGHT}
_CLOSE = """async () => {
  for (const widget of [...jupyterapp.shell.widgets('main')]) {
    await widget.sessionContext?.shutdown?.();
    widget.dispose();
  }
}"""
# A panel that is taken out and put in again forgets what was typed and chosen in it, and is drawn when it is shown.
_TIDY = """() => {
  const { shell } = jupyterapp;
  for (const [at, panel] of [...shell.widgets('right')].filter(each => each.id.startsWith('nbcellar-')).entries()) {
    panel.parent = null;
    panel.wasShown = false;
    shell.add(panel, 'right', { rank: 700 + at });
  }
  shell.collapseRight();
  shell.expandLeft();
  shell.activateById('filebrowser');
}"""
_LOOK = """() => {
  const ids = area => [...jupyterapp.shell.widgets(area)].filter(each => each.isVisible).map(each => each.id);
  return {
    main: [...jupyterapp.shell.widgets('main')].map(widget => widget.title.label),
    left: ids('left'), right: ids('right'), down: ids('down'),
    theme: document.body.dataset.jpThemeName
  };
}"""


class KeptLab(Lab):
    """A tab that opens one notebook after the other."""

    def __init__(self, server: Server, context: BrowserContext) -> None:
        super().__init__(server, context)
        self.is_loaded = False
        self._under_way: set[Request] = set()
        self.page.on("request", self._begin)
        self.page.on("requestfinished", self._end)
        self.page.on("requestfailed", self._end)

    def load(self, notebook: str) -> None:
        """Open a notebook as the address does with which Lab is loaded, and wait for no more than that it is there."""
        if not self.is_loaded:
            super().load(notebook)
            self.is_loaded = True
            return
        self.bring("filebrowser:open-path", path=notebook)
        self.page.wait_for_function(
            "path => [...jupyterapp.shell.widgets('main')].some(each => each.context?.path === path)", arg=notebook
        )
        self.page.evaluate(
            """() => [...jupyterapp.shell.widgets('main')].filter(each => each.id.startsWith('launcher'))
                 .forEach(launcher => launcher.dispose())"""
        )

    def open(self, notebook: str) -> None:
        if self.is_loaded:
            self.load(notebook)
            self.page.wait_for_function("path => jupyterapp.shell.currentWidget?.context?.path === path", arg=notebook)
            self.await_kernel()
        else:
            super().open(notebook)

    def _note_error(self, error: Error) -> None:
        told = error.stack or str(error)
        if "reading 'promise'" in told and "/nbcellar-lab/" not in told:
            return  # Lab's own debouncers, which it asks once more after their notebook was closed
        super()._note_error(error)

    def clear(self) -> None:
        """Close all that is open, without saving, end its kernels, and make the rest as it was at the start."""
        self.page.unroute_all(behavior="wait")
        self.page.context.clear_permissions()
        self.zoom(1)
        self.page.evaluate(_CLOSE)
        self.page.wait_for_selector(".jp-Launcher")
        self.server.end_kernels()
        if self.page.evaluate("document.body.dataset.jpThemeName") != _LIGHT:
            self.dark(False)
        self.page.evaluate(_TIDY)
        self._await_quiet()  # an answer on its way may bring a notification
        self.page.evaluate("() => jupyterapp.commands.execute('apputils:dismiss-notification').then(() => null)")
        expect(self.page.locator(".Toastify__toast")).to_have_count(0)
        expect(self.page.locator(_ABOVE)).to_have_count(0)
        assert self.page.evaluate(_LOOK) == _AT_START
        self.problems.clear()  # what Lab itself throws when notebooks are closed under it

    def _begin(self, request: Request) -> None:
        self._under_way.add(request)

    def _end(self, request: Request) -> None:
        self._under_way.discard(request)

    def _await_quiet(self) -> None:
        """Wait until the page has an answer to all that it asked, and has drawn it."""
        for _ in range(2):
            self.until(lambda: not self._under_way)
            self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
