"""The file that makes Jupyter Server load `saving.py`: one of our own in its folder of settings.

Invariant: the file lists for whom it is there, and goes with the last of them; no file of anybody else's is edited.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from nbcellar.errors import StoreUnavailableError

_MODULE = "nbcellar.git.saving"
_FILE = Path("jupyter_server_config.d") / "nbcellar-git.json"
_FOR = "Cellar"


def settings_file(environ: Mapping[str, str]) -> Path:
    """Return where the file is, or would be."""
    own = environ.get("JUPYTER_CONFIG_DIR")
    return (Path(own) if own else Path.home() / ".jupyter") / _FILE


def add_save_hook(file: Path, installation: Path) -> bool:
    """Enter an installation; return whether it was not there yet. Raises StoreUnavailableError."""
    known = _installations(file)
    if str(installation) in known:
        return False
    _write(file, [*known, str(installation)])
    return True


def remove_save_hook(file: Path, installation: Path) -> bool:
    """Strike an installation out; return whether it was there. Raises StoreUnavailableError."""
    known = _installations(file)
    if str(installation) not in known:
        return False
    _write(file, [name for name in known if name != str(installation)])
    return True


def _installations(file: Path) -> list[str]:
    try:
        found = json.loads(file.read_bytes())[_FOR]["installed_for"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def _write(file: Path, installations: list[str]) -> None:
    value = {"ServerApp": {"jpserver_extensions": {_MODULE: True}}, _FOR: {"installed_for": installations}}
    try:
        if not installations:
            file.unlink()
            _remove_empty(file.parent)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        aside = file.with_name(file.name + ".new")
        aside.write_text(json.dumps(value, indent=2) + "\n", "utf-8", "surrogateescape")
        aside.replace(file)
    except OSError as error:
        raise StoreUnavailableError(f"{file}: {error.strerror or error}") from None


def _remove_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:  # others have files in it
        pass
