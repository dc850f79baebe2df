"""A real kernel records the notebook that its editor left, told by the message that asked for the run."""

from __future__ import annotations

import json
from pathlib import Path

from nbcellar.api.drafts import SentCell, SentDraft, keep_draft

from .support import Kernel

_LATER_MS = 1 << 52  # a date of the editor's that no run of a test comes after


def send(kernel: Kernel, keys: int, sent_ms: int, **cells: str) -> None:
    """Leave a draft as the editor that this test is."""
    sent = [
        SentCell(
            key=keys + at,
            cell={
                "cell_type": "code",
                "id": identity,
                "source": source,
                "metadata": {},
                "outputs": [],
                "execution_count": None,
            },
        )
        for at, (identity, source) in enumerate(cells.items())
    ]
    draft = SentDraft(
        client=kernel.client.session.session,
        sent_ms=sent_ms,
        order=[cell.key for cell in sent],
        cells=sent,
        rest={"metadata": {}, "nbformat": 4, "nbformat_minor": 5},
        minor=5,
        opening=False,
    )
    kept = keep_draft(file(kernel), kernel.environ, draft)
    assert kept.kept, kept.why


def file(kernel: Kernel) -> Path:
    return kernel.project.root / kernel.notebook


def code(kernel: Kernel) -> dict[str, str]:
    """Return the notebook of HEAD: sources by cell id."""
    from nbcellar.api.opened import document_of

    with kernel.project.open(kernel.notebook) as repo:
        found = document_of(repo, "HEAD").notebook
    return {cell["id"]: "".join(cell["source"]) for cell in found["cells"]}


def test_the_commit_of_a_run_holds_what_was_open(fresh: Kernel) -> None:
    cells = [
        {"cell_type": "code", "id": "a", "source": "x = 1", "metadata": {}, "outputs": [], "execution_count": None}
    ]
    file(fresh).write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    send(fresh, 0, _LATER_MS, a="x = 1", b="y = 'edited'")
    fresh.start("x = 1", cell_id="a").finish()
    fresh.settle()
    assert code(fresh) == {"a": "x = 1", "b": "y = 'edited'"}
    send(fresh, 10, _LATER_MS, a="x = 'typed while y ran'", b="y = 3")
    fresh.start("y = 'what ran'", cell_id="b").finish()
    fresh.settle()
    assert code(fresh) == {"a": "x = 'typed while y ran'", "b": "y = 'what ran'"}


def test_a_draft_from_before_the_run_loses_to_a_newer_file(fresh: Kernel) -> None:
    send(fresh, 0, 1, a="x = 'long ago'")
    cells = [
        {"cell_type": "code", "id": "a", "source": "x = 2", "metadata": {}, "outputs": [], "execution_count": None}
    ]
    file(fresh).write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    fresh.start("x = 2", cell_id="a").finish()
    fresh.settle()
    assert code(fresh) == {"a": "x = 2"}
