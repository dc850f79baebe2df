"""Live kernels that record into a repository: find them, and ask one to do something to its session.

A recording kernel keeps an entry `.cellar/kernels/<kernel id>.json`. A request is a silent `execute_request` on the
kernel's shell channel whose one user expression calls `nbcellar.session.remote.handle`, so it waits for the running
cell, runs on the main thread and leaves no trace in In, Out or the execution count.

Invariant: a request goes to kernels of this user only, and is answered, refused with an error of the tree, or known to
be still queued; an entry is removed only when its process is known to be gone.

Not for: what the kernel does with a request (`session/remote.py`), reading the history (no kernel is needed for that).
"""

from __future__ import annotations

import ast
import base64
import json
import os
import queue
import socket
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from nbcellar import errors
from nbcellar.errors import CellarError, KernelError, NoKernelError
from nbcellar.ids import NotebookId
from nbcellar.session.entries import KernelEntry, began_at, is_own

if TYPE_CHECKING:
    from nbcellar.api.asking import Asking
    from nbcellar.trust.keys import SigningKey

PROTOCOL = 1
KERNELS_FOLDER = "kernels"

_NOTICE_AFTER_S = 1.0
_POLL_S = 0.1
_PEEK_S = 0.5
_ABORTED_RETRIES = 5
JOIN = "__import__('nbcellar').load_ipython_extension(get_ipython())"
"""Lets a kernel join; what `%load_ext nbcellar` does, also where IPython thinks that it is loaded already."""

_EXPRESSION = "__import__('nbcellar.session.remote',fromlist=['handle']).handle('{request}')"


Requests = Callable[[NotebookId, str, Mapping[str, Any]], dict[str, Any]]
"""Takes a request (notebook, command, arguments) to the notebook's kernel and returns the result; the kernel itself has
a way of its own. Raises NoKernelError, KernelError or what the kernel answered."""


def live_kernels(cellar_folder: Path) -> list[KernelEntry]:
    """Return the entries of running kernels, newest first; entries of dead ones are removed."""
    found = []
    for path in sorted((cellar_folder / KERNELS_FOLDER).glob("*.json")):
        try:
            entry = msgspec.json.decode(path.read_bytes(), type=KernelEntry)
        except (OSError, msgspec.DecodeError):
            continue  # being written or removed at this moment, or not ours
        if _is_alive(entry):
            found.append(entry)
        elif is_local(entry):
            _remove(path)
    return sorted(found, key=lambda entry: -entry.started_ns)


def find_kernel(cellar_folder: Path, notebook: NotebookId) -> KernelEntry:
    """Return the newest running kernel of a notebook on this machine. Raises NoKernelError."""
    candidates = [entry for entry in live_kernels(cellar_folder) if entry.notebook == notebook]
    for entry in candidates:
        if is_local(entry):
            return entry
    if candidates:
        raise NoKernelError(
            f"the kernel of this notebook runs on another machine, {candidates[0].host}",
            hint="run the command there, or as %cellar in the notebook",
        )
    raise NoKernelError(
        "no kernel records this notebook at the moment",
        hint="open it in Jupyter and run '%load_ext nbcellar'; '%cellar restore' then brings the session back",
    )


class KernelRequests:
    """Requests to running kernels through their connection files.

    `notice` is told, once for a request, when the kernel is busy; `asking` follows it, and may take it back.
    """

    def __init__(
        self,
        cellar_folder: Path,
        *,
        key: Callable[[], SigningKey | None],
        version: str,
        notice: Callable[[str], None],
        asking: Asking | None = None,
    ) -> None:
        """key: returns the user's key; only kernels that have it are asked."""
        self._folder = cellar_folder
        self._key = key
        self._version = version
        self._notice = notice
        self._asking = asking

    def __call__(self, notebook: NotebookId, command: str, args: Mapping[str, Any]) -> dict[str, Any]:
        entry = find_kernel(self._folder, notebook)
        _check_protocol(entry, self._version)
        require_own(entry, self._key())
        if self._asking is None:
            return send(entry, command, args, version=self._version, notice=self._notice)
        with self._asking.ticket(self._folder) as ticket:
            look = partial(self._asking.look, ticket)
            return send(entry, command, args, version=self._version, look=look, ticket=ticket.name)


