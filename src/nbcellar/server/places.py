"""From a path as Jupyter knows it to a file below the server's root, and to the repository around it.

Invariant: no path leads out of the server's root, by `..`, by a symbolic link or by being absolute, nor to a hidden
file, unless the server shows these. What is told of files outside is their name, never where they are.

The root keeps requests apart from what the server does not show. It is no wall against who can write below it, or run
code in a kernel: these have the rights of the server's user.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath, PureWindowsPath

from nbcellar.api import Repo, open_repo
from nbcellar.api.asking import Asking
from nbcellar.api.merging_handed import HandedMerges
from nbcellar.errors import InvalidInputError, NotFoundError
from nbcellar.server.held import Held
from nbcellar.server.messages import Event
from nbcellar.server.pipeline_runs import PipelineRuns

# What Linux takes at most.
_LONGEST = 4096
_DRIVE = re.compile(r"([A-Za-z][\w.+-]*):")
# An absolute path in a message: no part of a URL or of a relative path, two names deep at least.
_ABSOLUTE = re.compile(r"""(?<![\w.:/~-])(?:[A-Za-z]:)?(?:[/\\][^\s'"`,;:()<>/\\]+)+[/\\]([^\s'"`,;:()<>/\\]+)""")


class Place:
    """A notebook or folder that a request is about."""

    def __init__(
        self,
        root: Path,
        file: Path,
        environ: Mapping[str, str],
        *,
        shows: Callable[[Path], bool],
        asking: Asking | None = None,
    ) -> None:
        self.root = root
        self.file = file
        self.environ = environ
        self._shows = shows
        self._asking = asking

    @property
    def folder(self) -> Path:
        """The folder that the place is or lies in."""
        return self.file if self.file.is_dir() else self.file.parent

    @property
    def is_notebook(self) -> bool:
        """True unless the place is a folder."""
        return not self.file.is_dir()

    def open(self, *, notice: Callable[[str], None] = lambda text: None) -> Repo:
        """Open the repository around the place, in the thread that uses it. Raises NoRepositoryError."""
        name = str(self.file) if self.is_notebook else None
        return open_repo(
            self.folder, environ=self.environ, notebook=name, notice=notice, asking=self._asking, shows=self._shows
        )


@dataclass(frozen=True)
class Places:
    """Finds places below one root.

    cancel: takes back a request by its name. asking: the request that asks, which can be followed. elsewhere: what
    keeps the server's notebooks, if that is not the disk. held: what the server keeps for a while. merges: what came
    with the process. runs: those of pipelines. tell: sends an event to who subscribed to a path.
    """

    root: Path
    environ: Mapping[str, str]
    cancel: Callable[[str], bool] = lambda name: False
    asking: Asking | None = None
    allow_hidden: bool = False
    elsewhere: str = ""
    held: Held = field(default_factory=Held)
    merges: HandedMerges = field(default_factory=lambda: HandedMerges({}))
    runs: PipelineRuns = field(default_factory=PipelineRuns)
    tell: Callable[[str, Event], None] = lambda path, event: None

    def __post_init__(self) -> None:
        """Resolve the root once: it may be, or lie behind, a symbolic link."""
        object.__setattr__(self, "root", self.root.resolve())

    def asked_by(self, asking: Asking) -> Places:
        """Return the same places for one request."""
        return replace(self, asking=asking)

    def find(self, path: str) -> Place:
        """Return the place of a contents path, as in `notebooks/a.ipynb`. Raises InvalidInputError, NotFoundError."""
        if self.elsewhere:
            raise InvalidInputError(
                f"this server keeps its notebooks in {self.elsewhere}, not in files",
                hint="Cellar records notebooks that are files on the machine of the Jupyter server",
            )
        if len(path) > _LONGEST:  # each of its parts is looked at
            raise InvalidInputError(f"a path of {len(path):,} characters is no path below the server's folder")
        parts = PurePosixPath(path.lstrip("/")).parts
        if not _is_path(path) or ".." in parts or Path(*parts, "x").is_absolute():
            raise InvalidInputError(f"{path!r} is no path below the server's folder")
        file = self.root.joinpath(*parts)
        self._require_inside(path, file)
        if (drive := _DRIVE.match(path)) and not file.exists():
            raise InvalidInputError(
                f"{path} lies on the drive '{drive[1]}', not on the disk of the server",
                hint="Cellar records notebooks that are files on the machine of the Jupyter server",
            )
        return Place(self.root, file, self.environ, shows=self.shows, asking=self.asking)

    def notebook(self, path: str) -> Place:
        """Return the place of a notebook, which may not be there. Raises as `find` does, and for a folder."""
        place = self.find(path)
        if not place.is_notebook:
            raise InvalidInputError(f"{path or 'this'} is a folder, not a notebook")
        return place

    def shows(self, file: Path) -> bool:
        """True if a file, which may not be there any more, lies below the root and is not hidden."""
        try:
            self._require_inside(file.name, file)
        except (InvalidInputError, NotFoundError):
            return False
        return True

    def shown(self, folder: Path) -> str:
        """Return a folder's path below the root, as in `/analysis`; of one above it, how far."""
        relative = Path(os.path.relpath(folder.resolve(), self.root)).as_posix()
        return relative if relative.startswith("..") else "/" if relative == "." else f"/{relative}"

    def path_of(self, file: Path) -> str:
        """Return the contents path of a file that is shown; it may not be there any more."""
        return (file.parent.resolve() / file.name).relative_to(self.root).as_posix()

    def hide(self, text: str) -> str:
        """Return a message with paths relative to the root, and only the names of what lies elsewhere."""
        if self.root != Path(self.root.anchor):
            text = re.sub(rf"{re.escape(str(self.root))}(?:{re.escape(os.sep)}|(?![\w.-]))", "", text)
        for folder in (self.environ.get("HOME", ""), str(Path.cwd())):
            if len(folder) > 1:
                text = text.replace(folder + os.sep, "~/")
        return _ABSOLUTE.sub(r"\1", text)

    def _require_inside(self, path: str, file: Path) -> None:
        try:
            real = file.resolve()
            file.exists()
            leads_nowhere = any(each.is_symlink() for each in (real, *real.parents))  # a loop, from Python 3.13 on
        except (OSError, RuntimeError):  # a name that is too long, a loop of links
            leads_nowhere = True
        if leads_nowhere:
            raise InvalidInputError(f"{path!r} is no path below the server's folder")
        if not real.is_relative_to(self.root):
            raise InvalidInputError(
                f"{path} lies outside the folder that this server shows", hint="start the server in a folder above it"
            )
        named = file.relative_to(self.root).parts if file.is_relative_to(self.root) else ()
        names = (*named, *real.relative_to(self.root).parts)
        if not self.allow_hidden and any(name.startswith(".") for name in names):
            raise NotFoundError(f"{path} is hidden, and this server shows no hidden files")


def _is_path(path: str) -> bool:
    """False for what no file can be called."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in path and not (os.name == "nt" and (PureWindowsPath(path).drive or "\\" in path))


__all__ = ["Place", "Places"]
