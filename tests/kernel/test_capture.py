"""What a cell leaves behind is recorded, however the cell ran."""

from __future__ import annotations

from .support import Kernel, values_of


def test_a_failed_cell_is_recorded_with_what_it_changed_before(kernel: Kernel) -> None:
    kernel.run("x = [1]")
    kernel.fail("x.append(2)\n1/0\nx.append(3)", "ZeroDivisionError")
    commit = kernel.head()
    assert commit.cell is not None and commit.cell.error is not None
    assert (commit.cell.error.name, commit.cell.error.line) == ("ZeroDivisionError", 2)
    assert values_of(kernel.variable("x")) == ["[1, 2]"]
    kernel.undo()
    assert kernel.value("x") == [1]
    kernel.redo()
    assert kernel.value("x") == [1, 2]


def test_an_interrupted_cell_is_recorded_with_what_it_changed_before(kernel: Kernel) -> None:
    running = kernel.start("import time\nx = [1]\nprint('waiting', flush=True)\ntime.sleep(600)\nx.append(2)")
    running.wait_for("waiting")
    kernel.interrupt()
    assert running.finish().error == "KeyboardInterrupt"
    kernel.settle()
    commit = kernel.head()
    assert commit.cell is not None and commit.cell.error is not None and commit.cell.error.name == "KeyboardInterrupt"
    assert values_of(kernel.variable("x")) == ["[1]"]
    kernel.undo()
    assert "x" not in kernel.value("sorted(globals())")


def test_a_cell_that_does_not_compile_is_recorded_and_changes_nothing(kernel: Kernel) -> None:
    kernel.run("x = 1")
    version = kernel.variable("x").version
    kernel.fail("x = 2 +", "SyntaxError")
    commit = kernel.head()
    assert commit.cell is not None and commit.cell.error is not None and commit.cell.error.name == "SyntaxError"
    assert kernel.variable("x").version == version


def test_a_cell_that_awaits_is_recorded(kernel: Kernel) -> None:
    kernel.comes_back(
        "import asyncio\nx = []\nfor i in range(3):\n    await asyncio.sleep(0)\n    x.append(i)",
        "await asyncio.sleep(0)\nx.append('later')",
        "x == [0, 1, 2]",
    )


def test_what_an_async_function_changes_is_recorded(kernel: Kernel) -> None:
    kernel.run("import asyncio\nx = []\nasync def add(value):\n    await asyncio.sleep(0)\n    x.append(value)")
    kernel.run("await add(1)")
    kernel.run("await asyncio.gather(add(2), add(3))")
    assert values_of(kernel.variable("x")) == ["[1, 2, 3]"]
    kernel.undo()
    assert kernel.value("x") == [1]


def test_a_task_that_goes_on_after_its_cell_is_no_secret(kernel: Kernel) -> None:
    kernel.run(
        """
            import asyncio
            x = []
            go = asyncio.Event()
            done = asyncio.Event()
            async def later():
                await go.wait()
                x.append('task')
                done.set()
            task = asyncio.ensure_future(later())
            """
    )
    kernel.run("go.set()\nawait done.wait()")
    assert values_of(kernel.variable("x")) == ["['task']"]
    kernel.undo()
    assert kernel.value("x") == []


def test_magics_that_run_code_are_recorded(kernel: Kernel) -> None:
    kernel.run("x = [0]", "%time x.append(1)", "%%time\nx.append(2)\ny = len(x)", "%timeit -n1 -r1 x.append(3)")
    assert values_of(kernel.variable("x")) == ["[0, 1, 2, 3]"]
    for expected in ([0, 1, 2], [0, 1], [0]):
        kernel.undo()
        assert kernel.value("x") == expected


def test_a_captured_cell_is_recorded(kernel: Kernel) -> None:
    kernel.run("x = [0]", "%%capture said\nx.append(1)\nprint('hello')")
    assert values_of(kernel.variable("x")) == ["[0, 1]"]
    kernel.undo()
    assert kernel.value("x") == [0]


def test_a_script_run_by_a_magic_is_recorded(kernel: Kernel) -> None:
    kernel.project.write("script.py", "made = [1, 2]\nseen.append('script')\n")
    kernel.run("seen = []", "%run -i script.py")
    assert values_of(kernel.variable("seen")) == ["['script']"]
    assert values_of(kernel.variable("made")) == ["[1, 2]"]
    kernel.undo()
    assert kernel.value("seen") == [] and "made" not in kernel.value("sorted(globals())")


