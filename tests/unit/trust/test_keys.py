"""The user's key, signatures and fingerprints."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.errors import CorruptStoreError, InvalidInputError
from nbcellar.trust.keys import (
    KEY_FILE,
    SigningKey,
    fingerprint,
    is_fingerprint_of,
    load,
    load_or_create,
    verify,
)

KEY = SigningKey(bytes(range(32)))
OTHER = SigningKey(bytes(32))


@given(message=st.binary(max_size=200))
def test_a_signature_holds_for_its_message_and_signer_only(message: bytes) -> None:
    signature = KEY.sign(message)
    assert verify(KEY.key_id, message, signature)
    assert not verify(OTHER.key_id, message, signature)
    assert not verify(KEY.key_id, message + b"!", signature)


@given(place=st.integers(0, 63), bit=st.integers(0, 7))
def test_a_changed_signature_does_not_hold(place: int, bit: int) -> None:
    signature = bytearray(KEY.sign(b"message"))
    signature[place] ^= 1 << bit
    assert not verify(KEY.key_id, b"message", bytes(signature))


@pytest.mark.parametrize(("key", "signature"), [(b"", b"s" * 64), (b"k" * 31, b"s" * 64), (b"k" * 32, b""), (b"", b"")])
def test_malformed_keys_and_signatures_do_not_hold(key: bytes, signature: bytes) -> None:
    assert not verify(key, b"message", signature)


def test_a_key_is_the_same_when_loaded_again(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "nbcellar"
    assert load(folder) is None
    first = load_or_create(folder)
    assert load_or_create(folder).key_id == first.key_id
    assert verify(first.key_id, b"m", load_or_create(folder).sign(b"m"))


def test_only_the_owner_can_read_the_key(tmp_path: Path) -> None:
    load_or_create(tmp_path)
    path = tmp_path / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    load_or_create(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in tmp_path.iterdir()] == [KEY_FILE]


def test_the_key_file_is_what_other_programs_read(tmp_path: Path) -> None:
    key = load_or_create(tmp_path)
    private = load_pem_private_key((tmp_path / KEY_FILE).read_bytes(), password=None)
    assert private.public_key().public_bytes_raw() == key.key_id  # type: ignore[union-attr]


MAKE_KEY = """
import sys
from pathlib import Path
from nbcellar.trust.keys import load_or_create
print(load_or_create(Path(sys.argv[1])).key_id.hex())
"""


def test_processes_that_make_the_key_at_once_get_the_same_one(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MAKE_KEY, str(tmp_path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    keys = {process.communicate()[0] for process in processes}
    assert len(keys) == 1
    assert len(keys.pop().strip()) == 64


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"-----BEGIN PRIVATE KEY-----\n",
        b"\xff\xfe",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ],
)
def test_a_damaged_key_is_an_error_and_is_not_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(content)
    with pytest.raises(CorruptStoreError, match=KEY_FILE):
        load_or_create(tmp_path)
    assert (tmp_path / KEY_FILE).read_bytes() == content


def test_a_key_is_never_shown() -> None:
    assert fingerprint(KEY.key_id) in repr(KEY)
    assert bytes(range(32)).hex() not in repr(KEY)
    with pytest.raises(InvalidInputError, match="32"):
        SigningKey(b"short")


def test_a_fingerprint_is_short_grouped_and_recognised() -> None:
    text = fingerprint(KEY.key_id)
    assert [len(group) for group in text.split("-")] == [6, 6, 6, 6]
    assert text != fingerprint(OTHER.key_id)
    for form in (text, text.upper(), text.replace("-", ""), text.replace("-", " "), KEY.key_id.hex()):
        assert is_fingerprint_of(form, KEY.key_id)
        assert not is_fingerprint_of(form, OTHER.key_id)
    assert not is_fingerprint_of(text[:-1], KEY.key_id)
    assert not is_fingerprint_of("", KEY.key_id)


def test_cryptography_is_imported_only_when_something_is_signed(tmp_path: Path) -> None:
    program = MAKE_KEY.replace(".key_id.hex()", "") + "print(any(m.startswith('cryptography') for m in sys.modules))"
    program = program.replace("print(load_or_create(Path(sys.argv[1])))", "load_or_create(Path(sys.argv[1]))")
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
