"""Taking a text out of texts: `***` stands in its place.

Invariant: what `Scrub.text` returns holds the text in none of the forms in which a notebook writes it: as it is,
escaped as in JSON, in a `repr`, in HTML or in an address, with colours between its letters. Pure. Not for: values,
which are not texts (`Scrub.is_in` only says whether bytes hold it), nor for where texts are (`forget_text.py`).
"""

from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import quote

import msgspec

from nbcellar.errors import CellarError, InvalidInputError
from nbcellar.history.model import CellRun, Commit, Covariable, Preview
from nbcellar.notebook import codec
from nbcellar.notebook.model import Cell, Notebook, cell_to_json

STAND_IN = "***"
SHORTEST = 4
_COLOUR = r"(?:\x1b\[[0-9;]*m)*"
_MOST_DEPTH = 200
LONGEST = 100_000
_COLOURED_LONGEST = 500
_SHORTEST_NUMBER = 8

# What makes a document one, and no text of anybody: forgetting "source" must not leave a notebook without sources.
_FORM_KEYS = frozenset(
    "cells metadata nbformat nbformat_minor cell_type source outputs execution_count id attachments"
    " output_type text name data ename evalue traceback".split()
)
_FORM_VALUES = {
    "cell_type": frozenset({"code", "markdown", "raw"}),
    "output_type": frozenset({"stream", "display_data", "execute_result", "error"}),
    "name": frozenset({"stdout", "stderr"}),
}


