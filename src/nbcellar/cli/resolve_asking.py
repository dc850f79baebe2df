"""Asking for the conflicts of a notebook one by one: what each looks like, and what the answer means.

Invariant: nothing is written here; leaving off in the middle keeps what was decided before.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nbcellar.cli import text
from nbcellar.cli.console import Console
from nbcellar.errors import CellarError
from nbcellar.merge.resolving import Edited
from nbcellar.merge.structure.deciding import can_be_named, renamed
from nbcellar.merge.structure.held import DRAWN

if TYPE_CHECKING:
    from nbcellar.merge.marks import Group
    from nbcellar.merge.resolving import Choice
    from nbcellar.notebook.model import Notebook

_ANSWERS: dict[str, Choice] = {"o": "ours", "t": "theirs", "b": "both", "a": "base"}
_QUIT = Edited("")
_HELP = """\
  o  ours         t  theirs       b  both: ours, then theirs
  a  base         e  edit         s  skip: leave it open      q  quit: leave the rest open"""


def ask(groups: Sequence[Group], notebook: Notebook, console: Console) -> dict[str, Choice | Edited]:
    """Return what was decided, by the id of the conflict."""
    decided: dict[str, Choice | Edited] = {}
    for number, group in enumerate(groups, 1):
        console.notice("\n" + console.style(f"conflict {number} of {len(groups)}", "bold") + f": {_title(group)}")
        for line in _shown(group, notebook, console):
            console.notice(line)
        answer = _answer(group, notebook, console)
        if answer is _QUIT:
            break
        if answer is not None:
            decided[group.id] = answer
    return decided


def _answer(group: Group, notebook: Notebook, console: Console) -> Choice | Edited | None:
    """Return the answer, None to leave the conflict open, `_QUIT` to leave the rest open as well."""
    letters = "o,t,a,s,q,?" if group.note else "o,t,b,a,e,s,q,?"
    if can_be_named(group):
        letters = "o,t,a,e,s,q,?"
    while True:
        console.err.write(f"take [{letters}] ")
        console.err.flush()
        line = sys.stdin.readline()
        word = line.strip().lower()[:1]
        if not line or word == "q":
            return _QUIT
        if word == "s":
            return None
        if word in _ANSWERS and word in letters:
            return _ANSWERS[word]
        if word == "e" and word in letters:
            edited = _name(group, notebook, console) if group.note else _edit(group, notebook, console)
            if edited is not None:
                return edited
            continue
        console.notice(_HELP)


def _name(group: Group, notebook: Notebook, console: Console) -> Edited | None:
    """Let the person say a name; None when it cannot be one."""
    console.err.write("name: ")
    console.err.flush()
    name = sys.stdin.readline().strip()
    try:
        renamed(notebook, group, name)
    except CellarError as error:
        console.notice(f"{error.message}: nothing taken")
        return None
    return Edited(name)


def _title(group: Group) -> str:
    if group.said:
        return text.one_line(group.said, 400)
    what = text.one_line(", ".join(group.what), 200) or "?"
    if group.places("notebook"):
        return f"settings of the notebook: {what}"
    return f"cell {group.cells[0][0] + 1}, {what}"


def _shown(group: Group, notebook: Notebook, console: Console) -> Iterator[str]:
    """Yield both versions: lines that both have are dim, ours are green, theirs are blue."""
    if group.note:
        for sides in group.values:
            label = sides.get("label")
            yield "  " + text.one_line(label if isinstance(label, str) else ".".join(sides["path"]), 80)
            for side, colour in (("base", "dim"), ("ours", "green"), ("theirs", "blue")):
                value = _value(sides[side]) if side in sides else "(nothing)"
                yield console.style(f"    {side:<6} {text.one_line(value, console.width - 12)}", colour)
        return
    from nbcellar.diff.texts import compare_texts

    names = {"ours": group.labels.ours, "theirs": group.labels.theirs}
    sources = {side: _source(group, notebook, side) for side in names}
    for side, colour in (("ours", "green"), ("theirs", "blue")):
        label = text.one_line(names[side], 60)
        state = "" if sources[side] is not None else ": deleted this cell"
        yield console.style(f"  {'-' if side == 'ours' else '+'} {side} ({label}){state}", colour)
    if sources["ours"] == sources["theirs"] and sources["ours"] is not None:
        yield console.style(f"  the sources are the same; {text.one_line(', '.join(group.what), 200)} differ", "dim")
        return
    found = compare_texts(sources["ours"] or "", sources["theirs"] or "", code=True)
    colours = {"-": "green", "+": "blue"}
    for line in found.lines:
        shown = text.cut(text.clean(f"  {line.mark} {line.text}".replace("\t", "    ")), console.width)
        yield console.style(shown, colours.get(line.mark, "dim"))


def _value(value: object) -> str:
    return value if value == DRAWN else json.dumps(value, ensure_ascii=False)


def _source(group: Group, notebook: Notebook, side: str) -> str | None:
    places = group.places(side)
    return "\n".join(notebook.cells[place].source for place in places) if places else None


def _edit(group: Group, notebook: Notebook, console: Console) -> Edited | None:
    """Let the person write the cell; None when that came to nothing."""
    editor = console.environ.get("VISUAL") or console.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="cellar-") as folder:
        path = Path(folder) / ("cell.py" if notebook.language in ("", "python") else "cell.txt")
        # Bytes: line ends stay as they are, and half a surrogate pair comes back as it went.
        path.write_bytes(_draft(group, notebook).encode("utf-8", "surrogatepass"))
        try:
            done = subprocess.run([*shlex.split(editor), os.fspath(path)], check=False)
        except (OSError, ValueError) as error:
            console.notice(f"cannot start the editor {editor!r}: {error}; set EDITOR")
            return None
        if done.returncode:
            console.notice(f"the editor ended with {done.returncode}: nothing taken")
            return None
        try:
            written = path.read_bytes().decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            console.notice(f"the text is not UTF-8 ({error.reason}): nothing taken")
            return None
    if any(line.startswith(("<<<<<<< ", ">>>>>>> ")) for line in written.splitlines()):
        console.notice("the text still has the marks <<<<<<< and >>>>>>>: nothing taken")
        return None
    return Edited(written.removesuffix("\n"))


def _draft(group: Group, notebook: Notebook) -> str:
    """Return a text to begin with: both versions, marked as git does where they differ."""
    from nbcellar.diff.align import align

    ours, theirs = ((_source(group, notebook, side) or "").split("\n") for side in ("ours", "theirs"))
    lines: list[str] = []
    done = 0
    for step in align(ours, theirs):
        lines += ours[done : step.a_start]
        lines.append(f"<<<<<<< {text.one_line(group.labels.ours, 60)}")
        lines += [*ours[step.a_start : step.a_stop], "=======", *theirs[step.b_start : step.b_stop]]
        lines.append(f">>>>>>> {text.one_line(group.labels.theirs, 60)}")
        done = step.a_stop
    return "\n".join(lines + ours[done:]) + "\n"


__all__ = ["ask"]
