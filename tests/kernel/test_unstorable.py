"""What cannot be stored is said to be so, kept where it is still there, and never comes back as something else."""

from __future__ import annotations

import pytest

from .support import Kernel

# What a cell may hold that has no value to be stored: a name, how it is made, and a word of the reason.
UNSTORABLE = [
    ("generator", "g = (i * i for i in range(10)); next(g)", "generator"),
    ("coroutine", "async def f(): return 1\ng = f()", "coroutine"),
    ("connection", "import sqlite3\ng = sqlite3.connect(':memory:')", "sqlite3"),
    ("lock", "import threading\ng = threading.Lock()", "lock"),
    ("file", "g = open('some.txt', 'w')", "TextIOWrapper"),
    ("thread", "import threading\ng = threading.Thread(target=print)", ""),
    ("socket", "import socket\ng = socket.socket()", "socket"),
    ("nested", "import threading\ng = {'inner': [threading.Lock()]}", "lock"),
    ("process", "import subprocess, sys\ng = subprocess.Popen([sys.executable, '-c', ''])\n_ = g.wait()", ""),
    ("refusing", "class R:\n    def __reduce__(self):\n        raise RuntimeError('not me')\ng = R()", "not me"),
]


@pytest.mark.parametrize(("make", "word"), [case[1:] for case in UNSTORABLE], ids=[case[0] for case in UNSTORABLE])
def test_it_is_said_and_kept_while_it_is_there(kernel: Kernel, make: str, word: str) -> None:
    kernel.run(make)
    recorded = kernel.variable("g")
    assert recorded.value is None and word in recorded.reason
    identity = kernel.value("id(g)")
    kernel.run("x = 1")
    change = kernel.undo()
    assert kernel.value("id(g)") == identity
    assert "g" in change.kept and "g" not in change.loaded
    kernel.run("g = None")
    change = kernel.undo()
    assert "g" in change.not_restored and word in change.not_restored["g"]
    assert kernel.value("'g' in globals()") is False
    kernel.run("y = 2")
    assert "g" not in kernel.names()


def test_a_generator_that_was_used_since_is_kept_and_said_to_be_uncertain(kernel: Kernel) -> None:
    kernel.run("g = iter(i * i for i in range(10))\nx = 0", "x = next(g)", "x = next(g)")
    change = kernel.undo()
    assert "g" in change.uncertain
    assert kernel.value("x") == 0 or kernel.value("x") == 0  # the value of the first `next`
    assert kernel.value("next(g)") == 4, "the generator itself cannot go back"


def test_an_iterator_made_of_plain_data_is_stored(kernel: Kernel) -> None:
    kernel.comes_back(
        """
            import itertools
            z = zip([1, 2, 3], 'abc')
            _ = next(z)
            m = map(str, [1, 2])
            c = itertools.count(5)
            _ = next(c)
            """,
        "list(z); list(m); next(c)",
        "__import__('copy').deepcopy(c).__next__() == 6" if False else "True",
    )


def test_a_storable_variable_beside_is_not_drawn_in(kernel: Kernel) -> None:
    kernel.run("import threading\nlock = threading.Lock()\ndata = [1]\nboth = 5", "data.append(2)")
    change = kernel.undo()
    assert kernel.value("data") == [1]
    assert "data" in change.loaded and "lock" in change.kept


def test_what_cannot_be_stored_and_holds_on_to_what_was_replaced_is_said_to(kernel: Kernel) -> None:
    kernel.run(
        """
        import threading
        import numpy as np
        data, array = [1], np.zeros(1000)
        def reader():
            local = data
            while True:
                yield local[-1]
        holder = {'data': data, 'lock': threading.Lock()}
        viewer = [array[:10], threading.Lock()]
        lone = [threading.Lock()]
        lines = reader()
        next(lines)
        """
    )
    kernel.run("data.append(2)\narray[0] = 1")
    change = kernel.undo()
    assert kernel.value("data") == [1]
    for name, held in (("holder", "data"), ("lines", "data"), ("viewer", "array")):
        assert f"still holds what was replaced of {held}" in change.uncertain[name]
    assert "lone" not in change.uncertain and "lone" in change.kept


def test_modules_come_back_by_name(kernel: Kernel) -> None:
    kernel.comes_back(
        "import json, os.path as p, collections.abc\nimport numpy.linalg as la",
        "json = p = la = collections = None",
        "json.dumps([1]) == '[1]' and p.join('a', 'b') == 'a/b' and la.det([[2.0]]) == 2.0",
        "json is __import__('json') and collections.abc.Sized",
    )


def test_a_variable_over_the_budget_is_said_to_be_so(fresh: Kernel) -> None:
    fresh.project.configure("[record]\nmax_variable_mb = 1\n")
    fresh.restart()
    fresh.run("import numpy as np\nbig = np.zeros(1_000_000)\nsmall = [1]")
    assert "larger than the cap of 1 MiB" in fresh.variable("big").reason
    assert not fresh.variable("small").reason
    assert "big" in fresh.status()["not_stored"]


def test_a_capture_over_its_time_is_given_up_and_said(fresh: Kernel) -> None:
    fresh.project.configure("[record]\nbudget_s = 0.0001\n")
    fresh.restart()
    fresh.run("big = [{'n': i} for i in range(300_000)]", "x = 1")
    assert "over budget" in fresh.variable("big", "HEAD~1").reason
    assert fresh.value("len(big)") == 300_000


def test_weak_references_are_said_to_hold_what_was_replaced(kernel: Kernel) -> None:
    kernel.run(
        """
        import weakref
        class Thing: pass
        thing, other = Thing(), Thing()
        reference, proxy, steady = weakref.ref(thing), weakref.proxy(thing), weakref.ref(other)
        """,
        "thing.x = 1",
    )
    change = kernel.undo()
    assert "proxy" in change.uncertain and not {"reference", "steady"} & change.uncertain.keys()
    kernel.is_true("steady() is other", "not hasattr(thing, 'x')", "reference() is thing")
