"""`--notebooks-update`: new outputs are written for the cells that differ, and nothing else changes."""

from __future__ import annotations

import json
from pathlib import Path

from .support import code, result, run_pytest, stream, text_of


def test_cells_that_differ_get_new_outputs_and_every_other_byte_stays(tmp_path: Path) -> None:
    path = tmp_path / "nb.ipynb"
    text = text_of(
        code("object()", result("<object at 0x7f0011223344>", 7), count=7),
        code("print('new')\n2", stream("old\n"), result("2", 8), count=8),
        code("import time; time.time()", result("1.5", 9), tags=["skip-compare"], count=9),
        code("'wörter'", result("'wörter'", 10), count=10),
    ).replace('"nbformat": 4,', '"nbformat" : 4,')  # as nobody writes it
    path.write_text(text)
    path.chmod(0o640)
    done = run_pytest(tmp_path, "--notebooks-update", asked=False)
    assert list(done.outcomes.values()) == ["passed"] * 4 and done.code == 0, done
    assert "updated: nb.ipynb: 1 cell" in done.text
    old, new = text.splitlines(), path.read_text().splitlines()
    changed = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    assert changed == [
        ('   "execution_count": 8,', '   "execution_count": 2,'),
        ('      "old\\n"', '      "new\\n"'),
        ('     "execution_count": 8,', '     "execution_count": 2,'),
    ]
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.glob(".*.new")) == []
    assert "4 passed" in run_pytest(tmp_path).text


def test_a_notebook_in_which_a_cell_fails_or_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    texts = {
        "failing": text_of(code("print('new')", stream("old\n")), code("boom"), code("3")),
        "edited": text_of(
            code("print('new')", stream("old\n")),
            code(
                "import pathlib\np = pathlib.Path('edited.ipynb')\np.write_text(p.read_text() + '\\n')",
                tags=["skip-compare"],
            ),
        ),
        "fresh": text_of(code("print('new')", count=None), code("x = 1", count=None)),
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.ipynb").write_text(text)
    done = run_pytest(tmp_path, "--notebooks-update", "-n", "2")
    assert "not updated: failing.ipynb: 1 cell would be new, but a cell failed" in done.text, done
    assert "edited.ipynb was changed while its cells ran: it is left as it is now" in done.text
    assert "updated: fresh.ipynb: 1 cell" in done.text
    assert "1 failed, 5 passed, 1 skipped, 1 error" in done.text
    assert (tmp_path / "failing.ipynb").read_text() == texts["failing"]
    assert (tmp_path / "edited.ipynb").read_text() == texts["edited"] + "\n"
    cells = json.loads((tmp_path / "fresh.ipynb").read_text())["cells"]
    assert [cell["outputs"] for cell in cells] == [[stream("new\n")], []]


def test_a_notebook_of_an_older_format_is_tested_but_not_updated(tmp_path: Path) -> None:
    cell = {
        "cell_type": "code",
        "language": "python",
        "metadata": {},
        "input": "1 + 1",
        "prompt_number": 1,
        "collapsed": False,
        "outputs": [{"output_type": "pyout", "prompt_number": 1, "metadata": {}, "text": "2"}],
    }
    text = json.dumps(
        {"metadata": {}, "nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": [cell], "metadata": {}}]}
    )
    (tmp_path / "nb.ipynb").write_text(text)
    assert "1 passed" in run_pytest(tmp_path).text
    done = run_pytest(tmp_path, "--notebooks-update")
    assert "nb.ipynb is of an nbformat before 4: it is tested, but not updated" in done.text, done
    assert (tmp_path / "nb.ipynb").read_text() == text
