"""What `cellar pipeline cache` prints for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from nbcellar.cli import text
from nbcellar.cli.console import Console

if TYPE_CHECKING:
    from nbcellar.api.pipeline_result_views import (
        ArchivedResult,
        ClearedResults,
        ExportedResults,
        ImportedResults,
        KeptResult,
        KeptResults,
        ResultArchive,
        ResultSigner,
        ResultValue,
    )

_MOST_NAMES = 6
_LONGEST_REASON = 40
_WIDEST_NAME = 32


def format_kept(kept: KeptResults, console: Console) -> Iterator[str]:
    """Yield each component with its results."""
    for component in kept.components:
        where = f"cell {component.number}" if component.number is not None else "no component any more"
        yield f"{console.style(_name(component.name), 'bold')} ({where}): {_stand(component.cached, component.reason)}"
        for result in component.results:
            yield from _kept_lines(result, console)
    results = [result for component in kept.components for result in component.results]
    idle = sum(1 for result in results if not result.used)
    said = f"{text.plural(len(results), 'result')}, {text.size(kept.bytes)}"
    yield said + (f"; {idle} not used now" if idle else "")


def _stand(cached: bool, reason: str) -> str:
    if cached:
        return f"cached, {text.clean(reason)}" if reason else "cached"
    return f"would run: {text.clean(reason)}" if reason else "would run"


def _kept_lines(result: KeptResult, console: Console) -> Iterator[str]:
    mark, colour = ("used", "green") if result.used else ("good", "cyan") if result.good else ("old", "dim")
    size, seconds = text.size(result.bytes), text.seconds(result.seconds)
    yield (
        f"  {console.style(mark.ljust(4), colour)} {result.commit[:8]}  {console.ago(result.time)}, ran {seconds}, "
        f"{size}: {_values(result.values)}"
    )
    if result.reason:
        yield f"       {text.clean(result.reason)}"
    if result.signer.trust != "own" and result.signer.key not in result.reason:
        yield f"       signed by {_signer(result.signer)}"
    if result.others:
        yield f"       also of {text.names(result.others)}"


def format_archive(archive: ResultArchive, console: Console) -> Iterator[str]:
    """Yield what is in an archive."""
    yield (
        f"{text.clean(archive.file)}: {text.plural(len(archive.results), 'result')} of "
        f"{text.clean(archive.notebook)}, {text.size(archive.bytes)} ({text.size(archive.raw_bytes)} unpacked), checked"
    )
    author = f", as {text.clean(archive.author)}" if archive.author else ""
    yield f"signed by {_signer(archive.signer)}{author}, with {text.clean(archive.program)}"
    for result in archive.results:
        yield from _archived_lines(result, archive.signer, console)
    code = sorted({value.name for result in archive.results for value in result.values if value.runs_code})
    if code:
        yield f"* run code when they are loaded, as pickles do: only if the signer is trusted ({_names(code)})"


def _archived_lines(result: ArchivedResult, signer: ResultSigner, console: Console) -> Iterator[str]:
    yield (
        f"{console.style(_name(result.component), 'bold')}  {result.commit[:8]}  {console.ago(result.time)}, "
        f"ran {text.seconds(result.seconds)}: {_values(result.values)}"
    )
    told = [result.python]
    told += [f"{name} {version}" for name, version in sorted(result.distributions.items())]
    told += [f"parameter {name}" for name in sorted(result.parameters)]
    yield "  " + text.names([*told, *result.files], most=_MOST_NAMES)
    if result.signer.key != signer.key:
        yield f"  signed by {_signer(result.signer)}"


def format_exported(done: ExportedResults, console: Console) -> Iterator[str]:
    """Yield what was written and what was not."""
    archive = done.archive
    yield (
        f"wrote {text.clean(archive.file)}: {text.plural(len(archive.results), 'result')}, {text.size(archive.bytes)}, "
        f"signed by {archive.signer.key}"
    )
    for name, why in done.left_out.items():
        yield f"{console.style('left out', 'yellow')} {_name(name)}: {text.clean(why)}"
    yield from (f"note: {text.clean(note)}" for note in done.notes)


def format_secrets(done: ExportedResults) -> Iterator[str]:
    """Yield what looks like a secret in what was written."""
    if done.secrets:
        count = text.plural(len(done.secrets), "finding")
        yield f"{count} in {done.archive.file} may be secrets; look before you share it:"
        yield from (f"  {finding}" for finding in done.secrets)


def format_imported(done: ImportedResults, console: Console) -> Iterator[str]:
    """Yield what came in, and how the notebook stands."""
    archive = done.archive
    if done.trusted:
        yield f"trusted in this project from now on: {_names(done.trusted)}"
    known = len(archive.results) - done.new
    yield (
        f"imported {text.plural(done.new, 'result')} of {text.clean(archive.notebook)}"
        + (f" ({known} were here)" if known else "")
        + f", signed by {_signer(archive.signer)}"
    )
    if done.notebook is None:
        yield f"there is no {text.clean(archive.notebook)} here: they are used where code and values are the same"
        return
    total = len(done.cached) + len(done.runs)
    yield f"{text.clean(done.notebook)}: {len(done.cached)} of {text.plural(total, 'component')} cached"
    for name, why in done.runs.items():
        yield f"{console.style('would run', 'yellow')} {_name(name)}: {text.clean(why)}"


def format_cleared(done: ClearedResults, console: Console) -> Iterator[str]:
    """Yield what went."""
    verb = "would clear" if done.dry_run else "cleared"
    by_component: dict[str, list[KeptResult]] = {}
    for result in done.cleared:
        by_component.setdefault(result.component, []).append(result)
    for name, results in by_component.items():
        yield f"{verb} {text.plural(len(results), 'result')} of {console.style(_name(name), 'bold')}"
    for result in done.kept:
        yield f"kept {result.commit[:8]} of {_name(result.component)}: also of {text.names(result.others)}"
    if not done.cleared:
        yield "nothing to clear"
    else:
        yield f"{text.size(done.bytes)} " + ("would be freed by" if done.dry_run else "are freed by:") + " cellar gc"


def _signer(signer: ResultSigner) -> str:
    words = {"own": "your own key", "trusted": "trusted", "blocked": "blocked"}.get(signer.trust, "not trusted here")
    name = f" {text.clean(signer.name)}" if signer.name else ""
    return f"{signer.key}{name} ({words})"


def _values(values: Iterable[ResultValue]) -> str:
    shown = [
        f"{value.name}{'*' if value.runs_code else ''}"
        + (f" (not stored: {text.cut(value.reason, _LONGEST_REASON)})" if value.reason else "")
        for value in values
    ]
    return text.names(shown, most=_MOST_NAMES) if shown else "no values"


def _names(names: list[str]) -> str:
    return text.names(names, most=_MOST_NAMES)


def _name(name: str) -> str:
    return text.cut(text.clean(name), _WIDEST_NAME)


__all__ = ["format_archive", "format_cleared", "format_exported", "format_imported", "format_kept", "format_secrets"]
