"""Several processes, forks, full disks, and the order of system calls. `tests/faults/` kills and cuts the power."""

from __future__ import annotations

import errno
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from blake3 import blake3

from nbcellar.errors import ConflictError, StoreUnavailableError
from nbcellar.ids import Digest
from nbcellar.store.check import check
from nbcellar.store.collect import collect
from nbcellar.store.interface import Kind
from nbcellar.store.local import LocalStore

# Commits for ever: a large and a small object, a ref of its own, a record; prints the number of each finished commit.
WRITER = """
import random, sys
from pathlib import Path
from nbcellar.store.interface import Kind
from nbcellar.store.local import LocalStore
folder, name, start, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with LocalStore.open(folder) as store:
    for i in range(start, start + count):
        with store.begin() as transaction:
            large = transaction.put(Kind.BLOCK, random.Random(f"{name} {i}").randbytes(70_000))
            head = transaction.put(Kind.COMMIT, f"{name} {i}".encode() * 10)
            transaction.put(Kind.VALUE, b"shared %d" % i)
            transaction.sign(head, b"k" * 32, b"s" * 64)
            transaction.set_ref("", f"{name}/{i}", old=None, new=head)
            transaction.append(name, b"%d" % i)
            transaction.commit()
        print(i, flush=True)
"""


def start_writer(folder: Path, name: str, start: int = 0, count: int = 10**9) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), name, str(start), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def assert_committed(store: LocalStore, name: str, number: int) -> None:
    head = store.ref("", f"{name}/{number}")
    assert head is not None, (name, number)
    assert store.read(Digest(head)) == f"{name} {number}".encode() * 10
    large = random.Random(f"{name} {number}").randbytes(70_000)
    assert store.read(Digest(blake3(large).digest())) == large
    assert store.signatures(Digest(head)) == [(b"k" * 32, b"s" * 64)]


def test_processes_that_write_at_once_lose_nothing(folder: Path) -> None:
    LocalStore.create(folder).close()
    writers = {name: start_writer(folder, name, count=25) for name in "abcd"}
    with LocalStore.open(folder) as store:
        while any(process.poll() is None for process in writers.values()):
            assert all(store.has(Digest(value)) for value in store.refs().values())
            store.write_log_pack()
            time.sleep(0.02)
        for name, process in writers.items():
            output, errors = process.communicate()
            assert errors == ""
            assert len(output.split()) == 25
            for number in range(25):
                assert_committed(store, name, number)
        assert [record.number for record in store.records()] == list(range(100, 0, -1))
        assert check(store, read_data=True).is_clean


def test_one_of_two_processes_that_move_a_ref_gets_a_conflict(folder: Path) -> None:
    with LocalStore.create(folder) as one, LocalStore.open(folder) as other:
        first, second = one.begin(), other.begin()
        first.set_ref("", "main", old=None, new=b"1")
        second.set_ref("", "main", old=None, new=b"2")
        first.commit()
        with pytest.raises(ConflictError):
            second.commit()
        second.abort()
        assert other.ref("", "main") == b"1"


