"""Remotes: what is written is read, by whichever kind; what is wrong is said, and nothing secret with it."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
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


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailableError, match="cannot be used"):
        open_remote((tmp_path / "file").as_uri()).write("a", b"")


def test_without_obstore_the_error_says_how_to_get_it() -> None:
    code = (
        "import sys; sys.modules['obstore'] = None\n"
        "from nbcellar.errors import CellarError\nfrom nbcellar.remote.opening import open_remote\n"
        "try: open_remote('s3://bucket/folder')\nexcept CellarError as error: print(error.hint)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "nbcellar[remote]" in done.stdout
    assert issubclass(InvalidInputError, CellarError)
