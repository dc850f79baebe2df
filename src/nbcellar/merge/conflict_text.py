"""The text that git's own merge leaves of a notebook: three versions of the file, told apart by marks at line starts.

Marks are as in `git merge-file`: seven or more of `<`, `|`, `=` and `>`, each with a label but for `=`. Text between
conflicts is in every version. JSON that Jupyter wrote has no line that begins so, so there is nothing to mistake.

Invariant: no line is lost: what is not a mark is in one of the versions at least. Not for: whether a version is a
notebook (callers read it), the versions that git's index holds.
"""

from __future__ import annotations

import re

import msgspec

_OPENING = re.compile(rb"^(<{7,})(?: (.*?))?\r?$")


class MarkedText(msgspec.Struct, frozen=True):
    """The versions of a file with conflict marks. `base` is None where the marks do not show it."""

    ours: bytes
    theirs: bytes
    base: bytes | None
    our_label: str
    their_label: str
    conflicts: int


class _Reader:
    """Collects the versions line by line."""

    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines
        self.sides: dict[str, list[bytes]] = {"ours": [], "base": [], "theirs": []}
        self.labels = {"ours": b"", "theirs": b""}
        self.conflicts = 0
        self.shows_base = True

    def read(self) -> bool:
        """Return whether every conflict ends as it should."""
        place = 0
        while place < len(self.lines):
            opening = _OPENING.match(self.lines[place].rstrip(b"\n"))
            if opening is None:
                for side in self.sides.values():
                    side.append(self.lines[place])
                place += 1
                continue
            end = self._conflict(place + 1, len(opening[1]))
            if end < 0:
                return False
            self.labels["ours"] = self.labels["ours"] or opening[2] or b""
            self.conflicts += 1
            place = end
        return True

    def _conflict(self, place: int, size: int) -> int:
        """Read one conflict from the line after its first mark; return the line after its last, -1 if there is none."""
        found: dict[str, list[bytes]] = {"ours": []}
        side = "ours"
        for number in range(place, len(self.lines)):
            line = self.lines[number].rstrip(b"\r\n")
            if side == "ours" and _is_mark(line, b"|", size):
                side = "base"
            elif side in ("ours", "base") and line == b"=" * size:
                side = "theirs"
            elif side == "theirs" and _is_mark(line, b">", size):
                self._take(found)
                self.labels["theirs"] = self.labels["theirs"] or line[size + 1 :]
                return number + 1
            else:
                found.setdefault(side, []).append(self.lines[number])
                continue
            found.setdefault(side, [])
        return -1

    def _take(self, found: dict[str, list[bytes]]) -> None:
        self.shows_base = self.shows_base and "base" in found
        for side, lines in self.sides.items():
            lines += found.get(side, [])


def _is_mark(line: bytes, letter: bytes, size: int) -> bool:
    """Return whether a line is a mark of just `size` letters, with a label or without."""
    return line[:size] == letter * size and line[size : size + 1] in (b"", b" ")


def has_marks(data: bytes) -> bool:
    """Return whether a file's text holds conflicts, quickly."""
    return b"<<<<<<<" in data and read_marked(data) is not None


def read_marked(data: bytes) -> MarkedText | None:
    """Return the versions of a text with conflict marks; None where there is no conflict, or one without an end."""
    reader = _Reader(_lines(data))
    if not reader.read() or not reader.conflicts:
        return None
    versions = {side: b"".join(lines) for side, lines in reader.sides.items()}
    return MarkedText(
        ours=versions["ours"],
        theirs=versions["theirs"],
        base=versions["base"] if reader.shows_base else None,
        our_label=reader.labels["ours"].decode("utf-8", "replace"),
        their_label=reader.labels["theirs"].decode("utf-8", "replace"),
        conflicts=reader.conflicts,
    )


def _lines(data: bytes) -> list[bytes]:
    """Split at line feeds alone, as git does."""
    return re.findall(rb"[^\n]*\n|[^\n]+", data)


__all__ = ["MarkedText", "has_marks", "read_marked"]
