"""Names of refs and what their values mean: HEAD, branches, tags, messages.

Invariant: every ref of a notebook lives in the scope of its id under one of the names below; `decode_head` inverts
`encode_head`. Names that people choose follow git's check-ref-format. Not for: moving refs (`branches.py`,
`recording.py`).
"""

from __future__ import annotations

import re
from collections.abc import Container

import msgspec

from nbcellar.errors import CorruptStoreError, InvalidInputError
from nbcellar.ids import CommitId

HEAD = "HEAD"
BRANCH = "branch/"
TAG = "tag/"
MESSAGE = "message/"  # + commit id in hexadecimal: a message given later
FORKED_FROM = "forked-from"  # commit of another notebook that this one was copied from
REWRITTEN = "rewritten/"  # + commit id from before history was rewritten: what it became
EVIDENCE = "evidence"  # how to recognise the notebook's file after a rename

PROJECT_SCOPE = ""
GENERATION = "generation"  # in the project scope: changes whenever commits were removed or rewritten
PURGE_DUE = "purge-due"  # in the project scope: what was forgotten is out of history, and perhaps not out of the files
NOTEBOOK = "notebook/"  # + path relative to the root, in the project scope: the id of the notebook there

DEFAULT_BRANCH = "main"

_ATTACHED, _DETACHED = b"@", b"="
_ID_BYTES = 32


class Head(msgspec.Struct, frozen=True):
    """Where a notebook's HEAD is. `branch` is None when detached; `commit` is None before the first commit.

    `left` is the branch that a detached HEAD came from; a commit made there starts `<left>-2`.
    """

    branch: str | None
    commit: CommitId | None
    left: str = DEFAULT_BRANCH

    @property
    def is_detached(self) -> bool:
        return self.branch is None


def encode_head(*, branch: str | None = None, commit: CommitId | None = None, left: str = DEFAULT_BRANCH) -> bytes:
    """Return the value of the HEAD ref: attached to `branch`, or else detached at `commit`."""
    if branch is not None:
        return _ATTACHED + branch.encode()
    if commit is None:
        raise InvalidInputError("a detached HEAD needs a commit")
    return _DETACHED + commit + left.encode()


def decode_head(value: bytes) -> tuple[str | None, CommitId | None, str]:
    """Return (branch, commit, branch left): the branch when attached, the commit when detached."""
    mark, rest = value[:1], value[1:]
    if mark == _ATTACHED and rest:
        return rest.decode(), None, rest.decode()
    if mark == _DETACHED and len(rest) >= _ID_BYTES:
        return None, CommitId(rest[:_ID_BYTES]), rest[_ID_BYTES:].decode() or DEFAULT_BRANCH
    raise CorruptStoreError(f"HEAD holds {value[:40]!r}, which is neither a branch nor a commit")


def message_ref(commit: CommitId) -> str:
    """Return the name of the ref that keeps a commit's newer message."""
    return MESSAGE + commit.hex()


def next_generation(generation: bytes | None) -> bytes:
    """Return the value of the generation ref after `generation`."""
    return (int.from_bytes(generation or b"", "big") + 1).to_bytes(8, "big")


def rewritten_ref(commit: CommitId) -> str:
    """Return the name of the ref that leads from a commit that was rewritten to what it became."""
    return REWRITTEN + commit.hex()


_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^$"), "is empty"),
    (re.compile(r"[\x00-\x1f\x7f]"), "holds a control character"),
    (re.compile(r"\s"), "holds a space"),
    (re.compile(r"[~^:?*\[\\]"), "holds one of ~ ^ : ? * [ \\"),
    (re.compile(r"\.\."), "holds '..'"),
    (re.compile(r"@\{"), "holds '@{'"),
    (re.compile(r"^@$"), "is '@', which means HEAD"),
    (re.compile(r"^HEAD$"), "is 'HEAD', which has a meaning of its own"),
    (re.compile(r"^-"), "begins with '-'"),
    (re.compile(r"^/|/$|//"), "begins or ends with '/' or holds '//'"),
    (re.compile(r"(^|/)\."), "has a part that begins with '.'"),
    (re.compile(r"\.lock(/|$)"), "has a part that ends with '.lock'"),
    (re.compile(r"\.$"), "ends with '.'"),
    (re.compile(r"^[0-9a-f]{64}$"), "looks like the id of a commit"),
)
_MAX_NAME_BYTES = 200


def check_name(name: str, what: str) -> str:
    """Return `name` if it may name a branch or tag (`what`); else raise InvalidInputError that says what is wrong."""
    for pattern, fault in _RULES:
        if pattern.search(name):
            raise InvalidInputError(f"{name!r} cannot name a {what}: it {fault}", hint=_NAME_HINT)
    if len(name.encode("utf-8", "surrogatepass")) > _MAX_NAME_BYTES or not _is_text(name):
        raise InvalidInputError(f"{name[:40]!r} cannot name a {what}: it is too long or not text", hint=_NAME_HINT)
    return name


_NAME_HINT = "names follow git's rules, for example 'trial-2' or 'ana/outliers'"


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def next_free_branch(left: str, taken: Container[str]) -> str:
    """Return `<left>-2`, or the next number that is free; a number at the end of `left` is counted on."""
    stem = re.sub(r"-\d+$", "", left) or left
    number = 2
    while f"{stem}-{number}" in taken:
        number += 1
    return f"{stem}-{number}"


__all__ = [
    "BRANCH",
    "DEFAULT_BRANCH",
    "EVIDENCE",
    "FORKED_FROM",
    "GENERATION",
    "HEAD",
    "MESSAGE",
    "NOTEBOOK",
    "PROJECT_SCOPE",
    "PURGE_DUE",
    "REWRITTEN",
    "TAG",
    "Head",
    "check_name",
    "decode_head",
    "encode_head",
    "message_ref",
    "next_free_branch",
    "next_generation",
    "rewritten_ref",
]
