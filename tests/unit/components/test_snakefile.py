"""What Snakemake makes of a pipeline: Snakemake itself runs the Snakefiles here."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nbcellar.components.script_python import to_script
from nbcellar.components.script_snakemake import to_snakefile
from nbcellar.notebook.model import Notebook

from .test_scripts import notebook, run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.version_info < (3, 11), reason="Snakemake 9 needs Python 3.11"),
]

NAME = "sub/we 'ird\" {näme} $(touch PWNED).ipynb"
FOLDER = "we_ird_näme_touch_PWNED.pipeline"

PIPELINE = notebook(
    ("=", "scale = 3\ntitle = 'a {b} \"c\" %s'\nother = (1, 'x')"),
    (
        "imports {x} 'q'",
        "from __future__ import annotations\nimport asyncio, math\nfrom dataclasses import dataclass",
    ),
    (
        "helpers",
        """def area(r: unknown):
    return factor * scale * r

@dataclass
class Point:
    x: float
    def far(self):
        return math.hypot(self.x, offset)""",
    ),
    ("values", "factor = 2\noffset = 4\nX = 'big'\nx = 'small'\nunused = open(__import__('os').devnull)"),
    ("make", "points = [Point(3.0)]\nstarted = [area(1)]"),
    ("fetch", "await asyncio.sleep(0)\ngot = 'ö'"),
    ("mutate", "started.append(99)\nmine = len(started)"),
    ("maybe", "if scale > 100:\n    x = 'other'"),
    ("sibling", "far = points[0].far(); same = isinstance(points[0], Point)"),
    ("each", "import time", {"cache": False}),
    (
        "report",
        """line = f'{got} {mine} {far} {same} {area(2)} {title} {other} {X} {x}'
open('result.txt', 'w', encoding='utf-8').write(line)
print('written')""",
        {"retries": 1},
    ),
)


def snakemake(made: Notebook, folder: Path, *words: str, name: str = NAME) -> subprocess.CompletedProcess[str]:
    (folder / "Snakefile").write_text(to_snakefile(made, name).text, "utf-8")
    environ = {**os.environ, "HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "-c2", "--nocolor", *words],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=240,
    )


def rules_of(text: str) -> set[str]:
    """Return the rules that a dry run says it would run."""
    return {line.split()[1].rstrip(":") for line in text.splitlines() if line.startswith("rule component")}


def test_snakemake_runs_what_is_needed_and_no_more(tmp_path: Path) -> None:
    first = snakemake(PIPELINE, tmp_path)
    assert first.returncode == 0, first.stdout
    expected = "ö 2 5.0 True 12 a {b} \"c\" %s (1, 'x') big small"
    assert (tmp_path / "result.txt").read_text("utf-8") == expected
    assert not (tmp_path / "PWNED").exists()
    made = {path.relative_to(tmp_path / FOLDER).as_posix() for path in (tmp_path / FOLDER).rglob("*.pickle")}
    assert {"values/factor.pickle", "values/X.pickle", "values/x-2.pickle", "make/started.pickle"} <= made
    assert not any("unused" in path or "line" in path for path in made)
    assert (tmp_path / FOLDER / "report" / "log.txt").read_text() == "written\n"

    assert rules_of(snakemake(PIPELINE, tmp_path, "-n").stdout) == {"component_each"}
    # The parameter that nobody but `report` takes; one that is taken by a function that others call.
    assert rules_of(snakemake(PIPELINE, tmp_path, "-n", "--config", "title=new").stdout) == {
        "component_report",
        "component_each",
    }
    changed = rules_of(snakemake(PIPELINE, tmp_path, "-n", "--config", "scale=4").stdout)
    assert {"component_make", "component_mutate", "component_report"} <= changed
    assert "component_values" not in changed
    wrong = snakemake(PIPELINE, tmp_path, "-n", "--config", "scale=many")
    assert wrong.returncode and "parameter scale: 'many' is of another type than integer" in wrong.stdout


RANDOM = notebook(
    ("=", "loud = True"),
    ("seed", "import random, numpy as np; random.seed(7); np.random.seed(7)\nfirst = random.random()"),
    ("a", "a = [random.random(), np.random.rand()]"),
    ("b", "b = [random.random(), np.random.rand()]"),
    ("end", "open('random.txt', 'w').write(repr([first, a, b, loud]))"),
)


@pytest.mark.parametrize("in_turn", [True, False])
def test_random_numbers_go_on_as_in_the_notebook(tmp_path: Path, in_turn: bool) -> None:
    found = snakemake(RANDOM, tmp_path, "--config", f"random_in_turn={str(in_turn).lower()}", "loud=false", name="r")
    assert found.returncode == 0, found.stdout
    first, a, b, loud = ast.literal_eval((tmp_path / "random.txt").read_text().replace("np.float64", ""))
    run(to_script(RANDOM, "r").text, tmp_path)
    expected = ast.literal_eval((tmp_path / "random.txt").read_text().replace("np.float64", ""))
    assert (first, a) == (expected[0], expected[1]) and (b == expected[2]) is in_turn and (b == a) is not in_turn
    assert (loud, expected[3]) == (False, True)


def test_a_component_that_fails_says_where_and_stops_what_comes_after_it(tmp_path: Path) -> None:
    made = notebook(
        ("good", "a = 1"),
        ("bad", "b = a\n\nraise ValueError('as told')"),
        ("after", "print(b)"),
        ("locked", "import threading\nlock = threading.Lock()\nn = a"),
        ("slow", "import time\ntime.sleep(a * 60)", {"timeout_s": 0.2}),
        ("free", "open('free.txt', 'w').write(str(a))"),
        ("takes", "print(lock)"),
    )
    found = snakemake(made, tmp_path, "--keep-going", name="b.ipynb")
    assert found.returncode
    assert (tmp_path / "free.txt").read_text() == "1"
    assert "File \"<bad>\", line 3, in <module>\n    raise ValueError('as told')" in found.stdout
    assert "'bad' failed; see b.pipeline/bad/log.txt" in found.stdout
    assert "'locked' cannot hand over 'lock' (lock) in a file: cannot pickle" in found.stdout
    assert "'slow' took longer than 0.2 s" in found.stdout
    assert not (tmp_path / "b.pipeline" / "after").exists() or not list((tmp_path / "b.pipeline" / "after").iterdir())


def test_files_are_handed_over_in_the_order_of_the_notebook(tmp_path: Path) -> None:
    made = notebook(
        ("write", "import time\ntime.sleep(0.5)\nopen('handed.csv', 'w').write('1,2')"),
        ("read", "text = open('handed.csv').read()"),
        ("list", "%%bash\nls *.csv"),
    )
    found = snakemake(made, tmp_path, name="f.ipynb")
    assert found.returncode == 0, found.stdout
    assert (tmp_path / "f.pipeline" / "list" / "log.txt").read_text() == "handed.csv\n"