def in_child(action: object) -> int:
    """Run `action` in a forked child and return its exit code."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = action() or 0  # type: ignore[operator]
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_uses_the_store_beside_its_parent(store: LocalStore, folder: Path) -> None:
    def commit(name: str) -> None:
        with store.begin() as transaction:
            transaction.put(Kind.BLOCK, random.Random(name).randbytes(70_000))
            transaction.set_ref("", name, old=None, new=b"1")
            transaction.commit()

    def commit_in_child() -> int:
        if store._pool._idle:  # SQLite's locks are not inherited, but its belief in them is
            return 7
        commit("child")
        return 0

    commit("parent")
    assert in_child(commit_in_child) == 0
    commit("parent again")
    assert sorted(name for _, name in store.refs()) == ["child", "parent", "parent again"]
    assert check(store, read_data=True).is_clean


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_leaves_its_parents_transaction_alone(store: LocalStore, folder: Path) -> None:
    data = os.urandom(100_000)
    with store.begin() as transaction:
        digest = transaction.put(Kind.BLOCK, data)
        transaction.set_ref("", "main", old=None, new=digest)

        def use() -> int:
            for method in (transaction.commit, lambda: transaction.put(Kind.BLOCK, b"x")):
                try:
                    method()
                    return 3
                except StoreUnavailableError:
                    pass
            transaction.abort()
            return 0

        assert in_child(use) == 0
        assert len(list((folder / "tmp").iterdir())) == 1
        with pytest.raises(StoreUnavailableError, match="writing"), pytest.MonkeyPatch.context() as patch:
            patch.setattr("nbcellar.store.collect._LOCK_TIMEOUT_S", 0.02)
            collect(store, set, now_ns=0)
        transaction.commit()
    assert store.read(digest) == data


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_lock_ends_with_its_owner_though_a_child_lives_on(store: LocalStore) -> None:
    with store.begin() as transaction:
        transaction.put(Kind.BLOCK, b"x")
        child = os.fork()
        if child == 0:
            signal.pause()
            os._exit(0)
        transaction.commit()
    try:
        collect(store, set, now_ns=0)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_fork_waits_for_a_thread_that_is_writing(store: LocalStore) -> None:
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with store.begin() as transaction:
                transaction.append("", b"x")
                transaction.commit()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(10):
            assert in_child(lambda: 0 if store.ref("", "none") is None else 1) == 0
    finally:
        stop.set()
        thread.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_that_was_forked_amid_a_use_of_the_database_says_so(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nbcellar.store.connections._FORK_WAIT_S", 0.01)

    def use() -> int:
        try:
            store.refs()
        except StoreUnavailableError as error:
            return 0 if "spawn" in error.hint else 2
        return 3

    with store.connection():
        assert in_child(use) == 0
    assert store.refs() == {}


FULL_DISK = """
import os, resource, signal, sys
from pathlib import Path
from nbcellar.errors import StoreUnavailableError
from nbcellar.store.interface import Kind
from nbcellar.store.local import LocalStore
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder, what, limit = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
store = LocalStore.open(folder)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
failed = done = 0
while not failed:
    try:
        with store.begin() as transaction:
            if what == "packs":
                transaction.put(Kind.BLOCK, os.urandom(500_000))
            else:
                for _ in range(20):
                    transaction.put(Kind.BLOCK, os.urandom(20_000))
            transaction.append("", b"x")
            transaction.commit()
        done += 1
    except StoreUnavailableError as error:
        failed += 1
        assert str(folder) in str(error), error
        assert error.hint, error
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert len(store.records()) == done, (store.records(), done)
with store.begin() as transaction:
    transaction.put(Kind.BLOCK, os.urandom(500_000))
    transaction.append("", b"x")
    transaction.commit()
