"""Results that go to Dask's workers and back by an object store: the same as everywhere, or an error that says why."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
from blake3 import blake3
from tests.object_store import Bucket, served

from nbcellar import config
from nbcellar.api.pipelines import load_results, opened, run_pipeline
from nbcellar.errors import (
    CorruptStoreError,
    InvalidInputError,
    NotTrustedError,
    StoreUnavailableError,
    UnsupportedFormatError,
)
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId, Digest
from nbcellar.pipeline import parcel
from nbcellar.pipeline.cache import Cache
from nbcellar.pipeline.dask_sharing import ByRemote
from nbcellar.pipeline.dask_task import Errand
from nbcellar.pipeline.exchange import Exchange, exchange_with
from nbcellar.pipeline.executors import Answer
from nbcellar.pipeline.model import Said, Task
from nbcellar.pipeline.performing import Performer
from nbcellar.remote.opening import open_remote
from nbcellar.store.check import check
from nbcellar.store.interface import Kind
from nbcellar.trust.decisions import TrustStore

from .dask_support import BEGIN, FOR_EVER, Cluster, error_of, in_background, indented, pipe, write
from .support import states
from .test_dask import CODE, DATA, told

pytest.importorskip("distributed")
from nbcellar.pipeline.dask_executor import Dask

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bucket(own_environment: Path) -> Iterator[Bucket]:
    with served() as made:
        yield made


@pytest.fixture(scope="module")
def cluster(bucket: Bucket, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster whose workers come to the bucket."""
    with Cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


def options(cluster: Cluster, bucket: Bucket) -> dict[str, Any]:
    return {"executor": "dask", "address": cluster.address, "remote": bucket.address}


# the same results --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sources", "policies"),
    [
        pytest.param(DATA, {"report": {"after": ["file"]}}, id="data"),
        pytest.param(CODE, {"read": {"after": ["shell"]}}, id="code"),
    ],
)
def test_results_are_those_of_the_serial_executor(
    tmp_path: Path, cluster: Cluster, bucket: Bucket, sources: dict[str, str], policies: dict[str, dict[str, Any]]
) -> None:
    found = {}
    executors: dict[str, dict[str, Any]] = {"serial": {"executor": "serial"}, "remote": options(cluster, bucket)}
    for name, how in executors.items():
        folder = tmp_path / name
        folder.mkdir()
        Repository.create(folder).close()
        (folder / "data.csv").write_text("k,x\n" + "".join(f"{n % 3},{n}\n" for n in range(90)))
        path = write(folder, sources, policies)
        done = run_pipeline(path, outputs=True, **how)
        found[name] = told(path, done)
        assert set(states(run_pipeline(path)).values()) == {"cached"}
        with opened(path) as (place, cache):
            met = [cache.last(place.notebook, id) for id in ("load", "read") if id in sources]
            files = {path for result in met if result is not None for path in result.facts.files}
            assert {"data.csv", "said.txt"} & files, "paths hold wherever the project is"
        with Repository.open(folder) as repo:
            assert check(repo.store, read_data=True).is_clean
    assert found["remote"] == found["serial"]


def test_a_worker_has_a_repository_of_its_own(folder: Path, cluster: Cluster, bucket: Bucket) -> None:
    look = "import os\nheld = [os.path.realpath(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd')]\n"
    path = write(folder, {"a": "x = 1", "b": look + "databases = [p for p in held if p.endswith('meta.db')]; x"})
    run_pipeline(path, **options(cluster, bucket))
    databases = load_results(path, "databases")["databases"]
    assert databases and not any(str(folder) in each for each in databases)


def test_what_was_made_here_before_goes_to_the_workers(folder: Path, cluster: Cluster, bucket: Bucket) -> None:
    sources = {"a": "import numpy as np\nbig = np.arange(200_000.0)", "b": "total = big.sum() + 1"}
    path = write(folder, {"a": sources["a"]})
    run_pipeline(path)
    write(folder, sources)
    done = run_pipeline(path, **options(cluster, bucket))
    assert states(done) == {"a": "cached", "b": "done"}
    assert load_results(path, "total")["total"] == sum(range(200_000)) + 1


