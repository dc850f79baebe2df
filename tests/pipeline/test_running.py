"""What components are given, what they leave, how they fail."""

from __future__ import annotations

import functools
import json
import sys
from pathlib import Path

import msgspec
import pytest

from nbcellar.api.pipelines import load_results, look
from nbcellar.components.reading import read_pipeline
from nbcellar.errors import CellarError, InvalidInputError, NoRepositoryError
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId
from nbcellar.notebook.codec import read
from nbcellar.pipeline.executors import Processes

from .support import Notebook, printed, states


def test_an_edit_in_place_is_seen_by_those_after_it_and_by_nobody_else(nb: Notebook) -> None:
    nb.write("x = [1]", "early = len(x)", "x.append(2)", "late = len(x)", "print(early, late)")
    assert printed(nb.run(), "e") == "1 2\n"


def test_declared_siblings_have_objects_of_their_own(nb: Notebook) -> None:
    drawn = {"b": {"after": ["a"]}, "c": {"after": ["a"]}}
    nb.write("x = [1]", "x.append(2)\nn = len(x)", "x.append(3)\nm = x", "print(n, m)", components=drawn)
    assert printed(nb.run(), "d") == "2 [1, 3]\n"
    nb.write("x = [1]", "[f(2) for f in (x.append,)]\nn = len(x)", "m = list(x)", "print(n, m)", components=drawn)
    assert printed(nb.run(), "d") == "2 [1]\n"


def test_an_edit_that_no_source_shows_is_seen_as_in_a_plain_run(nb: Notebook) -> None:
    hidden = "add = x.append\n[f(2) for f in (add,)]"
    nb.write("x = [1]", hidden, "print(len(x))")
    assert printed(nb.run(), "c") == "2\n"
    edges = nb.run(dry_run=True)
    assert set(states(edges).values()) == {"cached"}


def test_an_edit_of_an_alias_is_an_edit(nb: Notebook) -> None:
    nb.write("x = [1]\ny = {'x': x}", "x.append(2)", "print(y)")
    assert printed(nb.run(), "c") == "{'x': [1, 2]}\n"


def test_identity_is_kept_where_names_come_together(nb: Notebook) -> None:
    nb.write("x = [1]\ny = [x]", "print(y[0] is x)")
    assert printed(nb.run(), "b") == "True\n"


def test_functions_and_classes_across_cells(nb: Notebook) -> None:
    nb.write(
        "import math\nfactor = 3",
        "def area(r):\n    return math.pi * r * r * factor",
        "class Disc:\n    def __init__(self, r):\n        self.r = r\n    def area(self):\n        return area(self.r)",
        "disc = Disc(1)",
        "class Ring(Disc):\n    pass\nring = Ring(2)",
        "print(round(disc.area(), 3), round(ring.area(), 3), isinstance(ring, Disc), type(disc) is Disc)",
    )
    assert printed(nb.run(), "f") == "9.425 37.699 True True\n"
    assert nb.ran("f", again=True) == "f"


def test_a_class_that_is_defined_anew_does_not_change_what_was_made_before(nb: Notebook) -> None:
    old, new = "class K:\n    n = 1", "class K:\n    n = 2"
    nb.write(old, "k = K()", new, "print(K.n)", "print(k.n, type(k) is K)")
    done = nb.run()
    assert printed(done, "d") == "2\n"
    error = done.steps[-1].error
    assert error is not None and "the class K was defined anew" in error.message
    nb.write(old, "k = K()", new, "print(K.n)", "print(k.n)")
    assert printed(nb.run(), "e") == "1\n"


def test_magics_and_await_and_shell(nb: Notebook) -> None:
    nb.write(
        "%%time\nx = 1",
        "import asyncio\nawait asyncio.sleep(0)\ny = await asyncio.sleep(0, x + 1)",
        "!echo said {y}",
        "names = !echo one",
        "%env CELLAR_TEST_WORD=word",
        "%%bash\necho from bash",
        "print(x, y, names)",
    )
    done = nb.run()
    assert done.is_ok
    assert printed(done, "c").strip() == "said 2"
    assert printed(done, "f") == "from bash\n"
    assert printed(done, "g") == "1 2 ['one']\n"


