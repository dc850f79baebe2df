"""Recording stays out of the way: replies, forks, memory, interrupts, threads."""

from __future__ import annotations

from .support import Kernel, Project, values_of, wait_until

# Holds the next capture until `gate` is set, as a long pickle would; the file `reached` says that it is there.
HOLD = """
    import threading
    from nbcellar.session import remote
    gate = threading.Event()
    session = remote.current().session
    def held(*args, original=session.tracker.observe, **kwargs):
        open('reached', 'w').close()
        gate.wait(60)
        return original(*args, **kwargs)
    session.tracker.observe = held
    def release():
        del session.tracker.observe
        gate.set()
"""


def test_reply_and_idle_leave_before_the_capture(fresh: Kernel) -> None:
    fresh.run("x = 1")
    fresh.do_aside(HOLD)
    running = fresh.start("x = 2\nprint('done')")
    result = running.finish()  # would not come back: the gate is shut
    assert result.reply["status"] == "ok" and result.text == "done\n"
    assert [m["content"].get("execution_state") for m in result.messages][-1] == "idle"
    wait_until((fresh.project.root / "reached").exists)
    fresh.interrupt()  # the capture waits at the gate; the user gives up on it
    fresh.do_aside("release()")
    fresh.run("y = 1")
    assert values_of(fresh.variable("x")) == ["2"]


def test_an_interrupt_during_a_capture_ends_it_and_the_next_cell_records_everything(fresh: Kernel) -> None:
    fresh.run("x = [1]\ny = [1]")
    fresh.do_aside(HOLD)
    assert not fresh.try_run("x.append(2)\nmade = 5\ndel y").error
    wait_until((fresh.project.root / "reached").exists)
    fresh.interrupt()
    fresh.do_aside("release()")
    fresh.settle()
    shown = fresh.project.show()
    assert any("interrupted" in note for note in shown.notes), shown
    fresh.run("z = 1")
    assert fresh.names() == {"x", "made", "z"}
    assert values_of(fresh.variable("x")) == ["[1, 2]"] and values_of(fresh.variable("made")) == ["5"]
    fresh.checkout("HEAD~2")
    fresh.is_true("x == [1]", "y == [1]", "'made' not in globals()")


def test_an_interrupt_of_a_real_capture_of_big_data_leaves_the_kernel_running(fresh: Kernel) -> None:
    fresh.run("small = 1")
    assert not fresh.try_run("big = [{'n': i, 't': str(i)} for i in range(300_000)]").error
    fresh.interrupt()
    fresh.run("after = 2")
    assert {"small", "after", "big"} <= fresh.names()
    fresh.run("big = None")
    fresh.undo()
    assert fresh.value("len(big), big[-1]") == (300_000, {"n": 299_999, "t": "299999"})


def test_a_child_of_fork_writes_nothing(fresh: Kernel) -> None:
    fresh.run(
        """
        import os
        x = [1]
        """,
        """
        child = os.fork()
        if child == 0:
            x.append('child')
            os._exit(7)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        x.append('parent')
        """,
    )
    assert fresh.value("status") == 7
    assert values_of(fresh.variable("x")) == ["[1, 'parent']"]
    assert [line.kind for line in fresh.project.log()] == ["auto", "auto", "start"]
    fresh.undo()
    assert fresh.value("x") == [1]


def test_a_child_of_fork_that_uses_cellar_is_told_that_it_does_not_record(fresh: Kernel) -> None:
    fresh.run(
        """
        import os
        x = 1
        child = os.fork()
        if child == 0:
            from nbcellar.session import remote
            os._exit(3 if remote.current() is None else 4)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        """
    )
    assert fresh.value("status") == 3
    assert len(list((fresh.project.root / ".cellar" / "kernels").glob("*.json"))) == 1


