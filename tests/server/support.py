"""What tests of the server stand on beside its routes: kernels that it started, and the socket of events."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import websocket
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_core.paths import jupyter_runtime_dir
from tests.browser.studio import Server, write_notebook

TIMEOUT_S = 60
Event = dict[str, Any]
_SETTLE = "__import__('nbcellar.session.remote', fromlist=['x']).perform('wait_saved', {})['saved']"


class Kernel:
    """A kernel that the server started for a notebook, as JupyterLab does."""

    def __init__(self, server: Server, notebook: Path) -> None:
        self.path = notebook.relative_to(server.folder).as_posix()
        self._server = server
        wanted = {"path": self.path, "name": notebook.name, "type": "notebook", "kernel": {"name": "python3"}}
        status, session = server.ask("api/sessions", wanted)
        assert status == 201, session
        self.id = session["kernel"]["id"]
        self._client = BlockingKernelClient()
        self._client.load_connection_file(str(Path(jupyter_runtime_dir(), f"kernel-{self.id}.json")))
        self._client.start_channels(hb=False)  # on a busy machine a beat comes late, and would count as death
        self._client.wait_for_ready(timeout=TIMEOUT_S)

    def run(self, code: str) -> None:
        """Run a cell that must not fail, and wait until it is recorded."""
        reply = self._client.execute_interactive(code, timeout=TIMEOUT_S, output_hook=lambda message: None)
        assert reply["content"]["status"] == "ok", reply["content"]
        assert self.value(_SETTLE) == "True"

    def start(self, code: str) -> None:
        """Send a cell and return when its code runs, as it says itself; what is asked before that is done before it."""
        sent = self._client.execute(f"print('it runs', flush=True)\n{code}")
        while True:
            message = self._client.get_iopub_msg(timeout=TIMEOUT_S)
            if message["parent_header"].get("msg_id") == sent and message["msg_type"] == "stream":
                return

    def value(self, expression: str) -> str:
        """Return the repr of an expression, when what was sent before has run."""
        sent = self._client.execute("", silent=True, store_history=False, user_expressions={"x": expression})
        while True:
            reply = self._client.get_shell_msg(timeout=TIMEOUT_S)
            if reply["parent_header"].get("msg_id") == sent:
                found = reply["content"]["user_expressions"]["x"]
                assert found["status"] == "ok", f"{found['ename']}: {found['evalue']}"
                return str(found["data"]["text/plain"])

    def close(self) -> None:
        """End it."""
        self._client.stop_channels()
        self._server.ask(f"api/kernels/{self.id}", method="DELETE")


class Listener:
    """A browser's socket."""

    def __init__(self, server: Server, *paths: str, **options: Any) -> None:
        headers = {"Authorization": f"token {server.token}", **options.pop("headers", {})}
        self._socket = websocket.create_connection(
            f"{server.url}/nbcellar/api/events".replace("http", "ws", 1),
            header=headers,
            timeout=TIMEOUT_S,
            **options,
        )
        self.subscribe(*paths)
        for path in paths:
            self.until(lambda event, path=path: event["event"] == "hello" and event["path"] == path)

    def subscribe(self, *paths: str) -> None:
        """Say what is wanted."""
        self._socket.send(json.dumps({"subscribe": list(paths)}))

    def send(self, text: str) -> None:
        """Send anything."""
        self._socket.send(text)

    def until(self, wanted: Callable[[Event], bool]) -> list[Event]:
        """Return what comes, up to the first event that is wanted."""
        found = []
        while True:
            found.append(json.loads(self._socket.recv()))
            if wanted(found[-1]):
                return found

    def closing_code(self) -> int:
        """Return why the server closes the socket."""
        while True:
            code, data = self._socket.recv_data()
            if code == websocket.ABNF.OPCODE_CLOSE:
                return int.from_bytes(data[:2], "big")

    def close(self) -> None:
        """Leave."""
        self._socket.close()


@contextlib.contextmanager
def record(server: Server, folder: Path, name: str = "a.ipynb") -> Iterator[Kernel]:
    """Make a repository with a notebook in a folder, and start a kernel that records into it."""
    path = f"{folder.name}/{name}"
    notebook = write_notebook(folder / name, ["x = 1"])
    if not (folder / ".cellar").exists():
        status, answer = server.ask("nbcellar/api/init", {"path": path})
        assert status == 200, answer
    kernel = Kernel(server, notebook)
    try:
        yield kernel
    finally:
        kernel.close()
