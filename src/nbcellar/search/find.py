"""Where a text stands in a history: executed code, documents, outputs, messages, previews of variables.

Invariant: every text of a commit in scope that matches is in some `Match` of some `FoundCommit`; equal texts of
several commits are one match, under the newest of them. All commits are read in one pass over the store, digests
verified; what is damaged is named and passed over. Not for: values, and the versions of a variable (`variable.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

import msgspec

from nbcellar.errors import CellarError
from nbcellar.history import refs
from nbcellar.history.log import Summary, everything, log
from nbcellar.history.model import Commit, decode_commit
from nbcellar.ids import CommitId, Digest, NotebookId
from nbcellar.notebook import tree
from nbcellar.search.query import Lines, Matcher
from nbcellar.search.texts import cell_texts, outputs_texts, preview_text, readable
from nbcellar.store.interface import Kind

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository

Where = Literal["code", "document", "output", "message", "variable"]
EVERYWHERE: tuple[Where, ...] = ("message", "code", "document", "output", "variable")


class Match(msgspec.Struct, frozen=True):
    """A text that matches. It stands in `commits` commits of the scope, the oldest of which is `first`.

    name: the variable of a preview. cell: its number in a document, from 1.
    """

    where: Where
    lines: Lines
    commits: int
    first: CommitId
    name: str = ""
    cell: int = 0


class FoundCommit(msgspec.Struct, frozen=True):
    """A commit, and the texts whose newest commit it is."""

    summary: Summary
    matches: tuple[Match, ...]


class Found(msgspec.Struct, frozen=True):
    """The commits with matches, newest first. elsewhere: matching texts that no commit in scope holds."""

    commits: tuple[FoundCommit, ...]
    searched: int
    elsewhere: int
    damaged: tuple[str, ...]


def find(
    repo: Repository,
    notebooks: Sequence[NotebookId],
    matcher: Matcher,
    *,
    start: CommitId | None = None,
    all_commits: bool = False,
    where: Collection[Where] = EVERYWHERE,
    names: Collection[str] | None = None,
) -> Found:
    """Return where the matcher finds something in what HEAD (or `start`) of each notebook reaches.

    all_commits: in every commit of these notebooks that is still kept, whatever reaches it. names: of previews, only
    those of these variables.
    """
    scope = in_scope(repo, notebooks, start=start, all_commits=all_commits)
    others = () if all_commits else kept(repo, notebooks)
    search = _Search(repo, matcher, frozenset(where), names)
    search.read(dict.fromkeys((*others, *scope)))
    return search.result(scope)


def in_scope(
    repo: Repository, notebooks: Sequence[NotebookId], *, start: CommitId | None, all_commits: bool
) -> dict[CommitId, Summary]:
    """Return the commits to look at, newest first."""
    found: dict[CommitId, Summary] = {}
    for notebook in notebooks:
        listed = everything(repo, notebook) if all_commits else log(repo, notebook, start=start)
        for summary in listed:
            found.setdefault(summary.id, summary)
    if len(notebooks) > 1:
        return dict(sorted(found.items(), key=lambda item: -item[1].time_ns))
    return found


def kept(repo: Repository, notebooks: Sequence[NotebookId]) -> Iterator[CommitId]:
    """Yield all commits of some notebooks, whatever reaches them."""
    statement = "SELECT id FROM ix_commits WHERE notebook = (SELECT k FROM ix_notebooks WHERE id = ?)"
    for notebook in notebooks:
        yield from (CommitId(cast("bytes", row[0])) for row in repo.index.rows(statement, notebook))


class _Text(NamedTuple):
    """What makes two texts the same one in a result."""

    where: Where
    text: str
    name: str = ""


class _Search:
    """One search; keeps matching texts and the commits that hold them."""

    def __init__(
        self, repo: Repository, matcher: Matcher, where: frozenset[Where], names: Collection[str] | None
    ) -> None:
        self._repo = repo
        self._matcher = matcher
        self._where = where
        self._names = names
        self._matched: dict[_Text, Lines] = {}
        self._holders: dict[_Text, dict[CommitId, int]] = {}
        self._damaged: dict[str, None] = {}

    def read(self, wanted: Collection[CommitId]) -> None:
        commits = self._read_commits(wanted)
        self._search_commits(commits)
        if "output" in self._where:
            self._search_outputs(commits)
        if self._where & {"document", "output"}:
            self._search_documents(commits)

    def result(self, scope: dict[CommitId, Summary]) -> Found:
        """Return each text under its newest commit."""
        order = {commit: place for place, commit in enumerate(scope)}
        by_commit: dict[CommitId, list[Match]] = {}
        elsewhere = 0
        for key, holders in self._holders.items():
            if self._is_repeated(key):
                continue
            inside = sorted((commit for commit in holders if commit in order), key=order.__getitem__)
            if not inside:
                elsewhere += 1
                continue
            newest = inside[0]
            match = Match(key.where, self._matched[key], len(inside), inside[-1], key.name, holders[newest])
            by_commit.setdefault(newest, []).append(match)
        found = (
            FoundCommit(scope[commit], tuple(sorted(by_commit[commit], key=_order)))
            for commit in scope
            if commit in by_commit
        )
        return Found(tuple(found), len(scope), elsewhere, tuple(self._damaged))

    def _is_repeated(self, key: _Text) -> bool:
        """True for a document's cell that was run as it stands there: its text is shown as code already."""
        return key.where == "document" and _Text("code", key.text) in self._holders

    def _read_commits(self, wanted: Collection[CommitId]) -> list[tuple[CommitId, Commit]]:
        found: dict[CommitId, Commit] = {}
        for digest, data in self._scan(Kind.COMMIT):
            commit = CommitId(digest)
            if commit in wanted:
                try:
                    found[commit] = decode_commit(data)
                except CellarError as error:
                    self._damaged[error.message] = None
        # In the order of the listing: what is stored later need not be newer, since history can be rewritten.
        return [(commit, found[commit]) for commit in wanted if commit in found]

    def _search_commits(self, commits: Iterable[tuple[CommitId, Commit]]) -> None:
        newer = {
            CommitId(bytes.fromhex(name.removeprefix(refs.MESSAGE))): value.decode(errors="replace")
            for (_, name), value in self._repo.store.refs(None, refs.MESSAGE).items()
        }
        places: dict[_Text, list[CommitId]] = {}
        for identifier, commit in commits:
            for key in self._texts(commit, newer.get(identifier, commit.message)):
                places.setdefault(key, []).append(identifier)
        self._match(((key, key.text) for key in places), {key: [(c, 0) for c in held] for key, held in places.items()})

    def _texts(self, commit: Commit, message: str) -> Iterator[_Text]:
        if message and "message" in self._where:
            yield _Text("message", readable(message))
        if commit.cell is not None and "code" in self._where:
            yield _Text("code", readable(commit.cell.source))
        if commit.cell is not None and commit.cell.error is not None and "output" in self._where:
            error = commit.cell.error
            yield _Text("output", readable(f"{error.name}: {error.value}"))
        if commit.state is not None and "variable" in self._where:
            for entry in commit.state.put:
                for name, preview in zip(entry.names, entry.previews):  # noqa: B905 - may be fewer
                    if self._names is None or name in self._names:
                        yield _Text("variable", preview_text(preview), name)

    def _search_outputs(self, commits: Iterable[tuple[CommitId, Commit]]) -> None:
        holders: dict[Digest, list[CommitId]] = {}
        for identifier, commit in commits:
            if commit.cell is not None and commit.cell.outputs is not None:
                holders.setdefault(Digest(commit.cell.outputs), []).append(identifier)
        texts = (
            ((digest, _Text("output", text)), text)
            for digest, data in self._scan(Kind.OUTPUTS)
            if digest in holders
            for text in outputs_texts(data)
        )
        for (digest, key), lines in self._matcher.match(texts):
            self._hold(key, lines, ((commit, 0) for commit in holders[digest]))

    def _search_documents(self, commits: Iterable[tuple[CommitId, Commit]]) -> None:
        matched = self._matched_cells()
        if not matched:
            return
        groups, roots = self._trees(matched)
        # An output of a cell that ran stays in the documents of the commits after it: it is the run's.
        of_runs = {key for key in self._holders if key.where == "output"}
        holders: dict[Digest, list[CommitId]] = {}
        for identifier, commit in commits:
            if commit.tree is not None:
                holders.setdefault(Digest(commit.tree), []).append(identifier)
        for root, members in roots.items():
            if root not in holders:
                continue
            number = 0
            for group in members:
                for cell in groups.get(group, ()):
                    number += 1
                    for key, lines in matched.get(cell, ()):
                        if key in of_runs:
                            continue
                        self._hold(key, lines, ((commit, number) for commit in holders[root]))

    def _matched_cells(self) -> dict[Digest, list[tuple[_Text, Lines]]]:
        found: dict[Digest, list[tuple[_Text, Lines]]] = {}
        for (digest, key), lines in self._matcher.match(self._cells()):
            found.setdefault(digest, []).append((key, lines))
        return found

    def _cells(self) -> Iterator[tuple[tuple[Digest, _Text], str]]:
        for digest, data in self._scan(Kind.CELL):
            cell = cell_texts(data)
            if cell is None:
                continue
            if "document" in self._where:
                yield (digest, _Text("document", cell.source)), cell.source
            if "output" in self._where:
                for text in cell.outputs:
                    yield (digest, _Text("output", text)), text

    def _trees(self, matched: Collection[Digest]) -> tuple[dict[Digest, list[Digest]], dict[Digest, list[Digest]]]:
        """Return the cells of each group, and the groups of those documents that have a matching cell."""
        groups: dict[Digest, list[Digest]] = {}
        roots: dict[Digest, list[Digest]] = {}
        for digest, data in self._scan(Kind.TREE):
            try:
                is_root, members = tree.members(data)
            except CellarError as error:
                self._damaged[error.message] = None
                continue
            (roots if is_root else groups)[digest] = members
        with_match = {group for group, cells in groups.items() if any(cell in matched for cell in cells)}
        return groups, {root: members for root, members in roots.items() if not with_match.isdisjoint(members)}

    def _match(self, texts: Iterable[tuple[_Text, str]], places: dict[_Text, list[tuple[CommitId, int]]]) -> None:
        for key, lines in self._matcher.match(texts):
            self._hold(key, lines, places[key])

    def _hold(self, key: _Text, lines: Lines, places: Iterable[tuple[CommitId, int]]) -> None:
        self._matched[key] = lines
        holders = self._holders.setdefault(key, {})
        for commit, cell in places:
            holders.setdefault(commit, cell)

    def _scan(self, kind: Kind) -> Iterator[tuple[Digest, bytes]]:
        for digest, data in self._repo.store.scan(kind):
            if isinstance(data, CellarError):
                self._damaged[data.message] = None
            else:
                yield digest, data


def _order(match: Match) -> tuple[int, int, str]:
    return EVERYWHERE.index(match.where), match.cell, match.name


__all__ = ["EVERYWHERE", "Found", "FoundCommit", "Match", "Where", "find", "in_scope", "kept"]
