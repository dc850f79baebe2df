"""Archives of results: what another person can use, and what is refused, whatever somebody put into the file."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import os
import pickle
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import nbcellar
from nbcellar.errors import (
    CellarError,
    CorruptStoreError,
    InvalidInputError,
    NotFoundError,
    NotTrustedError,
    StoreUnavailableError,
    UnsupportedFormatError,
)
from nbcellar.history.model import COMMIT_FORMAT, Commit, CommitKind, StateDelta, encode_commit
from nbcellar.history.repository import Repository
from nbcellar.ids import KeyId
from nbcellar.pipeline.archive_export import runs_code
from nbcellar.pipeline.archive_format import BLOBS, MANIFEST, SIGNATURE, Item
from nbcellar.pipeline.executors import Executor
from nbcellar.trust.decisions import TrustStore, Verdict
from nbcellar.trust.keys import fingerprint, load_or_create
from nbcellar.values.manifest import VALUE_FORMAT, Value, encode_value

from .archives import (
    MALLORY,
    Members,
    changed,
    contents,
    manifest_of,
    members_of,
    pack,
    pack_tar,
    signed_anew,
    tar_of,
    with_blob,
    with_entry,
    with_first_entry,
)
from .support import Notebook

MARK = "executed"
SOURCES = {
    "load": "with open('data.txt') as file:\n    text = file.read()\nn = 3",
    "made": "import trap\nwords = text.split() * scale\ntrap = trap.Trap()",
    "big": "import random\nnumbers = [random.random() for _ in range(20_000)]\napi_key = 'k' * n",
    "shown": "print(len(words), len(numbers))\nwords.__class__",
}

TRAP = f"""
class Trap:
    def __reduce__(self):
        return spring, ()

def spring():
    open({MARK!r}, "w").close()
    return Trap()
