"""Requests to this kernel's session: from `cellar` in a terminal, from `%cellar`, from the functions of the package.

A request is JSON {"protocol", "version", "command", "args"}; the answer {"protocol", "version", "ok", "result" |
"error"}, both in base64 because they travel in a user expression. Invariant: a request is answered; an exception
becomes an error in the answer. Runs on the kernel's main thread. Not for: who sends it (`api.kernels`).
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nbcellar import __version__
from nbcellar.errors import CancelledError, CellarError, InvalidInputError, KernelError, UnsupportedFormatError
from nbcellar.history.repository import FOLDER
from nbcellar.ids import CommitId, NotebookId
from nbcellar.session.entries import began_at
from nbcellar.session.standing import status_of
from nbcellar.session.tickets import FOLDER as TICKETS
from nbcellar.session.tickets import Work, take_up

if TYPE_CHECKING:
    from nbcellar.session.kernel import KernelRecorder
    from nbcellar.session.replay.replayer import Wish

PROTOCOL = 1
_REPLAY_ID = re.compile("[0-9a-f]{32}")
_current: list[KernelRecorder] = []


def set_current(recorder: KernelRecorder | None) -> None:
    """Make a recorder the one that requests go to."""
    _current[:] = [recorder] if recorder is not None else []


def current() -> KernelRecorder | None:
    """Return the recorder of this kernel, or None when it does not record."""
    return _current[0] if _current and _current[0].active else None


def handle(encoded: str) -> str:
    """Answer one request."""
    work = Work()
    try:
        request = json.loads(base64.b64decode(encoded))
        if request.get("protocol") != PROTOCOL:
            theirs = request.get("version", "?")
            raise UnsupportedFormatError(
                f"the kernel runs Cellar {__version__}, the command {theirs}: they do not understand each other",
                hint="install the same version in both environments",
            )
        if not is_waited_for(request):
            raise KernelError("nobody waits for this request any more, so it was dropped")
        with _at_work(request.get("ticket")) as work:
            answer: dict[str, Any] = {"ok": True, "result": perform(request["command"], request.get("args", {}))}
    except (CellarError, KeyboardInterrupt) as error:
        why = CancelledError("stopped: the session is as it was") if work.stopped else error
        if not isinstance(why, CellarError):
            raise
        answer = {"ok": False, "error": {"code": why.code, "message": str(why), "hint": why.hint}}
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        answer = {"ok": False, "error": {"code": KernelError.code, "message": f"the kernel failed: {what}", "hint": ""}}
    answer |= {"protocol": PROTOCOL, "version": __version__}
    return base64.b64encode(json.dumps(answer).encode()).decode()


def is_waited_for(request: Mapping[str, Any]) -> bool:
    """False if the process that sent a request has ended: an undo that somebody gave up must not happen later.

    A request without a sender, or from another machine, is carried out. A process is told by its number and by when it
    began, where that can be known.
    """
    sender = request.get("sender")
    if not isinstance(sender, dict) or sender.get("host") != socket.gethostname():
        return True
    pid = sender.get("pid")
    if not isinstance(pid, int):
        return True
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return began_at(pid) == sender.get("began")


@contextlib.contextmanager
def _at_work(ticket: object) -> Iterator[Work]:
    """Let the session tell who has the ticket how far it is, if there is one. Raises KernelError if nobody waits."""
    recorder = current()
    if ticket is None or recorder is None:
        yield Work()
        return
    session = recorder.session
    work = session.work = take_up(session.repo.root / FOLDER / TICKETS, ticket)
    try:
        with work.followed():
            yield work
    finally:
        session.work = Work()


def local_requests() -> Callable[[NotebookId, str, Mapping[str, Any]], dict[str, Any]] | None:
    """Return how code inside this kernel makes requests; None when the kernel does not record."""
    recorder = current()
    if recorder is None:
        return None

    def request(notebook: NotebookId, command: str, args: Mapping[str, Any]) -> dict[str, Any]:
        if notebook != recorder.session.notebook:
            raise InvalidInputError(
                "this kernel records another notebook", hint="run the command in that notebook, or in a terminal"
            )
        return perform(command, args)

    return request


def perform(command: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out one request and return its result."""
    recorder = current()
    if recorder is None:
        raise KernelError("this kernel does not record", hint="join it with: %load_ext nbcellar")
    action = _ACTIONS.get(command)
    if action is None:
        raise InvalidInputError(f"this kernel's Cellar {__version__} knows no request '{command}'")
    if recorder.session.replayer.is_running:
        raise KernelError("cells are being run again: no command can be carried out meanwhile")
    # As in a cell: pandas looks for `get_ipython` when it is loaded, and takes a kernel without it for a terminal.
    with recorder.shell.builtin_trap:
        return action(recorder, args)


