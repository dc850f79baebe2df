"""What an editor holds of a notebook that is recorded, kept for its kernel: `history/drafts.py` says where and how.

Invariant: nothing is kept of a notebook that is not recorded. What is kept is what a save would write: marks of trust
are taken off. No store is opened: an editor sends a draft with every cell run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from nbcellar import config
from nbcellar.api.editors import saved_cell, saved_members
from nbcellar.api.kernels import live_kernels
from nbcellar.api.reading import off_reason
from nbcellar.errors import InvalidInputError, NoRepositoryError
from nbcellar.history import drafts
from nbcellar.history.drafts import FOLDER_NAME, Version
from nbcellar.history.evidence import cell_key
from nbcellar.history.repository import FOLDER, find_root
from nbcellar.notebook.layout import encode_compact
from nbcellar.notebook.model import cell_to_json, notebook_keys

_SOURCE_BYTES = 8
_FIRST_MINOR_WITH_IDS = 5


MOST = 1 << 53  # what a number of JavaScript holds


class SentCell(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A version of a cell; an editor gives each one a number of its own, never used again for another."""

    key: Annotated[int, msgspec.Meta(ge=0, lt=MOST)]
    cell: dict[str, Any]


class SentDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A notebook as an editor holds it.

    client: the id in the editor's messages to the kernel. sent_ms: the date of the last run it asked for, 0: none yet.
    order: the versions of the cells. cells: those of them that were not sent before. rest: the notebook without cells,
    None if it is as it was. opening: the kernel may be about to start, so that none records yet.
    """

    client: str
    sent_ms: int
    order: Sequence[int]
    cells: Sequence[SentCell]
    rest: Mapping[str, Any] | None
    minor: int
    opening: bool


class KeptDraft(msgspec.Struct, frozen=True, kw_only=True):
    """kept: the draft is there for the kernel. lacking: it has to come once more, whole. why: what keeps it from being
    kept, until a kernel starts or joins."""

    kept: bool
    lacking: bool = False
    why: str = ""


def keep_draft(file: Path, environ: Mapping[str, str], sent: SentDraft) -> KeptDraft:
    """Keep an editor's draft of a notebook that is recorded. Raises InvalidInputError for what is no notebook."""
    try:
        folder = find_root(file.parent) / FOLDER
    except NoRepositoryError as error:
        return KeptDraft(kept=False, why=error.message)
    why = _why_not(file, folder, environ, opening=sent.opening)
    if why:
        drafts.drop_draft(folder / FOLDER_NAME, sent.client)
        return KeptDraft(kept=False, why=why)
    members = encode_compact(notebook_keys(saved_members(sent.rest))).encode() if sent.rest is not None else None
    fresh = dict(_versions(sent))
    try:
        kept = drafts.write_draft(
            folder / FOLDER_NAME,
            sent.client,
            path=os.path.realpath(file),
            sent_ms=sent.sent_ms,
            members=members,
            order=sent.order,
            fresh=fresh,
        )
    except OSError as error:
        return KeptDraft(kept=False, why=f"{FOLDER}/{FOLDER_NAME}: {error.strerror or error}")
    except InvalidInputError as error:
        drafts.drop_draft(folder / FOLDER_NAME, sent.client)
        return KeptDraft(kept=False, why=error.message)
    return KeptDraft(kept=kept, lacking=not kept)


def drop_draft(file: Path, client: str) -> None:
    """Remove an editor's draft: it closed the notebook."""
    try:
        drafts.drop_draft(find_root(file.parent) / FOLDER / FOLDER_NAME, client)
    except NoRepositoryError:
        return


def _why_not(file: Path, folder: Path, environ: Mapping[str, str], *, opening: bool) -> str:
    """Return why a notebook's drafts are not kept, or nothing."""
    real = file.resolve()
    if not opening and _has_kernel(folder, real):
        return ""  # whatever the settings say: `%load_ext nbcellar` records all the same
    root = folder.parent.resolve()
    relative = real.relative_to(root).as_posix() if real.is_relative_to(root) else file.name
    off = off_reason(config.load(folder, environ), relative)
    return off if off or opening else "no kernel records this notebook"


def _has_kernel(folder: Path, file: Path) -> bool:
    """True if a live kernel records a notebook, perhaps under the name that it had before."""
    for entry in live_kernels(folder):
        path = Path(entry.path)
        if not path.exists() or path.resolve() == file:
            return True
    return False


def _versions(sent: SentDraft) -> Iterator[tuple[int, Version]]:
    has_id = sent.minor >= _FIRST_MINOR_WITH_IDS
    for one in sent.cells:
        cell = saved_cell(one.cell, has_id=has_id)
        payload = encode_compact(cell_to_json(cell)).encode()
        identity = one.cell.get("id", "")
        key = cell_key(cell.type, cell.source)[:_SOURCE_BYTES]
        yield one.key, Version(identity if isinstance(identity, str) else "", key, payload)


__all__ = ["KeptDraft", "SentCell", "SentDraft", "drop_draft", "keep_draft"]
