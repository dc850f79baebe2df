"""Reading pickles without carrying them out: it agrees with pickle, and survives whatever bytes it is given."""

from __future__ import annotations

import copyreg
import pickle
import pickletools
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.values import inert
from nbcellar.values.fingerprint import Fingerprints
from nbcellar.values.inert import Limits, UnreadableError
from nbcellar.values.manifest import Value
from nbcellar.values.nodes import Buffer, Call, Global, List
from nbcellar.values.stored import Budget, Stored
from nbcellar.values.words import word

from .looking import plain

ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**2000), 2**2000),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
    st.complex_numbers(allow_nan=False),
    st.builds(bytearray, st.binary()),
)
KEYS = st.one_of(st.integers(), st.text(), st.binary(), st.tuples(st.integers(), st.text()))
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.dictionaries(KEYS, inner),
        st.sets(KEYS),
        st.frozensets(KEYS),
        st.lists(inner, min_size=1).map(lambda items: [items, items]),
    ),
    max_leaves=20,
)


def no_blocks() -> Stored:
    """Return a value that has nothing stored but its stream."""
    return Stored(Value(format=1, python=(3, 11)), lambda digest, size: b"", Budget(0))


@given(VALUES, st.integers(0, 5))
def test_reading_agrees_with_unpickling(value: Any, protocol: int) -> None:
    assert plain(inert.read(pickle.dumps(value, protocol))) == value


def test_aliases_and_cycles_are_one_node() -> None:
    inner: list[Any] = [1]
    inner.append(inner)
    node = inert.read(pickle.dumps([inner, inner], 5))
    assert node.items[0] is node.items[1]
    assert node.items[0].items[1] is node.items[0]


def test_recursive_tuples_are_read() -> None:
    inner: list[Any] = []
    value = (inner, 2)
    inner.append(value)
    node = inert.read(pickle.dumps(value, 5))
    assert node[0].items[0][1] == 2


class Point:
    """Reduces itself in every way there is."""

    def __init__(self, *args: Any, **state: Any) -> None:
        self.args = args
        self.__dict__.update(state)

    def __reduce__(self) -> Any:
        return Point, (1, 2), {"x": [3]}, iter([4, 5]), iter([("k", 6)]), set_state


def set_state(point: Point, state: dict[str, Any]) -> None:
    point.__dict__.update(state)


def test_a_reduction_is_a_call_with_all_its_parts() -> None:
    node = inert.read(pickle.dumps([Point()], 5)).items[0]
    assert type(node) is Call and node.path.endswith("Point") and node.args == (1, 2)
    assert node.items == [4, 5] and node.pairs == [("k", 6)]
    assert [effect.path.rpartition(".")[2] for effect in node.effects] == ["set_state"]
    assert plain(node.state) == {"x": [3]}


def test_objects_of_old_protocols_are_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(copyreg.dispatch_table, ValueError, raising=False)  # Dask sets one for all exceptions
    for protocol in range(6):
        node = inert.read(pickle.dumps(ValueError("x"), protocol))
        assert type(node) is Call and node.function.name == "ValueError" and node.args == ("x",)


def test_buffers_out_of_band_are_numbered() -> None:
    buffers: list[pickle.PickleBuffer] = []
    value = [pickle.PickleBuffer(bytearray(b"abc")), pickle.PickleBuffer(b"def")]
    node = inert.read(pickle.dumps(value, 5, buffer_callback=buffers.append))
    assert [(type(item), item.index, item.readonly) for item in node.items] == [(Buffer, 0, False), (Buffer, 1, True)]


def test_nothing_that_a_stream_names_is_imported_or_called() -> None:
    name = "xml.dom.pulldom"
    assert name not in sys.modules
    node = inert.read(f"c{name}\nparse\n(S'/etc/passwd'\ntR.".encode())
    assert name not in sys.modules
    assert node.path == f"{name}.parse" and node.args == ("/etc/passwd",)
    assert type(inert.read(b"cos\nsystem\n(S'true'\ntR.").function) is Global


def test_every_opcode_is_known() -> None:
    frequent = {0x94, 0x68, 0x8C, 0x4B, 0x47, 0x4A, 0x4D, 0x28, 0x6A, 0x2E}
    known = {code for code in range(256) if inert._OPCODES[code] is not inert._unknown}
    assert known | frequent == {ord(opcode.code) for opcode in pickletools.opcodes}


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        node = inert.read(data)
    except UnreadableError:
        return
    word(node)
    try:
        Fingerprints(no_blocks()).of(node)
    except UnreadableError:
        pass


@given(st.data())
def test_a_damaged_stream_is_read_or_refused(data: st.DataObject) -> None:
    value = [Point(), {"a": (1, "text", b"bytes", 2.5, 1 << 70)}, {1, 2}, frozenset((3,)), len, bytearray(b"x")]
    stream = bytearray(pickle.dumps(value, data.draw(st.integers(0, 5))))
    for _ in range(data.draw(st.integers(1, 4))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    try:
        node = inert.read(bytes(stream))
        word(node)
        Fingerprints(no_blocks()).of(node)
    except UnreadableError:
        pass


def test_a_truncated_stream_is_refused_wherever_it_ends() -> None:
    stream = pickle.dumps([Point(), {"a": (1, "text")}, 1 << 70], 5)
    for end in range(len(stream)):
        with pytest.raises(UnreadableError):
            inert.read(stream[:end])


HOSTILE = {
    "a text of 16 exabytes": b"\x8d" + b"\xff" * 8 + b".",
    "bytes of 4 gigabytes": b"B\xff\xff\xff\xff.",
    "a bytearray of an exabyte": b"\x96" + b"\0" * 7 + b"\x10.",
    "a number of a gigabyte": b"\x8b\0\0\0\x40.",
    "a number of many digits": b"I" + b"9" * 100_000 + b"\n.",
    "a memo entry far away": b"]r\xff\xff\xff\xff0h\x05.",
    "an end without a beginning": b"t.",
    "a mark that is taken for a value": b"(\x94h\x00\x85.",
    "a newer protocol": b"\x80\x09N.",
}


@pytest.mark.parametrize("stream", HOSTILE.values(), ids=HOSTILE)
def test_what_is_declared_is_not_believed(stream: bytes) -> None:
    with pytest.raises(UnreadableError):
        inert.read(stream)


def test_a_bomb_of_shared_lists_is_read_and_told_in_time() -> None:
    stream = b"]\x94" + b"".join(b"](h%ch%ce\x94" % (n, n) for n in range(100)) + b"."
    node = inert.read(stream)  # two to the hundredth leaves, if one walked through all
    assert type(node) is List
    assert len(word(node)) < 200
    assert Fingerprints(no_blocks()).of(node) == Fingerprints(no_blocks()).of(inert.read(stream))


def test_deep_nesting_is_read_but_not_walked() -> None:
    node = inert.read(b"]" * 100_000 + b"a" * 99_999 + b".")
    assert word(node).startswith("[")
    with pytest.raises(UnreadableError, match="nested too deeply"):
        Fingerprints(no_blocks()).of(node)


def test_the_number_of_steps_is_limited() -> None:
    with pytest.raises(UnreadableError, match="too many parts"):
        inert.read(b"N" * 1000 + b".", Limits(steps=100))
    with pytest.raises(UnreadableError, match="too large"):
        inert.read(b"N." * 1000, Limits(stream_bytes=100))


def test_texts_with_lone_surrogates_are_read() -> None:
    assert inert.read(pickle.dumps("\ud800", 5)) == "\ud800"
