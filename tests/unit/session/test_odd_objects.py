"""Objects that plain pickle refuses or gets wrong: they come back as they were, in a new kernel too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbcellar.errors import CannotRestoreError

from .live import Live, live_session

CASES = {  # code that makes `x`, and what shows value and behaviour
    "axes in another order": (
        "import numpy as np\nx = np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2)",
        "x.tolist(), x.strides, x.ravel('K').tolist(), x.base is None or x.base.base is None",
    ),
    "axes of length one in another order": (
        "import numpy as np\nx = np.arange(6).reshape(2, 1, 3).transpose(2, 1, 0)[::2]",
        "x.tolist(), x.ravel('K').tolist()",
    ),
    "a read-only array, axes in another order": (
        "import numpy as np\nx = np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1); x.setflags(write=False)",
        "x.tolist(), x.strides, x.flags.writeable",
    ),
    "a ufunc of a function": (
        "import numpy as np\nx = np.frompyfunc(lambda a, b: a + b, 2, 1, identity=5)",
        "x(1, 2), x.identity, x.reduce([1, 2]), x.__name__",
    ),
    "a ufunc of a function, without an identity": (
        "import numpy as np\nx = np.frompyfunc(lambda a, b: (a, b), 2, 2)",
        "x(1, 2), x.identity, x.nout",
    ),
    "a ufunc of a module": ("import numpy as np\nx = [np.add, np.linalg._umath_linalg.det]", "[f.__name__ for f in x]"),
    "a vectorized function that was called": (
        "import numpy as np\nx = np.vectorize(lambda v: v + 1, otypes=[float]); x([1])",
        "x([1, 2]).tolist()",
    ),
    "a vectorized function that goes on calling the one it had": (
        "import numpy as np\nx = np.vectorize(lambda v: v + 1, otypes=[float]); x([1]); x.pyfunc = lambda v: v * 9",
        "x([1, 2]).tolist(), x.pyfunc(1)",
    ),
    "a parser of arguments": (
        "import argparse\nx = argparse.ArgumentParser(); _ = x.add_argument('--rate', default=argparse.SUPPRESS)",
        "x.parse_args([]), x.parse_args(['--rate', '3']), x.format_help()[-100:]",
    ),
    "a parser with parsers below": (
        "import argparse\nx = argparse.ArgumentParser(argument_default=argparse.SUPPRESS)\n"
        "x.add_subparsers(dest='sub').add_parser('go').add_argument('--n')",
        "x.parse_args(['go']), x.parse_args(['go', '--n', '1'])",
    ),
    "an address in a zone": (
        "import ipaddress\nx = ipaddress.ip_address('fe80::1%eth0')",
        "str(x), x.scope_id, hash(x)",
    ),
    "a struct": ("import struct\nx = struct.Struct('<id')", "x.format, x.size, x.pack(1, 2.0)"),
    "a weak reference": (
        "import weakref\nclass Node: pass\nnode = Node(); node.n = 5; x = weakref.ref(node)",
        "x() is node, x().n, type(x)",
    ),
    "every second byte": (
        "store = bytearray(b'0123456789'); x = memoryview(store)[2:8][::2]",
        "bytes(x), x.obj is store, x.strides, x.readonly",
    ),
    "numbers backwards": (
        "import array\nstore = array.array('i', range(9)); x = memoryview(store)[7:1:-3]",
        "x.tolist(), x.obj is store, x.strides, x.format",
    ),
    "every second byte, to be read only": (
        "store = b'0123456789'; x = memoryview(store)[1::2]",
        "bytes(x), x.obj == store, x.strides, x.readonly",
    ),
    "a closed stream": (
        "import io\nx = [io.BytesIO(b'a'), io.StringIO('a')]; [s.close() for s in x]",
        "[s.closed for s in x]",
    ),
    "a stream with attributes": (
        "import io\nx = io.BytesIO(b'ab'); x.name = 'n'; x.read(1)",
        "x.name, x.tell(), x.getvalue()",
    ),
}


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_session(tmp_path) as made:
        yield made


@pytest.mark.parametrize("what", CASES)
def test_it_comes_back_as_it_was(live: Live, what: str) -> None:
    make, picture = CASES[what]
    commit = live.cell(make)
    assert not live.not_stored
    wanted = live.value(f"repr(({picture}))")
    version = live.session.tracker.by_name["x"].version
    live.cell(f"repr(({picture}))")
    assert live.session.tracker.by_name["x"].version == version
    live.cell("x = store = node = None")
    live.session.restore(commit)
    assert live.value(f"repr(({picture}))") == wanted
    live.restart()
    live.session.restore(commit)
    assert live.value(f"repr(({picture}))") == wanted


def test_a_view_of_every_second_byte_goes_on_showing_changes(live: Live) -> None:
    live.cell("store = bytearray(b'0123456789'); x = memoryview(store)[::2]")
    commit = live.cell("x[1] = 65")
    live.cell("x = store = None")
    live.session.restore(commit)
    live.cell("store[4] = 66; x[0] = 67")
    assert live.value("bytes(store)") == b"C1A3B56789"


REFUSED = {
    "a dead weak reference": ("import weakref\nx = weakref.ref({1})", "whose object is gone"),
    "a weak reference that calls back": (
        "import weakref\nnode = {1}; x = weakref.ref(node, print)",
        "a weak reference with a callback",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_come_back_is_refused_with_the_reason(live: Live, what: str) -> None:
    make, reason = REFUSED[what]
    live.cell(make)
    assert reason in live.not_stored["x"]


def test_a_weak_reference_whose_object_only_a_library_holds_is_not_restored_dead(live: Live) -> None:
    commit = live.cell(
        "import weakref, fractions\nclass Held: pass\nfractions.mine = Held()\nx = weakref.ref(fractions.mine)"
    )
    live.cell("x = None; del fractions.mine; y = 1")
    with pytest.raises(CannotRestoreError, match=r"variable 'x': .* whose object is gone"):
        live.session.restore(commit)
    assert live.value("y") == 1
    live.session.restore(commit, without={"x"})
    assert "y" not in live.names()
