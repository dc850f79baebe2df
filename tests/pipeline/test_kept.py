"""The results that are kept: listing them, what they take, and everything that takes them away."""

from __future__ import annotations

import os
import shutil
from datetime import datetime, timedelta, timezone

import pytest

import nbcellar
from nbcellar.api.pipeline_result_views import KeptResult, KeptResults
from nbcellar.errors import CellarError, NotFoundError
from nbcellar.history.repository import Repository

from .support import Notebook

SPREAD = {
    "made": "import random\nbig = random.Random(1).randbytes(300_000)\nn = scale",
    "used": "total = len(big) + n",
    "shown": "print(total)",
}


def kept(nb: Notebook, *components: str) -> KeptResults:
    """Return what is listed."""
    return nbcellar.list_results("nb.ipynb", components, folder=nb.folder)


def of(nb: Notebook, name: str) -> list[KeptResult]:
    """Return the results of one component, the newest first."""
    (component,) = kept(nb, name).components
    return list(component.results)


def spread(nb: Notebook, scale: int = 1) -> Notebook:
    """Write a notebook with a large value and a parameter."""
    return nb.write(**SPREAD, parameters={"scale": scale})


# listing --------------------------------------------------------------------------------------------------------------


def test_each_component_is_listed_with_its_results(nb: Notebook) -> None:
    spread(nb)
    before = kept(nb)
    assert [(c.name, c.number, c.cached, c.reason) for c in before.components] == [
        ("made", 1, False, "it has not run yet"),
        ("used", 2, False, "'made' runs before it"),
        ("shown", 3, False, "'used' runs before it"),
    ]
    assert before.bytes == 0
    nb.ran()
    nb.ran(parameters={"scale": 2})
    found = kept(nb)
    assert [(c.name, c.cached, len(c.results)) for c in found.components] == [
        ("made", True, 2),
        ("used", True, 2),
        ("shown", True, 2),
    ]
    newest, used = of(nb, "made")
    assert newest.time > used.time
    assert (newest.used, newest.good, newest.reason) == (False, False, "parameter scale 2 -> 1")
    assert (used.used, used.good, used.reason, used.signer.trust) == (True, True, "", "own")
    assert {value.name for value in used.values} == {"big", "n", "random", "scale"}
    assert used.bytes > used.own_bytes
    assert found.bytes > sum(result.own_bytes for component in found.components for result in component.results)


def test_only_a_run_makes_a_notebook_known(nb: Notebook) -> None:
    spread(nb)

    def known() -> list[str]:
        with Repository.open(nb.folder, by="test") as repo:
            return [info.path for info in repo.notebooks()]

    kept(nb)
    nb.run(dry_run=True)
    nbcellar.clear_results("nb.ipynb", folder=nb.folder)
    assert known() == []
    nb.ran("made")
    assert known() == ["nb.ipynb"]
    shutil.copy(nb.path, nb.folder / "copy.ipynb")
    done = nbcellar.run_pipeline("copy.ipynb", ["made"], folder=nb.folder, on=nb.executor)
    assert [step.state for step in done.steps] == ["cached"]
    assert known() == ["copy.ipynb", "nb.ipynb"], "its results are those of two notebooks now"


def test_a_result_that_does_not_hold_says_why(nb: Notebook) -> None:
    nb.write(a="with open('data.txt') as file:\n    text = file.read()")
    (nb.folder / "data.txt").write_text("one", "utf-8")
    nb.ran()
    (nb.folder / "data.txt").write_text("two", "utf-8")
    assert [result.reason for result in of(nb, "a")] == ["data.txt changed"]
    nb.ran()
    assert [result.reason for result in of(nb, "a")] == ["", "data.txt changed"]
    nb.write(a="text = 3")
    assert {result.reason for result in of(nb, "a")} == {"its code changed"}


def test_results_of_what_is_no_component_any_more_come_last(nb: Notebook) -> None:
    spread(nb).ran()
    nb.write(made=SPREAD["made"], parameters={"scale": 1})
    assert [(c.name, c.number) for c in kept(nb).components] == [("made", 1), ("shown", None), ("used", None)]
    (former,) = kept(nb, "used").components
    assert former.results[0].reason == former.reason == "its cell is no component now"
    assert [result.component for result in clear(nb, "used").cleared] == ["used"]


