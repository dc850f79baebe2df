"""From an address to a remote."""

from __future__ import annotations

import urllib.parse
from pathlib import Path

from nbcellar.errors import InvalidInputError
from nbcellar.remote.interface import Remote

OBJECT_STORES = ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl")
_FORMS = "an address is like s3://BUCKET/FOLDER, gs://BUCKET/FOLDER, az://CONTAINER/FOLDER or file:///FOLDER"


def open_remote(address: str) -> Remote:
    """Return the remote at an address; nothing is asked of it yet. Raises InvalidInputError for what is none."""
    try:
        parts = urllib.parse.urlsplit(address)
    except ValueError:
        raise InvalidInputError(f"{address!r} is no address of a remote", hint=_FORMS) from None
    if not urllib.parse.unquote(address).isprintable():
        raise InvalidInputError(f"{address!r} is no address of a remote: it has control characters", hint=_FORMS)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InvalidInputError(
            "an address of a remote holds no credentials or options", hint="they are taken from the environment"
        )
    if parts.scheme == "file":
        path = Path(urllib.parse.unquote(parts.path))
        if parts.netloc not in ("", "localhost") or not path.is_absolute() or path == Path("/"):
            raise InvalidInputError(f"{address} is no address of a folder", hint=_FORMS)
        from nbcellar.remote.folder import Folder

        return Folder(path)
    if parts.scheme in OBJECT_STORES and parts.netloc:
        from nbcellar.remote.objects import ObjectStore

        return ObjectStore(address)
    raise InvalidInputError(f"{address!r} is no address of a remote", hint=_FORMS)


__all__ = ["OBJECT_STORES", "open_remote"]
