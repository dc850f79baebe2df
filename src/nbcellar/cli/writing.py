"""Where a command writes what it would print: a file that appears whole or not at all, or its own output."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from nbcellar.cli.console import Console
from nbcellar.errors import InvalidInputError


def write_lines(path: str | None, lines: Iterable[str], console: Console) -> None:
    """Write lines to a file, or print them as they come."""
    if path and path != "-":
        write_text(path, "".join(f"{line}\n" for line in lines), console)
        return
    for line in lines:
        console.print(line)


def write_json(path: str | None, value: object, console: Console) -> None:
    """Write one JSON document to a file, or print it."""
    if not path:
        console.json(value)
        return
    import msgspec

    write_text(path, msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n", console)


def write_text(path: str, text: str, console: Console) -> None:
    """Write a file, whole or not at all; - is the command's own output."""
    if path == "-":
        console.out.write(text)
        return
    target = console.folder / Path(path).expanduser()
    if not target.parent.is_dir():
        raise InvalidInputError(f"{target.parent} is no folder", hint="make it first, or give another file")
    if target.exists() and not target.is_file():
        target.write_text(text, "utf-8")  # a pipe, /dev/stdout
        return
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        aside.write_text(text, "utf-8", errors="backslashreplace")
        aside.replace(target)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


__all__ = ["write_json", "write_lines", "write_text"]
