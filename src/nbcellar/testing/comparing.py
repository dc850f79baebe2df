"""What a cell shows now, compared with what is stored.

Invariant: pure. Execution counts, tracebacks, metadata of outputs, the pieces in which a stream came and how two
streams took turns never count; what `diff` calls noise does not, nor do numbers within the tolerance; everything else
does, unless rules leave it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from nbcellar.diff.document.changes import OutputChange
from nbcellar.diff.document.outputs.model import OutputSettings
from nbcellar.diff.document.results import compare_outputs
from nbcellar.notebook.model import JsonObject
from nbcellar.notebook.plain import output_to_plain
from nbcellar.testing.rules import Rules
from nbcellar.testing.sanitizing import Replacement, sanitize, sanitize_bundle

_STREAMS = ("stdout", "stderr")


def compare_results(
    stored: Sequence[JsonObject], found: Sequence[JsonObject], rules: Rules, replacements: Sequence[Replacement] = ()
) -> list[OutputChange]:
    """Return what differs, in the order of `found`; nothing if all is as it was."""
    old, new = (prepare_outputs(outputs, rules, replacements) for outputs in (stored, found))
    settings = OutputSettings(absolute=rules.absolute, relative=rules.relative, draw=False)
    return [change for change in compare_outputs(old, new, settings) if not change.only_noise]


def prepare_outputs(
    outputs: Sequence[JsonObject], rules: Rules, replacements: Sequence[Replacement] = ()
) -> list[JsonObject]:
    """Return outputs with what counts alone, each text in one piece."""
    found = []
    for output in _in_one_piece(outputs):
        kept = _kept(output, rules, replacements)
        if kept is not None:
            found.append(kept)
    return found


def _in_one_piece(outputs: Sequence[JsonObject]) -> list[JsonObject]:
    """Return outputs with streams between two others joined by name, stdout first: how they take turns is chance."""
    found: list[JsonObject] = []
    open: dict[str, JsonObject] = {}
    for raw in outputs:
        output = output_to_plain(raw)
        if output.get("output_type") == "stream" and isinstance(output.get("text"), str):
            name = str(output.get("name"))
            text = open[name]["text"] if name in open else ""
            open[name] = {"output_type": "stream", "name": name, "text": text + output["text"]}
            continue
        found += _streams(open)
        open = {}
        found.append(output)
    return found + _streams(open)


def _streams(open: dict[str, JsonObject]) -> list[JsonObject]:
    return [open[name] for name in sorted(open, key=lambda name: (name != _STREAMS[0], name))]


def _kept(output: JsonObject, rules: Rules, replacements: Sequence[Replacement]) -> JsonObject | None:
    kind = output.get("output_type")
    if kind == "stream":
        if _is_ignored(str(output.get("name")), rules) or not output["text"]:
            return None
        return {**output, "text": sanitize(output["text"], replacements)}
    if kind == "error":
        if _is_ignored("error", rules):
            return None
        value = sanitize(output.get("evalue"), replacements)
        return {"output_type": "error", "ename": output.get("ename"), "evalue": value, "traceback": []}
    data = output.get("data")
    if not isinstance(data, dict):
        return output
    kept = {mime: value for mime, value in data.items() if not _is_ignored(mime, rules)}
    if not kept:
        return None
    found: JsonObject = {"output_type": kind, "data": sanitize_bundle(kept, replacements), "metadata": {}}
    return {**found, "execution_count": None} if kind == "execute_result" else found


def _is_ignored(name: str, rules: Rules) -> bool:
    """Return what the last pattern that fits says; one with "!" before it says that it counts."""
    said = [pattern for pattern in rules.ignore if fnmatchcase(name, pattern.removeprefix("!"))]
    return bool(said) and not said[-1].startswith("!")


__all__ = ["compare_results", "prepare_outputs"]
