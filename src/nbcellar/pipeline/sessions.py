"""A session over a namespace of its own, in the scope of a component's key: what records and loads its values.

Invariant: belongs to no notebook and follows none; one that was made ahead is as one that is made when it is needed.
Not for: sessions of kernels (`session/join.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from nbcellar import config
from nbcellar.history.repository import FOLDER
from nbcellar.pipeline.names import SCOPE_DIGITS, scope_of
from nbcellar.session.engine import Session
from nbcellar.session.names import Names
from nbcellar.session.writer import Fixed, Position, environment_fingerprint
from nbcellar.trust.decisions import TrustStore
from nbcellar.trust.keys import load_or_create

if TYPE_CHECKING:
    from nbcellar.config import Settings
    from nbcellar.history.repository import Repository
    from nbcellar.ids import Digest
    from nbcellar.session.surroundings.ambient import AmbientTracker
    from nbcellar.trust.keys import SigningKey

_NO_END_S = 1e9


class _NoDocument:
    """Results have no notebook file."""

    path = Path()

    def follow(self, repo: Any, notebook: Any) -> None: ...

    def ran(self, source: str) -> None: ...

    def forget(self, unsaved: bool = False) -> None: ...

    def put(self, sink: Any, *, always: bool, run: Any = None) -> Digest | None:
        return None


class _Ahead(NamedTuple):
    """A session that nobody has taken yet, and what it was made for."""

    repo: Repository
    settings: Settings
    session: Session


class Sessions:
    """Makes sessions over the one namespace of a process. Mutable: one may be made ahead."""

    def __init__(
        self,
        namespace: dict[str, Any],
        hidden: Mapping[str, object],
        environ: Mapping[str, str],
        ambient: AmbientTracker | None = None,
    ) -> None:
        """hidden: names that are not the user's; ambient: that of this process, where there is one."""
        self._namespace, self._hidden, self._environ, self._ambient = namespace, hidden, environ, ambient
        self._ahead: _Ahead | None = None

    def make_ahead(self, repo: Repository) -> None:
        """Make the session that will be taken next, while nobody waits for it."""
        if self._ahead is None or self._ahead.repo is not repo:
            settings, key = self._of_user(repo)
            self._ahead = _Ahead(repo, settings, self._make(repo, settings, key))

    def take(self, repo: Repository, key: str) -> Session:
        """Return a session for the component that has a key."""
        settings, signer = self._of_user(repo)
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead.repo is repo and ahead.settings is settings and ahead.session.key is signer:
            session = ahead.session
        else:
            session = self._make(repo, settings, signer)
        session.record_into(scope_of(key))
        return session

    def _of_user(self, repo: Repository) -> tuple[Settings, SigningKey]:
        """Return the user's settings and key as they are now: the very same objects while nobody changes any."""
        return config.load(repo.root / FOLDER, self._environ), load_or_create(config.user_folder(self._environ))

    def _make(self, repo: Repository, loaded: Settings, key: SigningKey) -> Session:
        record = msgspec.structs.replace(loaded.record, budget_s=_NO_END_S)
        settings = msgspec.structs.replace(loaded, record=record)
        user = config.user_folder(self._environ)
        scope = scope_of("0" * SCOPE_DIGITS)
        return Session(
            repo,
            scope,
            self._namespace,
            Names(self._hidden, settings.record.skip_names),
            settings=settings,
            key=key,
            decisions=TrustStore(user, own=key.key_id),
            fixed=Fixed(scope, repo.by, environment_fingerprint, str, _NoDocument()),  # type: ignore[arg-type]
            ambient=self._ambient,
            position=Position(None),  # each result is a commit without parents, on a branch of its own
        )


__all__ = ["Sessions"]