def test_frozen_and_uncached_components_say_so(nb: Notebook) -> None:
    nb.write("x = 1", "y = 2").ran()
    nb.write("x = 3", "y = 2", components={"a": {"freeze": True}, "b": {"cache": False}})
    first, second = kept(nb).components
    assert (first.cached, first.reason, first.results[0].used, first.results[0].reason) == (True, "frozen", True, "")
    assert (second.cached, second.results[0].reason) == (False, "it is not cached")
    assert "--no-cache" in second.reason


def test_a_broken_pipeline_is_listed_all_the_same(nb: Notebook) -> None:
    nb.write("x = 1", "y = x").ran()
    nb.write("x = 1", "y = x", components={"a": {"name": "b"}})
    listed = kept(nb)
    assert {c.reason for c in listed.components} == {"the pipeline has errors: cellar pipeline show"}
    assert sum(len(c.results) for c in listed.components) == 2


def test_an_unknown_component_is_named(nb: Notebook) -> None:
    spread(nb).ran()
    for action in (nbcellar.list_results, nbcellar.clear_results):
        with pytest.raises(CellarError, match="there is no component 'none'"):
            action("nb.ipynb", ["none"], folder=nb.folder)


# clearing -------------------------------------------------------------------------------------------------------------


def clear(nb: Notebook, *components: str, **options: object) -> nbcellar.api.pipeline_result_views.ClearedResults:
    """Take results away."""
    return nbcellar.clear_results("nb.ipynb", components, folder=nb.folder, **options)  # type: ignore[arg-type]


def test_what_is_cleared_is_freed_and_runs_again(nb: Notebook) -> None:
    spread(nb).ran()
    with nbcellar.open(nb.folder) as repo:
        assert repo.gc(dry_run=True, thin=False).removed_objects == 0
    said = clear(nb, dry_run=True)
    assert (len(said.cleared), said.dry_run) == (3, True)
    assert nb.ran() == "", "a dry run takes nothing away"
    done = clear(nb)
    assert done.bytes == said.bytes > 10_000
    assert [c.results for c in kept(nb).components] == [[], [], []]
    with nbcellar.open(nb.folder) as repo:
        assert repo.gc(dry_run=True, thin=False).removed_bytes == done.bytes
        repo.gc(purge=True, thin=False)
        checked = repo.check()
        assert (checked.damaged, checked.commits) == ([], 0)
    assert nb.why()["made"] == "it has not run yet"
    assert nb.ran() == "madeusedshown"
    assert clear(nb).bytes > 10_000
    assert clear(nb).cleared == []


def test_one_component_is_cleared_and_what_it_shares_stays(nb: Notebook) -> None:
    nb.write("big = [bytes([i % 256]) * 100_000 for i in range(30)]", "same = list(big)", "n = len(same)").ran()
    done = clear(nb, "b")
    (own,) = [result.own_bytes for result in done.cleared]
    assert done.bytes == own < done.cleared[0].bytes
    with nbcellar.open(nb.folder) as repo:
        assert repo.gc(purge=True, thin=False).removed_bytes == done.bytes
    assert nb.why() == {"b": "it has not run yet", "c": "'b' runs before it"}
    assert nb.ran() == "b", "what it makes is as before, so what follows is cached"


def test_only_old_results_are_cleared(nb: Notebook) -> None:
    spread(nb).ran()
    later = datetime.now(timezone.utc) + timedelta(days=31)
    assert clear(nb, older_than_days=30).cleared == []
    assert clear(nb, older_than_days=32, now=later, dry_run=True).cleared == []
    assert len(clear(nb, "made", older_than_days=30, now=later).cleared) == 1
    assert [len(c.results) for c in kept(nb).components] == [0, 1, 1]


def test_what_another_notebook_had_last_stays(nb: Notebook) -> None:
    spread(nb).ran()
    shutil.copy(nb.path, nb.folder / "copy.ipynb")
    nbcellar.run_pipeline("copy.ipynb", folder=nb.folder)
    (result,) = of(nb, "made")
    assert result.others == ["copy.ipynb"]
    done = clear(nb)
    assert (done.cleared, len(done.kept), done.bytes) == ([], 3, 0)
    assert nb.why() == {}


def test_two_results_of_one_key_go_one_by_one(nb: Notebook) -> None:
    nb.write(a="with open('data.txt') as file:\n    text = file.read()")
    for text in ("one", "two"):
        (nb.folder / "data.txt").write_text(text, "utf-8")
        nb.ran()
    newest, oldest = of(nb, "a")
    clear(nb, older_than_days=0, now=oldest.time + (newest.time - oldest.time) / 2)
    assert [result.commit for result in of(nb, "a")] == [newest.commit]
    assert nb.why() == {}
    (nb.folder / "data.txt").write_text("three", "utf-8")
    nb.ran()
    assert [result.reason for result in of(nb, "a")] == ["", "data.txt changed"]


