"""The routes about archives of results: writing one beside a notebook, looking into one, taking one in.

Invariant: an archive is read and written below the server's root only, nothing of it is loaded, and its signers are
trusted only where the request names them by their whole fingerprints. What is no archive is not written over.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import msgspec

from nbcellar.api.pipeline_archives import export_results, holds_results, import_results, look_into_results
from nbcellar.api.pipeline_result_views import ExportedResults, ResultArchive
from nbcellar.errors import (
    AlreadyExistsError,
    CorruptStoreError,
    InvalidInputError,
    NotFoundError,
    StoreUnavailableError,
    UnsupportedFormatError,
)
from nbcellar.server import pipeline_results_messages as messages
from nbcellar.server.pipelines import kernel_of
from nbcellar.server.places import Place, Places
from nbcellar.server.route import Route, get, post

_ENDING = ".tar.gz"
_LONGEST_NAME_BYTES = 255
# Written once, by another interpreter: gigabytes may take minutes.
_EXPORT_S = 1800.0


def export(places: Places, asked: messages.ExportedResultsAsked) -> messages.ResultsExported:
    """Write the results that a run of a notebook's file would take now into an archive beside it."""
    place = _saved(places, asked.path)
    target = _target(places, place, asked.path, asked.name)
    if target.file.is_file() and target.file.stat().st_size:
        if not holds_results(target.file):
            raise InvalidInputError(
                f"{asked.name} is there and is no archive of results: it is not written over", hint="give another name"
            )
        if not asked.replace:
            raise AlreadyExistsError(f"there is an archive {asked.name} already", hint="give another name")
    kernel = kernel_of(place, asked.kernel)
    if places.runs.is_own(kernel):
        done = export_results(place.file, target.file, folder=place.folder)
    else:
        done = _export_elsewhere(places, place, target.file.name, kernel)
    hide = places.hide
    return messages.ResultsExported(
        archive=_shown(places, done.archive, places.path_of(target.file)),
        left_out={name: hide(why) for name, why in done.left_out.items()},
        secrets=[hide(found) for found in done.secrets],
        notes=[hide(note) for note in done.notes],
    )


def look(places: Places, asked: messages.LookedIntoAsked) -> ResultArchive:
    """Return what is in an archive and who signed it, all of it checked; nothing is loaded or kept."""
    place = places.notebook(asked.path)
    with place.open():
        pass  # who is trusted is a matter of the repository
    archive = places.find(asked.archive)
    with _about_archive(archive.file):
        return _shown(places, look_into_results(archive.file, folder=place.folder), asked.archive)


def take_in(places: Places, asked: messages.ImportedResultsAsked) -> messages.ResultsImported:
    """Take the results of an archive into the repository of a notebook, all of them or none."""
    place = _saved(places, asked.path)
    archive = places.find(asked.archive)
    with _about_archive(archive.file):
        done = import_results(archive.file, place.file, trust=asked.trust, folder=place.folder)
    known = len(done.archive.results) - done.new
    return messages.ResultsImported(new=done.new, known=known, trusted=done.trusted)


def _saved(places: Places, path: str) -> Place:
    """Return a notebook that is a file in a repository."""
    place = places.notebook(path)
    if not place.file.is_file():
        raise NotFoundError(f"{path} is not there", hint="save the notebook first")
    with place.open():
        return place


def _target(places: Places, place: Place, path: str, name: str) -> Place:
    """Return the place of an archive beside a notebook. Raises InvalidInputError for what is no name of one."""
    is_plain = name == PurePosixPath(name).name and "\\" not in name and not name.startswith(".")
    if not is_plain or not name.endswith(_ENDING) or not name.isprintable():
        raise InvalidInputError(f"{name!r} is no name of an archive", hint=f"a plain name, as in results{_ENDING}")
    if len(name.encode("utf-8", "surrogatepass")) > _LONGEST_NAME_BYTES:
        raise InvalidInputError(f"a name of {len(name)} characters is too long")
    target = places.find(str(PurePosixPath(path).parent / name))
    if target.file.parent.resolve() != place.folder.resolve() or target.file.is_symlink():
        raise InvalidInputError(f"{name} is a link: it is not written over", hint="give another name")
    if target.file.exists() and not target.file.is_file():
        raise InvalidInputError(f"{name} is no file: it is not written over", hint="give another name")
    return target


def _export_elsewhere(places: Places, place: Place, name: str, kernel: str) -> ExportedResults:
    """Export in the environment of another kernel: what a result depends on is known there."""
    words = ["pipeline", "cache", "export", "--json", "-o", f".{os.sep}{name}", "--", f".{os.sep}{place.file.name}"]
    told = places.runs.ask(place.file, words, kernel, places.environ, answer_s=_EXPORT_S)
    try:
        return msgspec.json.decode(told, type=ExportedResults)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise StoreUnavailableError("the environment of the kernel has another version of Cellar") from None


@contextlib.contextmanager
def _about_archive(file: Path) -> Iterator[None]:
    """Make what is wrong with an archive a refusal; what is wrong with the repository stays what it is."""
    try:
        yield
    except CorruptStoreError as error:
        if error.message.startswith(str(file)):
            raise InvalidInputError(f"{error.message}; nothing was imported", hint=error.hint) from error
        raise
    except UnsupportedFormatError as error:  # the archive's: the repository was opened before
        raise InvalidInputError(f"{file}: {error.message}; nothing was imported", hint=error.hint) from error


def _shown(places: Places, archive: ResultArchive, path: str) -> ResultArchive:
    results = [
        msgspec.structs.replace(result, files=[places.hide(file) for file in result.files])
        for result in archive.results
    ]
    return msgspec.structs.replace(archive, file=path, results=results)


ROUTES: tuple[Route, ...] = (
    post("pipeline-results-export", messages.ExportedResultsAsked, messages.ResultsExported, export, "compute"),
    get("pipeline-results-look", messages.LookedIntoAsked, ResultArchive, look, "compute"),
    # Values of a trusted signer are loaded from then on, and what is loaded can run code.
    post(
        "pipeline-results-import",
        messages.ImportedResultsAsked,
        messages.ResultsImported,
        take_in,
        "compute",
        action="execute",
    ),
)

__all__ = ["ROUTES"]
