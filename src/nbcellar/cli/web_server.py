"""The page's server as a command has it: a process of its own on this machine alone, which ends with the command.

Invariant: it listens on 127.0.0.1 behind a token that no other program on the machine sees: not in an argument, nor in
the address that a browser is started with. Documents are handed over in requests, never as paths in an address.
"""

from __future__ import annotations

import contextlib
import html
import http.client
import json
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from nbcellar.cli.console import Console
from nbcellar.errors import InvalidInputError, StoreUnavailableError

_START_S = 60.0
_ATTEMPTS = 5
_LAST_LINES = 12


class WebServer:
    """A server that runs. `wait` returns when the page said that it is done with."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, token: str, log: Path) -> None:
        self._process = process
        self._port = port
        self._token = token
        self._log = log

    def address(self, query: Mapping[str, str]) -> str:
        """Return the page's address, with the token, for a view that `query` names."""
        return f"http://127.0.0.1:{self._port}/nbcellar/?{urlencode({**query, 'token': self._token})}"

    def ask(self, route: str, body: Mapping[str, Any]) -> Any:
        """Send a request of the command itself; return the answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}/nbcellar/api/{route}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"token {self._token}"},
        )
        try:
            with _opener().open(request, timeout=60) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                problem = json.loads(error.read())
            raise InvalidInputError(problem.get("message", str(error)), hint=problem.get("hint", "")) from None

    def show(self, query: Mapping[str, str], console: Console, *, browser: bool) -> None:
        """Open the page in the browser, and say where it is."""
        console.notice(f"Cellar's page: {self.address(query)}")
        if browser and not _open(self.address(query), self._log.with_name("open.html")):
            console.notice("no browser could be started; open the address yourself")
        console.notice("Ctrl-C ends it")

    def wait(self) -> int:
        """Wait until the server ends or somebody presses Ctrl-C; return the server's exit code, 0 for Ctrl-C."""
        try:
            return self._process.wait()
        except KeyboardInterrupt:
            return 0

    def is_up(self) -> bool:
        """Return whether it answers. Raises StoreUnavailableError if it has ended."""
        if self._process.poll() is not None:
            lines = self._log.read_text("utf-8", "replace").splitlines()[-_LAST_LINES:]
            raise StoreUnavailableError("the page's server did not start:\n" + "\n".join(lines))
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}/nbcellar/api/openapi.json",
            headers={"Authorization": f"token {self._token}"},
        )
        try:
            with _opener().open(request, timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, http.client.HTTPException):  # the latter from another program, which took the port
            return False


@contextlib.contextmanager
def serving(folder: Path, console: Console, *, port: int | None = None, task: bool = False) -> Iterator[WebServer]:
    """Run the page's server for what is below `folder`; it ends with the block.

    task: the command waits for one thing, which the page can say is done. Raises InvalidInputError where
    jupyter_server is not installed, StoreUnavailableError if it does not start.
    """
    _require_server()
    with tempfile.TemporaryDirectory(prefix="cellar-web-") as private:
        log = Path(private, "log")
        with log.open("wb") as out:
            process, server = _start(folder, console, port, log, out, task=task)
            try:
                yield server
            finally:
                _end(process)


def _start(
    folder: Path, console: Console, port: int | None, log: Path, out: Any, *, task: bool
) -> tuple[subprocess.Popen[bytes], WebServer]:
    for attempt in range(_ATTEMPTS):
        chosen, token = port or _free_port(), secrets.token_urlsafe(24)
        process = _launch(folder, console.environ, chosen, token, out, task=task)
        server = WebServer(process, chosen, token, log)
        try:
            _await(server)
            return process, server
        except StoreUnavailableError:
            _end(process)
            if port is not None or attempt == _ATTEMPTS - 1 or "in use" not in log.read_text("utf-8", "replace"):
                raise
        except BaseException:
            _end(process)
            raise
    raise AssertionError("unreachable")


def _launch(
    folder: Path, environ: Mapping[str, str], port: int, token: str, out: Any, *, task: bool
) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "nbcellar.server", "--no-browser", "--ServerApp.ip=127.0.0.1"]
    words += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}"]
    words += ["--ServerApp.allow_root=True"]
    environ = {**environ, "JUPYTER_TOKEN": token, "NBCELLAR_UNTIL_END_OF_INPUT": "1"}
    if task:
        environ["NBCELLAR_TASK"] = "1"
    # A group of its own: Ctrl-C is for the command, which then ends the server. A pipe: the server ends with the
    # command, whatever becomes of that.
    return subprocess.Popen(
        words, cwd=folder, env=environ, stdin=subprocess.PIPE, stdout=out, stderr=out, start_new_session=True
    )


def _await(server: WebServer) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        if server.is_up():
            return
        time.sleep(0.05)
    raise StoreUnavailableError(f"the page's server did not answer for {_START_S:.0f} s")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _require_server() -> None:
    import importlib.util

    if importlib.util.find_spec("jupyter_server") is None:
        raise InvalidInputError(
            "the page needs jupyter_server, which is not installed here", hint="pip install 'nbcellar[server]'"
        )


def _opener() -> urllib.request.OpenerDirector:
    """Return what asks without a proxy: the server is on this machine."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _open(address: str, file: Path) -> bool:
    """Open an address in the browser by a file in a folder of this user's: arguments of programs are for all to see."""
    page = (
        '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>Cellar</title>'
        f'<meta http-equiv="refresh" content="0;url={html.escape(address, quote=True)}">'
    )
    file.write_text(page, encoding="utf-8")
    try:
        return webbrowser.open(file.as_uri())
    except webbrowser.Error:
        return False


__all__ = ["WebServer", "serving"]
