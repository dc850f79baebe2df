"""Nothing is unpickled unless a trusted signer made it."""

from __future__ import annotations

import builtins
import copy
import io
import os
import pickle
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.errors import CorruptStoreError, NotTrustedError
from nbcellar.ids import CommitId
from nbcellar.trust import gate
from nbcellar.trust.decisions import TrustStore, Verdict
from nbcellar.trust.gate import LoadPermit, permit, unpickle
from nbcellar.trust.keys import SigningKey, fingerprint, load_or_create

PROJECT = "1" * 32
EVE = SigningKey(b"e" * 32)
VALUE = blake3(b"value").digest()
PAYLOAD = b"commit that names " + VALUE


def commit_of(key: SigningKey, payload: bytes = PAYLOAD) -> tuple[CommitId, bytes, bytes]:
    commit_id = CommitId(blake3(payload).digest())
    return commit_id, payload, key.sign(commit_id)


@pytest.fixture
def decisions(tmp_path: Path) -> TrustStore:
    return TrustStore(tmp_path)


@pytest.fixture
def own(tmp_path: Path) -> SigningKey:
    return load_or_create(tmp_path)


@pytest.fixture
def leave(own: SigningKey, decisions: TrustStore) -> LoadPermit:
    return permit(*commit_of(own), own.key_id, project=PROJECT, decisions=decisions)


def find(module: str, name: str) -> object:
    assert module == "builtins", (module, name)
    return getattr(builtins, name)


class Evil:
    """Runs a command when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch {self.canary}",)


def test_ones_own_commit_may_be_loaded(leave: LoadPermit, own: SigningKey) -> None:
    assert leave.commit_id == blake3(PAYLOAD).digest()
    assert leave.key_id == own.key_id
    assert unpickle(leave, pickle.dumps([1, {"a"}]), find_class=find) == [1, {"a"}]


def test_a_stranger_is_refused_with_the_command_that_would_trust_him(decisions: TrustStore) -> None:
    with pytest.raises(NotTrustedError) as caught:
        permit(*commit_of(EVE), EVE.key_id, project=PROJECT, decisions=decisions)
    name = fingerprint(EVE.key_id)
    assert name in str(caught.value)
    assert caught.value.hint.endswith(f"cellar trust add {name}")


def test_trust_is_asked_every_time(decisions: TrustStore) -> None:
    signed = commit_of(EVE)
    decisions.add(PROJECT, EVE.key_id, now_ns=1)
    permit(*signed, EVE.key_id, project=PROJECT, decisions=decisions)
    with pytest.raises(NotTrustedError):
        permit(*signed, EVE.key_id, project="2" * 32, decisions=decisions)
    decisions.add(PROJECT, EVE.key_id, now_ns=2, verdict=Verdict.BLOCKED)
    with pytest.raises(NotTrustedError):
        permit(*signed, EVE.key_id, project=PROJECT, decisions=decisions)


@given(place=st.integers(0, len(PAYLOAD) - 1), bit=st.integers(0, 7))
def test_a_changed_payload_is_refused(place: int, bit: int, decisions: TrustStore, own: SigningKey) -> None:
    commit_id, payload, signature = commit_of(own)
    changed = bytearray(payload)
    changed[place] ^= 1 << bit
    with pytest.raises(CorruptStoreError, match="payload"):
        permit(commit_id, bytes(changed), signature, own.key_id, project=PROJECT, decisions=decisions)


def test_a_signature_of_another_is_refused_though_the_key_is_trusted(decisions: TrustStore, own: SigningKey) -> None:
    commit_id, payload, signature = commit_of(EVE)
    for _ in range(2):
        with pytest.raises(CorruptStoreError, match="signature"):
            permit(commit_id, payload, signature, own.key_id, project=PROJECT, decisions=decisions)
    permit(*commit_of(own), own.key_id, project=PROJECT, decisions=decisions)
    with pytest.raises(CorruptStoreError, match="signature"):
        permit(commit_id, payload, signature, own.key_id, project=PROJECT, decisions=decisions)


def test_a_permit_cannot_be_made_copied_or_stored(leave: LoadPermit) -> None:
    with pytest.raises(NotTrustedError):
        LoadPermit(object(), leave.commit_id, leave.key_id, PAYLOAD)
    for attempt in (copy.copy, pickle.dumps):
        with pytest.raises(NotTrustedError):
            attempt(leave)

    class Forged(LoadPermit):
        def __init__(self) -> None:
            pass

    for forged in (Forged(), object(), None):
        with pytest.raises(NotTrustedError):
            unpickle(forged, pickle.dumps(1), find_class=find)  # type: ignore[arg-type]


def test_a_permit_covers_what_the_signed_payload_names(leave: LoadPermit) -> None:
    assert leave.covers(VALUE)
    assert not leave.covers(blake3(b"other").digest())
    assert not leave.covers(b"")
    assert not leave.covers(b"commit")


def test_evil_pickles_run_nothing_without_a_permit(tmp_path: Path, decisions: TrustStore) -> None:
    canary = tmp_path / "canary"
    stream = pickle.dumps(Evil(canary))
    with pytest.raises(NotTrustedError):
        unpickle(
            permit(*commit_of(EVE), EVE.key_id, project=PROJECT, decisions=decisions),
            stream,
            find_class=lambda module, name: getattr(__import__(module), name),
        )
    assert not canary.exists()


def test_find_class_is_asked_for_every_name(leave: LoadPermit) -> None:
    asked = []

    def note(module: str, name: str) -> object:
        asked.append((module, name))
        return list

    stream = pickle.dumps([io.BytesIO, io.StringIO, os.path.join], protocol=5)
    assert unpickle(leave, stream, find_class=note) == [list, list, list]
    assert asked == [("_io", "BytesIO"), ("_io", "StringIO"), ("posixpath", "join")]


def test_out_of_band_buffers_come_back_as_given(leave: LoadPermit) -> None:
    buffers: list[pickle.PickleBuffer] = []
    data = bytearray(b"x" * 100)
    stream = pickle.dumps(pickle.PickleBuffer(data), protocol=5, buffer_callback=buffers.append)
    given_back = bytearray(data)
    assert unpickle(leave, stream, buffers=iter([given_back]), find_class=find) is given_back
    assert unpickle(leave, io.BytesIO(stream), buffers=[given_back], find_class=find) is given_back
    assert unpickle(leave, memoryview(stream), buffers=[given_back], find_class=find) is given_back


def test_errors_of_classes_pass_through(leave: LoadPermit) -> None:
    with pytest.raises(pickle.UnpicklingError):
        unpickle(leave, b"\x80\x05garbage", find_class=find)
    with pytest.raises(AttributeError):
        unpickle(leave, pickle.dumps(len).replace(b"len", b"nel"), find_class=find)


def test_the_cache_of_signatures_is_bounded(
    own: SigningKey, decisions: TrustStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "_CACHED_SIGNATURES", 3)
    for number in range(10):
        permit(*commit_of(own, b"%d" % number), own.key_id, project=PROJECT, decisions=decisions)
        assert len(gate._verified) <= 3
