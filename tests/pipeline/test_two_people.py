"""Two people, each with a home, a folder and processes of their own, and one file that goes from one to the other."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SOURCES = {
    "read": "import pandas as pd\nimport numpy as np\ntable = pd.read_csv('data.csv')",
    "shape": "class Scaled:\n    def __init__(self, factor):\n        self.factor = factor\n"
    "    def __call__(self, x):\n        return x * self.factor\nscaled = Scaled(scale)",
    "numbers": "table['z'] = scaled(table.x)\nnoise = np.random.rand(1000)",
    "left": "low = table[table.z < 4]",
    "right": "high = table[table.z >= 4]",
    "joined": "steps = (n for n in range(3))\nboth = pd.concat([low, high])\nwith open('out.txt', 'w') as file:\n"
    "    file.write(str(len(both)))",
    "plotted": "import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt\nfig = plt.figure()\n"
    "plt.plot(both.z)\nprint(len(both), next(steps), noise.sum())",
}


class Person:
    """Somebody with a home of their own, at a notebook."""

    def __init__(self, home: Path, folder: str) -> None:
        self.home, self.folder = home, home / folder
        self.folder.mkdir(parents=True)
        cells = [
            {
                "cell_type": "code",
                "id": f"id-{name}",
                "metadata": {"cellar": {"component": {"name": name}}},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for name, source in SOURCES.items()
        ]
        metadata = {"cellar": {"parameters": {"scale": 2}}}
        document = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}
        (self.folder / "nb.ipynb").write_text(json.dumps(document), "utf-8")
        (self.folder / "data.csv").write_text("x\n1\n2\n3\n", "utf-8")
        self.run("init")

    def run(self, *words: str, code: int = 0) -> str:
        """Run a command in a process of its own; return what it printed."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "NBCELLAR_"))}
        done = subprocess.run(
            [sys.executable, "-m", "nbcellar.cli.main", *words],
            cwd=self.folder,
            env={**own, "HOME": str(self.home), "NO_COLOR": "1", "IPYTHONDIR": str(self.home / "ipython")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + (done.stderr if code else "")

    def states(self, *words: str) -> dict[str, str]:
        """Run the pipeline; return name -> state."""
        steps: list[dict[str, Any]] = json.loads(self.run("pipeline", "run", "nb.ipynb", "--json", *words))["steps"]
        return {step["name"]: step["state"] for step in steps}


@pytest.fixture
def ada(tmp_path: Path) -> Person:
    return Person(tmp_path / "ada", "project")


@pytest.fixture
def ben(tmp_path: Path) -> Person:
    return Person(tmp_path / "ben", "work/on/prices")


def test_what_one_ran_the_other_does_not_run(ada: Person, ben: Person) -> None:
    assert set(ada.states().values()) <= {"done", "cached"}
    ada.run("pipeline", "cache", "export", "nb.ipynb", "-o", "r.tar.gz")
    shutil.copy(ada.folder / "r.tar.gz", ben.folder)
    shutil.copy(ada.folder / "out.txt", ben.folder)
    key = re.search(r"[a-z0-9]{6}(-[a-z0-9]{6}){3}", ada.run("key", "show"))
    assert key is not None

    assert f"signed by {key[0]} (not trusted here)" in ben.run("pipeline", "cache", "ls", "r.tar.gz")
    refused = ben.run("pipeline", "cache", "import", "r.tar.gz", code=6)
    assert key[0] in refused and "nothing was imported" in refused
    assert set(ben.states("--dry-run").values()) == {"waiting"}

    said = ben.run("pipeline", "cache", "import", "r.tar.gz", "--trust", key[0])
    assert "nb.ipynb: 7 of 7 components cached" in said
    assert set(ben.states().values()) == {"cached"}
    assert set(ben.states("--executor", "process").values()) == {"cached"}

    # The values are hers: what runs on top of them is what she would get.
    again = ["--again", "plotted", "--write-outputs"]
    assert ben.states(*again)["plotted"] in ("done", "cached")
    ada.states(*again)
    outputs = [
        [
            output["text"]
            for output in json.loads((person.folder / "nb.ipynb").read_text("utf-8"))["cells"][-1]["outputs"]
        ]
        for person in (ada, ben)
    ]
    assert outputs[0] == outputs[1]

    # A miss says why, and a run makes what is missing from what is there.
    (ben.folder / "data.csv").write_text("x\n1\n2\n", "utf-8")
    assert "would run read: data.csv changed" in ben.run("pipeline", "cache", "import", "r.tar.gz")
    states = ben.states("-p", "scale=2")
    assert states["shape"] == "cached" and states["read"] == "done" and states["joined"] == "done"
    assert ben.run("check", "--read-data").count("whole") == 1


def test_trust_that_is_taken_back_and_results_that_are_cleared(ada: Person, ben: Person) -> None:
    ada.states("left")
    ada.run("pipeline", "cache", "export", "nb.ipynb", "left", "-o", "r.tar.gz")
    shutil.copy(ada.folder / "r.tar.gz", ben.folder)
    key = json.loads(ben.run("pipeline", "cache", "ls", "r.tar.gz", "--json"))["signer"]["key"]
    ben.run("pipeline", "cache", "import", "r.tar.gz", "--trust", key)
    assert [name for name, state in ben.states("--dry-run").items() if state == "cached"] == [
        "read",
        "shape",
        "numbers",
        "left",
    ]
    ben.run("trust", "rm", key)
    assert "who is not trusted in this project" in ben.run("pipeline", "run", "nb.ipynb", "--dry-run")
    cleared = json.loads(ben.run("pipeline", "cache", "clear", "nb.ipynb", "--json"))
    assert len(cleared["cleared"]) == 4
    ben.run("gc", "--yes")
    assert "0 commits" in ben.run("check")
    ben.run("trust", "add", json.loads(ada.run("key", "show", "--json"))["key"])
    ben.run("pipeline", "cache", "import", "r.tar.gz")
    assert ben.states("left", "--dry-run")["left"] == "cached"
