"""What is shown of an archive of results: of the manifest, which its signature holds.

Invariant: names and words are as their maker wrote them; whoever prints them cleans them. Not for: reading archives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from nbcellar.api.describe import moment
from nbcellar.api.pipeline_result_views import ArchivedResult, ResultArchive, ResultValue
from nbcellar.api.pipeline_results import left_out_view

if TYPE_CHECKING:
    from nbcellar.api.result_signers import Signers
    from nbcellar.pipeline.archive_format import Entry
    from nbcellar.pipeline.archive_import import Opened


def archive_view(shown: str, size: int, opened: Opened, signers: Signers, *, checked: bool) -> ResultArchive:
    """Return what is shown of an archive. shown: its name; size: of the file; checked: all of it was read."""
    manifest = opened.manifest
    return ResultArchive(
        file=shown,
        bytes=size,
        raw_bytes=manifest.size_bytes,
        objects=len(manifest.objects),
        notebook=manifest.notebook,
        structure=manifest.structure,
        author=manifest.made_by.author,
        program=manifest.made_by.program,
        signer=signers(opened.signer),
        results=[_result_view(entry, signers) for entry in manifest.entries],
        checked=checked,
    )


def _result_view(entry: Entry, signers: Signers) -> ArchivedResult:
    from nbcellar.pipeline.model import Facts

    facts = msgspec.convert(entry.facts, Facts)
    values = [
        ResultValue(
            name=name,
            type=value.type,
            shape=list(value.shape),
            size_bytes=value.size_bytes,
            runs_code=value.runs_code if value.digest else None,
            reason=value.reason,
        )
        for name, value in entry.values.items()
    ]
    parameters: Mapping[str, Any] = facts.parameters
    return ArchivedResult(
        commit=entry.commit,
        component=entry.component,
        cell=entry.cell,
        time=moment(entry.time_ns),
        seconds=entry.seconds,
        values=[*values, *left_out_view(facts, entry.values)],
        signer=signers(bytes.fromhex(entry.signer)),
        python=facts.python,
        parameters=dict(parameters),
        files=sorted({*facts.files, *facts.folders, *facts.written, *facts.modules}),
        distributions=dict(facts.distributions),
    )


__all__ = ["archive_view"]
