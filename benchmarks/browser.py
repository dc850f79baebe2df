"""Measure Cellar in the browser: `python benchmarks/browser.py [--only PART ...] [--repeat N]`.

A real server on loopback, real kernels and a real Chromium, 1280 x 720. One table: each figure with its bar and with
what ran beside it in the same run. The parts:

- history: the panels History and Variables with 10,000 commits (`browser_panels.py`);
- checkout: the dialog in which a commit is chosen, with 10,000 commits; undo: from the key to the changed variable,
  beside the engine's own time (`browser_session.py`);
- shown: two notebooks compared in the page, nbdime's page beside it; typing: a key beside a live comparison; bundles:
  the sizes of what is loaded (`browser_documents.py`).

Elapsed times need a quiet machine, tasks are processor time (`browser_measuring.py`). Nothing is asserted in tests; the
exit status is 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

import browser_documents
import browser_panels
import browser_session
from browser_measuring import HEAD, Bench, Line, studio

PARTS: dict[str, Callable[[Bench], Iterator[Line]]] = {
    **browser_panels.PARTS,
    **browser_session.PARTS,
    **browser_documents.PARTS,
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="benchmarks/browser.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS), metavar="PART", help="these")
    parser.add_argument(
        "--repeat", type=int, default=5, metavar="N", help="how often each is measured; undo: 3 N times"
    )
    parser.add_argument("--commits", type=int, default=10_000, metavar="N", help="how long the long history is")
    options = parser.parse_args(arguments)
    missed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="cellar-bench-") as name, sync_playwright() as playwright:
        _own_settings(Path(name) / "home")
        browser = studio.launch(playwright)
        print(f"{_machine(browser.version)}\n\n{HEAD}", flush=True)
        for part in options.only:
            folder = Path(name) / part / "root"
            folder.mkdir(parents=True)
            before = os.getloadavg()[0]
            for line in PARTS[part](Bench(browser, folder, options.repeat, options.commits)):
                missed += [line.what] * line.is_missed
                print(line, flush=True)
            print(f"{part}: load {before:.2f} before, {os.getloadavg()[0]:.2f} after", file=sys.stderr, flush=True)
        browser.close()
    print("\n" + "\n".join(["Bars that are missed:", *missed] if missed else ["All bars are held."]))
    return int(bool(missed))


def _machine(chromium: str) -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, Chromium {chromium}"


def _own_settings(home: Path) -> None:
    """Keep keys, settings and running servers of whoever measures out of it."""
    home.mkdir()
    os.environ["HOME"] = str(home)
    for kind in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        os.environ[kind] = str(home / kind.lower())
    os.environ["IPYTHONDIR"] = str(home / "ipython")


if __name__ == "__main__":
    raise SystemExit(main())
