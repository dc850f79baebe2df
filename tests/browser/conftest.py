"""Servers and a browser for the tests of this folder; each test has a folder and a tab of its own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, expect, sync_playwright
from tests.browser import studio

_Tab = TypeVar("_Tab", bound=studio.Tab)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    expect.set_options(timeout=studio.PATIENCE_MS)  # as for all else that is waited for; 5 s otherwise
    running = studio.launch(playwright)
    yield running
    running.close()


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory, own_environment: Path) -> Iterator[studio.Server]:
    """JupyterLab."""
    with studio.serve(tmp_path_factory.mktemp("lab") / "root") as server:
        yield server


@pytest.fixture(scope="session")
def notebook_server(tmp_path_factory: pytest.TempPathFactory, own_environment: Path) -> Iterator[studio.Server]:
    """Notebook 7."""
    with studio.serve(tmp_path_factory.mktemp("notebook") / "root", module="notebook") as server:
        yield server


@pytest.fixture(scope="session")
def page_server(tmp_path_factory: pytest.TempPathFactory, own_environment: Path) -> Iterator[studio.Server]:
    """Cellar's own page, without JupyterLab."""
    with studio.serve(tmp_path_factory.mktemp("page") / "root", module="nbcellar.server") as server:
        yield server


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser as after its installation: no cookies, a window of 1280 x 720."""
    with browser.new_context(viewport={"width": 1280, "height": 720}) as made:
        yield made


@pytest.fixture
def folder(lab_server: studio.Server) -> Path:
    """A folder of the test's own below the root of `lab_server`."""
    return _own_folder(lab_server)


@pytest.fixture
def notebook_folder(notebook_server: studio.Server) -> Path:
    """A folder of the test's own below the root of `notebook_server`."""
    return _own_folder(notebook_server)


@pytest.fixture
def page_folder(page_server: studio.Server) -> Path:
    """A folder of the test's own below the root of `page_server`."""
    return _own_folder(page_server)


@pytest.fixture
def lab(lab_server: studio.Server, context: BrowserContext) -> Iterator[studio.Lab]:
    """A tab with JupyterLab."""
    yield from _checked(studio.Lab(lab_server, context))


@pytest.fixture
def notebook7(notebook_server: studio.Server, context: BrowserContext) -> Iterator[studio.Lab]:
    """A tab with Notebook 7."""
    yield from _checked(studio.Lab(notebook_server, context, "notebook"))


@pytest.fixture(params=["lab", "notebook"])
def any_lab(request: pytest.FixtureRequest) -> tuple[studio.Lab, Path]:
    """A tab with JupyterLab, and one with Notebook 7, each with a folder."""
    if request.param == "lab":
        return request.getfixturevalue("lab"), request.getfixturevalue("folder")
    return request.getfixturevalue("notebook7"), request.getfixturevalue("notebook_folder")


@pytest.fixture
def cellar_page(page_server: studio.Server, context: BrowserContext) -> Iterator[studio.StandAlone]:
    """A tab with Cellar's own page."""
    yield from _checked(studio.StandAlone(page_server, context))


def _checked(tab: _Tab) -> Iterator[_Tab]:
    """Lend a tab; what the page itself threw, or its policy forbade, fails the test."""
    yield tab
    problems = list(tab.problems)  # not what the end of its kernel does to the page
    tab.server.end_kernels()
    assert problems == []


def _own_folder(server: studio.Server) -> Path:
    made = server.folder / secrets.token_hex(4)
    made.mkdir()
    return made
