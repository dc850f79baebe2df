"""A bucket of an object store as a remote: S3 and what speaks like it, Google's, Azure's. Needs the extra `remote`.

Credentials and endpoints come from where obstore looks for them: the environment (`AWS_ACCESS_KEY_ID`,
`AWS_ENDPOINT_URL`, ...) or the role of the machine; and from boto3, where that is installed, for profiles. Nothing of
them is kept or shown.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from nbcellar.errors import CellarError, CorruptStoreError, InvalidInputError, NotFoundError, StoreUnavailableError
from nbcellar.remote.calls import Calls
from nbcellar.remote.interface import checked

try:
    import obstore
    from obstore import store as stores
    from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
except ImportError:
    raise CellarError("no object store can be used here", hint="pip install 'nbcellar[remote]'") from None

_RETRY = {"max_retries": 10, "retry_timeout": timedelta(seconds=20)}
"""Some 15 s in all: a bucket that is asked for too much at once says so for seconds."""
_CLIENT = {"timeout": "120s", "connect_timeout": "5s"}
_ANSWER = {"read_timeout": "20s"}
"""How long nothing may come. Of what is sent it would bound the whole, so large objects are sent without it."""
_SMALL_BYTES = 65_536
_LONGEST_REASON = 300
_SAID = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_SKIP_SIGNATURE",
)


class ObjectStore:
    """A remote below a prefix in a bucket."""

    def __init__(self, address: str, environ: Mapping[str, str] = os.environ) -> None:
        """Raises InvalidInputError for an address that names none; nothing is asked of it yet."""
        self._address = address.rstrip("/")
        self._calls = Calls()
        try:
            made: Any = stores.from_url
            client, who = _client_options(environ), _credentials(address, environ)
            self._store: Any = made(self._address, client_options=client | _ANSWER, retry_config=_RETRY, **who)
            self._patient: Any = made(self._address, client_options=client, retry_config=_RETRY, **who)
        except (BaseError, ValueError, TypeError) as error:
            raise InvalidInputError(f"{address} names no object store: {_reason(error)}") from error

    @property
    def address(self) -> str:
        return self._address

    def read(self, name: str, *, most: int) -> bytes:
        def read() -> bytes:
            found = obstore.get(self._store, path)
            if found.meta["size"] > most:
                raise CorruptStoreError(f"{name} in {self.address} is larger than it can be")
            return bytes(found.bytes())

        path = checked(name)
        with self._about(name):
            return self._calls.run(read)

    def write(self, name: str, data: bytes) -> None:
        path, store = checked(name), self._store if len(data) <= _SMALL_BYTES else self._patient
        with self._about(name):
            self._calls.run(lambda: obstore.put(store, path, data))

    def size_of(self, name: str) -> int | None:
        def size_of() -> int | None:
            try:
                return int(obstore.head(self._store, path)["size"])
            except PermissionDeniedError:  # said of what is not there to who may not list the bucket
                return None

        path = checked(name)
        try:
            with self._about(name):
                return self._calls.run(size_of)
        except NotFoundError:
            return None

    def remove(self, name: str) -> None:
        path = checked(name)
        with contextlib.suppress(NotFoundError), self._about(name):
            self._calls.run(lambda: obstore.delete(self._store, path))

    def close(self) -> None:
        self._calls.end()

    @contextlib.contextmanager
    def _about(self, name: str) -> Iterator[None]:
        try:
            yield
        except CellarError:
            raise
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise StoreUnavailableError(
                    f"there is no bucket at {self.address}", hint="make it, or see its name"
                ) from None
            raise NotFoundError(f"{self.address} has no {name}") from None
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise StoreUnavailableError(
                f"{self.address} refuses: {_reason(error)}",
                hint="see the credentials in the environment, as AWS_ACCESS_KEY_ID",
            ) from error
        except (BaseError, OSError) as error:
            raise StoreUnavailableError(
                f"{self.address} cannot be used: {_reason(error)}",
                hint="see its address, the network and the credentials in the environment",
            ) from error


def _client_options(environ: Mapping[str, str]) -> dict[str, Any]:
    """A plain http:// endpoint, as that of a store on this machine, has been chosen by whoever wrote it."""
    endpoints = (value for key, value in environ.items() if key.upper().startswith("AWS_ENDPOINT"))
    return _CLIENT | ({"allow_http": True} if any(each.startswith("http://") for each in endpoints) else {})


def _credentials(address: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what reads profiles, where nothing in the environment says who one is and boto3 is there."""
    if not address.startswith(("s3:", "s3a:")) or any(key in environ for key in _SAID):
        return {}
    try:
        boto3 = importlib.import_module("boto3")
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        return {}
    try:
        session = boto3.Session()
        return {"credential_provider": Boto3CredentialProvider(session)} if session.get_credentials() else {}
    except Exception as error:  # of botocore, which has many
        raise InvalidInputError(
            f"boto3 finds no credentials for {address}: {_reason(error)}", hint="see AWS_PROFILE and ~/.aws"
        ) from error


def _reason(error: BaseException) -> str:
    """Return the first line of an error, without what obstore tells its developers."""
    text = str(error).strip().split("\n", 1)[0]
    text = re.sub(r"(?i)([?&](?:x-amz-[a-z-]+|sig|se|sp|token)=)[^&\s\"]+", r"\1...", text)
    return text[:_LONGEST_REASON] or type(error).__name__


__all__ = ["ObjectStore"]