def test_what_a_shell_command_returns_is_recorded(kernel: Kernel) -> None:
    kernel.comes_back("files = !echo one; echo two", "files = None", "list(files) == ['one', 'two']")


def test_a_checkout_brings_folder_and_environment_back(kernel: Kernel) -> None:
    (kernel.project.root / "sub").mkdir()
    kernel.run("import os\nhome = os.getcwd()", "%cd -q sub", "%env CELLAR_TEST=yes")
    kernel.is_true("os.path.basename(os.getcwd()) == 'sub'", "os.environ['CELLAR_TEST'] == 'yes'")
    kernel.checkout("HEAD~2")
    kernel.is_true("os.getcwd() == home", "'CELLAR_TEST' not in os.environ")


def test_an_undo_leaves_folder_and_environment_alone(kernel: Kernel) -> None:
    (kernel.project.root / "other").mkdir()
    kernel.run("import os\nhome = os.getcwd()", "%cd -q other")
    kernel.undo()
    kernel.is_true("os.path.basename(os.getcwd()) == 'other'")
    kernel.run("os.chdir(home)")


def test_a_deleted_variable_comes_back(kernel: Kernel) -> None:
    kernel.run("x = [1]\ny = x", "del x")
    assert "x" not in kernel.names()
    change = kernel.undo()
    assert change.loaded == ["x", "y"] or change.loaded == ["x"]
    kernel.is_true("x == [1]", "x is y")


def test_star_imports_are_recorded(kernel: Kernel) -> None:
    kernel.project.write("starred.py", "pi_ish = 3\nitems = [1]\ndef double(x):\n    return 2 * x\n")
    kernel.run("x = 1", "from starred import *", "double = items = pi_ish = None")
    kernel.undo()
    kernel.is_true("pi_ish == 3", "items == [1]", "double(4) == 8")
    kernel.undo()
    assert not {"pi_ish", "items", "double"} & set(kernel.value("sorted(globals())"))


def test_names_made_by_exec_and_globals_are_recorded(kernel: Kernel) -> None:
    kernel.run("x = [0]", "exec('x.append(1); made = 5')", "globals()['x'].append(2)\nglobals()['other'] = 6")
    assert values_of(kernel.variable("x")) == ["[0, 1, 2]"]
    assert values_of(kernel.variable("other")) == ["6"]
    kernel.undo(2)
    assert kernel.value("x") == [0]
    assert not {"made", "other"} & set(kernel.value("sorted(globals())"))


def test_what_is_reached_through_output_history_is_recorded(kernel: Kernel) -> None:
    kernel.run("x = [0]", "x", "_.append(1)")
    assert values_of(kernel.variable("x")) == ["[0, 1]"]
    kernel.undo()
    assert kernel.value("x") == [0]


def test_changes_through_functions_methods_and_classes_are_recorded(kernel: Kernel) -> None:
    kernel.run(
        """
            log = []
            count = 0
            def note(x):
                log.append(x)
            def step():
                global count
                count += 1
                note(count)
            class Box:
                made = 0
                def __init__(self):
                    Box.made += 1
                    step()
                def __enter__(self):
                    step()
                    return self
                def __exit__(self, *e):
                    step()
                @property
                def peek(self):
                    step()
            """
    )
    kernel.run("box = Box()")
    kernel.run("with box:\n    pass")
    kernel.run("box.peek")
    assert values_of(kernel.variable("log")) == ["[1, 2, 3, 4]"]
    for expected in ([1, 2, 3], [1], []):
        kernel.undo()
        kernel.is_true(f"log == {expected}", f"count == {len(expected)}")
    assert kernel.value("Box.made") == 0


def test_a_module_edited_on_disk_and_reloaded_is_the_cells_own_business(kernel: Kernel) -> None:
    kernel.project.write(
        "edited.py", "def answer():\n    return 1\nclass Thing:\n    def name(self):\n        return 'old'\n"
    )
    kernel.run(
        """
        %load_ext autoreload
        %autoreload 2
        import edited
        from edited import answer
        """,
        """
        thing = edited.Thing()
        x = answer()
        """,
    )
    kernel.project.write(
        "edited.py", "def answer():\n    return 22\nclass Thing:\n    def name(self):\n        return 'brand new'\n"
    )
    kernel.run("y = answer()\nname = thing.name()")
    assert kernel.value("(x, y, name)") == (1, 22, "brand new")
    kernel.undo()
    kernel.is_true("x == 1", "'y' not in globals()", "thing.name() == 'brand new'", "type(thing) is edited.Thing")
    kernel.run("y = answer()")
    assert kernel.value("y") == 22
    kernel.run("%autoreload 0")
