"""Packing of one object's bytes."""

from __future__ import annotations

import os
import struct
import sys

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.errors import UnsupportedFormatError
from nbcellar.store import codec
from nbcellar.store.codec import Codec, compress, decompress, decompress_into
from nbcellar.store.interface import Kind

NUMBERS = struct.pack("<90000q", *range(90_000))


def repeated(seed: bytes, times: int, cut: int) -> bytes:
    return (seed * times)[: len(seed) * times - cut]


data_of_all_sorts = st.one_of(
    st.binary(max_size=600),
    st.builds(repeated, st.binary(min_size=9, max_size=40), st.integers(1, 3000), st.integers(0, 8)),
    st.builds(lambda size: os.urandom(size), st.integers(0, 9000)),
)


@given(data=data_of_all_sorts, kind=st.sampled_from(Kind))
def test_unpacking_gives_back_what_was_packed(data: bytes, kind: Kind) -> None:
    number, stored = compress(kind, memoryview(data))
    assert decompress(number, stored, len(data)) == data
    target = bytearray(len(data))
    decompress_into(number, stored, memoryview(target))
    assert target == data
    assert len(stored) <= len(data)


@given(data=data_of_all_sorts, number=st.sampled_from([Codec.SHUFFLE8_LZ4, Codec.SHUFFLE4_LZ4]))
def test_shuffling_is_the_same_with_and_without_numpy(data: bytes, number: Codec) -> None:
    pytest.importorskip("numpy")
    width = 8 if number is Codec.SHUFFLE8_LZ4 else 4
    with_numpy = codec._shuffle(memoryview(data), width)
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(sys.modules, "numpy")
        assert codec._shuffle(memoryview(data), width) == with_numpy
        target = bytearray(len(data))
        codec._scatter(with_numpy, width, memoryview(target))
        assert target == data


@given(
    stored=st.binary(max_size=200),
    number=st.integers(0, 3),
    size=st.one_of(st.integers(-5, 5000), st.just(1 << 40)),
)
def test_damaged_bytes_are_a_value_error_or_have_the_stated_size(stored: bytes, number: int, size: int) -> None:
    try:
        raw = decompress(number, stored, size)
    except ValueError:
        return
    assert len(raw) == size


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (os.urandom(1 << 20), Codec.RAW),
        (NUMBERS, Codec.SHUFFLE8_LZ4),
        (struct.pack("<90000i", *((i * 7919) % 1000 for i in range(90_000))), Codec.SHUFFLE4_LZ4),
        (b"some text that repeats itself, more or less " * 3000, Codec.ZSTD),
        (b"x" * 255, Codec.RAW),
    ],
    ids=["noise", "int64", "int32", "text", "tiny"],
)
def test_a_block_is_packed_as_its_content_suggests(data: bytes, expected: Codec) -> None:
    number, stored = compress(Kind.BLOCK, memoryview(data))
    assert number is expected
    assert expected is Codec.RAW or len(stored) < 0.7 * len(data)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(1 << 26))
    with pytest.raises(ValueError, match="another size"):
        decompress(Codec.ZSTD, bomb, 1000)
    with pytest.raises(ValueError, match="out of bounds"):
        decompress(Codec.ZSTD, bomb, codec.MAX_RAW_BYTES + 1)


@pytest.mark.parametrize("size", [0, 7, 8, 262_143, 262_144, 262_145, 262_152, 600_000])
def test_objects_of_one_and_several_pieces_round_trip(size: int) -> None:
    for number in (Codec.SHUFFLE8_LZ4, Codec.SHUFFLE4_LZ4):
        stored = codec._encode(number, memoryview(NUMBERS[:size]))
        assert decompress(number, stored, size) == NUMBERS[:size]
        for wrong in (stored + b"x", stored[:-1] if size else b"\0\0\0\0"):
            with pytest.raises(ValueError, match=r"lz4|cut off|too many"):
                decompress(number, wrong, size)


def test_a_codec_of_a_newer_version_is_named() -> None:
    with pytest.raises(UnsupportedFormatError, match="codec 9"):
        decompress(9, b"", 0)
