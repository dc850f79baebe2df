"""Taking an archive of results in: looked at, trusted, checked, and then entered in one step or not at all.

Invariant: nothing is decoded but what says how the rest belongs together, and that after its digest was checked; no
value is. What the manifest says is believed only where the signed commits say it, too. Objects wait in a transaction
that nobody sees until all of it was checked. Not for: whom to trust (the caller asks), the bytes (`archive_file.py`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from blake3 import blake3

from nbcellar.errors import CorruptStoreError, StoreUnavailableError
from nbcellar.history.model import Commit, StateDelta, decode_commit
from nbcellar.history.reach import references_of_commit
from nbcellar.history.receiving import Received, enter_results
from nbcellar.ids import CommitId, Digest, KeyId, NotebookId
from nbcellar.pipeline.archive_export import runs_code, values_of
from nbcellar.pipeline.archive_file import Reader, reading
from nbcellar.pipeline.archive_format import (
    BLOBS,
    MANIFEST,
    MIB,
    MOST_MANIFEST_BYTES,
    SIGNATURE,
    Entry,
    Manifest,
    decode_manifest,
    kind_of,
    signer_of,
)
from nbcellar.pipeline.cache import LAST, facts_of
from nbcellar.pipeline.model import Facts
from nbcellar.pipeline.names import scope_of
from nbcellar.store.interface import Data, Kind, Transaction
from nbcellar.store.local import LocalStore
from nbcellar.store.room import room
from nbcellar.trust.keys import KEY_BYTES, SIGNATURE_BYTES, verify
from nbcellar.values.manifest import referenced_digests

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository

_MOST_SIGNATURE_BYTES = 4096


class Opened(msgspec.Struct, frozen=True):
    """What an archive says of itself; its signature holds. signers: of the archive, then of its results."""

    manifest: Manifest
    signer: KeyId
    signers: tuple[KeyId, ...]


class Here(msgspec.Struct, frozen=True):
    """The notebook whose components the results are. codes: id of each component's cell -> digest of its code now."""

    notebook: NotebookId
    codes: Mapping[str, str]


class Archive:
    """An open archive, whose manifest was read. Use `opened`."""

    def __init__(self, reader: Reader, shown: str) -> None:
        self._reader, self._shown = reader, shown
        payload = reader.member(MANIFEST, most=MOST_MANIFEST_BYTES)
        signed = reader.member(SIGNATURE, most=_MOST_SIGNATURE_BYTES)
        with self._about():
            signer = signer_of(payload, signed)
            manifest = decode_manifest(payload)
            others = dict.fromkeys(_signer(entry) for entry in manifest.entries)
        self.opened = Opened(manifest, signer, tuple(dict.fromkeys((signer, *others))))

    def check(self) -> None:
        """Read all of it. Raises CorruptStoreError for what is not as its manifest says; nothing is kept."""
        with self._about():
            self._read(lambda kind, data, digest: None)

    def receive(self, repo: Repository, here: Callable[[], Here | None], *, cap_bytes: int) -> list[CommitId]:
        """Enter the results into a repository; return those that it did not have.

        here: whose components' last results they become, where these have none of the code that is there; asked when
        all was checked.
        """
        self._require_room(repo, cap_bytes)
        with self._about(), repo.store.begin() as tx:
            received = self._read(lambda kind, data, digest: _put(tx, kind, data, digest))
            new = enter_results(repo, tx, received)
            _note_last(repo, tx, here(), received)
            tx.commit()
        repo.drop_caches()
        return new

    def _read(self, keep: Callable[[Kind, bytes, Digest], None]) -> list[Received]:
        manifest = self.opened.manifest
        contents = Contents(manifest)
        for item in manifest.objects:
            data = self._reader.member(BLOBS + item.digest, size=item.size_bytes, most=item.size_bytes)
            digest = Digest(blake3(data).digest())
            if digest.hex() != item.digest:
                raise CorruptStoreError(f"object {item.digest[:8]} does not match its digest: it was changed")
            kind = kind_of(item)
            contents.take(kind, digest, data)
            keep(kind, data, digest)
        self._reader.end()
        return contents.received()

    def _require_room(self, repo: Repository, cap_bytes: int) -> None:
        store = repo.store
        if not isinstance(store, LocalStore):
            return
        known = sum(
            item.size_bytes
            for item in self.opened.manifest.objects
            if kind_of(item) is Kind.BLOCK and store.has(Digest(bytes.fromhex(item.digest)))
        )
        needed, there = self.opened.manifest.size_bytes - known, room(store, cap_bytes=cap_bytes)
        if needed > there.bytes:
            raise StoreUnavailableError(
                f"{self._shown} needs up to {needed // MIB:,} MiB, and there is room for {there.bytes // MIB:,}:"
                f" {there.reason}",
                hint="make room with cellar gc, or raise the cap: cellar config record.max_store_mb",
            )

    @contextlib.contextmanager
    def _about(self) -> Iterator[None]:
        """Have errors say which file it is."""
        try:
            yield
        except CorruptStoreError as error:
            if not error.message.startswith(self._shown):
                error.message = f"{self._shown}: {error.message}"
                error.args = (error.message,)
            raise


