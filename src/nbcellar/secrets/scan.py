"""Looks for secrets in everything that a history keeps, from code to environment variables and values.

Invariant: every text of a commit in scope is looked at once, whoever signed it, and nothing is loaded to do so; of
values larger than a bound the first part is, and the report counts them. The secrets themselves stay in this process:
a `Finding` holds one, for `forget`, and is never shown as it is.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec
from blake3 import blake3

from nbcellar.errors import CellarError
from nbcellar.history import refs
from nbcellar.history.model import Commit, decode_commit
from nbcellar.ids import CommitId, Digest
from nbcellar.notebook import tree
from nbcellar.search.texts import every_text, readable, strings_in
from nbcellar.secrets.detectors import Secret, find_assigned, find_secrets, find_tokens, is_said_to_be_none
from nbcellar.secrets.strings import pickled_strings, runs_of_text
from nbcellar.store.interface import Kind

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository

Where = Literal["code", "document", "output", "message", "note", "preview", "value", "environment"]

PART_OF_VALUE_BYTES = 1 << 20
"""So much of a value's stream, and of each run of its memory, is looked at."""

_FINGERPRINT_DIGITS = 12


class Place(msgspec.Struct, frozen=True):
    """Where a secret stands: first in `commit` (the oldest that holds this text), in all in `commits` commits.

    name: of a variable, or of an environment variable. cell: number in the document, from 1. line: from 1, 0 in values.
    """

    where: Where
    commit: CommitId
    commits: int
    line: int = 0
    name: str = ""
    cell: int = 0


class Finding(msgspec.Struct, frozen=True):
    """One secret, and everywhere it stands. `text` is the secret itself: never shown."""

    kind: str
    text: str
    fingerprint: str
    places: tuple[Place, ...]


class Scan(msgspec.Struct, frozen=True):
    """What was found. allowed: secrets left out because the user said that they are none."""

    findings: tuple[Finding, ...]
    allowed: int
    commits: int
    values_in_part: int
    damaged: tuple[str, ...]


class ValueParts(NamedTuple):
    """The bytes of a value that are looked at: the stream, the runs of memory; `is_part`: there is more."""

    stream: bytes
    regions: tuple[bytes, ...]
    is_part: bool


ReadValue = Callable[[bytes, int], ValueParts]
"""Returns the first bytes of each part of a value, given its VALUE object: the session knows their layout."""
ReadEnvironment = Callable[[str, bytes], Iterable[tuple[str, str]]]
"""Returns (name, text) pairs of an ambient part, given its name and AMBIENT object."""


def fingerprint(project: str, text: str) -> str:
    """Return what a report calls a secret: of this project only, so that it cannot be looked up elsewhere."""
    return blake3(text.encode(errors="surrogatepass"), key=blake3(project.encode()).digest()).hexdigest()[
        :_FINGERPRINT_DIGITS
    ]


def scan(
    repo: Repository,
    *,
    read_value: ReadValue,
    read_environment: ReadEnvironment,
    commits: Collection[CommitId] | None = None,
    allow: Collection[str] = (),
) -> Scan:
    """Return the secrets in some commits, None: in all that the repository keeps.

    allow: fingerprints, and shell patterns of texts, that are none.
    """
    return _Scanner(repo, read_value, read_environment, allow).scan(commits)


class _Key(NamedTuple):
    where: Where
    line: int
    name: str


