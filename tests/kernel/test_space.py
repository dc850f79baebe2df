"""A cap, a full disk, thinned states: what is said, where the user looks, and that nothing comes back wrong."""

from __future__ import annotations

import json
import time

import pytest

from nbcellar.errors import CellarError

from .support import Kernel, Project, values_of, wait_until

FITS, TOO_LARGE = 300_000, 3_000_000
CAPPED = {"NBCELLAR_RECORD_MAX_STORE_MB": "2"}
WAIT = "from nbcellar.session import remote\nremote.current().session.writer.wait()"
OLD = {
    "NBCELLAR_KEEP_LAST": "1",
    "NBCELLAR_KEEP_ALL_HOURS": "0",
    "NBCELLAR_KEEP_HOURLY_DAYS": "0",
    "NBCELLAR_KEEP_DAILY_DAYS": "0",
    "NBCELLAR_GC_KEEP_OPS_DAYS": "0",
}


@pytest.fixture
def capped(project: Project) -> Kernel:
    project.environ |= CAPPED
    return project.kernel()


def test_what_exceeds_the_cap_is_said_wherever_the_user_looks(capped: Kernel) -> None:
    project = capped.project
    capped.run("import os", f"a = os.urandom({FITS})\nbig = os.urandom({TOO_LARGE})\nn = 5")
    why = "not saved: the store is at its cap of 2 MiB"
    said = capped.run("n = 6").text
    assert said == "Cellar: 'big' is not saved: the store is at its cap of 2 MiB (%cellar size, %cellar gc)\n"
    assert capped.run("n = 7").text == "", "it is said once"
    assert capped.status()["not_stored"] == {"big": why}
    assert capped.variable("a").reason == "" and capped.variable("n").reason == ""
    assert capped.variable("big").reason == why and capped.variable("big").previews
    status = project.cellar("status").stdout
    assert "not saved: big; the store is at its cap of 2 MiB" in status and "of the cap of" in status
    log = project.cellar("log").stdout.splitlines()
    assert [("not saved" in line) for line in log] == [False, False, True, False, False]
    assert why in project.cellar("show", "HEAD~2").stdout
    assert why in project.cellar("vars").stdout
    assert f"not stored: {why}" not in project.cellar("vars").stdout
    assert project.cellar("check", "--read-data").returncode == 0
    assert (
        sum(path.stat().st_size for path in (project.root / ".cellar" / "packs").rglob("*") if path.is_file()) < 2**20
    )


def test_doctor_says_that_the_cap_is_reached(capped: Kernel) -> None:
    capped.run(f"import os\na = os.urandom({1_500_000})\nb = os.urandom({400_000})")
    assert "new values are not saved" in capped.project.cellar("doctor").stdout


def test_the_smaller_values_are_saved_and_the_same_ones_each_time(project: Project) -> None:
    project.environ |= CAPPED
    lost = []
    for notebook in ("a.ipynb", "b.ipynb"):
        kernel = project.kernel(notebook)
        kernel.run(
            "import random\nrandom.seed(1)",
            "\n".join(f"v{size} = random.randbytes({size}_000)" for size in (500, 100, 900, 300, 700)),
        )
        lost.append(set(kernel.status()["not_stored"]))
    assert lost[0] == {"v900"}
    assert lost[1] == lost[0], "what is stored already takes no room"


def test_an_undo_never_brings_a_wrong_value_back_for_one_that_was_not_saved(capped: Kernel) -> None:
    capped.run("import os", f"big = os.urandom({TOO_LARGE})\nn = 1", "n = 2", "kept = big", "big = 'replaced'")
    done = capped.undo()
    assert "big" in done.not_restored and "at its cap" in done.not_restored["big"]
    assert capped.value("'big' in globals()") is False
    capped.redo()
    assert capped.value("big") == "replaced"
    capped.undo(3)
    assert capped.value("n") == 1


