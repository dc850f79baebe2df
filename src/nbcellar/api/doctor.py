"""What keeps recording from working on this machine, each with the command that mends it.

Invariant: nothing is changed and nothing is raised: what cannot be looked at is a finding, too. Interpreters of kernels
are started once each to ask them about Cellar, because the kernel's environment is often not the command's.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from nbcellar import __version__, config
from nbcellar.api.servers import data_folders
from nbcellar.api.views import Check, Doctor, Finding
from nbcellar.errors import CellarError, NoRepositoryError
from nbcellar.history.repository import FOLDER, Repository, find_root
from nbcellar.store.local import LocalStore

STARTUP_FILE = Path("etc", "ipython", "startup", "50-nbcellar.py")
_TIMEOUT_S = 20.0

# Asked of another interpreter: it may be any Python, so nothing newer than 3.6 may stand here.
_QUESTION = """
import json, os, sys
answer = {"python": sys.version.split()[0], "prefix": sys.prefix}
try:
    import nbcellar
    answer["version"] = getattr(nbcellar, "__version__", "")
except Exception as error:
    answer["error"] = "%s: %s" % (type(error).__name__, error)
try:
    from nbcellar.session.reducers import plugins
    answer["reducers"] = plugins.examine()
except Exception:
    pass  # another version of Cellar, which is said anyway
