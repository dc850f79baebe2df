"""Writing results into an archive: which go in, what each consists of, what is said of it.

Invariant: what goes in is there in full and was signed by somebody trusted here; a result that holds a name which is
to stay out stays out as a whole, since its commit shows a preview of it. Objects are read one at a time. Nothing is
unpickled. Not for: the bytes (`archive_file.py`), which results a pipeline has (`kept.py`).
"""

from __future__ import annotations

import pickletools
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from blake3 import blake3

from nbcellar.components.model import Pipeline
from nbcellar.errors import CellarError, CorruptStoreError
from nbcellar.history.model import Commit, Covariable
from nbcellar.history.reach import references_of_commit
from nbcellar.ids import CommitId, Digest
from nbcellar.pipeline.archive_file import write_archive
from nbcellar.pipeline.archive_format import (
    BLOBS,
    FORMAT,
    MANIFEST,
    MOST_BYTES,
    SCHEMA,
    SIGNATURE,
    ArchivedValue,
    Entry,
    Item,
    Maker,
    Manifest,
    encode_manifest,
    in_order,
    sign_manifest,
)
from nbcellar.pipeline.cache import facts_of
from nbcellar.pipeline.keys import PYTHON, code_digest
from nbcellar.store.interface import Kind
from nbcellar.trust.keys import SigningKey
from nbcellar.values.manifest import decode_value, referenced_digests

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository

_MOST_STREAM_BYTES = 1 << 20
_FINDS_NAMES = frozenset(
    "GLOBAL STACK_GLOBAL INST OBJ REDUCE BUILD NEWOBJ NEWOBJ_EX EXT1 EXT2 EXT4 PERSID BINPERSID".split()
)


class Chosen(msgspec.Struct, frozen=True):
    """What goes into an archive, and what not, with the reason: name of the component -> why."""

    commits: tuple[CommitId, ...]
    left_out: Mapping[str, str]


def choose(repo: Repository, wanted: Mapping[str, CommitId], is_kept_out: Callable[[str], str]) -> Chosen:
    """Return which results go in. wanted: by name of the component; is_kept_out: why a name's value is, or nothing."""
    chosen: list[CommitId] = []
    left_out: dict[str, str] = {}
    for component, commit in wanted.items():
        why = _why_not(repo, commit, is_kept_out)
        if why:
            left_out[component] = why
        else:
            chosen.append(commit)
    return Chosen(tuple(dict.fromkeys(chosen)), left_out)


def _why_not(repo: Repository, commit: CommitId, is_kept_out: Callable[[str], str]) -> str:
    thinned = repo.thinned()
    state = repo.read_commit(commit).state
    for entry in state.put if state is not None else ():
        for name in entry.names:
            if why := is_kept_out(name):
                return f"it holds '{name}', {why}"
        if entry.value is not None and (entry.value in thinned or not repo.store.has(Digest(entry.value))):
            return f"its '{', '.join(entry.names)}' was thinned out"
    return ""


def make_manifest(
    repo: Repository, commits: Sequence[CommitId], *, notebook: str, structure: str, author: str, program: str
) -> Manifest:
    """Return the manifest of an archive of these results."""
    entries = sorted((_entry(repo, commit) for commit in commits), key=lambda e: (e.component, e.key, e.commit))
    objects: dict[str, Item] = {}
    for commit in commits:
        for kind, digest in _objects(repo, commit):
            size = repo.store.info(digest).raw_bytes
            objects[digest.hex()] = Item(digest.hex(), kind.name.lower(), size)
            if size > MOST_BYTES[kind]:
                raise CorruptStoreError(f"object {digest.hex()[:8]} is of {size:,} bytes: too large for an archive")
    return Manifest(
        schema=SCHEMA,
        format=FORMAT,
        notebook=notebook,
        structure=structure,
        made_by=Maker(program=program, author=author, python=PYTHON, platform=platform.system()),
        entries=tuple(entries),
        objects=in_order(list(objects.values())),
    )


