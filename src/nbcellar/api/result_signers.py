"""Who signed results, as listings show it.

Invariant: nothing is decided here, and nothing verified: that was done by who hands over a key. Not for: trusting
(`trusting.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nbcellar.api.pipeline_result_views import ResultSigner
from nbcellar.api.trusting import standing
from nbcellar.ids import KeyId

if TYPE_CHECKING:
    from nbcellar.trust.decisions import TrustStore


class Signers:
    """Looks signers up for one project, and remembers them. project: None where there is no repository."""

    def __init__(self, user_folder: Path, decided: TrustStore, project: str | None) -> None:
        self._user_folder, self._decided, self._project = user_folder, decided, project
        self._known: dict[bytes, ResultSigner] = {}

    def __call__(self, key: bytes) -> ResultSigner:
        """Return who a key is here."""
        if key not in self._known:
            from nbcellar.trust.keys import fingerprint

            trust, name = standing(self._user_folder, self._decided, self._project, KeyId(key))
            self._known[key] = ResultSigner(key=fingerprint(key), name=name, trust=trust)
        return self._known[key]


__all__ = ["Signers"]
