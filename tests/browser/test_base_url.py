"""The page and JupyterLab behind a base URL, as JupyterHub gives one to each user."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect
from tests.browser import studio
from tests.browser.documents import committed
from tests.browser.studio import Lab, StandAlone, write_notebook

BASE = "/user/ada@x/nbcellar/"


@pytest.mark.parametrize("module", ["nbcellar.server", "jupyterlab"])
def test_everything_is_found_below_a_base_url(
    tmp_path: Path, own_environment: Path, context: BrowserContext, module: str
) -> None:
    with studio.serve(tmp_path / "root", module=module, base=BASE) as server:
        committed(server.folder / "work")
        page = StandAlone(server, context)
        page.open(view="diff", path="work/prices.ipynb", before="git:HEAD", after="file")
        page.page.wait_for_selector(".cellar-diff[data-ready]")
        expect(page.page.locator(".cellar-diff-summary")).to_contain_text("cells changed")
        assert page.problems == []
        if module == "jupyterlab":
            write_notebook(server.folder / "a.ipynb", ["x = 6"])
            lab = Lab(server, context)
            lab.open("a.ipynb")
            found = lab.page.evaluate(
                """async () => {
                  const { serverSettings } = jupyterapp.serviceManager;
                  const answer = await fetch(`${serverSettings.baseUrl}nbcellar/api/standing?path=a.ipynb`);
                  return (await answer.json()).version;
                }"""
            )
            assert found and lab.problems == []