def test_an_index_that_was_lost_is_built_again_with_all_results(nb: Notebook) -> None:
    nb.write(a="with open('data.txt') as file:\n    text = file.read()")
    for text in ("one", "two"):
        (nb.folder / "data.txt").write_text(text, "utf-8")
        nb.ran()
    with Repository.open(nb.folder, by="") as repo:
        ids = list(repo.index.ids())
        repo.rebuild_index()
        assert sorted(repo.index.ids()) == sorted(ids)
    assert [result.reason for result in of(nb, "a")] == ["", "data.txt changed"]


# what else knows them ------------------------------------------------------------------------------------------------


def test_size_counts_the_results_of_a_notebook_apart(nb: Notebook) -> None:
    spread(nb).ran()
    with nbcellar.open(nb.folder) as repo:
        by_name = {tuple(v.names): v for v in repo.size().variables}
    assert by_name[("big",)].notebook == "results of nb.ipynb"
    assert by_name[("big",)].bytes > 10_000


def test_gc_keeps_results(nb: Notebook) -> None:
    spread(nb).ran()
    nb.ran(parameters={"scale": 2})
    with nbcellar.open(nb.folder) as repo:
        assert repo.gc(purge=True).removed_objects == 0
    assert nb.why() == {}
    assert nb.ran(parameters={"scale": 2}) == ""


