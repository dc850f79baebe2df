"""A real JupyterLab, Notebook 7 or stand-alone page on loopback, and a real Chromium that shows it.

Each server is held by the process that started it and ends with it. Used by the tests of this folder, by
`benchmarks/browser.py` and by the command that makes the pictures of the documentation.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Playwright, Request

ROOT = Path(__file__).parents[2]
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
]
AXE = ROOT / "ui" / "node_modules" / "axe-core" / "axe.min.js"
# What applications throw with no extension at all, by text and file. Notebook 7.6: a setting comes before its schema.
_NOT_OURS = (("reading 'schema'", "/static/notebook/notebook_core"),)
_TELL_VIOLATIONS = """addEventListener('securitypolicyviolation', event => console.error(
  `Content Security Policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sample} ${event.sourceFile}`));"""
_START_S = 60
PATIENCE_MS = 30_000
_EXPOSE = {"jupyterlab": "LabApp", "notebook": "JupyterNotebookApp"}


class Server:
    """A running Jupyter server."""

    def __init__(
        self,
        folder: Path,
        port: int,
        token: str,
        process: subprocess.Popen[bytes],
        log: Path,
        base: str,
        *,
        signed_in: bool = False,
    ) -> None:
        self.folder = folder
        self.port = port
        self.token = token
        self.process = process
        self.log = log
        self.base = base
        self.signed_in = signed_in  # browsers are by other means than the token

    @property
    def url(self) -> str:
        """The server's address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}{self.base}".rstrip("/")

    def ask(
        self,
        path: str,
        body: Any = None,
        *,
        token: str | None = "",
        method: str | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[int, Any]:
        """Send a request as a program with the token; return status and decoded body, raw where that is no JSON."""
        headers = {"Content-Type": "application/json", **headers}
        if token is not None:
            headers["Authorization"] = f"token {token or self.token}"
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/{path}", data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text, status = answer.read(), answer.status
        except urllib.error.HTTPError as error:
            text, status = error.read(), error.code
            error.close()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text.decode("utf-8", "replace")

    def end_kernels(self) -> None:
        """Shut all kernels down: those of a test that is over would go on recording."""
        status, kernels = self.ask("api/kernels")
        for kernel in kernels if status == 200 else ():
            self.ask(f"api/kernels/{kernel['id']}", method="DELETE")


@contextlib.contextmanager
def serve(
    folder: Path,
    *,
    module: str = "jupyterlab",
    python: str = sys.executable,
    base: str = "/",
    options: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    port: int = 0,
) -> Iterator[Server]:
    """Run a Jupyter application in `folder`: "jupyterlab", "notebook" or "nbcellar.server"; port 0: a free one."""
    port, token = port or free_port(), secrets.token_hex(16)
    log = folder.parent / f"{folder.name}-{module}-{port}.log"
    env = {**os.environ, **lab_settings(folder.parent / f"{folder.name}-settings"), **(environ or {})}
    words = [
        python,
        "-m",
        module,
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}",
    ]
    words += [
        "--ServerApp.ip=127.0.0.1",
        "--no-browser",
        f"--ServerApp.root_dir={folder}",
        f"--ServerApp.base_url={base}",
    ]
    words += ["--allow-root", "--ServerApp.allow_unauthenticated_access=False", *options]
    if module in _EXPOSE:
        words.append(f"--{_EXPOSE[module]}.expose_app_in_browser=True")
    folder.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        process = subprocess.Popen(
            words, cwd=folder, env=env, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
        server = Server(folder, port, token, process, log, base)
        try:
            _await(server)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def launch(playwright: Playwright) -> Browser:
    """Start Debian's Chromium. Raises RuntimeError with the command that installs it."""
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if found is None:
        raise RuntimeError(
            "there is no Chromium; install it with: sudo apt-get install --no-install-recommends chromium"
        )
    return playwright.chromium.launch(executable_path=found, headless=True, args=CHROMIUM_FLAGS)


class Tab:
    """One tab of the browser. What the page throws, and what its policy forbids, is in `problems`."""

    def __init__(self, server: Server, context: BrowserContext) -> None:
        self.server = server
        self.problems: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("pageerror", self._note_error)
        self.page.on("console", self._note)
        self.page.add_init_script(_TELL_VIOLATIONS)

    def goto(self, path: str, /, **query: str) -> None:
        """Open an address below the server's base URL, signed in."""
        token = {} if self.server.signed_in else {"token": self.server.token}
        words = urllib.parse.urlencode({**query, **token})
        self.page.goto(f"{self.server.url}/{path}?{words}")

    def zoom(self, factor: float) -> None:
        """Show a window of 1280 x 720 as a browser zoomed by `factor` does: with fewer, larger pixels."""
        size = {"width": round(1280 / factor), "height": round(720 / factor)}
        self.page.set_viewport_size(size)
        self.page.wait_for_function("size => innerWidth === size.width && innerHeight === size.height", arg=size)

    def until(self, is_so: Callable[[], object]) -> None:
        """Wait until something is so that the page itself does not know; what the page sends is heard meanwhile."""
        end = time.monotonic() + PATIENCE_MS / 1000
        while not is_so():
            assert time.monotonic() < end, "waited in vain"
            self.page.wait_for_timeout(20)

    def _note_error(self, error: Error) -> None:
        told = error.stack or str(error)
        if "Kernel is dead" in told and "/nbcellar-lab/" not in told:
            return  # Lab's own question to a kernel that a test has ended
        if not any(text in told and file in told for text, file in _NOT_OURS):
            self.problems.append(told)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.problems.append(message.text)

    def sent(self, *routes: str) -> list[str]:
        """Return a list that goes on growing: the POST requests to these routes, to any where none is named."""
        found: list[str] = []

        def note(request: Request) -> None:
            route = urllib.parse.urlparse(request.url).path.rpartition("nbcellar/api/")[2]
            if request.method == "POST" and "nbcellar/api/" in request.url and (not routes or route in routes):
                found.append(route)

        self.page.on("request", note)
        return found


class StandAlone(Tab):
    """A tab with Cellar's own page."""

    def open(self, **query: str) -> None:
        """Open the page, with the words of its address: `open(view="diff", a="x.ipynb", b="y.ipynb")`."""
        self.goto("nbcellar/", **query)
        self.page.wait_for_selector("#root > *")

    def dark(self, on: bool = True) -> None:
        """Let the system prefer dark pages."""
        self.page.emulate_media(color_scheme="dark" if on else "light")


class Lab(Tab):
    """A tab with JupyterLab, or with Notebook 7 (`app="notebook"`)."""

    def __init__(self, server: Server, context: BrowserContext, app: str = "lab") -> None:
        super().__init__(server, context)
        self.app = app

    def load(self, notebook: str) -> None:
        """Load the application with a notebook, in a workspace of its own, and wait for nothing."""
        lab = f"lab/workspaces/{secrets.token_hex(4)}/tree/"
        self.goto((lab if self.app == "lab" else "notebooks/") + urllib.parse.quote(notebook))

    def open(self, notebook: str) -> None:
        """Open a notebook and wait until its kernel answers."""
        self.load(notebook)
        self.page.wait_for_selector(".jp-Notebook", timeout=60_000)
        self.await_kernel()

    def dark(self, on: bool = True) -> None:
        """Take Jupyter's dark theme and wait until it is there."""
        theme = "JupyterLab Dark" if on else "JupyterLab Light"
        self._await_no_splash()
        self.command("apputils:change-theme", theme=theme)
        # Set when the theme's sheet is loaded.
        self.page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=theme)
        self._await_no_splash()

    def _await_no_splash(self) -> None:
        """Wait until Lab's splash is gone: shown again while it fades, Lab throws when it takes it away twice."""
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")

    def await_kernel(self) -> None:
        """Wait until the kernel of the notebook answers: an indicator that says idle lies before it is connected."""
        self.page.evaluate(
            """async () => {
              for (let i = 0; i < 600; i++) {
                const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
                if (context?.isReady && context.session?.kernel) {
                  await context.session.kernel.info;
                  return;
                }
                await new Promise(done => setTimeout(done, 50));
              }
              throw new Error('no kernel');
            }"""
        )

    def await_keys(self, command: str) -> None:
        """Wait until a command can be given by keys: Lab reads its shortcuts after it has drawn the notebook."""
        self.page.wait_for_function(
            "name => window.jupyterapp.commands.keyBindings.some(binding => binding.command === name)", arg=command
        )

    def command(self, name: str, **args: Any) -> Any:
        """Run a command of the application by its id and return what it gives, where that is plain data."""
        return self.page.evaluate("([name, args]) => window.jupyterapp.commands.execute(name, args)", [name, args])

    def bring(self, name: str, **args: Any) -> None:
        """Run a command that opens or shows something, and wait until it is done."""
        self.page.evaluate(
            "([name, args]) => window.jupyterapp.commands.execute(name, args).then(() => null)", [name, args]
        )

    def begin(self, name: str, **args: Any) -> None:
        """Run a command without waiting for it: it may show a dialog, or run cells that wait for something."""
        self.page.evaluate("([name, args]) => void window.jupyterapp.commands.execute(name, args)", [name, args])

    def run_all(self) -> None:
        """Run all cells and wait until they have run."""
        self.bring("notebook:run-all-cells")

    def evaluate(self, code: str) -> str:
        """Return the repr of an expression in the kernel, past the notebook and past Cellar's recording."""
        found: str = self.page.evaluate(
            """async code => {
              const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
              const future = kernel.requestExecute({
                code: '', silent: true, store_history: false, user_expressions: { x: code } });
              const reply = await future.done;
              const value = reply.content.user_expressions.x;
              return value.status === 'ok' ? value.data['text/plain'] : 'error: ' + value.ename;
            }""",
            code,
        )
        return found


