"""A session over a namespace of its own, in the scope of a component's key: what records and loads its values.

Invariant: belongs to no notebook and follows none. Not for: sessions of kernels (`session/join.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from nbcellar import config
from nbcellar.history.repository import FOLDER
from nbcellar.pipeline.names import scope_of
from nbcellar.session.engine import Session
from nbcellar.session.names import Names
from nbcellar.session.writer import Fixed, Position, environment_fingerprint
from nbcellar.trust.decisions import TrustStore
from nbcellar.trust.keys import load_or_create

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository
    from nbcellar.ids import Digest
    from nbcellar.session.surroundings.ambient import AmbientTracker

_NO_END_S = 1e9


class _NoDocument:
    """Results have no notebook file."""

    path = Path()

    def follow(self, repo: Any, notebook: Any) -> None: ...

    def ran(self, source: str) -> None: ...

    def forget(self, unsaved: bool = False) -> None: ...

    def put(self, sink: Any, *, always: bool, run: Any = None) -> Digest | None:
        return None


def session_for(
    repo: Repository,
    namespace: dict[str, Any],
    key: str,
    hidden: Mapping[str, object],
    environ: Mapping[str, str],
    ambient: AmbientTracker | None = None,
) -> Session:
    """Return a session over a namespace.

    key: of the component; hidden: names that are not the user's; ambient: that of this process, where there is one.
    """
    loaded = config.load(repo.root / FOLDER, environ)
    record = msgspec.structs.replace(loaded.record, budget_s=_NO_END_S)
    settings = msgspec.structs.replace(loaded, record=record)
    user = config.user_folder(environ)
    scope = scope_of(key)
    return Session(
        repo,
        scope,
        namespace,
        Names(hidden, settings.record.skip_names),
        settings=settings,
        key=load_or_create(user),
        decisions=TrustStore(user),
        fixed=Fixed(scope, repo.by, environment_fingerprint, str, _NoDocument()),  # type: ignore[arg-type]
        ambient=ambient,
        position=Position(None),  # each result is a commit without parents, on a branch of its own
    )


__all__ = ["session_for"]
