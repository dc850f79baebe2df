"""Taking a text out of history for good: from code, outputs, documents, messages, previews, surroundings and values.

Invariant: afterwards no object, ref, record, index or file of the repository holds the text in a form that `Scrub`
knows, or `TextForgotten.remaining` names the place. Texts get `***` in its place; a variable whose value holds it is
dropped as a whole, and so is a part of the surroundings: neither comes back as something that it never was. Not for:
the notebook's file, the live session, other copies.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec
from blake3 import blake3

from nbcellar.errors import CellarError, NotFoundError
from nbcellar.history import refs
from nbcellar.history.forget import commits_of, purge, rewrite
from nbcellar.history.model import Commit, Covariable, decode_commit
from nbcellar.history.operations import FromParent, RefChange, decode_operation, encode_operation
from nbcellar.history.reach import ChildrenOf
from nbcellar.history.rewrite import CODE_CHANGED, Plan, plan_rewrite, without_value
from nbcellar.history.scrub import Scrub
from nbcellar.ids import CommitId, Digest, NotebookId
from nbcellar.notebook import tree
from nbcellar.store.interface import Kind
from nbcellar.store.local import LocalStore

if TYPE_CHECKING:
    from nbcellar.history.recording import Signer
    from nbcellar.history.repository import Repository

BlocksOf = Callable[[bytes], Iterable[tuple[Digest, ...]]]
"""Returns the runs of blocks of a VALUE object: the session knows their layout."""
EditEnvironment = Callable[[str, bytes, Scrub], tuple[bytes | None, tuple[str, ...]]]
"""Returns an ambient part as it may stay (None: not at all), and which environment variables were taken out of it."""

_READ_BYTES = 1 << 20


class TextForgotten(msgspec.Struct, frozen=True):
    """What was taken out, or would be.

    removed: results of pipelines, which go as a whole. replaced: how many texts of each kind. variables: names of those
    that are dropped.
    environment: environment variables that are. remaining: places where the text still is.
    """

    rewritten: Mapping[CommitId, CommitId]
    removed: tuple[CommitId, ...]
    signed_for_others: int
    replaced: Mapping[str, int]
    variables: tuple[str, ...]
    environment: tuple[str, ...]
    notebooks: tuple[NotebookId, ...]
    bytes_removed: int = 0
    remaining: tuple[str, ...] = ()


def forget_text(
    repo: Repository,
    text: str,
    *,
    key: Signer,
    children_of: ChildrenOf,
    blocks_of: BlocksOf,
    edit_environment: EditEnvironment,
    force: bool = False,
    dry_run: bool = False,
) -> TextForgotten:
    """Take a text out of all notebooks of the repository.

    Raises NotFoundError when it stands nowhere; InvalidInputError for a text that is too short, and as
    `forget_variable`. dry_run: nothing is changed.
    """
    scrub = Scrub(text)
    finder = _Finder(repo, scrub, blocks_of)
    salt = os.urandom(16)
    cuts: list[TextCut] = []
    objects: dict[Digest, tuple[Kind, bytes]] = {}

    def make_cut() -> TextCut:
        cuts.append(TextCut(repo, scrub, finder.values(), edit_environment, salt=salt, objects=objects))
        return cuts[-1]

    if dry_run or not finder.is_anywhere():
        plan = plan_rewrite(commits_of(repo), make_cut(), read_commit=repo.read_commit, read_object=repo.store.read)
        if not plan.rewritten and not plan.removed and not finder.is_anywhere():
            raise NotFoundError("this text stands nowhere in the history", hint="look for it with: cellar search TEXT")
        if dry_run:
            return _report(plan, 0, cuts[-1], finder)
    plan, others = rewrite(repo, None, make_cut, key, "forget a text", force=force, objects=objects, clean=scrub.text)
    finder.clean_records()
    report = _report(plan, others, cuts[-1], finder)
    return msgspec.structs.replace(
        report,
        bytes_removed=purge(repo, children_of),
        remaining=tuple(_Finder(repo, scrub, blocks_of).remaining()),
    )


def _report(plan: Plan, others: int, cut: TextCut, finder: _Finder) -> TextForgotten:
    counts = Counter(cut.replaced)
    counts["message"] += finder.messages
    return TextForgotten(
        rewritten=dict(plan.renamed),
        removed=tuple(plan.removed),
        signed_for_others=others,
        replaced={what: count for what, count in sorted(counts.items()) if count},
        variables=tuple(sorted(cut.names)),
        environment=tuple(sorted(cut.environment)),
        notebooks=tuple(dict.fromkeys(NotebookId(entry.commit.notebook) for entry in plan.rewritten)),
    )


class TextCut:
    """Forgets one text wherever a commit says it; see `rewrite.Cut`."""

    def __init__(
        self,
        repo: Repository,
        scrub: Scrub,
        values: frozenset[Digest],
        edit_environment: EditEnvironment,
        *,
        salt: bytes,
        objects: dict[Digest, tuple[Kind, bytes]],
    ) -> None:
        """Puts what has to be stored anew into `objects`; `values` are the VALUE objects that hold the text."""
        self._repo = repo
        self._scrub = scrub
        self._values = values
        self._edit_environment = edit_environment
        self._salt = salt
        self._objects = objects
        self._made: dict[tuple[str, bytes], bytes | None] = {}
        self._taken_out: dict[bytes, tuple[str, ...]] = {}
        self._previews: set[bytes] = set()
        self.versions: set[bytes] = set()
        self.replaced: Counter[str] = Counter()
        self.names: set[str] = set()
        self.environment: set[str] = set()

    def is_removed(self, commit: CommitId) -> bool:
        return False

    def entry(self, entry: Covariable, commit: Commit) -> Covariable:
        if entry.value is None or Digest(entry.value) not in self._values:
            cleaned = self._scrub.entry(entry)
            if cleaned != entry:
                self._previews.add(entry.version)
                self.replaced["preview"] = len(self._previews)
            return cleaned
        self.names.update(entry.names)
        self.versions.add(entry.version)
        return without_value(entry, self._salt)

    def content(self, commit: Commit) -> Commit:
        made = self._scrub.commit(commit)
        if made.cell is not None and commit.cell is not None:
            is_changed = made.cell.source != commit.cell.source
            self.replaced["code"] += is_changed
            self.replaced["output"] += made.cell.error != commit.cell.error
            if made.cell.outputs is not None:
                outputs = self._object("output", Kind.OUTPUTS, made.cell.outputs, self._scrub.payload)
                made = msgspec.structs.replace(made, cell=msgspec.structs.replace(made.cell, outputs=outputs))
            if is_changed and CODE_CHANGED not in made.notes:
                made = msgspec.structs.replace(made, notes=(*made.notes, CODE_CHANGED))
        self.replaced["message"] += made.message != commit.message
        self.replaced["note"] += made.notes[: len(commit.notes)] != commit.notes
        if made.tree is not None:
            made = msgspec.structs.replace(made, tree=self._document(made.tree))
        if made.environment is not None:
            environment = self._object("environment", Kind.ENVIRONMENT, made.environment, self._packages)
            made = msgspec.structs.replace(made, environment=environment)
        gone = sorted({name for part in self._parts(commit) for name in self._taken_out.get(part, ())})
        if gone:
            note = f"forgotten, so not restored: environment variable {', '.join(gone)}"
            made = msgspec.structs.replace(made, notes=(*made.notes, note))
        return made

    def ambient(self, parts: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
        return {name: None if digest is None else self._part(name, digest) for name, digest in parts.items()}

    def _parts(self, commit: Commit) -> list[bytes]:
        """Return the digests of the ambient parts that a commit changes, after they were looked at."""
        parts = commit.state.ambient if commit.state is not None else {}
        self.ambient(parts)
        return [digest for digest in parts.values() if digest is not None]

    def _part(self, name: str, digest: bytes) -> bytes | None:
        known = (name, digest)
        if known not in self._made:
            data = self._repo.store.read(Digest(digest))
            kept, gone = self._edit_environment(name, data, self._scrub)
            if gone:
                self._taken_out[digest] = gone
                self.environment.update(gone)
            self.replaced["surroundings"] += kept != data
            self._made[known] = digest if kept == data else None if kept is None else self._put(Kind.AMBIENT, kept)
        return self._made[known]

    def _object(self, what: str, kind: Kind, digest: bytes, clean: Callable[[bytes], bytes]) -> bytes | None:
        known = (kind.name, digest)
        if known not in self._made:
            data = self._repo.store.read(Digest(digest))
            cleaned = clean(data)
            self.replaced[what] += cleaned != data
            self._made[known] = digest if cleaned == data else self._put(kind, cleaned)
        return self._made[known]

    def _document(self, root: bytes) -> bytes | None:
        known = ("TREE", root)
        if known not in self._made:
            notebook = tree.join(Digest(root), self._repo.store.read)
            cleaned = self._scrub.notebook(notebook)
            made = root
            if cleaned is not notebook:
                self.replaced["document"] += 1
                made, parts = tree.split(cleaned)
                for part in parts:
                    self._objects[part.digest] = Kind[part.kind], part.data
            self._made[known] = made
        return self._made[known]

    def _packages(self, data: bytes) -> bytes:
        try:
            value = msgspec.msgpack.decode(data)
        except msgspec.DecodeError:
            return data
        cleaned = self._scrub.json(value)
        return data if cleaned == value else msgspec.msgpack.encode(cleaned, order="deterministic")

    def _put(self, kind: Kind, data: bytes) -> bytes:
        digest = Digest(blake3(data).digest())
        self._objects[digest] = kind, data
        return digest


class _Finder:
    """Looks for the text in everything that a repository keeps, and cleans what no commit names: the records."""

    def __init__(self, repo: Repository, scrub: Scrub, blocks_of: BlocksOf) -> None:
        self._repo = repo
        self._scrub = scrub
        self._blocks_of = blocks_of
        self._blocks: dict[Digest, tuple[bool, bytes, bytes]] = {}
        self.messages = self._messages()

    def values(self) -> frozenset[Digest]:
        """Return the VALUE objects whose bytes hold the text. Raises what reading one raises: it might hold it."""
        found = set()
        for digest, data in self._repo.store.scan(Kind.VALUE):
            if isinstance(data, CellarError):
                raise data
            if self._scrub.is_in(data) or any(self._is_in_run(run) for run in self._blocks_of(data)):
                found.add(digest)
        return frozenset(found)

    def is_anywhere(self) -> bool:
        """Say whether messages, records or refs hold it: what a plan, which is about commits, does not see."""
        return self.messages > 0 or bool(self._records())

    def clean_records(self) -> None:
        """Take the text out of the operation log: of messages that were set, and of descriptions."""
        changed = self._records()
        if changed and isinstance(self._repo.store, LocalStore):
            self._repo.store.replace_records(changed)

    def remaining(self) -> list[str]:
        """Return where the text still is, one line each."""
        scrub, store = self._scrub, self._repo.store
        found: dict[str, None] = {}
        for kind in Kind:
            for digest, data in store.scan(kind):
                if isinstance(data, bytes) and kind is not Kind.BLOCK and scrub.is_in(data):
                    found[self._object_line(kind, digest, data)] = None
        if self.values():
            found["a value"] = None
        for (scope, name), value in store.refs().items():
            if scrub.is_in(name.encode()) or scrub.is_in(value):
                found[f"ref {name} of {self._repo.label(NotebookId(scope)) if scope else 'the repository'}"] = None
        for record in self._repo.iter_records(None):
            if scrub.is_in(record.payload):
                found[f"operation {record.number}"] = None
        if isinstance(store, LocalStore):
            for path in sorted(store.folder.rglob("*")):
                if path.is_file() and self._is_in_file(str(path)):
                    found[str(path)] = None
        return list(found)

    def _object_line(self, kind: Kind, digest: Digest, data: bytes) -> str:
        if kind is Kind.COMMIT:
            commit = decode_commit(data)
            put = commit.state.put if commit.state is not None else ()
            drop = commit.state.drop if commit.state is not None else ()
            names = {name for entry in put for name in entry.names} | set(drop)
            held = sorted(name for name in names if self._scrub.is_in(name.encode()))
            if held:
                return f"the name of variable {', '.join(held)}, which is not changed"
        return f"an object of kind {kind.name.lower()}, {digest.hex()[:12]}"

    def _is_in_run(self, blocks: tuple[Digest, ...]) -> bool:
        keep = self._scrub.longest_bytes - 1
        tail = b""
        for block in blocks:
            if block not in self._blocks:
                data = self._repo.store.read(block)
                self._blocks[block] = self._scrub.is_in(data), data[:keep], data[-keep:]
            is_in, head, end = self._blocks[block]
            if is_in or self._scrub.is_in(tail + head):
                return True
            tail = (tail + end)[-keep:]
        return False

    def _is_in_file(self, path: str) -> bool:
        keep = self._scrub.longest_bytes - 1
        tail = b""
        try:
            with open(path, "rb") as file:
                while piece := file.read(_READ_BYTES):
                    if self._scrub.is_in(tail + piece):
                        return True
                    tail = piece[-keep:]
        except OSError:
            return False
        return False

    def _messages(self) -> int:
        values = self._repo.store.refs(None, refs.MESSAGE).values()
        return sum(self._scrub.text(text) != text for text in (value.decode(errors="replace") for value in values))

    def _records(self) -> dict[int, bytes]:
        changed = {}
        for record in self._repo.iter_records(None):
            if not record.scope:
                continue
            operation = decode_operation(record)
            changes = tuple(
                RefChange(change.name, self._value(change.old), self._cleaned(change.new))
                if change.name.startswith(refs.MESSAGE)
                else change
                for change in operation.changes
            )
            made = msgspec.structs.replace(
                operation, changes=changes, description=self._scrub.text(operation.description)
            )
            if made != operation:
                changed[record.number] = encode_operation(made)
        return changed

    def _cleaned(self, value: bytes | None) -> bytes | None:
        return self._scrub.text(value.decode(errors="replace")).encode() if value is not None else None

    def _value(self, value: bytes | FromParent | None) -> bytes | FromParent | None:
        return self._cleaned(value) if isinstance(value, bytes) else value


__all__ = ["BlocksOf", "EditEnvironment", "TextForgotten", "forget_text"]
