"""The routes about pipelines: the open notebook is read, edits say what to change, runs are followed and end."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.browser import studio
from tests.browser.studio import Server, add_kernelspec, write_notebook
from tests.pipeline.support import await_end
from tests.server.support import Event, Listener

from nbcellar.errors import InvalidInputError
from nbcellar.server.pipeline_runs import words_of

SOURCES = ("x = 1", "y = x + 1", "z = x + y")


def opened(*sources: str, **metadata: Any) -> dict[str, Any]:
    cells = [
        {"cell_type": "code", "id": f"c{at}", "metadata": {"trusted": True, "tags": ["mine"]}, "source": source}
        for at, source in enumerate(sources)
    ]
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def apply(notebook: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook with what an edit says done, as an editor does it."""

    def having(metadata: dict[str, Any], cellar: Any) -> dict[str, Any]:
        rest = {key: value for key, value in metadata.items() if key != "cellar"}
        return rest if cellar is None else {**rest, "cellar": cellar}

    made: dict[str, Any] = json.loads(json.dumps(notebook))
    for change in changed["cells"]:
        cell = made["cells"][change["place"]]
        assert cell["id"] == change["id"]
        cell["metadata"] = having(cell["metadata"], change["cellar"])
    if changed["notebook"] is not None:
        made["metadata"] = having(made["metadata"], changed["notebook"]["cellar"])
    return made


class Pipeline:
    """The pipeline of a notebook that nobody saved."""

    def __init__(self, server: Server, folder: Path, notebook: dict[str, Any]) -> None:
        self.server = server
        self.path = f"{folder.name}/open.ipynb"
        self.notebook = notebook

    def show(self) -> Any:
        status, answer = self.server.ask("nbcellar/api/pipeline", {"path": self.path, "notebook": self.notebook})
        assert status == 200, answer
        return answer

    def try_edit(self, **edit: Any) -> tuple[int, Any]:
        asked = {"path": self.path, "notebook": self.notebook, "edit": edit}
        return self.server.ask("nbcellar/api/pipeline-edit", asked)

    def edit(self, **edit: Any) -> list[int]:
        """Make an edit; return the places of the cells that it changed."""
        status, answer = self.try_edit(**edit)
        assert status == 200, answer
        self.notebook = apply(self.notebook, answer)
        assert self.show() == answer["shown"]
        return [change["place"] for change in answer["cells"]]

    def said(self) -> list[Any]:
        return [cell["metadata"].get("cellar", {}).get("component") for cell in self.notebook["cells"]]


@pytest.fixture
def pipeline(server: Server, folder: Path) -> Pipeline:
    return Pipeline(server, folder, opened(*SOURCES))


def test_a_plain_notebook_is_shown_as_a_proposal_with_places(pipeline: Pipeline, folder: Path) -> None:
    shown = pipeline.show()
    assert shown["pipeline"]["proposed"] is True
    assert [(found["name"], found["cell"]) for found in shown["pipeline"]["components"]] == [
        ("x", 1),
        ("y", 2),
        ("z", 3),
    ]
    places = shown["picture"]["places"]
    assert [places[id]["layer"] for id in ("c0", "c1", "c2")] == [0, 1, 2]
    bends = {(each["parent"], each["child"]): len(each["points"]) for each in shown["picture"]["bends"]}
    assert bends == {("c0", "c1"): 0, ("c0", "c2"): 1, ("c1", "c2"): 0}
    assert list(folder.iterdir()) == []


