"""A notebook as lines of text."""

from __future__ import annotations

import json

from nbcellar.git.text_form import text_form


def document(*cells: dict[str, object]) -> bytes:
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def test_cells_and_their_outputs_are_lines() -> None:
    data = document(
        {"cell_type": "markdown", "id": "a", "metadata": {"tags": ["t"]}, "source": ["# Title\n", "text"]},
        {
            "cell_type": "code",
            "execution_count": 3,
            "id": "b",
            "metadata": {},
            "source": ["1 + 1"],
            "outputs": [
                {"name": "stdout", "output_type": "stream", "text": ["x\n", "y"]},
                {"data": {"image/png": "AAAA", "text/plain": ["2"]}, "metadata": {}, "output_type": "display_data"},
                {"ename": "E", "evalue": "v", "traceback": ["\x1b[31mtop\x1b[0m"], "output_type": "error"},
            ],
        },
    )
    lines = text_form(data).decode().splitlines()
    assert lines[:4] == ["--- markdown", 'metadata: {"tags":["t"]}', "# Title", "text"]
    assert lines[5:10] == ["--- code [3]", "1 + 1", "output: stdout", "    x", "    y"]
    assert lines[10] == "output: display_data"
    assert lines[11].startswith("    image/png: 4 characters, ")
    assert lines[12:15] == ["    2", "output: error E: v", "    top"]


def test_pictures_that_differ_give_lines_that_differ() -> None:
    def picture(data: str) -> bytes:
        outputs = [{"data": {"image/png": data}, "metadata": {}, "output_type": "display_data"}]
        cell = {"cell_type": "code", "execution_count": 1, "id": "a", "metadata": {}, "source": [], "outputs": outputs}
        return text_form(document(cell))

    assert picture("AAAA") == picture("AAAA")
    assert picture("AAAA") != picture("AAAB")


def test_nothing_that_a_terminal_would_obey_comes_through() -> None:
    cell = {"cell_type": "raw\x1b[2J", "id": "a", "metadata": {"k\x07": "\x9b1m"}, "source": ["a\x1b]0;t\x07\rb"]}
    text = text_form(document(cell)).decode()
    assert not any((sign < " " and sign != "\n") or "\x7f" <= sign < "\xa0" for sign in text)


def test_other_files_are_shown_as_they_are() -> None:
    assert text_form(b"\xffno notebook") == b"\xffno notebook"