def test_what_is_not_saved_and_not_touched_stays_the_same_object(capped: Kernel) -> None:
    capped.run("import os", f"big = os.urandom({TOO_LARGE})", "n = 1", "n = 2")
    before = capped.value("id(big)")
    commits = len(capped.project.log())
    assert capped.undo().kept == ["big", "os"]
    assert capped.value("id(big)") == before
    assert len(capped.project.log()) == commits + 1


def test_after_room_was_made_the_next_capture_saves_everything(capped: Kernel) -> None:
    project = capped.project
    capped.run("import os", f"a = os.urandom({1_200_000})", f"big = os.urandom({1_100_000})", "n = 1")
    assert set(capped.status()["not_stored"]) == {"big"}
    capped.run(f"a = os.urandom({100})", "n = 2")
    assert set(capped.status()["not_stored"]) == {"big"}
    project.environ |= OLD
    done = json.loads(project.cellar("gc", "--yes", "--now", "--json").stdout)
    assert done["thinned_bytes"] > 1_000_000
    assert capped.run("n = 3").text == ""
    assert capped.status()["not_stored"] == {}
    assert capped.run("n = 4").text == "Cellar: 'big' is saved again\n"
    capped.restart()
    capped.restore()
    assert capped.value("len(big)") == 1_100_000
    assert project.cellar("check", "--read-data").returncode == 0


def test_a_thinned_state_is_refused_with_the_nearest_ones_and_the_rest_can_be_had(fresh: Kernel) -> None:
    project = fresh.project
    fresh.run(*(f"x = [{n}] * 10_000; n = {n}" for n in range(5)))
    project.cellar("tag", "whole", "HEAD~3")
    project.environ |= OLD
    plan = json.loads(project.cellar("gc", "--dry-run", "--json").stdout)
    assert plan["thinned_values"] == 3 and [v["names"] for v in plan["variables"]] == [["x"]]
    done = json.loads(project.cellar("gc", "--yes", "--json").stdout)
    assert done["thinned_values"] == 3
    with pytest.raises(CellarError, match=r"no longer has all its values: 'x' \(thinned out on \d{4}-") as caught:
        fresh.undo()
    near = project.commit_id("whole").hex()[:8], project.log()[0].id[:8]
    assert f"near it, {near[0]} and {near[1]} have all values of these" in caught.value.hint
    assert "--without x" in caught.value.hint
    fresh.is_true("x == [4] * 10_000", "n == 4")
    refused = project.cellar("checkout", "HEAD~2")
    assert (
        refused.returncode != 0 and "thinned out on" in refused.stderr and "have all values of these" in refused.stderr
    )
    fresh.is_true("x == [4] * 10_000", "n == 4")
    fresh.checkout("whole")
    fresh.is_true("x == [1] * 10_000", "n == 1")
    with project.open() as repo:
        back = repo.checkout("main~1", code=False, without=["x"])
    assert back.not_restored == {"x": "left out, as asked"}
    fresh.is_true("n == 3", "'x' not in globals()")
    fresh.checkout("main")
    fresh.is_true("x == [4] * 10_000", "n == 4")
    three = project.commit_id("main~1").hex()
    fresh.run("x[0] = 'more'", "x = [3] * 10_000")
    assert values_of(fresh.variable("n")) == ["4"]
    assert "thinned out" not in project.cellar("vars").stdout
    with project.open() as repo:
        assert [v.stored for v in repo.vars(three).variables if v.name == "x"] == [True], "made again, there again"
    fresh.checkout(three)
    fresh.is_true("x == [3] * 10_000", "n == 3")
    assert project.cellar("check", "--read-data").returncode == 0


def test_a_kernel_goes_on_while_another_process_thins_out(fresh: Kernel) -> None:
    project = fresh.project
    environ = project.environ
    other = project.kernel("b.ipynb")
    for n in range(6):
        fresh.run(f"x = [{n}] * 10_000")
        other.run(f"x = [{n % 2}] * 10_000")
        project.environ = environ | OLD
        assert project.cellar("gc", "--yes").returncode == 0
        project.environ = environ
    fresh.is_true("x == [5] * 10_000")
    for kernel in (fresh, other):
        kernel.restart()
        kernel.restore()
    fresh.is_true("x == [5] * 10_000")
    other.is_true("x == [1] * 10_000")
    assert project.cellar("check", "--read-data").returncode == 0


