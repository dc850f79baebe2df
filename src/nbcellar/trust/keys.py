"""The user's signing key, signatures, and fingerprints for people.

Invariant: the private key is in one file that only its owner can read, and never in a project. Not for: deciding whom
to trust (`decisions.py`). Ed25519 as in RFC 8032; the file is PKCS #8 in PEM, as RFC 8410 has it.
"""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from blake3 import blake3

from nbcellar.errors import CorruptStoreError, InvalidInputError, StoreUnavailableError
from nbcellar.ids import KeyId
from nbcellar.trust.files import create_private

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_FILE = "signing-key.pem"
KEY_BYTES = 32
SIGNATURE_BYTES = 64

_PEM_BEGIN, _PEM_END = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"
# The DER of every Ed25519 private key in PKCS #8 begins so. Reading it here spares the import of cryptography, 14 ms,
# until something is signed.
_PKCS8_PREFIX = bytes.fromhex("302e020100300506032b657004220420")
_FINGERPRINT_BYTES = 15
_FINGERPRINT_GROUP = 6


# Signatures that this process made itself: checking them takes longer than all the rest of a small undo.
_made_here: dict[tuple[bytes, bytes, bytes], None] = {}
_MOST_MADE_HERE = 1024


class SigningKey:
    """An Ed25519 key that signs."""

    def __init__(self, seed: bytes) -> None:
        """seed: the 32 bytes of the private key."""
        if len(seed) != KEY_BYTES:
            raise InvalidInputError(f"a signing key has {KEY_BYTES} bytes, not {len(seed)}")
        self._seed = seed
        self._private: Ed25519PrivateKey | None = None
        self._key_id: KeyId | None = None

    @property
    def key_id(self) -> KeyId:
        """The public key, which names the signer."""
        if self._key_id is None:
            self._key_id = KeyId(self._loaded().public_key().public_bytes_raw())
        return self._key_id

    def sign(self, message: bytes) -> bytes:
        """Return the signature, 64 bytes."""
        signature = self._loaded().sign(message)
        while len(_made_here) >= _MOST_MADE_HERE:
            _made_here.pop(next(iter(_made_here)), None)
        _made_here[self.key_id, bytes(message), signature] = None
        return signature

    def mac(self, message: bytes, purpose: str) -> bytes:
        """Return 32 bytes that only who has this key can make; for notes to oneself, where no one else has to check.

        Keyed BLAKE3, with a key of its own for each purpose.
        """
        derived = blake3(self._seed, derive_key_context=f"nbcellar 2026-11 {purpose}").digest()
        return blake3(message, key=derived).digest()

    def _loaded(self) -> Ed25519PrivateKey:
        if self._private is None:
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

            self._private = Ed25519PrivateKey.from_private_bytes(self._seed)
        return self._private

    def __repr__(self) -> str:
        return f"SigningKey({fingerprint(self.key_id)})"  # never the seed


def load_or_create(folder: Path) -> SigningKey:
    """Return the key in `folder`, made at the first call; two processes at once get the same one.

    Raises CorruptStoreError for a file that is no key, StoreUnavailableError when it cannot be read or made.
    """
    found = load(folder)
    if found is None:
        import secrets

        create_private(folder / KEY_FILE, _to_pem(secrets.token_bytes(KEY_BYTES)))
        found = load(folder)
    if found is None:
        raise StoreUnavailableError(f"cannot read {folder / KEY_FILE}: it vanished")
    return found


def load(folder: Path) -> SigningKey | None:
    """Return the key in `folder`, None if there is none. Errors as `load_or_create`."""
    path = folder / KEY_FILE
    try:
        text = path.read_text(encoding="ascii")
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise _damaged(path) from None
    except OSError as error:
        raise StoreUnavailableError(f"cannot read {path}: {error.strerror or error}") from error
    return _key_of(_from_pem(text, path))


@lru_cache(maxsize=4)
def _key_of(seed: bytes) -> SigningKey:
    """Return the key of a seed; that of this user is asked for again and again, and made once."""
    return SigningKey(seed)


def verify(key_id: bytes, message: bytes, signature: bytes) -> bool:
    """True if the owner of `key_id` signed `message`; False for anything else, a malformed key included."""
    if len(key_id) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    if (key_id, message, signature) in _made_here:
        return True
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key_id).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint(key_id: bytes) -> str:
    """Return 24 letters and digits in four groups, to be read aloud and compared: 120 bits of the key's BLAKE3."""
    digest = blake3(b"cellar-key-fingerprint" + key_id).digest(_FINGERPRINT_BYTES)
    text = base64.b32encode(digest).decode("ascii").lower()
    return "-".join(text[i : i + _FINGERPRINT_GROUP] for i in range(0, len(text), _FINGERPRINT_GROUP))


def is_fingerprint_of(text: str, key_id: bytes) -> bool:
    """True if `text` is the whole fingerprint of the key, however grouped, or the key in hexadecimal."""
    plain = text.replace("-", "").replace(" ", "").lower()
    return plain in (fingerprint(key_id).replace("-", ""), key_id.hex())


def _to_pem(seed: bytes) -> bytes:
    body = base64.b64encode(_PKCS8_PREFIX + seed).decode("ascii")
    return f"{_PEM_BEGIN}\n{body}\n{_PEM_END}\n".encode("ascii")


def _from_pem(text: str, path: Path) -> bytes:
    lines = text.split("\n")
    if len(lines) < 3 or lines[0].strip() != _PEM_BEGIN or _PEM_END not in lines:
        raise _damaged(path)
    try:
        der = base64.b64decode("".join(lines[1 : lines.index(_PEM_END)]), validate=True)
    except binascii.Error:
        raise _damaged(path) from None
    if not der.startswith(_PKCS8_PREFIX) or len(der) != len(_PKCS8_PREFIX) + KEY_BYTES:
        raise _damaged(path)
    return der[len(_PKCS8_PREFIX) :]


def _damaged(path: Path) -> CorruptStoreError:
    return CorruptStoreError(
        f"{path} is not an Ed25519 key", hint="put back your copy of it; moving it away makes a new identity"
    )
