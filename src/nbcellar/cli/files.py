"""Names of notebook files on a command line, for the commands that take several files and folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from nbcellar.cli.console import Console
from nbcellar.errors import CellarError


def names_of(words: list[str], console: Console) -> Iterator[str]:
    """Yield the names of files; a folder stands for the notebooks in it and below."""
    from nbcellar.api.notebook_files import find_notebooks

    for word in words:
        path = absolute(word, console)
        if path.is_dir():
            yield from (str(Path(word) / each.relative_to(path)) for each in find_notebooks(path))
        else:
            yield word


def absolute(name: str, console: Console) -> Path:
    """Return the path that a name on the command line means; links in it are not followed."""
    return Path(os.path.normpath(console.folder.absolute() / Path(name).expanduser()))


def reason(error: Exception, name: str) -> str:
    """Return why a file could not be read or written."""
    if isinstance(error, MemoryError):
        return f"{name}: there is not enough memory"
    return error.message if isinstance(error, CellarError) else f"{name}: {getattr(error, 'strerror', None) or error}"
