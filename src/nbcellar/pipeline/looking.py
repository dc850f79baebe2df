"""Which paths a component looks at without opening them: `os.stat`, `os.path.exists`, `Path.is_file`, `os.access`.

Python has no audit event for these. So a worker puts functions of its own into `os`, through which `os.path`,
`pathlib`, `glob` and `shutil` go as well; what imports modules has those of `posix` and is not slowed down. Invariant:
the functions do what they did, and are in the sets in which they were (`os.supports_fd`). Not seen: what code in C
asks the system, `os.DirEntry.stat` in a function that was not given the folder's name, descriptors. Not for: what is
made of a look (`watching.py`).
"""

from __future__ import annotations

import functools
import glob
import os
import pathlib
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, NamedTuple

_BETWEEN = frozenset(
    {
        *("os", "posixpath", "genericpath", "ntpath", "glob", "shutil", "pathlib", "pathlib._local", "pathlib._abc"),
        *("pathlib._os", "pathlib.types"),
    }
)
_NOT_ASKING = frozenset(
    """IPython executing importlib importlib_metadata inspect ipykernel jedi linecache matplotlib_inline nbcellar
    pkgutil stack_data tempfile tokenize traceback traitlets zipimport""".split()
)
"""They look for code, or for a place of their own: no result depends on that."""
_FOLLOWING = frozenset({"realpath", "_joinrealpath", "resolve"})
_QUESTIONS = frozenset(
    """_lexists access exists is_block_device is_char_device is_dir is_fifo is_file is_mount is_socket is_symlink
    isdir isfile isjunction islink ismount lexists select_exists""".split()
)
_TIMES = frozenset({"st_mtime", "st_mtime_ns"})
_OTHER_TIMES = frozenset({"st_atime", "st_atime_ns", "st_ctime", "st_ctime_ns", "st_birthtime"})
_OF_TIMES = {"getmtime": "written", "getatime": "other", "getctime": "other"}


class Look(NamedTuple):
    """Who looks and what for. is_question: whether something is there, and of which kind.

    times: "written" or "other", where the code speaks of when a file was written, or was read or made.
    """

    is_question: bool
    times: str
    asker: str


def install(is_on: Callable[[], bool], note: Callable[[str, Look], None], follow: Callable[[str], object]) -> None:
    """Have looks told while `is_on`: note(path, look); follow(path) where a link is followed. They must not raise."""

    def tell(path: Any, options: dict[str, Any], frame: FrameType, *, is_question: bool) -> None:
        if isinstance(path, str | bytes | os.PathLike) and options.get("dir_fd") is None:
            look = _look(frame, is_question=is_question)
            if look is not None:
                note(os.fsdecode(path), look)

    def wrap(name: str, *, is_question: bool = False) -> Any:
        real = getattr(os, name)

        @functools.wraps(real)
        def looking(path: Any, *values: Any, **options: Any) -> Any:
            __tracebackhide__ = True
            if is_on():
                tell(path, options, sys._getframe(1), is_question=is_question)
            return real(path, *values, **options)

        return looking

    read_link = os.readlink

    @functools.wraps(read_link)
    def following(path: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        if is_on() and options.get("dir_fd") is None and isinstance(path, str | bytes | os.PathLike):
            follow(os.fsdecode(path))
        return read_link(path, **options)

    functions = {"stat": wrap("stat"), "lstat": wrap("lstat"), "access": wrap("access", is_question=True)}
    for name, function in (functions | {"readlink": following}).items():
        _replace(name, function)


def speaks_of(code: CodeType, *names: str) -> bool:
    """True for code, or code in it, that has an attribute of such a name."""
    inner = (part for part in code.co_consts if isinstance(part, CodeType))
    return not frozenset(names).isdisjoint(code.co_names) or any(speaks_of(part, *names) for part in inner)


def asker_of(frame: FrameType | None) -> FrameType | None:
    """Return the frame that asks, beyond what in the standard library goes between."""
    while frame is not None and frame.f_globals.get("__name__") in _BETWEEN:
        frame = frame.f_back
    return frame


def times_of(code: CodeType) -> str:
    """Return of which times some code speaks, as in `Look.times`."""
    return "written" if speaks_of(code, *_TIMES) else "other" if speaks_of(code, *_OTHER_TIMES) else ""


def _look(frame: FrameType | None, *, is_question: bool) -> Look | None:
    times = ""
    while frame is not None and frame.f_globals.get("__name__") in _BETWEEN:
        word = frame.f_code.co_name
        if word in _FOLLOWING:
            return None  # told by the links that it comes to
        is_question = is_question or word in _QUESTIONS
        times = _OF_TIMES.get(word, times)
        frame = frame.f_back
    if frame is None:
        return None
    asker = frame.f_globals.get("__name__")
    if not isinstance(asker, str) or asker.partition(".")[0] in _NOT_ASKING:
        return None
    return Look(is_question, times or ("" if is_question else times_of(frame.f_code)), frame.f_code.co_filename)


def _replace(name: str, function: Any) -> None:
    real = getattr(os, name)
    function.__module__ = "os"  # so that a name for it goes from one component to the next as any function of `os`
    for group in (os.supports_fd, os.supports_dir_fd, os.supports_follow_symlinks, os.supports_effective_ids):
        if real in group:
            group.add(function)
    setattr(os, name, function)
    for holder in (
        getattr(pathlib, "_NormalAccessor", None),
        getattr(glob, "_StringGlobber", None),
    ):  # of 3.10, of 3.13
        if getattr(holder, name, None) is real:
            setattr(holder, name, staticmethod(function))


__all__ = ["Look", "asker_of", "install", "speaks_of", "times_of"]
