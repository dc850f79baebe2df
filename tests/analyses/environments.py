"""The environments that analyses are checked in: each Python of this machine, pandas 2 and 3, ipykernel 6 and 7.

A virtual environment per Python holds the newest of everything; what is older lies in folders of its own that
PYTHONPATH puts first. Invariant: what is missing is said, with its reason, and never passed over in silence.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
OLDER = {"pandas 2": ("pandas>=2.2,<3", "pytz"), "ipykernel 6": ("ipykernel>=6.29,<7",)}
PIP = ("-m", "pip", "install", "-qq", "--disable-pip-version-check")


@dataclass(frozen=True)
class Environment:
    """One interpreter with certain versions of the libraries."""

    name: str
    python: Path
    older: tuple[Path, ...] = ()

    @property
    def path(self) -> str:
        """PYTHONPATH for it."""
        return os.pathsep.join([*map(str, self.older), str(ROOT / "src")])


def environments(say: Callable[[str], None], *, every: bool = False) -> Iterator[Environment]:
    """Yield environments with each Python that this machine has, made when they are first asked for.

    One for each Python, in which pandas and ipykernel take turns; with `every`, all pairs of them.
    """
    for version in PYTHONS:
        base = _base(version, say)
        if base is None:
            continue
        newest = {name.split()[0]: f"{name.split()[0]} {_major(base, name.split()[0])}" for name in OLDER}
        for older in _PAIRS if every else (_TURNS[version],):
            missing = [
                newest[name.split()[0]] for name in OLDER if name not in older and newest[name.split()[0]] == name
            ]
            if missing and every:
                say(f"Python {version}: there is nothing newer than {' and '.join(missing)} for it")
                continue
            named = [name if name in older else newest[name.split()[0]] for name in OLDER]
            folders = tuple(_folder(base, version, name) for name in older if newest[name.split()[0]] != name)
            yield Environment(", ".join([f"Python {version}", *named]), base, folders)


_PAIRS: tuple[tuple[str, ...], ...] = ((), ("pandas 2",), ("ipykernel 6",), ("pandas 2", "ipykernel 6"))
_TURNS = {"3.10": _PAIRS[3], "3.11": _PAIRS[0], "3.12": _PAIRS[1], "3.13": _PAIRS[2]}


def _base(version: str, say: Callable[[str], None]) -> Path | None:
    """Return the interpreter of the virtual environment of one Python; None if the machine has no such Python."""
    found = _interpreter(version)
    if found is None:
        say(f"Python {version}: not on this machine (no python{version} that runs); not checked")
        return None
    folder = ROOT / f".venv-analyses-{version}"
    python, stamp = folder / "bin" / "python", folder / ".made"
    if not stamp.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        _run(found, "-m", "venv", str(folder))
        requirements = str(HERE / "requirements.txt")
        _run(str(python), *PIP, "--requirement", requirements, "--editable", str(ROOT))
        stamp.touch()
    return python


def _interpreter(version: str) -> str | None:
    """Return a Python that runs: a name on the path may be a shim for one that is not switched on."""
    candidates = [shutil.which(f"python{version}")]
    candidates += map(str, sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}")))
    for candidate in filter(None, candidates):
        try:
            subprocess.run([candidate, "-c", "import venv"], check=True, capture_output=True, timeout=60)
        except (OSError, subprocess.SubprocessError):
            continue
        return candidate
    return None


def _folder(base: Path, version: str, name: str) -> Path:
    """Return a folder with an older version of one library, and that alone."""
    folder = ROOT / f".venv-analyses-{version}" / name.replace(" ", "-")
    stamp = folder / ".made"
    if not stamp.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        _run(str(base), *PIP, "--no-deps", "--target", str(folder), *OLDER[name])
        stamp.touch()
    return folder


def _major(python: Path, name: str) -> str:
    code = f"import importlib.metadata as m; print(m.version({name!r}).partition('.')[0])"
    return _run(str(python), "-c", code).strip()


def _run(*command: str) -> str:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    for environment in environments(lambda text: print(text, file=sys.stderr)):
        print(environment.name)
