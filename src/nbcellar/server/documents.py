"""The routes about notebooks as documents: comparing two, choosing what to compare, and what changed in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbcellar.api import document_revisions as listing
from nbcellar.api.code import document
from nbcellar.api.document_rows import rows_of
from nbcellar.api.document_sources import Document, Given, InGit, Pair, Recorded, Side, Sources
from nbcellar.api.documents import compare_pair
from nbcellar.api.editors import from_editor
from nbcellar.api.jupyter_trust import is_trusted
from nbcellar.api.notebook_files import read_bytes
from nbcellar.api.pipeline_panel import PipelineDifference, difference_of, pipeline_state
from nbcellar.api.shown_outputs import shown_outputs
from nbcellar.diff.document.filters import Filters
from nbcellar.diff.document.noise import join_streams
from nbcellar.diff.texts import compare_texts
from nbcellar.errors import CellarError, InvalidInputError, NotFoundError, UnsupportedFormatError
from nbcellar.git.revisions import Place as InRevision
from nbcellar.notebook.codec import write
from nbcellar.notebook.model import Cell
from nbcellar.server import documents_messages as messages
from nbcellar.server.messages import Asked, Done
from nbcellar.server.places import Place, Places
from nbcellar.server.route import Route, get, post

_MOST_RAW_LINES = 5_000
_MOST_CELLS = 500


def compare(places: Places, asked: messages.AskedDocuments) -> messages.DocumentDiff:
    """Compare two notebooks cell by cell; answers in rows to draw, with outputs where they changed."""
    pair = places.held.handed.get(asked.handed) if asked.handed else _pair(places, asked)
    with _as_invalid_input():
        diff = compare_pair(pair, Filters(pictures=False))
        rows = rows_of(diff)
    return messages.DocumentDiff(
        id=places.held.comparisons.put((pair, diff), instead=asked.instead),
        name=pair.name,
        language=diff.after.language or diff.before.language,
        before_side=_side_found(pair.before, places),
        after_side=_side_found(pair.after, places),
        changes=rows.changes,
        rows=rows.rows,
        before=rows.before,
        after=rows.after,
        pipeline=pipeline_state(diff.before, diff.after),
    )


def outputs(places: Places, asked: messages.AskedOutputs) -> messages.Outputs:
    """Return outputs of some cells of a comparison."""
    _, diff = places.held.comparisons.get(asked.id)
    cells = (diff.before if asked.side == "before" else diff.after).cells
    wanted = [int(word) for word in asked.cells.split(",") if word.isdecimal() and len(word) < 9][:_MOST_CELLS]
    found = [(place, cells[place]) for place in wanted if place < len(cells)]
    return messages.Outputs(
        cells=[
            messages.CellOutputs(
                place=place, shown=shown_outputs(cell.outputs), raw=_plain_outputs(cell) if asked.raw else []
            )
            for place, cell in found
        ]
    )


def raw(places: Places, asked: messages.AskedRaw) -> messages.RawDiff:
    """Return the lines in which the texts of two compared files differ."""
    pair, _ = places.held.comparisons.get(asked.id)
    before, after = ((side.data or b"").decode("utf-8", "replace") for side in (pair.before, pair.after))
    return messages.RawDiff(text=compare_texts(before, after, context=3, most=_MOST_RAW_LINES))


def pipeline(places: Places, asked: messages.AskedRaw) -> PipelineDifference:
    """Return the pipelines of both sides of a comparison as one picture."""
    pair, _ = places.held.comparisons.get(asked.id)
    with _as_invalid_input():
        return difference_of(pair)


def revisions(places: Places, asked: Asked) -> listing.Revisions:
    """Return the versions of a notebook that it can be compared with."""
    place = places.find(asked.path)
    return listing.revisions(place.file, place.environ)


def notebooks(places: Places, asked: Asked) -> listing.NotebookStates:
    """Return the notebooks below a folder, and what changed in each since git's HEAD."""
    place = places.find(asked.path)
    if not place.file.is_dir():
        raise NotFoundError(f"{asked.path or '/'} is no folder")
    return listing.notebook_states(place.folder, place.environ)