def test_thinning_keeps_the_last_result_of_each_component(nb: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = {"a": "big = [(scale + i) * 3.7 for i in range(30_000)]", "b": "n = len(big)"}
    nb.write(**sources, parameters={"scale": 1})
    nb.ran()
    nb.ran(parameters={"scale": 2})
    nb.write(**sources, parameters={"scale": 2})
    with monkeypatch.context() as patch:
        patch.setenv("NBCELLAR_KEEP_LAST", "1")
        for name in ("ALL_HOURS", "HOURLY_DAYS", "DAILY_DAYS"):
            patch.setenv(f"NBCELLAR_KEEP_{name}", "0")
        with nbcellar.open(nb.folder) as repo:
            assert repo.gc(purge=True).thinned_values >= 1
            assert repo.check().damaged == []
    assert nb.why() == {}, "the last one of each is whole"
    old = of(nb, "a")[-1]
    assert old.reason == "its 'big' was thinned out"
    assert nb.why(parameters={"scale": 1})["a"] == "its 'big' was thinned out"
    assert nb.ran(parameters={"scale": 1}).startswith("a")
    assert nb.why(parameters={"scale": 1}) == {}


def test_forgetting_a_variable_takes_its_results_and_those_that_were_given_it(nb: Notebook) -> None:
    nb.write("pin = 1234", "twice = pin * 2", "other = 5").ran()
    with nbcellar.open(nb.path) as repo:
        done = repo.forget("pin", kind="variable")
        assert any("2 results of pipelines" in note for note in done.notes)
        assert repo.check().damaged == []
    assert [len(c.results) for c in kept(nb).components] == [0, 0, 1]
    assert nb.why() == {"a": "it has not run yet", "b": "'a' runs before it"}
    assert not _is_stored(nb, b"1234")


def test_forgetting_an_object_with_a_class_takes_those_that_were_given_it(nb: Notebook) -> None:
    nb.write(
        "class Pin:\n    def __init__(self, n):\n        self.n = n",
        "pin = Pin(1234)",
        "twice = pin.n * 2",
        "apart = Pin(1).n",
    ).ran()
    with nbcellar.open(nb.path) as repo:
        assert any("2 results of pipelines" in note for note in repo.forget("pin", kind="variable").notes)
    assert [len(c.results) for c in kept(nb).components] == [1, 0, 0, 1]
    with nbcellar.open(nb.path) as repo:
        repo.forget("Pin", kind="variable")
    assert [len(c.results) for c in kept(nb).components] == [0, 0, 0, 0]


def test_forgetting_a_text_takes_the_results_that_hold_it(nb: Notebook) -> None:
    from nbcellar.api.forgetting import forget_text

    nb.write("x = 1", "print('hunter2hunter2')", "z = 3").ran()
    with nbcellar.open(nb.path) as repo:
        said = forget_text(repo, "hunter2hunter2", force=False, dry_run=True)
        assert any("1 result of pipelines" in note and "would go" in note for note in said.notes)
        assert [len(c.results) for c in kept(nb).components] == [1, 1, 1]
        forget_text(repo, "hunter2hunter2", force=False, dry_run=False)
    assert [len(c.results) for c in kept(nb).components] == [1, 0, 1]
    assert not _is_stored(nb, b"hunter2hunter2")


def _is_stored(nb: Notebook, text: bytes) -> bool:
    """True if a text stands, plainly, in any object of the repository."""
    with Repository.open(nb.folder, by="") as repo:
        return any(text in repo.store.read(info.digest) for info in repo.store.objects(None))


# exporting ------------------------------------------------------------------------------------------------------------


def test_what_has_no_result_is_left_out_with_the_reason(nb: Notebook) -> None:
    nb.write("x = 1", "y = 2", "z = x + y", components={"b": {"cache": False}}).ran()
    done = nbcellar.export_results("nb.ipynb", "r.tar.gz", folder=nb.folder)
    assert [result.component for result in done.archive.results] == ["a"]
    assert list(done.left_out) == ["b", "c"]
    assert "--no-cache" in done.left_out["b"]


def test_nothing_to_export_says_what_to_do(nb: Notebook) -> None:
    spread(nb)
    with pytest.raises(NotFoundError, match=r"nb\.ipynb has no result to export: 'made': it has not run yet") as error:
        nbcellar.export_results("nb.ipynb", "r.tar.gz", folder=nb.folder)
    assert error.value.hint == "run it first: cellar pipeline run nb.ipynb"
    assert not (nb.folder / "r.tar.gz").exists()


def test_all_results_are_exported_where_that_is_asked_for(nb: Notebook) -> None:
    spread(nb).ran()
    nb.ran(parameters={"scale": 2})
    one = nbcellar.export_results("nb.ipynb", "one.tar.gz", folder=nb.folder)
    every = nbcellar.export_results("nb.ipynb", "all.tar.gz", ["used"], all=True, folder=nb.folder)
    assert [len(each.archive.results) for each in (one, every)] == [3, 4]
    assert {result.component for result in every.archive.results} == {"made", "used"}


def test_names_that_are_not_recorded_any_more_stay_out(nb: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    nb.write("private = 1", "x = 2").ran()
    monkeypatch.setenv("NBCELLAR_RECORD_SKIP_NAMES", "private*")
    done = nbcellar.export_results("nb.ipynb", "r.tar.gz", folder=nb.folder)
    assert [result.component for result in done.archive.results] == ["b"]
    assert "'private'" in done.left_out["a"]


def test_what_looks_like_a_secret_is_told(nb: Notebook) -> None:
    token = "ghp_" + "A1b2C3d4E5" * 3 + "f6G7h8"
    nb.write(f"setting = {token!r}", "x = 2").ran()
    done = nbcellar.export_results("nb.ipynb", "r.tar.gz", folder=nb.folder)
    assert done.secrets and all(token not in line for line in done.secrets)
    assert nbcellar.export_results("nb.ipynb", "r.tar.gz", ["b"], folder=nb.folder).secrets == []


def test_files_elsewhere_are_told(nb: Notebook, tmp_path_factory: pytest.TempPathFactory) -> None:
    far = tmp_path_factory.mktemp("far") / "data.txt"
    far.write_text("1", "utf-8")
    nb.write(f"with open({str(far)!r}) as file:\n    text = file.read()", "import os\nnames = os.listdir('.')").ran()
    (note,) = nbcellar.export_results("nb.ipynb", nb.folder.parent / "r.tar.gz", folder=nb.folder).notes
    assert f"'a' depends on {os.path.realpath(far)}, outside of the repository" in note


def test_only_an_archive_is_written_over(nb: Notebook) -> None:
    nb.write("x = 1").ran()
    for name in ("nb.ipynb", "r.tar.gz", "none/r.tar.gz"):
        if name == "r.tar.gz":
            nbcellar.export_results("nb.ipynb", name, folder=nb.folder)
            nbcellar.export_results("nb.ipynb", name, folder=nb.folder)
            continue
        before = nb.path.read_bytes()
        with pytest.raises(CellarError, match=r"is not written over|cannot write"):
            nbcellar.export_results("nb.ipynb", name, folder=nb.folder)
        assert nb.path.read_bytes() == before