print(done + 1)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
@pytest.mark.parametrize(("what", "limit"), [("packs", 200_000), ("packs", 64), ("rows", 3_000_000)])
def test_a_full_disk_is_an_error_and_the_store_stays_sound(folder: Path, what: str, limit: int) -> None:
    LocalStore.create(folder).close()
    command = [sys.executable, "-c", FULL_DISK, str(folder), what, str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with LocalStore.open(folder) as store:
        assert len(store.records()) == int(done.stdout)
        assert check(store, read_data=True).is_clean
    assert list((folder / "tmp").iterdir()) == []


@pytest.mark.parametrize("call", ["write", "fsync", "rename", "open"])
def test_a_failing_system_call_leaves_the_old_state_or_the_new_one(
    store: LocalStore, folder: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Fail the n-th call of a sort for every n until a commit succeeds."""
    failures = _Failures(call)
    patched = Path if call == "rename" else os
    original = getattr(patched, call)
    monkeypatch.setattr(patched, call, failures.around(original))
    for n in range(1, 30):
        name = f"heads/{n}"
        failures.fail_at(n)
        transaction = store.begin()
        try:
            large = transaction.put(Kind.BLOCK, random.Random(n).randbytes(70_000))
            transaction.set_ref("", name, old=None, new=large)
            transaction.commit()
        except StoreUnavailableError as error:
            assert error.errno == errno.EIO
            failures.fail_at(0)
            transaction.abort()
            assert store.ref("", name) is None
            assert not store.has(Digest(blake3(random.Random(n).randbytes(70_000)).digest()))
        else:
            failures.fail_at(0)
            assert store.read(large) == random.Random(n).randbytes(70_000)
            break
        assert list((folder / "tmp").iterdir()) == []
        assert failures.same_file_twice == 0
        assert check(store, read_data=True).is_clean
    else:
        pytest.fail("the commit never succeeded")
    assert n > 1


class _Failures:
    """Makes the n-th call fail with EIO, and counts calls on a file whose fsync failed before."""

    def __init__(self, call: str) -> None:
        self._call = call
        self._left = 0
        self._failed: set[int] = set()
        self.same_file_twice = 0

    def fail_at(self, n: int) -> None:
        self._left = n
        self._failed.clear()

    def around(self, original: object) -> object:
        def call(*args: object, **named: object) -> object:
            if self._call == "fsync" and self._left >= 0 and args[0] in self._failed:
                self.same_file_twice += 1
            if self._left:
                self._left -= 1
                if not self._left:
                    if self._call == "fsync":
                        self._failed.add(args[0])  # type: ignore[arg-type]
                    raise OSError(errno.EIO, "Input/output error")
            return original(*args, **named)  # type: ignore[operator]

        return call


ONE_COMMIT = """
import os, sys
from pathlib import Path
from nbcellar.store.interface import Kind
from nbcellar.store.local import LocalStore
store = LocalStore.open(Path(sys.argv[1]))
with store.begin() as transaction:  # so that the WAL is there, with its header
    transaction.append("", b"x")
    transaction.commit()
os.write(1, b"BEGIN\\n")
with store.begin() as transaction:
    for _ in range(3):
        transaction.put(Kind.BLOCK, os.urandom(int(sys.argv[2])))
    transaction.append("", b"x")
    transaction.commit()
os.write(1, b"ACK\\n")
os._exit(0)
"""
CALLS = "write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,openat,flock"


def trace_of_one_commit(folder: Path, size: int) -> list[str]:
    """Return the durable steps of one commit, in order, in words."""
    out = folder.parent / "trace"
    command = ["strace", "-f", "-y", "-e", f"trace={CALLS}", "-o", str(out), sys.executable, "-c", ONE_COMMIT]
    done = subprocess.run([*command, str(folder), str(size)], capture_output=True, text=True, check=False)
    if "ptrace" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr
    text = out.read_text()
    lines = text[text.index("BEGIN") : text.rindex("ACK")].splitlines()
    steps = [step for step in (_step(line) for line in lines) if step]
    return [step for i, step in enumerate(steps) if i == 0 or step != steps[i - 1]]


def _step(line: str) -> str | None:
    for pattern, step in STEPS:
        if re.search(pattern, line):
            return step
    return None


STEPS = [
    (r"flock\(\d+<\S+/gc\.lock>, LOCK_SH", "lock"),
    (r"\bwrite\(\d+<\S+/tmp/\S+\.pack>", "write pack"),
    (r"fsync\(\d+<\S+/tmp/\S+\.pack>", "sync pack"),
    (r"rename\w*\(.*/tmp/.*/packs/", "name pack"),
    (r"fsync\(\d+<\S+/packs>", "sync packs folder"),
    (r"fsync\(\d+<\S+/packs/\w\w>", "sync pack's folder"),
    (r"pwrite64\(\d+<\S+/meta\.db-wal>", "write WAL"),
    (r"f(data)?sync\(\d+<\S+/meta\.db-wal>", "sync WAL"),
    (r"flock\(\d+<\S+/gc\.lock>, LOCK_UN", "unlock"),
    (r"(f(data)?sync|rename\w*|pwrite64)\(", "another durable call"),
]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_the_system_calls_of_a_commit_come_in_the_order_that_no_crash_can_spoil(folder: Path) -> None:
    LocalStore.create(folder).close()
    steps = trace_of_one_commit(folder, 100_000)
    assert [step for step in steps if step != "sync packs folder"] == [
        "lock",
        "write pack",
        "sync pack",
        "name pack",
        "sync pack's folder",
        "write WAL",
        "sync WAL",
        "unlock",
    ]
    if "sync packs folder" in steps:
        assert steps.index("sync packs folder") < steps.index("name pack")


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_small_commit_syncs_the_wal_and_nothing_else(folder: Path) -> None:
    LocalStore.create(folder).close()
    steps = trace_of_one_commit(folder, 300)
    assert steps == ["lock", "write WAL", "sync WAL", "unlock"]
