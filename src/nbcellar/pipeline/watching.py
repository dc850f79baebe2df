"""What a component opens, lists, looks for and starts while it runs, seen through Python's audit events.

Invariant: digests of files are taken when the component is done, and only of those whose size and time are what they
were when it opened them; what changed under it is said. Files that libraries in C open by themselves are seen by the
system in the notebook's folder (`opened.py`), elsewhere where their path stands in the code as text. Not for: comparing
(`cache.py`).
"""

from __future__ import annotations

import os
import sys
import sysconfig
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import FrameType
from typing import Any

from nbcellar.components.paths import looks_like_path
from nbcellar.history.repository import FOLDER
from nbcellar.pipeline import looking
from nbcellar.pipeline.keys import FILE, file_digest, folder_digest, kind_of, time_of
from nbcellar.pipeline.looking import Look
from nbcellar.pipeline.opened import Opened

_PROGRAM = "it starts a program: what that reads is not watched"
_PROGRAMS = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.forkpty", "os.posix_spawn", "os.spawn"})
_MOST_FILES = 10_000
_TOO_MANY = f"it opened, or looked for, more than {_MOST_FILES} files: the others are not watched"
_INSTALLED = ("site-packages", "dist-packages")
_OWN_AT_HOME = (".cache", ".config", ".fonts", ".local/share/fonts", ".matplotlib", ".ipython", ".jupyter")
_Stamp = tuple[int, int, int] | None
_NOTHING: _Stamp = (-1, -1, -1)


