"""Makes docs/images/*.png: each view of Cellar in the browser, light and dark. `make pictures`, or
`python docs/pictures.py [NAME...]` for some of them.

Invariant: data is made here, and each picture is taken when the view says that it is ready. Pictures of the page are
the same each time; those of histories show the day and run times. Not for: testing (tests/browser).

A view is a function that brings a tab to it, and a line in `ON_THE_PAGE` or `IN_LAB`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402
from tests.browser import documents, studio  # noqa: E402
from tests.browser.studio import Lab, Server, StandAlone  # noqa: E402
from tests.browser.test_merge import conflicted  # noqa: E402

FOLDER = Path(__file__).parent / "images"
LARGEST_BYTES = 150_000
SIZE = {"width": 1280, "height": 720}
THEMES = {"light": False, "dark": True}
ANALYSIS = (
    "import pandas as pd\nimport numpy as np",
    "prices = pd.DataFrame({'city': ['Graz', 'Linz', 'Wien'], 'price': [410.0, 395.0, 620.0]})",
    "prices['rent'] = prices.price * 0.004",
    "top = prices[prices.price > 400]",
    "weights = np.linspace(0, 1, 1000)",
)

PIPELINE = {
    "imports": "import pandas as pd",
    "prices": "prices = pd.DataFrame({'price': range(380, 620, 10)})\nprices['rent'] = prices.price * 0.004",
    "train": "train = prices.rent[::2]",
    "test": "test = prices.rent[1::2]",
    "fit": "fit = train.mean()",
    "error": "error = abs(fit - test.mean())",
    "chart": "chart = [round(rent, 1) for rent in prices.rent]",
}


def start(tab: StandAlone, folder: Path) -> None:
    """The notebooks below a folder."""
    documents.committed(folder)
    tab.open()
    tab.page.wait_for_selector(".cellar-start-list > li")


def diff(tab: StandAlone, folder: Path) -> None:
    """Two versions of a notebook beside each other."""
    path = documents.committed(folder)
    tab.open(view="diff", path=f"{folder.name}/{path.name}", before="git:HEAD", after="file")
    tab.page.wait_for_selector(".cellar-diff[data-ready]")
    tab.page.wait_for_selector("article")


def routes(tab: StandAlone, folder: Path) -> None:
    """The routes of the server."""
    tab.goto("nbcellar/api")
    tab.page.wait_for_selector("h2")


def history(tab: Lab, folder: Path) -> None:
    """The history of an analysis."""
    _analysis(tab, folder)
    tab.command("nbcellar:show-history")
    tab.page.wait_for_selector(".cellar-entry")


def variables(tab: Lab, folder: Path) -> None:
    """The variables of the last state."""
    _analysis(tab, folder)
    tab.command("nbcellar:show-variables")
    tab.page.wait_for_selector(".cellar-variable, [class*=cellar-variables] [role=row], [class*=cellar-var-]")


def marks(tab: Lab, folder: Path) -> None:
    """What changed in an open notebook since git, one change shown."""
    notebook = studio.write_notebook(folder / "rents.ipynb", ANALYSIS)
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "Prices and rents")):
        subprocess.run(["git", *words], cwd=folder, check=True)
    tab.open(f"{folder.name}/{notebook.name}")
    tab.page.evaluate(
        """() => {
          const model = window.jupyterapp.shell.currentWidget.content.model.sharedModel;
          model.getCell(2).setSource('# a month, before taxes\\nprices["rent"] = prices.price * 0.0042');
          model.deleteCell(4);
          model.insertCell(3, { cell_type: 'code', source: 'prices.describe()' });
        }"""
    )
    tab.page.locator(".cellar-gutter-mark.cellar-mod-changed").click()
    tab.page.wait_for_selector(".cellar-gutter-peek .cm-deletedChunk")


def merge(tab: StandAlone, folder: Path) -> None:
    """A notebook that two people changed, to be decided."""
    conflicted(folder)
    tab.open(view="merge", path=f"{folder.name}/repo/n.ipynb")
    tab.page.wait_for_selector(".cellar-merge [aria-label]")


def pipeline(tab: Lab, folder: Path) -> None:
    """An analysis as a pipeline, one of its components changed since it ran."""
    path = _components(folder, PIPELINE)
    tab.server.ask("nbcellar/api/init", {"path": path})
    tab.open(path)
    tab.command("application:toggle-left-area")
    tab.command("nbcellar:show-pipeline")
    page = tab.page
    page.locator("[data-component=c0][data-mark=stale]").wait_for()
    handle = page.locator("#jp-right-stack").bounding_box() or {"x": 0.0}
    page.mouse.move(handle["x"] - 2, 300)
    page.mouse.down()
    page.mouse.move(820, 300, steps=4)
    page.mouse.up()
    page.get_by_role("button", name="Run all", exact=True).click()
    page.locator(".cellar-pipeline-ended").get_by_role("button", name="Close").click()
    page.evaluate("() => jupyterapp.shell.currentWidget.content.model.sharedModel.getCell(5).setSource('error = fit')")
    page.locator("[data-component=c5][data-mark=stale]").wait_for()
    page.locator("[data-component=c4] rect").click()
    page.locator(".cellar-pipeline-variables > li").first.wait_for()
    page.get_by_role("button", name="Fit", exact=True).click()


def pipeline_diff(tab: StandAlone, folder: Path) -> None:
    """Two versions of a pipeline."""
    path = _components(folder, PIPELINE)
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "Rents as a pipeline")):
        subprocess.run(["git", *words], cwd=folder, check=True)
    changed = dict(PIPELINE)
    changed["rows"] = "rows = prices.dropna()"
    changed["train"] = "train = rows.rent[::2]"
    changed["fit"] = "fit = train.median()"
    del changed["chart"]
    order = ("imports", "prices", "rows", "train", "test", "fit", "error")
    ids = {name: at for at, name in enumerate(PIPELINE)} | {"rows": 9}
    _components(folder, {name: changed[name] for name in order}, ids)
    tab.open(view="diff", path=path, before="git:HEAD", after="file")
    tab.page.wait_for_selector(".cellar-pipeline-diff [data-component=c9]")
    tab.page.wait_for_selector("article")


def _components(folder: Path, sources: Mapping[str, str], ids: Mapping[str, int] | None = None) -> str:
    """Write a notebook whose cells are components; return its path below the server's folder."""
    cells = [
        documents.code(f"c{(ids or {}).get(name, at)}", source, cellar={"component": {"name": name}})
        for at, (name, source) in enumerate(sources.items())
    ]
    documents.write(folder / "rents.ipynb", documents.notebook(cells))
    return f"{folder.name}/rents.ipynb"