@contextlib.contextmanager
def opened(path: Path, shown: str) -> Iterator[Archive]:
    """Open an archive and read its manifest. Raises CellarError that says what the file is, if it is none."""
    with reading(path, shown) as reader:
        yield Archive(reader, shown)


class Contents:
    """Checks that an archive is whole: each result with all it consists of, and nothing beside."""

    def __init__(self, manifest: Manifest) -> None:
        self._entries = {entry.commit: entry for entry in manifest.entries}
        if len(self._entries) != len(manifest.entries):
            raise CorruptStoreError("its manifest lists a result twice")
        self._kinds = {bytes.fromhex(item.digest): kind_of(item) for item in manifest.objects}
        self._said_of = {v.digest: v.runs_code for e in manifest.entries for v in e.values.values() if v.digest}
        self._needed: set[bytes] = set()
        self._received: list[Received] = []

    def take(self, kind: Kind, digest: Digest, data: bytes) -> None:
        """Take an object whose digest was checked."""
        if kind is Kind.COMMIT:
            self._take_commit(CommitId(digest), data)
        elif kind is Kind.VALUE:
            said = self._said_of.get(digest.hex())
            if said is not None and said is not runs_code(data):
                raise CorruptStoreError(f"its manifest says of value {digest.hex()[:8]} what it is not")
            for block in referenced_digests(data):
                self._need(block, Kind.BLOCK, digest)

    def received(self) -> list[Received]:
        """Return the results. Raises CorruptStoreError unless all is there and nothing is too much."""
        missing = self._entries.keys() - {result.id.hex() for result in self._received}
        if missing:
            raise CorruptStoreError(f"result {min(missing)[:8]} is listed, and not in it")
        idle = self._kinds.keys() - self._needed
        if idle:
            raise CorruptStoreError(f"object {min(idle).hex()[:8]} is in it, and belongs to no result")
        return self._received

    def _take_commit(self, identifier: CommitId, payload: bytes) -> None:
        entry = self._entries.get(identifier.hex())
        if entry is None:
            raise CorruptStoreError(f"commit {identifier.hex()[:8]} is in it, and its manifest says nothing of it")
        key, signature = _signer(entry), bytes.fromhex(entry.signature)
        if not verify(key, identifier, signature):
            raise CorruptStoreError(f"the signature of result {identifier.hex()[:8]} does not hold")
        commit = decode_commit(payload)
        _check_result(commit, entry, self._said_of)
        self._needed.add(identifier)
        for kind, digest in references_of_commit(commit):
            self._need(digest, kind, Digest(identifier))
        self._received.append(Received(identifier, commit, len(payload), key, signature))

    def _need(self, digest: bytes, kind: Kind, by: Digest) -> None:
        if self._kinds.get(digest) is not kind:
            raise CorruptStoreError(f"{kind.name.lower()} {digest.hex()[:8]} of {by.hex()[:8]} is not in it")
        self._needed.add(digest)