class _Scanner:
    """One scan; keeps secrets and where they were met."""

    def __init__(
        self, repo: Repository, read_value: ReadValue, read_environment: ReadEnvironment, allow: Collection[str]
    ) -> None:
        self._repo = repo
        self._read_value = read_value
        self._read_environment = read_environment
        self._allow = frozenset(allow)
        self._kinds: dict[str, str] = {}
        self._places: dict[str, dict[tuple[_Key, int], dict[CommitId, None]]] = {}
        self._named_no_secret: set[str] = set()
        self._damaged: dict[str, None] = {}
        self._seen: dict[tuple[str, str], list[tuple[Secret, int]]] = {}
        self._values_in_part = 0

    def scan(self, wanted: Collection[CommitId] | None) -> Scan:
        commits = self._read_commits(wanted)
        for identifier, commit in commits:
            self._scan_commit(identifier, commit)
        self._scan_messages({identifier for identifier, _ in commits})
        self._scan_objects(Kind.OUTPUTS, _holders(commits, _outputs_of), "output", every_text)
        self._scan_documents(commits)
        self._scan_environment(commits)
        self._scan_values(commits)
        findings = [
            finding for text in self._places if not self._is_allowed(text) for finding in (self._finding(text),)
        ]
        order = {identifier: place for place, (identifier, _) in enumerate(commits)}
        findings.sort(key=lambda finding: min(order[place.commit] for place in finding.places))
        return Scan(
            tuple(findings),
            len(self._places) - len(findings),
            len(commits),
            self._values_in_part,
            tuple(self._damaged),
        )

    def _finding(self, text: str) -> Finding:
        places = tuple(
            Place(key.where, next(iter(held)), len(held), key.line, key.name, cell)
            for (key, cell), held in self._places[text].items()
        )
        return Finding(self._kinds[text], text, fingerprint(self._repo.project, text), places)

    def _is_allowed(self, text: str) -> bool:
        if text in self._named_no_secret or fingerprint(self._repo.project, text) in self._allow:
            return True
        return any(fnmatchcase(text, pattern) for pattern in self._allow)

    def _read_commits(self, wanted: Collection[CommitId] | None) -> list[tuple[CommitId, Commit]]:
        found: dict[CommitId, Commit] = {}
        for digest, data in self._scan(Kind.COMMIT):
            try:
                found[CommitId(digest)] = decode_commit(data)
            except CellarError as error:
                self._damaged[error.message] = None
        # What is kept, but in no index, comes last: it is found all the same.
        ordered = dict.fromkeys((*(commit for commit in self._repo.index.ids() if commit in found), *found))
        return [(commit, found[commit]) for commit in ordered if wanted is None or commit in wanted]

    def _scan_commit(self, identifier: CommitId, commit: Commit) -> None:
        held = (identifier,)
        cell = commit.cell
        if cell is not None:
            self._text("code", cell.source, held)
            if cell.error is not None:
                self._text("output", f"{cell.error.name}: {cell.error.value}", held)
            for path in cell.opened_for_writing:
                self._text("note", path, held)
        self._text("message", commit.message, held)
        for note in (*commit.notes, commit.author, commit.git_head):
            self._text("note", note, held)
        for entry in commit.state.put if commit.state is not None else ():
            for name, preview in zip(entry.names, entry.previews):  # noqa: B905 - may be fewer
                self._text("preview", preview.text, held, name=name)
                if preview.type == "str" and not self._secrets(preview.text):
                    self._assigned("preview", name, preview.text.strip("'\""), held)
                for detail in preview.details.values():
                    for text in _strings_of(detail):
                        self._text("preview", text, held, name=name)
            for text in (entry.reason, entry.uncertain):
                self._text("note", text, held)

    def _scan_messages(self, commits: Collection[CommitId]) -> None:
        for (_, name), value in self._repo.store.refs(None, refs.MESSAGE).items():
            commit = CommitId(bytes.fromhex(name.removeprefix(refs.MESSAGE)))
            if commit in commits:
                self._text("message", value.decode(errors="replace"), (commit,))

    def _scan_objects(
        self,
        kind: Kind,
        holders: dict[Digest, list[CommitId]],
        where: Where,
        texts_of: Callable[[bytes], Iterable[str]],
    ) -> None:
        for digest, data in self._scan(kind):
            if digest in holders:
                for text in texts_of(data):
                    self._text(where, text, holders[digest])

    def _scan_documents(self, commits: list[tuple[CommitId, Commit]]) -> None:
        places = _cells(self._trees(), _holders(commits, lambda commit: commit.tree))
        for digest, data in self._scan(Kind.CELL):
            for text in every_text(data) if digest in places else ():
                for cell, held in places[digest].items():
                    self._text("document", text, held, cell=cell)

    def _trees(self) -> dict[Digest, tuple[bool, list[Digest]]]:
        found = {}
        for digest, data in self._scan(Kind.TREE):
            try:
                found[digest] = tree.members(data)
            except CellarError as error:
                self._damaged[error.message] = None
        return found

    def _scan_environment(self, commits: list[tuple[CommitId, Commit]]) -> None:
        holders: dict[tuple[Digest, str], list[CommitId]] = {}
        for identifier, commit in commits:
            for part, digest in commit.state.ambient.items() if commit.state is not None else ():
                if digest is not None:
                    holders.setdefault((Digest(digest), part), []).append(identifier)
        by_digest: dict[Digest, list[str]] = {}
        for digest, part in holders:
            by_digest.setdefault(digest, []).append(part)
        for digest, data in self._scan(Kind.AMBIENT):
            for part in by_digest.get(digest, ()):
                for name, text in self._read_environment(part, data):
                    self._assigned("environment", name or part, text, holders[digest, part])

    def _scan_values(self, commits: list[tuple[CommitId, Commit]]) -> None:
        holders: dict[Digest, dict[str, dict[CommitId, None]]] = {}
        for identifier, commit in commits:
            for entry in commit.state.put if commit.state is not None else ():
                if entry.value is not None:
                    of_value = holders.setdefault(Digest(entry.value), {})
                    of_value.setdefault(", ".join(entry.names), {})[identifier] = None
        for digest, data in self._scan(Kind.VALUE):
            if digest not in holders:
                continue
            try:
                parts = self._read_value(data, PART_OF_VALUE_BYTES)
            except CellarError as error:
                self._damaged[error.message] = None
                continue
            self._values_in_part += parts.is_part
            for name, held in holders[digest].items():
                for secret in _secrets_in(parts, name):
                    self._found(secret, _Key("value", 0, name), held)

    def _text(self, where: Where, text: str, commits: Iterable[CommitId], *, name: str = "", cell: int = 0) -> None:
        for secret, line in self._secrets(text):
            self._found(secret, _Key(where, line, name), commits, cell)

    def _secrets(self, text: str) -> list[tuple[Secret, int]]:
        if not text:
            return []
        known = self._seen.get(("", text))
        if known is None:
            shown = readable(text)
            known = []
            for secret in find_secrets(shown):
                line = shown.count("\n", 0, secret.start)
                if is_said_to_be_none(shown.split("\n")[line]):
                    self._named_no_secret.add(secret.text)
                known.append((secret, line + 1))
            if len(text) < 100_000:
                self._seen["", text] = known
        return known

    def _assigned(self, where: Where, name: str, text: str, commits: Iterable[CommitId]) -> None:
        secret = find_assigned(name, text)
        if secret is not None:
            self._found(secret, _Key(where, 0, name), commits)

    def _found(self, secret: Secret, key: _Key, commits: Iterable[CommitId], cell: int = 0) -> None:
        self._kinds.setdefault(secret.text, secret.kind)
        held = self._places.setdefault(secret.text, {}).setdefault((key, cell), {})
        held.update(dict.fromkeys(commits))

    def _scan(self, kind: Kind) -> Iterator[tuple[Digest, bytes]]:
        for digest, data in self._repo.store.scan(kind):
            if isinstance(data, CellarError):
                self._damaged[data.message] = None
            else:
                yield digest, data


