"""What runs again and what does not, and the reason that is given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nbcellar.api import pipelines
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId
from nbcellar.pipeline.executors import Executor

from .support import Notebook, printed, states

CHAIN = ("import numpy as np", "x = np.arange(5)", "y = x.sum()", "print(y * 2)")


def test_a_second_run_runs_nothing(nb: Notebook) -> None:
    nb.write(*CHAIN)
    assert nb.why() == {
        "a": "it has not run yet",
        "b": "'a' runs before it",
        "c": "'b' runs before it",
        "d": "'c' runs before it",
    }
    assert nb.ran() == "abcd"
    assert nb.why() == {}
    again = nb.run()
    assert set(states(again).values()) == {"cached"}
    assert printed(again, "d") == "20\n"


@pytest.mark.parametrize(
    "edited",
    [
        "# a comment\nx = np.arange(5)  # and another",
        "x = (np .arange( 5 ))",
        "\n\nx = np.arange(\n    5,\n)\n",
    ],
)
def test_comments_and_layout_are_no_change(nb: Notebook, edited: str) -> None:
    nb.write(*CHAIN).run()
    nb.write(CHAIN[0], edited, *CHAIN[2:])
    assert nb.ran() == ""


def test_a_docstring_is_a_change(nb: Notebook) -> None:
    nb.write("def f():\n    'one'\n    return f.__doc__", "print(f())").run()
    nb.write("def f():\n    'two'\n    return f.__doc__", "print(f())")
    assert nb.why()["a"] == "its code changed"
    assert printed(nb.run(), "b") == "two\n"


@pytest.mark.parametrize(
    "definition",
    [
        "class K:\n    def f(self):\n        return {}",
        "class Base:\n    def f(self):\n        return {}\nclass K(Base):\n    pass",
        "def helper():\n    return {}\nclass K:\n    def f(self):\n        return helper()",
        "import dataclasses\n@dataclasses.dataclass\nclass K:\n    n: int = {}\n    f = lambda self: self.n",
    ],
)
def test_objects_of_a_class_that_changed_are_of_the_new_class(nb: Notebook, definition: str) -> None:
    made = "k = K()\nboxed = [k]"
    nb.write(definition.format(1), made, "print(k.f())", "print(boxed[0].f())")
    assert printed(nb.run(), "c") == "1\n"
    nb.write(definition.format(2), made, "print(k.f())", "print(boxed[0].f())")
    done = nb.run()
    assert (printed(done, "c"), printed(done, "d")) == ("2\n", "2\n")


def test_a_changed_value_runs_what_follows_and_an_equal_one_does_not(nb: Notebook) -> None:
    nb.write(*CHAIN).run()
    nb.write(CHAIN[0], "x = np.arange(6)", *CHAIN[2:])
    assert nb.ran() == "bcd"
    nb.write(CHAIN[0], "x = np.arange(3 + 3)", *CHAIN[2:])
    assert nb.ran() == "b", "the value is the same: what follows is cut off"
    nb.write(*CHAIN)
    assert nb.ran() == "", "what was before is still there"


def test_names_of_components_and_other_cells_are_no_part_of_a_key(nb: Notebook) -> None:
    nb.write("x = 1", "print(x)").run()
    nb.write("x = 1", "print(x)", "z = 3", components={"b": {"name": "shown"}})
    assert nb.ran() == "c"
    nb.path = nb.path.rename(nb.path.with_name("other.ipynb"))
    assert nb.ran() == ""


def test_only_what_uses_a_parameter_runs_for_another_value(nb: Notebook) -> None:
    nb.write("x = 2", "y = x * scale", "z = x * other", "print(y, z)", parameters={"scale": 3, "other": 1}).run()
    assert nb.why(parameters={"scale": 4}) == {"b": "parameter scale 3 -> 4", "d": "'b' runs before it"}
    done = nb.run(parameters={"scale": 4})
    assert printed(done, "d") == "8 2\n"
    assert nb.ran() == ""
    assert nb.ran(parameters={"scale": 4}) == ""


def test_a_parameter_that_a_function_uses_counts_where_it_is_called(nb: Notebook) -> None:
    nb.write("def f(x):\n    return x * scale", "print(f(2))", parameters={"scale": 3})
    assert printed(nb.run(), "b") == "6\n"
    assert printed(nb.run(parameters={"scale": 5}), "b") == "10\n"


def test_files_are_watched_and_not_declared(nb: Notebook) -> None:
    data = nb.folder / "data.csv"
    data.write_text("1")
    nb.write("text = open('data.csv').read()", "print(text)").run()
    data.write_text("2")
    assert nb.why() == {"a": "data.csv changed", "b": "'a' runs before it"}
    assert printed(nb.run(), "b") == "2\n"
    data.write_text("1")
    assert nb.ran() == ""
    data.unlink()
    assert nb.why()["a"] == "data.csv is gone"
    failed = nb.run()
    assert failed.steps[0].error is not None and failed.steps[0].error.name == "FileNotFoundError"


def test_a_file_that_was_not_there_is_watched_too(nb: Notebook) -> None:
    nb.write("try:\n    text = open('more.csv').read()\nexcept OSError:\n    text = ''", "print(text)").run()
    (nb.folder / "more.csv").write_text("more")
    assert nb.why()["a"] == "more.csv is there now"
    assert printed(nb.run(), "b") == "more\n"


def test_a_listed_folder_is_watched(nb: Notebook) -> None:
    nb.write("import pathlib\nfound = sorted(p.name for p in pathlib.Path('parts').glob('*.csv'))", "print(found)")
    (nb.folder / "parts").mkdir()
    nb.run()
    (nb.folder / "parts" / "one.csv").write_text("")
    assert nb.why()["a"] == "the files in parts are others"
    assert printed(nb.run(), "b") == "['one.csv']\n"


def test_a_folder_that_a_program_lists_within_a_magic_is_watched(nb: Notebook) -> None:
    nb.write("%%capture said\n!ls parts", "print(said.stdout.split())")
    (nb.folder / "parts").mkdir()
    nb.run()
    (nb.folder / "parts" / "one.csv").write_text("")
    assert nb.why()["a"] == "the files in parts are others"
    assert printed(nb.run(), "b") == "['one.csv']\n"


def test_a_file_that_was_written_is_written_again_when_it_is_gone(nb: Notebook) -> None:
    nb.write("open('out.txt', 'w').write('made')", "print(open('out.txt').read())", components={"b": {"after": ["a"]}})
    nb.run()
    (nb.folder / "out.txt").unlink()
    assert "out.txt, which it wrote, is not as it left it" in nb.why()["a"]
    assert nb.ran() == "a", "what it wrote is the same: what reads it is cut off"


def test_a_file_that_a_library_in_c_opens_is_watched(nb: Notebook) -> None:
    (nb.folder / "data").mkdir()
    data = nb.folder / "data" / "numbers.arrow"
    data.write_bytes(b"one")
    nb.write(
        "import pyarrow\nname = 'num' + 'bers.arrow'",
        "text = pyarrow.memory_map('da' + 'ta/' + name).read()",
        "print(text.decode())",
    )
    assert printed(nb.run(), "c") == "one\n"
    assert nb.ran() == ""
    data.write_bytes(b"two")
    assert nb.why()["b"] == "data/numbers.arrow changed"
    assert printed(nb.run(), "c") == "two\n"


def test_local_modules_are_watched(nb: Notebook) -> None:
    module = nb.folder / "helper_of_test.py"
    module.write_text("def f():\n    return 1\n")
    nb.write("from helper_of_test import f\nx = f()", "print(x)").run()
    module.write_text("# a comment\ndef f():\n    return 1\n")
    assert nb.ran() == ""
    module.write_text("def f():\n    return 2\n")
    os.utime(module, (0, 0))
    assert nb.why()["a"] == "the module helper_of_test.py changed"
    assert printed(nb.run(), "b") == "2\n"


def test_a_component_runs_again_when_it_is_asked_for(nb: Notebook) -> None:
    nb.write(*CHAIN).run()
    assert nb.ran("c", again=True) == "c"
    assert nb.ran(from_="b") == "b", "what it makes is the same"
    assert nb.ran(again=True) == "abcd"


def test_only_what_a_component_needs_runs(nb: Notebook) -> None:
    nb.write("x = 1", "y = 2", "print(x)")
    assert nb.ran("c") == "ac"


def test_what_is_not_deterministic_is_said(nb: Notebook) -> None:
    nb.write("import os", "x = os.urandom(8)", "n = len(x)").run()
    done = nb.run("b", again=True)
    assert [note for step in done.steps for note in step.notes] == [
        "not deterministic: x came out otherwise than before, with all else equal"
    ]


def test_policies(nb: Notebook) -> None:
    nb.write("import os", "x = os.urandom(8)", "n = len(x)", components={"b": {"cache": False}}).run()
    assert nb.why() == {"b": "it runs each time (--no-cache)", "c": "'b' runs before it"}
    assert nb.ran() == "bc"
    nb.write("import os", "x = os.urandom(8)", "n = len(x)", components={"b": {"freeze": True}})
    nb.write("import os", "x = os.urandom(9)", "n = len(x)", components={"b": {"freeze": True}})
    done = nb.run()
    assert [(step.name, step.state, step.reason) for step in done.steps][1] == ("b", "cached", "frozen")


def test_retries_and_a_time_limit(nb: Notebook) -> None:
    flaky = (
        "import os\nif not os.path.exists('tried'):\n    open('tried', 'w').close()\n    raise OSError('away')\nx = 1"
    )
    nb.write(flaky, components={"a": {"retries": 1}})
    assert nb.ran() == "a"
    assert [step.reason for step in nb.steps if step.state == "waiting"] == ["failed (OSError), try 1 of 1"]
    nb.write("while True:\n    pass", "print(1)", components={"a": {"timeout_s": 0.5}})
    done = nb.run()
    assert states(done) == {"a": "failed", "b": "done"}
    assert done.steps[0].error is not None and done.steps[0].error.message == "it took longer than 0.5 s"


def test_a_link_that_leads_elsewhere_is_a_change(nb: Notebook) -> None:
    for year in ("2023", "2024"):
        (nb.folder / year).mkdir()
        (nb.folder / year / "data.csv").write_text(year)
    (nb.folder / "now").symlink_to("2023")
    (nb.folder / "one.csv").symlink_to("2023/data.csv")
    nb.write(
        "print(open('now/' + 'data.csv').read())",
        "print(open('one.csv').read())",
        "import os; print(os.listdir('now'))",
    )
    nb.run()
    assert nb.ran() == ""
    for link, target in (("now", "2024"), ("one.csv", "2024/data.csv")):
        (nb.folder / link).unlink()
        (nb.folder / link).symlink_to(target)
    why = nb.why()
    assert set(why) == {"a", "b", "c"} and all(reason.endswith("leads elsewhere") for reason in why.values())
    done = nb.run()
    assert (printed(done, "a"), printed(done, "b")) == ("2024\n", "2024\n")
    assert nb.ran() == ""


def test_a_link_that_is_only_looked_at_is_watched(nb: Notebook) -> None:
    (nb.folder / "now").symlink_to("2023")
    nb.write(
        "import os; print(os.path.lexists('n' + 'ow'), os.path.exists('n' + 'ow'))",
        "import os; print(os.readlink('n' + 'ow'))",
    )
    assert printed(nb.run(), "a") == "True False\n"
    (nb.folder / "now").unlink()
    (nb.folder / "now").symlink_to("2024")
    assert nb.why()["b"] == "now leads elsewhere"
    (nb.folder / "2024").mkdir()
    assert printed(nb.run(), "a") == "True True\n"


def test_whether_a_file_is_there_is_no_matter_of_what_is_in_it(nb: Notebook) -> None:
    nb.write(
        "from pathlib import Path; print(Path('m' + 'ore').exists())", "import os; print(os.stat('m' + 'ore').st_mode)"
    )
    (nb.folder / "more").write_text("one")
    nb.run()
    (nb.folder / "more").write_text("two")
    assert nb.why() == {"b": "more changed"}
    (nb.folder / "more").unlink()
    assert nb.why() == {"a": "more is gone", "b": "more is gone"}
    (nb.folder / "more").mkdir()
    assert nb.why() == {"a": "more changed", "b": "more changed"}


def test_the_time_of_a_file_counts_where_the_code_asks_for_it(nb: Notebook) -> None:
    (nb.folder / "data").write_text("one")
    nb.write(
        "import os; print(os.path.getmtime('da' + 'ta'))",
        "from pathlib import Path; print([p.stat().st_mtime_ns for p in Path('.').glob('da*a')])",
        "import os; print(os.path.getsize('da' + 'ta'))",
        "import os; print(os.path.getctime('da' + 'ta') > 0)",
    )
    os.utime(nb.folder / "data", (1, 1))
    done = nb.run()
    assert printed(done, "a") == "1.0\n"
    assert done.steps[3].notes == ["it asks when data was made or read last: that is not compared"]
    assert nb.why() == {}
    os.utime(nb.folder / "data", (2, 2))
    assert nb.why() == dict.fromkeys("ab", "data was written at another time")
    assert printed(nb.run(), "a") == "2.0\n"


def test_what_asks_for_paths_works_as_it_did(nb: Notebook) -> None:
    (nb.folder / "tree" / "below").mkdir(parents=True)
    nb.write(
        "import os, shutil, pickle\n"
        "print(os.stat in os.supports_fd, os.stat in os.supports_dir_fd, os.access in os.supports_effective_ids)\n"
        "print(shutil.rmtree.avoids_symlink_attacks, pickle.loads(pickle.dumps(os.stat)) is os.stat)\n"
        "try:\n    os.stat('not' + 'here')\nexcept FileNotFoundError as error:\n    print(error.filename)",
        "from os import stat",
        "shutil.rmtree('tree')\nprint(stat is os.stat, stat('.').st_mode == os.lstat(b'.').st_mode)",
    )
    done = nb.run(executor="serial")
    assert printed(done, "a") == "True True True\nTrue True\nnothere\n"
    assert printed(done, "c") == "True True\n"
    assert not (nb.folder / "tree").exists()


def test_a_module_that_comes_to_hide_another_is_noticed(nb: Notebook) -> None:
    (nb.folder / "own_q.py").write_text("import sunau\ndef f():\n    return getattr(sunau, 'OWN', 0)")
    nb.write("import own_q; print(own_q.f())", "import msgspec; print(getattr(msgspec, 'OWN', 0))", "import os")
    assert printed(nb.run(), "a") == "0\n"
    (nb.folder / "sunau.py").write_text("OWN = 1")
    (nb.folder / "msgspec.py").write_text("OWN = 1")
    assert nb.why() == {
        "a": "the module sunau is found elsewhere now",
        "b": "the module msgspec is found elsewhere now",
    }
    done = nb.run()
    assert printed(done, "a") == "1\n"
    assert printed(done, "b") == "0\n"
    assert "Cellar had loaded before" in done.steps[1].notes[0]
    (nb.folder / "sunau.py").unlink()
    assert printed(nb.run(), "a") == "0\n"


def test_what_a_local_module_reads_while_it_is_imported_is_watched(nb: Notebook) -> None:
    (nb.folder / "own.py").write_text("NAME = '.en' + 'v'\nTEXT = open(NAME).read()")
    (nb.folder / ".env").write_text("one")
    nb.write("import own", "print(own.TEXT)").run()
    (nb.folder / ".env").write_text("two")
    assert printed(nb.run(), "b") == "two\n"


def test_files_are_watched_wherever_the_repository_is(workers: Executor, own_environment: Path) -> None:
    folder = own_environment / ".cache" / "project"  # what is in ~/.cache is no data elsewhere
    folder.mkdir(parents=True)
    Repository.create(folder).close()
    nb = Notebook(folder, workers)
    (folder / "data.csv").write_text("one")
    nb.write("name = 'data'\nprint(open(name + '.csv').read())").run()
    (folder / "data.csv").write_text("two")
    assert printed(nb.run(), "a") == "two\n"


def test_environment_variables_from_outside_are_compared(nb: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGION", "eu")
    (nb.folder / "own.py").write_text("import os\ndef f():\n    return os.getenv('LEVEL', 'none')")
    nb.write(
        "import os\nprint(os.environ['REGION'], 'MORE' in os.environ)",
        "import own\nprint(own.f())",
        "import os\nall_of_them = dict(os.environ)",
        "import pandas as pd\nprint(pd.DataFrame({'a': [1]}))",
        "x = 1",
    )
    first = nb.run(executor="serial")
    assert printed(first, "a") == "eu False\n"
    assert "environment variables" in first.steps[2].notes[0]
    assert nb.run(executor="serial").count("cached") == 5
    monkeypatch.setenv("REGION", "us")
    monkeypatch.setenv("LEVEL", "debug")
    assert nb.why() == {
        "a": "the environment variable REGION changed",
        "b": "the environment variable LEVEL is there now",
    }
    done = nb.run(executor="serial")
    assert (printed(done, "a"), printed(done, "b")) == ("us False\n", "debug\n")
    monkeypatch.setenv("REGION", "eu")
    monkeypatch.delenv("LEVEL")
    assert nb.why() == {}, "the results of before are there"


def test_a_variable_that_a_component_sets_is_not_taken_from_outside(
    nb: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    nb.write("import os", "os.environ['REGION'] = 'eu'", "print(os.environ['REGION'])").run(executor="serial")
    monkeypatch.setenv("REGION", "us")
    assert nb.why() == {}


def test_the_version_of_a_library_counts_wherever_it_was_loaded(nb: Notebook) -> None:
    (nb.folder / "own.py").write_text("from pandas import concat\ndef f():\n    return concat")
    nb.write("import pandas", "from pandas import merge", "import own")
    done = nb.run(executor="serial")
    with pipelines.opened(nb.path) as (_, cache):
        for step in done.steps:
            result = cache.read(CommitId(bytes.fromhex(step.result or "")))
            assert result is not None and "pandas" in result.facts.distributions, step.name
