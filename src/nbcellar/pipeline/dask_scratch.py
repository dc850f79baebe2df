"""The repository that a Dask worker has for itself, where results come from a remote.

It lies in the folder that Dask gives the worker and removes with it. Invariant: it is of the same project, with the
same settings, as the repository from which the tasks come; one for each of these. Not for: what is in it
(`exchange.py`).
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from blake3 import blake3

from nbcellar import config
from nbcellar.errors import AlreadyExistsError
from nbcellar.files import replace_file
from nbcellar.history.repository import FOLDER
from nbcellar.store.local import LocalStore

_lock = threading.Lock()


def root_for(worker: Any, project: str, settings: bytes) -> str:
    """Return the folder of the repository for a project, made where it is not there. settings: of its config.toml."""
    named = blake3(project.encode() + b"\0" + settings).hexdigest()[:16]
    root = Path(worker.local_directory) / f"cellar-{named}"
    with _lock:
        if not (root / FOLDER / config.FILE_NAME).is_file():
            root.mkdir(parents=True, exist_ok=True)
            try:
                LocalStore.create(root / FOLDER, project=project).close()
            except AlreadyExistsError:
                pass  # made by a worker that was killed before it could write the settings
            replace_file(root / FOLDER / config.FILE_NAME, settings)
    return str(root)


__all__ = ["root_for"]
