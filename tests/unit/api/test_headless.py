"""Running a notebook: parameters and errors before a kernel starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.api import fresh_kernel, headless
from nbcellar.errors import InvalidInputError, StoreUnavailableError
from nbcellar.notebook import Cell, Notebook, read, write


def cell(source: str, *tags: str) -> Cell:
    return Cell(type="code", source=source, metadata={"tags": list(tags)} if tags else {})


def sources(notebook: Notebook) -> list[str]:
    return [entry.source for entry in notebook.cells]


def test_parameters_follow_the_cell_that_is_tagged_so() -> None:
    source = Notebook(cells=(cell("import x"), cell("n = 1", "parameters"), cell("print(n)")))
    changed = headless.inject(source, {"n": 5, "name": "it's"})
    assert sources(changed) == ["import x", "n = 1", '# Parameters\nn = 5\nname = "it\'s"', "print(n)"]
    assert changed.cells[2].tags == ("injected-parameters",)


def test_without_such_a_cell_parameters_come_first() -> None:
    assert sources(headless.inject(Notebook(cells=(cell("a"),)), {"n": None})) == ["# Parameters\nn = None", "a"]


def test_parameters_of_an_earlier_run_are_replaced() -> None:
    once = headless.inject(Notebook(cells=(cell("n = 1", "parameters"),)), {"n": 2})
    assert headless.inject(read(write(once)), {"n": 3}).cells[1].source == "# Parameters\nn = 3"
    assert len(headless.inject(once, {"n": 3}).cells) == 2


def test_without_parameters_the_notebook_is_left_as_it_is() -> None:
    source = Notebook(cells=(cell("a"),))
    assert headless.inject(source, {}) is source


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from("abcdef"), json_values, min_size=1))
def test_an_injected_cell_sets_exactly_the_values(parameters: dict[str, object]) -> None:
    injected = headless.inject(Notebook(cells=()), parameters).cells[0]
    namespace: dict[str, object] = {}
    exec(injected.source, namespace)
    assert {name: namespace[name] for name in parameters} == parameters


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("n=3", 3),
        ("n=1e3", 1000.0),
        ("n=abc", "abc"),
        ("n=", ""),
        ('n="3"', "3"),
        ("n=[1, 2]", [1, 2]),
        ("n=a=b", "a=b"),
    ],
)
def test_a_value_is_json_else_text(text: str, value: object) -> None:
    assert headless.parse_parameter(text) == ("n", value)


@pytest.mark.parametrize("text", ["n", "=3", "1n=3", "a-b=3", "class=1"])
def test_what_is_no_name_is_no_parameter(text: str) -> None:
    with pytest.raises(InvalidInputError):
        headless.parse_parameter(text)


def test_a_notebook_of_another_language_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "r.ipynb"
    path.write_bytes(write(Notebook(cells=(), metadata={"kernelspec": {"language": "R", "name": "ir"}})))
    with pytest.raises(InvalidInputError, match=r"r\.ipynb is a notebook for r"):
        headless.run(path, out=None, parameters={}, environ={})


@pytest.mark.parametrize(
    ("traceback", "line"),
    [
        (["Cell In[3], line 2\n----> 2 1/0"], 2),
        (["\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[3]\x1b[39m\x1b[32m, line 4\x1b[39m"], 4),
        (["----> 7 1/0"], 7),
        (["nothing"], 0),
    ],
)
def test_the_line_that_failed_is_found_in_ipythons_traceback(traceback: list[str], line: int) -> None:
    assert fresh_kernel.line_in(traceback) == line


def test_a_folder_is_no_notebook_to_run(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="is a folder"):
        headless.run(tmp_path, out=None, parameters={}, environ={})


def test_outputs_that_could_not_be_written_are_refused_before_anything_runs(tmp_path: Path) -> None:
    source = tmp_path / "n.ipynb"
    source.write_bytes(write(Notebook(cells=(cell("1"),))))
    (tmp_path / "file").touch()
    for out, error in ((tmp_path, InvalidInputError), (tmp_path / "file" / "n.ipynb", StoreUnavailableError)):
        with pytest.raises(error):
            headless.run(source, out=out, parameters={}, environ={})
