"""The stand-alone page: notebooks listed, compared, looked into, from click to what is shown."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from tests.browser import documents
from tests.browser.documents import code, committed, git, notebook, shown, stream, write
from tests.browser.studio import StandAlone, check_axe

CELLAR = str(Path(sys.executable).with_name("cellar"))
READY = ".cellar-diff[data-ready]"


def compare(tab: StandAlone, path: Path, before: str = "git:HEAD", after: str = "file") -> Page:
    tab.open(view="diff", path=f"{path.parent.name}/{path.name}", before=before, after=after)
    tab.page.wait_for_selector(READY)
    return tab.page


def keys_of(page: Page) -> None:
    """Wait until the keys go to the comparison, as they do once it is shown."""
    expect(page.locator(".cellar-diff-scroller")).to_be_focused()


def row(page: Page, title: str):
    return page.locator(f'article[aria-label="{title}"]')


def test_the_start_lists_notebooks_with_their_changes(cellar_page: StandAlone, page_folder: Path) -> None:
    name = page_folder.name
    write(page_folder / "alone.ipynb", documents.AFTER)
    (page_folder / "torn.ipynb").write_text("{")
    committed(page_folder / "in-git")
    cellar_page.open()
    page = cellar_page.page
    page.get_by_label("Filter by name").fill(name)
    listed = page.locator(".cellar-start-list > li")
    expect(listed).to_have_count(3)
    page.get_by_role("link", name=f"{name}/in-git/prices.ipynb").click()
    page.wait_for_selector(READY)
    expect(page.locator(".cellar-diff-summary")).to_contain_text("7 cells changed, 1 added, 1 removed")


def test_next_and_previous_change(cellar_page: StandAlone, page_folder: Path) -> None:
    page = compare(cellar_page, committed(page_folder))
    keys_of(page)
    current = page.locator("article[aria-current]")
    page.keyboard.press("n")
    expect(current).to_have_attribute("aria-label", "Cell 1: changed")
    page.keyboard.press("n")
    page.keyboard.press("n")
    expect(current).to_have_attribute("aria-label", "Cell 3: changed")
    page.keyboard.press("p")
    expect(current).to_have_attribute("aria-label", "Cell 2: changed")
    page.get_by_role("button", name="Next change").click()
    expect(page.locator(".cellar-diff-count")).to_have_text("3 / 9")
    page.keyboard.press("p")
    page.keyboard.press("p")
    page.keyboard.press("p")  # around the end
    expect(page.locator(".cellar-diff-count")).to_have_text("9 / 9")
    expect(row(page, "Cell 11: changed")).to_be_in_viewport()


def test_words_that_changed_stand_out(cellar_page: StandAlone, page_folder: Path) -> None:
    page = compare(cellar_page, committed(page_folder))
    cell = row(page, "Cell 3: changed")
    expect(cell.locator(".cellar-diff-word-new")).to_have_text(["subset", "=", "[", '"price"', "]"])
    expect(cell.locator(".cellar-diff-code.cellar-diff-old")).to_have_text("    frame = frame.dropna()")
    expect(cell.locator("td", has_text="import pandas as pd").first.locator(".tok-keyword").first).to_have_text(
        "import"
    )
    page.get_by_role("button", name="Inline").click()
    expect(cell.locator("tr", has_text="dropna")).to_have_count(2)
    page.get_by_role("button", name="Side by side", exact=True).first.click()
    expect(cell.locator("tr", has_text="dropna")).to_have_count(1)


def test_a_move_is_followed_to_its_other_end(cellar_page: StandAlone, page_folder: Path) -> None:
    page = compare(cellar_page, committed(page_folder))
    page.get_by_role("button", name=re.compile("moved up from 6")).click()
    gone = page.locator(".cellar-diff-gone")
    expect(gone).to_be_in_viewport()
    expect(gone).to_contain_text("moved up to 2")
    line = page.locator(".cellar-diff-move-current")  # leads from here
    # Rows find their heights when they are drawn, and the line follows.
    page.wait_for_function(
        """([gone, line]) => {
          const [stood, end] = [gone, line].map(node => node.getBoundingClientRect());
          return Math.abs(end.bottom - (stood.top + stood.height / 2)) < 8;
        }""",
        arg=[gone.element_handle(), line.element_handle()],
    )
    gone.click()
    expect(page.locator("article[aria-current]")).to_have_attribute("aria-label", "Cell 2: changed")


def test_a_file_that_another_program_writes_is_compared_again(cellar_page: StandAlone, page_folder: Path) -> None:
    path = committed(page_folder)
    page = compare(cellar_page, path)
    changed = json.loads(path.read_text("utf-8"))
    changed["cells"][0]["source"] = "# Prices\n\nWhat flats cost, written elsewhere."
    path.write_text(json.dumps(changed), "utf-8")
    expect(row(page, "Cell 1: changed")).to_contain_text("written elsewhere")
    path.unlink()
    expect(page.locator(".cellar-diff").get_by_role("alert")).to_contain_text("it was moved or deleted meanwhile")
    path.write_text(json.dumps(changed), "utf-8")
    expect(page.locator(".cellar-diff").get_by_role("alert")).to_have_count(0)


def test_unchanged_cells_unfold_and_fold_again(cellar_page: StandAlone, page_folder: Path) -> None:
    page = compare(cellar_page, committed(page_folder))
    fold = page.locator(".cellar-diff-fold", has_text="1 unchanged cell").first
    expect(fold).to_contain_text("Clean")
    fold.click()
    cell = row(page, "Cell 5: unchanged")
    expect(cell).to_contain_text("## Clean")
    cell.get_by_role("button", name="Fold this cell").click()
    expect(cell).to_have_count(0)


def test_noise_is_named_and_shown_on_demand(cellar_page: StandAlone, page_folder: Path) -> None:
    page = compare(cellar_page, committed(page_folder))
    fold = page.locator(".cellar-diff-fold", has_text="only execution order and memory addresses changed")
    page.get_by_role("button", name="Previous change").click()
    expect(fold).to_be_visible()
    page.get_by_role("button", name="Noise (1)").click()
    expect(row(page, "Cell 10: noise")).to_contain_text("only execution order and memory addresses changed")


def test_tags_and_states_are_chips_that_can_be_hidden(cellar_page: StandAlone, page_folder: Path) -> None:
    page = compare(cellar_page, committed(page_folder))
    page.get_by_role("button", name="Previous change").click()
    cell = row(page, "Cell 11: changed")
    chips = cell.locator(".cellar-diff-chip")
    expect(chips).to_have_text(["added tag export", "added editable false"], use_inner_text=True)
    expect(page.locator(".cellar-diff-summary .cellar-diff-chip")).to_contain_text("Prices of flats")
    page.get_by_role("button", name="Metadata").click()
    expect(cell.locator(".cellar-diff-chip")).to_have_count(0)


def test_pictures_are_compared_four_ways(cellar_page: StandAlone, page_folder: Path) -> None:
    page = compare(cellar_page, committed(page_folder))
    cell = row(page, "Cell 2: changed")
    expect(cell.get_by_role("img", name="Picture before")).to_be_visible()
    cell.get_by_role("button", name="Swipe").click()
    cell.get_by_label("Where to wipe").fill("20")
    expect(cell.get_by_role("img", name="Picture after")).to_have_css("clip-path", "inset(0px 0px 0px 20%)")
    cell.get_by_role("button", name="Onion skin").click()
    cell.get_by_label("How much of the new picture").fill("70")
    expect(cell.get_by_role("img", name="Picture after")).to_have_css("opacity", "0.7")
    cell.get_by_role("button", name="Difference").click()
    expect(cell.get_by_role("status")).to_have_text("750 of 9,216 pixels differ visibly")


def test_tables_text_and_hidden_outputs(cellar_page: StandAlone, page_folder: Path) -> None:
    page = compare(cellar_page, committed(page_folder))
    keys_of(page)
    table = row(page, "Cell 4: changed").locator(".cellar-diff-table")
    table.scroll_into_view_if_needed()
    expect(table.locator("del")).to_have_text("11")
    expect(table.locator("ins")).to_have_text("12")
    for _ in range(6):
        page.keyboard.press("n")
    fit = row(page, "Cell 8: changed")
    expect(fit.locator(".cellar-diff-output .cellar-diff-word-new")).to_have_text("86")
    page.get_by_role("button", name="Outputs").click()
    expect(fit.locator(".cellar-diff-output")).to_have_count(0)


def test_lines_that_are_the_same_are_left_out_of_a_long_cell(cellar_page: StandAlone, page_folder: Path) -> None:
    page = compare(cellar_page, committed(page_folder))
    keys_of(page)
    for _ in range(5):
        page.keyboard.press("n")
    cell = row(page, "Cell 6: changed")
    expect(cell.locator("tr", has_text="step_20 ")).to_be_visible()
    expect(cell.locator("tr", has_text=re.compile(r"step_2 ="))).to_have_count(0)
    cell.get_by_role("button", name="17 unchanged lines").click()
    expect(cell.locator("tr", has_text=re.compile(r"step_2 ="))).to_have_count(1)


def test_the_text_of_the_files_is_one_click_away(cellar_page: StandAlone, page_folder: Path) -> None:
    page = compare(cellar_page, committed(page_folder))
    page.get_by_role("button", name="Raw").click()
    expect(page.locator(".cellar-diff-raw-line.cellar-diff-new", has_text='"title": "Prices of flats"')).to_be_visible()
    page.get_by_role("button", name="Raw").click()
    expect(row(page, "Cell 1: changed")).to_be_visible()


def test_a_comparison_is_asked_for_once_before_the_code_that_shows_it(
    cellar_page: StandAlone, page_folder: Path
) -> None:
    path = committed(page_folder)
    asked: list[str] = []
    cellar_page.page.on("request", lambda request: asked.append(f"{request.url} {request.post_data or ''}"))
    compare(cellar_page, path)
    kinds = [("diff" if "/api/diff " in each else "view") for each in asked if "/api/diff " in each or "/diff-" in each]
    assert kinds[:2] == ["diff", "view"]
    assert sum('"instead":""' in each for each in asked) == 1


def test_versions_are_chosen_from_git(cellar_page: StandAlone, page_folder: Path) -> None:
    path = committed(page_folder)
    git(page_folder, "commit", "-qam", "second")
    page = compare(cellar_page, path)
    expect(page.locator(".cellar-diff-summary")).to_have_text("No difference.")
    first = git(page_folder, "rev-parse", "HEAD~1").strip()
    page.get_by_label("Version before").select_option(f"git:{first}")
    expect(page.locator(".cellar-diff-summary")).to_contain_text("7 cells changed")
    expect(page).to_have_url(re.compile(re.escape(urllib.parse.quote(f"git:{first}", safe=""))))
    page.get_by_label("Version after").select_option(f"git:{first}")
    expect(page.locator(".cellar-diff-summary")).to_have_text("No difference.")
    page.get_by_label("Version after").select_option("git:HEAD")
    expect(page.locator(".cellar-diff-summary")).to_contain_text("7 cells changed")


def test_a_commit_from_a_terminal_is_followed(cellar_page: StandAlone, page_folder: Path) -> None:
    page = compare(cellar_page, committed(page_folder))
    expect(page.locator(".cellar-diff-summary")).to_contain_text("7 cells changed")
    git(page_folder, "commit", "-qam", "all of it")
    expect(page.locator(".cellar-diff-summary")).to_have_text("No difference.")


def test_a_file_that_is_missing_is_said_and_shown_once_it_is_there(cellar_page: StandAlone, page_folder: Path) -> None:
    path = page_folder / "gone.ipynb"
    cellar_page.open(view="diff", path=f"{page_folder.name}/gone.ipynb", before="nothing", after="file")
    expect(cellar_page.page.get_by_role("alert")).to_contain_text(f"no file {page_folder.name}/gone.ipynb")
    write(path, documents.BEFORE)
    expect(cellar_page.page.locator(".cellar-diff-summary")).to_contain_text("11 cells added")


def test_what_went_wrong_is_asked_again(cellar_page: StandAlone, page_folder: Path) -> None:
    path = write(page_folder / "there.ipynb", documents.BEFORE)
    page, asked = cellar_page.page, []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    page.route("**/api/diff", refuse)
    cellar_page.open(view="diff", path=f"{page_folder.name}/{path.name}", before="nothing", after="file")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("cannot be reached")
    # Once its following has begun, the page asks again by itself; from then on only somebody's click does.
    cellar_page.until(lambda: len(asked) == 2)
    page.unroute("**/api/diff")
    alert.get_by_role("button", name="Try again").click()
    expect(page.locator(".cellar-diff-summary")).to_contain_text("11 cells added")


HOSTILE = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>'


def test_nothing_of_a_notebook_runs(cellar_page: StandAlone, page_folder: Path) -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" onload="window.hit=1"><script>window.hit=1</script></svg>'
    outputs = [
        shown(
            {"text/html": f"<b>kept</b>{HOSTILE}<iframe srcdoc='{HOSTILE}'></iframe><a href='javascript:hit=1'>a</a>"}
        ),
        shown({"image/svg+xml": svg}),
        shown({"application/javascript": "window.hit=1"}),
        shown({"text/markdown": HOSTILE}),
        shown({HOSTILE: "x"}),
        stream(HOSTILE),
        {"output_type": "error", "ename": HOSTILE, "evalue": HOSTILE, "traceback": [f"\x1b[31m{HOSTILE}\x1b[0m"]},
    ]
    cells = [
        code(f'{HOSTILE}"', HOSTILE, outputs, tags=[HOSTILE], name=HOSTILE),
        documents.markdown("m", f"# {HOSTILE}\n{HOSTILE}"),
    ]
    path = write(page_folder / "<img onerror=hit>.ipynb", notebook(cells, title=HOSTILE))
    page = compare(cellar_page, path, "nothing")
    expect(page.locator(".cellar-diff-output-text", has_text="onerror").first).to_be_visible()
    expect(page.frame_locator("iframe").locator("b")).to_have_text("kept")
    expect(page.locator(".cellar-diff-placeholder")).to_have_count(2)
    assert page.frame_locator("iframe").locator("script, img[src], img[onerror], iframe, [href]").count() == 0
    assert page.evaluate("window.hit") is None
    assert page.locator("script").count() == 1  # the page's own
    cellar_page.open()
    expect(cellar_page.page.get_by_text("<img onerror=hit>.ipynb")).to_be_visible()
    assert cellar_page.page.evaluate("window.hit") is None


def test_a_large_notebook_mounts_what_is_in_view(cellar_page: StandAlone, page_folder: Path) -> None:
    before = [code(f"c{n}", f"value_{n} = {n}") for n in range(3000)]
    after = [code(f"c{n}", f"value_{n} = {n if n % 2 else -n}") for n in range(3000)]
    write(page_folder / "a.ipynb", notebook(before))
    write(page_folder / "b.ipynb", notebook(after))
    page = compare(cellar_page, page_folder / "b.ipynb", f"file:{page_folder.name}/a.ipynb")
    expect(page.locator(".cellar-diff-count")).to_have_text("1499")
    assert page.locator("article").count() < 60
    page.locator(".cellar-diff-scroller").press("End")
    expect(row(page, "Cell 2999: changed")).to_be_visible()
    assert page.locator("article").count() < 60


@pytest.mark.parametrize("dark", [False, True])
def test_the_comparison_has_no_serious_findings(cellar_page: StandAlone, page_folder: Path, dark: bool) -> None:
    cellar_page.dark(dark)
    page = compare(cellar_page, committed(page_folder))
    page.wait_for_selector("article")
    check_axe(page, "body")
    page.get_by_role("button", name="Inline").click()
    page.get_by_role("button", name="Raw").click()
    page.wait_for_selector(".cellar-diff-raw-line")
    check_axe(page, "body")
    cellar_page.open()
    page.wait_for_selector(".cellar-start-list")
    check_axe(page, "body")


def test_it_is_usable_zoomed(cellar_page: StandAlone, page_folder: Path) -> None:
    cellar_page.zoom(2)
    page = compare(cellar_page, committed(page_folder))
    page.wait_for_selector("article")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("button", name="Next change").click()
    expect(page.locator("article[aria-current]")).to_be_in_viewport()


@contextmanager
def cellar(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a command that shows a page; yield the process and the page's address."""
    process = subprocess.Popen(
        [CELLAR, *words],
        cwd=folder,
        env={**os.environ},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("Cellar's page: "), line + process.stderr.read()
        yield process, line.removeprefix("Cellar's page: ").strip()
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_cellar_web_shows_a_notebook(context: BrowserContext, tmp_path: Path, own_environment: Path) -> None:
    committed(tmp_path / "here")
    page = context.new_page()
    with cellar(tmp_path / "here", "web", "--no-browser", "prices.ipynb") as (_, address):
        page.goto(address)
        expect(page.locator(".cellar-diff-summary")).to_contain_text("7 cells changed")
        page.get_by_role("link", name="All notebooks").click()
        expect(page.locator(".cellar-start-list > li")).to_have_count(1)


def test_cellar_diff_web_ends_when_the_page_is_done_with(
    context: BrowserContext, tmp_path: Path, own_environment: Path
) -> None:
    first, second = write(tmp_path / "a" / "x.ipynb", documents.BEFORE), write(tmp_path / "b.ipynb", documents.AFTER)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    page = context.new_page()
    words = ("diff", "--web", "--no-browser", str(first), str(second))
    with cellar(elsewhere, *words) as (process, address):
        assert str(tmp_path) not in urllib.parse.unquote(address)
        page.goto(address)
        expect(page.locator(".cellar-diff-summary")).to_contain_text("7 cells changed")
        page.get_by_role("button", name="Done").click()
        expect(page.get_by_role("status")).to_have_text("Done: this tab can be closed.")
        assert process.wait(30) == 0


def test_cellar_diff_web_lists_several_notebooks(
    context: BrowserContext, tmp_path: Path, own_environment: Path
) -> None:
    committed(tmp_path, "a.ipynb")
    committed(tmp_path, "b.ipynb")
    write(tmp_path / "a.ipynb", documents.AFTER)
    write(tmp_path / "b.ipynb", json.loads(json.dumps(documents.BEFORE).replace("0.81", "0.5")))
    page = context.new_page()
    with cellar(tmp_path, "diff", "--web", "--no-browser", "git:HEAD~1") as (process, address):
        page.goto(address)
        listed = page.locator(".cellar-start-list > li")
        expect(listed).to_have_count(2)
        listed.get_by_role("link", name="a.ipynb").click()
        expect(page.locator(".cellar-diff-summary")).to_contain_text("7 cells changed")
        page.get_by_role("link", name="All notebooks").click()
        page.get_by_role("button", name="Done").click()
        assert process.wait(30) == 0


def test_git_difftool_shows_the_page(context: BrowserContext, tmp_path: Path, own_environment: Path) -> None:
    committed(tmp_path)
    subprocess.run([CELLAR, "git", "install"], cwd=tmp_path, check=True)
    process = subprocess.Popen(
        ["git", "difftool", "-y", "-t", "cellar-web"],
        cwd=tmp_path,
        env={**os.environ, "BROWSER": "true"},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    page = context.new_page()
    assert process.stderr is not None
    try:
        line = next((line for line in process.stderr if line.startswith("Cellar's page: ")), "")
        page.goto(line.removeprefix("Cellar's page: ").strip())
        # HEAD is from before the filter.
        expect(page.locator(".cellar-diff-summary")).to_contain_text("8 cells changed")
        page.get_by_role("button", name="Done").click()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()