class Scrub:
    """Finds and replaces one text."""

    def __init__(self, text: str) -> None:
        """Raise InvalidInputError for a text so short that it would be found where nobody means it."""
        if len(text) < SHORTEST or not text.strip():
            raise InvalidInputError(
                f"a text of less than {SHORTEST} letters stands in too many places to be taken out of all",
                hint="give more of it, or forget the commit: cellar forget REF",
            )
        if len(text) > LONGEST:
            raise InvalidInputError(f"a text of {len(text):,} letters is too long", hint="give its beginning")
        if not text.strip("*"):
            raise InvalidInputError(f"'{STAND_IN}' stands for what was forgotten", hint="give another text")
        self._forms = _forms(text)
        # Longest first: the escaped form of a text can begin with the text itself.
        self._pattern = re.compile("|".join(map(_pattern_of, self._forms)))
        encodings = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
        self._bytes = tuple(
            dict.fromkeys(form.encode(name, "surrogatepass") for form in self._forms for name in encodings)
        )

    @property
    def longest_bytes(self) -> int:
        """The size of the longest form in bytes."""
        return max(map(len, self._bytes))

    def is_in(self, data: bytes) -> bool:
        """Say whether bytes hold the text, in one, two or four bytes a letter."""
        return any(form in data for form in self._bytes)

    def text(self, text: str) -> str:
        """Return a text without it."""
        return self._pattern.sub(STAND_IN, text)

    def json(self, value: Any, depth: int = 0) -> Any:
        """Return a JSON value without it; a list of lines counts as one text."""
        if isinstance(value, str):
            return self.text(value)
        if depth > _MOST_DEPTH:
            return None
        if isinstance(value, dict):
            return {self._key(key): self._member(key, part, depth) for key, part in value.items()}
        if isinstance(value, list):
            if value and all(isinstance(part, str) for part in value):
                return self._lines(value)
            return [self.json(part, depth + 1) for part in value]
        if isinstance(value, int | float) and len(str(value)) >= _SHORTEST_NUMBER:
            return value if self.text(str(value)) == str(value) else STAND_IN
        return value

    def payload(self, data: bytes) -> bytes:
        """Return a JSON object's bytes without it, the same ones if it is not there."""
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            return self.text(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        cleaned = self.json(value)
        return data if cleaned == value else json.dumps(cleaned, separators=(",", ":")).encode()

    def notebook(self, notebook: Notebook) -> Notebook:
        """Return a document without it; where it is not, the document stays byte for byte."""
        cells = tuple(map(self._cell, notebook.cells))
        metadata, extra = self.json(notebook.metadata), self.json(notebook.extra)
        raw = {key: text for key, text in notebook.verbatim.items() if not self._is_written_in(text)}
        made = msgspec.structs.replace(notebook, cells=cells, metadata=metadata, extra=extra, verbatim=raw)
        if made == notebook:
            return notebook
        try:
            return codec.read(codec.write(made))  # without the pieces of its text that no longer fit
        except CellarError:
            return msgspec.structs.replace(made, verbatim={})

    def run(self, run: CellRun) -> CellRun:
        """Return a cell run whose texts are without it; its outputs are an object of their own."""
        error = run.error
        if error is not None:
            error = msgspec.structs.replace(error, name=self.text(error.name), value=self.text(error.value))
        return msgspec.structs.replace(
            run,
            source=self.text(run.source),
            error=error,
            opened_for_writing=tuple(map(self.text, run.opened_for_writing)),
        )

    def commit(self, commit: Commit) -> Commit:
        """Return a commit whose own texts are without it; its state and what it names are other functions'."""
        return msgspec.structs.replace(
            commit,
            author=self.text(commit.author),
            message=self.text(commit.message),
            cell=self.run(commit.cell) if commit.cell is not None else None,
            git_head=self.text(commit.git_head),
            notes=tuple(map(self.text, commit.notes)),
        )

    def entry(self, entry: Covariable) -> Covariable:
        """Return an entry of a state whose texts are without it; names of variables stay."""
        return msgspec.structs.replace(
            entry,
            previews=tuple(map(self._preview, entry.previews)),
            reason=self.text(entry.reason),
            uncertain=self.text(entry.uncertain),
        )

    def _key(self, key: str) -> str:
        return key if key in _FORM_KEYS or _MIME.fullmatch(key) else self.text(key)

    def _member(self, key: str, value: Any, depth: int) -> Any:
        if isinstance(value, str) and value in _FORM_VALUES.get(key, ()):
            return value
        return self.json(value, depth + 1)

    def _preview(self, preview: Preview) -> Preview:
        details = {self.text(name): self._detail(detail) for name, detail in preview.details.items()}
        return msgspec.structs.replace(
            preview, text=self.text(preview.text), type=self.text(preview.type), details=details
        )

    def _detail(self, detail: msgspec.Raw) -> msgspec.Raw:
        try:
            value = msgspec.msgpack.decode(detail)
        except msgspec.DecodeError:
            return detail
        cleaned = self.json(value)
        return detail if cleaned == value else msgspec.Raw(msgspec.msgpack.encode(cleaned, order="deterministic"))

    def _cell(self, cell: Cell) -> Cell:
        value = cell_to_json(cell)
        cleaned = self.json(value)
        return cell if cleaned == value else codec.cell_from_json(cleaned)

    def _lines(self, lines: list[str]) -> list[str]:
        joined = "".join(lines)
        cleaned = self.text(joined)
        if cleaned != joined:
            return cleaned.splitlines(keepends=True)
        return [self.text(line) for line in lines]

    def _is_written_in(self, text: bytes) -> bool:
        """Say whether a piece of a file holds it, in whichever way JSON escapes its letters."""
        if self.is_in(text):
            return True
        try:
            return self.payload(text) != text
        except (UnicodeDecodeError, RecursionError):
            return True


_MIME = re.compile(r"(?:text|image|application|audio|video|font|model)/[A-Za-z0-9.+-]+")


def _pattern_of(form: str) -> str:
    return (_COLOUR if len(form) <= _COLOURED_LONGEST else "").join(map(re.escape, form))


def _forms(text: str) -> tuple[str, ...]:
    forms = {
        text,
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        repr(text)[1:-1],
        html.escape(text),
        html.escape(text, quote=False),
        quote(text, errors="replace"),
        quote(text, safe="", errors="replace"),
    }
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


__all__ = ["SHORTEST", "STAND_IN", "Scrub"]
