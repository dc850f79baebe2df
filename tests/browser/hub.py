"""A real JupyterHub on loopback: its proxy, its sign-in, and a single-user server that it starts for who signs in.

Made by `make .venv-hub/.made`, a part of `make test`: the hub and its proxy lie in an environment of their own, which
borrows all else from the first. All is run by the user who runs the tests; nothing is left behind.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import BrowserContext, Page
from tests.browser.studio import ROOT, Server, free_port, lab_settings

PYTHON = ROOT / ".venv-hub" / "bin" / "python"
PROXY = ROOT / ".venv-hub" / "proxy" / "node_modules" / ".bin" / "configurable-http-proxy"
USER = "ada müller"  # a name that an address cannot hold as it is
PASSWORD = "analytical engine"
_START_S = 60


class Hub:
    """A running JupyterHub."""

    def __init__(self, folder: Path, port: int, token: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}/hubs"
        self.log = log
        self.process = process
        self.user = Server(folder, port, token, process, log, f"/hubs/user/{urllib.parse.quote(USER)}/", signed_in=True)

    def sign_in(self, context: BrowserContext) -> Page:
        """Sign in and wait for JupyterLab, as a user does."""
        page = context.new_page()
        page.goto(f"{self.url}/hub/")
        page.get_by_label("Username").fill(USER)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("#jupyterlab-splash, .jp-LabShell", timeout=60_000)
        return page

    def ask(self, path: str, *, method: str = "GET") -> int:
        """Send a request to the hub itself, as an administrator; return the status."""
        headers = {"Authorization": f"token {self.user.token}"}
        request = urllib.request.Request(f"{self.url}/hub/api/{path}", headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[Hub]:
    """Run a hub whose users work in `folder`."""
    assert PYTHON.is_file() and PROXY.exists(), "make .venv-hub/.made"
    folder.mkdir(parents=True)
    token, own = secrets.token_hex(16), folder.parent
    port, inner, control = free_port(), free_port(), free_port()
    config = own / "hub.py"
    config.write_text(_configuration(folder, token, port, inner, control), encoding="utf-8")
    log = own / "hub.log"
    env = {**os.environ, "CONFIGPROXY_AUTH_TOKEN": secrets.token_hex(16)}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(PYTHON), "-m", "jupyterhub", f"--config={config}"],
            cwd=own,
            env=env,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        hub = Hub(folder, port, token, process, log)
        try:
            _await(hub)
            yield hub
        finally:
            hub.ask(f"users/{urllib.parse.quote(USER)}/server", method="DELETE")
            process.send_signal(signal.SIGTERM)  # ends the proxy, too
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _configuration(folder: Path, token: str, port: int, inner: int, control: int) -> str:
    first, own = Path(sys.prefix), folder.parent
    kept = ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "PYTHONPATH")
    environment = {
        **{name: os.environ[name] for name in kept},
        **lab_settings(own / "settings"),
        "JUPYTER_PATH": str(first / "share" / "jupyter"),
        "JUPYTER_CONFIG_PATH": str(first / "etc" / "jupyter"),
    }
    arguments = ["--allow-root", "--LabApp.expose_app_in_browser=True"]
    settings = {
        "JupyterHub.bind_url": f"http://127.0.0.1:{port}/hubs/",
        "JupyterHub.hub_ip": "127.0.0.1",
        "JupyterHub.hub_port": inner,
        "JupyterHub.db_url": "sqlite://",
        "JupyterHub.cookie_secret_file": str(own / "cookie"),
        "JupyterHub.authenticator_class": "dummy",
        "JupyterHub.spawner_class": "simple",
        "JupyterHub.services": [{"name": "tests", "api_token": token}],
        "JupyterHub.load_roles": [
            {"name": "tests", "scopes": ["access:servers", "admin:servers", "list:users"], "services": ["tests"]}
        ],
        "ConfigurableHTTPProxy.command": [str(PROXY)],
        "ConfigurableHTTPProxy.api_url": f"http://127.0.0.1:{control}",
        "ConfigurableHTTPProxy.pid_file": str(own / "proxy.pid"),
        "DummyAuthenticator.password": PASSWORD,
        "DummyAuthenticator.allow_all": True,
        "SimpleLocalProcessSpawner.home_dir_template": str(folder),
        "Spawner.notebook_dir": str(folder),
        "Spawner.port": free_port(),
        "Spawner.default_url": "/lab",
        "Spawner.cmd": [str(PYTHON), "-m", "jupyterhub.singleuser"],
        "Spawner.args": arguments,
        "Spawner.environment": environment,
    }
    return "".join(f"c.{name} = {value!r}\n" for name, value in settings.items())


def _await(hub: Hub) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until and hub.process.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if hub.ask("users") == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the hub did not start:\n{hub.log.read_text('utf-8', 'replace')[-4000:]}")


__all__ = ["PASSWORD", "USER", "Hub", "serve"]