"""


class Made(NamedTuple):
    """An archive, and the folder that it was made in."""

    path: Path
    members: Members
    notebook: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, workers: Executor) -> Made:
    """An archive that Ada wrote."""
    folder = tmp_path_factory.mktemp("ada") / "project"
    folder.mkdir()
    Repository.create(folder).close()
    (folder / "data.txt").write_text("one two", "utf-8")
    (folder / "trap.py").write_text(TRAP, "utf-8")
    nb = Notebook(folder, workers).write(**SOURCES, parameters={"scale": 2})
    nb.ran()
    (folder / MARK).unlink(missing_ok=True)
    done = nbcellar.export_results("nb.ipynb", "r.tar.gz", folder=folder)
    assert done.left_out == {}
    assert not (folder / MARK).exists()
    return Made(folder / "r.tar.gz", members_of(folder / "r.tar.gz"), folder / "nb.ipynb")


class Ben:
    """Another person: a home, a folder and a repository of their own."""

    def __init__(self, folder: Path, made: Made) -> None:
        self.user = folder / "ben"
        self.folder = folder / "elsewhere"
        self.folder.mkdir()
        self.made = made
        Repository.create(self.folder).close()
        for name in ("nb.ipynb", "data.txt", "trap.py"):
            shutil.copy(made.notebook.parent / name, self.folder)
        self.file = self.folder / "x.tar.gz"

    def bring(self, **options: Any) -> Any:
        """Import the file."""
        return nbcellar.import_results("x.tar.gz", folder=self.folder, **options)

    def trust_all(self) -> None:
        """Trust Ada and Mallory."""
        with Repository.open(self.folder, by="") as repo:
            for key in (MALLORY.key_id, ada_key()):
                TrustStore(self.user).add(repo.project, key, now_ns=1)

    def refused(self, error: type[CellarError] = CorruptStoreError, **options: Any) -> str:
        """Look into the file and import it, though all are trusted: both are refused, nothing is kept; return why."""
        self.trust_all()
        before = contents(self.folder)
        there = sorted(path.name for path in self.folder.parent.rglob("*") if ".cellar" not in path.parts)
        with pytest.raises(error) as looked:
            nbcellar.look_into_results("x.tar.gz", folder=self.folder)
        with pytest.raises(error) as brought:
            self.bring(**options)
        assert contents(self.folder) == before
        assert sorted(path.name for path in self.folder.parent.rglob("*") if ".cellar" not in path.parts) == there
        assert brought.value.message == looked.value.message
        assert "x.tar.gz" in looked.value.message
        return looked.value.message.removeprefix("x.tar.gz").strip(": ")


@pytest.fixture
def ben(tmp_path: Path, made: Made, monkeypatch: pytest.MonkeyPatch) -> Ben:
    """Ben, whose environment this process has from here on."""
    made_for = Ben(tmp_path, made)
    monkeypatch.setenv("NBCELLAR_CONFIG_DIR", str(made_for.user))
    monkeypatch.chdir(tmp_path)  # where the trap leaves its mark
    return made_for


def ada_key() -> KeyId:
    """Return the key of whoever wrote the archive."""
    return load_or_create(Path(os.environ["XDG_CONFIG_HOME"]) / "nbcellar").key_id


def ada() -> str:
    """Return its fingerprint."""
    return fingerprint(ada_key())


# what it is for -----------------------------------------------------------------------------------------------------


def test_who_trusts_the_signer_has_everything_cached(ben: Ben, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ben.folder)
    shutil.copy(made.path, ben.file)
    with pytest.raises(NotTrustedError) as refused:
        ben.bring()
    assert ada() in refused.value.message
    assert f"--trust {ada()}" in (refused.value.hint or "")
    done = ben.bring(trust=[ada()])
    assert (done.new, done.trusted, done.runs) == (4, [ada()], {})
    assert done.cached == list(SOURCES)
    assert not Path(MARK).exists()
    assert nbcellar.load_results("nb.ipynb", "words", "n", folder=ben.folder) == {"words": ["one", "two"] * 2, "n": 3}
    assert not Path(MARK).exists()
    nbcellar.load_results("nb.ipynb", "trap", folder=ben.folder)
    sys.modules.pop("trap")
    assert Path(MARK).exists(), "what tells that nothing was loaded before tells when it is"
    again = ben.bring()
    assert (again.new, again.trusted) == (0, [])
    kept = nbcellar.list_results("nb.ipynb", folder=ben.folder)
    assert [result.signer.key for each in kept.components for result in each.results] == [ada()] * 4


def test_whoever_is_not_trusted_any_more_has_results_that_are_not_used(ben: Ben, made: Made) -> None:
    shutil.copy(made.path, ben.file)
    ben.bring(trust=[ada()])
    with nbcellar.open(ben.folder) as repo:
        repo.distrust(ada())
    kept = nbcellar.list_results("nb.ipynb", folder=ben.folder)
    assert not any(each.cached for each in kept.components)
    assert all("is not trusted" in result.reason for each in kept.components for result in each.results)
    with pytest.raises(NotTrustedError):
        ben.bring()


def test_looking_into_an_archive_says_all_and_keeps_nothing(ben: Ben, made: Made) -> None:
    shutil.copy(made.path, ben.file)
    before = contents(ben.folder)
    seen = nbcellar.look_into_results("x.tar.gz", folder=ben.folder)
    assert contents(ben.folder) == before
    assert (seen.signer.key, seen.signer.trust, seen.notebook) == (ada(), "untrusted", "nb.ipynb")
    by_name = {result.component: result for result in seen.results}
    assert by_name.keys() == SOURCES.keys()
    assert by_name["load"].files == ["data.txt"]
    assert by_name["made"].parameters == {"scale": 2}
    values = {value.name: value for result in seen.results for value in result.values}
    assert values["n"].runs_code is False and values["text"].runs_code is False
    assert values["trap"].runs_code is True and values["numbers"].runs_code is True
    assert (values["api_key"].runs_code, "not recorded" in values["api_key"].reason) == (None, True)
    assert not Path(MARK).exists()
    only = nbcellar.look_into_results("x.tar.gz", ["big"], folder=ben.folder)
    assert [result.component for result in only.results] == ["big"]
    with pytest.raises(NotFoundError, match="no result of 'none'"):
        nbcellar.look_into_results("x.tar.gz", ["none"], folder=ben.folder)


def test_an_archive_can_be_looked_into_where_there_is_no_repository(tmp_path: Path, made: Made) -> None:
    seen = nbcellar.look_into_results(made.path, folder=tmp_path)
    assert seen.signer.trust == "own"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda folder: (folder / "data.txt").write_text("one two three"), "data.txt changed"),
        (lambda folder: (folder / "data.txt").unlink(), "data.txt is gone"),
        (lambda folder: rewrite(folder, "n = 3", "n = 4"), "its code changed"),
    ],
)
def test_each_miss_explains_itself(ben: Ben, made: Made, change: Callable[[Path], Any], reason: str) -> None:
    shutil.copy(made.path, ben.file)
    change(ben.folder)
    done = ben.bring(trust=[ada()])
    assert done.runs["load"] == reason
    assert done.runs["made"] == "'load' runs before it"


def test_a_parameter_of_another_value_is_the_reason(ben: Ben, made: Made) -> None:
    shutil.copy(made.path, ben.file)
    rewrite(ben.folder, '"scale": 2', '"scale": 3')
    assert ben.bring(trust=[ada()]).runs["made"] == "parameter scale 2 -> 3"


def rewrite(folder: Path, old: str, new: str) -> None:
    """Change the text of the notebook."""
    path = folder / "nb.ipynb"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_results_are_used_in_a_notebook_of_another_name(ben: Ben, made: Made) -> None:
    shutil.copy(made.path, ben.file)
    (ben.folder / "nb.ipynb").rename(ben.folder / "other.ipynb")
    assert ben.bring(trust=[ada()]).notebook is None
    done = ben.bring(notebook="other.ipynb")
    assert (done.new, done.notebook, done.cached) == (0, "other.ipynb", list(SOURCES))


def test_a_part_has_what_comes_before_it(ben: Ben, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.delenv("NBCELLAR_CONFIG_DIR")
        nbcellar.export_results(made.notebook, ben.file, ["made"], folder=made.notebook.parent)
    done = ben.bring(trust=[ada()])
    assert done.cached == ["load", "made"]
    assert set(done.runs) == {"big", "shown"}


def test_equal_results_make_equal_archives(made: Made) -> None:
    folder = made.notebook.parent
    nbcellar.export_results("nb.ipynb", "again.tar.gz", folder=folder)
    assert (folder / "again.tar.gz").read_bytes() == made.path.read_bytes()
    with tarfile.open(made.path) as file:
        assert {(entry.mtime, entry.uid, entry.uname, entry.mode) for entry in file} == {(0, 0, "", 0o644)}


def test_what_was_imported_can_be_handed_on_and_both_have_to_be_trusted(
    ben: Ben, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(made.path, ben.file)
    ben.bring(trust=[ada()])
    nbcellar.export_results("nb.ipynb", "on.tar.gz", folder=ben.folder)
    own = fingerprint(load_or_create(tmp_path / "ben").key_id)
    monkeypatch.setenv("NBCELLAR_CONFIG_DIR", str(tmp_path / "cleo"))
    (tmp_path / "third").mkdir()
    cleo = Ben(tmp_path / "third", made)
    shutil.copy(ben.folder / "on.tar.gz", cleo.file)
    before = contents(cleo.folder)
    for trust in ([], [own], [ada()]):
        with pytest.raises(NotTrustedError):
            cleo.bring(trust=trust)
    assert contents(cleo.folder) == before
    assert cleo.bring(trust=[own, ada()]).cached == list(SOURCES)


def test_a_key_that_signed_nothing_of_it_is_named(ben: Ben, made: Made) -> None:
    shutil.copy(made.path, ben.file)
    for text in (fingerprint(MALLORY.key_id), ada()[:3], ""):
        with pytest.raises(NotFoundError, match=r"is no signer of x\.tar\.gz") as refused:
            ben.bring(trust=[text])
        assert ada() in (refused.value.hint or "")


def test_a_blocked_key_stays_blocked(ben: Ben, made: Made) -> None:
    shutil.copy(made.path, ben.file)
    with Repository.open(ben.folder, by="") as repo:
        TrustStore(ben.user).add(repo.project, ada_key(), now_ns=1, verdict=Verdict.BLOCKED)
    with pytest.raises(NotTrustedError, match="is blocked in this project"):
        ben.bring(trust=[ada()])


def test_what_does_not_fit_is_not_begun(ben: Ben, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(made.path, ben.file)
    before = contents(ben.folder)
    monkeypatch.setattr("nbcellar.pipeline.archive_import.room", lambda store, cap_bytes: _Room(10, "the disk is full"))
    with pytest.raises(StoreUnavailableError, match="there is room for 0: the disk is full"):
        ben.bring(trust=[ada()])
    assert contents(ben.folder) == before


def test_an_import_that_fails_at_its_end_keeps_nothing(ben: Ben, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbcellar.pipeline import archive_import

    shutil.copy(made.path, ben.file)
    before = contents(ben.folder)
    enter = archive_import.enter_results

    def fail(*args: Any) -> None:
        enter(*args)
        raise OSError("the disk went away")

    with monkeypatch.context() as patch:
        patch.setattr(archive_import, "enter_results", fail)
        with pytest.raises(CellarError, match="the disk went away"):
            ben.bring(trust=[ada()])
    assert contents(ben.folder) == before
    with pytest.raises(NotTrustedError):
        ben.bring()
    assert ben.bring(trust=[ada()]).new == 4


def test_two_who_import_at_once_both_have_it(ben: Ben, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbcellar.pipeline import archive_import

    shutil.copy(made.path, ben.file)
    enter, others = archive_import.enter_results, []

    def later(*args: Any) -> Any:
        if not others:
            others.append(None)
            others.append(ben.bring(trust=[ada()]))
        return enter(*args)

    monkeypatch.setattr(archive_import, "enter_results", later)
    mine = ben.bring(trust=[ada()])
    assert (mine.new, others[1].new) == (0, 4)
    assert mine.cached == list(SOURCES)


def test_a_notebook_named_by_an_archive_is_never_outside(ben: Ben, made: Made) -> None:
    ben.trust_all()
    far = ben.folder.parent / "far.ipynb"
    shutil.copy(made.notebook, far)
    for said in ("../far.ipynb", str(far), "far.ipynb\0", "data.txt", ""):
        pack(ben.file, changed(made.members, notebook=said))
        assert ben.bring().notebook is None


class _Room(NamedTuple):
    bytes: int
    reason: str


# files that are something else --------------------------------------------------------------------------------------


def _zip() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("manifest.json", "{}")
    return made.getvalue()


def _tar(name: str = "a.txt") -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as file:
        entry = tarfile.TarInfo(name)
        entry.size = 2
        file.addfile(entry, io.BytesIO(b"hi"))
    return made.getvalue()


FOREIGN = [
    (b"", "is no archive of results: it is empty"),
    (b"text", "is no archive of results: it is not packed by gzip"),
    (_zip(), "is no archive of results: it is a zip archive"),
    (_tar(), "is no archive of results: it is a tar archive that is not packed by gzip"),
    (json.dumps({"schema": "urn:nbcellar:pipeline"}).encode(), "it is JSON; a pipeline is read by: cellar pipeline"),
    (pickle.dumps([1], 5), "it is a pickle, which is never loaded from a file"),
    (b"SQLite format 3\0", "it is an SQLite database"),
    (b"\x28\xb5\x2f\xfd....", "it is packed by zstandard"),
]


@pytest.mark.parametrize(("data", "says"), FOREIGN)
def test_a_file_that_is_no_archive_says_what_it_is(ben: Ben, data: bytes, says: str) -> None:
    ben.file.write_bytes(data)
    assert says in ben.refused(InvalidInputError)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "it is empty"),
        (b"text", "is cut off"),
        (bytes(4096), "it is empty"),
        (b"text" * 999, "it begins with what is no tar archive"),
        (_tar(), "it begins with 'a.txt'"),
        (_tar("./manifest.json"), "it begins with './manifest.json'"),
        (_tar("manifest.json"), "packed anew by another program"),
        (tar_of([("manifest.json", b"{}"), ("manifest.sig", b"{}")]), "signature cannot be understood"),
    ],
)
def test_a_packed_file_that_is_no_archive_says_what_it_is(ben: Ben, data: bytes, says: str) -> None:
    ben.file.write_bytes(gzip.compress(data))
    assert says in ben.refused()


@pytest.mark.parametrize(
    ("payload", "error", "says"),
    [
        (b"no json", CorruptStoreError, "its manifest is none"),
        (b"[" * 100_000, CorruptStoreError, "its manifest is none"),
        (b'{"schema":"other","format":1}', CorruptStoreError, "it is no archive of results, but of 'other'"),
        (b'{"schema":"cellar-results","format":9}', UnsupportedFormatError, "it is of format 9; this Cellar reads"),
        (b'{"schema":"cellar-results","format":1}', CorruptStoreError, "its manifest cannot be understood"),
        (b'{"schema":"cellar-results","format":1,"objects":[["\xff",1,2]]}', CorruptStoreError, "manifest"),
    ],
)
def test_a_signed_manifest_that_is_none(ben: Ben, payload: bytes, error: type[CellarError], says: str) -> None:
    pack(ben.file, signed_anew(payload, []))
    before = contents(ben.folder)
    for action in (nbcellar.look_into_results, nbcellar.import_results):
        with pytest.raises(error, match=says):
            action("x.tar.gz", folder=ben.folder)
    assert contents(ben.folder) == before


def test_a_folder_and_a_file_that_is_not_there(ben: Ben) -> None:
    ben.file.mkdir()
    assert ben.refused(InvalidInputError) == "is no file"
    ben.file.rmdir()
    with pytest.raises(NotFoundError, match=r"there is no file x\.tar\.gz"):
        ben.bring()


# archives that were damaged or tampered with --------------------------------------------------------------------------


def test_cut_off_anywhere(ben: Ben, made: Made) -> None:
    data = made.path.read_bytes()
    ends = [len(data) // 2, len(data) - 1, len(data) - 8, len(data) - 9, *range(3, len(data) - 9, len(data) // 40)]
    for end in ends:
        ben.file.write_bytes(data[:end])
        assert "is cut off" in ben.refused(), end


def test_cut_off_anywhere_before_it_was_packed(ben: Ben, made: Made) -> None:
    tar = tar_of(made.members)
    sizes = [512 + len(data) + -len(data) % 512 for _, data in made.members]
    starts = [sum(sizes[:at]) for at in range(1, len(sizes) + 1)]
    for end in [*starts, *(start + 100 for start in starts), *(start + 512 for start in starts), len(tar) - 1]:
        pack_tar(ben.file, tar[:end])
        assert "cut off" in ben.refused(), end


@settings(max_examples=60)
@given(data=st.data())
def test_no_byte_can_be_changed(ben: Ben, made: Made, data: st.DataObject) -> None:
    tar = bytearray(tar_of(made.members))
    place = data.draw(st.integers(0, len(tar) - 1))
    tar[place] ^= data.draw(st.integers(1, 255))
    pack_tar(ben.file, bytes(tar))
    before = contents(ben.folder)
    with pytest.raises(CorruptStoreError):
        nbcellar.look_into_results("x.tar.gz", folder=ben.folder)
    with pytest.raises(CorruptStoreError):
        ben.bring(trust=[ada()])
    assert contents(ben.folder) == before


@settings(max_examples=60)
@given(data=st.data())
def test_a_changed_byte_of_the_packed_file_makes_no_other_content(ben: Ben, made: Made, data: st.DataObject) -> None:
    packed = bytearray(made.path.read_bytes())
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    ben.file.write_bytes(packed)
    expected = nbcellar.look_into_results(made.path, folder=ben.folder)
    try:
        seen = nbcellar.look_into_results("x.tar.gz", folder=ben.folder)
    except CellarError:
        return
    assert seen.results == expected.results and seen.signer == expected.signer  # the name and time that gzip notes


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "blobs/../../evil", "evil"])
@pytest.mark.parametrize("place", [0, 1, 2, -1])
def test_a_member_too_many_is_refused_whatever_it_is_called(ben: Ben, made: Made, name: str, place: int) -> None:
    at = place if place >= 0 else len(made.members)
    pack_tar(ben.file, with_entry(made.members, at, tarfile.TarInfo(name), b"evil"))
    assert repr(name) in ben.refused()
    assert not (ben.folder.parent / "evil").exists()


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (tarfile.SYMTYPE, "a symbolic link"),
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.DIRTYPE, "a folder"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.FIFOTYPE, "a named pipe"),
    ],
)
@pytest.mark.parametrize("is_expected_name", [True, False])
def test_links_and_devices_are_refused(ben: Ben, made: Made, kind: bytes, says: str, is_expected_name: bool) -> None:
    entry = tarfile.TarInfo(made.members[2][0] if is_expected_name else "link")
    entry.type, entry.linkname = kind, "/etc/passwd"
    pack_tar(ben.file, with_entry(made.members, 2, entry))
    assert says in ben.refused()


def test_an_archive_that_was_packed_anew_says_so(ben: Ben, made: Made, tmp_path: Path) -> None:
    with tarfile.open(made.path) as file:
        file.extractall(tmp_path / "out", filter="data")
    with tarfile.open(ben.file, "w:gz", format=tarfile.USTAR_FORMAT) as file:
        for name, _ in made.members:
            file.add(tmp_path / "out" / name, name)
    assert ben.refused() == "was packed anew by another program; it is read only as Cellar wrote it"


def test_a_member_twice_is_refused(ben: Ben, made: Made) -> None:
    for at in range(len(made.members)):
        pack(ben.file, [*made.members[: at + 1], *made.members[at:]])
        ben.refused()
    listed = manifest_of(made.members).objects
    pack(ben.file, changed(made.members, objects=(listed[0], *listed)))
    assert "twice" in ben.refused()
    pack(ben.file, changed(made.members, entries=manifest_of(made.members).entries * 2))
    assert "lists a result twice" in ben.refused()


def test_members_in_another_order_are_refused(ben: Ben, made: Made) -> None:
    for at in range(len(made.members) - 1):
        swapped = [*made.members]
        swapped[at], swapped[at + 1] = swapped[at + 1], swapped[at]
        pack(ben.file, swapped)
        ben.refused()
    listed = manifest_of(made.members).objects
    pack(ben.file, changed(made.members, objects=(*listed[1:], listed[0])))
    assert "out of order" in ben.refused()


def test_a_member_that_is_missing_is_named(ben: Ben, made: Made) -> None:
    for at, (name, _) in enumerate(made.members):
        pack(ben.file, [*made.members[:at], *made.members[at + 1 :]])
        said = ben.refused()
        assert name in said or "no archive of results" in said


def test_swapped_contents_are_refused(ben: Ben, made: Made) -> None:
    blobs = made.members[2:]
    for (first, one), (second, two) in itertools.pairwise(blobs):
        pack(ben.file, [(n, two if n == first else one if n == second else d) for n, d in made.members])
        assert "x.tar.gz" not in ben.refused()
    same_size = [Item(i.digest, i.kind, len(blobs[0][1])) for i in manifest_of(made.members).objects]
    pack(
        ben.file,
        [(n, blobs[0][1] if n.startswith(BLOBS) else d) for n, d in changed(made.members, objects=tuple(same_size))],
    )
    assert "does not match its digest" in ben.refused()


def test_a_file_that_unpacks_to_a_disk_is_not_unpacked(ben: Ben, made: Made) -> None:
    zeros = 300 << 20
    head = made.members[0]
    for tar in (
        tar_of([("manifest.json", bytes(zeros))]),
        tar_of([head])[:-1024] + bytes(zeros),
        tar_of(made.members) + bytes(zeros),
    ):
        pack_tar(ben.file, tar)
        assert ben.file.stat().st_size < 4 << 20
        said = ben.refused()
        assert "limit is" in said or "times its size" in said or "cut off" in said or "after its end" in said


def test_sizes_are_bounded_by_kind(ben: Ben, made: Made) -> None:
    listed = manifest_of(made.members).objects
    for size in (1 << 40, -1):
        pack(ben.file, changed(made.members, objects=(Item(listed[0].digest, listed[0].kind, size), *listed[1:])))
        assert "the limit is" in ben.refused()
    for kind in ("tree", "operation", "Commit\x1b", "none"):
        pack(ben.file, changed(made.members, objects=(*listed, Item("0" * 64, kind, 1))))
        assert "which results do not have" in ben.refused()
    for digest in ("../../evil", "A" * 64, "0" * 63, ""):
        pack(ben.file, changed(made.members, objects=(*listed[:-1], Item(digest, listed[-1].kind, 1))))
        assert "which is no digest" in ben.refused()


def test_zeros_in_values_are_packed_less_rather_than_refused(folder: Path, workers: Executor) -> None:
    nb = Notebook(folder, workers).write(zeros="zeros = [bytes(1 << 20) + bytes([i]) for i in range(100)]")
    assert nb.run().is_ok
    nbcellar.export_results("nb.ipynb", "z.tar.gz", folder=folder)
    assert nbcellar.look_into_results("z.tar.gz", folder=folder).checked


# signatures -----------------------------------------------------------------------------------------------------------


def test_a_signature_by_another_key_does_not_hold(ben: Ben, made: Made) -> None:
    signed = json.loads(dict(made.members)[SIGNATURE])
    for change in (
        {"key": MALLORY.key_id.hex()},
        {"signature": MALLORY.sign(b"x").hex()},
        {"signature": ""},
        {"algorithm": "none"},
        {"key": "zz"},
    ):
        other = json.dumps(signed | change, separators=(",", ":"), sort_keys=True).encode()
        pack(ben.file, [(name, other if name == SIGNATURE else data) for name, data in made.members])
        assert "its signature" in ben.refused()


def test_a_manifest_that_somebody_else_signed_is_theirs(ben: Ben, made: Made) -> None:
    pack(ben.file, changed(made.members, notebook="mine.ipynb"))
    seen = nbcellar.look_into_results("x.tar.gz", folder=ben.folder)
    assert seen.signer.key == fingerprint(MALLORY.key_id)
    assert {result.signer.key for result in seen.results} == {ada()}
    for trust in ([ada()], [fingerprint(MALLORY.key_id)]):
        with pytest.raises(NotTrustedError):
            ben.bring(trust=trust)


def test_the_signature_of_a_result_has_to_hold(ben: Ben, made: Made) -> None:
    replace = msgspec.structs.replace
    entry = manifest_of(made.members).entries[1]
    for change in (
        lambda first: replace(first, signature=entry.signature),
        lambda first: replace(first, signer=MALLORY.key_id.hex()),
        lambda first: replace(first, signature=""),
        lambda first: replace(first, signature="zz"),
        lambda first: replace(first, signer="00"),
    ):
        pack(ben.file, with_first_entry(made.members, change))
        assert "the signature of result" in ben.refused()


# manifests that do not tell the truth --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lie",
    [
        {"component": "harmless"},
        {"cell": "other"},
        {"time_ns": 1},
        {"seconds": 1e6},
        {"outputs": "0" * 64},
        {"facts": {}},
        {"values": {}},
    ],
)
def test_what_a_manifest_says_of_a_result_is_what_its_commit_says(ben: Ben, made: Made, lie: dict[str, Any]) -> None:
    pack(ben.file, with_first_entry(made.members, lambda first: msgspec.structs.replace(first, **lie)))
    assert "what its commit does not say" in ben.refused()


def test_a_key_or_a_commit_of_another_result_is_refused(ben: Ben, made: Made) -> None:
    entries = manifest_of(made.members).entries
    for field in ("key", "commit"):
        other = {field: getattr(entries[1], field)}
        pack(ben.file, with_first_entry(made.members, lambda first, o=other: msgspec.structs.replace(first, **o)))
        ben.refused()
    pack(ben.file, with_first_entry(made.members, lambda first: msgspec.structs.replace(first, key="no digest")))
    assert "by what is no digest" in ben.refused()


def test_a_value_that_runs_code_cannot_be_called_harmless(ben: Ben, made: Made) -> None:
    def harmless(entry: Any) -> Any:
        values = {name: msgspec.structs.replace(value, runs_code=False) for name, value in entry.values.items()}
        return msgspec.structs.replace(entry, values=values)

    entries = tuple(harmless(entry) for entry in manifest_of(made.members).entries)
    pack(ben.file, changed(made.members, entries=entries))
    assert "what it is not" in ben.refused()


def test_what_is_listed_is_there_and_nothing_else(ben: Ben, made: Made) -> None:
    manifest = manifest_of(made.members)
    for at, item in enumerate(manifest.objects):
        pack(ben.file, changed(made.members, objects=manifest.objects[:at] + manifest.objects[at + 1 :]))
        said = ben.refused()
        assert item.digest[:8] in said
    for kind in ("block", "value", "outputs"):
        data = encode_value(Value(format=VALUE_FORMAT, python=(3, 11)))
        pack(ben.file, with_blob(made.members, kind, data))
        assert "belongs to no result" in ben.refused()
    pack(ben.file, changed(made.members, entries=manifest.entries[1:]))
    assert "its manifest says nothing of it" in ben.refused()


def test_an_object_of_another_kind_than_it_is_needed_as_is_refused(ben: Ben, made: Made) -> None:
    from nbcellar.pipeline.archive_format import in_order

    manifest = manifest_of(made.members)
    for item in manifest.objects:
        if item.kind == "commit":
            continue
        other = "block" if item.kind != "block" else "outputs"
        listed = [Item(i.digest, other if i is item else i.kind, i.size_bytes) for i in manifest.objects]
        pack(ben.file, changed(made.members, objects=in_order(listed)))
        assert "is not in it" in ben.refused()


@pytest.mark.parametrize("data", [b"", b"\x00", b"no value", b"\x80\x05K\x01.", encode_value(Value(9, (3, 11)))])
def test_a_value_that_is_none_is_refused(ben: Ben, made: Made, data: bytes) -> None:
    pack(ben.file, with_blob(made.members, "value", data))
    before = contents(ben.folder)
    with pytest.raises(CellarError):
        nbcellar.look_into_results("x.tar.gz", folder=ben.folder)
    with pytest.raises(CellarError):
        ben.bring(trust=[ada(), fingerprint(MALLORY.key_id)])
    assert contents(ben.folder) == before


def forged(members: Members, commit: Commit) -> Members:
    """Return members whose only result is another commit, signed by Mallory in all places."""
    from blake3 import blake3

    payload = encode_commit(commit)
    digest = blake3(payload).hexdigest()
    facts = json.loads(commit.message)
    entry = msgspec.structs.replace(
        manifest_of(members).entries[0],
        component=facts.get("component", ""),
        cell=facts.get("cell", ""),
        key=facts["key"],
        commit=digest,
        signer=MALLORY.key_id.hex(),
        signature=MALLORY.sign(bytes.fromhex(digest)).hex(),
        time_ns=commit.time_ns,
        seconds=0.0,
        outputs="",
        values={},
        facts=facts,
    )
    manifest = msgspec.structs.replace(
        manifest_of(members), entries=(entry,), objects=(Item(digest, "commit", len(payload)),)
    )
    return signed_anew(manifest, [(BLOBS + digest, payload)])


def commit_of(key: str, **fields: Any) -> Commit:
    """Return a result of nothing."""
    state = fields.pop("state", StateDelta(base=None))
    notebook = fields.pop("notebook", key[:32])
    return Commit(
        format=COMMIT_FORMAT,
        notebook=notebook,
        parents=fields.pop("parents", ()),
        kind=fields.pop("kind", CommitKind.AUTO),
        time_ns=1,
        author="mallory",
        state=state,
        message=json.dumps({"key": key}),
        **fields,
    )


def test_a_forged_result_comes_in_only_with_its_signer(ben: Ben, made: Made) -> None:
    pack(ben.file, forged(made.members, commit_of("ab" * 32)))
    with pytest.raises(NotTrustedError):
        ben.bring(trust=[])
    assert ben.bring(trust=[fingerprint(MALLORY.key_id)]).new == 1


def test_a_result_never_comes_into_the_history_of_a_notebook(ben: Ben, made: Made) -> None:
    shutil.copy(made.path, ben.file)
    ben.bring(trust=[ada()])
    with Repository.open(ben.folder, by="") as repo:
        (info,) = repo.notebooks()
        notebook = info.id
    before = contents(ben.folder)
    pack(ben.file, forged(made.members, commit_of(notebook.ljust(64, "0"))))
    with pytest.raises(CorruptStoreError, match=r"into the history of nb\.ipynb: refused"):
        ben.bring(trust=[fingerprint(MALLORY.key_id)])
    assert contents(ben.folder) == before


@pytest.mark.parametrize(
    "fields",
    [
        {"parents": (b"p" * 32,)},
        {"state": StateDelta(base=b"p" * 32)},
        {"state": StateDelta(base=None, complete=b"p" * 32)},
        {"state": StateDelta(base=None, drop=("x",))},
        {"state": None},
        {"at": b"p" * 32},
        {"tree": b"p" * 32},
        {"kind": CommitKind.NAMED},
        {"notebook": "0" * 32},
    ],
)
def test_a_commit_that_is_no_result_is_refused(ben: Ben, made: Made, fields: dict[str, Any]) -> None:
    pack(ben.file, forged(made.members, commit_of("ab" * 32, **fields)))
    said = ben.refused()
    assert "is no result of the key" in said or "stand by themselves" in said


# what a value does when it is loaded ---------------------------------------------------------------------------------


@settings(max_examples=100)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
@example(value=2**100)
def test_plain_values_run_no_code(value: object) -> None:
    inline = pickle.dumps((value,), 5)
    assert not runs_code(encode_value(Value(format=VALUE_FORMAT, python=(3, 11), inline=inline)))


@pytest.mark.parametrize(
    "inline",
    [
        pickle.dumps((json.JSONDecoder,), 5),
        pickle.dumps((complex(1, 2),), 5),
        b"cos\nsystem\n(S'x'\ntR.",
        b"(S'x'\nios\nsystem\n.",
        b"\x82\x01.",
        b"Pid\n.",
        b"no pickle",
        b"\x80\x05K\x01",
        b"",
    ],
)
def test_what_may_run_code_is_said_to(inline: bytes) -> None:
    assert runs_code(encode_value(Value(format=VALUE_FORMAT, python=(3, 11), inline=inline)))


def test_an_archive_of_the_first_format_opens(ben: Ben) -> None:
    stored = Path(__file__).parents[1] / "data" / "formats" / "results-1.tar.gz"
    shutil.copy(stored, ben.file)
    seen = nbcellar.look_into_results("x.tar.gz", folder=ben.folder)
    assert [result.component for result in seen.results] == ["half", "whole"]
    assert ben.bring(trust=[seen.signer.key]).new == 2
    assert MANIFEST in dict(members_of(stored))