def send(
    entry: KernelEntry,
    command: str,
    args: Mapping[str, Any],
    *,
    version: str,
    notice: Callable[[str], None] = lambda text: None,
    look: Callable[[], None] = lambda: None,
    ticket: str | None = None,
) -> dict[str, Any]:
    """Send one request and wait for its result, however long a cell runs before it.

    look: called now and then while waiting; what it raises ends that. Raises KernelError when the kernel dies or cannot
    answer; what the kernel answers with is raised as its own class.
    """
    _check_protocol(entry, version)
    expressions = _encode_request(command, args, version, ticket)

    def alive() -> bool:
        look()
        return _is_alive(entry)

    with _Connection(entry.connection_file, entry.path) as connection:
        for _ in range(_ABORTED_RETRIES):
            content = connection.wait(connection.send("", expressions), command, notice, alive)
            if content.get("status") != "aborted":
                return decode_reply(_expression_value(content))
            # A cell before this one failed, and the kernel dropped what was queued behind it: nothing has happened yet.
    raise KernelError("the kernel drops requests because cells before them fail", hint="try again when it is idle")


def peek(entry: KernelEntry, *, version: str, timeout_s: float = _PEEK_S) -> dict[str, Any] | None:
    """Return what a kernel says of its recording, None when it is busy. Raises KernelError when it cannot answer.

    A busy kernel answers later, to nobody: asking changes nothing.
    """
    _check_protocol(entry, version)
    if not is_local(entry):
        return None
    with _Connection(entry.connection_file, entry.path) as connection:
        content = connection.poll(connection.send("", _encode_request("status", {}, version)), timeout_s)
    if content is None or content.get("status") == "aborted":
        return None
    return decode_reply(_expression_value(content))


def run_silently(connection_file: Path, code: str) -> None:
    """Run a line in a kernel that need not record yet, without a trace in its history; wait until it is done.

    Raises KernelError when the kernel cannot be reached or the line fails.
    """
    with _Connection(str(connection_file), str(connection_file.stem)) as connection:
        content = connection.wait(connection.send(code, {}), code, lambda text: None, connection_file.exists)
    if content.get("ename") in _MISSING:
        raise _missing(content.get("evalue"))
    if content.get("status") != "ok":
        raise KernelError(f"'{code}' failed in the kernel: {content.get('ename')}: {content.get('evalue')}")


def decode_reply(text: str) -> dict[str, Any]:
    """Return the result in a reply (base64 of JSON), or raise the error in it."""
    try:
        reply = json.loads(base64.b64decode(text, validate=True))
        if reply["protocol"] != PROTOCOL:
            raise _other_version(str(reply.get("version", "?")), reply["protocol"], "")
        if reply["ok"]:
            result = reply["result"]
            return result if isinstance(result, dict) else {}
        raise to_error(reply["error"])
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, CellarError):
            raise
        raise KernelError(f"the kernel's answer cannot be read: {error!r}") from None


def to_error(error: Mapping[str, Any]) -> CellarError:
    """Return the exception that a kernel reported by code; unknown codes become KernelError."""
    by_code = {kind.code: kind for name in errors.__all__ if (kind := getattr(errors, name))}
    kind = by_code.get(str(error.get("code")), KernelError)
    return kind(str(error["message"]), hint=str(error.get("hint") or ""))  # type: ignore[no-any-return]


class _Connection:
    """A shell channel to a kernel, for one request at a time."""

    def __init__(self, connection_file: str, name: str) -> None:
        self._file = connection_file
        self._name = name

    def __enter__(self) -> _Connection:
        from jupyter_client.blocking.client import BlockingKernelClient  # 130 ms, and only these commands need it

        self._client = BlockingKernelClient()
        try:
            self._client.load_connection_file(self._file)
        except (OSError, ValueError) as error:
            raise KernelError(f"cannot connect to the kernel of {self._name}: {error}") from None
        self._client.start_channels(shell=True, iopub=False, stdin=False, hb=False, control=False)
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.stop_channels()

    def send(self, code: str, expressions: Mapping[str, str]) -> str:
        """Send a silent request and return its id."""
        sent: str = self._client.execute(
            code, silent=True, store_history=False, user_expressions=dict(expressions), allow_stdin=False
        )
        return sent

    def poll(self, sent: str, timeout_s: float) -> dict[str, Any] | None:
        """Return the content of the reply, None if there is none after `timeout_s`."""
        until = time.monotonic() + timeout_s
        while (left := until - time.monotonic()) > 0:
            try:
                message = self._client.get_shell_msg(timeout=left)
            except queue.Empty:
                break
            if message["parent_header"].get("msg_id") == sent:
                content: dict[str, Any] = message["content"]
                return content
        return None

    def wait(self, sent: str, what: str, notice: Callable[[str], None], alive: Callable[[], bool]) -> dict[str, Any]:
        """Return the content of the reply, however long it takes; `what` and `notice` tell a user of it."""
        start = time.monotonic()
        noticed = False
        try:
            while (content := self.poll(sent, _POLL_S)) is None:
                if not alive():
                    raise KernelError(
                        f"the kernel of {self._name} died before it answered '{what}'",
                        hint="start it again and run: cellar restore",
                    )
                if not noticed and time.monotonic() - start >= _NOTICE_AFTER_S:
                    notice(f"waiting for the kernel of {self._name}, which is busy (Ctrl-C stops waiting) ...")
                    noticed = True
        except KeyboardInterrupt:
            raise KernelError(
                "stopped waiting: the kernel drops the request when the running cell ends",
                hint="if it had just begun, cellar op log shows it, and cellar op undo takes it back",
            ) from None
        return content


