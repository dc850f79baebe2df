"""Versions of variables that may not be what the variable held: a change was found that no cell run accounts for.

A miss can be found but not repaired: the commits between the last time the variable was hashed and the one that found
the change name a version that may be older than the truth. A doubt is a ref `doubt/<version>` in the notebook's scope
with two commit ids, the last one before the doubt and the last one in doubt. Invariant: a doubt is never taken back;
where its commits are gone (rewritten history), every commit that names the version is in doubt.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nbcellar.ids import DIGEST_BYTES, CommitId, NotebookId
from nbcellar.store.interface import Transaction

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository

DOUBT = "doubt/"


def record_doubt(
    repo: Repository, tx: Transaction, notebook: NotebookId, version: bytes, *, since: CommitId, until: CommitId
) -> None:
    """Note that commits after `since`, up to and with `until`, may name `version` wrongly."""
    name = DOUBT + version.hex()
    old = repo.store.ref(notebook, name)
    if old is not None:
        since = min(since, CommitId(old[:DIGEST_BYTES]), key=lambda commit: repo.index.number(commit) or 0)
    tx.set_ref(notebook, name, old=old, new=since + until)


def doubtful_versions(repo: Repository, notebook: NotebookId, versions: Iterable[bytes], at: CommitId) -> set[bytes]:
    """Return those of the versions that the state of commit `at` may name wrongly."""
    doubts = {name.removeprefix(DOUBT): value for (_, name), value in repo.store.refs(notebook, DOUBT).items()}
    if not doubts:
        return set()
    found = set()
    here = repo.index.number(at) or 0
    for version in versions:
        value = doubts.get(version.hex())
        if value is None:
            continue
        since = repo.index.number(CommitId(value[:DIGEST_BYTES])) or 0
        until = repo.index.number(CommitId(value[DIGEST_BYTES:])) or here
        if since < here <= until:
            found.add(version)
    return found
