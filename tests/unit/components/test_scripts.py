"""Scripts that a pipeline becomes: they run without Cellar, and text of the notebook stays text."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nbcellar.components.naming import name_problem
from nbcellar.components.script_python import to_script
from nbcellar.components.script_snakemake import to_snakefile
from nbcellar.errors import InvalidInputError
from nbcellar.notebook.model import Notebook
from nbcellar.notebook.plain import from_plain


def notebook(*cells: tuple[str, str] | tuple[str, str, dict[str, Any]]) -> Notebook:
    """Return a notebook of components (name, source, more metadata); `#` is Markdown, `=` sets parameters."""
    made: list[dict[str, Any]] = []
    for place, (name, source, *more) in enumerate(cells):
        cell: dict[str, Any] = {"id": f"c{place}", "metadata": {}, "source": source}
        if name == "#":
            made.append({**cell, "cell_type": "markdown"})
            continue
        said = {"cellar": {"component": {"name": name, **(more[0] if more else {})}}}
        cell["metadata"] = {"tags": ["parameters"]} if name == "=" else said
        made.append({**cell, "cell_type": "code", "outputs": [], "execution_count": None})
    return from_plain({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def run(script: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder of its own, where Cellar cannot be imported."""
    file = folder / "script.py"
    file.write_text(script, "utf-8")
    (folder / "nbcellar.py").write_text("raise ImportError('a script needs no Cellar')")
    environ = {"HOME": str(folder), "IPYTHONDIR": str(folder / "ipython"), "PYTHONUTF8": "1", "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [sys.executable, "-W", "error", file.name, *arguments],
        cwd=folder,
        env=environ,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


WHOLE = notebook(
    ("#", "# Über alles\rimport os\n'''"),
    ("=", "scale = 3\nname = '%s {x}'\nloud = False\nlevels = [1, None]\npair = (1, 2)\nrate = 0.5\nnothing = None"),
    ("setup", "from __future__ import annotations\nimport math\n%matplotlib inline"),
    ("last", "print(area(1), name, loud, levels, pair, rate, nothing, got)\ndisplay('shown')", {"after": ["c4", "c5"]}),
    ("helper", "def area(r: not_there) -> float:\n    return factor * scale * r"),
    (
        "fetch",
        "import asyncio\nasync def f(x):\n    await asyncio.sleep(0)\n    return x\ngot = [await f(i) for i in 'ab']",
    ),
    ("factor", "factor = 2\ntext = '''a\n  b'''"),
    ("#", "The end"),
)


def test_a_script_runs_the_components_in_order_with_the_parameters_it_is_given(tmp_path: Path) -> None:
    script = to_script(WHOLE, "a.ipynb").text
    assert "IPython.core" not in script  # no magic is left that needs it
    found = run(script.replace("area(1)", "area(1) if 'factor' in globals() else None"), tmp_path)
    assert found.stderr == ""
    assert found.stdout.startswith("None %s {x} False [1, None] (1, 2) 0.5 None ['a', 'b']\n")
    given = (
        "--scale",
        "4",
        "--name",
        "é'",
        "--loud",
        "--levels",
        "[]",
        "--pair",
        "(5,)",
        "--rate",
        "2",
        "--nothing",
        "{}",
    )
    assert "é' True [] (5,) 2.0 {} ['a', 'b']" in run(script.replace("area(1), ", ""), tmp_path, *given).stdout
    assert script.index("# The end") > script.index("%% factor")
    assert (
        script.index("# # Über alles") < script.index("%% setup") < script.index("%% helper") < script.index("%% last")
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--scale", "2.5"), "--scale: invalid int value: '2.5'"),
        (("--rate", "x"), "--rate: invalid float value"),
        (("--levels", "[1"), "--levels: invalid JSON value"),
        (("--sca", "3"), "unrecognized arguments: --sca"),
    ],
)
def test_a_parameter_keeps_its_type(tmp_path: Path, arguments: tuple[str, ...], problem: str) -> None:
    found = run(to_script(WHOLE, "a.ipynb").text, tmp_path, *arguments)
    assert found.returncode == 2
    assert problem in found.stderr


def test_magics_do_what_ipython_does(tmp_path: Path) -> None:
    script = to_script(
        notebook(
            ("list", "files = !echo one; echo two"),
            ("timed", "%%time\ntotal = sum(range(5))"),
            ("captured", "%%capture out\nprint('unseen')"),
            ("file", "%%writefile made.txt\nhello"),
            ("more", "from IPython import get_ipython\n%time n = 3"),
            ("end", "print(files, total, out.stdout, n)"),
        ),
        "a.ipynb",
    )
    assert script.notes[0] == "it has magics, so it needs IPython"
    found = run(script.text, tmp_path)
    assert "['one', 'two'] 10 unseen\n 3" in found.stdout, found.stderr
    assert (tmp_path / "made.txt").read_text() == "hello\n"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("x = 1\n%load other.py", r"'it' \(cell 1\), line 2: %load needs a notebook"),
        ("x = 1\n\nprint(Out[1])", r"'it' \(cell 1\), line 3: it takes Out, which only a notebook's kernel has"),
        ("x = _ + 1", r"line 1: it takes _, which only"),
        ("x = 1\nreturn x", r"line 2: 'return' outside function"),
        ("x = (", r"line 1: "),
        ("%%debug\nx = 1", r"%debug needs a notebook"),
    ],
)
def test_what_no_script_can_run_is_refused_with_cell_and_line(source: str, problem: str) -> None:
    for make in (to_script, to_snakefile):
        with pytest.raises(InvalidInputError, match=problem):
            make(notebook(("it", source)), "a.ipynb")