def _check_result(commit: Commit, entry: Entry, code: Mapping[str, bool]) -> None:
    """Raise CorruptStoreError for a commit that is not a result which stands by itself, as the manifest says.

    code: value -> what is said of whether it runs code; that is checked when the value comes.
    """
    name = entry.commit[:8]
    facts = require_result(CommitId(bytes.fromhex(entry.commit)), commit)
    if facts.key != entry.key:
        raise CorruptStoreError(f"commit {name} is no result of the key under which it is listed")
    outputs = commit.cell.outputs if commit.cell is not None else None
    said = (entry.facts, entry.component, entry.cell, entry.time_ns, entry.outputs, entry.seconds)
    found = (
        msgspec.json.decode(msgspec.json.encode(facts)),
        facts.component,
        facts.cell,
        commit.time_ns,
        outputs.hex() if outputs is not None else "",
        facts.seconds,
    )
    values = values_of(commit, lambda digest: code.get(digest.hex(), True))
    if said != found or values != entry.values:
        raise CorruptStoreError(f"its manifest says of result {name} what its commit does not say")


def require_result(identifier: CommitId, commit: Commit) -> Facts:
    """Return what a result depends on. Raises CorruptStoreError for a commit that is none which stands by itself."""
    name = identifier.hex()[:8]
    facts = facts_of(commit)
    if facts is None or commit.notebook != scope_of(facts.key):
        raise CorruptStoreError(f"commit {name} is no result of the key that it names")
    if commit.parents or commit.at is not None or commit.tree is not None or not _stands_alone(commit.state):
        raise CorruptStoreError(f"result {name} is built on something else: results stand by themselves")
    return facts


def _stands_alone(delta: StateDelta | None) -> bool:
    if delta is None or delta.base is not None or delta.complete is not None or delta.drop or delta.drop_definitions:
        return False
    return not any(entry.origin for entry in delta.put)


def _signer(entry: Entry) -> KeyId:
    try:
        key, signature = bytes.fromhex(entry.signer), bytes.fromhex(entry.signature)
        if (len(key), len(signature)) != (KEY_BYTES, SIGNATURE_BYTES):
            raise ValueError
        return KeyId(key)
    except ValueError:
        raise CorruptStoreError(f"the signature of result {entry.commit[:8]} cannot be understood") from None


def _put(tx: Transaction, kind: Kind, data: Data, digest: Digest) -> None:
    tx.put(kind, data, digest=digest)


def _note_last(repo: Repository, tx: Transaction, here: Here | None, received: Iterable[Received]) -> None:
    """Make results the last ones of components that have none, or only of other code.

    What only a run showed is known by the last result, and a later miss is explained by it.
    """
    if here is None:
        return
    newest: dict[str, tuple[bool, int, CommitId]] = {}
    for result in received:
        facts = facts_of(result.commit)
        if facts is not None and facts.cell:
            is_same = here.codes.get(facts.cell) == facts.code
            found = (is_same, result.commit.time_ns, result.id)
            newest[facts.cell] = max(newest.get(facts.cell, found), found)
    for cell, (is_same, _, commit) in newest.items():
        old = repo.store.ref(here.notebook, LAST + cell)
        if old is None or (is_same and not _has_code(repo, CommitId(old), here.codes[cell])):
            tx.set_ref(here.notebook, LAST + cell, old=old, new=commit)


def _has_code(repo: Repository, commit: CommitId, code: str) -> bool:
    facts = facts_of(repo.read_commit(commit))
    return facts is not None and facts.code == code


__all__ = ["Archive", "Here", "Opened", "opened", "require_result"]
