"""What others wrote stays text: on the page, under its strict policy, whatever a notebook and its name hold."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Route, expect
from tests.browser import documents
from tests.browser.documents import code, git, markdown, notebook, shown, write
from tests.browser.studio import StandAlone

READY = ".cellar-diff[data-ready]"
HIT = "document.documentElement.dataset.hit=1"
NAME = f"<img src=x onerror={HIT}>"
MARKUP = (
    f'"\'><img src=x onerror="{HIT}"><svg onload="{HIT}"></svg><script>{HIT}</script>'
    f'<a href="javascript:{HIT}">a</a><iframe srcdoc="<script>parent.{HIT}</script>"></iframe>'
    f'<style>*{{background:red!important}}</style><form action="javascript:{HIT}"><button>b</button></form>'
)
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{HIT}"><script>{HIT}</script><rect width="9" height="9"/></svg>'
MIME: dict[str, Any] = {
    "text/plain": MARKUP,
    "text/html": MARKUP,
    "text/markdown": MARKUP,
    "text/latex": f"$\\href{{javascript:{HIT}}}{{x}}$",
    "image/svg+xml": SVG,
    "image/png": MARKUP,
    "image/jpeg": MARKUP,
    "application/javascript": HIT,
    "application/json": {MARKUP: MARKUP},
    "application/vnd.plotly.v1+json": {"data": [{"x": [MARKUP]}], "layout": {"title": MARKUP}},
    "application/vnd.vegalite.v5+json": {"data": {"url": f"javascript:{HIT}"}},
    "application/vnd.jupyter.widget-view+json": {"model_id": MARKUP},
    "application/pdf": MARKUP,
    "text/vnd.mermaid": MARKUP,
    f"text/{MARKUP}": MARKUP,
}


def hostile() -> dict[str, Any]:
    """Return a notebook that has markup wherever one can hold a text."""
    streams = [documents.stream(MARKUP), documents.stream(MARKUP, "stderr")]
    cells = [markdown("m", MARKUP), code(MARKUP, MARKUP, streams)]
    cells += [code(f"c{number}", "x", [shown({kind: data})]) for number, (kind, data) in enumerate(MIME.items())]
    cells.append(
        code(
            "e",
            "1/0",
            [{"output_type": "error", "ename": MARKUP, "evalue": MARKUP, "traceback": [MARKUP, f"\x1b[31m{MARKUP}"]}],
            tags=[MARKUP],
            name=MARKUP,
        )
    )
    return notebook(cells, title=MARKUP, authors=[{"name": MARKUP}])


# Rows are drawn when they come near the view, and are as high as they are only then.
_DRAW_ALL = """async scroller => {
  const drawn = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  for (let top = 0; top < scroller.scrollHeight; top += 400) {
    scroller.scrollTop = top;
    await drawn();
    await drawn();
  }
}"""


def await_problem(tab: StandAlone, directive: str) -> None:
    """Wait until the policy has forbidden something by a directive."""
    tab.until(lambda: any(directive in problem for problem in tab.problems))


def assert_inert(tab: StandAlone) -> None:
    """Hold that nothing ran and nothing of the markup became part of the page; problems fail the test's tab."""
    found = tab.page.evaluate(
        """() => ({
          hit: document.documentElement.dataset.hit ?? null,
          scripts: [...document.scripts].filter(script => !script.src).length,
          links: [...document.querySelectorAll('a')].filter(a => a.protocol === 'javascript:').length,
          handlers: document.querySelectorAll('[onerror], [onload]').length,
          frames: document.querySelectorAll('iframe:not([sandbox=""])').length,
          red: getComputedStyle(document.body).backgroundColor === 'rgb(255, 0, 0)'
        })"""
    )
    assert found == {"hit": None, "scripts": 0, "links": 0, "handlers": 0, "frames": 0, "red": False}


@pytest.mark.parametrize("name", ["a", NAME], ids=["plain", "markup"])
def test_a_hostile_notebook_is_compared_and_nothing_of_it_runs(
    cellar_page: StandAlone, page_folder: Path, name: str
) -> None:
    file = write(page_folder / f"{name}.ipynb", notebook([code("x", "1")]))
    git(page_folder, "init", "-q")
    git(page_folder, "add", ".")
    git(page_folder, "commit", "-qm", MARKUP)
    write(file, hostile())
    cellar_page.open(view="diff", path=f"{page_folder.name}/{file.name}", before="git:HEAD", after="file")
    page = cellar_page.page
    page.wait_for_selector(READY)
    expect(page.locator("article").first).to_be_visible()
    page.locator(".cellar-diff-scroller").evaluate(_DRAW_ALL)
    expect(page.locator(".cellar-diff")).to_contain_text("1/0")
    assert_inert(cellar_page)


def test_the_start_lists_hostile_names(cellar_page: StandAlone, page_folder: Path) -> None:
    write(page_folder / NAME / f"{NAME}.ipynb", hostile())
    cellar_page.open()
    cellar_page.page.get_by_label("Filter by name").fill(page_folder.name)
    expect(cellar_page.page.locator(".cellar-start-list")).to_contain_text("<img src=x")
    assert_inert(cellar_page)


@pytest.mark.parametrize("view", ["start", "diff", "merge", "handed", "none", MARKUP])
def test_an_address_is_no_markup(cellar_page: StandAlone, view: str) -> None:
    cellar_page.open(view=view, path=MARKUP, before=MARKUP, after=MARKUP, handed=MARKUP, given=MARKUP)
    expect(cellar_page.page.locator("#root")).not_to_be_empty()
    assert_inert(cellar_page)


def test_a_file_that_jupyter_serves_is_no_script_of_the_page(cellar_page: StandAlone, page_folder: Path) -> None:
    (page_folder / "evil.js").write_text(HIT)
    page = cellar_page.page

    def inject(route: Route) -> None:
        answer = route.fetch()
        script = f'<script src="../files/{page_folder.name}/evil.js"></script>'
        route.fulfill(response=answer, body=answer.text().replace("<body>", f"<body>{script}"))

    page.route(re.compile(r"/nbcellar/(\?.*)?$"), inject)
    cellar_page.open()
    assert page.locator("script[src*=evil]").count() == 1
    assert page.evaluate("document.documentElement.dataset.hit ?? null") is None
    await_problem(cellar_page, "script-src")
    cellar_page.problems.clear()


def test_the_policy_forbids_what_is_not_the_pages_own(cellar_page: StandAlone) -> None:
    """The test of the tests: what gets into the page all the same does not run, and is told."""
    cellar_page.open()
    page = cellar_page.page
    page.evaluate(
        """() => {
          const script = document.createElement('script');
          try { script.textContent = 'document.documentElement.dataset.hit = 1'; } catch {}
          document.body.append(script);
          try { document.body.insertAdjacentHTML('beforeend', '<img>'); } catch (why) { window.why = String(why); }
          const style = document.createElement('style');
          style.textContent = 'body { background: red !important }';
          document.head.append(style);
          const frame = document.createElement('iframe');
          frame.src = location.href;
          document.body.append(frame);
        }"""
    )
    assert "TrustedHTML" in page.evaluate("window.why")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 0, 0)"
    for directive in ("style-src", "frame-src", "require-trusted-types-for"):
        await_problem(cellar_page, directive)
    cellar_page.problems.clear()
