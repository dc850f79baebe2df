"""`cellar diff` against real kernels: what cells really did, whatever the kernel does now, whoever recorded it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from .support import Kernel, Project

FIRST = """
import numpy as np, pandas as pd
df = pd.DataFrame({'city': ['Rome', 'Oslo', None] * 1000, 'price': np.arange(3000) * 0.5, 'tmp': 1})
config = {'lr': 0.1, 'layers': [64, 64]}
def score(frame, k=2):
    return frame.price.mean() * k
class Model:
    def __init__(self, C):
        self.C = C
        self.coef_ = np.zeros(10)
m = Model(1.0)
"""
SECOND = """
df = df[df.price < 1400].drop(columns='tmp')
df.loc[5, 'price'] = 99.0
df['ratio'] = df.price / 2
config['layers'].append(8)
m = Model(10.0)
m.coef_[3] = 0.5
def score(frame, k=2):
    return frame.price.median() * k
"""


@pytest.mark.pandas2
def test_a_diff_says_what_a_cell_did(fresh: Kernel) -> None:
    fresh.run(FIRST, SECOND)
    run = fresh.project.cellar("diff", "--json")
    assert run.returncode == 0, run.stderr
    found = {variable["name"]: variable["value"] for variable in json.loads(run.stdout)["variables"]}
    assert set(found) == {"df", "config", "m", "score"}
    frame = found["df"]["detail"]
    assert (frame["rows_dropped"], frame["columns_before"], frame["columns_after"]) == (200, 3, 3)
    columns = {column["name"]: column for column in frame["columns"]}
    assert {name: column["change"] for name, column in columns.items()} == {
        "price": "changed",
        "ratio": "added",
        "tmp": "removed",
    }
    assert columns["price"]["cells"]["changed"] == 1 and columns["price"]["cells"]["largest"] == 96.5
    assert found["config"]["parts"][0]["parts"][0]["path"] == "config['layers'][2]"
    parts = {part["path"]: part for part in found["m"]["parts"]}
    assert parts["m.C"]["after"] == "10.0" and parts["m.coef_"]["detail"]["cells"]["largest_at"] == "3"
    marks = [line["text"] for line in found["score"]["detail"]["lines"] if line["mark"] in "+-"]
    assert marks == ["    return frame.price.mean() * k", "    return frame.price.median() * k"]


def test_a_diff_does_not_wait_for_the_running_cell(fresh: Kernel) -> None:
    fresh.run("x = [1]", "x.append(2)")
    running = fresh.start("print('on', flush=True)\nimport time\nwhile True: time.sleep(0.01)")
    running.wait_for("on")
    run = fresh.project.cellar("diff", "HEAD~1", "HEAD")
    assert run.returncode == 0 and "+ [1]: 2" in run.stdout, run.stdout + run.stderr
    fresh.manager.interrupt_kernel()
    running.finish()


def test_the_notebook_shows_the_same(fresh: Kernel) -> None:
    fresh.run("x = {'a': 1}", "x['a'] = 2")
    assert "~ ['a']: 1 -> 2" in fresh.run("%cellar diff").text


def test_a_foreign_history_is_compared_and_nothing_of_it_runs(project: Project) -> None:
    theirs = project.kernel(NBCELLAR_CONFIG_DIR=str(project.root.parent / "somebody else"))
    project.write("trap.py", "open('sprung', 'w').close()\nclass Trap:\n    def __init__(self, n): self.n = n\n")
    assert not theirs.try_run("import trap\nt = trap.Trap(1)").error
    assert not theirs.try_run("t = trap.Trap(2)").error
    assert not theirs.try_run("done = True").error
    theirs.shut_down()
    (project.root / "sprung").unlink()
    ids = {line.title: line.id for line in project.log()}
    first, second = ids["import trap"], ids["t = trap.Trap(2)"]
    with project.open() as repo:
        found = repo.diff(first, second)
    (value,) = (variable.value for variable in found.variables if variable.name == "t")
    assert value is not None and [(p.path, p.before, p.after) for p in value.parts] == [("t.n", "1", "2")]
    run = project.cellar("diff", first, second, "--html", "-")
    assert run.returncode == 0 and "t" in run.stdout
    assert not (project.root / "sprung").exists()


_WITHOUT = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in ('numpy', 'pandas', 'pyarrow'):
            raise ModuleNotFoundError(name=name)
sys.meta_path.insert(0, Refuse())
from nbcellar.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_without_numpy_and_pandas_the_answer_is_the_same(fresh: Kernel) -> None:
    fresh.run(FIRST, SECOND)
    outputs = []
    for command in (["-m", "nbcellar.cli.main"], ["-c", _WITHOUT]):
        run = subprocess.run(
            [sys.executable, *command, "diff", "HEAD~1", "HEAD", "--json"],
            cwd=fresh.project.root,
            env=fresh.project.environ,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        outputs.append(json.loads(run.stdout))
    for found in outputs:  # a mean may differ in its last digit
        for variable in found["variables"]:
            for column in ((variable["value"] or {}).get("detail") or {}).get("columns", []):
                for side in ("before", "after"):
                    stats = (column["cells"] or {}).get(side)
                    if stats is not None and stats["mean"] is not None:
                        stats["mean"] = round(stats["mean"], 6)
    assert outputs[0] == outputs[1]
