"""The scan for secrets: joins what `secrets/` does not know, the layout of values and of ambient parts.

Invariant: no view that leaves this module holds a secret.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from nbcellar import config
from nbcellar.api import search_views
from nbcellar.errors import InvalidInputError, NotFoundError
from nbcellar.ids import CommitId, Digest
from nbcellar.search.find import in_scope
from nbcellar.secrets import scan as scanning
from nbcellar.secrets.detectors import redacted

if TYPE_CHECKING:
    from nbcellar.api.repo import Repo
    from nbcellar.history.repository import Repository

_MOST_PLACES = 20


def scan(repo: Repo, ref: str | None) -> search_views.SecretScan:
    """Return what was found, redacted."""
    commits: Collection[CommitId] | None = None
    if ref is not None:
        notebook, start = repo.locate(ref)
        commits = in_scope(repo.repository, [notebook], start=start, all_commits=False)
    found = find(repo, commits=commits)
    return search_views.SecretScan(
        secrets=[_view(finding) for finding in found.findings],
        commits=found.commits,
        allowed=found.allowed,
        values_in_part=found.values_in_part,
        damaged=list(found.damaged),
    )


def find(repo: Repo, *, commits: Collection[CommitId] | None = None, all: bool = False) -> scanning.Scan:
    """Return findings with the secrets themselves. all: those that are allowed, too."""
    return scanning.scan(
        repo.repository,
        read_value=lambda data, limit: read_value(repo.repository, data, limit),
        read_environment=environment_texts,
        commits=commits,
        allow=() if all else repo.settings.secrets.allow,
    )


def text_of(repo: Repo, fingerprint: str) -> str:
    """Return the secret that a report calls so. Raises NotFoundError, InvalidInputError for an ambiguous beginning."""
    if len(fingerprint) < 4:
        raise InvalidInputError(f"'{fingerprint}' is too short for the id of a secret", hint="see: cellar secrets scan")
    fitting = [finding for finding in find(repo, all=True).findings if finding.fingerprint.startswith(fingerprint)]
    if not fitting:
        raise NotFoundError(f"no secret with the id {fingerprint} is recorded here", hint="see: cellar secrets scan")
    if len(fitting) > 1:
        raise InvalidInputError(f"'{fingerprint}' fits {len(fitting)} secrets", hint="give more digits of the id")
    return fitting[0].text


def allow(repo: Repo, ids: Sequence[str]) -> list[str]:
    """Add to the repository's list and return it."""
    key = config.find_key("secrets.allow")
    path = repo.cellar_folder / config.FILE_NAME
    listed = list(dict.fromkeys((*repo.settings.secrets.allow, *ids)))
    config.write_value(path, key, listed)
    return listed


def read_value(repository: Repository, data: bytes, limit: int) -> scanning.ValueParts:
    """Return the first `limit` bytes of a value's stream and of each run of its memory."""
    from nbcellar.values.manifest import decode_value

    value = decode_value(data)
    runs = [run for run in (value.stream, *value.regions) if run is not None]
    parts = [_first_bytes(repository, run.digests(), limit) for run in runs]
    stream = value.inline[:limit] if value.stream is None else parts.pop(0)
    whole = len(value.inline) <= limit and all(run.size_bytes <= limit for run in runs)
    return scanning.ValueParts(stream, tuple(parts), not whole)


def environment_texts(part: str, data: bytes) -> Iterable[tuple[str, str]]:
    """Return the texts of an ambient part; those of environment variables with their names."""
    try:
        decoded = msgspec.msgpack.decode(data)
    except msgspec.DecodeError:
        return [("", data.decode(errors="replace"))]
    if part == "environ" and isinstance(decoded, list) and decoded and isinstance(decoded[0], list):
        pairs = [pair for pair in decoded[0] if isinstance(pair, list) and len(pair) == 2]
        return [(_as_text(name), _as_text(value)) for name, value in pairs]
    return [("", text) for text in _texts(decoded)]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        if len(value) < 4096:
            yield _as_text(value)
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from (*_texts(name), *_texts(part))
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def _as_text(value: object) -> str:
    return os.fsdecode(value) if isinstance(value, bytes) else str(value)


def _first_bytes(repository: Repository, blocks: Sequence[Digest], limit: int) -> bytes:
    found = bytearray()
    for block in blocks:
        if len(found) >= limit:
            break
        found += repository.store.read(block)
    return bytes(found[:limit])


def _view(finding: scanning.Finding) -> search_views.Secret:
    places = [
        search_views.SecretPlace(
            where=place.where,
            commit=place.commit.hex(),
            commits=place.commits,
            line=place.line,
            name=place.name,
            cell=place.cell,
        )
        for place in finding.places
    ]
    return search_views.Secret(
        id=finding.fingerprint,
        kind=finding.kind,
        shown=redacted(finding.text),
        occurrences=sum(place.commits for place in finding.places),
        places=places[:_MOST_PLACES],
        more_places=max(len(places) - _MOST_PLACES, 0),
        forget=f"cellar forget --secret {finding.fingerprint}",
    )