answer["startup"] = os.path.isfile(os.path.join(sys.prefix, *sys.argv[1:]))
print(json.dumps(answer))
"""


class KernelSpec(NamedTuple):
    """An installed kernelspec: its name, language and interpreter."""

    name: str
    language: str
    python: str


def examine(folder: Path, environ: Mapping[str, str]) -> Doctor:
    """Return everything that was looked at, problems and what is well."""
    findings = [Finding(what="cellar", state="ok", detail=f"version {__version__}, {sys.executable}")]
    for look in (_look_at_settings, _look_at_repository, _look_at_key):
        findings += _guarded(look, folder, environ)
    return Doctor(findings=[*findings, *look_at_kernels(environ)])


def look_at_kernels(environ: Mapping[str, str]) -> list[Finding]:
    """Return one finding a kernelspec: whether its kernels record themselves."""
    specs = kernel_specs(environ)
    if not specs:
        fix = "install one with: python -m pip install ipykernel"
        return [Finding(what="kernels", state="problem", detail="no Jupyter kernel is installed here", fix=fix)]
    findings = []
    answers: dict[str, dict[str, Any]] = {}
    for spec in specs:
        if spec.language != "python":
            detail = f"language {spec.language or 'unknown'}; Cellar records Python kernels"
            findings.append(Finding(what=f"kernel {spec.name}", state="note", detail=detail))
            continue
        if spec.python not in answers:
            answers[spec.python] = _ask(spec.python)
            findings += _judge_reducers(spec.python, answers[spec.python])
        findings.append(_judge(spec, answers[spec.python]))
    return findings


def kernel_specs(environ: Mapping[str, str]) -> list[KernelSpec]:
    """Return the installed kernelspecs; of two with one name, the one that Jupyter takes."""
    found: dict[str, KernelSpec] = {}
    for folder in data_folders(environ):
        for path in sorted(folder.glob("kernels/*/kernel.json")):
            name = path.parent.name.lower()
            if name not in found:
                with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, IndexError):
                    spec = json.loads(path.read_text("utf-8"))
                    found[name] = KernelSpec(name, str(spec.get("language", "")).lower(), _interpreter(spec["argv"]))
    return list(found.values())


def _interpreter(argv: list[str]) -> str:
    first = argv[0]
    # Jupyter replaces a bare `python` of a kernelspec by the interpreter that it runs on itself.
    return (
        sys.executable
        if first in ("python", "python3", f"python{sys.version_info[0]}.{sys.version_info[1]}")
        else first
    )


def _ask(python: str) -> dict[str, Any]:
    environ = {name: value for name, value in os.environ.items() if name not in ("NBCELLAR_RECORD",)}
    try:
        run = subprocess.run(
            [python, "-c", _QUESTION, *STARTUP_FILE.parts],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
            env=environ,
            cwd=Path(python).anchor or "/",  # a folder without modules of its own
        )
        answer = json.loads((run.stdout.splitlines() or [""])[-1])
    except ValueError:
        return {"unusable": f"it answers nothing that a Python would (exit code {run.returncode})"}
    except subprocess.TimeoutExpired:
        return {"unusable": f"no answer in {_TIMEOUT_S:.0f} s"}
    except OSError as error:
        return {"unusable": error.strerror or str(error)}
    return answer if isinstance(answer, dict) else {"unusable": "no answer"}


def _judge(spec: KernelSpec, answer: Mapping[str, Any]) -> Finding:
    what, python = f"kernel {spec.name}", shlex.quote(spec.python)
    install = f"{python} -m pip install nbcellar=={__version__}"
    if "unusable" in answer:
        return Finding(what=what, state="problem", detail=f"{spec.python} does not run: {answer['unusable']}")
    if "error" in answer:
        return Finding(
            what=what,
            state="problem",
            detail=f"Cellar is missing in {answer['prefix']} ({answer['error']})",
            fix=install,
        )
    if answer.get("version") != __version__:
        detail = f"has Cellar {answer.get('version') or 'unknown'}, this is {__version__}"
        return Finding(what=what, state="problem", detail=detail, fix=install)
    if not answer.get("startup"):
        target = Path(answer["prefix"]) / STARTUP_FILE
        return Finding(
            what=what,
            state="problem",
            detail=f"does not record by itself: {target} is missing (an install with --user does not put it there)",
            fix=f"{python} -m pip install --force-reinstall --no-deps nbcellar; or, in a notebook: %load_ext nbcellar",
        )
    return Finding(what=what, state="ok", detail=f"records itself (Python {answer['python']}, {spec.python})")


def _judge_reducers(python: str, answer: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield one finding for each distribution that brings reducers for a library: the group `nbcellar.reducers`."""
    found = answer.get("reducers")
    for plugin in found if isinstance(found, list) else ():
        what, by = f"reducers for {plugin['package']}", f"{plugin['distribution']} ({plugin['value']})"
        if plugin["error"]:
            detail = f"those of {by} do not load in {answer['prefix']}, so they are not used: {plugin['error']}"
            fix = f"{shlex.quote(python)} -m pip install --upgrade {shlex.quote(plugin['distribution'])}"
            yield Finding(what=what, state="problem", detail=detail, fix=fix)
        else:
            yield Finding(what=what, state="ok", detail=f"{by}, {answer['prefix']}")


