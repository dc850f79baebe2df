"""The item in the status bar: what it says where recording does not go as it should, and that nothing moves for it."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import APIResponse, Route, expect
from tests.browser.documents import git
from tests.browser.recorded import STATE, WAIT, Recorded
from tests.browser.studio import Lab, add_kernelspec

_PLACES = """() => [...document.querySelectorAll('.jp-NotebookPanel-toolbar > *, .jp-Cell, .jp-Cell .cm-content')]
  .filter(node => node.checkVisibility())
  .map(node => [node.className.split(' ')[0], ...['x', 'y', 'width', 'height'].map(
    side => Math.round(node.getBoundingClientRect()[side]))])"""


def test_a_store_that_cannot_be_written_is_said_and_recording_goes_on_when_it_can(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, ("x = [1]", "import os\ny = os.urandom(500_000)", "z = 3")).open()
    notebook.await_state("saved")
    packs, away = folder / ".cellar" / "packs", folder / ".cellar" / "away"
    packs.rename(away)
    packs.write_text("no folder")
    lab.run_all()
    item = notebook.await_state("failing")
    expect(item).to_contain_text("not saved")
    expect(item).to_have_attribute("title", re.compile("Not a directory"))
    assert notebook.value("z") == "3", "the kernel goes on"
    packs.unlink()
    away.rename(packs)
    notebook.run()
    assert notebook.commits()[0]["title"] == "z = 3"


def test_a_kernel_of_another_language_is_not_asked_and_not_recorded(lab: Lab, folder: Path) -> None:
    echo = (
        "from ipykernel.kernelbase import Kernel\n"
        "from ipykernel.kernelapp import IPKernelApp\n"
        "class Echo(Kernel):\n"
        "    implementation, implementation_version, banner = 'echo', '1', 'echo'\n"
        "    language_info = {'name': 'echo', 'mimetype': 'text/plain', 'file_extension': '.txt'}\n"
        "    def do_execute(self, code, silent, *args, **kwargs):\n"
        "        open('asked', 'a').write(code + chr(10))\n"
        "        return {'status': 'ok', 'execution_count': 1, 'payload': [], 'user_expressions': {}}\n"
        "IPKernelApp.launch_instance(kernel_class=Echo)\n"
    )
    python = lab.server.ask("api/kernelspecs")[1]["kernelspecs"]["python3"]["spec"]["argv"][0]
    add_kernelspec("echo", [python, "-c", echo, "-f", "{connection_file}"])
    notebook = Recorded(lab, folder, ("say this",), kernel="echo").open()
    item = notebook.await_state("foreign")
    expect(item).to_be_disabled()
    expect(item).to_have_attribute("title", re.compile("Python"))
    lab.run_all()
    notebook.await_state("foreign")
    assert (folder / "asked").read_text().split("\n")[:-1] == ["say this"], "nothing is asked of such a kernel"


def test_an_answer_from_before_a_cell_ended_does_not_say_saved(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, ("x = 1", "y = 2")).open().run()
    page = notebook.page
    held: list[tuple[Route, APIResponse]] = []
    is_holding = True

    def hold(route: Route) -> None:
        answer = route.fetch()
        if is_holding:
            held.append((route, answer))
        else:
            route.fulfill(response=answer)

    page.route("**/api/standing?*", hold)

    notebook.ask("tag", name="a-question", ref="HEAD")
    lab.until(lambda: held)
    route, answer = held.pop()
    lab.run_all()
    notebook.await_state("saving")
    route.fulfill(response=answer)
    lab.until(lambda: held)
    notebook.await_drawing()
    expect(page.locator(STATE)).to_have_attribute("data-state", "saving")
    is_holding = False
    for route, answer in held:
        route.fulfill(response=answer)
    notebook.await_state("saved")
    page.unroute_all(behavior="wait")  # a question on its way would fail with the page that is closed


def test_nothing_moves_when_words_and_marks_change(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, ("x = 1", "y = 2", WAIT))
    git(folder, "init", "-q")
    git(folder, "add", "a.ipynb")
    git(folder, "commit", "-qm", "first")
    page = notebook.open().page
    page.wait_for_selector("[data-cellar-marks='0']")
    widths = [width(notebook, "saved")]
    before = page.evaluate(_PLACES)
    assert len(before) > 10
    notebook.edit(0, "x = 7")
    page.wait_for_selector("[data-cellar-marks='1']")
    assert page.evaluate(_PLACES) == before
    lab.begin("notebook:run-all-cells")
    widths.append(width(notebook, "recording"))
    assert page.evaluate(_PLACES) == before
    (folder / "go").touch()
    widths.append(width(notebook, "saved"))
    assert widths == [widths[0]] * 3


def width(notebook: Recorded, state: str) -> float:
    box = notebook.await_state(state).bounding_box()
    assert box is not None
    return box["width"]
