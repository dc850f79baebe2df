"""Side panels at the size Lab gives them, in a window of 1280 x 720 and zoomed to twice that: nothing is cut off."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, TimeoutError
from tests.browser.documents import git
from tests.browser.recorded import Recorded
from tests.browser.studio import Lab

CELLS = (
    "import pandas as pd\nframe = pd.DataFrame({f'a_long_name_{n}': [n, n + 1] for n in range(9)})",
    "text = 'a line that is rather long for a panel ' * 4\nframe.iloc[0, 3] = 50\nseries = frame.iloc[0]",
    "frame.iloc[1, 2] = 70\ntext += '!'",
)
# What sticks out of its panel, and what has to be scrolled sideways but for code and tables, which say so themselves.
_CUT_OFF = """() => {
  const panel = [...document.querySelectorAll('.cellar-side-panel')].find(node => node.checkVisibility());
  const box = panel.getBoundingClientRect();
  const isFree = node => {
    for (let above = node; above !== panel; above = above.parentElement) {
      const { textOverflow } = getComputedStyle(above);
      if (above.matches('pre, .cellar-wide, svg') || textOverflow === 'ellipsis') { return true; }
    }
    return false;
  };
  const found = box.width > 100 && box.right <= window.innerWidth ? [] : [`the panel: ${box.left} to ${box.right}`];
  for (const node of panel.querySelectorAll('*')) {
    const { left, right, width } = node.getBoundingClientRect();
    if (!width || !node.checkVisibility() || isFree(node)) { continue; }
    const { overflowX } = getComputedStyle(node);
    const scrolls = ['auto', 'scroll'].includes(overflowX) && node.scrollWidth > node.clientWidth + 1;
    if (scrolls || left < box.left - 1 || right > box.right + 1) {
      found.push(`${scrolls ? 'scrolls' : 'is cut off'}: ${node.outerHTML.slice(0, 160)}`);
    }
  }
  if (document.documentElement.scrollWidth > window.innerWidth) { found.push('the page scrolls'); }
  return found;
}"""


def test_nothing_of_the_panels_is_cut_off(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, CELLS)
    git(folder, "init", "-q")
    git(folder, "add", "a.ipynb")
    git(folder, "commit", "-qm", "a message that is longer than the panel of the history is wide, by far")
    page = notebook.open().run().page
    notebook.ask("tag", name="a-tag-with-a-name-of-some-length", ref="HEAD~1")
    for zoom in (1, 2):
        lab.zoom(zoom)
        lab.command("nbcellar:show-history")
        page.get_by_role("tab", name="Session").click()
        page.locator(".cellar-entry", has_text="text = ").first.click()
        page.wait_for_selector(".cellar-facts")
        fits(page, f"an entry at {zoom}")
        page.get_by_role("toolbar").get_by_role("button", name="Compare with now").click()
        page.locator(".cellar-change").first.wait_for()
        fits(page, f"a comparison at {zoom}")
        page.get_by_role("tab", name="git").click()
        page.locator(".cellar-git-commit").first.wait_for()
        fits(page, f"the git tab at {zoom}")
        lab.command("nbcellar:show-variables")
        for name in ("frame", "text"):
            page.locator(".cellar-variable", has=page.locator("code.cellar-name", has_text=name)).first.click()
            versions = page.get_by_role("list", name=f"Versions of {name}").locator("li")
            versions.last.get_by_role("button", name="Compare").click()
            page.locator(".cellar-compared .cellar-change").wait_for()
            fits(page, f"{name} at {zoom}")


def fits(page: Page, what: str) -> None:
    """Wait until nothing is cut off: a window of another size is laid out again in steps."""
    try:
        page.wait_for_function(f"() => !({_CUT_OFF})().length")
    except TimeoutError:
        pytest.fail("\n".join([f"{what}:", *page.evaluate(_CUT_OFF)]))
