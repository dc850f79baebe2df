"""What is on disk: these bytes were written by format 1, and every later version must read them."""

from __future__ import annotations

import msgspec
import pytest

from nbcellar.errors import CorruptStoreError, UnsupportedFormatError
from nbcellar.history.model import (
    CellError,
    CellRun,
    Commit,
    CommitKind,
    Covariable,
    Preview,
    State,
    StateDelta,
    decode_commit,
    decode_state,
    encode_commit,
    encode_state,
)
from nbcellar.history.operations import (
    FIRST_PARENT,
    Operation,
    OperationKind,
    RefChange,
    decode_operation,
    encode_operation,
)
from nbcellar.history.refs import decode_head, encode_head
from nbcellar.ids import CommitId, NotebookId
from nbcellar.store.interface import Record

VALUE, PARENT = b"\x01" * 32, b"\x02" * 32
ENTRY = Covariable(
    names=("a", "b"),
    value=VALUE,
    version=b"\x03" * 4,
    previews=(Preview("numpy.ndarray", "[1 2]", (2,), 16), Preview("list", "[]")),
    size_bytes=16,
)
COMMIT = Commit(
    format=1,
    notebook="00ff",
    parents=(PARENT,),
    kind=CommitKind.AUTO,
    time_ns=1_700_000_000_000_000_000,
    author="ana",
    cell=CellRun("c1", "a = b = x", 3, 0.5, CellError("NameError", "x", 1), reads=("x",)),
    state=StateDelta(base=PARENT, put=(ENTRY,), drop=("old",), ambient={"random": VALUE, "cwd": None}),
)
OPERATION = Operation(
    notebook=NotebookId("00ff"),
    kind=OperationKind.RECORD,
    time_ns=5,
    by="ana@host",
    changes=(RefChange("branch/main", FIRST_PARENT, VALUE), RefChange("", None, PARENT)),
    number=7,
)

WITHOUT_READS_HEX = (  # as commits were written before a cell run said what it can have used
    "9e01a43030666691c4200202020202020202020202020202020202020202020202020202020202020202a46175746fcf1797"
    "9cfe362a0000a3616e61a097a26331a961203d2062203d207803cb3fe000000000000093a94e616d654572726f72a17801c0"
    "9096c4200202020202020202020202020202020202020202020202020202020202020202919b92a161a162c4200101010101"
    "010101010101010101010101010101010101010101010101010101c404030303039295ad6e756d70792e6e646172726179a5"
    "5b3120325d9102108095a46c697374a25b5d9000809090a0a010c4000191a36f6c649082a3637764c0a672616e646f6dc420"
    "0101010101010101010101010101010101010101010101010101010101010101c0c0c0a0c090"
)
COMMIT_HEX = WITHOUT_READS_HEX.replace("a097a26331", "a099a26331").replace("a17801c090", "a17801c09091a178c2")
STATE_HEX = (
    "920192919b92a161a162c4200101010101010101010101010101010101010101010101010101010101010101c40403030303"
    "9295ad6e756d70792e6e646172726179a55b3120325d9102108095a46c697374a25b5d9000809090a0a010c4000181a67261"
    "6e646f6dc4200101010101010101010101010101010101010101010101010101010101010101"
)
OPERATION_HEX = (
    "97010205a8616e6140686f73749293ab6272616e63682f6d61696ec3c4200101010101010101010101010101010101010101"
    "01010101010101010101010193a0c0c4200202020202020202020202020202020202020202020202020202020202020202a0"
    "00"
)


def test_a_commit_is_written_and_read_as_it_was() -> None:
    assert encode_commit(COMMIT).hex() == COMMIT_HEX
    assert decode_commit(bytes.fromhex(COMMIT_HEX)) == COMMIT
    before = decode_commit(bytes.fromhex(WITHOUT_READS_HEX))
    assert COMMIT.cell is not None
    assert before == msgspec.structs.replace(COMMIT, cell=msgspec.structs.replace(COMMIT.cell, reads=None))


def test_a_state_is_written_and_read_as_it_was() -> None:
    state = State((ENTRY,), {"random": VALUE})
    assert encode_state(state).hex() == STATE_HEX
    assert decode_state(bytes.fromhex(STATE_HEX)) == state


def test_an_operation_is_written_and_read_as_it_was() -> None:
    assert encode_operation(OPERATION).hex() == OPERATION_HEX
    assert decode_operation(Record(7, "00ff", bytes.fromhex(OPERATION_HEX))) == OPERATION


def test_head_is_written_as_it_was() -> None:
    assert encode_head(branch="main") == b"@main"
    assert encode_head(commit=CommitId(PARENT), left="trial") == b"=" + PARENT + b"trial"


def test_a_newer_format_is_refused_with_the_command_that_helps() -> None:
    newer = msgspec.structs.replace(COMMIT, format=2)
    with pytest.raises(UnsupportedFormatError, match="format 2") as caught:
        decode_commit(encode_commit(newer))
    assert "upgrade" in caught.value.hint
    for decode in (decode_commit, decode_state, lambda data: decode_operation(Record(1, "", data))):
        with pytest.raises(UnsupportedFormatError, match="format 9"):
            decode(msgspec.msgpack.encode([9, {"something": "new"}]))


def test_other_bytes_are_corrupt_and_not_a_traceback_of_another_kind() -> None:
    for data in (b"", b"\xc1", b"\x00", msgspec.msgpack.encode([1]), msgspec.msgpack.encode({"format": 1})):
        for decode in (decode_commit, decode_state, lambda data: decode_operation(Record(1, "", data))):
            with pytest.raises(CorruptStoreError):
                decode(data)
    for value in (b"", b"@", b"=short", b"?"):
        with pytest.raises(CorruptStoreError):
            decode_head(value)
