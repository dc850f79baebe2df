"""Requests that wait: told how far they are, taken back by name or because nobody waits any more."""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.browser.studio import Server
from tests.server.support import Kernel, Listener, record

BUSY = "import os, time\nwhile not os.path.exists('go'): time.sleep(0.01)"


@pytest.fixture
def kernel(server: Server, folder: Path) -> Iterator[Kernel]:
    with record(server, folder) as made:
        made.run("x = 1")
        made.run("x = 2")
        yield made


@pytest.fixture
def listener(server: Server, kernel: Kernel) -> Iterator[Listener]:
    made = Listener(server, kernel.path)
    yield made
    made.close()


@pytest.fixture
def post(server: Server) -> Iterator[Callable[..., Any]]:
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        yield lambda route, body, name: pool.submit(server.ask, f"nbcellar/api/{route}?request={name}", body)


def waits(event: dict[str, Any]) -> bool:
    return event["event"] == "progress" and (event["progress"] or {}).get("what") == "wait"


def ended(event: dict[str, Any]) -> bool:
    return event["event"] == "progress" and event["progress"] is None


def test_a_request_that_waits_is_told_and_taken_back(
    server: Server, folder: Path, kernel: Kernel, listener: Listener, post: Any
) -> None:
    kernel.start(BUSY)
    name = secrets.token_hex(8)
    answer = post("undo", {"path": kernel.path}, name)
    told = listener.until(waits)[-1]
    assert (told["request"], told["path"]) == (name, kernel.path)
    assert server.ask("nbcellar/api/cancel", {"request": name}) == (200, {"found": True})
    status, problem = answer.result()
    assert (status, problem["code"]) == (409, "cancelled")
    assert listener.until(ended)[-1]["request"] == name
    (folder / "go").touch()
    assert kernel.value("x") == "2"
    assert server.ask("nbcellar/api/cancel", {"request": name}) == (200, {"found": False})


def test_what_a_browser_no_longer_waits_for_never_happens(
    server: Server, folder: Path, kernel: Kernel, listener: Listener
) -> None:
    kernel.start(BUSY)
    gone = http.client.HTTPConnection("127.0.0.1", server.port)
    headers = {"Authorization": f"token {server.token}", "Content-Type": "application/json"}
    gone.request("POST", "/nbcellar/api/undo?request=gone", json.dumps({"path": kernel.path}), headers)
    listener.until(waits)
    gone.close()
    assert listener.until(ended)[-1]["request"] == "gone"
    (folder / "go").touch()
    assert kernel.value("x") == "2"
    assert list((folder / ".cellar" / "requests").iterdir()) == []


def test_reading_is_answered_while_every_thread_waits_for_a_kernel(
    server: Server, folder: Path, kernel: Kernel, listener: Listener
) -> None:
    kernel.start(BUSY)
    names = [secrets.token_hex(8) for _ in range(20)]  # more than there are threads for it
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        waiting = {
            name: pool.submit(server.ask, f"nbcellar/api/undo?request={name}", {"path": kernel.path}) for name in names
        }
        listener.until(waits)
        status, log = server.ask(f"nbcellar/api/log?path={kernel.path}")
        assert (status, log["total"] >= 2) == (200, True)
        for name, answer in waiting.items():
            while not server.ask("nbcellar/api/cancel", {"request": name})[1]["found"]:
                assert not answer.done(), answer.result()  # not there yet
        assert {answer.result()[1]["code"] for answer in waiting.values()} == {"cancelled"}
    (folder / "go").touch()
    assert kernel.value("x") == "2"


def test_a_replay_is_stopped_where_it_is(
    server: Server, folder: Path, kernel: Kernel, listener: Listener, post: Any
) -> None:
    kernel.run("import os, time")
    kernel.run("g = (i for i in range(3))\nwhile os.path.exists('hold'): time.sleep(0.01)")
    kernel.run("del g")
    (folder / "hold").touch()
    answer = post("undo", {"path": kernel.path, "replay": "yes"}, "long")
    told = listener.until(lambda event: (event["progress"] or {}).get("what") == "replay")[-1]
    assert told["progress"] == {"what": "replay", "name": "g = (i for i in range(3))", "done": 0, "total": 1}
    server.ask("nbcellar/api/cancel", {"request": "long"})
    status, problem = answer.result()
    assert (status, problem["code"]) == (409, "cancelled"), problem
    assert kernel.value("'g' in globals()") == "False"
