"""Search and the history of a variable, as views.

Invariant: from the store alone; nothing is unpickled, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from nbcellar.api import describe, search_views, views
from nbcellar.errors import InvalidInputError, NotFoundError
from nbcellar.history.doubts import doubtful_versions
from nbcellar.history.log import Summary
from nbcellar.history.model import Covariable
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId, NotebookId
from nbcellar.search import find as finding
from nbcellar.search.query import Line, Lines, Query, make_matcher
from nbcellar.search.texts import preview_text
from nbcellar.search.variable import Event, names_in, variable_history

if TYPE_CHECKING:
    from nbcellar.api.repo import Repo


class _Lines:
    """Makes the lines of commits; knows the names that point at them."""

    def __init__(self, repository: Repository, notebooks: Sequence[NotebookId]) -> None:
        self._repository = repository
        self._notebooks = notebooks
        self._labels = {c: found for nb in notebooks for c, found in describe.labels_of(repository, nb).items()}
        self._paths = {notebook: repository.label(notebook) for notebook in notebooks}

    def line(self, summary: Summary) -> views.CommitLine:
        path = self._paths[self._notebooks[0]]
        if len(self._notebooks) > 1:
            path = self._repository.label(NotebookId(self._repository.read_commit(summary.id).notebook))
        return describe.line(summary, path, self._labels)


def search(
    repo: Repo,
    query: Query | None,
    *,
    notebooks: Sequence[NotebookId],
    start: CommitId | None,
    all_commits: bool,
    where: Iterable[finding.Where],
    variable: str | None,
    limit_s: float | None,
) -> search_views.Search:
    """Return where a text stands; with `variable`, where that variable was created, changed and deleted."""
    repository = repo.repository
    if variable is not None:
        return _search_variable(repo, query, variable, notebooks, start, all_commits=all_commits, limit_s=limit_s)
    if query is None:
        raise InvalidInputError("say what to look for", hint="cellar search TEXT, or cellar search --variable NAME")
    matcher = make_matcher(query, limit_s=limit_s)
    try:
        found = finding.find(
            repository, notebooks, matcher, start=start, all_commits=all_commits, where=set(where) or finding.EVERYWHERE
        )
    finally:
        matcher.close()
    lines = _Lines(repository, notebooks)
    return search_views.Search(
        commits=[
            search_views.FoundCommit(commit=lines.line(each.summary), matches=[_match(m) for m in each.matches])
            for each in found.commits
        ],
        searched=found.searched,
        elsewhere=found.elsewhere,
        damaged=list(found.damaged),
    )


def _search_variable(
    repo: Repo,
    query: Query | None,
    name: str,
    notebooks: Sequence[NotebookId],
    start: CommitId | None,
    *,
    all_commits: bool,
    limit_s: float | None,
) -> search_views.Search:
    found = history(repo, name, notebooks=notebooks, start=start, all_commits=all_commits)
    if query is None:
        commits = [search_views.FoundCommit(commit=event.commit, event=event) for event in found.events]
        return search_views.Search(commits=commits, searched=found.searched, elsewhere=found.elsewhere)
    raw = variable_history(repo.repository, notebooks, name, start=start, all_commits=all_commits)
    matcher = make_matcher(query, limit_s=limit_s)
    try:
        matched = dict(matcher.match((place, _shown(event, name)) for place, event in enumerate(raw.events)))
    finally:
        matcher.close()
    return search_views.Search(
        commits=[
            search_views.FoundCommit(
                commit=event.commit,
                event=event,
                matches=[
                    search_views.Match(
                        where="variable",
                        lines=[_line(line) for line in matched[place].lines],
                        more_lines=matched[place].more,
                        first=event.commit.id,
                        variable=name,
                    )
                ],
            )
            for place, event in enumerate(found.events)
            if place in matched
        ],
        searched=found.searched,
    )


def _shown(event: Event, name: str) -> str:
    entry = event.after or event.before
    if entry is None:
        return ""
    place = entry.names.index(name)
    return preview_text(entry.previews[place]) if place < len(entry.previews) else ""


def history(
    repo: Repo, name: str, *, notebooks: Sequence[NotebookId], start: CommitId | None = None, all_commits: bool = False
) -> search_views.VariableHistory:
    """Return the versions of a variable. Raises NotFoundError, with near names, when none was ever recorded."""
    repository = repo.repository
    found = variable_history(repository, notebooks, name, start=start, all_commits=all_commits)
    if not found.events and not found.elsewhere:
        raise _never_recorded(repository, name, notebooks)
    lines = _Lines(repository, notebooks)
    return search_views.VariableHistory(
        name=name,
        events=[_event(repository, event, name, notebooks[0], lines.line(event.summary)) for event in found.events],
        searched=found.searched,
        elsewhere=found.elsewhere,
    )


def is_recorded(repository: Repository, name: str) -> bool:
    """True if the index, which lists the first 24 changes of each commit, knows of a variable of that name."""
    statement = "SELECT 1 FROM ix_commits WHERE instr(char(10) || changes || char(10), ?) LIMIT 1"
    return bool(repository.index.rows(statement, f"\n+{name}\n"))


def _never_recorded(repository: Repository, name: str, notebooks: Sequence[NotebookId]) -> NotFoundError:
    import difflib

    where = repository.label(notebooks[0]) if len(notebooks) == 1 else "any notebook"
    near = difflib.get_close_matches(name, names_in(repository), n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else "see: cellar vars"
    return NotFoundError(f"no variable '{name}' was ever recorded in {where}", hint=hint)


def _event(
    repository: Repository, event: Event, name: str, notebook: NotebookId, line: views.CommitLine
) -> search_views.VariableEvent:
    after = event.after
    if after is not None and doubtful_versions(repository, notebook, [after.version], event.summary.id):
        after = msgspec.structs.replace(after, uncertain=after.uncertain or describe.DOUBT)
    return search_views.VariableEvent(
        change=event.change,
        commit=line,
        source=event.source,
        before=_variable(event.before, name),
        after=_variable(after, name),
        back_to=event.back_to.hex() if event.back_to is not None else None,
    )


def _variable(entry: Covariable | None, name: str) -> views.Variable | None:
    return describe.variable(entry, name) if entry is not None else None


def _match(match: finding.Match) -> search_views.Match:
    return search_views.Match(
        where=match.where,
        lines=_lines(match.lines),
        more_lines=match.lines.more,
        commits=match.commits,
        first=match.first.hex(),
        variable=match.name,
        cell=match.cell,
    )


def _lines(found: Lines) -> list[search_views.MatchedLine]:
    return [_line(line) for line in found.lines]


def _line(line: Line) -> search_views.MatchedLine:
    return search_views.MatchedLine(number=line.number, text=line.text, matches=list(line.spans))
