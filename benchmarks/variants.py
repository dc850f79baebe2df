"""The four ways of running a workload: bare, with Cellar, with a dill dump after each cell, with Kishu.

Invariant: all four use the same versions of Python, ipykernel, numpy, pandas and scikit-learn; Kishu's virtual
environment is made with the versions that this interpreter has.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kernel import Kernel

HERE = Path(__file__).parent
ROOT = HERE.parent
KISHU_ENVIRONMENT = ROOT / ".venv-kishu"
KISHU = "kishu==0.3.4"
_SHARED = ("ipykernel", "ipython", "jupyter_client", "numpy", "pandas", "pyarrow", "scikit-learn", "dill")
NOTEBOOK = "bench.ipynb"
_EMPTY_NOTEBOOK = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}\n'
_SHELL = "get_ipython()"
_INKERNEL = "__import__('inkernel')"


@dataclass(frozen=True)
class Variant:
    """`install` hooks the variant into a fresh kernel; the expressions are evaluated in the kernel."""

    name: str
    python: Callable[[], Path]
    install: Callable[[Kernel, Path], None]
    stored_bytes: Callable[[Path], int]
    saved: str = "None"  # returns once everything is stored
    undo: str | None = None  # returns (seconds, processor seconds)


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a kernel: a home of its own, one thread for each numeric library."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("NBCELLAR_", "JUPYTER_", "IPYTHON", "XDG_"))}
    kept.pop("CI", None)
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # pip compiles what it installs; an editable install does it at first use
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return kept | {
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "jupyter"),
        "JPY_SESSION_NAME": str(folder / NOTEBOOK),
        "PYTHONPATH": os.pathsep.join((str(HERE), str(ROOT / "src"))),
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        # Kishu asks a front end to save the notebook, unless it is told that there is none.
        "ENV_KISHU_TEST_MODE": "1",
    }


def prepare(folder: Path) -> None:
    """Put the notebook that the kernel belongs to into the folder."""
    (folder / NOTEBOOK).write_text(_EMPTY_NOTEBOOK, "utf-8")


def _own_python() -> Path:
    return Path(sys.executable)


def _install_nothing(kernel: Kernel, folder: Path) -> None:
    """A bare kernel is a bare kernel."""


def _install_dill(kernel: Kernel, folder: Path) -> None:
    (folder / "dumps").mkdir()
    kernel.ask(f"{_INKERNEL}.install_dill({_SHELL}, {str(folder / 'dumps')!r})")


def _dill_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "dumps").iterdir())


def _install_cellar(kernel: Kernel, folder: Path) -> None:
    kernel.run("%load_ext nbcellar")


def prepare_cellar(folder: Path) -> None:
    """Make the folder a repository, as a user does."""
    command = [sys.executable, "-m", "nbcellar.cli.main", "init"]
    subprocess.run(command, cwd=folder, env=environment(folder), check=True, stdout=subprocess.DEVNULL)


def _cellar_bytes(folder: Path) -> int:
    """Weigh `.cellar` with the write-ahead log folded into the database."""
    repository = folder / ".cellar"
    database = sqlite3.connect(repository / "meta.db", timeout=30)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return sum(path.stat().st_size for path in repository.rglob("*") if path.is_file())


def _kishu_python() -> Path:
    """Make Kishu's environment when it is not there yet; return its interpreter."""
    python = KISHU_ENVIRONMENT / "bin" / "python"
    made = KISHU_ENVIRONMENT / ".made"
    wanted = "\n".join((KISHU, *(f"{name}=={importlib.metadata.version(name)}" for name in _SHARED)))
    if not made.exists() or made.read_text() != wanted:
        shutil.rmtree(KISHU_ENVIRONMENT, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(KISHU_ENVIRONMENT)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-qq", *wanted.split()], check=True)
        made.write_text(wanted)
    return python


def _install_kishu(kernel: Kernel, folder: Path) -> None:
    kernel.run(f"from kishu import init_kishu\ninit_kishu({str(folder / NOTEBOOK)!r})")


def _kishu_bytes(folder: Path) -> int:
    return (folder / NOTEBOOK).with_suffix(".kishudb").stat().st_size


VARIANTS: dict[str, Variant] = {
    "bare": Variant("bare", _own_python, _install_nothing, lambda folder: 0),
    "cellar": Variant(
        "cellar",
        _own_python,
        _install_cellar,
        _cellar_bytes,
        saved=f"{_INKERNEL}.wait_saved()",
        undo=f"{_INKERNEL}.undo_cellar()",
    ),
    "dill": Variant("dill", _own_python, _install_dill, _dill_bytes),
    "kishu": Variant("kishu", _kishu_python, _install_kishu, _kishu_bytes, undo=f"{_INKERNEL}.undo_kishu(_kishu)"),
}
