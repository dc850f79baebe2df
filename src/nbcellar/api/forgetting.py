"""Forgetting a text: joins what history does not know, the layouts of values and of ambient parts, and the user's key.

Invariant: what leaves this module shows no more of the text than a scan would.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from nbcellar.api import views
from nbcellar.api.kernels import live_kernels
from nbcellar.api.maintenance import children_of, results_note
from nbcellar.errors import NotFoundError
from nbcellar.history.forget_text import TextForgotten
from nbcellar.history.forget_text import forget_text as forget_in_history
from nbcellar.history.scrub import Scrub
from nbcellar.ids import Digest
from nbcellar.secrets.detectors import redacted

if TYPE_CHECKING:
    from nbcellar.api.repo import Repo


def forget_text(repo: Repo, text: str, *, force: bool, dry_run: bool) -> views.Forgotten:
    """Take a text out of the history of all notebooks, or say what would be done."""
    from nbcellar.trust.keys import load_or_create

    repository = repo.repository
    if not repository.notebooks():
        raise NotFoundError("nothing is recorded here yet", hint="open a notebook in Jupyter and run a cell")
    done = forget_in_history(
        repository,
        text,
        key=load_or_create(repo.user_folder),
        children_of=children_of,
        blocks_of=blocks_of,
        edit_environment=edit_environment,
        force=force,
        dry_run=dry_run,
    )
    return views.Forgotten(
        what=f"text {redacted(text)}",
        rewritten=len(done.rewritten),
        removed_bytes=done.bytes_removed,
        notes=[*results_note(len(done.removed), dry_run=dry_run), *_notes(repo, Scrub(text), done)],
        replaced=dict(done.replaced),
        variables=list(done.variables),
        remaining=[_without(text, line) for line in done.remaining],
        dry_run=dry_run,
    )


def blocks_of(data: bytes) -> Iterator[tuple[Digest, ...]]:
    """Yield the runs of blocks of a VALUE object: its stream and its memory."""
    from nbcellar.values.manifest import decode_value

    value = decode_value(data)
    for run in (value.stream, *value.regions):
        if run is not None:
            yield tuple(run.digests())


def edit_environment(part: str, data: bytes, scrub: Scrub) -> tuple[bytes | None, tuple[str, ...]]:
    """Return an ambient part as it may stay: environment variables go one by one, any other part as a whole."""
    if not scrub.is_in(data):
        return data, ()
    if part != "environ":
        return None, ()
    try:
        changed, removed = msgspec.msgpack.decode(data, type=tuple[list[tuple[bytes, bytes]], list[bytes]])
    except msgspec.DecodeError:
        return None, ()
    kept = [pair for pair in changed if not any(map(scrub.is_in, pair))]
    names = tuple(os.fsdecode(name) for name, _ in changed if (name not in dict(kept)) and not scrub.is_in(name))
    left = [name for name in removed if not scrub.is_in(name)]
    return msgspec.msgpack.encode((kept, left), order="deterministic"), names


def _notes(repo: Repo, scrub: Scrub, done: TextForgotten) -> Iterator[str]:
    """Say where the text still is, out of reach of history."""
    for path in _files_with(repo, scrub):
        yield f"the notebook file still holds it: {path}; remove it there, or it is recorded again"
    if done.variables:
        names = ", ".join(done.variables)
        live = {entry.notebook for entry in live_kernels(repo.cellar_folder)}
        if live.intersection(done.notebooks):
            yield f"a live kernel may still hold it and would record it again; in the notebook: del {names}"
    if done.notebooks:
        yield "In and Out of a live kernel, IPython's own history file and copies elsewhere are not changed"
    if done.environment:
        names = ", ".join(done.environment)
        yield f"no longer restored by a checkout: environment variable {names}"


def _files_with(repo: Repo, scrub: Scrub) -> Iterator[str]:
    paths = [info.path for info in repo.repository.notebooks()]
    for path in _with_checkpoints(paths):
        try:
            data = (repo.root / path).read_bytes()
        except OSError:
            continue
        if scrub.is_in(data) or scrub.payload(data) != data:
            yield path


def _with_checkpoints(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        yield path
        folder, _, name = path.rpartition("/")
        yield f"{folder}/.ipynb_checkpoints/{name.removesuffix('.ipynb')}-checkpoint.ipynb".lstrip("/")


def _without(text: str, line: str) -> str:
    """Return a line about a place without the text: a name can hold it."""
    return Scrub(text).text(line)


__all__ = ["blocks_of", "edit_environment", "forget_text"]
