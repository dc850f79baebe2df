"""What an editor sends is kept as Jupyter would save it, and only of notebooks that are recorded."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import msgspec
import nbformat
import pytest

from nbcellar import notebook as notebooks
from nbcellar.api import init
from nbcellar.api.drafts import KeptDraft, SentCell, SentDraft, drop_draft, keep_draft
from nbcellar.errors import InvalidInputError
from nbcellar.history import drafts
from nbcellar.history.drafts import draft_name, read_cells, read_draft
from nbcellar.ids import Digest
from nbcellar.notebook import tree
from nbcellar.session.entries import KernelEntry

CELLS: list[dict[str, Any]] = [
    {
        "source": "# words\n![](attachment:a.png)",
        "metadata": {"tags": ["b", "a"], "trusted": True},
        "id": "m",
        "cell_type": "markdown",
        "attachments": {"a.png": {"image/png": "AAAA"}},
    },
    {
        "source": "print('é', 1e-7)\n\n'last line'",
        "cell_type": "code",
        "id": "c",
        "metadata": {"trusted": True, "b": {"z": 1e-07, "a": [1.0, 2]}, "a": None},
        "execution_count": 3,
        "outputs": [
            {"output_type": "stream", "text": "é 1e-07\nmore", "name": "stdout"},
            {
                "output_type": "execute_result",
                "metadata": {},
                "execution_count": 3,
                "data": {
                    "text/plain": "'last\nline'",
                    "text/html": "<b>\nx</b>",
                    "image/png": "AA\nBB\n",
                    "image/svg+xml": "<svg>\n</svg>",
                    "application/json": {"z": ["x", "y"], "a": 1},
                },
            },
        ],
    },
    {"cell_type": "raw", "source": "", "id": "r", "metadata": {}},
    {"cell_type": "code", "source": "", "id": "e", "metadata": {}, "execution_count": None, "outputs": []},
]
METADATA = {"language_info": {"name": "python"}, "kernelspec": {"name": "python3", "display_name": "Python 3"}}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"NBCELLAR_CONFIG_DIR": str(tmp_path / "config")}


@pytest.fixture
def file(tmp_path: Path, environ: dict[str, str]) -> Path:
    """A notebook in a repository."""
    folder = tmp_path / "project"
    folder.mkdir()
    init(folder, environ=environ).close()
    return folder / "a.ipynb"


def sent(cells: list[dict[str, Any]] = CELLS, *, opening: bool = True, minor: int = 5) -> SentDraft:
    rest = {"nbformat_minor": minor, "nbformat": 4, "metadata": METADATA}
    fresh = [SentCell(key=key, cell=cell) for key, cell in enumerate(cells)]
    order = list(range(len(cells)))
    return SentDraft(client="tab", sent_ms=7, order=order, cells=fresh, rest=rest, minor=minor, opening=opening)


def kept_tree(file: Path) -> Digest | None:
    """Return the tree of the draft that is there."""
    folder = file.with_name(".cellar") / "drafts"
    draft = read_draft(folder, draft_name("tab"))
    if draft is None:
        return None
    assert read_cells(folder, draft, draft.cells) is not None
    return tree.assemble([Digest(cell.digest) for cell in draft.cells], draft.members)[0]


def join(file: Path, notebook: str) -> None:
    """Make this very process look like a kernel."""
    entry = KernelEntry(
        protocol=1,
        version="",
        pid=os.getpid(),
        connection_file="",
        notebook="n",
        path=notebook,
        started_ns=time.time_ns(),
    )
    folder = file.with_name(".cellar") / "kernels"
    folder.mkdir(exist_ok=True)
    (folder / "one.json").write_bytes(msgspec.json.encode(entry))


@pytest.mark.parametrize("minor", [5, 4])
def test_a_draft_is_what_jupyter_saves(file: Path, environ: dict[str, str], minor: int) -> None:
    assert keep_draft(file, environ, sent(minor=minor)) == KeptDraft(kept=True)
    cells = [{key: value for key, value in cell.items() if key != "id" or minor == 5} for cell in CELLS]
    document = nbformat.from_dict({"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": minor})
    for cell in document.cells:
        cell.metadata.pop("trusted", None)
    nbformat.write(document, file)
    root, _ = tree.split(notebooks.read(file.read_bytes()))
    assert kept_tree(file) == root


def test_nothing_is_kept_where_nothing_is_recorded(tmp_path: Path, file: Path, environ: dict[str, str]) -> None:
    outside = keep_draft(tmp_path / "b.ipynb", environ, sent())
    assert not outside.kept and not outside.lacking and "no Cellar repository" in outside.why
    assert "no kernel records" in keep_draft(file, environ, sent(opening=False)).why
    join(file, str(file.with_name("another.ipynb")))
    file.with_name("another.ipynb").touch()
    assert not keep_draft(file, environ, sent(opening=False)).kept
    join(file, str(file))
    assert keep_draft(file, environ, sent(opening=False)).kept


def test_a_notebook_that_was_renamed_under_its_kernel_is_kept(file: Path, environ: dict[str, str]) -> None:
    join(file, str(file.with_name("as it was called.ipynb")))
    assert keep_draft(file, environ, sent(opening=False)).kept


def test_a_notebook_that_is_switched_off_leaves_no_draft(file: Path, environ: dict[str, str]) -> None:
    assert keep_draft(file, environ, sent()).kept
    file.with_name(".cellar").joinpath("config.toml").write_text('[record]\noff_notebooks = ["a.ipynb"]\n')
    refused = keep_draft(file, environ, sent())
    assert not refused.kept and "off_notebooks" in refused.why
    assert list((file.with_name(".cellar") / "drafts").iterdir()) == []
    join(file, str(file))  # by %load_ext nbcellar
    assert keep_draft(file, environ, sent(opening=False)).kept


def test_a_notebook_beyond_the_limit_is_not_kept(
    file: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert keep_draft(file, environ, sent()).kept
    monkeypatch.setattr(drafts, "MOST_BYTES", 100)
    assert "from its file only" in keep_draft(file, environ, sent()).why
    assert kept_tree(file) is None


def test_what_is_lacking_is_said(file: Path, environ: dict[str, str]) -> None:
    later = SentDraft(client="tab", sent_ms=8, order=[0, 1], cells=[], rest=None, minor=5, opening=True)
    assert keep_draft(file, environ, later) == KeptDraft(kept=False, lacking=True)
    keep_draft(file, environ, sent())
    assert keep_draft(file, environ, later).kept
    drop_draft(file, "tab")
    assert keep_draft(file, environ, later).lacking


def test_what_is_no_cell_is_refused(file: Path, environ: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError):
        keep_draft(file, environ, sent([{"cell_type": 3, "source": "", "metadata": {}}]))


def test_a_folder_that_cannot_be_written_is_no_error(file: Path, environ: dict[str, str]) -> None:
    (file.with_name(".cellar") / "drafts").write_text("a file")
    refused = keep_draft(file, environ, sent())
    assert not refused.kept and refused.why
