"""Comparing errors: the type, the message, and the traceback frame by frame.

Invariant: frames are the same if file, function and the line of source that ran are; the number of that line, the
number of a cell and the folder a library is installed in are noise. What IPython, older IPythons and plain Python print
is read; of a traceback in another form the text is compared.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from nbcellar.diff.align import align
from nbcellar.diff.document.equality import same_json
from nbcellar.diff.document.outputs import noise
from nbcellar.diff.document.outputs.model import FrameLine, MimeChange, OutputSettings, TracebackChange
from nbcellar.diff.document.outputs.registry import ERROR
from nbcellar.diff.document.outputs.structure import compare_structure
from nbcellar.diff.document.outputs.terminal import last_state, writable
from nbcellar.diff.document.outputs.text import compare_lines
from nbcellar.diff.model import TextChange
from nbcellar.diff.texts import compare_texts

_MOST_LINES = 20_000
_MOST_FRAMES = 100  # that a result lists
_LONGEST = 500
_IN = r"(?:, in (?P<function>[^\n]{0,400}))?\Z"
_HEADS = (  # of a frame, as IPython 8.5 and later, 8.0, 7 and older, and Python print it
    re.compile(r"File (?P<file>[^\n]{1,400}?):(?P<line>\d{1,9})" + _IN),
    re.compile(r"(?P<file>(?:Cell |Input )?In ?\[[\d*]{1,9}\])(?:, line (?P<line>\d{1,9}))?" + _IN),
    re.compile(
        r"(?P<file><ipython-input-[^>\n]{1,80}>|[^\s:][^\n:]{0,400}\.pyx?)"
        r" in (?P<function>[\w<>.]{1,200}(?:\([^\n]{0,400})?)\Z"
    ),
    re.compile(r"\s{0,4}File \"(?P<file>[^\"\n]{1,400})\", line (?P<line>\d{1,9})" + _IN),
)
_ARROW = re.compile(r"-{1,12}> (?P<line>\d{1,9})(?P<source>[^\n]{0,1000})")
_CAUSES = ("The above exception was the direct cause", "During handling of the above exception")
# Where a library is installed, up to the part that is its own; the standard library likewise.
_INSTALLED = re.compile(
    r"\A.{0,300}?[/\\](?:(?:site|dist)-packages|python3\.\d{1,2})[/\\](?!site-packages|dist-packages)"
)
_CELL = re.compile(r"\A(?:Cell |Input )?In ?\[[\d*]{1,9}\]\Z")


class _Frame(msgspec.Struct, frozen=True):
    file: str
    line: int
    function: str
    source: str

    def key(self) -> tuple[str, str, str]:
        return _known_file(self.file), self.function.partition("(")[0].strip(), noise.mask(self.source)[0]


def compare_error(mime: str, before: Any, after: Any, settings: OutputSettings) -> MimeChange | None:
    """Return what differs between two errors: dicts of `ename`, `evalue` and `traceback`."""
    if same_json(before, after):
        return None
    if not _is_error(before) or not _is_error(after):
        return compare_structure(mime, before, after, settings)
    old, new = _Error(before), _Error(after)
    names: list[str] = []
    message = _message(old.message, new.message, settings, names)
    frames, added, removed = _frames(old.frames, new.frames, names)
    around = None
    if old.type == new.type and message is None and not added and not removed:
        around = _around(old, new, settings, names)
    names = list(dict.fromkeys(names))
    if old.type == new.type and message is None and around is None and not added and not removed:
        names = names or [noise.FORM]
        return MimeChange(mime=mime, note=noise.only(names), only_noise=True, noise=names)
    detail = TracebackChange(
        type_before=old.type,
        type_after=new.type,
        message=message,
        frames_added=added,
        frames_removed=removed,
        frames=frames,
        text=around,
    )
    return MimeChange(mime=mime, note=_told(old, new, detail), noise=names, detail=detail)


def _is_error(value: Any) -> bool:
    """Return whether a value is what nbformat asks of an error, and nothing else."""
    if not isinstance(value, dict) or not value.keys() <= {"ename", "evalue", "traceback"}:
        return False
    trace = value.get("traceback", [])
    texts = [value.get("ename", ""), value.get("evalue", ""), *(trace if isinstance(trace, list) else [None])]
    return all(isinstance(text, str) for text in texts)


def error_alone(value: Any, *, is_new: bool) -> MimeChange:
    """Return an error that came or went, with the lines of its traceback."""
    error = _Error(value)
    lines = error.traceback.splitlines() or [f"{error.type}: {error.message}".removesuffix(": ")]
    text = compare_texts("", "\n".join(lines)) if is_new else compare_texts("\n".join(lines), "")
    detail = TracebackChange(
        type_before="" if is_new else error.type, type_after=error.type if is_new else "", text=text
    )
    told = _cut(f"{error.type}: {error.message}")
    return MimeChange(mime=ERROR, change="added" if is_new else "removed", note=told, detail=detail)


class _Error:
    """The parts of an error, each a text whatever the file holds."""

    def __init__(self, output: Any) -> None:
        parts = output if isinstance(output, dict) else {}
        self.type = _text(parts.get("ename"))[:_LONGEST]
        self.message = _text(parts.get("evalue"))
        trace = parts.get("traceback")
        self.raw = "\n".join(map(str, trace)) if isinstance(trace, list) else ""
        self.traceback = _text(trace)
        lines = self.traceback.splitlines()
        self.frames = _read_frames(lines) if len(lines) <= _MOST_LINES else []


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = "\n".join(part if isinstance(part, str) else repr(part)[:_LONGEST] for part in value)
    return last_state(writable(value)) if isinstance(value, str) else "" if value is None else repr(value)[:_LONGEST]


def _read_frames(lines: list[str]) -> list[_Frame]:
    found: list[_Frame] = []
    for place, line in enumerate(lines):
        head = _head(line)
        if head is not None:
            found.append(head)
            following = lines[place + 1] if place + 1 < len(lines) else ""
            if line.lstrip().startswith('File "') and following[:4].isspace():
                found[-1] = msgspec.structs.replace(head, source=following.strip()[:_LONGEST])
            continue
        arrow = _ARROW.match(line)
        if arrow is not None and found and not found[-1].source:
            number = int(arrow["line"])
            found[-1] = msgspec.structs.replace(found[-1], line=number, source=arrow["source"].strip()[:_LONGEST])
        elif line.startswith(_CAUSES):
            found.append(_Frame("", 0, line.strip()[:_LONGEST], ""))
    return found


def _head(line: str) -> _Frame | None:
    if len(line) > 1200 or not any(word in line for word in ("In", " in ", "File ")):
        return None
    for pattern in _HEADS:
        found = pattern.match(line)
        if found is not None:
            parts = found.groupdict()
            return _Frame(parts["file"], int(parts.get("line") or 0), parts.get("function") or "", "")
    return None


def _known_file(file: str) -> str:
    """Return a file's name without what differs between machines and runs."""
    if _CELL.match(file):
        return "cell"
    masked, found = noise.mask(file)
    if found:
        return "cell" if noise.TEMPORARY in found else masked
    return _INSTALLED.sub("", file).replace("\\", "/")


