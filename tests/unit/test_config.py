"""Settings: what wins, what is refused, and that the page describes them all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcellar import config
from nbcellar.config.documents import Clean
from nbcellar.config.shared import CleanSettings
from nbcellar.errors import InvalidInputError

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"NBCELLAR_CONFIG_DIR": str(tmp_path / "user")}


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_without_files_every_key_has_its_default(environ: dict[str, str]) -> None:
    settings, values = config.load_values(None, environ)
    assert settings == config.Settings()
    assert {value.origin for value in values.values()} == {"default"}


def test_the_environment_wins_over_the_repository_over_the_user(environ: dict[str, str], tmp_path: Path) -> None:
    user = write(config.user_file(environ), '[record]\nbudget_s = 1\ncheck_ms = 1\n[author]\nname = "Ada"\n')
    write(tmp_path / ".cellar/config.toml", "[record]\nbudget_s = 3\ncheck_ms = 3\n")
    settings, values = config.load_values(tmp_path / ".cellar", {**environ, "NBCELLAR_RECORD_CHECK_MS": "5"})
    assert (settings.record.budget_s, settings.record.check_ms, settings.author.name) == (3.0, 5.0, "Ada")
    assert values["author.name"].origin == str(user)
    assert values["record.check_ms"].origin == "NBCELLAR_RECORD_CHECK_MS"


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("on", True), ("0", False), ("", False), ("auto", "auto"), ("TRUE", True)]
)
def test_nbcellar_record_switches_recording(environ: dict[str, str], text: str, value: object) -> None:
    assert config.load(None, {**environ, "NBCELLAR_RECORD": text}).record.enabled == value


def test_lists_in_the_environment_are_separated_by_commas(environ: dict[str, str]) -> None:
    settings = config.load(None, {**environ, "NBCELLAR_RECORD_SKIP_NAMES": "*KEY*, x_*"})
    assert settings.record.skip_names == ("*KEY*", "x_*")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[record]\nbudget_s = 'x'\n", 'record.budget_s must be a number above 0, not "x"', ""),
        ("[record]\nbudget_s = 0\n", "record.budget_s must be a number above 0, not 0", ""),
        ("[record]\nenabled = 'never'\n", 'record.enabled must be true, false or "auto", not "never"', ""),
        ("[record]\noff_notebooks = 'a.ipynb'\n", "record.off_notebooks must be a list of patterns", ""),
        ("[ui]\ncolor = 'none'\n", 'ui.color must be "auto", "always" or "never", not "none"', ""),
        ("[record]\nplugins = []\n", "unknown key 'record.plugins'", "in [record] there are: enabled, skip_names"),
        ("colour = 1\n", "unknown key 'colour'", "sections are: record, replay, keep, gc, ui, author"),
        ("[hooks]\npost = 'rm'\n", "unknown key 'hooks.post'", "sections are: record"),
        ("[record\n", "not TOML", ""),
    ],
)
def test_errors_name_file_key_and_what_is_allowed(
    environ: dict[str, str], tmp_path: Path, text: str, message: str, hint: str
) -> None:
    path = write(tmp_path / ".cellar/config.toml", text)
    with pytest.raises(InvalidInputError) as caught:
        config.load(path.parent, environ)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert hint in caught.value.hint


def test_a_misspelt_variable_is_an_error_but_foreign_ones_are_not(environ: dict[str, str]) -> None:
    assert config.load(None, {**environ, "NBCELLAR_DEBUG": "1"}) == config.Settings()
    with pytest.raises(InvalidInputError, match="NBCELLAR_RECORD_BUDGET"):
        config.load(None, {**environ, "NBCELLAR_RECORD_BUDGET": "1"})


def test_a_file_that_is_no_text_is_refused(environ: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(InvalidInputError, match="not UTF-8"):
        config.load(tmp_path, environ)


def test_writing_a_key_keeps_comments_and_the_other_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "config.toml", "# mine\n[record]\nbudget_s = 1  # slow disk\n\n[ui]\ncolor = 'never'\n")
    config.write_value(path, config.KEYS["record.outputs"], False)
    config.write_value(path, config.KEYS["ui.color"], "always")
    config.write_value(path, config.KEYS["gc.keep_ops_days"], 7)
    assert path.read_text() == (
        "# mine\n[record]\nbudget_s = 1  # slow disk\noutputs = false\n\n"
        '[ui]\ncolor = "always"\n\n[gc]\nkeep_ops_days = 7\n'
    )
    config.write_value(path, config.KEYS["record.outputs"], None)
    assert "outputs" not in path.read_text()


def test_a_form_that_a_line_edit_does_not_reach_is_refused_and_left_alone(tmp_path: Path) -> None:
    text = 'ui = {color = "never"}\n'
    path = write(tmp_path / "config.toml", text)
    with pytest.raises(InvalidInputError):
        config.write_value(path, config.KEYS["ui.color"], "always")
    assert path.read_text() == text


@given(st.text())
def test_any_text_survives_the_file(name: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.toml"
        try:
            name.encode()
        except UnicodeEncodeError:
            return
        config.write_value(path, config.KEYS["author.name"], name)
        assert config.load(Path(folder), {"NBCELLAR_CONFIG_DIR": folder + "/none"}).author.name == name


def test_the_page_describes_every_key_with_default_variable_and_what_is_allowed() -> None:
    page = PAGE.read_text("utf-8")
    for key in config.KEYS.values():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{key.name}` |"))
        assert row == (
            f"| `{key.name}` | `{config.to_toml(key.default)}` | {key.allowed} | {key.description} | `{key.variable}` |"
        )
    rows = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert rows == list(config.KEYS)


def test_importing_settings_reads_no_toml() -> None:
    code = "import sys, nbcellar.config; sys.exit('tomllib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_project_shares_settings_for_cleaning_by_folder(environ: dict[str, str], tmp_path: Path) -> None:
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    write(tmp_path / "cellar.toml", "[clean]\nmax_line = 1\n")  # outside the project
    write(config.user_file(environ), "[clean]\nmax_line = 2\nmax_output_kb = 2\nids = 'new'\n")
    write(root / "pyproject.toml", "[tool.other]\nx = 1\n[tool.cellar.clean]\nmax_line = 3\noutputs = false\n")
    write(root / "a/cellar.toml", "[clean]\nmax_line = 4\n")
    settings = CleanSettings(environ)
    assert settings.of(root) == Clean(max_line=3, max_output_kb=2, ids="new", outputs=False)
    assert settings.of(root / "a/b").max_line == 4
    write(root / ".cellar/config.toml", "[clean]\nmax_line = 5\n")
    assert CleanSettings(environ).of(root / "a/b").max_line == 5
    assert CleanSettings({**environ, "NBCELLAR_CLEAN_MAX_LINE": "6"}).of(root / "a").max_line == 6
    assert CleanSettings(environ, {"max_line": 7}).of(root / "a").max_line == 7


def test_a_folder_in_no_project_has_its_own_file_only(environ: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path / "cellar.toml", "[clean]\nmax_line = 1\n")
    assert CleanSettings(environ).of(tmp_path / "a") == Clean()
    assert CleanSettings(environ).of(tmp_path).max_line == 1
    assert not CleanSettings(environ).is_project(tmp_path / "a")
    assert CleanSettings(environ).is_project(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[record]\nbudget_s = 1\n", "'record' is nothing that a project shares"),
        ("[clean]\nmax_lines = 1\n", "unknown key 'clean.max_lines'"),
        ("[clean]\noutputs = 'no'\n", "clean.outputs must be true, false or"),
        ("[clean\n", "not TOML"),
    ],
)
def test_a_shared_file_that_does_not_fit_is_named(
    environ: dict[str, str], tmp_path: Path, text: str, message: str
) -> None:
    path = write(tmp_path / "cellar.toml", text)
    with pytest.raises(InvalidInputError) as caught:
        CleanSettings(environ).of(tmp_path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_a_list_is_written_as_it_is_read(tmp_path: Path) -> None:
    path, key = tmp_path / config.FILE_NAME, config.find_key("secrets.allow")
    for value in (["1b2c"], ("1b2c", "ghp_*"), []):
        config.write_value(path, key, value)
        settings, _ = config.load_values(tmp_path, {"NBCELLAR_CONFIG_DIR": str(tmp_path / "user")})
        assert settings.secrets.allow == tuple(value)