ON_THE_PAGE: dict[str, Callable[[StandAlone, Path], None]] = {
    "start": start,
    "diff": diff,
    "merge": merge,
    "pipeline-diff": pipeline_diff,
    "routes": routes,
}
IN_LAB: dict[str, Callable[[Lab, Path], None]] = {
    "history": history,
    "variables": variables,
    "marks": marks,
    "pipeline": pipeline,
}


def main(names: list[str]) -> None:
    """Take the pictures."""
    wanted = set(names) or {*ON_THE_PAGE, *IN_LAB}
    if unknown := wanted - {*ON_THE_PAGE, *IN_LAB}:
        raise SystemExit(f"no picture is called {', '.join(sorted(unknown))}")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        _keep_apart(Path(folder))
        browser = studio.launch(playwright)
        for theme, is_dark in THEMES.items():
            _take(browser, Path(folder) / theme, theme, is_dark, wanted)
        browser.close()


def _take(browser: Browser, folder: Path, theme: str, is_dark: bool, wanted: set[str]) -> None:
    for module, views in (("nbcellar.server", ON_THE_PAGE), ("jupyterlab", IN_LAB)):
        chosen = [name for name in views if name in wanted]
        if not chosen:
            continue
        with studio.serve(folder / module / "notebooks", module=module) as server:
            for name in chosen:
                with _tab(browser, server, module) as tab:
                    if isinstance(tab, StandAlone):
                        tab.dark(is_dark)
                    views[name](tab, server.folder / name)  # type: ignore[operator]
                    if isinstance(tab, Lab):
                        tab.dark(is_dark)
                    _save(tab.page, f"{name}-{theme}.png")


@contextmanager
def _tab(browser: Browser, server: Server, module: str) -> Iterator[StandAlone | Lab]:
    with browser.new_context(viewport=SIZE, reduced_motion="reduce", locale="en-GB", timezone_id="UTC") as context:  # type: ignore[arg-type]
        yield StandAlone(server, context) if module == "nbcellar.server" else Lab(server, context)


def _analysis(tab: Lab, folder: Path) -> None:
    studio.write_notebook(folder / "rents.ipynb", ANALYSIS)
    path = f"{folder.name}/rents.ipynb"
    tab.server.ask("nbcellar/api/init", {"path": path})
    tab.open(path)
    tab.run_all()
    tab.evaluate("__import__('nbcellar.session.remote', fromlist=['x']).perform('wait_saved', {})")


def _save(page: Page, name: str) -> None:
    data = page.screenshot(animations="disabled", caret="hide")
    if len(data) > LARGEST_BYTES:
        raise SystemExit(f"{name} has {len(data):,} bytes, more than {LARGEST_BYTES:,}: show less of it")
    (FOLDER / name).write_bytes(data)
    print(f"docs/images/{name}  {len(data):,} bytes")


def _keep_apart(folder: Path) -> None:
    """Let nothing of whoever takes the pictures get into them."""
    own = {
        "HOME": folder / "home",
        "XDG_CONFIG_HOME": folder / "config",
        "JUPYTER_CONFIG_DIR": folder / "jupyter",
        "JUPYTER_DATA_DIR": folder / "data",
        "JUPYTER_RUNTIME_DIR": folder / "runtime",
        "IPYTHONDIR": folder / "ipython",
    }
    os.environ.update({name: str(path) for name, path in own.items()})
    names = {"AUTHOR_NAME": "Ada", "AUTHOR_EMAIL": "ada@example.org"}
    names |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in names.items()}
    dates = {"AUTHOR_DATE": "2026-03-02T09:00:00Z", "COMMITTER_DATE": "2026-03-02T09:00:00Z"}
    os.environ.update({f"GIT_{name}": value for name, value in (names | dates).items()})


if __name__ == "__main__":
    main(sys.argv[1:])