def _undo(recorder: KernelRecorder, args: Mapping[str, Any]) -> dict[str, Any]:
    to = CommitId(bytes.fromhex(args["to"])) if args.get("to") else None
    return recorder.session.undo(int(args.get("n", 1)), args.get("without", ()), _wish(args), to=to)


def _redo(recorder: KernelRecorder, args: Mapping[str, Any]) -> dict[str, Any]:
    return recorder.session.redo(int(args.get("n", 1)), args.get("without", ()), _wish(args))


def _commit(recorder: KernelRecorder, args: Mapping[str, Any]) -> dict[str, Any]:
    session = recorder.session
    session.work.settle()
    commit = session.commit(str(args["message"]))
    head = session.repo.head(session.notebook)
    own = session.writer.position.branch
    notes = []
    if own is not None and own != head.branch:
        notes.append(f"this kernel is on {own}: another one moved {head.branch or 'HEAD'} meanwhile")
    return {"commit": commit.hex(), "branch": own or head.branch, "notes": notes}


def _checkout(recorder: KernelRecorder, args: Mapping[str, Any]) -> dict[str, Any]:
    target = CommitId(bytes.fromhex(args["commit"]))
    return recorder.session.checkout(target, args.get("branch"), args.get("without", ()), _wish(args))


def _take(recorder: KernelRecorder, args: Mapping[str, Any]) -> dict[str, Any]:
    return recorder.session.take(CommitId(bytes.fromhex(args["commit"])), tuple(args["names"]))


def _restore(recorder: KernelRecorder, args: Mapping[str, Any]) -> dict[str, Any]:
    commit = args.get("commit")
    target = CommitId(bytes.fromhex(commit)) if commit else None
    return recorder.session.restore(target, args.get("without", ()), _wish(args))


def _wish(args: Mapping[str, Any]) -> Wish:
    wish = args.get("replay", "no")
    if wish not in ("no", "ask", "yes") and not (isinstance(wish, str) and _REPLAY_ID.fullmatch(wish)):
        raise InvalidInputError(
            f"'{wish}' says nothing about running cells again", hint="no, ask, yes, or the id of a list of cells"
        )
    return str(wish)


def _wait_saved(recorder: KernelRecorder, args: Mapping[str, Any]) -> dict[str, Any]:
    saved = recorder.session.wait_saved(args.get("timeout_s"))
    recorder.session.follow_rewriting()
    return {"saved": saved}


def _status(recorder: KernelRecorder, args: Mapping[str, Any]) -> dict[str, Any]:
    return dict(status_of(recorder.session)) | {"errors": recorder.errors[-3:], "path": recorder.path}


def _detach(recorder: KernelRecorder, args: Mapping[str, Any]) -> dict[str, Any]:
    recorder.session.work.settle()
    recorder.session.wait_saved()
    recorder.uninstall()
    recorder.session.close()
    set_current(None)
    recorder.shell.extension_manager.loaded.discard("nbcellar")  # so that %load_ext joins again
    return {"detached": True}


_ACTIONS: dict[str, Callable[[KernelRecorder, Mapping[str, Any]], dict[str, Any]]] = {
    "undo": _undo,
    "redo": _redo,
    "commit": _commit,
    "checkout": _checkout,
    "take": _take,
    "restore": _restore,
    "wait_saved": _wait_saved,
    "status": _status,
    "detach": _detach,
}