def test_multiprocessing_with_fork_works(fresh: Kernel) -> None:
    fresh.run(
        """
            import multiprocessing
            def double(x):
                return 2 * x
            with multiprocessing.get_context('fork').Pool(2) as pool:
                result = pool.map(double, range(4))
            """
    )
    assert fresh.value("result") == [0, 2, 4, 6]
    assert len(fresh.project.log()) == 2
    fresh.run("more = 1")
    fresh.undo(2)
    assert fresh.value("'result' in globals()") is False


def test_joblib_with_two_processes_works(fresh: Kernel) -> None:
    fresh.run(
        """
            import joblib
            factor = 3
            def triple(x):
                return factor * x
            result = joblib.Parallel(n_jobs=2)(joblib.delayed(triple)(i) for i in range(4))
            """
    )
    assert fresh.value("result") == [0, 3, 6, 9]
    fresh.run("factor = 4")
    assert len(fresh.project.log()) == 3
    fresh.undo()
    fresh.is_true("factor == 3", "result == [0, 3, 6, 9]")


def test_an_array_can_be_resized_in_the_next_cell(fresh: Kernel) -> None:
    fresh.run("""
        import numpy as np, io, array
        buffer = io.BytesIO(b'x' * 3_000_000)
        raw = bytearray(3_000_000)
        numbers = array.array('d', [0.0] * 400_000)
        """)
    assert not fresh.try_run("a = np.zeros(3_000_000)").error
    result = fresh.try_run(
        "a.resize(4_000_000, refcheck=False)\nraw.extend(b'more')\nnumbers.append(1.0)\nbuffer.truncate(5)"
    )
    assert not result.error, result.traceback
    fresh.settle()
    fresh.undo()
    fresh.is_true("a.shape == (3_000_000,)", "len(raw) == 3_000_000", "len(numbers) == 400_000")


def test_arrays_can_be_resized_with_the_check_of_references(fresh: Kernel) -> None:
    fresh.run("import numpy as np\na = np.zeros(1000)")
    for size in (2000, 3000):
        result = fresh.try_run(f"a.resize({size})")
        assert not result.error, result.traceback


def test_memory_of_a_deleted_variable_is_freed(fresh: Kernel) -> None:
    fresh.run(
        """
        import gc, weakref
        import numpy as np
        class Array(np.ndarray): pass
        class Thing: pass
        gone = []
        """,
        """
        big = np.zeros(5_000_000).view(Array)
        thing = Thing()
        thing.big = big
        plain = np.ones(5_000_000)
        weakref.finalize(big, gone.append, 'big')
        weakref.finalize(thing, gone.append, 'thing')
        weakref.finalize(plain, gone.append, 'plain')
        """,
        "del big, thing, plain",
        "pass",
    )
    assert sorted(fresh.value("gone")) == ["big", "plain", "thing"], "freed at once, without a collection"


def test_memory_of_a_rebound_variable_is_freed_before_the_next_cell_ends(fresh: Kernel) -> None:
    fresh.run(
        "import weakref, numpy as np\ngone = []\nclass Array(np.ndarray): pass",
        "a = np.zeros(3_000_000).view(Array)\nweakref.finalize(a, gone.append, 1)",
        "a = None\nseen = len(gone)",
    )
    assert fresh.value("seen") == 1


def test_memory_of_an_undone_variable_is_freed(fresh: Kernel) -> None:
    fresh.do_aside("gone = []")
    fresh.run(
        "import builtins, weakref, numpy as np\nclass Array(np.ndarray): pass",
        "a = np.zeros(3_000_000).view(Array)\nweakref.finalize(a, builtins.aside['gone'].append, 1)\nNone",
    )
    fresh.undo()
    assert fresh.value("builtins.aside['gone']") == [1]


