"""Jupyter's trust: HTML and JavaScript in outputs are shown only where the user trusted the notebook's very text.

Invariant: a notebook is signed here only if it was trusted before, on this machine, and nothing was added to its
outputs. What came from elsewhere never becomes trusted by being cleaned or merged.

Not for: the trust in values of sessions (`trust/`).
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def keep_trusted(before: bytes, after: bytes, environ: Mapping[str, str]) -> bool:
    """Sign `after` if `before` was trusted; return whether it was.

    The caller vouches that every output of `after` is one of `before`, as it was or with parts left out. Both are the
    text of notebooks of nbformat 4. Nothing happens where Jupyter never trusted anything, or is not installed.
    """
    folder = data_folder(environ)
    if not (folder / "nbsignatures.db").is_file() or b'"output_type"' not in after:
        return False
    try:
        nbformat: Any = importlib.import_module("nbformat")
        sign: Any = importlib.import_module("nbformat.sign")
    except ImportError:
        return False
    notary = sign.NotebookNotary(data_dir=str(folder))
    try:
        if not notary.check_signature(_parsed(nbformat, before)):
            return False
        notary.sign(_parsed(nbformat, after))
        return True
    except Exception:  # a signature is a convenience: without it Jupyter asks the user once more
        return False
    finally:
        notary.store.close()


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


def _parsed(nbformat: Any, data: bytes) -> Any:
    return nbformat.reads(data.decode("utf-8-sig"), as_version=4)
