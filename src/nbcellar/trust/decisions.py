"""Whose variables may be loaded here: decisions of this user on this machine.

Invariant: what is not decided is not trusted, except one's own key; a file that cannot be understood is an error, never
"trusted". Decisions are kept beside the user's key, never in a project, so no download can bring its own. Not for:
verifying (`gate.py`).
"""

from __future__ import annotations

import enum
from pathlib import Path

import msgspec

from nbcellar.errors import CorruptStoreError, InvalidInputError, StoreUnavailableError, UnsupportedFormatError
from nbcellar.ids import KeyId
from nbcellar.trust import keys
from nbcellar.trust.files import locked, replace_private

DECISIONS_FILE = "trust.json"
DECISIONS_FORMAT = 1


class Verdict(str, enum.Enum):
    """What was decided about a key."""

    TRUSTED = "trusted"
    BLOCKED = "blocked"


class Decision(msgspec.Struct, frozen=True):
    """One decision; `key` is the signer's public key in hexadecimal, `label` a name for people."""

    project: str
    key: str
    verdict: Verdict
    time_ns: int
    label: str = ""

    @property
    def key_id(self) -> KeyId:
        """The key as bytes."""
        return KeyId(bytes.fromhex(self.key))


class _Content(msgspec.Struct, frozen=True):
    format: int
    decisions: tuple[Decision, ...]


class TrustStore:
    """Decisions in `folder`, where the user's own key is, too. Every call reads the file: another process may add."""

    def __init__(self, folder: Path, *, own: KeyId | None = None) -> None:
        """own: the key in `folder`, where somebody has read it."""
        self._path = folder / DECISIONS_FILE
        self._folder = folder
        self._own = own

    def is_trusted(self, project: str, key_id: bytes) -> bool:
        """True if variables that `key_id` signed may be loaded in `project`. Raises CorruptStoreError."""
        for decision in self._read():
            if decision.project == project and decision.key == key_id.hex():
                return decision.verdict is Verdict.TRUSTED
        return self._is_own(key_id)

    def add(
        self, project: str, key_id: bytes, *, now_ns: int, label: str = "", verdict: Verdict = Verdict.TRUSTED
    ) -> Decision:
        """Decide about a key in a project, in place of an earlier decision."""
        if len(key_id) != keys.KEY_BYTES:
            raise InvalidInputError(f"a public key has {keys.KEY_BYTES} bytes, not {len(key_id)}")
        new = Decision(project, key_id.hex(), verdict, now_ns, label)
        with locked(self._lock_path):
            self._write((*(item for item in self._read() if not _is_about(item, project, key_id)), new))
        return new

    def remove(self, project: str, key_id: bytes) -> bool:
        """Take a decision back; False if there was none."""
        with locked(self._lock_path):
            before = self._read()
            after = tuple(item for item in before if not _is_about(item, project, key_id))
            if len(after) != len(before):
                self._write(after)
        return len(after) != len(before)

    def list(self, project: str | None = None) -> tuple[Decision, ...]:
        """Return the decisions about one project or all, oldest first."""
        return tuple(item for item in self._read() if project in (None, item.project))

    @property
    def _lock_path(self) -> Path:
        return self._path.with_suffix(".lock")

    def _is_own(self, key_id: bytes) -> bool:
        if self._own is None:
            key = keys.load(self._folder)
            self._own = None if key is None else key.key_id
        return self._own is not None and self._own == key_id

    def _read(self) -> tuple[Decision, ...]:
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise StoreUnavailableError(f"cannot read {self._path}: {error.strerror or error}") from error
        try:
            _check_format(raw, self._path)
            decisions = msgspec.json.decode(raw, type=_Content).decisions
            for item in decisions:
                if len(item.key_id) != keys.KEY_BYTES:
                    raise ValueError(f"'{item.key}' is not a public key")
        except (msgspec.DecodeError, ValueError) as error:
            message = f"{self._path} cannot be understood, so no key is trusted: {error}"
            raise CorruptStoreError(message, hint="mend the file, or move it away and decide anew") from None
        return decisions

    def _write(self, decisions: tuple[Decision, ...]) -> None:
        content = msgspec.json.encode(_Content(DECISIONS_FORMAT, decisions))
        replace_private(self._path, msgspec.json.format(content, indent=2) + b"\n")


class _Head(msgspec.Struct):
    format: int


def _check_format(raw: bytes, path: Path) -> None:
    number = msgspec.json.decode(raw, type=_Head).format
    if number > DECISIONS_FORMAT:
        raise UnsupportedFormatError(
            f"{path} is of format {number}; this Cellar reads up to {DECISIONS_FORMAT}",
            hint="upgrade with: pip install --upgrade nbcellar",
        )


def _is_about(decision: Decision, project: str, key_id: bytes) -> bool:
    return decision.project == project and decision.key == key_id.hex()
