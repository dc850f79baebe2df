"""Servers and a browser for the tests of this folder.

Each test has a folder of its own, and a tab: of its own, or one that was cleared after the test before.
"""

from __future__ import annotations

import secrets
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, ViewportSize, expect, sync_playwright
from tests.browser import studio
from tests.browser.kept import KeptLab

_Tab = TypeVar("_Tab", bound=studio.Tab)
_FAILED = pytest.StashKey[bool]()
_WINDOW = ViewportSize(width=1280, height=720)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let fixtures know whether their test failed."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


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
    with browser.new_context(viewport=_WINDOW) as made:
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
def fresh_lab(lab_server: studio.Server, context: BrowserContext) -> Iterator[studio.Lab]:
    """A tab with JupyterLab that nobody has used."""
    yield from _checked(studio.Lab(lab_server, context))


@pytest.fixture
def lab(fresh_lab: studio.Lab) -> studio.Lab:
    """A tab with JupyterLab; a file in which most tests need no fresh one lets it be `kept_lab`."""
    return fresh_lab


@pytest.fixture(scope="module")
def _kept(browser: Browser) -> Iterator[list[KeptLab]]:
    """The tab that is kept for the tests of a file, if there is one."""
    found: list[KeptLab] = []
    yield found
    for tab in found:
        tab.page.context.close()


@pytest.fixture
def kept_lab(
    request: pytest.FixtureRequest, _kept: list[KeptLab], lab_server: studio.Server, browser: Browser
) -> Iterator[KeptLab]:
    """A tab with JupyterLab that is as if nobody had used it; a test that fails leaves none to the next."""
    tab = _kept.pop() if _kept else KeptLab(lab_server, browser.new_context(viewport=_WINDOW))
    is_clear = False
    try:
        yield tab
        assert tab.problems == []
        if tab.is_loaded and not request.node.stash.get(_FAILED, False):
            tab.clear()
            is_clear = True
    finally:
        if is_clear:
            _kept.append(tab)
        else:
            lab_server.end_kernels()
            tab.page.context.close()


@pytest.fixture
def notebook7(notebook_server: studio.Server, context: BrowserContext) -> Iterator[studio.Lab]:
    """A tab with Notebook 7."""
    yield from _checked(studio.Lab(notebook_server, context, "notebook"))


@pytest.fixture(params=["lab", "notebook"])
def any_lab(request: pytest.FixtureRequest) -> tuple[studio.Lab, Path]:
    """A tab with JupyterLab, and one with Notebook 7, each with a folder."""
    return _with_folder(request, "lab")


@pytest.fixture(params=["lab", "notebook"])
def any_fresh_lab(request: pytest.FixtureRequest) -> tuple[studio.Lab, Path]:
    """As `any_lab`, where a file keeps its tab and a test needs a fresh one."""
    return _with_folder(request, "fresh_lab")


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


def _with_folder(request: pytest.FixtureRequest, lab: str) -> tuple[studio.Lab, Path]:
    if request.param == "lab":
        return request.getfixturevalue(lab), request.getfixturevalue("folder")
    return request.getfixturevalue("notebook7"), request.getfixturevalue("notebook_folder")


def _own_folder(server: studio.Server) -> Path:
    made = server.folder / secrets.token_hex(4)
    made.mkdir()
    return made