class Watch:
    """The watch of one process. `begin`, `watching`, `end`: for each component; mutable."""

    def __init__(self) -> None:
        paths = sysconfig.get_paths()
        own = {paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib") if key in paths}
        own |= {os.path.realpath(folder) for folder in own}
        own |= {
            "/proc",
            "/sys",
            "/dev",
            "/etc",
            "/usr",
            os.path.realpath(sys.base_prefix),
            os.path.realpath(sys.prefix),
        }
        own |= {os.path.realpath(entry) for entry in sys.path if entry.endswith(_INSTALLED)}
        home = os.path.realpath(os.path.expanduser("~"))  # noqa: PTH111
        own |= {os.path.join(home, *name.split("/")) for name in _OWN_AT_HOME}  # noqa: PTH118
        self._settings = os.path.join(home, ".")  # noqa: PTH118 - what libraries look for there is theirs
        self._skipped = tuple(folder.rstrip(os.sep) + os.sep for folder in own)
        self._root = os.sep
        self._skipped_inside: tuple[str, ...] = self._skipped
        self._is_on = self._is_loading = False
        self._read: dict[str, _Stamp] = {}
        self._written: dict[str, None] = {}
        self._removed: set[str] = set()  # what Python took away last, of these
        self._listed: dict[str, frozenset[str] | None] = {}  # with the names in it then, where they are known
        self._databases: set[str] = set()
        self._before: dict[str, str] = {}  # of files that are written further
        self._mapped: set[str] = set()
        self._links: dict[str, str] = {}
        self._looked: dict[str, str] = {}  # what was there when it was looked for, and not opened
        self._asked: set[tuple[str, str, Look]] = set()
        self._times: dict[str, str] = {}
        self._is_too_much = False
        self._by_system: dict[str, None] = {}
        self._changed_by_system: set[str] = set()
        self._folders_by_system: set[str] = set()
        self._by_python: frozenset[str] = frozenset()
        self._before_programs: tuple[str, frozenset[str] | None] = ("", None)
        self.notes: dict[str, None] = {}
        self._inside = threading.local()
        self._opened_here = Opened()
        sys.addaudithook(self._hook)
        looking.install(self._is_looking, self._look, self._follow)

    def begin(self, root: str) -> None:
        """Forget what was before. root: the folder of the repository, which is watched wherever it is."""
        self._root = os.path.realpath(root) + os.sep
        inside = (folder for folder in self._skipped if folder.startswith(self._root))
        self._skipped_inside = (self._root + FOLDER + os.sep, *inside)
        self._read, self._written, self._listed, self.notes = {}, {}, {}, {}
        self._databases, self._by_system, self._before, self._links = set(), {}, {}, {}
        self._looked, self._asked, self._times, self._mapped = {}, set(), {}, set()
        self._is_too_much = False
        self._removed, self._folders_by_system, self._changed_by_system = set(), set(), set()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch what runs within; may be entered many times between `begin` and `end`."""
        self._opened_here.begin()
        self._is_on = True
        try:
            yield
        finally:
            self._is_on = False
            opened, changed = self._opened_here.take()
            self._folders_by_system |= self._opened_here.take_folders()
            self._by_system.update(dict.fromkeys(opened))
            self._changed_by_system |= changed
            self._by_python = frozenset(self._written)
            if _PROGRAM in self.notes:
                self._note_changed(changed)

    def given(self, maps: Collection[tuple[str, bool]]) -> None:
        """Note the files whose maps a component was given: path, and whether it can write there."""
        for path, writes in maps:
            real = self._followed(path)
            self._goes_on(real) if writes else self._add(real, writes=False)
            self._mapped |= {real} if writes else set()

    def _note_changed(self, paths: Collection[str]) -> None:
        """Take what was written while a program ran for what the program wrote."""
        for path in map(os.path.realpath, sorted(paths)):
            if not self._is_skipped(path):
                self._written[path] = None
                self._read.pop(path, None)

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Watch what modules do that are imported within, and nothing else."""
        self._is_on = self._is_loading = True
        try:
            yield
        finally:
            self._is_on = self._is_loading = False

    def end(self, named: Iterable[str] = (), modules: Collection[str] = (), *, programs: bool = False) -> Seen:
        """Return what was seen since `begin`.

        named: paths that stand in the code; modules: imported files; programs: the code starts such as may list
        folders, so that those which only the system saw opened count as listed.
        """
        if programs and _PROGRAM in self.notes:
            whole_folders = (os.path.realpath(folder) for folder in self._folders_by_system)
            known = dict([self._before_programs])
            for path in whole_folders:
                if not self._is_skipped(path + os.sep):
                    self._listed.setdefault(path, known.get(path))
        for path in (*sorted(self._by_system), *named):
            whole = self._followed(path)
            is_known = whole in self._written or whole in self._read or whole in modules
            is_there = os.path.isfile(whole)  # noqa: PTH113
            if not is_known and (is_there or looks_like_path(path)) and not self._is_skipped(whole):
                if is_there or not os.path.exists(whole):  # noqa: PTH110
                    self._read[whole] = _stamp(whole)
        for path in self._databases:  # whether it is written shows by now only
            if self._read.get(path, _NOTHING) != _stamp(path) and self._read.pop(path, _NOTHING) is not _NOTHING:
                self._written[path] = None
        for path in self._mapped & self._before.keys():
            if path not in self._written and file_digest(path) != self._before[path]:
                self._written[path] = None
                self._read.pop(path, None)
        looked = self._only_looked()
        before = {
            path: digest for path, digest in self._before.items() if path in self._written or path in self._mapped
        }
        unsure = [path for path, stamp in self._read.items() if _stamp(path) != stamp]
        for path in unsure:
            self.notes[f"{path} changed while it was read"] = None
        for path in sorted(path for path, names in self._listed.items() if self._is_other(path, names)):
            unsure.append(path)
            self.notes[f"the files in {path} changed while it was listed"] = None
        read = {path: file_digest(path) for path in self._read} | before | looked
        return Seen(
            files=dict(sorted(read.items())),
            folders={path: folder_digest(path) for path in sorted(self._listed)},
            written={path: file_digest(path) for path in sorted(self._written)},
            links=self._links,
            times={path: time for path, time in sorted(self._times.items()) if path not in self._written},
            removed=sorted(self._removed),
            notes=tuple(self.notes),
            unsure=_TOO_MANY if self._is_too_much else "a file changed while it was read" if unsure else "",
        )

    def _is_other(self, folder: str, names: frozenset[str] | None) -> bool:
        """True if somebody else added files to a folder, or took some away, since it was listed."""
        if names is None:
            return False
        own = {os.path.basename(path) for path in self._by_python if os.path.dirname(path) == folder}  # noqa: PTH119, PTH120
        return bool((names ^ _names_in(folder)) - own)

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self._is_on or event not in _EVENTS or getattr(self._inside, "on", False):
            return
        self._inside.on = True
        try:
            if self._is_loading and not _is_below_import():
                return
            if event not in _BY_IMPORTS or not _is_import(event, args):
                self._note(event, args)
        except Exception:  # watching must not fail what is watched
            pass
        finally:
            self._inside.on = False

    def _note(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            self._opened(args)
        elif event in ("os.listdir", "os.scandir"):
            path = self._followed(os.fsdecode(args[0] if args and args[0] is not None else "."))
            if not self._is_skipped(path + os.sep):
                self._listed.setdefault(path, _names_in(path))
                self._look_at_entries(path, sys._getframe(2))
        elif event == "sqlite3.connect":
            path = str(args[0])
            if path and not path.startswith((":", "file:")):
                whole = self._followed(path)
                self._goes_on(whole)
                self._add(whole, writes=False)
                self._databases.add(whole)
        elif event in _CHANGES_ENTRIES:
            for at, beside in _CHANGES_ENTRIES[event]:
                place = args[at]
                if isinstance(place, str | bytes | os.PathLike):
                    path = _entry(_folder_of(args[beside] if beside < len(args) else -1), os.fsdecode(place))
                    if not self._is_skipped(path):
                        self._written[path] = None
                        (self._removed.add if (event, at) in _TAKES_AWAY else self._removed.discard)(path)
        elif event == "socket.connect":
            self.notes["it uses the network: what it gets from there is not watched"] = None
        else:
            if _PROGRAM not in self.notes:  # who listed a folder before that was Python, in order to import
                here = os.path.realpath(".")
                self._before_programs = (here, _names_in(here))
                self._opened_here.skip_folders()  # this look was one of them
            self.notes[_PROGRAM] = None

    def _opened(self, args: tuple[Any, ...]) -> None:
        place, mode, flags = args
        if isinstance(place, int):
            return
        writes = bool(isinstance(mode, str) and set(mode) & set("wax+")) or bool(
            isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        )
        path = self._followed(os.fsdecode(place))
        if not os.path.isdir(path):  # noqa: PTH112 - a file without a name in it, or no file
            if writes and not (isinstance(mode, str) and set(mode) & set("wx")) and not flags & os.O_TRUNC:
                self._goes_on(path)
            self._add(path, writes=writes)

    # what is looked for -------------------------------------------------------------------------------------------

    def _is_looking(self) -> bool:
        return self._is_on and not getattr(self._inside, "on", False)

    def _look(self, path: str, look: Look) -> None:
        self._inside.on = True
        try:
            if not self._is_loading or _is_below_import():
                self._looks(path, look)
        except Exception:  # as in the hook
            pass
        finally:
            self._inside.on = False

    def _follow(self, path: str) -> None:
        self._inside.on = True
        try:
            if not self._is_loading and not self._is_skipped(path):
                self._followed(path)
        except Exception:
            pass
        finally:
            self._inside.on = False

    def _looks(self, path: str, look: Look) -> None:
        here = os.getcwd()  # noqa: PTH109
        if (path, here, look) in self._asked or self._is_skipped(os.path.join(here, path)):  # noqa: PTH118
            return
        self._asked.add((path, here, look))
        real = self._followed(path)
        is_library = look.asker.startswith(self._skipped)
        if self._is_skipped(real) or (here + os.sep).startswith(real.rstrip(os.sep) + os.sep):
            return
        if is_library and real.startswith(self._settings) and not real.startswith(self._root):
            return
        kind = kind_of(real)
        if look.times == "written" and not is_library:
            self._times.setdefault(real, time_of(real))
        elif look.times == "other" and not is_library:
            self.notes[f"it asks when {path} was made or read last: that is not compared"] = None
        if look.is_question or kind != FILE:
            self._is_there(real, kind)
        else:
            self._add(real, writes=False)

    def _is_there(self, path: str, kind: str) -> None:
        if path in self._written or path in self._looked:
            return
        if len(self._looked) >= _MOST_FILES:
            self._is_too_much = True
        else:
            self._looked[path] = kind

    def _only_looked(self) -> dict[str, str]:
        """Return what was there where the component looked and did nothing else, or did not read that.

        What came, went or was written since is counted as written by it, as a library in C does that; and as looked
        for, too: if it was somebody else, who stands before it, it met what it should not.
        """
        found = {}
        changed = set(map(os.path.realpath, self._changed_by_system)) if self._looked else set()
        for path, kind in self._looked.items():
            is_other = kind_of(path) != kind or (path in changed and path not in self._read)
            if path not in self._written and is_other:
                self._written[path] = None
                self._read.pop(path, None)
                found[path] = kind
            elif path not in self._written and path not in self._read:
                found[path] = kind
        return found

    def _look_at_entries(self, folder: str, frame: FrameType | None) -> None:
        """What is listed with sizes and times, by `os.scandir`, counts as looked at."""
        asker = looking.asker_of(frame)
        if asker is not frame or asker is None or not looking.speaks_of(asker.f_code, "stat"):
            return
        look = Look(is_question=False, times=looking.times_of(asker.f_code), asker=asker.f_code.co_filename)
        for name in sorted(_names_in(folder)):
            self._looks(os.path.join(folder, name), look)  # noqa: PTH118

    def _goes_on(self, path: str) -> None:
        """What was in a file that is written further belongs to what the component read."""
        if path not in self._before and path not in self._written and not self._is_skipped(path):
            self._before[path] = file_digest(path)

    def _followed(self, path: str) -> str:
        """Return where a path leads; by way of links, that is something else that can change."""
        real, named = os.path.realpath(path), os.path.join(os.getcwd(), path)  # noqa: PTH109, PTH118
        if os.path.normpath(named) != real and not self._is_skipped(real):
            self._links[named] = real
        return real

    def _add(self, path: str, *, writes: bool) -> None:
        if self._is_skipped(path):
            return
        if len(self._read) + len(self._written) >= _MOST_FILES:
            self._is_too_much = True
            return
        if writes:
            self._written[path] = None
            self._removed.discard(path)
            self._read.pop(path, None)
        elif path not in self._written and path not in self._read:
            self._read[path] = _stamp(path)

    def _is_skipped(self, path: str) -> bool:
        skipped = self._skipped_inside if path.startswith(self._root) else self._skipped
        return path.startswith(skipped) or path.endswith((".pyc", ".pyo"))


class Seen:
    """What a watch saw. removed: what was taken away last, of what was written. unsure: why that is not all, as where a
    file that was read changed meanwhile."""

    def __init__(
        self,
        *,
        files: dict[str, str],
        folders: dict[str, str],
        written: dict[str, str],
        links: dict[str, str],
        times: dict[str, str],
        removed: list[str],
        notes: tuple[str, ...],
        unsure: str,
    ) -> None:
        self.files, self.folders, self.written, self.links, self.times = files, folders, written, links, times
        self.removed, self.notes, self.unsure = removed, notes, unsure


# What makes, moves or takes away entries of folders; which of its arguments say where, and the descriptor of the folder
# that this is relative to: `shutil.rmtree` works with these.
_CHANGES_ENTRIES: dict[str, tuple[tuple[int, int], ...]] = {
    "os.rename": ((0, 2), (1, 3)),
    "os.remove": ((0, 1),),
    "os.mkdir": ((0, 2),),
    "os.rmdir": ((0, 1),),
    "os.symlink": ((1, 2),),
    "os.link": ((1, 3),),
    "os.truncate": ((0, 2),),
}
_TAKES_AWAY = {("os.rename", 0), ("os.remove", 0), ("os.rmdir", 0)}
_EVENTS = frozenset({"open", "os.listdir", "os.scandir", "sqlite3.connect", "socket.connect"} | _PROGRAMS).union(
    _CHANGES_ENTRIES
)


_BY_IMPORTS = frozenset({"open", "os.listdir", "os.scandir"})
_OF_MODULES = (".py", ".pyc", *EXTENSION_SUFFIXES)
_OF_DISTRIBUTIONS = ("importlib.metadata", "importlib_metadata")
_METADATA_FRAMES = 4


def _is_import(event: str, args: tuple[Any, ...]) -> bool:
    """True where Python looks for modules and for what is installed; these are told apart by `imported.py`.

    What the code of a module opens while it is imported is none of this, nor is data that its loader reads.
    """
    frame = sys._getframe(3)
    if frame.f_code.co_filename.startswith("<frozen importlib"):
        return event != "open" or str(args[0]).endswith(_OF_MODULES)
    for _ in range(_METADATA_FRAMES):
        if frame.f_globals.get("__name__") in _OF_DISTRIBUTIONS:
            return True
        if frame.f_back is None:
            break
        frame = frame.f_back
    return False


def _is_below_import() -> bool:
    """True for what the code of a module does while it is imported."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _folder_of(descriptor: object) -> str:
    """Return the folder that a descriptor is for; the working folder for none."""
    if isinstance(descriptor, int) and descriptor >= 0:
        return os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115
    return os.getcwd()  # noqa: PTH109


def _entry(start: str, path: str) -> str:
    """Return the whole path of an entry in a folder, which is not followed if it is a link."""
    folder, name = os.path.split(os.path.join(start, path.rstrip(os.sep)))  # noqa: PTH118
    return os.path.join(os.path.realpath(folder), name)  # noqa: PTH118


def _names_in(folder: str) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))
    except OSError:
        return frozenset()


def _stamp(path: str) -> _Stamp:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


__all__ = ["Seen", "Watch"]