def test_what_several_results_hold_is_there_once(folder: Path, cluster: Cluster, bucket: Bucket) -> None:
    make = "import random\ndata = random.Random(5).randbytes(900_000)"
    path = write(folder, {"a": make, "b": "copy = bytes(data)", "c": "flag = 1"})
    before = set(bucket.names())
    run_pipeline(path, **options(cluster, bucket))
    new = set(bucket.names()) - before
    assert len([name for name in new if name.startswith("pieces/")]) == 1
    assert sum(len(bucket.read(name)) for name in new) < 1_200_000
    assert not [name for name in bucket.names() if name.startswith("probes/")]


def test_what_cannot_be_stored_is_made_again(folder: Path, cluster: Cluster, bucket: Bucket) -> None:
    path = write(
        folder,
        {"n": "n = 4", "a": "import threading\nguard = [threading.Lock() for _ in range(n)]", "b": "x = len(guard)"},
    )
    assert set(states(run_pipeline(path, **options(cluster, bucket))).values()) == {"done"}
    assert load_results(path, "x")["x"] == 4


def test_a_component_of_a_killed_worker_runs_again(folder: Path, cluster: Cluster, bucket: Bucket) -> None:
    pipe(folder, "began")
    first = "import os\nif not os.path.exists('first'):\n    open('first', 'w').close()\n"
    path = write(folder, {"a": first + indented(BEGIN + FOR_EVER) + "x = 1", "b": "y = x + 1"})
    run = in_background(lambda: run_pipeline(path, **options(cluster, bucket)))
    _, worker = map(int, (folder / "began").read_text().split())
    left = psutil.Process(worker)
    os.kill(worker, signal.SIGKILL)
    assert states(run.result()) == {"a": "done", "b": "done"}
    assert psutil.wait_procs([left], timeout=30)[1] == []


