"""Two kernels on one store, a folder that cannot be written, a disk that is full."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbcellar.errors import StoreUnavailableError

from .support import Kernel, Project, values_of


def test_two_kernels_of_one_notebook_lose_no_commit(project: Project) -> None:
    first, second = project.kernel(), project.kernel()
    for number in range(5):
        running = [kernel.start(f"x = '{name}{number}'") for kernel, name in ((first, "a"), (second, "b"))]
        for cell in running:
            assert not cell.finish().error
    for kernel in (first, second):
        kernel.do_aside("from nbcellar.session import remote\nremote.current().session.wait_saved()")
    titles = [line.title for line in project.log(all=True) if line.kind == "auto"]
    assert sorted(titles) == sorted(f"x = '{name}{number}'" for name in "ab" for number in range(5))
    assert project.cellar("check", "--read-data").returncode == 0


def test_kernels_of_two_notebooks_share_a_store(project: Project) -> None:
    first, second = project.kernel("a.ipynb"), project.kernel("b.ipynb")
    first.run("import numpy as np\nx = np.arange(100_000)")
    stored = project.open().size().stored_bytes
    second.run("import numpy as np\nx = np.arange(100_000)")
    assert project.open().size().stored_bytes - stored < 20_000
    first.run("x[0] = 5")
    second.run("x[0] = 6")
    first.undo()
    second.undo()
    assert first.value("int(x[0])") == second.value("int(x[0])") == 0
    assert [line.kind for line in project.log("b.ipynb")] == ["undo", "auto", "auto", "start"]


# Where a transaction writes its pack: from now on it raises what a full disk raises, until `free()`.
FULL = """
    import errno
    from nbcellar.session import remote
    writer = remote.current().session.writer
    repository = writer._repo
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, 'No space left on device')
    repository.begin = full
    def free():
        del repository.begin
"""


def test_a_full_disk_disturbs_no_cell_and_the_next_cell_saves_everything(fresh: Kernel) -> None:
    fresh.run("x = [1]\ny = [1]\ngone = 1\nkept = [3]\nclass A:\n    n = 1")
    fresh.do_aside(FULL)
    result = fresh.try_run("x.append(2)\nmade = 'meanwhile'\ndel gone\nA.n = 2\nprint('fine')")
    assert not result.error and result.text == "fine\n"
    with pytest.raises(StoreUnavailableError, match="No space left"):
        fresh.ask("wait_saved")
    result = fresh.try_run("y.append(2)")
    assert not result.error
    assert result.text == "Cellar: what you do is not being saved: [Errno 28] No space left on device\n"
    fresh.do_aside("writer.wait()")
    assert fresh.try_run("pass").text == "", "it is said once"
    fresh.do_aside("writer.wait()")
    assert "No space left" in fresh.status()["failed"]
    fresh.do_aside("free()")
    fresh.run("z = 1")
    assert fresh.status()["failed"] == ""
    assert fresh.run("pass").text == "Cellar: everything is saved again\n"
    assert fresh.names() == {"x", "y", "made", "A", "z", "kept"}
    changes = {change.name: change.change for change in fresh.project.show("HEAD~1").changes}
    assert changes == {
        "x": "changed",
        "y": "changed",
        "A": "changed",
        "made": "added",
        "z": "added",
        "gone": "removed",
    }, "what the two cells did that were not saved, and no more"
    assert values_of(fresh.variable("x")) == ["[1, 2]"] and values_of(fresh.variable("y")) == ["[1, 2]"]
    fresh.restart()
    fresh.restore()
    fresh.is_true("x == y == [1, 2]", "A.n == 2", "made == 'meanwhile'", "'gone' not in globals()")


def test_a_start_that_could_not_be_saved_is_made_up_for(fresh: Kernel) -> None:
    fresh.run("old = 1")
    fresh.restart()
    fresh.do_aside(FULL)
    assert not fresh.try_run("x = 1").error
    with pytest.raises(StoreUnavailableError, match="No space left"):
        fresh.ask("wait_saved")
    fresh.do_aside("free()")
    fresh.run("y = 2")
    assert [line.kind for line in fresh.project.log()] == ["auto", "start", "auto", "start"]
    assert fresh.names() == {"x", "y"}
    fresh.restore()
    fresh.is_true("old == 1")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Project]:
    """A project on a file system of 6 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", disk]).returncode:
        pytest.skip("only root can mount a small disk")
    project = Project(disk)
    yield project
    project.close()
    subprocess.run(["umount", "-l", disk], check=True)


def test_a_disk_that_is_really_full_keeps_the_store_whole(small_disk: Project) -> None:
    kernel = small_disk.kernel()
    kernel.run("import os\nx = 'first'")
    for _ in range(4):
        assert not kernel.try_run("x = os.urandom(3_000_000)").error
        kernel.do_aside("from nbcellar.session import remote\nremote.current().session.writer.wait()")
    status = kernel.status()
    assert not status["failed"] and status["not_stored"]["x"].startswith("not saved: the disk is almost full")
    filler = small_disk.root / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    for _ in range(100):
        assert not kernel.try_run("print('x' * 2_000)").error
        kernel.do_aside("remote.current().session.writer.wait()")
        if kernel.status()["failed"]:
            break
    assert kernel.status()["failed"]
    filler.unlink()
    kernel.run("x = 'small again'")
    assert "what ran before this could not be saved: " in kernel.head().notes[0]
    assert small_disk.cellar("check", "--read-data").returncode == 0


def test_a_read_only_store_disturbs_no_kernel(project: Project) -> None:
    kernel = project.kernel()
    kernel.run("x = 1")
    kernel.shut_down()
    cellar = project.root / ".cellar"
    if os.geteuid() == 0:
        if subprocess.run(["mount", "--bind", cellar, cellar]).returncode:
            pytest.skip("root writes everywhere and cannot mount here")
        subprocess.run(["mount", "-o", "remount,ro,bind", cellar], check=True)
    else:
        cellar.chmod(0o500)
    try:
        kernel.start_again()
        result = kernel.try_run("y = 2\nprint('fine')")
        assert not result.error
        assert result.text == f"fine\nCellar does not record this notebook: {cellar} cannot be written\n"
        status = project.cellar("status")
        assert "Traceback" not in status.stderr and "read-only" in status.stdout
        assert project.log()[0].title == "x = 1"
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel()
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", "-l", cellar], check=True)
        else:
            cellar.chmod(0o700)
