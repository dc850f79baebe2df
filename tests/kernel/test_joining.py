"""Which kernels record, from when on, and who says why not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nbcellar.errors import NoKernelError
from nbcellar.history.model import CommitKind

from .support import Kernel, Project, wait_until

NOT_RECORDING = "__import__('nbcellar.session.join', fromlist=['x']).reason()"


def test_joining_in_the_middle_makes_the_present_variables_the_first_commit(project: Project) -> None:
    kernel = project.kernel(joins=False, NBCELLAR_RECORD="0")
    assert not kernel.try_run("import math\nx = [1]\ny = x\nclass A: pass\na = A()").error
    result = kernel.try_run("%load_ext nbcellar")
    assert not result.error and "records" in result.text
    kernel.run("x.append(2)")
    assert [line.kind for line in project.log()] == ["auto", "attach"]
    assert kernel.names("HEAD~1") == {"math", "x", "y", "A", "a"}
    kernel.undo()
    kernel.is_true("x == [1]", "x is y", "type(a) is A")


def test_loading_the_extension_twice_is_harmless(fresh: Kernel) -> None:
    fresh.run("x = 1")
    fresh.run("%load_ext nbcellar", "%load_ext nbcellar", "x = 2")
    assert [line.kind for line in fresh.project.log()] == ["auto", "auto", "start"]
    fresh.undo()
    assert fresh.value("x") == 1


def test_unloading_stops_and_loading_again_goes_on(fresh: Kernel) -> None:
    fresh.run("x = 1")
    fresh.run("%load_ext nbcellar")
    assert not fresh.try_run("%unload_ext nbcellar").error
    assert not fresh.try_run("x = 2").error
    with pytest.raises(NoKernelError):
        fresh.ask("wait_saved")
    assert not fresh.try_run("%load_ext nbcellar").error
    fresh.run("x = 3")
    assert [line.kind for line in fresh.project.log()] == ["auto", "attach", "auto", "start"]


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"NBCELLAR_RECORD": "0"}, "NBCELLAR_RECORD) switches it off"),
        ({"NBCELLAR_RECORD": "", "CI": "true"}, "continuous integration"),
    ],
)
def test_a_kernel_that_should_not_record_is_silent_and_says_why(
    project: Project, environ: dict[str, str], says: str
) -> None:
    kernel = project.kernel(joins=False, **environ)
    result = kernel.try_run("x = 1")
    assert not result.error and result.text == ""
    assert says in kernel.value(NOT_RECORDING)
    assert says in kernel.try_run("%cellar status").text
    assert not (project.root / ".cellar" / "kernels").exists() or not list(
        (project.root / ".cellar" / "kernels").iterdir()
    )


def test_a_kernel_outside_of_a_repository_is_silent(tmp_path_factory: pytest.TempPathFactory) -> None:
    project = Project(tmp_path_factory.mktemp("plain"), initialised=False)
    try:
        kernel = project.kernel(joins=False)
        result = kernel.try_run("x = 1")
        assert not result.error and result.text == ""
        assert "no .cellar" in kernel.value(NOT_RECORDING)
        result = kernel.try_run("%load_ext nbcellar")
        assert not result.error and "cellar init" in result.text and "Traceback" not in result.text
        assert list(project.root.iterdir()) == []
    finally:
        project.close()


def test_a_kernel_started_by_an_automation_tool_does_not_record(project: Project) -> None:
    project.write(
        "papermill",
        """
            import sys
            from jupyter_client.manager import start_new_kernel
            manager, client = start_new_kernel(kernel_name='python3')
            reply = client.execute_interactive('print(' + sys.argv[1] + ')', timeout=60)
            client.stop_channels()
            manager.shutdown_kernel()
            """,
    )
    environ = {**project.environ, "JPY_SESSION_NAME": str(project.root / "a.ipynb")}
    del environ["NBCELLAR_RECORD"]
    done = subprocess.run(
        [sys.executable, "papermill", NOT_RECORDING],
        cwd=project.root,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "papermill" in done.stdout
    assert project.cellar("log").returncode != 0


def test_a_kernel_in_a_subfolder_records_into_the_repository_above(project: Project) -> None:
    (project.root / "sub").mkdir()
    kernel = project.kernel("sub/b.ipynb")
    kernel.run("x = 1")
    assert [line.kind for line in project.log("sub/b.ipynb")] == ["auto", "start"]


def test_a_kernel_that_runs_nothing_leaves_no_trace_in_history(fresh: Kernel) -> None:
    fresh.ask("wait_saved")
    assert fresh.project.log() == []


def test_a_cell_that_is_off_is_not_recorded_but_its_changes_are_not_lost(fresh: Kernel) -> None:
    fresh.run("x = [1]")
    fresh.run("# cellar: off\nx.append(2)\nprint('a secret')")
    assert [line.title for line in fresh.project.log()][:1] == ["x = [1]"]
    fresh.run("y = 1")
    texts = [line.title for line in fresh.project.log()]
    assert not any("secret" in text for text in texts)
    fresh.undo()
    assert fresh.value("'y' in globals()") is False


def test_secrets_by_name_are_never_recorded(fresh: Kernel) -> None:
    secret = "correct-horse-battery"
    fresh.run(
        f"API_KEY = '{secret}' if False else '-'.join(['correct', 'horse', 'battery'])\nmy_password = API_KEY\nx = 1",
        "import os\nos.environ['SOME_TOKEN'] = API_KEY",
        "x = 2",
    )
    assert fresh.names() >= {"x"} and not {"API_KEY", "my_password"} & fresh.names()
    fresh.undo(2)
    fresh.is_true("x == 1", "API_KEY == my_password == '-'.join(['correct', 'horse', 'battery'])")
    assert secret not in "".join(str(fresh.project.state(f"HEAD~{n}")) for n in range(3))
    with fresh.project.open() as repo:
        store = repo.repository.store
        for digest in store.digests() if hasattr(store, "digests") else ():
            assert secret.encode() not in store.read(digest)


def test_status_and_doctor_answer_beside_a_live_kernel(fresh: Kernel) -> None:
    fresh.run("x = 1")
    status = fresh.project.cellar("status")
    assert status.returncode == 0 and "a.ipynb" in status.stdout
    doctor = fresh.project.cellar("doctor")
    assert "Traceback" not in doctor.stderr and "records itself" in doctor.stdout


def test_a_kernel_that_ended_is_no_longer_listed(fresh: Kernel) -> None:
    fresh.run("x = 1")
    fresh.shut_down()
    folder = fresh.project.root / ".cellar" / "kernels"
    wait_until(lambda: not list(folder.glob("*.json")))
    fresh.start_again()
    assert fresh.head().kind is CommitKind.AUTO


def test_names_that_a_startup_file_bound_come_back_when_a_cell_is_undone(project: Project) -> None:
    folder = project.startup_folder()
    (folder / "10-mine.py").write_text("n = 5\nimport math as mm\n")
    kernel = project.kernel()
    kernel.run("x = 1", "n = 6", "mm = 3", "del n", "n = 5")
    kernel.undo(3)
    kernel.is_true("n == 6", "mm.pi > 3")
    kernel.undo()
    kernel.is_true("n == 5", "mm.pi > 3")
    kernel.redo(4)
    kernel.is_true("n == 5", "mm == 3")


def test_names_of_the_shell_that_the_user_takes_are_variables(fresh: Kernel) -> None:
    fresh.run("open, exit = [1.0], 'way out'", "open.append(2.0)")
    assert fresh.names() == {"open", "exit"}
    fresh.undo()
    fresh.is_true("open == [1.0]")
    fresh.undo()
    fresh.is_true("callable(open)", "callable(exit)")
