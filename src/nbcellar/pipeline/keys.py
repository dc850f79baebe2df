"""The key under which a component's results are kept, and digests of what it depends on.

Invariant: equal keys, equal inputs: every part has its name and its length in what is hashed. Comments and layout of
the code are out, docstrings are in. Not for: what a run shows beside (files, versions: `cache.py` compares these).
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from blake3 import blake3

from nbcellar.components.transform import NotPythonError, parse

SCHEMA = "cellar-component-1"
PYTHON = f"{sys.implementation.name} {sys.version_info[0]}.{sys.version_info[1]}"
FOLDER, FILE = "folder", "file"
_CHUNK = 1 << 20
_encode = msgspec.msgpack.Encoder(order="deterministic").encode


@lru_cache(maxsize=4096)
def code_digest(source: str) -> str:
    """Return a digest of what the code does: equal for cells that differ in comments and layout only."""
    try:
        text = ast.dump(parse(source), include_attributes=False)
    except (NotPythonError, RecursionError):
        text = source
    return blake3(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def component_key(
    code: str,
    reads: Mapping[str, str],
    parameters: Mapping[str, Any],
    python: str = PYTHON,
) -> str:
    """Return the first part of a component's key, in hexadecimal: all that is known before it runs."""
    parts = (SCHEMA, code, python, dict(reads), {n: canonical(v) for n, v in parameters.items()})
    return blake3(_encode(parts)).hexdigest()


def canonical(value: Any) -> str:
    """Return JSON that is equal for equal values; 1, 1.0 and true are three values."""
    return msgspec.json.encode(value, order="deterministic").decode()


def file_digest(path: str) -> str:
    """Return the digest of a file's bytes, empty where none can be read; of a folder, that it is one."""
    digest = blake3()
    try:
        if not Path(path).is_file():
            return FOLDER if Path(path).is_dir() else ""
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError:
        return ""
    return digest.hexdigest()[:32]


def kind_of(path: str) -> str:
    """Return that a path is a file or a folder, empty where nothing is: what stands for a digest where that is all."""
    if os.path.isdir(path):  # noqa: PTH112
        return FOLDER
    return FILE if os.path.exists(path) else ""  # noqa: PTH110


def fits(then: str, now: str) -> bool:
    """True if a path is as it was: `then` a digest or a kind, `now` a digest, or the kind where `then` is one."""
    return then == now or (then == FILE and now not in ("", FOLDER))


def time_of(path: str) -> str:
    """Return when a file was written last, in nanoseconds; empty where it is not there."""
    try:
        return str(os.stat(path).st_mtime_ns)  # noqa: PTH116
    except OSError:
        return ""


def folder_digest(path: str) -> str:
    """Return the digest of the names in a folder, empty where there is none."""
    try:
        names = sorted(os.listdir(path))
    except OSError:
        return ""
    return blake3(_encode([name.encode("utf-8", "surrogateescape") for name in names])).hexdigest()[:32]


__all__ = [
    "FILE",
    "FOLDER",
    "PYTHON",
    "SCHEMA",
    "canonical",
    "code_digest",
    "component_key",
    "file_digest",
    "fits",
    "folder_digest",
    "kind_of",
    "time_of",
]
