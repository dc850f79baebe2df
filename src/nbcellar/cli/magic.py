"""`%cellar ...` and `%load_ext nbcellar`: the commands inside a kernel.

Invariant: a `%cellar` line says what the command line would say; it is no step of the recorded history.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from nbcellar.errors import CellarError


def load(shell: Any) -> None:
    """Join recording and register `%cellar`; an error is a sentence, not a traceback."""
    from nbcellar.session import remote
    from nbcellar.session.join import join

    register(shell)
    already = remote.current() is not None
    try:
        recorder = join(shell)
    except CellarError as error:
        _say(error)
        return
    from nbcellar.cli.notices import watch

    if not already:
        watch(shell, recorder)
    sys.stdout.write(f"Cellar records this session in {recorder.session.repo.root / '.cellar'}\n")


def unload(shell: Any) -> None:
    """Stop recording; what is recorded stays."""
    from nbcellar.session import remote

    if remote.current() is not None:
        remote.perform("detach", {})


def welcome(shell: Any) -> None:
    """Register `%cellar` in a kernel that has just started, and offer the last session."""
    from nbcellar.cli.notices import watch
    from nbcellar.cli.offer import offer
    from nbcellar.session import remote

    register(shell)
    recorder = remote.current()
    if recorder is not None:
        offer(shell, recorder)
        watch(shell, recorder)


def complain(shell: Any) -> None:
    """Register `%cellar` in a kernel that does not record, and say why beside the first output if it should."""
    from nbcellar.cli.notices import say_once
    from nbcellar.session.join import failure

    register(shell)  # `%cellar status` says why
    error = failure()
    if error is not None:
        hint = f"hint: {error.hint}\n" if error.hint else ""
        say_once(shell, f"Cellar does not record this notebook: {error.message}\n{hint}")


def register(shell: Any) -> None:
    """Make `%cellar` known to the shell."""
    shell.register_magic_function(_cellar, magic_kind="line", magic_name="cellar")


def _cellar(line: str) -> None:
    from nbcellar.cli.main import run_line
    from nbcellar.session import remote
    from nbcellar.session.join import reason

    recorder = remote.current()
    if recorder is not None:
        try:
            recorder.session.wait_saved()  # what the cell before did is part of what is asked about
        except CellarError as error:
            _say(error)
    requests = remote.local_requests()
    folder = Path(recorder.path).parent if recorder is not None else Path.cwd()
    # By its id: the notebook may have another name by now than when its kernel started.
    name = recorder.session.notebook if recorder is not None else None
    sys.stdout.write(run_line(line, kernel_requests=requests or _not_recording, folder=folder, notebook=name))
    if recorder is None and line.split()[:1] in (["status"], ["doctor"]):
        sys.stdout.write(f"this kernel does not record: {reason() or 'to join, %load_ext nbcellar'}\n")


def _not_recording(notebook: Any, command: str, args: Any) -> dict[str, Any]:
    from nbcellar.session import remote

    return remote.perform(command, args)


def _say(error: CellarError) -> None:
    sys.stderr.write(f"error: {error}\n" + (f"hint: {error.hint}\n" if error.hint else ""))
