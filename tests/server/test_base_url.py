"""Behind a base URL, as JupyterHub gives one to each user: routes, page, events, and requests of the page itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.browser import studio
from tests.browser.studio import Server
from tests.server.support import Listener, record

BASE = "/user/ada@x/nbcellar/"  # with our own name in it, which an address must not be cut at


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory, own_environment: Path) -> Iterator[Server]:
    with studio.serve(tmp_path_factory.mktemp("user") / "root", module="nbcellar.server", base=BASE) as running:
        yield running


def test_routes_and_events_are_below_it(user: Server) -> None:
    folder = user.folder / "work"
    folder.mkdir()
    with record(user, folder) as kernel:
        listener = Listener(user, kernel.path)
        kernel.run("x = 1")
        listener.until(lambda event: event["event"] == "history")
        listener.close()
        assert user.ask(f"nbcellar/api/log?path={kernel.path}")[1]["total"] >= 1


def test_the_page_knows_it(user: Server) -> None:
    status, page = user.ask("nbcellar/")
    assert status == 200
    assert f'<meta name="cellar-base-url" content="{BASE}" />' in page
    assert 'src="./assets/' in page