def test_a_thread_that_changes_a_list_while_cells_run_is_never_recorded_wrongly_in_silence(fresh: Kernel) -> None:
    fresh.run(
        """
        import threading
        log, stop, tick, ticked = [], threading.Event(), threading.Event(), threading.Event()
        def work():
            while True:
                tick.wait()
                tick.clear()
                if stop.is_set():
                    return
                log.append(len(log))
                ticked.set()
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        def step():
            ticked.clear()
            tick.set()
            ticked.wait()
        """
    )
    fresh.run("x = 1\nstep()", "y = 2")
    fresh.do("step()")
    fresh.run("z = 3")
    assert values_of(fresh.variable("log")) == ["[0, 1]"]
    assert "thread" in fresh.variable("thread").previews[0].type.lower() and fresh.variable("thread").reason
    change = fresh.undo(2)
    assert change.threads, "a thread that still holds the replaced list is named"
    fresh.run("stop.set()\ntick.set()\nthread.join()")


def test_a_change_by_a_thread_in_the_idle_time_is_marked_uncertain(fresh: Kernel) -> None:
    fresh.run(
        """
            import threading
            log = []
            go, done = threading.Event(), threading.Event()
            def work():
                go.wait()
                log.append('late')
                done.set()
            threading.Thread(target=work, daemon=True).start()
            """
    )
    fresh.run("x = 1")
    fresh.do("go.set(); done.wait()")
    change = fresh.undo()
    kinds = [line.kind for line in fresh.project.log(all=True)]
    assert "between" in kinds
    assert fresh.value("log") == []
    assert "log" in change.loaded


def test_no_error_reaches_the_user_when_the_engine_itself_fails(fresh: Kernel) -> None:
    fresh.run("x = [1]")
    fresh.do_aside(
        """
        from nbcellar.session import remote
        tracker = remote.current().session.tracker
        def broken(*args, **kwargs):
            raise RuntimeError('a defect')
        tracker.observe = broken
        """
    )
    result = fresh.try_run("x.append(2)\nprint('fine')")
    assert not result.error and result.text == "fine\n"
    fresh.do_aside("del tracker.observe")
    fresh.run("y = 1")
    assert any("a defect" in error for error in fresh.status()["errors"])
    assert values_of(fresh.variable("x")) == ["[1, 2]"], "the next cell finds what was missed"


def test_the_user_namespace_is_a_plain_dict_and_holds_nothing_of_ours(fresh: Kernel) -> None:
    before = fresh.value("sorted(globals())")
    fresh.run("x = 1", "y = 2")
    fresh.undo()
    fresh.redo()
    assert fresh.value("type(globals()).__name__") == "dict"
    assert set(fresh.value("sorted(globals())")) - set(before) <= {"x", "y", "_i", "_ii", "_iii", "_i1", "_i2"}


def test_a_kernel_that_cannot_record_says_so_once(project: Project) -> None:
    project.configure("[record]\nbudget = 3\n")
    kernel = project.kernel(joins=False)
    result = kernel.try_run("x = 1")
    assert not result.error
    assert result.text.startswith("Cellar does not record this notebook: ") and "budget" in result.text
    assert kernel.try_run("x = 2").text == ""
    assert (
        "does not record" in kernel.try_run("%cellar status").text or "budget" in kernel.try_run("%cellar status").text
    )


def test_a_store_that_is_gone_is_said(fresh: Kernel) -> None:
    fresh.run("x = 1")
    for path in (fresh.project.root / ".cellar").glob("meta.db*"):
        path.unlink()
    assert not fresh.try_run("x = 2").error
    fresh.do_aside("from nbcellar.session import remote\nremote.current().session.writer.wait()")
    assert "Cellar: what you do is not being saved: " in fresh.try_run("x = 3").text


def test_a_variable_that_is_too_large_is_said_once(project: Project) -> None:
    project.configure("[record]\nmax_variable_mb = 1\n")
    kernel = project.kernel()
    kernel.try_run("import numpy as np\nlarge = np.arange(400_000)")
    assert "'large' is not saved: it is larger than the cap of 1 MiB" in kernel.try_run("y = 1").text
    assert kernel.try_run("large[0] = 5").text == ""
