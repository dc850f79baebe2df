"""Cellar is there wherever notebooks are shown: JupyterLab, Notebook 7, its own page; light and dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.browser import studio
from tests.browser.studio import Lab, StandAlone, write_notebook

_BACKGROUND = "getComputedStyle(document.body).getPropertyValue('--jp-layout-color1').trim()"


def test_the_extension_is_active_in_notebook_7(notebook7: Lab, notebook_folder: Path) -> None:
    write_notebook(notebook_folder / "a.ipynb", ["x = 20 + 1"])
    notebook7.open(f"{notebook_folder.name}/a.ipynb")
    assert notebook7.page.evaluate("jupyterapp.isPluginActivated('nbcellar-lab:service')")
    notebook7.run_all()
    assert notebook7.evaluate("2 * x") == "42"


def test_a_dark_theme_is_dark_in_lab(lab: Lab, folder: Path) -> None:
    write_notebook(folder / "a.ipynb", [])
    lab.open(f"{folder.name}/a.ipynb")
    lab.dark(False)  # the server remembers the theme of the test before
    assert lab.page.evaluate(_BACKGROUND) in ("white", "#fff")
    lab.dark()
    assert lab.page.evaluate(_BACKGROUND) not in ("white", "#fff")


def test_the_page_opens_without_lab(cellar_page: StandAlone) -> None:
    cellar_page.open()
    assert "Cellar" in cellar_page.page.title()
    studio.check_axe(cellar_page.page, "#root")


def test_the_check_of_accessibility_can_fail(cellar_page: StandAlone) -> None:
    cellar_page.open()
    cellar_page.page.evaluate("document.getElementById('root').appendChild(document.createElement('button'))")
    with pytest.raises(AssertionError, match=re.compile("button-name")):
        studio.check_axe(cellar_page.page, "#root")
