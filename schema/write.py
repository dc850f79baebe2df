"""Writes what is made of the routes: schema/openapi.json and the table in docs/server.md.

`python schema/write.py`; a test fails when they are not written anew.
"""

from __future__ import annotations

import json
from pathlib import Path

from nbcellar.server.openapi import document
from nbcellar.server.reference import table

TARGET = Path(__file__).parent / "openapi.json"
PAGE = Path(__file__).parent.parent / "docs" / "server.md"
_MARK = "<!-- written by schema/write.py -->\n"


def text() -> str:
    """Return the text of the schema."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def page(written: str) -> str:
    """Return the page with its table as it should be."""
    before, _, _ = written.partition(_MARK)
    return f"{before}{_MARK}\n{table()}"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text("utf-8")), encoding="utf-8")
