"""Jupyter servers of this user on this machine, and the notebooks that they hold open with a kernel.

Asks each running server for its sessions, with the token from the server's own file in Jupyter's runtime folder.
A server that does not answer in a moment counts as none. Not for: changing anything.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

_TIMEOUT_S = 1.0
_LONGEST_ANSWER = 5_000_000


class Session(NamedTuple):
    """A notebook with a kernel in a Jupyter server."""

    path: Path
    kernel_id: str
    connection_file: Path


def sessions(environ: Mapping[str, str]) -> list[Session]:
    """Return the notebooks that servers hold open with a kernel."""
    runtime = runtime_folder(environ)
    found = []
    for info in _servers(runtime):
        root = Path(str(info.get("root_dir") or info.get("notebook_dir") or "/"))
        for entry in _ask(info):
            kernel = str((entry.get("kernel") or {}).get("id") or "")
            path = entry.get("path")
            if entry.get("type") == "notebook" and kernel and isinstance(path, str):
                found.append(Session((root / path).resolve(), kernel, runtime / f"kernel-{kernel}.json"))
    return found


def runtime_folder(environ: Mapping[str, str]) -> Path:
    """Return Jupyter's runtime folder, as jupyter_core finds it."""
    if environ.get("JUPYTER_RUNTIME_DIR"):
        return Path(environ["JUPYTER_RUNTIME_DIR"])
    return _user_data_folder(environ) / "runtime"


def data_folders(environ: Mapping[str, str]) -> list[Path]:
    """Return the folders where Jupyter looks for kernelspecs and the like, the first one wins."""
    listed = [Path(part) for part in environ.get("JUPYTER_PATH", "").split(os.pathsep) if part]
    own = Path(sys.prefix) / "share" / "jupyter"
    user = _user_data_folder(environ)
    # Inside a virtual environment its own folder comes before the user's, as in jupyter_core.
    near = [own, user] if sys.prefix != sys.base_prefix else [user, own]
    return [*listed, *near, Path("/usr/local/share/jupyter"), Path("/usr/share/jupyter")]


def _user_data_folder(environ: Mapping[str, str]) -> Path:
    if environ.get("JUPYTER_DATA_DIR"):
        return Path(environ["JUPYTER_DATA_DIR"])
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Jupyter"
    if os.name == "nt":
        return Path(environ.get("APPDATA") or Path.home()) / "jupyter"
    data = environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "jupyter"


def _servers(runtime: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(runtime.glob("jpserver-*.json")):
        try:
            info = json.loads(path.read_text("utf-8"))
            os.kill(int(info["pid"]), 0)
        except (OSError, ValueError, KeyError, TypeError):
            continue
        yield info


def _ask(info: Mapping[str, Any]) -> list[dict[str, Any]]:
    from urllib.request import ProxyHandler, Request, build_opener

    url = str(info.get("url", "")).rstrip("/") + "/api/sessions"
    if not url.startswith(("http://", "https://")):
        return []
    request = Request(url, headers={"Authorization": f"token {info.get('token', '')}"})
    try:
        # No proxy: the server is on this machine.
        with build_opener(ProxyHandler({})).open(request, timeout=_TIMEOUT_S) as answer:
            found = json.loads(answer.read(_LONGEST_ANSWER))
    except (OSError, ValueError):
        return []
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