def _encode_request(command: str, args: Mapping[str, Any], version: str, ticket: str | None = None) -> dict[str, str]:
    """Return the user expression that carries a request."""
    sender = {"pid": os.getpid(), "host": socket.gethostname(), "began": began_at(os.getpid())}
    request = {"protocol": PROTOCOL, "version": version, "command": command, "args": dict(args), "sender": sender}
    if ticket is not None:
        request["ticket"] = ticket
    return {"r": _EXPRESSION.format(request=base64.b64encode(msgspec.json.encode(request)).decode())}


def _expression_value(content: Mapping[str, Any]) -> str:
    value = content.get("user_expressions", {}).get("r", {})
    if value.get("status") == "ok":
        text = ast.literal_eval(value["data"]["text/plain"])
        if isinstance(text, str):
            return text
    if value.get("ename") in _MISSING:
        raise _missing(value.get("evalue"))
    reason = value.get("evalue") or content.get("evalue") or "no reason given"
    raise KernelError(f"the kernel could not carry out the request: {value.get('ename', 'error')}: {reason}")


_MISSING = ("ModuleNotFoundError", "ImportError")


def _missing(why: object) -> KernelError:
    return KernelError(
        f"Cellar cannot be imported in the kernel: {why}",
        hint="install it in the kernel's own environment: in a cell, %pip install nbcellar",
    )


def require_own(entry: KernelEntry, key: SigningKey | None) -> None:
    """Raise KernelError unless a kernel of this user wrote the entry."""
    if not is_own(entry, key):
        raise KernelError(
            f"the kernel of {entry.path} is not asked: what .cellar/{KERNELS_FOLDER} says of it was not written by you",
            hint="if it is yours, use %cellar in the notebook, or restart the kernel",
        )


def _check_protocol(entry: KernelEntry, version: str) -> None:
    if entry.protocol != PROTOCOL:
        raise _other_version(entry.version, entry.protocol, version)


def _other_version(theirs: str, protocol: object, ours: str) -> KernelError:
    mine = f"this is Cellar {ours} (protocol {PROTOCOL})" if ours else f"this Cellar speaks protocol {PROTOCOL}"
    return KernelError(
        f"the kernel runs Cellar {theirs} (protocol {protocol}); {mine}",
        hint="install the same version in both environments and restart the kernel",
    )


def is_local(entry: KernelEntry) -> bool:
    """True if the kernel runs on this machine."""
    return not entry.host or entry.host == socket.gethostname()


def _is_alive(entry: KernelEntry) -> bool:
    """True if the process runs; for a kernel on another machine, if its entry is there at all."""
    if not is_local(entry):
        return True
    try:
        os.kill(entry.pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return not _is_zombie(entry.pid) and _began_before(entry)


def _is_zombie(pid: int) -> bool:
    return _stat_fields(pid)[:1] == ["Z"]


def _began_before(entry: KernelEntry) -> bool:
    """False if the process is younger than the entry: the number was given to another process."""
    fields = _stat_fields(entry.pid)
    if len(fields) < 20:
        return True  # no /proc here: trust the number
    try:
        booted = time.time() - float(Path("/proc/uptime").read_text().split()[0])
    except (OSError, ValueError):
        return True
    started = booted + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return started <= entry.started_ns / 1e9 + 60  # clocks drift, laptops sleep


def _stat_fields(pid: int) -> list[str]:
    """Return the fields of /proc/<pid>/stat from the state on; empty where there is no /proc."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError:
        pass  # a read-only folder: the entry is ignored all the same
