"""What the sides of a merge are called: by git's own names, for a person to read in the notebook.

Invariant: a label is one short line; names of branches and titles of commits are anybody's text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

_LONGEST = 120
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_HEAD = "GITHEAD_"


class SideNames(msgspec.Struct, frozen=True):
    """What base, ours and theirs are called."""

    base: str = "base"
    ours: str = "ours"
    theirs: str = "theirs"


def side_names(git_dir: Path, environ: Mapping[str, str], given: Sequence[str] = ()) -> SideNames:
    """Return the names of the sides.

    given: what a newer git passes by itself (%S %X %Y); else the state of the operation in `git_dir` tells.
    """
    if len(given) == 3 and any(given):
        base, ours, theirs = (one_line(name) for name in given)
        return SideNames(base or "base", _ours(ours), theirs or "theirs")
    return SideNames("base", _ours(_rebased_onto(git_dir)), _theirs(git_dir, environ))


def one_line(text: str) -> str:
    """Return a text of anybody's as one short line."""
    line = _CONTROL.sub(" ", text).strip()
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _ours(name: str) -> str:
    return name or "HEAD"


def _rebased_onto(git_dir: Path) -> str:
    onto = _read(git_dir / "rebase-merge" / "onto") or _read(git_dir / "rebase-apply" / "onto")
    return f"the commits that are rebased onto, {onto[:10]}" if onto else ""


def _theirs(git_dir: Path, environ: Mapping[str, str]) -> str:
    picked = _picked(git_dir)
    if picked:
        return picked
    heads = {name.removeprefix(_HEAD): value for name, value in environ.items() if name.startswith(_HEAD)}
    merging = _read(git_dir / "MERGE_HEAD").splitlines()
    names = [heads[commit] for commit in merging if commit in heads] or sorted(set(heads.values()))
    return one_line(", ".join(names)) or "theirs"


def _picked(git_dir: Path) -> str:
    """Return the commit that a rebase, cherry-pick, revert or am is at."""
    for folder, file in (("rebase-merge", "done"), ("rebase-apply", "final-commit"), ("sequencer", "")):
        text = _read(git_dir / folder / file) if file else ""
        if not text:
            continue
        if file == "done":
            words = text.splitlines()[-1].split(" ", 2)  # pick 1234abcd Title
            return one_line(f"{words[1][:10]} {words[2]}" if len(words) == 3 else text.splitlines()[-1])
        return one_line(text.splitlines()[0])
    for name, word in (("CHERRY_PICK_HEAD", ""), ("REVERT_HEAD", "what was before ")):
        commit = _read(git_dir / name)
        if commit:
            return f"{word}{commit[:10]}"
    return ""


def _read(path: Path) -> str:
    try:
        return path.read_bytes()[:100_000].decode("utf-8", "replace").strip()
    except OSError:
        return ""
