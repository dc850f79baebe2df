"""The route by which a browser leaves a notebook as it is open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.browser.studio import Server
from tests.server.support import record

from nbcellar.history.drafts import draft_name, read_cells, read_draft

REST = {"metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def cell(key: int, source: str) -> dict[str, Any]:
    value = {"cell_type": "code", "id": f"c{key}", "metadata": {"trusted": True}, "outputs": [], "source": source}
    return {"key": key, "cell": {**value, "execution_count": None}}


def send(server: Server, path: str, order: list[int], cells: list[Any], **more: Any) -> Any:
    body = {"path": path, "client": "tab", "sent_ms": 1, "order": order, "cells": cells, "rest": REST, **more}
    status, answer = server.ask("nbcellar/api/draft", body)
    assert status == 200, answer
    return answer


def test_a_draft_is_kept_for_a_kernel_that_records(server: Server, folder: Path) -> None:
    with record(server, folder) as kernel:
        kept = {"kept": True, "lacking": False, "why": ""}
        assert send(server, kernel.path, [1, 2], [cell(1, "x = 1"), cell(2, "y = 2")]) == kept
        assert send(server, kernel.path, [2, 3], [cell(3, "z = 3")], rest=None) == kept
        drafts = folder / ".cellar" / "drafts"
        draft = read_draft(drafts, draft_name("tab"))
        assert draft is not None and draft.sent_ms == 1
        found = read_cells(drafts, draft, draft.cells)
        assert found is not None and [b"y = 2" in found[0], b"z = 3" in found[1]] == [True, True]
        assert b"trusted" not in b"".join(found)
        assert send(server, kernel.path, [4], [], rest=None) == {"kept": False, "lacking": True, "why": ""}
        status, answer = server.ask("nbcellar/api/draft-closed", {"path": kernel.path, "client": "tab"})
        assert status == 200, answer
        assert list(drafts.iterdir()) == []


def test_without_a_kernel_only_one_that_is_about_to_start_is_expected(server: Server, folder: Path) -> None:
    path = f"{folder.name}/a.ipynb"
    assert not send(server, path, [1], [cell(1, "x")], opening=True)["kept"], "there is no repository"
    assert server.ask("nbcellar/api/init", {"path": folder.name})[0] == 200
    assert send(server, path, [1], [cell(1, "x")], opening=True)["kept"]
    refused = send(server, path, [1], [cell(1, "x")])
    assert (refused["kept"], refused["why"]) == (False, "no kernel records this notebook")
    assert list((folder / ".cellar" / "drafts").iterdir()) == []


def test_what_does_not_fit_is_refused(server: Server, folder: Path) -> None:
    path = f"{folder.name}/a.ipynb"
    assert server.ask("nbcellar/api/init", {"path": folder.name})[0] == 200
    body = {"path": path, "client": "tab", "order": [1], "cells": [cell(1, "x")], "rest": REST, "opening": True}
    for wrong in (
        {"order": [-1]},
        {"order": [1 << 60]},
        {"sent_ms": 1 << 60},
        {"cells": [{"key": 1, "cell": {"source": 3}}]},
        {"rest": {"nbformat": 9}},
        {"path": "../outside.ipynb"},
        {"more": 1},
    ):
        assert server.ask("nbcellar/api/draft", {**body, **wrong})[0] == 400, wrong
