"""Where a command writes what it would print: a file that appears whole or not at all, or its own output."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nbcellar.cli.console import Console
from nbcellar.errors import InvalidInputError

if TYPE_CHECKING:
    import subprocess


def write_lines(path: str | None, lines: Iterable[str], console: Console) -> None:
    """Write lines to a file, or print them as they come."""
    if path and path != "-":
        write_text(path, "".join(f"{line}\n" for line in lines), console)
        return
    with paged(console) as write:
        for line in lines:
            write(line + "\n")


@contextlib.contextmanager
def paged(console: Console) -> Iterator[Callable[[str], object]]:
    """Give what writes a text: to a pager where somebody sits before a terminal, else to the command's output.

    The pager is `CELLAR_PAGER`, `GIT_PAGER` or `PAGER`, else less; empty or cat: none. Text that fits the screen stays
    there. Leaving the pager early is no error.
    """
    pager = _start_pager(console)
    if pager is None:
        yield console.out.write
        return
    assert pager.stdin is not None
    try:
        with contextlib.suppress(BrokenPipeError):
            yield pager.stdin.write
            pager.stdin.close()
    finally:
        with contextlib.suppress(BrokenPipeError, ValueError):
            pager.stdin.close()
        while pager.poll() is None:
            with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is for the pager
                pager.wait()


def _start_pager(console: Console) -> subprocess.Popen[str] | None:
    if not _is_terminal(console) or console.environ.get("TERM") in (None, "", "dumb"):
        return None
    names = (console.environ.get(name) for name in ("CELLAR_PAGER", "GIT_PAGER", "PAGER"))
    command = next((name for name in names if name is not None), "less")
    if command.strip() in ("", "cat"):
        return None
    import shlex
    import subprocess

    # As git starts less: colours pass, and a text that fits one screen is not cleared away.
    environ = {"LESS": "FRX", "LV": "-c", **console.environ}
    try:
        return subprocess.Popen(
            shlex.split(command), stdin=subprocess.PIPE, env=environ, text=True, encoding="utf-8", errors="replace"
        )
    except (OSError, ValueError):  # not installed
        return None


def _is_terminal(console: Console) -> bool:
    """Return whether the command's output is the process's own, and a terminal."""
    try:
        return console.out is sys.stdout and sys.stdout.isatty()
    except ValueError:  # closed
        return False


def write_json(path: str | None, value: object, console: Console) -> None:
    """Write one JSON document to a file, or print it."""
    if not path:
        console.json(value)
        return
    import msgspec

    write_text(path, msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n", console)


def write_text(path: str, text: str, console: Console) -> None:
    """Write a file, whole or not at all; - is the command's own output. Raises InvalidInputError when that fails."""
    if path == "-":
        console.out.write(text)
        return
    target = console.folder / Path(path).expanduser()
    if not target.parent.is_dir():
        raise InvalidInputError(f"{target.parent} is no folder", hint="make it first, or give another file")
    if target.exists() and not target.is_file():
        target.write_text(text, "utf-8")  # a pipe, /dev/stdout
        return
    hint = "the file is as it was" if target.exists() else "nothing was written"
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        aside.write_text(text, "utf-8", errors="backslashreplace")
        aside.replace(target)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise InvalidInputError(f"cannot write {path}: {error.strerror or error}", hint=hint) from error
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


__all__ = ["write_json", "write_lines", "write_text"]