def _secrets_in(parts: ValueParts, name: str) -> Iterator[Secret]:
    """Yield tokens anywhere in a value, and short strings that belong to a name, or to a key beside them."""
    for data in (parts.stream, *parts.regions):
        for text in runs_of_text(data):
            yield from find_tokens(text)
    strings = pickled_strings(parts.stream)
    if len(strings) == 1:
        secret = find_assigned(name, strings[0])
        if secret is not None:
            yield secret
    for before, text in itertools.pairwise(strings):
        secret = find_assigned(before, text) if len(before) < 100 and len(text) < 1000 else None
        if secret is not None:
            yield secret
    for text in strings:
        yield from find_secrets(text)


def _holders(
    commits: list[tuple[CommitId, Commit]], digest_of: Callable[[Commit], bytes | None]
) -> dict[Digest, list[CommitId]]:
    found: dict[Digest, list[CommitId]] = {}
    for identifier, commit in commits:
        digest = digest_of(commit)
        if digest is not None:
            found.setdefault(Digest(digest), []).append(identifier)
    return found


def _outputs_of(commit: Commit) -> bytes | None:
    return commit.cell.outputs if commit.cell is not None else None


def _cells(
    trees: dict[Digest, tuple[bool, list[Digest]]], holders: dict[Digest, list[CommitId]]
) -> dict[Digest, dict[int, list[CommitId]]]:
    """Return for each cell of a document its numbers and the commits."""
    places: dict[Digest, dict[int, list[CommitId]]] = {}
    for root, held in holders.items():
        number = 0
        for group in trees.get(root, (True, []))[1]:
            for cell in trees.get(group, (False, []))[1]:
                number += 1
                places.setdefault(cell, {}).setdefault(number, []).extend(held)
    return places


def _strings_of(detail: msgspec.Raw) -> list[str]:
    try:
        return strings_in(msgspec.msgpack.decode(detail))
    except msgspec.DecodeError:
        return []


__all__ = ["PART_OF_VALUE_BYTES", "Finding", "Place", "Scan", "ValueParts", "fingerprint", "scan"]