def check_axe(page: Page, selector: str, *, without: Sequence[str] = ()) -> None:
    """Fail where axe-core finds something serious or critical in the part of a page that `selector` names.

    without: ids of rules that do not hold there, such as "region" for a panel inside of JupyterLab.
    """
    assert page.locator(selector).count(), f"nothing to check: there is no {selector}"
    page.evaluate(AXE.read_text("utf-8"))  # not a script element: those of others are forbidden on the page
    found = page.evaluate(
        """([selector, without]) => axe.run(document.querySelectorAll(selector), {
          resultTypes: ['violations'],
          rules: Object.fromEntries(without.map(rule => [rule, { enabled: false }]))
        })""",
        [selector, list(without)],
    )
    told = [
        f"{rule['id']} ({rule['impact']}): {rule['help']}\n    {node['html'][:300]}\n    {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]
    assert not told, "\n".join(told)


def write_notebook(path: Path, sources: Sequence[str], *, kernel: str = "python3") -> Path:
    """Write a notebook of code cells with ids `c0`, `c1`, ..."""
    cells = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "execution_count": None, "outputs": [], "source": source}
        for i, source in enumerate(sources)
    ]
    spec = {"display_name": "Python 3", "language": "python", "name": kernel}
    document = {"cells": cells, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return path


def add_kernelspec(name: str, argv: Sequence[str], *, env: Mapping[str, str] = MappingProxyType({})) -> None:
    """Add a kernel to those that servers offer; a notebook asks for it by its name."""
    folder = Path(os.environ["JUPYTER_DATA_DIR"]) / "kernels" / name
    folder.mkdir(parents=True, exist_ok=True)
    spec = {"argv": list(argv), "display_name": name, "language": "python", "env": dict(env)}
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")


def lab_settings(folder: Path) -> dict[str, str]:
    """Return variables that keep settings and workspaces apart; news and other calls outside are off."""
    own = folder / "lab" / "user-settings"
    news = own / "@jupyterlab" / "apputils-extension"
    news.mkdir(parents=True, exist_ok=True)
    (news / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    return {"JUPYTERLAB_SETTINGS_DIR": str(own), "JUPYTERLAB_WORKSPACES_DIR": str(folder / "lab" / "workspaces")}


def _await(server: Server) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        if server.process.poll() is not None:
            break
        with contextlib.suppress(OSError, http.client.HTTPException):
            if server.ask("api/status")[0] == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the server did not start:\n{server.log.read_text('utf-8', 'replace')[-4000:]}")


def free_port() -> int:
    """Return a port that nothing listens on, outside of those that the system gives to sockets which ask for any.

    A kernel started meanwhile, which has five of these, cannot take it before the server does. Each worker of pytest
    has ports of its own.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 10
    while True:
        port = 20_000 + 1_000 * worker + secrets.randbelow(1_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
