"""What the command line and pytest's configuration say of notebooks.

Invariant: the command line comes before the configuration; lists of both are joined. What is wrong is told before any
notebook is read.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nbcellar.errors import CellarError
from nbcellar.testing.rules import Rules, check_number
from nbcellar.testing.running import Conditions
from nbcellar.testing.sanitizing import Replacement, read_replacements


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for the whole run. files: patterns of names."""

    rules: Rules
    conditions: Conditions
    files: tuple[str, ...]
    update: bool = False
    replacements: tuple[Replacement, ...] = ()


def settings_of(config: pytest.Config) -> Settings:
    """Return the settings. Raises pytest.UsageError."""
    try:
        default = Rules()
        return Settings(
            rules=Rules(
                compare=not _chosen(config, "lax"),
                absolute=_number(config, "absolute", default.absolute),
                relative=_number(config, "relative", default.relative),
                timeout=_number(config, "timeout", default.timeout),
                ignore=tuple(name for value, _ in _list(config, "ignore") for name in value.replace(",", " ").split()),
            ),
            conditions=Conditions(
                environ=dict(os.environ),
                kernel=_chosen(config, "kernel") or "",
                keep_going=bool(_chosen(config, "keep_going")),
                record=bool(_chosen(config, "record")),
            ),
            files=tuple(config.getini("notebooks_files")),
            update=bool(config.getoption("notebooks_update")),
            replacements=tuple(pair for name, folder in _list(config, "sanitize") for pair in _read(folder / name)),
        )
    except CellarError as error:
        raise pytest.UsageError(said(error)) from None


def said(error: CellarError) -> str:
    """Return an error with its hint."""
    return f"{error.message}\nhint: {error.hint}" if error.hint else error.message


def _chosen(config: pytest.Config, name: str) -> Any:
    option = config.getoption(f"notebooks_{name}")
    return config.getini(f"notebooks_{name}") if option is None else option


def _number(config: pytest.Config, name: str, default: float) -> float:
    text = _chosen(config, name)
    if text in (None, ""):
        return default
    try:
        number = float(text)
    except ValueError:
        raise pytest.UsageError(f"notebooks_{name} must be a number, 0 or more, not '{text}'") from None
    return check_number(number, f"notebooks_{name}")


def _list(config: pytest.Config, name: str) -> list[tuple[str, Path]]:
    """Return the values of both places, each with the folder that its paths begin at."""
    root = config.inipath.parent if config.inipath is not None else config.rootpath
    ini = [(value, root) for value in config.getini(f"notebooks_{name}") or ()]
    return ini + [(value, config.invocation_params.dir) for value in config.getoption(f"notebooks_{name}") or ()]


def _read(path: Path) -> tuple[Replacement, ...]:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise pytest.UsageError(f"{path}, the file of notebooks_sanitize, cannot be read: {why}") from None
    return read_replacements(text, str(path))


__all__ = ["Settings", "said", "settings_of"]
