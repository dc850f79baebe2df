"""The entry point: what it loads, where it writes, and that no traceback reaches a user."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.cli.conftest import variable

from nbcellar.cli import main
from nbcellar.cli.console import Console
from nbcellar.cli.text import shown_columns
from nbcellar.errors import KernelError, NoRepositoryError
from nbcellar.history.model import CommitKind


def modules_after(code: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(run.stdout.split())


def test_the_version_is_printed_without_loading_the_store() -> None:
    loaded = modules_after("from nbcellar.cli.main import main\nmain(['--version'])")
    assert not {"msgspec", "apsw", "jupyter_client", "nbcellar.api"} & loaded


def test_reading_the_log_loads_no_client_of_kernels(tmp_path: Path) -> None:
    code = f"from nbcellar.cli.main import main\nmain(['-C', {str(tmp_path)!r}, 'log'])"
    assert not {"jupyter_client", "zmq", "cryptography", "nbclient", "numpy"} & modules_after(code)


def test_an_unexpected_error_is_one_sentence(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("out of cheese")

    monkeypatch.setattr("nbcellar.api.repo.Repo.status", fail)
    assert shell.run("status") == 1
    assert (
        shell.err == "error: RuntimeError: out of cheese\nhint: this is a bug in Cellar; NBCELLAR_DEBUG=1 shows where\n"
    )
    shell.environ["NBCELLAR_DEBUG"] = "1"
    with pytest.raises(RuntimeError):
        shell.run("status")


def test_an_error_of_the_system_names_the_file(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device", "/there")

    monkeypatch.setattr("nbcellar.api.repo.Repo.status", fail)
    assert shell.run("status") == 5
    assert shell.err == "error: /there: No space left on device\n"


def test_ctrl_c_ends_with_130(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nbcellar.api.repo.Repo.status", interrupt)
    assert shell.run("status") == 130


def test_a_reader_that_goes_away_is_no_error(shell: Any) -> None:
    code = "import sys; from nbcellar.cli.main import main; sys.exit(main(['help']))"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), errors) == (0, b"")


@pytest.mark.parametrize("line", ["log -C sub", "-C sub log"])
def test_c_may_stand_before_and_after_the_command(shell: Any, analysis: Any, line: str) -> None:
    (shell.folder / "sub").mkdir()
    assert shell.run(line) == 0
    assert "first result" in shell.out


def test_help_of_a_command_goes_to_its_own_stream(shell: Any) -> None:
    assert shell.run("help log") == shell.run("log --help") == 0
    assert shell.out.startswith("usage: cellar log")


def test_colours_come_when_asked_and_no_color_is_honoured(shell: Any, analysis: Any) -> None:
    shell.run("log")
    assert "\x1b" not in shell.out
    shell.run("log --color always")
    assert "\x1b[33m" in shell.out
    shell.environ["NO_COLOR"] = "1"
    shell.run("log")
    assert "\x1b" not in shell.out


def test_the_setting_of_colours_is_used(shell: Any, analysis: Any) -> None:
    assert shell.run("config ui.color always") == 0
    shell.run("log")
    assert "\x1b[33m" in shell.out


def test_a_line_in_a_kernel_returns_its_text_and_uses_the_kernels_own_requests(shell: Any, analysis: Any) -> None:
    asked = []

    def requests(notebook: str, command: str, args: Any) -> dict[str, Any]:
        asked.append((notebook, command, dict(args)))
        return {"head": "ab" * 32, "branch": "main", "kept": ["y"], "loaded": ["x"], "undone": [{"cell": "x = 2"}]}

    text = main.run_line("undo 2", kernel_requests=requests, folder=shell.folder, environ=shell.environ)
    assert asked == [(analysis.notebook, "undo", {"n": 2, "without": [], "replay": "no"})]
    assert text.splitlines()[:2] == ["undid x = 2", "  loaded: x"]


def test_a_line_in_a_kernel_means_the_kernels_notebook(shell: Any, analysis: Any) -> None:
    analysis.repository.notebook_for(Path("other.ipynb"), create=True)
    environ = {**shell.environ, "JPY_SESSION_NAME": str(shell.folder / "analysis.ipynb")}

    def requests(notebook: str, command: str, args: Any) -> dict[str, Any]:
        raise KernelError("not asked")

    text = main.run_line("log -N 1", kernel_requests=requests, folder=shell.folder, environ=environ)
    assert "first result" in text


def test_a_line_in_a_kernel_that_fails_says_so_in_its_text(shell: Any, analysis: Any) -> None:
    def requests(notebook: str, command: str, args: Any) -> dict[str, Any]:
        raise KernelError("it is asleep", hint="wake it")

    text = main.run_line("redo", kernel_requests=requests, folder=shell.folder, environ=shell.environ)
    assert text == "error: it is asleep\nhint: wake it\n"
    assert main.run_line("log 'x", kernel_requests=requests, folder=shell.folder, environ=shell.environ).startswith(
        "error: No closing quotation"
    )


def test_ages_read_like_those_of_git(shell: Any) -> None:
    console = Console(out=sys.stdout, err=sys.stderr, environ={}, folder=Path(), clock=lambda: 10**18)
    now = 10**9
    ages = {
        0: "0 seconds ago",
        1: "1 second ago",
        89: "89 seconds ago",
        90: "1 minute ago",
        7200: "2 hours ago",
        86_400 * 3: "3 days ago",
        86_400 * 40: "2001-07-31",
        -5: "in the future",
    }
    for seconds, words in ages.items():
        assert console.ago(datetime.fromtimestamp(now - seconds, timezone.utc)) == words


def test_functions_do_what_the_commands_do(analysis: Any) -> None:
    import nbcellar

    analysis.repository.store.close()
    with nbcellar.open(analysis.repository.root / "analysis.ipynb") as repo:
        assert next(line.title for line in repo.log().commits) == "first result"
        assert repo.vars("HEAD~2").variables[0].name == "con"
        assert repo.show("v1").commit.added == ["x"]


def test_opening_what_is_no_repository_says_what_to_do(tmp_path: Path) -> None:
    import nbcellar

    with pytest.raises(NoRepositoryError) as caught:
        nbcellar.open(tmp_path)
    assert caught.value.hint == "make one with: cellar init"


@pytest.mark.parametrize("line", ["op log -n analysis.ipynb -N 1", "-n analysis.ipynb op log -N 1"])
@pytest.mark.usefixtures("analysis")
def test_n_may_stand_before_and_after_a_command_of_two_words(shell: Any, line: str) -> None:
    assert shell.run(line) == 0
    assert len(shell.out.splitlines()) == 1


def test_the_status_of_one_notebook_leaves_the_others_out(shell: Any, analysis: Any) -> None:
    analysis.repository.notebook_for(Path("other.ipynb"), create=True)
    assert shell.run("status") == 0 and "other.ipynb" in shell.out
    assert shell.run("status -n analysis.ipynb") == 0
    assert "analysis.ipynb" in shell.out and "other.ipynb" not in shell.out


@pytest.mark.usefixtures("analysis")
def test_changing_names_with_json_answers_with_the_list_after_it(shell: Any) -> None:
    assert shell.run("tag again --json") == 0
    assert "again" in [tag["name"] for tag in json.loads(shell.out)["tags"]]
    assert shell.run("branch third --json") == 0
    assert "third" in [branch["name"] for branch in json.loads(shell.out)["branches"]]


def test_a_line_of_the_log_fits_its_width_and_counts_what_it_leaves_out(shell: Any, history: Any) -> None:
    names = [f"a_rather_long_name_{number}" for number in range(12)]
    history.cell("everything()", *(variable(name, "1") for name in names))
    assert shell.run("log") == 0
    assert len(shell.out.splitlines()[0]) <= 100
    assert shell.out.splitlines()[0].endswith("  +a_rather_long_name_0 …11 more")


def test_the_size_of_an_object_counts_what_it_holds(shell: Any, history: Any) -> None:
    model = variable("model", "<Model>", type="Model")
    history.cell("model = fit()", msgspec.structs.replace(model, size_bytes=50_000))
    assert shell.json("vars")["variables"][0]["size_bytes"] == 50_000


def test_a_setting_that_is_none_can_be_removed_from_the_file(shell: Any, analysis: Any) -> None:
    path = shell.folder / ".cellar" / "config.toml"
    path.write_text("[record]\nbudget = 3\noutputs = false\n")
    assert shell.run("log") == 2
    assert "cellar config --unset record.budget" in shell.err
    assert shell.run("config --unset record.budget") == 0
    assert path.read_text() == "[record]\noutputs = false\n"
    assert shell.run("log") == 0
    assert shell.run("config --unset record.nothing") == 2


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_a_line_of_the_log_fits_into_the_terminal(history: Any, shell: Any, width: int) -> None:
    long = "a_name_that_is_long_enough_to_fill_some_terminals_all_by_itself_and_then_some"
    history.cell("x = 1", variable("x", "1"), variable(long, "1"))
    history.cell("value = [number for number in range(100) if number % 3 == 0 and number % 5 == 0 and number % 7]\n1/0")
    history.cell(f"{long} = 1", variable(long, "2", uncertain="who knows"))
    names = [f"variable_{n}" for n in range(12)]
    history.cell(
        "do_everything(at_once=True, and_with='many names', so_that='it is long')", *(variable(n, "1") for n in names)
    )
    history.add(CommitKind.CHECKOUT, message=f"{', '.join(names)} of 3f2a1b0c")
    shell.width = width
    for line in ("log", "log --graph --all", f"log {long}", "--color always log", "log x", "search value"):
        assert shell.run(line) == 0
        head = [text for text in shell.out.splitlines() if "ago" in text]
        assert head
        for text in head:
            # Id, age and names are never cut, a few letters of title and variable are always there.
            assert shown_columns(text) <= max(width, 78), text
            if width >= 80:
                assert shown_columns(text) <= width, text


def test_a_wide_terminal_shows_more_of_a_cell(history: Any, shell: Any) -> None:
    history.cell("value = [number for number in range(100) if number % 3 == 0 and number % 5 == 0]")
    shell.width = 200
    shell.run("log")
    assert "number % 5 == 0]" in shell.out


def test_a_terminal_without_unicode_shows_what_it_can(analysis: Any, shell: Any) -> None:
    analysis.cell(f"word = 'caf\u00e9'; {'x = 1; ' * 20}", variable("word", "'caf\u00e9'", type="str"))
    code = (
        f"import os; os.chdir({str(shell.folder)!r}); import sys; from nbcellar.cli.main import main; sys.exit(main())"
    )
    for words, expected in (["log"], "word = 'caf?'"), (["log", "--json"], "word = 'caf\\u00e9'"):
        done = subprocess.run(
            [sys.executable, "-c", code, *words],
            env={**shell.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        assert expected in done.stdout.decode("ascii")
    assert "..." not in done.stdout.decode("ascii") and json.loads(done.stdout)["schema"] == 1


def test_the_size_of_what_shares_memory_is_given_together(history: Any, shell: Any) -> None:
    one = variable("ax", "<Axes>", type="Axes")
    shared = msgspec.structs.replace(one, names=("ax", "fig"), previews=one.previews * 2, size_bytes=20_000)
    history.cell("fig, ax = subplots()", shared)
    assert shell.run("vars") == 0
    assert "shares memory with fig; together 19.5 KB" in shell.out
    assert [v["together_bytes"] for v in shell.json("vars")["variables"]] == [20_000, 20_000]
    assert shell.run("log ax") == 0
    assert "Axes  19.5 KB with fig  version" in shell.out


def test_a_budget_that_is_not_met_is_said(analysis: Any, shell: Any) -> None:
    assert shell.run("gc --dry-run --budget 1") == 0
    assert "note: that is more than the budget of 1 B" in shell.out
    assert shell.run("gc --dry-run --budget 1GB") == 0
    assert "note:" not in shell.out
