"""The routes about notebooks as documents: what is compared, what comes back, and what no notebook can do."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from tests.browser import documents
from tests.browser.documents import AFTER, BEFORE, code, committed, git, notebook, shown, stream, write
from tests.browser.studio import Server


def compare(server: Server, path: str, before: Any, after: Any, **more: Any) -> Any:
    status, answer = server.ask("nbcellar/api/diff", {"path": path, "before": before, "after": after, **more})
    assert status == 200, answer
    return answer


def refused(server: Server, body: Any) -> tuple[int, str, str]:
    status, answer = server.ask("nbcellar/api/diff", body)
    assert status != 200
    return status, answer["code"], answer["message"]


def kinds(answer: Any) -> list[tuple[str, list[int], list[int]]]:
    return [(row["kind"], row["before"], row["after"]) for row in answer["rows"] if row["kind"] != "equal"]


FILE, HEAD = {"kind": "file"}, {"kind": "git", "revision": "HEAD"}


def test_rows_stand_beside_each_other_in_the_order_of_the_second_notebook(server: Server, folder: Path) -> None:
    path = committed(folder)
    answer = compare(server, f"{folder.name}/{path.name}", HEAD, FILE)
    assert [(row["kind"], row["before"], row["after"]) for row in answer["rows"]] == [
        ("changed", [0], [0]),
        ("changed", [5], [1]),
        ("changed", [1], [2]),
        ("changed", [2], [3]),
        ("equal", [3], [4]),
        ("changed", [4], [5]),
        ("gone", [5], [1]),
        ("removed", [6], []),
        ("equal", [7], [6]),
        ("changed", [8], [7]),
        ("added", [], [8]),
        ("changed", [9], [9]),
        ("changed", [10], [10]),
    ]
    assert answer["language"] == "python"
    assert answer["changes"]["states"] == [{"name": "title", "before": "", "after": "Prices of flats"}]


def test_a_source_that_both_have_comes_once(server: Server, folder: Path) -> None:
    path = committed(folder)
    answer = compare(server, f"{folder.name}/{path.name}", HEAD, FILE)
    assert answer["after"][1]["source"] is None
    assert answer["before"][5]["source"] == documents.PLOT
    assert "by month and city" in answer["after"][0]["source"]


def test_splits_and_joins_are_one_row(server: Server, folder: Path) -> None:
    whole = "\n".join(f"first_{n} = compute({n})" for n in range(6))
    rest = "\n".join(f"second_{n} = draw({n})" for n in range(6))
    one = write(folder / "one.ipynb", notebook([code("a", f"{whole}\n{rest}")]))
    two = write(folder / "two.ipynb", notebook([code("a", whole), code("b", rest)]))
    path = f"{folder.name}/{two.name}"
    before = {"kind": "file", "path": f"{folder.name}/{one.name}"}
    assert kinds(compare(server, path, before, FILE)) == [("split", [0], [0, 1])]
    assert kinds(compare(server, path, FILE, before)) == [("joined", [0, 1], [0])]


def test_all_sides(server: Server, folder: Path) -> None:
    path = committed(folder)
    where = f"{folder.name}/{path.name}"
    git(folder, "add", path.name)
    write(path, notebook([code("a", "x = 3")]))
    live = {"kind": "open", "notebook": notebook([code("a", "x = 4", trusted=True)])}
    index = {"kind": "git"}
    assert not kinds(compare(server, where, index, index))
    assert len(compare(server, where, HEAD, index)["rows"]) == 13
    assert kinds(compare(server, where, {"kind": "nothing"}, FILE)) == [("added", [], [0])]
    answer = compare(server, where, FILE, live)
    assert kinds(answer) == [("changed", [0], [0])]
    assert answer["rows"][0]["change"]["states"] == []  # that Jupyter trusts a cell is no change of the document
    assert server.ask("nbcellar/api/init", {"path": where})[0] == 200


def test_a_file_that_git_does_not_have_is_new(server: Server, folder: Path) -> None:
    committed(folder)
    write(folder / "fresh.ipynb", AFTER)
    answer = compare(server, f"{folder.name}/fresh.ipynb", HEAD, FILE)
    assert not answer["before_side"]["is_there"]
    assert {row["kind"] for row in answer["rows"]} == {"added"}


def test_outputs_come_where_they_changed_and_on_demand(server: Server, folder: Path) -> None:
    path = committed(folder)
    where = f"{folder.name}/{path.name}"
    answer = compare(server, where, HEAD, FILE)
    assert [output["form"] for output in answer["after"][1]["shown"]] == ["image"]
    assert answer["after"][0]["shown"] is None
    ask = f"nbcellar/api/diff-outputs?path={where}&id={answer['id']}&side=after&cells=7,1,99"
    status, found = server.ask(ask)
    assert status == 200
    assert [(cell["place"], len(cell["shown"]), cell["raw"]) for cell in found["cells"]] == [(7, 1, []), (1, 1, [])]
    assert found["cells"][0]["shown"][0]["spans"] == [{"text": "score 0.86\nrows 120\n"}]
    _, found = server.ask(ask + "&raw=true")
    assert found["cells"][0]["raw"][0]["text"] == "score 0.86\nrows 120\n"


def test_what_a_stream_wrote_in_pieces_is_one_output_in_either_form(server: Server, folder: Path) -> None:
    path = write(
        folder / "a.ipynb", notebook([code("a", "x", [stream("a\n"), stream("b\n"), shown({"text/plain": "c"})])])
    )
    where = f"{folder.name}/{path.name}"
    answer = compare(server, where, {"kind": "nothing"}, FILE)
    _, found = server.ask(f"nbcellar/api/diff-outputs?path={where}&id={answer['id']}&side=after&cells=0&raw=true")
    (cell,) = found["cells"]
    assert [output["place"] for output in cell["shown"]] == [0, 2]
    assert [output["output_type"] for output in cell["raw"]] == ["stream", "display_data"]
    assert cell["raw"][0]["text"] == "a\nb\n"


def test_the_pipelines_of_both_sides_are_one_picture(server: Server, folder: Path) -> None:
    def component(id: str, name: str, source: str) -> Any:
        return code(id, source, cellar={"component": {"name": name}})

    before = notebook([component("a", "load", "rows = [1]"), component("b", "old", "n = len(rows)")])
    after = notebook([component("a", "read", "rows = [1]"), component("c", "new", "m = max(rows)")])
    path = f"{folder.name}/a.ipynb"
    write(folder / "a.ipynb", after)
    answer = compare(server, path, {"kind": "open", "notebook": before}, FILE)
    assert answer["pipeline"] == "changed"
    status, found = server.ask(f"nbcellar/api/diff-pipeline?path={path}&id={answer['id']}")
    assert status == 200, found
    assert [(each["id"], each["name"]) for each in found["shown"]["pipeline"]["components"]] == [
        ("a", "read"),
        ("b", "old"),
        ("c", "new"),
    ]
    assert set(found["shown"]["picture"]["places"]) == {"a", "b", "c"}
    assert {each["id"]: (each["kind"], each["old_name"]) for each in found["components"]} == {
        "a": ("changed", "load"),
        "b": ("removed", ""),
        "c": ("added", ""),
    }
    assert {(each["child"], each["kind"]) for each in found["edges"]} == {("b", "removed"), ("c", "added")}
    assert compare(server, path, FILE, FILE)["pipeline"] == "same"
    plain = notebook([code("a", "rows = [1]")])
    given = {"kind": "open", "notebook": plain}
    assert compare(server, path, given, {**given, "notebook": notebook([])})["pipeline"] == "none"


def test_the_text_of_both_files(server: Server, folder: Path) -> None:
    path = committed(folder)
    where = f"{folder.name}/{path.name}"
    answer = compare(server, where, HEAD, FILE)
    status, raw = server.ask(f"nbcellar/api/diff-raw?path={where}&id={answer['id']}")
    assert status == 200
    assert any(line["mark"] == "+" and '"title": "Prices of flats"' in line["text"] for line in raw["text"]["lines"])


def test_the_text_of_an_open_notebook_is_what_jupyter_would_write(server: Server, folder: Path) -> None:
    written = nbformat.from_dict(notebook([code("a", "x = 1\ny = 2", [stream("1\n2\n")], 3)]))
    path = folder / "a.ipynb"
    nbformat.write(written, path)
    where = f"{folder.name}/{path.name}"
    live = {"kind": "open", "notebook": {**json.loads(nbformat.writes(written)), "nbformat_minor": 5}}
    answer = compare(server, where, FILE, live)
    _, raw = server.ask(f"nbcellar/api/diff-raw?path={where}&id={answer['id']}")
    assert raw["text"]["lines"] == []


def test_a_comparison_that_is_not_held_any_more_is_said_so(server: Server, folder: Path) -> None:
    path = committed(folder)
    where = f"{folder.name}/{path.name}"
    first = compare(server, where, HEAD, FILE)
    compare(server, where, HEAD, FILE, instead=first["id"])
    status, answer = server.ask(f"nbcellar/api/diff-raw?path={where}&id={first['id']}")
    assert (status, answer["hint"]) == (404, "compare again")


def test_versions_to_choose_from(server: Server, folder: Path) -> None:
    path = committed(folder)
    git(folder, "commit", "-qam", "<b>second</b>")
    git(folder, "branch", "side")
    git(folder, "tag", "v1")
    status, found = server.ask(f"nbcellar/api/revisions?path={folder.name}/{path.name}")
    assert status == 200
    assert (found["in_git"], found["branch"]) == (True, "main")
    assert [(ref["kind"], ref["name"]) for ref in found["refs"]] == [
        ("branch", "main"),
        ("branch", "side"),
        ("tag", "v1"),
    ]
    assert [commit["title"] for commit in found["commits"]] == ["<b>second</b>", "add prices.ipynb"]
    write(folder / "alone.ipynb", AFTER)
    (folder / "outside").mkdir()


def test_notebooks_of_a_folder_beside_head(server: Server, folder: Path) -> None:
    committed(folder, "changed.ipynb")
    committed(folder, "same.ipynb", BEFORE, BEFORE)
    write(folder / "new.ipynb", AFTER)
    (folder / "torn.ipynb").write_text("{")
    status, found = server.ask(f"nbcellar/api/notebooks?path={folder.name}")
    assert status == 200
    assert found["branch"] == "main"
    assert {entry["path"]: entry["state"] for entry in found["notebooks"]} == {
        "changed.ipynb": "changed",
        "new.ipynb": "new",
        "same.ipynb": "same",
        "torn.ipynb": "new",
    }


def test_what_a_command_hands_over_is_compared_by_its_id(server: Server) -> None:
    texts = {"before": json.dumps(BEFORE), "after": json.dumps(AFTER)}
    names = {"before_name": "/x/a.ipynb", "after_name": "b.ipynb"}
    status, handed = server.ask("nbcellar/api/hand-over", {"path": "", "name": "b.ipynb", **names, **texts})
    assert status == 200
    status, answer = server.ask("nbcellar/api/diff", {"path": "", "handed": handed["id"]})
    assert (status, len(answer["rows"])) == (200, 13)
    _, listed = server.ask("nbcellar/api/handed?path=")
    assert {"id": handed["id"], "name": "b.ipynb"}.items() <= listed["pairs"][-1].items()
    assert refused(server, {"path": "", "handed": "guessed"})[0] == 404


def test_a_page_that_nobody_waits_for_cannot_end_the_server(server: Server) -> None:
    status, answer = server.ask("nbcellar/api/finish", {"path": ""})
    assert (status, answer["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    "side",
    [
        {"kind": "file", "path": "../x.ipynb"},
        {"kind": "file", "path": "/etc/passwd"},
        {"kind": "git", "revision": "HEAD", "path": "a/../../x.ipynb"},
        {"kind": "open", "path": "../x.ipynb", "notebook": {}},
    ],
)
def test_no_side_leads_out_of_the_root(server: Server, folder: Path, side: Any) -> None:
    path = committed(folder)
    status, _, message = refused(server, {"path": f"{folder.name}/{path.name}", "before": side, "after": FILE})
    assert status in (400, 404)
    assert "root:" not in message


@pytest.mark.parametrize("revision", ["--output=x", "HEAD:prices.ipynb", "nothing", "^HEAD", "HEAD\0", "@{-1}", "-p"])
def test_a_revision_is_a_name_and_nothing_else(server: Server, folder: Path, revision: str) -> None:
    path = committed(folder)
    side = {"kind": "git", "revision": revision}
    status, _, _ = refused(server, {"path": f"{folder.name}/{path.name}", "before": side, "after": FILE})
    assert status in (400, 404)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 400),
        ("{", 400),
        ("[]", 400),
        ('{"cells": 3}', 400),
        ('{"nbformat": 9, "cells": [], "metadata": {}, "nbformat_minor": 0}', 400),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": ' + "[" * 100_000, 400),
    ],
)
def test_what_is_no_notebook_is_wrong_input(server: Server, folder: Path, text: str, status: int) -> None:
    (folder / "bad.ipynb").write_text(text)
    body = {"path": f"{folder.name}/bad.ipynb", "before": {"kind": "nothing"}, "after": FILE}
    found, _, message = refused(server, body)
    assert found == status, message


def test_unknown_fields_are_refused(server: Server) -> None:
    assert refused(server, {"path": "", "befor": {"kind": "file"}})[0] == 400
    assert refused(server, {"path": "", "before": {"kind": "file", "rev": 1}, "after": FILE})[0] == 400
    assert refused(server, {"path": ""})[0] == 400


SCRIPT = "<script>window.hit=1</script><img src=x onerror=hit()><a href='javascript:hit()'>a</a>"


def _static(server: Server, folder: Path, *outputs: Any) -> list[Any]:
    path = write(folder / "hostile.ipynb", notebook([code("a", "x", outputs)]))
    answer = compare(server, f"{folder.name}/{path.name}", {"kind": "nothing"}, FILE)
    found: list[Any] = answer["after"][0]["shown"]
    return found


def test_html_is_cleaned(server: Server, folder: Path) -> None:
    data = "data:text/html;base64,PHNjcmlwdD4="
    (output,) = _static(
        server,
        folder,
        shown(
            {
                "text/html": f"<b onclick=hit() style='x'>kept</b>{SCRIPT}<svg onload=hit()></svg><img src='{data}'>"
                "<img src='https://example.org/x.png'><form action=x><input></form><base href=x>"
                "<meta http-equiv=refresh><iframe srcdoc='<b>x</b>'></iframe><object data=x></object>"
                "<link rel=stylesheet href=x><style>b{}</style><math><mtext><script>x</script></mtext></math>"
                "<table><tr><td background=x colspan=2>1</td></tr></table>"
            }
        ),
    )
    assert output["form"] == "html"
    for word in ("script", "onclick", "onerror", "onload", "style", "href", "src=", "form", "iframe", "object", "base"):
        assert word not in output["data"], word
    assert "<b>kept</b>" in output["data"]
    assert '<td colspan="2">1</td>' in output["data"]


def test_pictures_are_pictures_and_nothing_else(server: Server, folder: Path) -> None:
    svg = "<svg xmlns='http://www.w3.org/2000/svg' onload='hit()'/>"
    found = _static(
        server,
        folder,
        shown({"image/png": 'x" onerror="hit()'}),
        shown({"image/png": ["iVBORw0K\n", "GgoAAAAN"]}),
        shown({"image/svg+xml": svg}),
    )
    assert found[0]["form"] == "scripted"
    assert found[1]["data"] == "data:image/png;base64,iVBORw0KGgoAAAAN"
    assert base64.b64decode(found[2]["data"].removeprefix("data:image/svg+xml;base64,")).decode() == svg


def test_what_needs_a_script_is_named(server: Server, folder: Path) -> None:
    plotly = {"application/vnd.plotly.v1+json": {"data": []}, "text/html": f"<div>{SCRIPT}</div>", "text/plain": "F"}
    found = _static(
        server,
        folder,
        shown({"application/javascript": "hit()", "text/plain": "<IPython.core.display.Javascript object>"}),
        shown(plotly),
        shown({**plotly, "image/png": documents.picture((1, 2, 3), 4)}),
        shown({SCRIPT: 1}),
        shown({}),
    )
    assert [output["form"] for output in found] == ["scripted", "scripted", "image", "scripted", "empty"]
    assert found[1]["mime"] == "application/vnd.plotly.v1+json"


def test_colours_of_terminals_are_data(server: Server, folder: Path) -> None:
    found = _static(
        server,
        folder,
        stream(f"\x1b[1;31mred\x1b[0m {SCRIPT} \x1b[38;5;208mo\x1b[48;2;1;2;3mp\x1b[m\x1b]0;title\x07\n"),
        stream("10 %\r100 %\n", "stderr"),
    )
    assert found[0]["spans"] == [
        {"text": "red", "ink": "1", "bold": True},
        {"text": f" {SCRIPT} "},
        {"text": "o", "ink": "#ff8700"},
        {"text": "p", "ink": "#ff8700", "paper": "#010203"},
        {"text": "\n"},
    ]
    assert found[1]["spans"] == [{"text": "100 %\n"}]


def test_huge_outputs_are_cut_and_left_to_be_asked_for(server: Server, folder: Path) -> None:
    cells = [code(f"c{n}", "x", [stream(f"{n}" * 300_000)]) for n in range(12)]
    path = write(folder / "huge.ipynb", notebook(cells))
    where = f"{folder.name}/{path.name}"
    answer = compare(server, where, {"kind": "nothing"}, FILE)
    sent = [cell["shown"] for cell in answer["after"] if cell["shown"] is not None]
    assert 0 < len(sent) < 12
    assert sent[0][0]["cut"]
    _, found = server.ask(f"nbcellar/api/diff-outputs?path={where}&id={answer['id']}&side=after&cells=11")
    assert len(found["cells"][0]["shown"][0]["spans"][0]["text"]) == 100_000


def test_halves_of_surrogate_pairs_do_no_harm(server: Server, folder: Path) -> None:
    text = json.dumps(notebook([code("a", "x", [stream("\ud800"), shown({"text/html": "<b>\ud800</b>"})])]))
    (folder / "half.ipynb").write_text(text)
    body = {"path": f"{folder.name}/half.ipynb", "before": {"kind": "nothing"}, "after": FILE}
    assert server.ask("nbcellar/api/diff", body)[0] in (200, 400)