def write(repo: Repository, path: Path, manifest: Manifest, key: SigningKey) -> int:
    """Write an archive; return its size."""
    payload = encode_manifest(manifest)

    def members() -> Iterator[tuple[str, bytes]]:
        yield MANIFEST, payload
        yield SIGNATURE, sign_manifest(payload, key)
        for item in manifest.objects:
            yield BLOBS + item.digest, repo.store.read(Digest(bytes.fromhex(item.digest)))

    return write_archive(path, members)


def structure_of(pipeline: Pipeline) -> str:
    """Return a digest of what a pipeline is: its components with their code, its edges and parameters."""
    components = [(c.id, c.name, code_digest(c.source), sorted(c.after)) for c in pipeline.components]
    edges = sorted((edge.parent, edge.child, sorted(edge.names)) for edge in pipeline.edges)
    parameters = sorted((found.name, found.type) for found in pipeline.parameters)
    return blake3(msgspec.json.encode((components, edges, parameters))).hexdigest()


def runs_code(value: bytes) -> bool:
    """True if loading a VALUE object imports or calls what it names; for one in several pieces that is taken for so.

    Decided on the object alone, so that what an archive says of it can be checked.
    """
    found = decode_value(value)
    if found.container or found.regions or found.raw_buffers or found.stream is not None:
        return True
    if len(found.inline) > _MOST_STREAM_BYTES:
        return True
    try:
        return any(opcode.name in _FINDS_NAMES for opcode, _, _ in pickletools.genops(found.inline))
    except Exception:  # what cannot be read is not said to be harmless
        return True


def _objects(repo: Repository, commit: CommitId) -> Iterator[tuple[Kind, Digest]]:
    """Yield all objects that a result consists of."""
    yield Kind.COMMIT, Digest(commit)
    for kind, digest in references_of_commit(repo.read_commit(commit)):
        if kind not in MOST_BYTES or kind is Kind.COMMIT:
            raise CorruptStoreError(f"result {commit.hex()[:8]} is built on something else, and cannot go alone")
        yield kind, digest
        if kind is Kind.VALUE:
            for block in referenced_digests(repo.store.read(digest)):
                yield Kind.BLOCK, block


def _entry(repo: Repository, identifier: CommitId) -> Entry:
    commit, signed = repo.read_commit(identifier), repo.read_signed(identifier)
    facts = facts_of(commit)
    if facts is None or commit.state is None:
        raise CellarError(f"commit {identifier.hex()[:8]} is no result")
    outputs = commit.cell.outputs if commit.cell is not None else None
    return Entry(
        component=facts.component,
        cell=facts.cell,
        key=facts.key,
        commit=identifier.hex(),
        signer=signed.key.hex(),
        signature=signed.signature.hex(),
        time_ns=commit.time_ns,
        seconds=facts.seconds,
        values=values_of(commit, lambda digest: runs_code(repo.store.read(digest))),
        outputs=outputs.hex() if outputs is not None else "",
        facts=msgspec.to_builtins(facts),
    )


def values_of(commit: Commit, has_code: Callable[[Digest], bool]) -> dict[str, ArchivedValue]:
    """Return what a manifest says of a result's names."""
    found: dict[str, ArchivedValue] = {}
    for entry in commit.state.put if commit.state is not None else ():
        is_code = entry.value is not None and has_code(Digest(entry.value))
        for name, preview in zip(entry.names, _previews(entry), strict=True):
            kind, shape, size = preview
            found[name] = ArchivedValue(
                digest=entry.value.hex() if entry.value is not None else "",
                type=kind,
                shape=shape,
                size_bytes=size or entry.size_bytes,
                runs_code=is_code,
                reason=entry.reason,
            )
    return dict(sorted(found.items()))


def _previews(entry: Covariable) -> Iterable[tuple[str, tuple[int, ...], int]]:
    known = [(preview.type, preview.shape, preview.size_bytes) for preview in entry.previews]
    return [*known[: len(entry.names)], *[("", (), 0)] * (len(entry.names) - len(known))]


__all__ = ["Chosen", "choose", "make_manifest", "runs_code", "structure_of", "values_of", "write"]
