"""Dask clusters: of no use, away, short of memory; and the command that makes one and ends it."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from nbcellar.api.pipelines import run_pipeline
from nbcellar.cli import main
from nbcellar.cli.console import Console
from nbcellar.errors import InvalidInputError, NotTrustedError, StoreUnavailableError

from .dask_support import BEGIN, FOR_EVER, Cluster, command, error_of, in_background, pipe, write
from .support import states

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow


# clusters that are away, or of no use -----------------------------------------------------------------------------


def free_address() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{taken.getsockname()[1]}"


def test_an_address_where_nobody_answers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbcellar.pipeline import dask_executor

    monkeypatch.setattr(dask_executor, "_CONNECT_S", 0.5)
    path, address = write(folder, {"a": "x = 1"}), free_address()
    with pytest.raises(StoreUnavailableError, match=f"no Dask scheduler answers at {address}") as raised:
        run_pipeline(path, executor="dask", address=address)
    assert "--address" in raised.value.hint
    err = Terminal()
    console = Console(out=io.StringIO(), err=err, environ=os.environ, folder=folder)
    assert main.run([*command("--executor", "dask", "--address", address)[3:]], console) == 5
    assert err.getvalue().startswith(f"connecting to {address}\r\x1b[K")
    assert "no Dask scheduler answers" in err.getvalue()


class Terminal(io.StringIO):
    """Standard error that somebody looks at."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("address", ["no://where:1", "where"])
def test_an_address_that_is_none(folder: Path, address: str) -> None:
    with pytest.raises(InvalidInputError, match=f"'{address}' is no address of a Dask scheduler"):
        run_pipeline(write(folder, {"a": "x = 1"}), executor="dask", address=address)


def test_a_scheduler_that_dies_loses_nothing_that_was_done(folder: Path, tmp_path: Path) -> None:
    began = pipe(folder, "began")
    path = write(folder, {"a": "x = 1", "b": BEGIN + "import time\ntime.sleep(1000 * x)"})
    with Cluster(tmp_path / "cluster", 1) as cluster:
        run = in_background(lambda: run_pipeline(path, executor="dask", address=cluster.address))
        left = psutil.Process(int(began.read_text().split()[0]))
        cluster.process.kill()
        with pytest.raises(StoreUnavailableError, match=cluster.address) as raised:
            run.result()
    assert "a new run goes on from there" in raised.value.hint
    assert psutil.wait_procs([left], timeout=30)[1] == []
    assert states(run_pipeline(path, ["a"])) == {"a": "cached"}


