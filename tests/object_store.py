"""An S3 server on this machine, in a process of its own, with its credentials in the environment."""

from __future__ import annotations

import contextlib
import secrets
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

stores = pytest.importorskip("obstore.store")  # has no version for Python 3.10

SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(*server.get_host_and_port(), flush=True)
sys.stdin.read()
server.stop()
"""


class Bucket:
    """An empty bucket."""

    def __init__(self, endpoint: str) -> None:
        self.name = f"bucket-{secrets.token_hex(4)}"
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{self.name}", method="PUT"), timeout=30).close()

    @property
    def address(self) -> str:
        return f"s3://{self.name}/shared"

    def names(self) -> list[str]:
        """Return the names of all that is in it, below the prefix."""
        return sorted(str(each["path"]) for each in self._objects.list().collect())

    def read(self, name: str) -> bytes:
        return bytes(self._objects.get(name).bytes())

    def remove(self, name: str) -> None:
        self._objects.delete(name)

    @property
    def _objects(self) -> Any:
        return stores.S3Store(self.name, prefix="shared", client_options={"allow_http": True})


@contextlib.contextmanager
def served() -> Iterator[Bucket]:
    """Start a server and have the environment lead to it."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process, pytest.MonkeyPatch.context() as patch:
        assert process.stdout is not None
        host, port = process.stdout.readline().split()
        endpoint = f"http://{host}:{port}"
        for name, value in {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": "a secret of somebody's",
            "AWS_REGION": "us-east-1",
        }.items():
            patch.setenv(name, value)
        try:
            yield Bucket(endpoint)
        finally:
            process.kill()