def test_edits_say_what_to_change_and_nothing_else(pipeline: Pipeline, folder: Path) -> None:
    assert pipeline.edit(kind="init") == [0, 1, 2]
    assert [said["name"] for said in pipeline.said()] == ["x", "y", "z"]
    assert pipeline.edit(kind="rename", component="c1", name="sum") == [1]
    assert pipeline.edit(kind="remove", component="z") == [2]
    assert pipeline.edit(kind="add", component="c2") == [2]
    assert pipeline.edit(kind="connect", parent="x", child="z") == [2]
    assert pipeline.said()[2] == {"name": "z", "after": ["c0"]}
    assert pipeline.edit(kind="disconnect", parent="x", child="z") == [2]
    assert pipeline.edit(kind="policy", component="x", value={"cache": False, "retries": 2}) == [0]
    assert pipeline.said()[0] == {"name": "x", "cache": False, "retries": 2}
    assert pipeline.edit(kind="policy", component="x", value={"cache": None, "retries": None}) == [0]
    assert pipeline.said() == [{"name": "x"}, {"name": "sum"}, {"name": "z"}]
    assert pipeline.edit(kind="set", name="scale", value=3) == []
    assert pipeline.notebook["metadata"] == {"cellar": {"parameters": {"scale": 3}}}
    assert pipeline.edit(kind="unset", name="scale") == []
    assert pipeline.notebook["metadata"] == {}
    assert all(cell["metadata"]["tags"] == ["mine"] for cell in pipeline.notebook["cells"])
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("edit", "status", "code"),
    [
        ({"kind": "connect", "parent": "z", "child": "x"}, 400, "invalid-input"),
        ({"kind": "connect", "parent": "x", "child": "x"}, 400, "invalid-input"),
        ({"kind": "disconnect", "parent": "x", "child": "y"}, 400, "invalid-input"),
        ({"kind": "rename", "component": "nobody", "name": "a"}, 404, "not-found"),
        ({"kind": "rename", "component": "x", "name": "y"}, 409, "already-exists"),
        ({"kind": "rename", "component": "x"}, 400, "invalid-input"),
        ({"kind": "init"}, 409, "already-exists"),
        ({"kind": "policy", "component": "x", "value": {"retries": -1}}, 400, "invalid-input"),
        ({"kind": "policy", "component": "x", "value": 5}, 400, "invalid-input"),
        ({"kind": "set", "name": "two words", "value": 5}, 400, "invalid-input"),
        ({"kind": "unset", "name": "nobody"}, 404, "not-found"),
        ({"kind": "explode"}, 400, "invalid-input"),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_what_makes_no_sense_is_refused(pipeline: Pipeline, edit: dict[str, Any], status: int, code: str) -> None:
    pipeline.edit(kind="init")
    pipeline.edit(kind="connect", parent="x", child="z")
    found, answer = pipeline.try_edit(**edit)
    assert (found, answer["code"]) == (status, code), answer


def test_what_is_wrong_comes_with_the_cells_and_a_hint(server: Server, folder: Path) -> None:
    notebook = opened("a = 1", "b = 2")
    for cell, name, after in zip(notebook["cells"], ("one", "two"), ("c1", "c0"), strict=True):
        cell["metadata"] = {"cellar": {"component": {"name": name, "after": [after]}}}
    shown = Pipeline(server, folder, notebook).show()
    (problem,) = shown["pipeline"]["problems"]
    assert (problem["code"], set(problem["cells"])) == ("cycle", {"c0", "c1"})
    assert problem["hint"]
    assert set(shown["picture"]["places"]) == {"c0", "c1"}


def test_a_component_goes_into_another_notebook_by_a_file(server: Server, folder: Path) -> None:
    def ask(route: str, notebook: Any, **more: Any) -> tuple[int, Any]:
        return server.ask(f"nbcellar/api/{route}", {"path": f"{folder.name}/open.ipynb", "notebook": notebook, **more})

    status, exported = ask("pipeline-export", opened(*SOURCES), components=["y"])
    assert status == 200, exported
    assert exported["needs"] == [{"parent": "x", "child": "y", "names": ["x"]}]
    there = opened("a = 1", "b = a")
    there["cells"][0]["id"] = "other"
    status, made = ask("pipeline-import", there, text=exported["text"], name="y.json")
    assert status == 409, made
    assert made["message"] == "the notebook has this, and it differs: 'y' (cell 2) (source)"
    status, made = ask("pipeline-import", there, text=exported["text"], name="y.json", replace=True)
    assert status == 200, made
    assert (made["added"], made["replaced"], made["same"]) == (0, 1, 0)
    assert [cell["place"] for cell in made["cells"]] == [0, 1]
    assert made["cells"][0]["cell"] is None
    assert made["cells"][1]["cell"]["source"] == "y = x + 1"
    assert made["needs"] == [{"parent": "c0", "child": "y", "names": ["x"]}]
    status, made = ask("pipeline-import", opened(), text=exported["text"])
    assert [(cell["place"], cell["cell"]["id"]) for cell in made["cells"]] == [(None, "c1")]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("text", ["", "[]", '{"schema": "something else"}', "{", "\ud800"])
def test_what_is_no_pipeline_file_is_not_imported(server: Server, folder: Path, text: str) -> None:
    asked = {"path": f"{folder.name}/open.ipynb", "notebook": opened(*SOURCES), "text": text, "name": "odd.json"}
    status, answer = server.ask("nbcellar/api/pipeline-import", asked)
    assert (status, answer["code"]) == (400, "invalid-input"), answer


def test_a_notebook_in_no_repository_is_not_run_and_has_no_results(run: Run, folder: Path) -> None:
    write_notebook(folder / "a.ipynb", SOURCES)
    status, answer = run.start()
    assert (status, answer["code"]) == (404, "no-repository")
    asked = {"path": run.path, "notebook": opened(*SOURCES)}
    assert run.server.ask("nbcellar/api/pipeline-status", asked)[1] == {
        "components": {},
        "edited": [],
        "seen": [],
        "reason": "",
    }


def test_what_is_cached_is_that_of_the_open_notebook(run: Run, folder: Path) -> None:
    write_notebook(folder / "a.ipynb", SOURCES)
    assert run.server.ask("nbcellar/api/init", {"path": run.path})[0] == 200

    def cached(*sources: str, **more: Any) -> dict[str, bool]:
        asked = {"path": run.path, "notebook": opened(*sources), **more}
        status, answer = run.server.ask("nbcellar/api/pipeline-status", asked)
        assert (status, answer["reason"]) == (200, ""), answer
        return {id: found["cached"] for id, found in answer["components"].items()}

    assert cached(*SOURCES) == {}, "a look does not make a notebook known"
    assert run.start()[0] == 200
    lines = run.end()
    assert [(line["event"], line["state"]) for line in lines][-1] == ("end", "done"), lines
    assert lines[-1]["ran"] == 3
    assert cached(*SOURCES) == {"c0": True, "c1": True, "c2": True}
    assert cached("x = 1", "y = x + 2", "z = x + y") == {"c0": True, "c1": False, "c2": False}
    result = next(line["result"] for line in lines if line["id"] == "c2" and line["state"] == "done")
    status, found = run.server.ask(f"nbcellar/api/variables?path={run.path}&ref={result}")
    assert status == 200, found
    assert [(each["name"], each["preview"]) for each in found["variables"]] == [("z", "3")]


@pytest.mark.parametrize("is_elsewhere", [False, True], ids=["own", "other"])
def test_edges_that_a_run_showed_are_drawn_from_then_on(run: Run, folder: Path, is_elsewhere: bool) -> None:
    sources = ("open('f.txt', 'w').write('3')", "n = int(open('f' + '.txt').read())")
    name = f"seen-{folder.name}" if is_elsewhere else "python3"
    if is_elsewhere:
        add_kernelspec(name, [sys.executable, "-m", "ipykernel_launcher"], env={"ELSEWHERE": "yes"})
    write_notebook(folder / "a.ipynb", sources, kernel=name)
    assert run.server.ask("nbcellar/api/init", {"path": run.path})[0] == 200
    assert run.start()[0] == 200
    assert run.end()[-1]["state"] == "done"
    asked = {"path": run.path, "notebook": opened(*sources)}
    seen = run.server.ask("nbcellar/api/pipeline-status", {**asked, "kernel": name})[1]["seen"]
    assert seen == [{"parent": "c0", "child": "c1", "names": []}]
    assert run.server.ask("nbcellar/api/pipeline", asked)[1]["pipeline"]["edges"] == []
    shown = run.server.ask("nbcellar/api/pipeline", {**asked, "seen": seen})[1]
    assert [edge["provenance"] for edge in shown["pipeline"]["edges"]] == [["observed"]]
    assert shown["picture"]["places"]["c1"]["layer"] == 1


def test_in_another_environment_what_is_cached_is_that_of_the_file(run: Run, folder: Path) -> None:
    name = f"other-env-{folder.name}"
    add_kernelspec(name, [sys.executable, "-m", "ipykernel_launcher"], env={"ELSEWHERE": "yes"})
    write_notebook(folder / "a.ipynb", SOURCES, kernel=name)
    assert run.server.ask("nbcellar/api/init", {"path": run.path})[0] == 200
    assert run.start()[0] == 200
    assert run.end()[-1]["state"] == "done"
    asked = {"path": run.path, "notebook": opened("x = 1", "y = x + 2", "z = x + y"), "kernel": name}
    status, answer = run.server.ask("nbcellar/api/pipeline-status", asked)
    assert status == 200, answer
    assert all(found["cached"] for found in answer["components"].values())
    assert (len(answer["components"]), answer["edited"]) == (3, ["c1", "c2"])
    gone = f"gone-env-{folder.name}"
    add_kernelspec(gone, [str(folder / "not-there"), "-m", "ipykernel_launcher"])
    status, answer = run.server.ask("nbcellar/api/pipeline-status", {**asked, "kernel": gone})
    assert (status, answer["components"]) == (200, {})
    assert "does not answer" in answer["reason"]
    assert str(folder) not in answer["reason"]


# runs ----------------------------------------------------------------------------------------------------------------

_PRELUDE = f"""#!{sys.executable}
# Stands for the interpreter of a kernel: `-c CODE pipeline run ...`
import json, os, signal, sys, time
words = sys.argv[3:]
def tell(**line):
    print(json.dumps(line), flush=True)
"""


@pytest.fixture
def stand_in(server: Server, folder: Path) -> Callable[[str], str]:
    """Makes a kernelspec whose interpreter does what a test says, for what the command itself does not do."""

    def make(body: str) -> str:
        script = folder / "python-of-the-kernel"
        script.write_text(_PRELUDE + textwrap.dedent(body))
        script.chmod(0o755)
        name = f"stand-in-{folder.name}"
        add_kernelspec(name, [str(script), "-m", "ipykernel_launcher"], env={"OF_THE_SPEC": "yes"})
        write_notebook(folder / "a.ipynb", SOURCES, kernel=name)
        assert server.ask("nbcellar/api/init", {"path": f"{folder.name}/a.ipynb"})[0] == 200
        return name

    return make


class Run:
    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.path = f"{folder.name}/a.ipynb"
        self.listener = Listener(server, self.path)

    def start(self, **asked: Any) -> tuple[int, Any]:
        return self.server.ask("nbcellar/api/pipeline-run", {"path": self.path, **asked})

    def cancel(self) -> bool:
        status, answer = self.server.ask("nbcellar/api/pipeline-cancel", {"path": self.path})
        assert status == 200, answer
        return bool(answer["found"])

    def until(self, wanted: Callable[[Event], bool]) -> list[Event]:
        events = self.listener.until(lambda event: event["event"] == "pipeline" and wanted(event["line"]))
        return [event["line"] for event in events if event["event"] == "pipeline"]

    def end(self) -> list[Event]:
        return self.until(lambda line: line["event"] == "end")

    def kept(self) -> Any:
        return self.server.ask(f"nbcellar/api/pipeline-lines?path={self.path}")[1]


@pytest.fixture
def run(server: Server, folder: Path) -> Iterator[Run]:
    made = Run(server, folder)
    yield made
    made.cancel()
    made.cancel()
    made.listener.close()


def test_what_a_run_tells_comes_as_events_in_order(run: Run, folder: Path, stand_in: Callable[[str], str]) -> None:
    stand_in(
        """
        print("words of a library"); print('{"event": "unknown"}')
        tell(event="plan", steps=[{"id": "c0", "name": "x", "action": "run", "reason": "never run", "new": 1}])
        tell(event="step", id="c0", name="x", state="running", reason="", seconds=None, error=None, result=None)
        error = {"name": "E", "message": str(words), "line": 2, "traceback": "t" * 50_000}
        tell(event="step", id="c0", name="x", state="failed", reason="", seconds=0.5, error=error, result=None)
        tell(event="end", state="failed", seconds=0.6, ran=1, cached=0, failed=1, blocked=0)
        tell(event="step", id="c0", state="done")
        """
    )
    assert run.kept() == {"run": "", "lines": []}
    status, answer = run.start(components=["x", "-odd"], start="c0", parameters={"scale": 4, "t": "a b"})
    assert status == 200, answer
    lines = run.end()
    assert [(line["event"], line["state"], line["number"]) for line in lines] == [
        ("plan", "", 0),
        ("step", "running", 1),
        ("step", "failed", 2),
        ("end", "failed", 3),
    ]
    assert {line["run"] for line in lines} == {answer["run"]}
    words = ["pipeline", "run", "--json-lines", "--from", "c0", "-p", "scale=4", "-p", 't="a b"', "--"]
    assert lines[2]["error"]["message"] == str([*words, "./a.ipynb", "x", "-odd"])
    assert len(lines[2]["error"]["traceback"]) < 21_000
    assert run.kept() == {"run": answer["run"], "lines": lines}


def test_a_notebook_has_one_run_at_a_time_which_can_be_cancelled(run: Run, stand_in: Callable[[str], str]) -> None:
    stand_in(
        """
        try:
            tell(event="plan", steps=[])  # from then on the test may interrupt
            time.sleep(600)
        except BaseException as error:  # a signal that nobody took would leave no word
            tell(event="step", id="c0", state="cancelled", reason=type(error).__name__)
        """
    )
    assert run.cancel() is False
    assert run.start()[0] == 200
    run.until(lambda line: line["event"] == "plan")
    status, answer = run.start()
    assert (status, answer["code"]) == (409, "already-exists")
    assert run.cancel() is True
    step, end = run.end()
    assert (step["reason"], end["state"]) == ("KeyboardInterrupt", "cancelled")
    assert run.cancel() is False
    assert run.start()[0] == 200
    run.until(lambda line: line["event"] == "plan")


def test_what_does_not_end_is_ended_with_all_it_started_when_it_is_cancelled_again(
    run: Run, folder: Path, stand_in: Callable[[str], str]
) -> None:
    stand_in(
        """
        import subprocess
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        tell(event="plan", steps=[{"id": str(os.getpid())}, {"id": str(other.pid)}])
        time.sleep(600)
        """
    )
    assert run.start()[0] == 200
    (plan,) = run.until(lambda line: line["event"] == "plan")
    assert run.cancel() is True
    assert run.cancel() is True
    assert run.end()[-1]["state"] == "cancelled"
    for step in plan["steps"]:
        await_end(int(step["id"]))


@pytest.mark.parametrize(
    ("body", "message", "hint"),
    [
        (
            "print(\"ModuleNotFoundError: No module named 'nbcellar'\", file=sys.stderr); sys.exit(1)",
            "Cellar is not installed in this kernel's environment",
            "in a cell: %pip install nbcellar",
        ),
        (
            "print('error: the components wait\\nhint: take one away', file=sys.stderr); sys.exit(1)",
            "the components wait",
            "take one away",
        ),
        ("os.kill(os.getpid(), signal.SIGKILL)", "the run was ended by signal 9", ""),
        ("print('in', os.__file__, file=sys.stderr); sys.exit(3)", "the run ended with code 3: in os.py", ""),
        ("tell(event='plan', steps=5)", "the run ended with code 0", ""),
    ],
    ids=("missing", "refused", "killed", "crashed", "silent"),
)
def test_a_run_that_ends_without_a_word_says_why(
    run: Run, stand_in: Callable[[str], str], body: str, message: str, hint: str
) -> None:
    stand_in(body)
    assert run.start()[0] == 200
    (end,) = run.end()
    assert (end["state"], end["message"], end["hint"]) == ("failed", message, hint)


def test_a_kernel_that_cannot_run_a_pipeline_is_named(run: Run, folder: Path, stand_in: Callable[[str], str]) -> None:
    stand_in("")
    write_notebook(folder / "a.ipynb", SOURCES, kernel="nobody")
    assert run.start()[1]["message"] == "the kernel 'nobody' of this notebook is not installed here"
    gone = f"gone-{folder.name}"
    add_kernelspec(gone, [str(folder / "not-there"), "-m", "ipykernel_launcher"])
    status, answer = run.start(kernel=gone)
    assert (status, answer["code"]) == (400, "invalid-input")
    assert str(folder) not in answer["message"]
    other = Path(os.environ["JUPYTER_DATA_DIR"], "kernels", f"other-{folder.name}")
    other.mkdir(parents=True)
    (other / "kernel.json").write_text(json.dumps({"argv": ["R"], "display_name": "R", "language": "R"}))
    status, answer = run.start(kernel=other.name)
    assert (status, "runs R" in answer["message"]) == (400, True)
    assert run.kept()["run"] == ""


def test_a_notebook_that_is_not_there_or_outside_is_not_run(server: Server, folder: Path, tmp_path: Path) -> None:
    write_notebook(tmp_path / "out.ipynb", SOURCES)
    (folder / "link.ipynb").symlink_to(tmp_path / "out.ipynb")
    write_notebook(folder / ".hidden" / "a.ipynb", SOURCES)
    for name, status in (("none.ipynb", 404), ("", 400), ("link.ipynb", 400), (".hidden/a.ipynb", 404)):
        for route, more in (("pipeline-run", {}), ("pipeline-cancel", {}), ("pipeline", {"notebook": opened("x = 1")})):
            found, answer = server.ask(f"nbcellar/api/{route}", {"path": f"{folder.name}/{name}", **more})
            expected = 200 if name == "none.ipynb" and route != "pipeline-run" else status
            assert found == expected, (name, route, answer)


def test_the_end_of_the_server_is_the_end_of_its_runs(
    tmp_path: Path, own_environment: Path, folder: Path, stand_in: Callable[[str], str]
) -> None:
    name = stand_in(
        """
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        tell(event="plan", steps=[{"id": str(os.getpid())}])
        time.sleep(600)
        """
    )
    with studio.serve(tmp_path / "root", module="nbcellar.server") as own:
        write_notebook(own.folder / "nb" / "a.ipynb", SOURCES, kernel=name)
        assert own.ask("nbcellar/api/init", {"path": "nb"})[0] == 200
        run = Run(own, own.folder / "nb")
        assert run.start()[0] == 200
        (plan,) = run.until(lambda line: line["event"] == "plan")
        run.listener.close()
    await_end(int(plan["steps"][0]["id"]))


def test_no_name_is_taken_for_an_option(tmp_path: Path) -> None:
    words = words_of(tmp_path / "-n.ipynb", ["-x", "--help"], "a", {"scale": -3})
    assert words == ["--from", "a", "-p", "scale=-3", "--", f".{os.sep}-n.ipynb", "-x", "--help"]
    for wrong in (["a\0b"], ["\ud800"]):
        with pytest.raises(InvalidInputError):
            words_of(tmp_path / "a.ipynb", wrong, "", {})