def hand_over(places: Places, asked: messages.HandOver) -> messages.Handed:
    """Keep two versions of a notebook for the page that a command opens."""
    sides = [
        Document(name, None if text is None else text.encode("utf-8", "surrogateescape"))
        for name, text in ((asked.before_name, asked.before), (asked.after_name, asked.after))
    ]
    return messages.Handed(id=places.held.handed.put(Pair(asked.name, *sides)))


def handed(places: Places, asked: Asked) -> messages.HandedPairs:
    """Return what commands handed over, with what changed in each."""
    return messages.HandedPairs(
        pairs=[
            messages.HandedPair(id=name, name=pair.name, summary=_summary(pair))
            for name, pair in places.held.handed.all()
        ]
    )


def finish(places: Places, asked: Asked) -> Done:
    """End the server of a command that waits for its page."""
    if places.held.finish is None:
        raise NotFoundError("no command waits for this page")
    places.held.finish()
    return Done()


def _summary(pair: Pair) -> str:
    try:
        return compare_pair(pair, Filters(pictures=False)).changes.summary or "no difference"
    except (CellarError, RecursionError) as error:
        return str(error)


def _pair(places: Places, asked: messages.AskedDocuments) -> Pair:
    if asked.before is None or asked.after is None:
        raise InvalidInputError("a comparison has two sides, before and after")
    place = places.find(asked.path)
    sources = Sources(place.folder, place.environ)
    return sources.pair(*(_side(side, places, place) for side in (asked.before, asked.after)))


def _side(side: messages.AskedSide, places: Places, about: Place) -> Side:
    place = places.find(side.path) if side.path is not None else about
    name = side.path if side.path is not None else _name(place)
    if side.kind == "open":
        return Given(name=name, data=write(from_editor(side.notebook or {})), path=place.file)
    if side.kind == "file":
        return Given(name=name, data=_read(place.file, name), path=place.file)
    if side.kind == "nothing":
        return Given(name=name, data=None)
    if side.kind == "git":
        path = Sources(about.folder, about.environ).repository.path_of(place.file)
        return InGit(InRevision(side.revision, path), f"git:{side.revision or ''}:{path}")
    with place.open() as repo:
        ref = side.revision or "HEAD"
        return Recorded(f"{name}@{ref}", document(repo.repository, repo.resolve(ref)))


def _read(file: Path, name: str) -> bytes:
    try:
        return read_bytes(str(file), file.parent)
    except NotFoundError:
        raise NotFoundError(f"no file {name}", hint="it was moved or deleted meanwhile") from None


def _name(place: Place) -> str:
    return Path(os.path.relpath(place.file, place.root)).as_posix()


def _side_found(side: Document, places: Places) -> messages.DocumentSide:
    trusted = side.data is not None and is_trusted(side.data, places.environ)
    return messages.DocumentSide(name=side.name, is_there=side.data is not None, trusted=trusted)


def _plain_outputs(cell: Cell) -> list[dict[str, object]]:
    """Return outputs as nbformat has them, one for each that is shown: what a stream wrote in pieces is one."""
    return [output for _, output in join_streams(cell.outputs or ())]


@contextmanager
def _as_invalid_input() -> Iterator[None]:
    """Make of a file that is no notebook of ours what it is for who asks: wrong input."""
    try:
        yield
    except UnsupportedFormatError as error:
        raise InvalidInputError(error.message, hint=error.hint) from error
    except RecursionError:
        raise InvalidInputError("this notebook is nested too deeply to be compared") from None


ROUTES: tuple[Route, ...] = (
    post("diff", messages.AskedDocuments, messages.DocumentDiff, compare, "compute", action="read"),
    get("diff-outputs", messages.AskedOutputs, messages.Outputs, outputs),
    get("diff-raw", messages.AskedRaw, messages.RawDiff, raw, "compute"),
    get("diff-pipeline", messages.AskedRaw, PipelineDifference, pipeline, "compute"),
    get("revisions", Asked, listing.Revisions, revisions),
    get("notebooks", Asked, listing.NotebookStates, notebooks, "compute"),
    post("hand-over", messages.HandOver, messages.Handed, hand_over, "read"),
    get("handed", Asked, messages.HandedPairs, handed, "compute"),
    post("finish", Asked, Done, finish, "read"),
)

__all__ = ["ROUTES"]
