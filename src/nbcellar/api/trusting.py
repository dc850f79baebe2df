"""Whose key signed what, and who is trusted for this project.

Invariant: nothing is trusted but by `add`; a listing shows every signer of the history, decided about or not.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from nbcellar.api import views
from nbcellar.errors import AmbiguousReferenceError, InvalidInputError, NotFoundError
from nbcellar.ids import CommitId, Digest, KeyId
from nbcellar.store.interface import Kind

if TYPE_CHECKING:
    from nbcellar.api.repo import Repo
    from nbcellar.trust.decisions import TrustStore

_KEY_HEX = 64


def own_key(folder: Path) -> views.Key:
    """Return the user's key in `folder`; it is made when there is none."""
    from nbcellar.trust.keys import KEY_FILE, fingerprint, load_or_create

    key = load_or_create(folder)
    return views.Key(key=key.key_id.hex(), fingerprint=fingerprint(key.key_id), path=str(folder / KEY_FILE))


def existing_key(folder: Path) -> views.Key | None:
    """Return the user's key in `folder`, None when there is none."""
    from nbcellar.trust.keys import KEY_FILE

    return own_key(folder) if (folder / KEY_FILE).exists() else None


def signers(repo: Repo, commit: CommitId) -> list[views.Signer]:
    """Return whose keys signed a commit, as the store says; nothing is verified here (see `maintenance.check`)."""
    from nbcellar.trust.keys import fingerprint

    decided = _decisions(repo)
    found = []
    for key, _ in repo.repository.store.signatures(Digest(commit)):
        trust, name = _standing(repo, decided, KeyId(key))
        found.append(views.Signer(key=fingerprint(KeyId(key)), name=name, trust=trust))
    return found


def keys(repo: Repo) -> views.Trust:
    """Return the signers of this history and the keys that are decided about, those with most commits first."""
    decided = _decisions(repo)
    counts = _commits_by_key(repo)
    known = [*counts, *(key for key in _decided_keys(repo, decided) if key not in counts)]
    return views.Trust(project=repo.repository.project, keys=[_view(repo, decided, key, counts) for key in known])


def add(repo: Repo, text: str, name: str) -> views.TrustedKey:
    """Trust a key for this project: a signer of its history by fingerprint, or any key in full."""
    decided = _decisions(repo)
    key = _find(repo, decided, text)
    decided.add(repo.repository.project, key, now_ns=repo.repository.clock(), label=name)
    return _view(repo, decided, key, _commits_by_key(repo))


def remove(repo: Repo, text: str) -> views.TrustedKey:
    """Take trust back."""
    decided = _decisions(repo)
    key = _find(repo, decided, text)
    view = _view(repo, decided, key, _commits_by_key(repo))
    if view.trust == "own":
        raise InvalidInputError("this is your own key, which is always trusted")
    decided.remove(repo.repository.project, key)
    return view


def standing(user_folder: Path, decided: TrustStore, project: str | None, key: KeyId) -> tuple[str, str]:
    """Return "own", "trusted", "blocked" or "untrusted", and the label given to a key. project: None for none."""
    from nbcellar.trust import keys as key_files

    entry = next((e for e in decided.list(project) if e.key_id == key), None) if project is not None else None
    if entry is not None:
        return entry.verdict.value, entry.label
    own = key_files.load(user_folder)
    return ("own", "") if own is not None and own.key_id == key else ("untrusted", "")


def _decisions(repo: Repo) -> TrustStore:
    from nbcellar.trust.decisions import TrustStore

    return TrustStore(repo.user_folder)


def _standing(repo: Repo, decided: TrustStore, key: KeyId) -> tuple[str, str]:
    return standing(repo.user_folder, decided, repo.repository.project, key)


def _view(repo: Repo, decided: TrustStore, key: KeyId, counts: Counter[KeyId]) -> views.TrustedKey:
    from nbcellar.trust.keys import fingerprint

    trust, name = _standing(repo, decided, key)
    return views.TrustedKey(key=fingerprint(key), name=name, trust=trust, commits=counts[key])


def _decided_keys(repo: Repo, decided: TrustStore) -> list[KeyId]:
    return [entry.key_id for entry in decided.list(repo.repository.project)]


def _commits_by_key(repo: Repo) -> Counter[KeyId]:
    store = repo.repository.store
    return Counter(KeyId(key) for info in store.objects(Kind.COMMIT) for key, _ in store.signatures(info.digest))


def _find(repo: Repo, decided: TrustStore, text: str) -> KeyId:
    """Return the key that a fingerprint (or its beginning), a full key or a label means."""
    from nbcellar.trust.keys import fingerprint

    wanted = text.strip()
    known = dict.fromkeys([*_commits_by_key(repo), *_decided_keys(repo, decided)])
    fitting = [
        key
        for key in known
        if fingerprint(key).startswith(wanted)
        or key.hex().startswith(wanted.lower())
        or (wanted and _standing(repo, decided, key)[1] == wanted)
    ]
    if wanted and len(fitting) == 1:
        return fitting[0]
    if wanted and len(fitting) > 1:
        raise AmbiguousReferenceError(f"'{text}' fits {len(fitting)} keys", hint="give more of the fingerprint")
    if len(wanted) == _KEY_HEX and all(letter in "0123456789abcdef" for letter in wanted.lower()):
        return KeyId(bytes.fromhex(wanted))
    raise NotFoundError(f"'{text}' is no signer of this history", hint="see: cellar trust ls")
