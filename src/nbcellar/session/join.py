"""Start recording in this kernel: by itself in an initialised folder, or because `%load_ext nbcellar` asks.

Invariant: joining twice is joining once; what keeps a kernel from recording is a sentence in `reason()`, never an
exception at the start of a kernel. Not for: the hooks themselves (`kernel.py`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from nbcellar import __version__
from nbcellar.errors import CellarError, KernelError, NoRepositoryError

_AUTOMATION = ("papermill", "nbconvert", "nbclient", "jupyter-execute", "pytest", "testbook", "voila")
NO_FOLDER = "no .cellar folder here or above"
_reason: list[str] = []
_failure: list[CellarError] = []


def reason() -> str:
    """Return why this kernel does not record by itself; empty when it does or was not asked."""
    return _reason[0] if _reason else ""


def failure() -> CellarError | None:
    """Return the error that keeps this kernel from recording though it should; None if there is none."""
    return _failure[0] if _failure else None


def autoload(shell: Any, environ: Mapping[str, str] = os.environ) -> bool:
    """Join if this is a notebook's kernel in an initialised folder and nothing speaks against it. Never raises."""
    _failure.clear()
    try:
        why = _why_not(shell, environ)
        if not why:
            join(shell, environ, fresh=True)
    except NoRepositoryError:
        why = NO_FOLDER
    except Exception as error:
        failed = error if isinstance(error, CellarError) else KernelError(f"{type(error).__name__}: {error}")
        why = failed.message
        _failure.append(failed)
    _reason[:] = [why] if why else []
    return not why


def _why_not(shell: Any, environ: Mapping[str, str]) -> str:
    path = notebook_path(shell, environ)
    root = find_folder(path)
    if root is None:
        return NO_FOLDER
    from nbcellar import config

    record = config.load(root / ".cellar", environ).record
    relative = path.relative_to(root).as_posix()
    if record.enabled is False:
        return "the setting record.enabled (or NBCELLAR_RECORD) switches it off"
    if any(fnmatchcase(relative, pattern) for pattern in record.off_notebooks):
        return f"the setting record.off_notebooks names {relative}"
    if record.enabled is True:
        return ""
    if not hasattr(shell, "kernel"):
        return "an IPython terminal records only when asked: %load_ext nbcellar"
    if environ.get("CI"):
        return "continuous integration (CI is set); NBCELLAR_RECORD=1 records all the same"
    for tool in _AUTOMATION:
        if tool in _parent_command(environ):
            return f"the kernel was started by {tool}; NBCELLAR_RECORD=1 records all the same"
    return ""


def _parent_command(environ: Mapping[str, str]) -> str:
    """Return the command line of the process that started the kernel; empty where it cannot be read."""
    try:
        parent = int(environ.get("JPY_PARENT_PID") or os.getppid())
        words = Path(f"/proc/{parent}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return ""
    # The program and the script or module it runs, not the arguments: a folder may be called anything.
    return " ".join(Path(word.decode(errors="replace")).name for word in words[:4] if not word.startswith(b"-"))


def notebook_path(shell: Any, environ: Mapping[str, str]) -> Path:
    """Return the notebook this kernel belongs to; in a kernel that was not told, `console` in the current folder."""
    told = environ.get("JPY_SESSION_NAME") or getattr(shell, "user_ns", {}).get("__vsc_ipynb_file__")
    if told:
        path = Path(str(told))
        path = path if path.is_absolute() else Path.cwd() / path
        if path.suffix == ".ipynb" or path.exists():
            return path
        if path.parent.is_dir():
            return path
    return Path.cwd() / "console"


def find_folder(path: Path) -> Path | None:
    """Return the nearest folder, the path's or above, that holds `.cellar`."""
    for folder in path.parents:
        if (folder / ".cellar").is_dir():
            return folder
    return None


def join(shell: Any, environ: Mapping[str, str] = os.environ, *, fresh: bool = False) -> Any:
    """Return this kernel's recorder, started now unless it was. Raises NoRepositoryError and what keeps a store
    closed.
    """
    from nbcellar.session import remote
    from nbcellar.session.threads import remember_threads

    present = remote.current()
    if present is not None:
        return present
    recorder = _make(shell, environ)
    recorder.install()
    remote.set_current(recorder)
    if fresh:
        remember_threads()
    else:  # at the start of a kernel there is nothing yet, and what startup files made is not the user's
        recorder.session.attach()
    return recorder


def _make(shell: Any, environ: Mapping[str, str]) -> Any:
    from nbcellar import config
    from nbcellar.history.drafts import FOLDER_NAME as DRAFTS
    from nbcellar.history.operations import local_identity
    from nbcellar.history.repository import FOLDER, Repository
    from nbcellar.session.document import Document
    from nbcellar.session.engine import Session
    from nbcellar.session.kernel import KernelRecorder
    from nbcellar.session.names import Names
    from nbcellar.session.threads import background_reason
    from nbcellar.session.writer import Fixed, environment_fingerprint
    from nbcellar.trust.decisions import TrustStore
    from nbcellar.trust.keys import load_or_create

    path = notebook_path(shell, environ)
    root = find_folder(path)
    if root is None:
        raise NoRepositoryError(
            f"there is no Cellar repository in {path.parent} or above", hint="make one with: cellar init"
        )
    settings = config.load(root / ".cellar", environ)
    repo = Repository.open(root, by=settings.author.name or local_identity())
    user_folder = config.user_folder(environ)
    notebook = repo.notebook_for(path, create=True)
    key = load_or_create(user_folder)
    session = Session(
        repo,
        notebook,
        shell.user_ns,
        Names(shell.user_ns_hidden, settings.record.skip_names),
        settings=settings,
        key=key,
        decisions=TrustStore(user_folder, own=key.key_id),
        fixed=Fixed(notebook, repo.by, environment_fingerprint, _GitHead(root), Document(path, root / FOLDER / DRAFTS)),
        background=background_reason,
        autoreload=lambda: _autoreloads(shell),
    )
    kernel = getattr(shell, "kernel", None)
    connection = _connection_file(kernel)
    return KernelRecorder(shell, session, path=str(path), version=__version__, connection_file=connection)


def _autoreloads(shell: Any) -> bool:
    """True while `%autoreload` patches modules, and with them functions and instances, before each cell."""
    magics = shell.magics_manager.registry.get("AutoreloadMagics")
    return bool(magics is not None and getattr(magics._reloader, "enabled", False))


def _connection_file(kernel: Any) -> str:
    parent = getattr(kernel, "parent", None)
    name = getattr(parent, "abs_connection_file", None) or getattr(parent, "connection_file", "")
    return str(name or "")


class _GitHead:
    """The commit that git's HEAD names, read from its files: starting git costs milliseconds in every commit."""

    def __init__(self, root: Path) -> None:
        self._folder = next((f / ".git" for f in (root, *root.parents) if (f / ".git" / "HEAD").is_file()), None)

    def __call__(self) -> str:
        if self._folder is None:
            return ""
        try:
            text = (self._folder / "HEAD").read_text().strip()
            if text.startswith("ref: "):
                text = (self._folder / text[5:]).read_text().strip()
        except OSError:
            return ""
        return text[:64]