def test_what_magics_bind_is_given_on(nb: Notebook) -> None:
    nb.write("%%capture seen\nprint('hidden')", "%%bash --out text\necho loud", "print(seen.stdout, text)")
    assert printed(nb.run(), "c") == "hidden\n loud\n\n"


def test_what_sets_jupyter_up_does_no_harm(nb: Notebook) -> None:
    pytest.importorskip("matplotlib")
    nb.write("%matplotlib inline\nimport matplotlib.pyplot as plt", "%gui", "plt.plot([1, 2]);")
    outputs = msgspec.json.decode(nb.run().outputs["c"])
    assert [sorted(output["data"])[0] for output in outputs] == ["image/png"]
    assert nb.ran() == ""
    (nb.folder / "another.txt").write_text("no business of an import's", "utf-8")
    assert nb.ran() == ""


def test_nobody_is_there_to_answer(nb: Notebook) -> None:
    nb.write("name = input('who? ')", "import getpass\ngetpass.getpass()")
    done = nb.run()
    for step in done.steps:
        assert step.error is not None and step.error.name == "StdinNotImplementedError"
        assert "give the value as a parameter" in step.error.message


def test_options_do_not_reach_those_before_them(nb: Notebook) -> None:
    """The one before runs after it, in a process that has had the options set."""
    pytest.importorskip("pandas")
    shows = "print(pd.get_option('display.max_rows'), pd.get_option('display.width'))"
    nb.write("import pandas as pd", shows, "pd.set_option('display.max_rows', 7)", shows)
    nb.run("c")
    done = nb.run()
    assert (printed(done, "b"), printed(done, "d")) == ("60 80\n", "7 80\n")


def test_a_component_runs_once_where_one_before_it_sets_something(nb: Notebook) -> None:
    nb.write("import os", "os.environ['NBCELLAR_TEST'] = 'set'", "import os as o\nprint(o.environ['NBCELLAR_TEST'])")
    assert printed(nb.run(executor="process"), "c") == "set\n"
    assert [step.name for step in nb.steps if step.state == "running"] == ["a", "b", "c"]


def test_outputs_are_nbformat_outputs_in_their_order(nb: Notebook) -> None:
    nb.write("from IPython.display import display, HTML\nprint('one')\ndisplay(HTML('<b>two</b>'))\nprint('three')\n4")
    outputs = msgspec.json.decode(nb.run().outputs["a"])
    assert [o["output_type"] for o in outputs] == ["stream", "display_data", "stream", "execute_result"]
    assert outputs[1]["data"]["text/html"] == "<b>two</b>" and outputs[3]["data"]["text/plain"] == "4"


def test_a_plot_is_an_output_and_a_result(nb: Notebook) -> None:
    nb.write("import matplotlib.pyplot as plt", "fig, ax = plt.subplots()\nax.plot([1, 2, 3])", "print(len(ax.lines))")
    done = nb.run()
    assert done.is_ok, [step.error for step in done.steps]
    assert any("image/png" in o.get("data", {}) for o in msgspec.json.decode(done.outputs["b"]))
    assert printed(done, "c") == "1\n"


def test_random_numbers_are_those_of_the_parents_and_do_not_depend_on_siblings(nb: Notebook) -> None:
    seeded = ("import random\nrandom.seed(5)", "x = random.random()", "y = random.random()", "print(x, y)")
    first = printed(nb.write(*seeded).run(), "d")
    second = printed(nb.run(again=True, executor="serial"), "d")
    assert first == second


def test_a_worker_that_ran_odd_streams_gives_others_theirs(nb: Notebook) -> None:
    draw = "import numpy, random\nprint(numpy.random.rand(), numpy.random.standard_normal(), random.gauss(0, 1))"
    fresh = printed(nb.write(x=draw).run(executor="serial"), "x")
    odd = "import numpy, random\nrandom.gauss(0, 1)\nnumpy.random.standard_normal()\n"
    for at, kind in enumerate(("", "numpy.random.set_bit_generator(numpy.random.PCG64(1))\nnumpy.random.rand()")):
        for of_worker in range(nb.executor.slots):
            nb.write(a=f"{odd}{kind}\n{of_worker}").ran()
        assert printed(nb.write(x=draw).run(again=True), "x") == fresh, at