def _look_at_settings(folder: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    try:
        root: Path | None = find_root(folder)
    except NoRepositoryError:
        root = None
    settings = config.load(root / FOLDER if root else None, environ)
    detail = 'recording is "auto"' if settings.record.enabled == "auto" else f"recording is {settings.record.enabled}"
    if settings.record.enabled is False:
        yield Finding(
            what="settings",
            state="problem",
            detail="recording is switched off",
            fix="cellar config record.enabled auto",
        )
    else:
        yield Finding(what="settings", state="ok", detail=detail)


def _look_at_repository(folder: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    from nbcellar.store.files import is_network_file_system

    root = find_root(folder)
    cellar = root / FOLDER
    yield Finding(what="repository", state="ok", detail=str(root))
    if is_network_file_system(cellar):
        detail = "on a network file system: works, but commits take longer there"
        yield Finding(what="file system", state="note", detail=detail)
    else:
        yield Finding(what="file system", state="ok", detail="local")
    mode = cellar.stat().st_mode & 0o077
    if mode and os.name == "posix":
        detail = f"others on this machine can look into {cellar}"
        yield Finding(what="permissions", state="problem", detail=detail, fix=f"chmod 700 {shlex.quote(str(cellar))}")
    with Repository.open(root) as repository:
        if repository.store.read_only:
            yield Finding(
                what="permissions",
                state="problem",
                detail=f"{cellar} cannot be written, so nothing is recorded",
                fix=f"ls -ld {shlex.quote(str(cellar))}",
            )
        yield from _look_at_space(repository, config.load(cellar, environ))
        yield from _look_at_store(repository)


def _look_at_space(repository: Repository, settings: config.Settings) -> Iterator[Finding]:
    from nbcellar.store.room import disk_of, reserve_bytes, used_bytes

    disk, store = disk_of(repository.root / FOLDER), repository.store
    reserve = reserve_bytes(disk.total)
    if disk.free <= reserve:
        detail = (
            f"{disk.free >> 20:,} MiB are free on the disk; {reserve >> 20:,} are left free, so values are not saved"
        )
        yield Finding(what="space", state="problem", detail=detail, fix="cellar gc --now, or free space elsewhere")
        return
    cap = settings.record.max_store_mb
    used = used_bytes(store) if isinstance(store, LocalStore) else 0
    detail = f"{used >> 20:,} MiB used" + (f" of the cap of {cap:,}" if cap else f", {disk.free >> 20:,} MiB free")
    if cap and used > 0.95 * (cap << 20):
        fix = f"cellar gc, or: cellar config record.max_store_mb {2 * cap}"
        yield Finding(what="space", state="problem", detail=f"{detail}: new values are not saved", fix=fix)
    elif used > _LARGE_BYTES:
        yield Finding(
            what="space", state="note", detail=f"{detail}; old states can be thinned out", fix="cellar gc --dry-run"
        )
    else:
        yield Finding(what="space", state="ok", detail=detail)


_LARGE_BYTES = 10 << 30


def _look_at_store(repository: Repository) -> Iterator[Finding]:
    from nbcellar.api import maintenance

    found = maintenance.check(repository, read_data=False)
    if found.damaged:
        detail = f"{len(found.damaged)} damaged: {found.damaged[0]}"
        yield Finding(what="store", state="problem", detail=detail, fix="cellar check --read-data")
    else:
        yield Finding(what="store", state="ok", detail=_whole(found))


def _whole(found: Check) -> str:
    commits = f"{found.commits:,} commit" + ("" if found.commits == 1 else "s")
    objects = f"{found.objects:,} object" + ("" if found.objects == 1 else "s")
    unread = f"; not read: {'; '.join(found.not_read)}" if found.not_read else ""
    return f"{commits} and {objects}, all whole{unread}"


def _look_at_key(folder: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    from nbcellar.api import trusting

    key = trusting.existing_key(config.user_folder(environ))
    if key is None:
        yield Finding(what="key", state="ok", detail="none yet; it is made with the first commit")
        return
    yield Finding(what="key", state="ok", detail=key.fingerprint)
    if Path(key.path).stat().st_mode & 0o077 and os.name == "posix":
        fix = f"chmod 600 {shlex.quote(key.path)}"
        yield Finding(what="key", state="problem", detail=f"others can read {key.path}", fix=fix)


def _guarded(
    look: Callable[[Path, Mapping[str, str]], Iterator[Finding]], folder: Path, environ: Mapping[str, str]
) -> Iterator[Finding]:
    what = look.__name__.removeprefix("_look_at_")
    state: Literal["note", "problem"] = "problem"
    try:
        yield from look(folder, environ)
    except NoRepositoryError as error:
        yield Finding(what=what, state="note", detail=error.message, fix="cellar init")
    except CellarError as error:
        yield Finding(what=what, state=state, detail=error.message, fix=error.hint)
    except OSError as error:
        yield Finding(what=what, state=state, detail=f"{error.filename or ''}: {error.strerror or error}".lstrip(": "))
