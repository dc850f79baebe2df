"""Remotes: what is written is read, by whichever kind; what is wrong is said, and nothing secret with it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.object_store import Bucket, served

from nbcellar.errors import CellarError, CorruptStoreError, InvalidInputError, NotFoundError, StoreUnavailableError
from nbcellar.remote.interface import Remote
from nbcellar.remote.opening import open_remote


@pytest.fixture(scope="module")
def bucket(own_environment: Path) -> Iterator[Bucket]:
    with served() as made:
        yield made


@pytest.fixture(params=["folder", "bucket"])
def remote(request: pytest.FixtureRequest, tmp_path: Path, bucket: Bucket) -> Remote:
    if request.param == "folder":
        return open_remote((tmp_path / "sha red").as_uri())
    return open_remote(f"s3://{bucket.name}/{tmp_path.name.replace('_', '-')}")


def test_what_is_written_is_read(remote: Remote) -> None:
    for data in (b"", b"one", bytes(range(256)) * 4000):
        remote.write("a/1/name", data)
        assert remote.read("a/1/name", most=len(data)) == data
        assert remote.size_of("a/1/name") == len(data)
    remote.remove("a/1/name")
    remote.remove("a/1/name")
    assert remote.size_of("a/1/name") is None
    with pytest.raises(NotFoundError, match="a/1/name"):
        remote.read("a/1/name", most=1)


def test_no_more_is_read_than_was_asked_for(remote: Remote) -> None:
    remote.write("large", bytes(1000))
    with pytest.raises(CorruptStoreError, match="larger than it can be"):
        remote.read("large", most=999)


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", "../a", "a/../b", "A", "a b", "a\\b", "a\0", "ä"])
def test_a_name_that_could_lead_elsewhere_is_refused(remote: Remote, name: str) -> None:
    for ask in (lambda: remote.read(name, most=1), lambda: remote.write(name, b""), lambda: remote.remove(name)):
        with pytest.raises(InvalidInputError, match="is no name in a remote"):
            ask()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "bucket",
        "s3://",
        "s4://bucket",
        "http://host/bucket",
        "file://host/folder",
        "file:///",
        "memory:///",
        "s3:bucket",
        "s3://[bucket",
        "s3://bucket/a\nb",
        "file:///fol%00der",
    ],
)
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        open_remote(address)
    assert "s3://BUCKET/FOLDER" in raised.value.hint


@pytest.mark.parametrize("address", ["s3://me:hidden@bucket/folder", "s3://bucket/folder?token=hidden"])
def test_an_address_with_credentials_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(InvalidInputError, match="no credentials") as raised:
        open_remote(address)
    assert "hidden" not in raised.value.message + raised.value.hint


def test_a_bucket_that_is_not_there(bucket: Bucket) -> None:
    remote = open_remote("s3://nobody-made-this/folder")
    for ask in (lambda: remote.read("a", most=1), lambda: remote.write("a", b"")):
        with pytest.raises(StoreUnavailableError, match="s3://nobody-made-this/folder"):
            ask()


def test_a_server_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    from nbcellar.remote import objects

    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        monkeypatch.setitem(objects._RETRY, "max_retries", 1)
        with pytest.raises(StoreUnavailableError, match="s3://bucket/folder cannot be used") as raised:
            open_remote("s3://bucket/folder").read("a", most=1)
    assert "hidden" not in raised.value.message


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A server that takes connections and never answers; the environment leads to it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.getsockname()[1]}",
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": "hidden",
            "AWS_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        yield server


def test_a_server_that_never_answers_is_told(silent: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbcellar.remote import objects

    monkeypatch.setitem(objects._ANSWER, "read_timeout", "300ms")
    monkeypatch.setitem(objects._RETRY, "max_retries", 0)
    remote = open_remote("s3://bucket/folder")
    for ask in (lambda: remote.read("a", most=1), lambda: remote.write("a", b""), lambda: remote.size_of("a")):
        with pytest.raises(StoreUnavailableError, match="cannot be used"):
            ask()


def test_who_waits_for_a_server_can_be_interrupted_and_can_go(silent: socket.socket) -> None:
    """Ctrl-C in the command; then the process ends, whatever other threads wait for."""
    code = (
        "import threading\nfrom nbcellar.remote.opening import open_remote\nremote = open_remote('s3://bucket/folder')\n"
        "def send():\n"
        "    try: remote.write('large', bytes(100_000))\n"
        "    except Exception as error: print(error, flush=True)\n"
        "waiting = threading.Thread(target=send)\nwaiting.start()\n"
        "try: remote.read('a', most=1)\nexcept KeyboardInterrupt: print('interrupted', flush=True)\n"
        "remote.close()\nwaiting.join()\n"
    )
    # A shell's background job, as a test may be, has SIGINT ignored, and Python leaves that.
    first = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    with subprocess.Popen([sys.executable, "-c", first + code], stdout=subprocess.PIPE, text=True) as process:
        held = [silent.accept()[0] for _ in range(2)]
        process.send_signal(signal.SIGINT)
        assert process.communicate()[0] == "interrupted\nit was ended while it waited for the network\n"
        assert process.returncode == 0
        for each in held:
            each.close()


def test_who_may_not_list_the_bucket_can_use_it(silent: socket.socket) -> None:
    """S3 answers them 403 instead of 404."""
    asked = []

    def answer() -> None:
        for status in ("403 Forbidden", "200 OK", "403 Forbidden"):
            with silent.accept()[0] as connection:
                asked.append(connection.recv(10_000).split(b" ")[0])
                connection.sendall(
                    f"HTTP/1.1 {status}\r\nETag: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
                )

    with ThreadPoolExecutor(1) as pool:
        answered = pool.submit(answer)
        remote = open_remote("s3://bucket/folder")
        assert remote.size_of("a") is None
        remote.write("a", b"")
        with pytest.raises(StoreUnavailableError, match="refuses"):
            remote.write("a", b"")
        answered.result()
    assert asked == [b"HEAD", b"PUT", b"PUT"]


def test_a_profile_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("boto3")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.setenv("AWS_PROFILE", "nobody-made-this")
    with pytest.raises(InvalidInputError, match="nobody-made-this"):
        open_remote("s3://bucket/folder")


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailableError, match="cannot be used"):
        open_remote((tmp_path / "file").as_uri()).write("a", b"")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="only where folders cannot be made below /proc")
def test_a_folder_that_cannot_be_made() -> None:
    with pytest.raises(StoreUnavailableError, match="file:///proc/nowhere cannot be made"):
        open_remote("file:///proc/nowhere").write("a/b", b"")


def test_without_obstore_the_error_says_how_to_get_it() -> None:
    code = (
        "import sys; sys.modules['obstore'] = None\n"
        "from nbcellar.errors import CellarError\nfrom nbcellar.remote.opening import open_remote\n"
        "try: open_remote('s3://bucket/folder')\nexcept CellarError as error: print(error.hint)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "nbcellar[remote]" in done.stdout
    assert issubclass(InvalidInputError, CellarError)
