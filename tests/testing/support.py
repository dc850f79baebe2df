"""Notebooks as text, and pytest run on them in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil

# Plugins of this project's tests that cost start-up and do nothing for notebooks.
_WITHOUT = ("-p", "no:hypothesispytest", "-p", "no:cacheprovider", "-p", "no:timeout")


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"name": name, "output_type": "stream", "text": text.splitlines(keepends=True)}


def result(text: str, count: int = 1, **data: Any) -> dict[str, Any]:
    bundle = {"text/plain": text.splitlines(keepends=True), **data}
    return {"data": bundle, "execution_count": count, "metadata": {}, "output_type": "execute_result"}


def display(**data: Any) -> dict[str, Any]:
    return {
        "data": {key.replace("_", "/"): value for key, value in data.items()},
        "metadata": {},
        "output_type": "display_data",
    }


def error(name: str, value: str) -> dict[str, Any]:
    return {"ename": name, "evalue": value, "output_type": "error", "traceback": [f"{name}: {value}"]}


def code(
    source: str, *outputs: dict[str, Any], tags: Sequence[str] = (), count: int | None = 1, **test: Any
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"tags": list(tags)} if tags else {}
    if test:
        metadata["cellar"] = {"test": test}
    return {
        "cell_type": "code",
        "execution_count": count,
        "metadata": metadata,
        "outputs": list(outputs),
        "source": source.splitlines(keepends=True),
    }


def text_of(*cells: dict[str, Any], kernel: str = "python3", minor: int = 5, **metadata: Any) -> str:
    """Return a notebook's file; cells are named c1, c2, …"""
    named = [{**cell, **({"id": f"c{n}"} if minor >= 5 else {})} for n, cell in enumerate(cells, 1)]
    spec = {"display_name": kernel, "language": "python", "name": kernel}
    members = {"cells": named, "metadata": {"kernelspec": spec, **metadata}, "nbformat": 4, "nbformat_minor": minor}
    return json.dumps(members, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


class Finished(NamedTuple):
    """What a run of pytest came to: outcome by test, and all it wrote."""

    code: int
    outcomes: dict[str, str]
    text: str

    def __str__(self) -> str:
        return self.text


_OUTCOME = re.compile(
    r"^(?:\[gw\d+\] +\[ *\d+%\] )?(?P<first>[A-Z]+ )?(?P<test>\S+::cell \d+(?: \([\w-]+\))?)(?P<last> [A-Z]+)?"
)


def command(*arguments: str, asked: bool = True) -> list[str]:
    return [sys.executable, "-m", "pytest", *_WITHOUT, "-v", *(["--notebooks"] if asked else []), *arguments]


def run_pytest(folder: Path, *arguments: str, environ: dict[str, str] | None = None, asked: bool = True) -> Finished:
    """Run `pytest -v --notebooks` in a folder."""
    done = subprocess.run(
        command(*arguments, asked=asked),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env=environ or dict(os.environ),
    )
    outcomes = {}
    for line in done.stdout.splitlines():
        found = _OUTCOME.match(line)
        word = found and (found["first"] or found["last"] or "").strip()
        if found and word in ("PASSED", "FAILED", "SKIPPED", "XFAIL"):
            outcomes.setdefault(found["test"], word.lower())
    return Finished(done.returncode, outcomes, done.stdout + done.stderr)


def kernels_of(folder: Path) -> list[int]:
    """Return the processes whose working directory is a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).resolve() == folder.resolve():
                found.append(process.pid)
        except (psutil.Error, OSError):  # ended meanwhile, or somebody else's
            continue
    return found
