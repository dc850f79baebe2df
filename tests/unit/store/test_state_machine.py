"""Random commands on a local store, against a plain dict."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from nbcellar.errors import ConflictError
from nbcellar.ids import Digest
from nbcellar.store.check import check
from nbcellar.store.collect import collect
from nbcellar.store.interface import Kind
from nbcellar.store.local import LocalStore
from nbcellar.store.logpack import write_log_pack
from nbcellar.store.packs import pack_paths
from nbcellar.store.rebuild import rebuild
from nbcellar.store.repack import join_small_packs
from nbcellar.store.transaction import LocalTransaction

NAMES = st.sampled_from(["main", "main-2", "tag"])
SCOPES = st.sampled_from(["", "n1", "n2"])


def data_of(seed: int, size: int) -> bytes:
    """Return bytes that a seed and a size determine: noise for odd seeds, else compressible."""
    noise = blake3(seed.to_bytes(4, "big")).digest(length=size)
    return noise if seed % 2 else bytes(byte & 3 for byte in noise)


class StoreMachine(RuleBasedStateMachine):
    """The store must hold exactly what the dicts say, whatever happened."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp()) / ".cellar"
        self.store = LocalStore.create(self.folder)
        self.objects: dict[Digest, bytes] = {}
        self.signed: dict[Digest, set[bytes]] = {}
        self.refs: dict[tuple[str, str], bytes] = {}
        self.records: list[tuple[str, bytes]] = []
        self.now_ns = 0
        self.start()

    def start(self) -> None:
        self.transaction: LocalTransaction | None = None
        self.new_objects: dict[Digest, bytes] = {}
        self.new_signed: dict[Digest, set[bytes]] = {}
        self.new_refs: dict[tuple[str, str], bytes | None] = {}
        self.new_records: list[tuple[str, bytes]] = []
        self.conflict = False

    def current(self) -> LocalTransaction:
        if self.transaction is None:
            self.transaction = self.store.begin()
        return self.transaction

    def teardown(self) -> None:
        if self.transaction is not None:
            self.transaction.abort()
        self.store.close()
        shutil.rmtree(self.folder.parent)

    @initialize()
    def begin_empty(self) -> None:
        assert list(self.store.objects()) == []

    @rule(
        seed=st.integers(0, 20), size=st.sampled_from([0, 10, 300, 5000, 70_000, 150_000]), kind=st.sampled_from(Kind)
    )
    def put(self, seed: int, size: int, kind: Kind) -> None:
        data = data_of(seed, size)
        self.new_objects[self.current().put(kind, data)] = data

    @rule(key=st.sampled_from([b"k" * 32, b"l" * 32]))
    def sign_something_that_is_there(self, key: bytes) -> None:
        there = sorted(self.objects | self.new_objects)
        if there:
            self.current().sign(there[0], key, key * 2)
            self.new_signed.setdefault(there[0], set()).add(key)

    @rule(scope=SCOPES, name=NAMES, new=st.none() | st.binary(max_size=40))
    def move_ref(self, scope: str, name: str, new: bytes | None) -> None:
        now = {**self.refs, **self.new_refs}.get((scope, name))
        self.current().set_ref(scope, name, old=now, new=new)
        self.new_refs[scope, name] = new

    @rule(scope=SCOPES, name=NAMES)
    def move_ref_from_where_it_is_not(self, scope: str, name: str) -> None:
        if (scope, name) not in self.new_refs:
            self.current().set_ref(scope, name, old=b"nowhere" * 9, new=b"x")
            self.new_refs[scope, name] = b"x"
            self.conflict = True

    @rule(scope=SCOPES, payload=st.binary(max_size=50))
    def append(self, scope: str, payload: bytes) -> None:
        self.current().append(scope, payload)
        self.new_records.append((scope, payload))

    @precondition(lambda self: self.transaction is not None)
    @rule()
    def commit(self) -> None:
        transaction = self.current()
        if self.conflict:
            with pytest.raises(ConflictError):
                transaction.commit()
            self.new_refs, self.new_records, self.conflict = {}, [], False
        number = transaction.commit()
        self.records += self.new_records
        assert number == (len(self.records) if self.new_records else 0)
        self.objects |= self.new_objects
        for digest, keys in self.new_signed.items():
            self.signed.setdefault(digest, set()).update(keys)
        for ref, value in self.new_refs.items():
            if value is None:
                self.refs.pop(ref, None)
            else:
                self.refs[ref] = value
        self.start()

    @precondition(lambda self: self.transaction is not None)
    @rule()
    def abort(self) -> None:
        self.current().abort()
        self.start()

    @precondition(lambda self: self.transaction is None)
    @rule(checkpoint=st.booleans())
    def open_again(self, checkpoint: bool) -> None:
        if checkpoint:
            self.store.close()
        else:
            self.store._pool.close(checkpoint=False)
        self.store = LocalStore.open(self.folder)

    @precondition(lambda self: self.transaction is None)
    @rule(keep=st.integers(0, 3), purge=st.booleans(), days=st.integers(0, 20))
    def collect_garbage(self, keep: int, purge: bool, days: int) -> None:
        live = {digest for i, digest in enumerate(sorted(self.objects)) if i % 4 != keep}
        self.now_ns += days * 86_400 * 10**9
        collect(self.store, lambda: live, now_ns=self.now_ns, purge=purge)
        self.objects = {digest: self.objects[digest] for digest in live}
        self.signed = {digest: keys for digest, keys in self.signed.items() if digest in live}

    @precondition(lambda self: self.transaction is None)
    @rule()
    def join_packs(self) -> None:
        before = len(pack_paths(self.folder))
        gone = join_small_packs(self.store, at_least=2)
        assert len(pack_paths(self.folder)) <= before - gone // 2

    @rule()
    def log(self) -> None:
        write_log_pack(self.store)
        assert self.store.backlog() == (0, 0)

    @precondition(lambda self: self.transaction is None)
    @rule(lose=st.booleans())
    def rebuild_the_database(self, lose: bool) -> None:
        if lose:
            write_log_pack(self.store)
        self.store.close()
        if lose:
            (self.folder / "meta.db").unlink()
        rebuild(self.folder)
        self.store = LocalStore.open(self.folder)
        # Garbage of packs and logs may be back, which gc removes; what was there is all there.
        extra = {found.digest for found in self.store.objects()} - set(self.objects)
        live = set(self.objects)
        assert collect(self.store, lambda: live, now_ns=self.now_ns).objects_removed == len(extra)

    @invariant()
    def holds_what_it_should(self) -> None:
        assert {found.digest for found in self.store.objects()} == set(self.objects)
        assert self.store.refs() == self.refs
        records = [(record.scope, record.payload) for record in reversed(self.store.records())]
        assert records == self.records
        for digest, data in self.objects.items():
            assert self.store.read(digest) == data
            assert {key for key, _ in self.store.signatures(digest)} == self.signed.get(digest, set())

    @invariant()
    def is_sound(self) -> None:
        report = check(self.store, read_data=True)
        assert report.is_clean, report.problems
        if self.transaction is None:
            assert list((self.folder / "tmp").iterdir()) == []


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
