"""Requests about archives of results, and their answers. See `messages.py`."""

from __future__ import annotations

from typing import Annotated

import msgspec

from nbcellar.api.pipeline_result_views import ResultArchive
from nbcellar.server.messages import Asked

Fingerprint = Annotated[str, msgspec.Meta(pattern="^[a-z2-7]{6}(-[a-z2-7]{6}){3}$")]
"""A whole one, as answers have it: a beginning may fit another key as well."""


class ExportedResultsAsked(Asked, frozen=True, kw_only=True):
    """Write the results of a notebook's file into an archive beside it.

    name: of the archive, `NAME.tar.gz`. replace: an archive of this name is written over. kernel: the kernelspec in
    whose environment they are results, "" for the one that the file names.
    """

    name: str
    replace: bool = False
    kernel: str = ""


class LookedIntoAsked(Asked, frozen=True, kw_only=True):
    """Look into an archive, for a notebook. archive: its path, as `path`."""

    archive: str


class ImportedResultsAsked(LookedIntoAsked, frozen=True, kw_only=True):
    """Take the results of an archive in. trust: signers who are trusted in this project from then on."""

    trust: list[Fingerprint] = msgspec.field(default_factory=list)


class ResultsExported(msgspec.Struct, frozen=True, kw_only=True):
    """What was written. left_out: component -> why; secrets: what looks like one in it; notes: what its reader should
    know."""

    archive: ResultArchive
    left_out: dict[str, str]
    secrets: list[str]
    notes: list[str]


class ResultsImported(msgspec.Struct, frozen=True, kw_only=True):
    """How many results came in, how many had been here, and who is trusted from now on."""

    new: int
    known: int
    trusted: list[str]


__all__ = [
    "ExportedResultsAsked",
    "Fingerprint",
    "ImportedResultsAsked",
    "LookedIntoAsked",
    "ResultsExported",
    "ResultsImported",
]
