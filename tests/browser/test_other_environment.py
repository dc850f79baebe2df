"""JupyterLab in one environment, the kernel in another: with Cellar, and without it until it is installed there."""

from __future__ import annotations

import shutil
import sysconfig
import venv
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.recorded import DIALOG, Recorded
from tests.browser.studio import ROOT, Lab, add_kernelspec

CELLS = ("import sys", "x = [1]", "x.append(2)")


class Environment:
    """An environment of its own, with ipykernel; its packages are borrowed, Cellar is not among them."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, symlinks=True)
        self.folder = folder
        self.python = folder / "bin" / "python"
        self._packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
        # A folder named here is searched, but what is installed there in editable form, as Cellar is, is not found.
        (self._packages / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
        argv = [str(self.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        add_kernelspec(folder.name, argv, env={"PYTHONPATH": ""})

    def install(self) -> None:
        """Do what installing the wheel would: the package, and the file that lets it join kernels."""
        (self._packages / "nbcellar.pth").write_text(f"{ROOT / 'src'}\n", encoding="utf-8")
        startup = Path("etc", "ipython", "startup")
        shutil.copytree(ROOT / startup, self.folder / startup)


@pytest.fixture
def other(tmp_path: Path, own_environment: Path) -> Environment:
    return Environment(tmp_path / "other env")


def test_a_kernel_of_another_environment_is_recorded_once_cellar_is_installed_there(
    lab: Lab, folder: Path, other: Environment
) -> None:
    notebook = Recorded(lab, folder, CELLS, kernel=other.folder.name).open()
    page = notebook.page
    item = notebook.await_state("not-installed")
    title = item.get_attribute("title") or ""
    assert str(other.python) in title and "%pip install nbcellar" in title
    notebook.start("undo")
    refused = notebook.toast("a.ipynb is not recorded here")
    commands = page.locator(f"{DIALOG} pre")
    for asks in (item, refused.locator("button", has_text="Record this notebook")):
        asks.click()
        expect(commands).to_have_text(["%pip install nbcellar", f'"{other.python}" -m pip install nbcellar'])
        notebook.answer("Close")
    lab.run_all()
    assert notebook.value("x") == "[1, 2]"
    expect(item).to_have_attribute("data-state", "not-installed")

    other.install()
    notebook.restart_kernel()
    notebook.await_state("saved")
    notebook.run()
    assert notebook.value("sys.prefix") == repr(str(other.folder))
    assert [line["title"] for line in notebook.commits()][:3] == list(reversed(CELLS))
    notebook.start("undo")
    notebook.toast("Undid [3] x.append(2)")
    assert notebook.value("x") == "[1]"
