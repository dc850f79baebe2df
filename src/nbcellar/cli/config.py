"""Show or change settings.

cellar config                    every setting, its value and where it comes from
cellar config KEY                one value
cellar config KEY VALUE          write it to the repository's .cellar/config.toml (--user: to your own file)
cellar config --unset KEY        remove the line again
"""

from __future__ import annotations

import argparse
import os
import shlex
from pathlib import Path

from nbcellar import config
from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console, find_cellar_folder
from nbcellar.errors import InvalidInputError, NoRepositoryError

_OF_KERNELS = ("record.", "author.", "keep.auto")
"""Beginnings of the keys that a kernel reads when it begins to record."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", metavar="KEY", nargs="?", help="a setting, as in record.budget_s")
    parser.add_argument("value", metavar="VALUE", nargs="?", help="its new value; items of a list separated by commas")
    parser.add_argument("--user", action="store_true", help="your own file instead of the repository's")
    parser.add_argument("--unset", action="store_true", help="remove the setting from the file")
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/config.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    if args.key and (args.unset or args.value is not None):
        return _write(args, console)
    if args.unset or args.user:
        raise InvalidInputError("which setting?", hint="cellar config --help")
    _, values = config.load_values(find_cellar_folder(console.folder), console.environ)
    chosen = [values[config.find_key(args.key).name]] if args.key else list(values.values())
    if args.json:
        console.json(_view(chosen))
    elif args.key:
        console.print(config.to_toml(chosen[0].value))
    else:
        for value in chosen:
            origin = "" if value.origin == "default" else console.style(f"  # {value.origin}", "dim")
            shown = f"{value.key.name} = {config.to_toml(value.value)}"
            console.print((shown if origin else console.style(shown, "dim")) + origin)
    return exit_codes.OK


def _write(args: argparse.Namespace, console: Console) -> int:
    if args.unset and args.value is not None:
        raise InvalidInputError("--unset takes no value")
    path = config.user_file(console.environ) if args.user else _repository_file(console)
    if args.unset:
        return _unset(args.key, path, console)
    key = config.find_key(args.key)
    value = config.parse_text(key, args.value, where="cellar config")
    config.write_value(path, key, value)
    console.print(f"{path}: {key.name} = {config.to_toml(value)}")
    _say_who_goes_on(key, console)
    return exit_codes.OK


def _say_who_goes_on(key: config.Key, console: Console) -> None:
    """Name the kernels that go on with the settings that they began with."""
    from nbcellar.api.kernels import live_kernels

    folder = find_cellar_folder(console.folder)
    if folder is None or not key.name.startswith(_OF_KERNELS):
        return
    live = live_kernels(folder)
    if live:
        pids = text.names([str(entry.pid) for entry in live])
        which = f"kernel {pids} goes" if len(live) == 1 else f"kernels {pids} go"
        of = shlex.quote(os.path.relpath(live[0].path, console.folder)) if len(live) == 1 else "--all"
        console.notice(
            f"note: {which} on with the settings from before; to take this one without a restart: "
            f"cellar detach --session {of}, then %load_ext nbcellar in the notebook"
        )


def _unset(name: str, path: Path, console: Console) -> int:
    try:
        was_set = config.write_value(path, config.find_key(name), None)
    except InvalidInputError:  # the file cannot be read as it is, perhaps because of this very line
        was_set = config.remove_line(path, name)
        if not was_set:
            raise
    console.print(f"{path}: {name} {'removed' if was_set else 'is not set there'}")
    if was_set and name in config.KEYS:
        _say_who_goes_on(config.KEYS[name], console)
    return exit_codes.OK


def _view(values: list[config.Value]) -> object:
    from nbcellar.api.views import Config, Setting

    settings = [
        Setting(
            key=value.key.name,
            value=value.value,
            origin=value.origin,
            allowed=value.key.allowed,
            description=value.key.description,
            variable=value.key.variable,
        )
        for value in values
    ]
    return Config(settings=settings)


def _repository_file(console: Console) -> Path:
    folder = find_cellar_folder(console.folder)
    if folder is None:
        raise NoRepositoryError(
            f"there is no Cellar repository in {console.folder} or above",
            hint="make one with: cellar init; or write your own file: cellar config --user KEY VALUE",
        )
    return folder / config.FILE_NAME
