"""The routes of the panels History and Variables."""

from __future__ import annotations

from pathlib import Path

from tests.browser import studio
from tests.server.support import record


def test_without_a_repository_every_route_says_so(server: studio.Server, folder: Path) -> None:
    studio.write_notebook(folder / "a.ipynb", ["x = 1"])
    for route in ("history", "state", "lifelines"):
        status, answer = server.ask(f"nbcellar/api/{route}?path={folder.name}/a.ipynb")
        assert (status, answer["code"]) == (404, "no-repository"), route


def test_the_place_of_a_search_is_one_of_those_there_are(server: studio.Server, folder: Path) -> None:
    with record(server, folder) as kernel:
        kernel.run("x = 'needle'")
        path = f"nbcellar/api/search?path={folder.name}/a.ipynb&text=needle"
        status, answer = server.ask(f"{path}&where=code,message")
        assert (status, len(answer["commits"])) == (200, 1)
        status, answer = server.ask(f"{path}&where=output")
        assert (status, answer["commits"]) == (200, [])
        status, answer = server.ask(f"{path}&where=haystack")
        assert (status, answer["code"]) == (400, "invalid-input")


def test_what_came_since_is_asked_for_by_digest(server: studio.Server, folder: Path) -> None:
    with record(server, folder) as kernel:
        kernel.run("x = 1")
        path = f"nbcellar/api/history?path={folder.name}/a.ipynb"
        _, known = server.ask(path)
        kernel.run("x = 2")
        status, newer = server.ask(f"{path}&have={known['total']}&digest={known['digest']}")
        assert (status, newer["follows"]) == (200, True)
        assert [entry["source"] for entry in newer["entries"]] == ["x = 2"]
        _, anew = server.ask(f"{path}&have={known['total']}&digest=another")
        assert (anew["follows"], len(anew["entries"])) == (False, known["total"] + 1)


def test_undo_to_a_commit_that_undo_does_not_reach_is_refused(server: studio.Server, folder: Path) -> None:
    with record(server, folder) as kernel:
        kernel.run("x = 1")
        kernel.run("x = 2")
        path = f"{folder.name}/a.ipynb"
        _, known = server.ask(f"nbcellar/api/history?path={path}")
        first = next(entry["id"] for entry in known["entries"] if entry["source"] == "x = 1")
        status, done = server.ask("nbcellar/api/undo-to", {"path": path, "ref": first})
        assert (status, done["asks"]) == (200, False)
        assert kernel.value("x") == "1"
        status, answer = server.ask("nbcellar/api/undo-to", {"path": path, "ref": known["head"]})
        assert (status, answer["code"]) == (400, "invalid-input")
        assert kernel.value("x") == "1"
