"""The rules of the filter are those of the file's project."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbcellar.clean.rules import not_for_commits
from nbcellar.config.documents import Clean
from nbcellar.git.cleaner import ProjectRules
from nbcellar.notebook.model import Cell, Notebook

STREAM = {"output_type": "stream", "name": "stdout", "text": ["1"]}
NOTEBOOK = Notebook(cells=(Cell(type="code", source="a", execution_count=1, outputs=(STREAM,)),))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project that keeps outputs in one folder, and counts everywhere."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.cellar.clean]\nexecution_counts = true\n")
    (tmp_path / "papers" / "old").mkdir(parents=True)
    (tmp_path / "papers" / "cellar.toml").write_text("[clean]\noutputs = true\n")
    return tmp_path


def rules_of(folder: Path, said: list[str] | None = None, **environ: str) -> ProjectRules:
    return ProjectRules(folder, {"NBCELLAR_CONFIG_DIR": str(folder / "none"), **environ}, (said or []).append)


@pytest.mark.parametrize(
    ("path", "outputs"),
    [("n.ipynb", 0), ("papers/n.ipynb", 1), ("papers/old/n.ipynb", 1), ("gone/n.ipynb", 0), ("od\udcffd/n.ipynb", 0)],
)
def test_each_folder_has_its_settings(project: Path, path: str, outputs: int) -> None:
    cell = rules_of(project).clean(NOTEBOOK, path).cells[0]
    assert cell.execution_count == 1
    assert len(cell.outputs or ()) == outputs


def test_the_key_tells_rules_apart(project: Path) -> None:
    rules = rules_of(project)
    assert rules.key("n.ipynb") == rules.key("gone/n.ipynb") != rules.key("papers/n.ipynb")
    assert rules.key("papers/old/n.ipynb") == rules.key("papers/n.ipynb")
    assert rules_of(project, NBCELLAR_CLEAN_WIDGETS="true").key("n.ipynb") != rules.key("n.ipynb")


def test_outputs_are_left_out_unless_that_is_said(tmp_path: Path) -> None:
    for value, kept in (("auto", 0), ("false", 0), ("true", 1)):
        cell = rules_of(tmp_path, NBCELLAR_CLEAN_OUTPUTS=value).clean(NOTEBOOK, "n.ipynb").cells[0]
        assert len(cell.outputs or ()) == kept
        assert cell.execution_count is None


def test_a_slip_in_the_settings_lets_no_output_through(project: Path) -> None:
    said: list[str] = []
    rules = ProjectRules(project, {"NBCELLAR_CONFIG_DIR": str(project / "none")}, said.append)
    (project / "papers" / "cellar.toml").write_text("[clean]\noutputs = true\nno_such_key = 1\n")
    for name in ("n.ipynb", "m.ipynb"):
        assert rules.clean(NOTEBOOK, f"papers/{name}").cells[0].outputs == ()
    assert len(said) == 1
    assert "cellar.toml" in said[0]
    assert "no_such_key" in said[0]


def test_what_the_filter_leaves_to_the_command_is_named() -> None:
    assert not_for_commits(Clean()) == ()
    given = Clean(ids="new", drop_cell_tags=("t",), drop_empty_cells=True)
    assert not_for_commits(given) == ("ids", "drop_cell_tags", "drop_empty_cells")