# what is wrong is said ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["read", "written", "looked for"])
def test_files_that_are_others_where_it_ran_are_told(
    folder: Path, tmp_path: Path, cluster: Cluster, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The machines are one here, so this one looks at a folder of its own instead."""
    own = tmp_path / "own"
    own.mkdir()
    (folder / "data.txt").write_text("there")
    sources = {
        "read": "x = open('data.txt').read()",
        "written": "x = 1\nwith open('made.txt', 'w') as made:\n    made.write('x')",
        "looked for": "import os\nx = os.path.exists('data.txt')",
    }
    whole = Cache._whole
    monkeypatch.setattr(Cache, "_whole", lambda self, path: whole(self, path).replace(str(folder), str(own)))
    path = write(folder, {"a": sources[what], "b": "y = x", "c": "z = 1"})
    done = run_pipeline(path, **options(cluster, bucket))
    assert states(done) == {"a": "failed", "b": "blocked", "c": "done"}
    said = {
        "read": "data.txt is there and not here",
        "written": "made.txt, which it wrote, is not as it left it",
        "looked for": "data.txt is there and not here",
    }
    assert error_of(done, "a") == f"Cellar: the files where it ran are others than here: {said[what]}"


def test_a_component_that_fails_for_lack_of_a_file_there_is_told_so(
    folder: Path, tmp_path: Path, cluster: Cluster, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "data.txt").write_text("here")
    (own / "helper.py").write_text("x = 1")
    whole = Cache._whole
    monkeypatch.setattr(Cache, "_whole", lambda self, path: whole(self, path).replace(str(folder), str(own)))
    first = Cache.__init__

    def look_at_own(self: Cache, *arguments: Any) -> None:
        first(self, *arguments)
        self._real_folder = str(own)

    monkeypatch.setattr(Cache, "__init__", look_at_own)
    path = write(folder, {"a": "x = open('data.txt').read()", "b": "import helper", "c": "1 / 0"})
    done = run_pipeline(path, **options(cluster, bucket))
    said = "(the files where it ran are others than here: {} is here and not there)"
    assert error_of(done, "a").endswith(said.format("data.txt"))
    assert error_of(done, "b").endswith(said.format("the module helper"))
    assert error_of(done, "c") == "ZeroDivisionError: division by zero"


def test_a_file_that_one_before_it_writes_while_the_result_is_on_the_way_is_waited_for(
    folder: Path, cluster: Cluster, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing in the sources says that they meet in a file, so both run at once."""
    for name in ("go", "written", "end"):
        pipe(folder, name)
    name = "name = ''.join(['da', 'ta'])\n"
    first = "open('go').read()\nopen({}, 'w').close()\nopen('written', 'w').close()\nopen('end').read()"
    path = write(
        folder, {"a": first.format("''.join(['da', 'ta'])"), "b": f"import os\n{name}x = os.path.exists(name)"}
    )
    bring, told = ByRemote.bring, []

    def bring_late(self: ByRemote, commit: str) -> Future[None] | None:
        if not (folder / "data").exists():
            (folder / "go").write_text("")
            (folder / "written").read_text()
        return bring(self, commit)

    def tell(step: Any) -> None:
        told.append((step.name, step.state))
        if told[-1] in {("b", "failed"), ("b", "done")} and ("a", "done") not in told:
            (folder / "end").write_text("")

    monkeypatch.setattr(ByRemote, "bring", bring_late)
    done = run_pipeline(path, tell=tell, **options(cluster, bucket))
    assert states(done) == {"a": "done", "b": "done"}, error_of(done, "b")
    assert told.index(("b", "failed")) < told.index(("a", "done"))
    assert load_results(path, "x")["x"] is True


def test_an_environment_that_is_another_one_there_is_told(
    folder: Path, cluster: Cluster, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODE_OF_THE_TEST", "here alone")
    path = write(folder, {"a": "import os\nmode = os.environ.get('MODE_OF_THE_TEST')"})
    (step,) = run_pipeline(path, **options(cluster, bucket)).steps
    assert step.notes == ["where it ran, the environment variable MODE_OF_THE_TEST is another one than here"]


def test_a_machine_without_the_notebooks_folder_is_told(folder: Path, tmp_path: Path) -> None:
    task = Task(
        id="a", name="a", source="", said=Said(), key="0" * 64, known={}, root="", folder=str(tmp_path / "nowhere")
    )
    with Repository.open(folder) as repo, pytest.raises(InvalidInputError, match="has no folder") as raised:
        exchange_with((tmp_path / "shared").as_uri(), repo).before(repo, task)
    assert "at the same path" in raised.value.hint


def test_workers_that_do_not_come_to_the_bucket_are_told_before_anything_runs(
    folder: Path, tmp_path: Path, bucket: Bucket
) -> None:
    path = write(folder, {"a": "open('ran', 'w')"})
    wrong = "import os\nos.environ['AWS_ENDPOINT_URL'] = 'http://127.0.0.1:1'"
    quick = "\nfrom nbcellar.remote import objects\nobjects._RETRY['max_retries'] = 0"
    refused = pytest.raises(InvalidInputError, match=f"does not come to {bucket.address}")
    with Cluster(tmp_path / "cluster", 1, first=wrong + quick) as cluster, refused as raised:
        run_pipeline(path, **options(cluster, bucket))
    assert "credentials" in raised.value.hint
    assert not (folder / "ran").exists()


def test_a_bucket_that_is_away_is_told_before_anything_runs(folder: Path, cluster: Cluster) -> None:
    path = write(folder, {"a": "open('ran', 'w')"})
    with pytest.raises(StoreUnavailableError, match="s3://nobody-made-this"):
        run_pipeline(path, executor="dask", address=cluster.address, remote="s3://nobody-made-this/x")
    assert not (folder / "ran").exists()


def test_a_remote_is_for_dask(folder: Path) -> None:
    with pytest.raises(InvalidInputError, match="for Dask's workers"):
        run_pipeline(write(folder, {"a": "x = 1"}), remote="s3://bucket/x")


def test_a_bucket_that_was_emptied_is_filled_again(folder: Path, cluster: Cluster, bucket: Bucket) -> None:
    path = write(folder, {"a": "x = 'gone in between'"})
    before = set(bucket.names())
    run_pipeline(path, **options(cluster, bucket))
    gone = set(bucket.names()) - before
    assert gone
    for name in gone:
        bucket.remove(name)
    write(folder, {"a": "x = 'gone in between'", "b": "y = x, 1"})
    assert states(run_pipeline(path, **options(cluster, bucket))) == {"a": "cached", "b": "done"}
    assert load_results(path, "y")["y"] == ("gone in between", 1)


def test_what_went_from_the_bucket_too_early_is_told(folder: Path, tmp_path: Path, sent: tuple[Path, CommitId]) -> None:
    remote, commit = sent
    for path in (remote / "pieces").rglob("*"):
        if path.is_file():
            path.unlink()
    with another(folder, tmp_path) as repo:
        with pytest.raises(StoreUnavailableError, match="has no pieces/"):
            exchange_with(remote.as_uri(), repo).fetch(repo, commit)
        assert not repo.store.has(Digest(commit))


def test_a_piece_that_went_before_its_parcel_is_sent_again(
    folder: Path, tmp_path: Path, sent: tuple[Path, CommitId]
) -> None:
    """A bucket's rule takes away what is old: a piece that an older result left goes before a younger parcel."""
    remote, commit = sent
    for path in (remote / "pieces").rglob("*"):
        if path.is_file():
            path.unlink()
    with Repository.open(folder) as repo:
        exchange_with(remote.as_uri(), repo).send(repo, commit)
    with another(folder, tmp_path) as repo:
        exchange_with(remote.as_uri(), repo).fetch(repo, commit)
        assert check(repo.store, read_data=True).is_clean


def test_many_small_values_lie_beside_the_parcel(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcel, "MOST_INLINE_BYTES", 300_000)
    make = "import random\nparts = random.Random(5)\n" + "".join(f"v{n} = parts.randbytes(100_000)\n" for n in range(5))
    commit = CommitId(bytes.fromhex(str(run_pipeline(write(folder, {"a": make})).steps[0].result)))
    remote = tmp_path / "remote"
    with Repository.open(folder) as repo, another(folder, tmp_path) as other:
        exchange_with(remote.as_uri(), repo).send(repo, commit)
        assert next((remote / "results").rglob(commit.hex())).stat().st_size < 330_000
        exchange_with(remote.as_uri(), other).fetch(other, commit)
        assert check(other.store, read_data=True).is_clean


def test_runs_of_other_projects_or_settings_share_nothing(tmp_path: Path) -> None:
    """Two people may have their projects at the same path, each on a machine of their own."""
    dask = object.__new__(Dask)
    dask._submitted = set()
    task = Task(
        id="a", name="a", source="", said=Said(), key="0" * 64, known={}, root="/p", folder="/p", remote="s3://b/c"
    )
    keys = [
        dask._key(Errand(task=task, run=run, project=project, settings=settings))
        for run, project, settings in (("1", "x", b""), ("2", "x", b""), ("3", "y", b""), ("4", "x", b"[record]"))
    ]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_what_is_told_twice_while_its_result_is_on_the_way_is_not_waited_for() -> None:
    """Dask says that a task is done by an event and by its future; meanwhile others may reach their time limits."""

    class OnTheWay(Future[None]):
        def result(self, timeout: float | None = None) -> None:
            raise AssertionError("this would wait")

    dask = object.__new__(Dask)
    task = Task(id="a", name="a", source="", said=Said(), key="0" * 64, known={}, root="", folder="")
    dask._coming = {"key": (Answer(task=task), OnTheWay())}
    assert dask._answers("key") == []
    assert "key" in dask._coming


# parcels that somebody changed -------------------------------------------------------------------------------------


@pytest.fixture
def sent(folder: Path, tmp_path: Path) -> tuple[Path, CommitId]:
    """A result in a folder as remote, and its commit."""
    path = write(folder, {"a": "import random\ndata = random.Random(5).randbytes(600_000)\nlabel = 'a label'"})
    done = run_pipeline(path)
    commit = CommitId(bytes.fromhex(str(done.steps[0].result)))
    remote = tmp_path / "remote"
    with Repository.open(folder) as repo:
        exchange_with(remote.as_uri(), repo).send(repo, commit)
    return remote, commit


def another(folder: Path, tmp_path: Path, name: str = "another") -> Repository:
    from nbcellar.store.local import LocalStore

    root = tmp_path / name
    root.mkdir()
    with Repository.open(folder) as repo:
        LocalStore.create(root / ".cellar", project=repo.project).close()
    return Repository.open(root)


def test_a_result_is_fetched_once_and_whole(folder: Path, tmp_path: Path, sent: tuple[Path, CommitId]) -> None:
    remote, commit = sent
    with another(folder, tmp_path) as repo:
        exchange = exchange_with(remote.as_uri(), repo)
        exchange.fetch(repo, commit)
        exchange.fetch(repo, commit)
        assert check(repo.store, read_data=True).is_clean
        assert len(repo.store.refs(None, "branch/").values()) == 1
        label = [entry for entry in repo.read_state(commit).covariables if "label" in entry.names]
        assert len(label) == 1


def test_no_changed_byte_is_taken(folder: Path, tmp_path: Path, sent: tuple[Path, CommitId]) -> None:
    remote, commit = sent
    files = [path for path in remote.rglob("*") if path.is_file()]
    assert len(files) > 1, "large objects lie beside the parcel"
    with another(folder, tmp_path) as repo:
        for path in files:
            whole = path.read_bytes()
            step = max(len(whole) // 60, 1)
            for changed in (
                *(whole[:n] + bytes([whole[n] ^ 1]) + whole[n + 1 :] for n in range(0, len(whole), step)),
                *(whole[:n] for n in range(0, len(whole), 7 * step)),
                whole + b"\0",
            ):
                path.write_bytes(changed)
                with pytest.raises((CorruptStoreError, UnsupportedFormatError)) as raised:
                    exchange_with(remote.as_uri(), repo).fetch(repo, commit)
                assert remote.as_uri() in raised.value.message or raised.type is UnsupportedFormatError
                assert not repo.store.has(Digest(commit))
            path.write_bytes(whole)
        exchange_with(remote.as_uri(), repo).fetch(repo, commit)
        assert check(repo.store, read_data=True).is_clean


def test_a_result_of_somebody_who_is_not_trusted_is_not_taken(
    folder: Path, tmp_path: Path, sent: tuple[Path, CommitId]
) -> None:
    remote, commit = sent
    with another(folder, tmp_path) as repo:
        with pytest.raises(NotTrustedError, match="was signed by"):
            Exchange(open_remote(remote.as_uri()), lambda key: False).fetch(repo, commit)
        assert not repo.store.has(Digest(commit))


def test_whom_a_worker_trusts_is_asked_for_each_project(tmp_path: Path) -> None:
    """A process of a worker runs components of several projects, one after the other."""
    key = b"k" * 32
    remote = (tmp_path / "remote").as_uri()
    task = Task(id="a", name="a", source="", said=Said(), key="0" * 64, known={}, root="", folder="", remote=remote)
    performer = object.__new__(Performer)
    performer._exchanges, performer._environ = {}, os.environ
    found = {}
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        with Repository.create(tmp_path / name) as repo:
            if name == "one":
                TrustStore(config.user_folder(os.environ)).add(repo.project, key, now_ns=1)
            shared = performer._shared_by(task, repo)
            assert shared is not None
            found[name] = shared._is_trusted(key)
    assert found == {"one": True, "other": False}


def test_nothing_is_unpacked_that_the_signed_commit_does_not_need(
    folder: Path, tmp_path: Path, sent: tuple[Path, CommitId], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zeros take no room until they are unpacked: thousands of parts would fill the memory of all who read them."""
    remote, commit = sent
    path = next((remote / "results").rglob(commit.hex()))
    found = msgspec.msgpack.decode(path.read_bytes(), type=parcel.Parcel)
    zeros = bytes(1_000_000)
    more = parcel.Part(blake3(zeros).digest(), Kind.BLOCK, parcel.packed(Kind.BLOCK, zeros))
    met = []
    whole = parcel.unpacked
    monkeypatch.setattr(parcel, "unpacked", lambda kind, digest, data: met.append(digest) or whole(kind, digest, data))
    for parts in ((more, *found.parts), (*found.parts, found.parts[0])):
        with pytest.raises(CorruptStoreError, match="does not come with what it consists of"):
            parcel.unpack(commit, msgspec.structs.replace(found, parts=parts))
    assert more.digest not in met


@pytest.mark.parametrize("what", ["lacks", "has more", "another kind", "newer"])
def test_a_parcel_that_is_not_its_result_is_refused(
    folder: Path, tmp_path: Path, sent: tuple[Path, CommitId], what: str
) -> None:
    """Somebody who is trusted, or an error of ours: all digests and the signature hold."""
    remote, commit = sent
    path = next((remote / "results").rglob(commit.hex()))
    found = msgspec.msgpack.decode(path.read_bytes(), type=parcel.Parcel)
    small = found.parts
    more = parcel.Piece((b"\x01" * 32,))
    other = msgspec.structs.replace(small[0], kind=9 if small[0].kind != 9 else 6)
    changes = {
        "lacks": {"parts": tuple(part for part in found.parts if part is not small[0])},
        "has more": {"pieces": (*found.pieces, more)},
        "another kind": {"parts": (other, *(part for part in found.parts if part is not small[0]))},
        "newer": {"format": 2},
    }
    path.write_bytes(msgspec.msgpack.encode(msgspec.structs.replace(found, **changes[what])))
    expected = UnsupportedFormatError if what == "newer" else (CorruptStoreError, StoreUnavailableError)
    with another(folder, tmp_path) as repo:
        with pytest.raises(expected):
            exchange_with(remote.as_uri(), repo).fetch(repo, commit)
        assert not repo.store.has(Digest(commit))