def test_a_throwaway_name_is_no_result_of_a_kernel(tmp_path: Path) -> None:
    script = to_script(notebook(("it", "a = [_ for _ in range(2)]"), ("b", "_, n = 1, 2\nprint(_, n, a)")), "a.ipynb")
    assert run(script.text, tmp_path).stdout == "1 2 [0, 1]\n"


def test_a_notebook_of_another_language_is_refused() -> None:
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "x <- 1", "outputs": [], "execution_count": None}
    made = from_plain({"cells": [cell], "metadata": {"kernelspec": {"name": "ir", "language": "R"}}})
    for make in (to_script, to_snakefile):
        with pytest.raises(InvalidInputError, match="the notebook's language is r"):
            make(made, "a.ipynb")


def test_a_parameter_that_is_a_word_of_python_is_refused() -> None:
    made = from_plain({"cells": [], "metadata": {"cellar": {"parameters": {"class": 1}}}})
    for make in (to_script, to_snakefile):
        with pytest.raises(InvalidInputError, match="the parameter class is a word of Python's"):
            make(made, "a.ipynb")


def test_a_parameter_that_a_component_changes_for_others_is_refused_for_snakemake(tmp_path: Path) -> None:
    made = notebook(("=", "k = 1"), ("twice", "k = 2 * k"), ("show", "print(k)"))
    assert run(to_script(made, "a.ipynb").text, tmp_path, "--k", "3").stdout == "6\n"
    with pytest.raises(InvalidInputError, match=r"'twice' \(cell 2\) changes the parameter k, which 'show' takes"):
        to_snakefile(made, "a.ipynb")


def test_what_does_not_reach_other_processes_is_said() -> None:
    made = notebook(("a", "import os\nos.chdir('/')"), ("b", "import random\nrandom.seed(1)"), ("c", "x = 1"))
    notes = to_snakefile(made, "a.ipynb").notes
    assert any("'a' sets chdir for its own process" in note for note in notes)
    assert any("'b' seeds random numbers" in note for note in notes)


def test_parameters_may_be_called_as_options_are(tmp_path: Path) -> None:
    made = notebook(
        ("=", "help = 1\nh = 2\nx_y = True\nno_x_y = 3\n_a = 4\nüber = 5\nbig = 1e999\nmany = {2, 1}"),
        ("print", "print(help, h, x_y, no_x_y, _a, über, big, many)"),
    )
    script = to_script(made, "a.ipynb").text
    found = run(script, tmp_path, "--help", "7", "--no-x-y", "--_a", "8", "--über", "9")
    assert found.stdout == "7 2 False 3 8 9 inf {1, 2}\n", found.stderr
    assert "--no_x_y" in run(script, tmp_path, "-h").stdout


@pytest.mark.parametrize(
    "source", ["", "\n", "# only this", "%matplotlib inline", "x = 1 # é\r\ny = '\\\\'", "if 1:\n\tpass\t"]
)
def test_odd_cells_are_code_of_their_own(source: str, tmp_path: Path) -> None:
    made = notebook(("one", source), ("two", "print('there')"))
    assert run(to_script(made, "a.ipynb").text, tmp_path).stdout == "there\n"


letters = st.text(st.characters(exclude_categories=()), max_size=30)
hostile = letters | st.sampled_from(
    ['"""', "'''\nimport os", "\\", "a\rimport os", "{x}", "$(x)", "\u2028import os", "../.."]
)


@given(hostile, hostile, hostile)
def test_names_and_markdown_stay_text_in_a_script(name: str, text: str, path: str) -> None:
    assume(not name_problem(name) and name != "b")
    plain = to_script(notebook(("#", "text"), ("name", "x = 1"), ("b", "y = await x")), "a.ipynb").text
    found = to_script(notebook(("#", text), (name, "x = 1"), ("b", "y = await x")), path).text
    assert ast.dump(ast.parse(found.encode())) == ast.dump(ast.parse(plain))


@given(hostile, hostile, hostile)
def test_names_and_values_stay_text_in_a_snakefile(name: str, value: str, path: str) -> None:
    def tokens(file: str) -> list[tuple[int, str]]:
        found = tokenize.generate_tokens(io.StringIO(file).readline)
        left = (tokenize.COMMENT, tokenize.NL)
        strings = [
            (each.type, "" if each.type == tokenize.STRING else each.string) for each in found if each.type not in left
        ]
        return [(kind, re.sub(r"^component_?\w*$", "component", string)) for kind, string in strings]

    def made(name: str, value: str) -> Notebook:
        return notebook(("=", f"p = {value!a}"), (name, "x = p"), ("b", "y = x"))

    assume(not name_problem(name) and name != "b")
    found = to_snakefile(made(name, value), path).text
    found.encode()
    assert tokens(found) == tokens(to_snakefile(made("name", "value"), "a.ipynb").text)
    paths = re.findall(r"'([^'\n]*)/(?:done|log\.txt|x\.pickle)'", found)
    assert paths and all(re.fullmatch(r"\w[\w.-]*\.pipeline/\w[\w.-]*", each) for each in paths)
