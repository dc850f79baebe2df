"""What `cellar pipeline cache` gives back.

Invariant: as in `views.py`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from nbcellar.api.views import View


class ResultValue(msgspec.Struct, frozen=True, kw_only=True):
    """One name of a result. type, shape: as recorded; reason: why nothing is stored.

    runs_code: loading it imports or calls what its pickle names; null where that was not looked at.
    """

    name: str
    type: str
    shape: list[int] = []
    size_bytes: int = 0
    runs_code: bool | None = None
    reason: str = ""


class ResultSigner(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed. trust: "own", "trusted", "blocked" or "untrusted", in this project."""

    key: str
    name: str = ""
    trust: str


class KeptResult(msgspec.Struct, frozen=True, kw_only=True):
    """A result of a component. good: nothing that it depends on is other now, else `reason` says what.

    used: a run would take it. bytes: with what others share; own_bytes: without, so that much goes with it. others:
    notebooks of which a component had it last, too.
    """

    commit: str
    component: str
    cell: str
    time: datetime
    seconds: float
    bytes: int
    own_bytes: int
    values: list[ResultValue]
    signer: ResultSigner
    good: bool
    used: bool
    reason: str = ""
    others: list[str] = []


class KeptComponent(msgspec.Struct, frozen=True, kw_only=True):
    """A component and its results, the newest first. number: of its cell, from 1; null: it is no component any more.

    cached: a run would not run it; else reason says why it would.
    """

    name: str
    cell: str
    number: int | None
    cached: bool
    reason: str = ""
    results: list[KeptResult]


class KeptResults(View, frozen=True, kw_only=True):
    """`cellar pipeline cache ls NB --json`: components in the order of the document, then those that are none now.

    bytes: what all the results take together that nothing else shares.
    """

    notebook: str
    components: list[KeptComponent]
    bytes: int


class ClearedResults(View, frozen=True, kw_only=True):
    """`cellar pipeline cache clear --json`. bytes: what `cellar gc` frees; kept: results that others use."""

    notebook: str
    dry_run: bool
    cleared: list[KeptResult]
    kept: list[KeptResult]
    bytes: int


class ArchivedResult(msgspec.Struct, frozen=True, kw_only=True):
    """A result in an archive, and what it depends on: it is used where all of that is the same."""

    commit: str
    component: str
    cell: str
    time: datetime
    seconds: float
    values: list[ResultValue]
    signer: ResultSigner
    python: str
    parameters: dict[str, Any] = {}
    files: list[str] = []
    distributions: dict[str, str] = {}


class ResultArchive(View, frozen=True, kw_only=True):
    """What is in an archive, whose signature holds. bytes: of the file; raw_bytes: when it is unpacked.

    checked: all of it was read and is as its manifest says. notebook, author, program: as its maker says.
    """

    file: str
    bytes: int
    raw_bytes: int
    objects: int
    notebook: str
    structure: str
    author: str
    program: str
    signer: ResultSigner
    results: list[ArchivedResult]
    checked: bool


class ExportedResults(View, frozen=True, kw_only=True):
    """`cellar pipeline cache export --json`. left_out: component -> why.

    secrets: what looks like one in what was exported; notes: what whoever imports it should know.
    """

    archive: ResultArchive
    left_out: dict[str, str]
    secrets: list[str]
    notes: list[str]


class ImportedResults(View, frozen=True, kw_only=True):
    """`cellar pipeline cache import --json`. new: how many results were not there; trusted: keys that are from now on.

    notebook: whose components they are, null: none that is here; cached: those of its components that a run would not
    run now; runs: component -> why a run would run it.
    """

    archive: ResultArchive
    new: int
    trusted: list[str]
    notebook: str | None
    cached: list[str]
    runs: dict[str, str]


__all__ = [
    "ArchivedResult",
    "ClearedResults",
    "ExportedResults",
    "ImportedResults",
    "KeptComponent",
    "KeptResult",
    "KeptResults",
    "ResultArchive",
    "ResultSigner",
    "ResultValue",
]
