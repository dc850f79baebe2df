"""Settings for cleaning that a project shares: committed files, in any folder from the project's root downwards.

    defaults < the user's file < pyproject.toml and cellar.toml, outermost folder first
             < .cellar/config.toml < environment

Invariant: files outside the project (the folder with `.git` around a notebook, else the one with `.cellar`, else the
notebook's own folder) are never read, so what somebody puts into /tmp changes nothing.

Not for: other settings; they are each user's own, as `.cellar/` is not committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from nbcellar import config
from nbcellar.config.documents import Clean
from nbcellar.errors import InvalidInputError

FILE_NAME = "cellar.toml"
_PYPROJECT = "pyproject.toml"
FILE_NAMES = frozenset({FILE_NAME, _PYPROJECT})
_SECTION = "clean"


class CleanSettings:
    """The settings of folders, each read once."""

    def __init__(
        self,
        environ: Mapping[str, str],
        given: Mapping[str, Any] | None = None,
        *,
        read: Callable[[Path], str] | None = None,
    ) -> None:
        """given: fields of Clean that were asked for, which win. read: returns the text of a file, "" for none."""
        self._read = read or read_shared
        self._environ = environ
        self._given = dict(given or {})
        self._folders: dict[Path, dict[str, Any]] = {}
        self._always: tuple[dict[str, Any], dict[str, Any]] | None = None

    def of(self, folder: Path) -> Clean:
        """Return the settings for notebooks in a folder. Raises InvalidInputError naming file and key."""
        if self._always is None:
            self._always = self._of_the_user()
        weakest, strongest = self._always
        own = _with(folder, ".cellar")
        fields = dict(weakest)
        for each in _from_to(project_folder(folder), folder):
            fields |= self._shared(each)
        if own is not None:
            fields |= _fields(config.read_values(own / ".cellar" / config.FILE_NAME))
        fields |= {**strongest, **self._given}
        return msgspec.convert(fields, Clean) if fields else Clean()  # to make ready for converting takes 4 ms

    def is_project(self, folder: Path) -> bool:
        """Return whether Cellar was initialised for a folder, or its project has settings for cleaning."""
        if _with(folder, ".cellar") is not None:
            return True
        return any(self._shared(each) for each in _from_to(project_folder(folder), folder))

    def _of_the_user(self) -> tuple[dict[str, Any], dict[str, Any]]:
        environ = self._environ
        from_variables = [
            (name, config.parse_text(config.KEYS[name], text, where=variable))
            for variable, name, text in config.variables(environ)
        ]
        return _fields(config.read_values(config.user_file(environ))), _fields(from_variables)

    def _shared(self, folder: Path) -> dict[str, Any]:
        if folder not in self._folders:
            self._folders[folder] = {**self._from_pyproject(folder), **self._from_file(folder)}
        return self._folders[folder]

    def _from_pyproject(self, folder: Path) -> dict[str, Any]:
        path = folder / _PYPROJECT
        text = self._read(path)
        if "cellar" not in text:  # most have nothing of ours, and parsing takes longer than looking
            return {}
        tool = config.parse_toml(text, path).get("tool")
        own = tool.get("cellar") if isinstance(tool, dict) else None
        return _checked(own, path) if isinstance(own, dict) else {}

    def _from_file(self, folder: Path) -> dict[str, Any]:
        path = folder / FILE_NAME
        return _checked(config.parse_toml(self._read(path), path), path)


def read_shared(path: Path) -> str:
    """Return the text of a shared file of settings, "" where there is none."""
    return config.read_text(path) if path.is_file() else ""


def project_folder(folder: Path) -> Path:
    """Return the folder of the project that `folder` (an absolute path) is in; `folder` itself if it is in none."""
    return _with(folder, ".git") or _with(folder, ".cellar") or folder


def _with(folder: Path, name: str) -> Path | None:
    return next((each for each in (folder, *folder.parents) if (each / name).exists()), None)


def _from_to(root: Path, folder: Path) -> list[Path]:
    return [each for each in reversed((folder, *folder.parents)) if each == root or root in each.parents]


def _checked(sections: dict[str, Any], path: Path) -> dict[str, Any]:
    for section in sections:
        if section != _SECTION:
            raise InvalidInputError(
                f"{path}: '{section}' is nothing that a project shares",
                hint=f"a section [{_SECTION}] may stand there; other settings: cellar config KEY VALUE",
            )
    return _fields(config.check_values(sections, path))


def _fields(values: Iterator[tuple[str, Any]] | list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the values of [clean], by field."""
    found = ((name.partition("."), value) for name, value in values)
    return {field: value for (section, _, field), value in found if section == _SECTION}