def _message(old: str, new: str, settings: OutputSettings, names: list[str]) -> TextChange | None:
    if old == new:
        return None
    change = compare_lines("error", old, new, settings)
    names += change.noise
    return change.detail if isinstance(change.detail, TextChange) else None


def _frames(old: list[_Frame], new: list[_Frame], names: list[str]) -> tuple[list[FrameLine], int, int]:
    """Return the frames side by side, and how many came and went."""
    steps = align([frame.key() for frame in old], [frame.key() for frame in new])
    listed: list[FrameLine] = []
    added = removed = x = y = 0
    for step in steps:
        listed += _same(old[x : step.a_start], new[y : step.b_start], names)
        listed += [_line("-", frame) for frame in old[step.a_start : step.a_stop]]
        listed += [_line("+", frame) for frame in new[step.b_start : step.b_stop]]
        removed += step.a_stop - step.a_start
        added += step.b_stop - step.b_start
        x, y = step.a_stop, step.b_stop
    listed += _same(old[x:], new[y:], names)
    return listed[:_MOST_FRAMES], added, removed


def _same(old: list[_Frame], new: list[_Frame], names: list[str]) -> list[FrameLine]:
    for one, other in zip(old, new, strict=True):
        if one.line != other.line:
            names.append(noise.LINE_NUMBERS)
        if one.file != other.file:
            names.append(_file_noise(one.file, other.file))
    return [_line(" ", frame) for frame in new]


def _file_noise(old: str, new: str) -> str:
    if _known_file(old) != "cell":
        return noise.FOLDERS
    return noise.ORDER if _CELL.match(old) and _CELL.match(new) else noise.TEMPORARY


def _line(mark: str, frame: _Frame) -> FrameLine:
    return FrameLine(mark=mark, file=frame.file, line=frame.line, function=frame.function, source=frame.source)


def _around(old: _Error, new: _Error, settings: OutputSettings, names: list[str]) -> TextChange | None:
    """Return lines of the traceback that differ though its frames do not: source around them, or another form."""
    ours, theirs = _bare(old), _bare(new)
    if ours == theirs:
        if not names:
            names.append(noise.FORM if old.raw == new.raw else noise.COLOURS)
        return None
    change = compare_lines("error", "\n".join(ours), "\n".join(theirs), settings)
    names += change.noise
    return change.detail if isinstance(change.detail, TextChange) else None


def _bare(error: _Error) -> list[str]:
    """Return the lines of a traceback without those that frames and message tell, and without numbers of lines."""
    if not error.frames:
        return [line.rstrip() for line in error.traceback.splitlines()]
    kept = []
    for line in error.traceback.splitlines():
        if _head(line) is None:
            kept.append(_NUMBERED.sub("", line, count=1).rstrip())
    return kept


_NUMBERED = re.compile(r"\A(?:-{1,12}>|\s{0,12}) ?\d{1,9}(?= |\Z)")


def _told(old: _Error, new: _Error, detail: TracebackChange) -> str:
    told = []
    if old.type != new.type:
        told.append(f"{old.type or 'an error'} -> {new.type or 'an error'}")
    if detail.message is not None:
        told.append("message changed" if old.type == new.type else _cut(new.message))
        if (
            old.type == new.type
            and max(len(old.message), len(new.message)) <= 60
            and "\n" not in old.message + new.message
        ):
            told[-1] = f"{new.type}: {old.message} -> {new.message}"
    if detail.frames_added or detail.frames_removed:
        told.append(f"+{detail.frames_added:,} -{detail.frames_removed:,} frames")
    if detail.text is not None:
        told.append("the traceback's text changed")
    return ", ".join(told)


def _cut(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= 80 else line[:79] + "…"


__all__ = ["compare_error", "error_alone"]
