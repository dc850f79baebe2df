"""Jupyter's trust: HTML and JavaScript in outputs are shown only where the user trusted the notebook's very text.

Invariant: a notebook is signed here only if all of its outputs, the state of widgets included, come from notebooks that
were trusted before on this machine, or from its own cells, run here. What came from elsewhere never becomes trusted by
being cleaned or merged.

The signature is nbformat's (`nbformat.sign`): an HMAC of all keys and values with the user's secret, in a database. It
is made here without nbformat, whose import takes ten times as long as a merge.

Not for: the trust in values of sessions (`trust/`).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hmac import HMAC
    from sqlite3 import Connection

_DATABASE = "nbsignatures.db"
_ALGORITHM = "sha256"
_WAIT_S = 1.0
_IS_KNOWN = "SELECT 1 FROM nbsignatures WHERE algorithm = ? AND signature = ?"
_ENTER = "INSERT INTO nbsignatures (algorithm, signature, last_seen) VALUES (?, ?, ?)"


def keep_trusted(
    sides: Sequence[bytes],
    after: bytes,
    environ: Mapping[str, str],
    *,
    subset: bool = False,
    own: Collection[int] = (),
) -> bool:
    """Sign `after` if each of its outputs is one of a trusted side, as it was; return whether it is signed.

    All are the text of notebooks of nbformat 4. subset: the caller vouches that outputs of `after` are those of the one
    side, as they were or with parts left out. own: places of cells in `after` that this user ran. Nothing happens where
    Jupyter never trusted anything.
    """
    folder = data_folder(environ)
    if b'"output_type"' not in after or not (folder / _DATABASE).is_file():
        return False
    try:
        import sqlite3
        from contextlib import closing

        secret = (folder / "notebook_secret").read_bytes()
        with closing(sqlite3.connect(folder / _DATABASE, timeout=_WAIT_S)) as database:
            return _keep_trusted(database, secret, sides, after, subset=subset, own=own)
    except Exception:  # a signature is a convenience: without it Jupyter asks the user once more
        return False


def is_trusted(data: bytes, environ: Mapping[str, str]) -> bool:
    """Return whether Jupyter trusts a notebook with exactly this text, on this machine."""
    folder = data_folder(environ)
    if not (folder / _DATABASE).is_file():
        return False
    try:
        import sqlite3
        from contextlib import closing

        secret = (folder / "notebook_secret").read_bytes()
        signature = _signature(json.loads(data.decode("utf-8-sig")), secret)
        with closing(sqlite3.connect(folder / _DATABASE, timeout=_WAIT_S)) as database:
            return database.execute(_IS_KNOWN, (_ALGORITHM, signature)).fetchone() is not None
    except Exception:  # whatever is no notebook is not trusted either
        return False


def data_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder where Jupyter keeps its signatures, without importing Jupyter."""
    own = environ.get("JUPYTER_DATA_DIR")
    if own:
        return Path(own)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Jupyter"
    if os.name == "nt":
        return Path(environ.get("APPDATA") or Path.home() / ".jupyter") / "jupyter"
    return Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "jupyter"


def _keep_trusted(
    database: Connection, secret: bytes, sides: Sequence[bytes], after: bytes, *, subset: bool, own: Collection[int]
) -> bool:
    trusted = []
    for side in sides:
        notebook = json.loads(side.decode("utf-8-sig"))
        if database.execute(_IS_KNOWN, (_ALGORITHM, _signature(notebook, secret))).fetchone():
            trusted.append(notebook)
    made = json.loads(after.decode("utf-8-sig"))
    if not (trusted or own) or (subset and not trusted):
        return False
    if not subset and not set(_outputs(made, own)) <= {key for side in trusted for key in _outputs(side)}:
        return False
    signature = _signature(made, secret)
    if database.execute(_IS_KNOWN, (_ALGORITHM, signature)).fetchone() is None:
        from datetime import datetime, timezone

        with database:
            database.execute(_ENTER, (_ALGORITHM, signature, datetime.now(timezone.utc).isoformat()))
    return True


def _outputs(notebook: Any, own: Collection[int] = ()) -> Iterator[str]:
    """Yield what may run in a page: outputs, and the state that widgets in outputs take their content from.

    own: places of cells whose outputs are left out.
    """
    for place, cell in enumerate(notebook["cells"]):
        for output in () if place in own else cell.get("outputs") or ():
            yield json.dumps(output, sort_keys=True)
    widgets = notebook.get("metadata", {}).get("widgets")
    if widgets:
        yield json.dumps(["widgets", widgets], sort_keys=True)


def _signature(notebook: Any, secret: bytes) -> str:
    """Return what nbformat signs a notebook with. Raises for what is no notebook of nbformat 4."""
    from hmac import new

    if notebook["nbformat"] != 4:
        raise ValueError("another nbformat")
    metadata = _without(notebook["metadata"], "signature", "orig_nbformat")
    cells = [
        {**cell, "metadata": _without(cell["metadata"], "trusted")} if "trusted" in cell["metadata"] else cell
        for cell in notebook["cells"]
    ]
    digest = new(secret, digestmod=_ALGORITHM)
    _feed(digest, {**notebook, "metadata": metadata, "cells": cells})
    return digest.hexdigest()


def _without(held: Any, *names: str) -> Any:
    return {key: value for key, value in held.items() if key not in names}


def _feed(digest: HMAC, value: Any) -> None:
    """Feed keys and values in turn; a text counts the same in one piece and in lines."""
    if isinstance(value, dict):
        for key in sorted(value):
            digest.update(key.encode())
            _feed(digest, value[key])
    elif isinstance(value, list):
        for item in value:
            _feed(digest, item)
    else:
        digest.update(str(value).encode())


__all__ = ["data_folder", "is_trusted", "keep_trusted"]
