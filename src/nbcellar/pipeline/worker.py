"""The process that runs components: tasks come in on one pipe, outcomes leave on another, one at a time.

    python -m nbcellar.pipeline.worker IN OUT        file descriptors

A message is its length in four bytes and msgpack. Invariant: standard streams are not used, so a component may write to
them; a task that fails inside Cellar is answered, too. Not for: running components (`performing.py`).
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import select
import signal
import struct
import sys
import threading

import msgspec

from nbcellar.errors import CellarError
from nbcellar.pipeline.model import Failure, Outcome, Task

_LENGTH = struct.Struct(">I")
READY = b"ready"


def main(arguments: list[str]) -> int:
    """Answer tasks until the pipe is closed."""
    tasks, outcomes = int(arguments[0]), int(arguments[1])
    threading.Thread(target=_end_with_parent, args=(tasks,), name="cellar-parent", daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal goes to all; the one who waits ends this
    os.environ.setdefault("MPLBACKEND", _inline_backend())
    from nbcellar.pipeline.performing import Performer

    performer = Performer()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    send(outcomes, READY)
    while (data := receive(tasks)) is not None:
        task = msgspec.msgpack.decode(data, type=Task)
        outcome = _answer(performer, task)
        send(outcomes, msgspec.msgpack.encode(outcome))
        if _is_all_data(task, outcome):
            with contextlib.suppress(Exception):  # what the next task begins with is cleared again, and that is told
                performer.clear()
    return 0


def _is_all_data(task: Task, outcome: Outcome) -> bool:
    """True if nothing happens when what a component made goes: where it is an open file, that is written then."""
    facts = outcome.facts
    if outcome.retire or outcome.failure is not None or task.again or facts is None or facts.written:
        return False
    return not any(value.reason for value in facts.values.values())


def _answer(performer: object, task: Task) -> Outcome:
    try:
        return performer.perform(task)  # type: ignore[attr-defined, no-any-return]
    except CellarError as error:
        message = error.message + (f" ({error.hint})" if error.hint else "")
        return Outcome(id=task.id, failure=Failure("Cellar", message), retire="it failed")
    except BaseException as error:
        return Outcome(id=task.id, failure=Failure(type(error).__name__, str(error)), retire="it failed")


def _end_with_parent(tasks: int) -> None:
    """End this process and all that it started once nobody can send it tasks: whoever started it was killed."""
    poll = select.poll()
    poll.register(tasks, 0)  # its end alone, not what there is to read
    while not poll.poll():
        pass
    if os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def send(descriptor: int, data: bytes) -> None:
    """Write one message."""
    view = memoryview(_LENGTH.pack(len(data)) + data)
    while view:
        view = view[os.write(descriptor, view) :]


def receive(descriptor: int) -> bytes | None:
    """Read one message; None at the end."""
    head = _exactly(descriptor, _LENGTH.size)
    return None if head is None else _exactly(descriptor, _LENGTH.unpack(head)[0])


def _exactly(descriptor: int, size: int) -> bytes | None:
    parts = []
    while size:
        part = os.read(descriptor, min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _inline_backend() -> str:
    """Return the backend of notebooks, found without importing matplotlib, which would choose one by then."""
    is_there = importlib.util.find_spec("matplotlib_inline") is not None
    return "module://matplotlib_inline.backend_inline" if is_there else "agg"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

__all__ = ["READY", "main", "receive", "send"]
