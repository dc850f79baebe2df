"""Typed identifiers shared by every part.

Invariant: a digest or commit id is 32 raw bytes in memory and on disk; hexadecimal only where a person reads it.
"""

from __future__ import annotations

from typing import NewType

Digest = NewType("Digest", bytes)
"""BLAKE3-256 of an object's raw (uncompressed) bytes."""

CommitId = NewType("CommitId", bytes)
"""Digest of a commit's canonical payload; also the key of its object in the store."""

NotebookId = NewType("NotebookId", str)
"""32 hexadecimal digits, random, given when a notebook is first recorded in a repository."""

KeyId = NewType("KeyId", bytes)
"""A signer's raw Ed25519 public key, 32 bytes."""

CellId = NewType("CellId", str)
"""The nbformat id of a cell; empty when the front end sent none."""

DIGEST_BYTES = 32
SHORT_HEX = 8


def short(identifier: bytes) -> str:
    """Return the first 8 hexadecimal digits, the way ids are shown in listings."""
    return identifier[: SHORT_HEX // 2].hex()