SLOW = """
class Slow:
    def __reduce__(self):
        import time
        open('started', 'w').close()
        for _ in range(1000):
            time.sleep(0.05)
        return Slow, ()
"""


def test_an_interrupted_capture_is_said_with_the_next_cell(project: Project) -> None:
    kernel = project.kernel(NBCELLAR_RECORD_BUDGET_S="1000")
    kernel.run(SLOW, "n = 1")
    assert not kernel.try_run("slow = Slow(); m = 5").error
    while not (project.root / "started").exists():
        time.sleep(0.01)
    kernel.interrupt()
    kernel.until_quiet()
    said = kernel.try_run("del slow\nprint('fine')").text
    assert "Cellar: the interrupt also ended the saving of variables; they are saved with this cell" in said
    kernel.settle()
    assert values_of(kernel.variable("m")) == ["5"]
    notes = [note for line in project.log() for note in project.show(line.id).notes]
    assert "the capture was interrupted: this cell's variables are not recorded" in notes


def test_an_idle_kernel_joins_small_packs_and_empties_the_trash(fresh: Kernel) -> None:
    project = fresh.project
    packs, trash = project.root / ".cellar" / "packs", project.root / ".cellar" / "trash"
    old = trash / f"1-{'a' * 64}"
    old.write_bytes(b"thrown away long ago")
    # Blocks are cut by content, and small ones stand in the database: fewer bytes might leave a cell without a pack.
    fresh.run("import os", *(f"x{n} = bytearray(os.urandom(300_000))" for n in range(40)))

    def is_tidy() -> bool:
        small = [path for path in packs.glob("??/*") if path.stat().st_size < 1_000_000]
        return len(small) < 32 and not old.exists()

    for _ in range(8):  # a slice that finds the store in use is left for the next idle moment
        fresh.run("pass")
        until = time.monotonic() + 10
        while not is_tidy() and time.monotonic() < until:
            time.sleep(0.05)
    assert is_tidy()
    assert fresh.status()["errors"] == []
    fresh.restart()
    fresh.restore()
    fresh.is_true("all(len(globals()[f'x{n}']) == 300_000 for n in range(40))")
    assert project.cellar("check", "--read-data").returncode == 0


def test_idle_kernels_thin_out_only_when_they_are_asked_to(project: Project) -> None:
    project.environ |= OLD
    quiet = project.kernel("b.ipynb")
    quiet.run(*(f"x = [{n}] * 10_000" for n in range(3)))
    assert not (project.root / ".cellar" / "gc.auto").exists()
    project.kernel("a.ipynb", NBCELLAR_KEEP_AUTO="1").run("y = 1")

    def is_thinned() -> bool:
        with project.open("b.ipynb") as repo:
            return any(operation.kind == "thin" for operation in repo.ops().operations)

    wait_until(is_thinned)
    quiet.run("y = x[0]")
    quiet.restart()
    quiet.restore()
    quiet.is_true("x == [2] * 10_000", "y == 2")
    assert project.cellar("check", "--read-data").returncode == 0


def test_a_setting_that_a_running_kernel_has_not_read_is_said(fresh: Kernel) -> None:
    fresh.run("n = 1")
    cellar = fresh.project.cellar
    said = cellar("config", "record.never_store_names", "tmp_*").stderr
    assert f"note: kernel {fresh.pid} goes on with the settings from before" in said
    assert "cellar detach --session a.ipynb, then %load_ext nbcellar" in said
    assert cellar("detach", "--session", "a.ipynb").returncode == 0
    fresh.run("%load_ext nbcellar", "tmp_a = 5; b = 6")
    assert fresh.variable("tmp_a").value is None and fresh.variable("b").value is not None
    assert cellar("config", "secrets.allow", "abc").stderr == ""
    assert "goes on" in cellar("config", "--unset", "record.never_store_names").stderr
