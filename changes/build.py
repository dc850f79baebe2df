"""Write the entries of this folder into CHANGELOG.md, under a version, and remove their files.

Invariant: an entry is removed only after the changelog that holds it was written. Without a version the section is
printed and nothing changes.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

FOLDER = Path(__file__).parent
CHANGELOG = FOLDER.parent / "CHANGELOG.md"
HEADINGS = {"security": "Security", "new": "New", "change": "Changed", "fix": "Fixed"}
MARK = "<!-- releases -->\n"


def entries() -> dict[str, list[Path]]:
    """Return the entry files by kind; raise ValueError for a file whose kind is unknown."""
    found: dict[str, list[Path]] = {kind: [] for kind in HEADINGS}
    for path in sorted(FOLDER.glob("*.md")):
        if path.name == "README.md":
            continue
        kind = path.name.split("-")[0]
        if kind not in found:
            raise ValueError(f"{path.name}: begins with none of {', '.join(HEADINGS)}")
        found[kind].append(path)
    return found


def section(version: str, day: str, files: dict[str, list[Path]]) -> str:
    """Return the Markdown of one release; each entry becomes a list item with its title in bold."""
    parts = [f"## {version}, {day}\n"]
    for kind, heading in HEADINGS.items():
        if files[kind]:
            parts.append(f"### {heading}\n")
            parts.append("\n".join(item(path.read_text("utf-8")) for path in files[kind]) + "\n")
    return "\n".join(parts)


def item(text: str) -> str:
    """Return an entry as a list item: title in bold, the paragraphs indented under it."""
    title, _, body = text.strip().partition("\n")
    lines = [f"- **{title.lstrip('# ').strip()}**", *(f"  {line}".rstrip() for line in body.strip().splitlines())]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    files = entries()
    text = section(arguments[0] if arguments else "unreleased", date.today().isoformat(), files)
    if not arguments:
        sys.stdout.write(text)
        return 0
    head, mark, tail = CHANGELOG.read_text("utf-8").partition(MARK)
    if not mark:
        sys.stderr.write(f"error: {CHANGELOG.name} has no line {MARK.strip()}\n")
        return 1
    CHANGELOG.write_text(f"{head}{mark}\n{text}{tail}", "utf-8")
    for paths in files.values():
        for path in paths:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