def test_a_scheduler_that_hangs_is_not_waited_for(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nbcellar.pipeline import dask_executor

    began = pipe(folder, "began")
    path = write(folder, {"a": BEGIN + FOR_EVER})
    with Cluster(tmp_path / "cluster", 1) as cluster:
        run = in_background(lambda: run_pipeline(path, executor="dask", address=cluster.address))
        left = psutil.Process(int(began.read_text().split()[0]))
        monkeypatch.setattr(dask_executor, "_ASK_S", 0.5)
        monkeypatch.setattr(dask_executor, "_CLOSE_S", 0.5)
        cluster.process.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(StoreUnavailableError, match=cluster.address):
                run.result()
        finally:
            cluster.process.send_signal(signal.SIGCONT)
        assert psutil.wait_procs([left], timeout=60)[1] == []


def test_a_cluster_without_workers(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbcellar.pipeline import dask_executor

    monkeypatch.setattr(dask_executor, "_NO_WORKERS_S", 0.0)
    path = write(folder, {"a": "x = 1"})
    with Cluster(tmp_path / "cluster", 0) as cluster, pytest.raises(StoreUnavailableError, match="had no workers"):
        run_pipeline(path, executor="dask", address=cluster.address)


NO_FOLDER = """
import pathlib
class Path(pathlib.Path if sys.version_info >= (3, 12) else type(pathlib.Path())):
    def read_text(self, *args, **options):
        raise FileNotFoundError(2, "No such file or directory", str(self))
import nbcellar.pipeline.dask_task
nbcellar.pipeline.dask_task.Path = Path
"""


@pytest.mark.parametrize(
    ("first", "error", "match"),
    [
        pytest.param("sys.modules['nbcellar'] = None", InvalidInputError, "cannot load nbcellar", id="no nbcellar"),
        pytest.param(
            "import nbcellar\nnbcellar.__version__ = '0.0.1'",
            InvalidInputError,
            "it has nbcellar 0.0.1, the command has",
            id="other nbcellar",
        ),
        pytest.param(
            "import nbcellar.pipeline.keys\nnbcellar.pipeline.keys.PYTHON = 'cpython 3.9'",
            InvalidInputError,
            "it runs cpython 3.9, the command cpython 3",
            id="other Python",
        ),
        pytest.param(NO_FOLDER, InvalidInputError, "does not see the repository in", id="folder is elsewhere"),
        pytest.param(
            "import os\nos.environ['XDG_CONFIG_HOME'] = sys.argv[3]", NotTrustedError, "not trusted here", id="stranger"
        ),
    ],
)
def test_workers_of_no_use_are_told_before_anything_runs(
    folder: Path, tmp_path: Path, first: str, error: type[Exception], match: str
) -> None:
    path = write(folder, {"a": "open('ran', 'w').close()"})
    with Cluster(tmp_path / "cluster", 1, first=first) as cluster, pytest.raises(error, match=match):
        run_pipeline(path, executor="dask", address=cluster.address)
    assert not (folder / "ran").exists()
    assert list((folder / ".cellar").glob("dask-*")) == []


# memory -------------------------------------------------------------------------------------------------------------


def test_a_component_fails_at_the_memory_limit_and_the_worker_lives(folder: Path, tmp_path: Path) -> None:
    path = write(
        folder,
        {
            "plain": "x = bytearray(1 << 30)",
            "array": "import numpy\ny = numpy.ones(1 << 27)",
            "many": "import subprocess, sys\nhold = 'import sys; x = b\"x\" * (350 << 20); sys.stdin.read()'\n"
            "held = [subprocess.Popen([sys.executable, '-c', hold], stdin=subprocess.PIPE) for _ in range(2)]\n"
            "for process in held: process.wait()",
            "small": "z = bytearray(1 << 20)",
        },
    )
    with Cluster(tmp_path / "cluster", 1, "512MiB") as cluster:
        done = run_pipeline(path, executor="dask", address=cluster.address)
    assert states(done) == {"plain": "failed", "array": "failed", "many": "failed", "small": "done"}
    limit = "the 512 MiB that the Dask worker leaves to a component"
    assert error_of(done, "plain") == f"MemoryError: it needs more memory than {limit}"
    assert error_of(done, "array").endswith(f"it needs more memory than {limit}")
    assert error_of(done, "many") == f"WorkerLost: it took more memory than {limit}"


# the command --------------------------------------------------------------------------------------------------------


def test_the_command_runs_a_pipeline_on_a_cluster_of_its_own(folder: Path) -> None:
    write(folder, {"a": "x = 1", "b": "y = x + 1"})
    done = subprocess.run(command("--executor", "dask", "--workers", "2"), cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "2 ran" in done.stdout


@pytest.mark.parametrize("by", ["keys", "kill"])
def test_nothing_is_left_of_a_cluster_when_its_command_ends(folder: Path, by: str) -> None:
    began = pipe(folder, "began")
    write(folder, {"a": BEGIN + FOR_EVER})
    process = subprocess.Popen(
        command("--executor", "dask", "--workers", "2"),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"TMPDIR": str(folder.parent)},
    )
    own, worker = map(int, began.read_text().split())
    family = psutil.Process(process.pid).children(recursive=True)
    assert {own, worker} <= {member.pid for member in family}
    listening = [
        entry
        for member in (psutil.Process(process.pid), *family)
        for entry in member.net_connections()
        if entry.status == psutil.CONN_LISTEN
    ]
    assert {entry.laddr.ip for entry in listening} == {"127.0.0.1"}
    if by == "keys":
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the command and Dask's workers get it
    else:
        process.kill()
    said, errors = process.communicate(timeout=60)
    assert psutil.wait_procs(family, timeout=60)[1] == []
    if by == "keys":
        assert (process.returncode, errors) == (130, "")
        assert "interrupted" in said
        assert list(folder.parent.glob("cellar-dask-*")) == []


def test_without_dask_the_command_says_how_to_get_it(folder: Path) -> None:
    write(folder, {"a": "x = 1"})
    code = "import sys; sys.modules['distributed'] = None; from nbcellar.cli.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, *command("--executor", "dask")[3:]], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "pip install 'nbcellar[dask]'" in done.stderr


def test_nothing_else_loads_dask() -> None:
    code = (
        "import sys, nbcellar.cli.main, nbcellar.cli.pipeline_run, nbcellar.api.pipelines\n"
        "import nbcellar.pipeline.scheduling, nbcellar.pipeline.executors, nbcellar.pipeline.performing\n"
        "assert not {'dask', 'distributed', 'tornado'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