def test_a_worker_that_waited_signs_and_trusts_as_its_user_does_now(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that is moved away makes a new identity, for workers that have run, too."""
    monkeypatch.setenv("NBCELLAR_CONFIG_DIR", str(tmp_path / "user"))
    worker = Processes(1)
    try:
        nb = Notebook(folder, worker)
        nb.write("x = 1", "y = x").ran()
        (tmp_path / "user" / "signing-key.pem").unlink()
        assert states(nb.write("x = 2", "y = x + 1", "print(y)").run()) == dict.fromkeys("abc", "done")
        assert states(nb.run(dry_run=True)) == dict.fromkeys("abc", "cached")
    finally:
        worker.close()


def test_results_are_by_who_the_settings_say_they_are_now(nb: Notebook) -> None:
    for author in ("Ann", "Ben"):
        (nb.folder / ".cellar" / "config.toml").write_text(f'[author]\nname = "{author}"\n', "utf-8")
        for _ in range(nb.executor.slots):
            done = nb.write("x = 1").run(again=True)
            with Repository.open(nb.folder) as repo:
                assert repo.read_commit(CommitId(bytes.fromhex(done.steps[0].result or ""))).author == author


def test_a_text_that_no_file_can_be_called_is_an_ordinary_value(nb: Notebook) -> None:
    done = nb.write(a="x = 'a/\\ud83d'", b="print(len(x))").run()
    assert states(done) == {"a": "done", "b": "done"}, [step.error for step in done.steps]
    assert printed(done, "b") == "3\n"


def test_a_failure_stops_only_what_follows(nb: Notebook) -> None:
    nb.write("x = 1", "y = x / 0", "z = y", "w = x + 1", "print(z)", "print(w)")
    done = nb.run()
    assert states(done) == {"a": "done", "b": "failed", "c": "blocked", "d": "done", "e": "blocked", "f": "done"}
    by_name = {step.name: step for step in done.steps}
    assert by_name["c"].reason == "blocked by b" and by_name["e"].reason == "blocked by c"
    error = by_name["b"].error
    assert error is not None and (error.name, error.line) == ("ZeroDivisionError", 1)
    assert "division by zero" in error.traceback
    nb.write("x = 1", "y = x / 1", "z = y", "w = x + 1", "print(z)", "print(w)")
    assert nb.ran() == "bce", "what is done is kept"


@pytest.mark.parametrize(
    ("source", "name", "line"),
    [("ok = 1\n\nraise KeyError('k')", "KeyError", 3), ("import sys\nsys.exit(3)", "SystemExit", 2)],
)
def test_the_error_names_its_line(nb: Notebook, source: str, name: str, line: int) -> None:
    error = nb.write(source).run().steps[0].error
    assert error is not None and (error.name, error.line) == (name, line)


def test_a_worker_that_dies_fails_its_component_alone(nb: Notebook) -> None:
    nb.write("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "x = 1", "print(x)")
    done = nb.run()
    assert states(done) == {"a": "failed", "b": "done", "c": "done"}
    error = done.steps[0].error
    assert error is not None and error.message == "its process was ended by signal 9"


def test_what_cannot_be_stored_is_made_again_for_those_who_take_it(nb: Notebook) -> None:
    nb.write("import threading\nlock = threading.Lock()\nx = 1", "with lock:\n    y = x + 1", "print(y)", "print(x)")
    assert nb.ran() == "abcd"
    assert nb.ran() == ""
    assert nb.ran("b", again=True) == "b"


def test_a_generator_is_made_again_and_not_shared(nb: Notebook) -> None:
    nb.write("numbers = (n for n in range(3))", "total = sum(numbers)", "print(total)")
    assert printed(nb.run(), "c") == "3\n"


def test_a_name_that_only_a_run_shows_is_found(nb: Notebook) -> None:
    nb.write("x = 41", "import pandas as pd\nprint(pd.eval('x + 1'))")
    assert printed(nb.run(), "b") == "42\n"
    pipeline = read_pipeline(read(nb.path.read_bytes()))
    assert not pipeline.edges
    seen = look(pipeline, nb.path)
    assert [(edge.names, edge.provenance) for edge in seen.pipeline.edges] == [(("x",), ("observed",))]
    assert seen.status is not None and all(status.cached for status in seen.status.values())


def test_a_name_that_was_not_bound_after_all_comes_from_before(nb: Notebook) -> None:
    nb.write("x = 1\nflag = False", "if flag:\n    x = 2", "print(x)")
    assert printed(nb.run(), "c") == "1\n"


def test_a_deleted_name_is_gone(nb: Notebook) -> None:
    nb.write("x = 1", "del x", "print('x' in globals())")
    assert printed(nb.run(), "c") == "False\n"


def test_files_as_hand_over_without_an_edge(nb: Notebook) -> None:
    nb.write("import time\ntime.sleep(0.3)\nopen('out.txt', 'w').write('new')", "print(open('out.txt').read())")
    (nb.folder / "out.txt").write_text("old")
    assert printed(nb.run(), "b") == "new\n"
    nb.write("import time\ntime.sleep(0.3)\nopen('made.txt', 'w').write('new')", "print(open('made.txt').read())")
    assert printed(nb.run(), "b") == "new\n"


@pytest.mark.parametrize(
    "listing",
    [
        "!ls -1 *.csv",
        "%%bash\nls *.csv",
        "import subprocess\nprint(subprocess.run(['ls'], capture_output=True).stdout)",
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which folders a program opens")
def test_a_program_that_lists_a_folder_comes_after_those_that_write_there(nb: Notebook, listing: str) -> None:
    nb.write("x = 1", "y = x + 1\nopen('made.csv', 'w').close()", listing)
    done = nb.run()
    assert "made.csv" in printed(done, "c")
    assert "it starts a program: what that reads is not watched" in next(s.notes for s in done.steps if s.id == "c")
    assert nb.ran() == ""
    (nb.folder / "more.csv").touch()
    assert nb.ran() == "c"


def test_what_is_set_in_a_module_reaches_what_comes_after_and_nothing_else(nb: Notebook) -> None:
    look = "import json\nprint(hasattr(json, 'my_mark'))"
    nb.write(look, "import json\njson.my_mark = 1", look)
    for executor in ("serial", "process"):
        done = nb.run(executor=executor, again=True)
        assert (printed(done, "a"), printed(done, "c")) == ("False\n", "True\n")


def test_the_working_folder_is_the_notebooks(nb: Notebook) -> None:
    nb.write("import os\nprint(os.getcwd())")
    assert printed(nb.run(), "a").strip() == str(nb.folder.resolve())


def test_serial_and_processes_give_the_same_values(nb: Notebook) -> None:
    cells = (
        "import numpy as np, pandas as pd",
        "frame = pd.DataFrame({'x': np.arange(100), 's': [str(n) for n in range(100)]})",
        "one = frame.x.sum()",
        "two = frame.s.str.len().mean()",
        "names = {str(n) for n in range(50)}",
        "both = (one, two, sorted(names)[:3], np.random.rand())",
    )
    digests = []
    for executor in ("serial", "process"):
        done = nb.write(*cells).run(executor=executor, again=True)
        assert done.is_ok
        from nbcellar.api.pipelines import opened
        from nbcellar.ids import CommitId

        with opened(nb.path) as (_, cache):
            found = [cache.read(CommitId(bytes.fromhex(step.result or ""))) for step in done.steps]
            digests.append([{n: v.digest for n, v in r.values.items()} for r in found if r is not None])
    assert digests[0] == digests[1] and len(digests[0]) == len(cells)


def test_what_waits_for_a_worker_is_not_said_to_run(nb: Notebook) -> None:
    nb.write("x = 1", "y = 2", "z = 3")
    nb.run(executor="serial")
    assert [(step.name, step.state) for step in nb.steps] == [
        (name, state) for name in "abc" for state in ("running", "done")
    ]


def test_bad_input_runs_nothing(nb: Notebook) -> None:
    nb.write("x = 1", "y = x", parameters={"scale": 3})
    with pytest.raises(InvalidInputError, match="the parameter scale is of type integer, not string: 'a'"):
        nb.run(parameters={"scale": "a"})
    with pytest.raises(InvalidInputError, match="no parameter other"):
        nb.run(parameters={"other": 1})
    with pytest.raises(CellarError, match="nothing"):
        nb.run("nothing")
    nb.write("x = 1", "y = x", components={"a": {"after": ["b"]}, "b": {"after": ["a"]}})
    with pytest.raises(InvalidInputError, match="wait for each other"):
        nb.run()
    nb.write("x = (")
    with pytest.raises(InvalidInputError, match=r"'a' \(cell 1\), line 1"):
        nb.run()


def test_a_parameter_that_a_component_sets_itself_is_not_taken_in_silence(nb: Notebook) -> None:
    nb.write("scale = 3", "y = scale * 2", parameters={"scale": 4})
    with pytest.raises(InvalidInputError, match="no component takes the parameter scale") as caught:
        nb.run(parameters={"scale": 5})
    assert "out of cell 1" in caught.value.hint
    pipeline = read_pipeline(read(nb.path.read_bytes()))
    assert pipeline.parameters[0].used_by == ()
    assert [(problem.code, problem.cells) for problem in pipeline.problems] == [("rebound", ("a",))]


def test_a_value_that_is_no_parameter_yet_says_how_it_becomes_one(nb: Notebook) -> None:
    nb.write("scale = 3", "print(scale * 2)")
    with pytest.raises(InvalidInputError, match="no parameter scale") as caught:
        nb.run(parameters={"scale": 5})
    assert "cell 1" in caught.value.hint and "param NB scale=VALUE" in caught.value.hint
    document = json.loads(nb.path.read_text("utf-8"))
    document["cells"][0]["metadata"] = {"tags": ["parameters"]}
    nb.path.write_text(json.dumps(document), "utf-8")
    assert printed(nb.run(parameters={"scale": 5}), "b") == "10\n"


def test_a_notebook_without_a_repository_says_what_to_do(nb: Notebook) -> None:
    nb.folder = nb.folder.parent
    nb.path = nb.folder / "nb.ipynb"
    nb.write("x = 1")
    with pytest.raises(NoRepositoryError, match="there is no Cellar repository") as caught:
        nb.run()
    assert caught.value.hint == "make one with: cellar init"


def test_values_are_loaded_by_name(nb: Notebook) -> None:
    nb.write(
        "class K:\n    def f(self):\n        return N",
        "N = 1\nx = [1]\nk = K()",
        "x.append(2)\ny = sum(x)",
        "g = (n for n in x)",
        "del y",
    ).run()
    load = functools.partial(load_results, nb.path.name, folder=nb.folder)
    assert load("x") == {"x": [1, 2]}
    assert load("x", component="b") == {"x": [1]}
    assert load("y", "x", component="c") == {"y": 3, "x": [1, 2]}
    found = load("k", "K")
    assert type(found["k"]) is found["K"]
    found["k"].n = 1
    assert not hasattr(load("k")["k"], "n")
    with pytest.raises(InvalidInputError, match="no component leaves a name y"):
        load("y")
    with pytest.raises(InvalidInputError, match="g, which 'd' leaves, has no value"):
        load("g")
    nb.write("class K: pass", "N = 2\nx = [5]\nk = K()", "x.append(2)\ny = sum(x)", "g = 1", "del y")
    with pytest.raises(InvalidInputError, match="which makes x, has no result now"):
        load("x")
    with pytest.raises(InvalidInputError, match="no component leaves a name missing"):
        load("missing")


def test_what_a_call_changes_in_a_local_module_is_told(nb: Notebook) -> None:
    (nb.folder / "registry.py").write_text(
        "found = {}\ncount = 0\ndef put(k):\n    found[k] = 1\ndef up():\n    global count\n    count += 1\n"
        "def look():\n    return len(found)\n"
    )
    nb.write("import registry", "x = registry.put('a')", "registry.up()", "print(registry.look())", "y = 1")
    done = nb.run()
    told = {step.name: any("the module registry" in note for note in step.notes) for step in done.steps}
    assert told == {"a": False, "b": True, "c": True, "d": False, "e": False}


def test_a_set_that_comes_in_another_order_is_told(nb: Notebook) -> None:
    nb.write(
        "s = {8, 0, 16, 24, 32, 1}\ns.discard(0)\ns.add(0)\nfirst = list(s)",
        "print(s == set(first), list(s) == first)",
        "t = {1, 2}",
    )
    done = nb.run()
    assert printed(done, "b") == "True False\n"
    assert [step.notes for step in done.steps] == [["s: those after it get its elements in another order"], [], []]


@pytest.mark.parametrize(
    "source", ["(1, 2)", "{1, 2}", "{(1, 2): [3]}", "1e999", "-1e999", "10**30", "1j", "b'x'", "'\\ud800'"]
)
def test_a_parameter_is_given_as_its_cell_has_it(nb: Notebook, source: str) -> None:
    """What JSON cannot hold neither comes as something like it nor is taken for that."""
    value = eval(source)
    nb.write(f"given = {value!r}".replace("inf", "1e999"), "print(ascii(given))")
    document = json.loads(nb.path.read_text("utf-8"))
    document["cells"][0]["metadata"] = {"tags": ["parameters"]}
    nb.path.write_text(json.dumps(document), "utf-8")
    assert printed(nb.run(), "b") == f"{value!a}\n"
    assert nb.ran() == ""
    document["cells"][0]["source"] = "given = None"
    nb.path.write_text(json.dumps(document), "utf-8")
    assert printed(nb.run(), "b") == "None\n"
    assert nb.ran() == ""


def test_a_number_that_is_none_is_given_to_a_run(nb: Notebook) -> None:
    nb.write("print(scale)", parameters={"scale": 1.5})
    assert printed(nb.run(parameters={"scale": float("nan")}), "a") == "nan\n"
    assert printed(nb.run(parameters={"scale": float("inf")}), "a") == "inf\n"


def test_what_there_is_no_room_for_is_told_and_made_again(nb: Notebook) -> None:
    settings = nb.folder / ".cellar" / "config.toml"
    settings.write_text("[record]\nmax_store_mb = 1\n")
    nb.write("import random\ndata = random.Random(5).randbytes(3_000_000)", "total = sum(data)")
    done = nb.run(executor="serial")
    assert [step.state for step in done.steps] == ["done", "done"]
    (said,) = done.steps[0].notes
    assert said == (
        "data is not saved: the store is at its cap of 1 MiB; those that take it run this one again, until it ran with "
        "more room"
    )
    with pytest.raises(CellarError, match="data"):
        load_results(nb.path, "data")
    settings.write_text("[record]\nmax_store_mb = 100\n")
    assert nb.run("a", again=True, executor="serial").steps[0].notes == []
    assert states(nb.run(executor="serial")) == {"a": "cached", "b": "done"}
    assert sum(load_results(nb.path, "data")["data"]) == load_results(nb.path, "total")["total"]


@pytest.mark.parametrize(
    "call",
    [
        "np.random.seed(7)",
        "os.path.join('a', 'b')",
        "pd.DataFrame.from_dict({'a': [1]})",
        "xml.dom.minidom.parseString('<a/>')",
    ],
)
def test_a_call_in_a_librarys_module_is_no_change_of_it(nb: Notebook, call: str) -> None:
    """If it were one, all that comes after it would have a process of its own, which imports everything anew."""
    imports = "import os\nimport xml.dom.minidom\nimport numpy as np\nimport pandas as pd\n"
    nb.write(f"{imports}{call}", "first = os.getpid()", "print(first == os.getpid())")
    assert printed(nb.run(executor="serial"), "c") == "True\n"


def test_what_is_set_in_a_librarys_module_is_a_change_of_it(nb: Notebook) -> None:
    nb.write(
        "import os\nimport xml.dom.minidom\nxml.dom.minidom.mark = 1",
        "first = os.getpid()",
        "print(os.getpid() == first)",
    )
    assert printed(nb.run(executor="serial"), "c") == "False\n"
    nb.write("import xml.dom.minidom\nxml.dom.minidom.mark = 1", "print(xml.dom.minidom.mark)")
    assert printed(nb.run(executor="serial"), "b") == "1\n"
