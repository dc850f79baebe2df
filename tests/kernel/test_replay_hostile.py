"""Cells that reach for the kernel itself, run again: shell, streams, figures, signals, tasks stay as they were."""

from __future__ import annotations

import pytest

from .support import Kernel


def again(kernel: Kernel) -> None:
    kernel.kill()
    kernel.start_again()


def test_a_log_goes_on_where_it_should_after_cells_ran_again(kernel: Kernel) -> None:
    kernel.run(
        "import logging, sys\nlogging.basicConfig(stream=sys.stdout, level=logging.INFO, force=True)\n"
        "g = (i for i in range(3))\nlogging.info('as it was')",
        "x = next(g)",
    )
    again(kernel)
    assert "as it was" not in kernel.run("%cellar restore --replay").text
    assert "still heard" in kernel.run("logging.info('still heard')").text


def test_a_live_figure_is_not_drawn_on(kernel: Kernel) -> None:
    kernel.run(
        "import os, matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt",
        "g = (i for i in range(3)); plt.plot([1, 2]); shown = plt.gcf()\nif os.path.exists('flag'): 1 / 0",
        "plt.plot([3]); x = next(g)",
    )
    kernel.run("y = 1")
    again(kernel)
    kernel.run("import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt\nmine = plt.figure()")
    kernel.project.write("flag", "")
    assert "ZeroDivisionError" in kernel.run("%cellar restore --replay").text
    assert kernel.value("(plt.get_fignums(), plt.gcf() is mine, len(mine.axes))") == ([1], True, 0)
    (kernel.project.root / "flag").unlink()
    change = kernel.restore(replay="yes")
    assert change.replayed == ["g"] and change.uncertain == {}
    assert kernel.value("(plt.get_fignums(), plt.gcf() is shown, len(shown.axes[0].lines))") == ([1], True, 2)


def test_nothing_is_asked_of_the_front_end(kernel: Kernel) -> None:
    kernel.run("g = (i for i in range(3))\nget_ipython().set_next_input('surprise')", "x = next(g)")
    again(kernel)
    result = kernel.run("%cellar restore --replay")
    assert result.reply["payload"] == []
    assert kernel.value("next(g)") == 1


@pytest.mark.parametrize("leaving", ["exit()", "get_ipython().run_line_magic('reset', '-f')"])
def test_a_cell_that_ends_the_kernel_or_clears_it_is_stopped(kernel: Kernel, leaving: str) -> None:
    kernel.run("leave = False", f"g = (i for i in range(3))\nif leave: {leaving}", "x = next(g)")
    again(kernel)
    kernel.run("mine = [1]")
    source = f"import os\nif os.path.exists('leave'): {leaving}\ng = (i for i in range(3))"
    kernel.run(source)
    kernel.run("next(g)")
    kernel.project.write("leave", "")
    kernel.run("del g")
    result = kernel.run("%cellar undo --replay")
    (kernel.project.root / "leave").unlink()
    assert "failed when it was run again: LeftError" in result.text
    assert kernel.value("(mine, 'g' in globals())") == ([1], False)


def test_hooks_of_a_cell_that_runs_again_are_taken_back_and_live_ones_are_not_called(kernel: Kernel) -> None:
    note = "import signal, sys\nsys.marks = []\ndef note(*_): sys.marks.append('called')"
    register = "get_ipython().events.register('post_execute', note)"
    kernel.run(
        note,
        f"signal.signal(signal.SIGUSR1, note); {register}\ng = (i for i in range(3)); sys.marks.append('cell')",
        "x = next(g); sys.marks.append('cell')",
    )
    again(kernel)
    kernel.run(note.replace("called", "live"), register)
    assert "replayed" in kernel.run("%cellar restore --replay").text
    marks = kernel.value("sys.marks")
    assert marks.count("cell") == 2
    assert "live" not in marks[marks.index("cell") : len(marks) - marks[::-1].index("cell")]
    assert kernel.value("signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL") is True


def test_a_task_that_a_cell_starts_again_is_cancelled_and_said(kernel: Kernel) -> None:
    kernel.run(
        "import asyncio\nasync def later():\n    global late\n    late = 1",
        "g = (i for i in range(3)); task = asyncio.get_event_loop().create_task(later())",
        "x = next(g)",
    )
    again(kernel)
    kernel.run("mine = 1")
    result = kernel.run("%cellar restore --replay")
    assert "a task of asyncio" in result.text
    assert kernel.value("'late' in globals() or 'g' in globals()") is False


def test_a_command_inside_of_a_cell_that_runs_again_is_refused(kernel: Kernel) -> None:
    kernel.run(
        "import os, nbcellar\ng = (i for i in range(3))\n"
        "if os.path.exists('again'): nbcellar.open('.').undo(notebook='analysis.ipynb')",
        "x = next(g)",
    )
    again(kernel)
    kernel.run("mine = 1")
    kernel.project.write("again", "")
    result = kernel.run("%cellar restore --replay")
    (kernel.project.root / "again").unlink()
    assert "failed when it was run again" in result.text
    assert kernel.names() == {"mine"}


def test_a_magic_cell_with_files_and_folders_runs_where_it_ran(kernel: Kernel) -> None:
    (kernel.project.root / "sub").mkdir()
    kernel.project.write("sub/data.txt", "one\ntwo\nthree\n")
    kernel.run("%cd -q sub", "file = open('data.txt')", "line = file.readline()", "%cd -q ..")
    kernel.run("%%time\nother = !echo hi", "%%capture out\nfile.readline()\nprint('x')")
    again(kernel)
    change = kernel.restore(replay="yes")
    assert "file" in change.replayed
    assert kernel.value("file.readline()") == "three\n"
    assert kernel.value("__import__('os').getcwd()") == str(kernel.project.root)
