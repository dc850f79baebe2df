"""The tab that several tests have one after the other: what one leaves there, the next does not find."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect
from tests.browser.kept import KeptLab
from tests.browser.recorded import TOAST, Recorded


def test_what_is_left_in_the_tab_is_gone_after_it_was_cleared(kept_lab: KeptLab, folder: Path) -> None:
    page = kept_lab.page
    first = Recorded(kept_lab, folder, ("x = 1", "y = 2")).open().run()
    kept_lab.bring("nbcellar:show-history")
    page.locator(".cellar-entry", has_text="y = 2").wait_for()
    page.get_by_label("Search the history").fill("nothing has this")
    page.locator(".cellar-entry").first.wait_for(state="detached")
    page.get_by_role("tab", name="git").click()
    first.edit(0, "x = 'not saved'")
    kept_lab.bring("nbcellar:diff-saved")
    page.locator(".cellar-diff[data-ready]").wait_for()
    page.route("**/api/history*", lambda route: route.abort())
    kept_lab.dark()
    kept_lab.zoom(2)
    first.start("checkout", ref="no-such-name")
    first.toast("no-such-name")

    kept_lab.clear()
    assert kept_lab.server.ask("api/kernels") == (200, [])
    assert first.sources() == ["x = 1", "y = 2"]
    assert page.evaluate("[innerWidth, document.body.dataset.jpThemeName]") == [1280, "JupyterLab Light"]
    expect(page.locator(f".jp-Notebook, .cellar-diff, {TOAST}")).to_have_count(0)
    second = Recorded(kept_lab, folder.with_name(f"{folder.name}-second"), ("z = 3",)).open().run()
    expect(page.locator(".jp-Notebook")).to_have_count(1)
    expect(page.locator(".jp-Launcher")).to_have_count(0)
    expect(page.locator(".cellar-side-panel:visible")).to_have_count(0)
    assert second.value("'x' in globals()") == "False"
    kept_lab.bring("nbcellar:show-history")
    expect(page.get_by_role("tab", name="Session")).to_have_attribute("aria-selected", "true")
    page.locator(".cellar-entry", has_text="z = 3").wait_for()
    expect(page.get_by_label("Search the history")).to_have_value("")
