"""What is kept of a notebook: settings made ready for use, and the metadata that is known to be noise.

Invariant: metadata that nobody knows is kept unless the settings say otherwise: another tool's notes are not ours to
delete (decision 0022).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate
from typing import Literal

import msgspec

from nbcellar.clean.model import Kind
from nbcellar.config.documents import Clean

RULES = 2
"""Grows when the same settings leave out more or less than before."""

_TIMES_OF_PAPERMILL = ("duration", "end_time", "exception", "start_time", "status")

# By the setting that keeps it; the places are those of nbstripout's options.
NOISE: dict[str, tuple[Kind, tuple[str, ...]]] = {
    "run_times": (
        "run time",
        (
            "cell.metadata.execution",  # JupyterLab, recordTiming
            "cell.metadata.ExecuteTime",  # the extension of that name
            "cell.metadata.executionInfo",  # Colab
            "cell.metadata.outputId",  # Colab, another one for each run
            "cell.metadata.execution_millis",  # Deepnote
            "cell.metadata.execution_start",
            "cell.metadata.deepnote_to_be_reexecuted",
            *(f"cell.metadata.papermill.{key}" for key in _TIMES_OF_PAPERMILL),
            *(f"metadata.papermill.{key}" for key in _TIMES_OF_PAPERMILL),
        ),
    ),
    "view_states": (
        "view state",
        (
            "cell.metadata.scrolled",
            "cell.metadata.hidden",
            "cell.metadata.heading_collapsed",
            "cell.metadata.jp-MarkdownHeadingCollapsed",
            "metadata.toc.toc_position",
            "metadata.varInspector",
        ),
    ),
    "kernel": ("kernel", ("metadata.language_info.version", "metadata.vscode.interpreter")),
    "widgets": ("widgets", ("metadata.widgets",)),
    # nbformat takes these out, too, when it writes: they are of one session or say what the file was.
    "": (
        "metadata",
        ("metadata.orig_nbformat", "metadata.orig_nbformat_minor", "metadata.signature", "cell.metadata.trusted"),
    ),
}

# Marks of a merge conflict that is not decided (`merge/marks.py`): without them it could be committed unnoticed.
_CONFLICT = "cell.metadata.cellar.conflict"


class Rules:
    """Settings, and questions about single places of a notebook's metadata."""

    def __init__(self, settings: Clean, *, keep: Iterable[str] = ()) -> None:
        """keep: places of metadata to be kept besides those of the settings."""
        self.settings = settings
        self._keep = tuple(keep)
        self._allowed = _any_of(settings.metadata)
        self._kept = _any_of((*settings.keep_metadata, *self._keep, _CONFLICT))
        self._dropped: list[tuple[re.Pattern[str], Kind]] = [(_any_of(settings.drop_metadata), "metadata")]
        places = [*settings.drop_metadata, *settings.keep_metadata, _CONFLICT]
        for setting, (kind, noise) in NOISE.items():
            if not (setting and getattr(settings, setting)):
                self._dropped.append((_any_of(noise), kind))
                places += noise
        self._heads = [place.partition("*")[0] for place in places]
        self._known: dict[str, Kind | None] = {}
        self._deeper: dict[str, bool] = {}

    @property
    def key(self) -> str:
        """Return a text that differs when the results of cleaning may differ."""
        from blake3 import blake3  # rarely needed here

        text = repr((RULES, self.settings, self._keep))
        return f"rules-{RULES}-{blake3(text.encode()).hexdigest()[:24]}"

    def with_layout(self, layout: Literal["jupyter", "keep"]) -> Rules:
        """Return the same rules for another layout."""
        return Rules(msgspec.structs.replace(self.settings, layout=layout), keep=self._keep)

    def dropped(self, place: str, *, top: bool) -> Kind | None:
        """Return why the metadata at a place (`cell.metadata.execution`) goes, None if it stays.

        top: the place is a key of the metadata itself; only these have to be allowed.
        """
        if place not in self._known:
            self._known[place] = self._decide(place, top)
        return self._known[place]

    def looks_deeper(self, place: str) -> bool:
        """Return whether settings name something below a place."""
        if place not in self._deeper:
            below = place + "."
            self._deeper[place] = any(head.startswith(below) or below.startswith(head) for head in self._heads)
        return self._deeper[place]

    def keeps(self, place: str) -> bool:
        """Return whether the settings name a place as one to keep."""
        return self._kept.fullmatch(place) is not None

    def _decide(self, place: str, top: bool) -> Kind | None:
        if self.keeps(place):
            return None
        if top and not self._allowed.fullmatch(place):
            return "metadata"
        return next((kind for pattern, kind in self._dropped if pattern.fullmatch(place)), None)


# Marks of a conflict are in there: without them it would be committed unnoticed.
_OWN = ("metadata.cellar", "cell.metadata.cellar")


def rules_for_commits(settings: Clean) -> Rules:
    """Return the rules by which git's filter cleans: outputs go unless the settings keep them by name.

    Cells, ids and the layout stay: what a merge brings into a file is taken from the commit, and a cell that is not in
    it could not be put back, nor be told from one that was deleted.
    """
    made = msgspec.structs.replace(
        settings,
        outputs=settings.outputs is True,
        ids="keep",
        layout="keep",
        drop_cell_tags=(),
        drop_empty_cells=False,
        on_save="auto",
    )
    return Rules(made, keep=_OWN)


def not_for_commits(settings: Clean) -> tuple[str, ...]:
    """Return the settings that are made and that `rules_for_commits` leaves to `cellar clean`."""
    given = {
        "ids": settings.ids != "keep",
        "drop_cell_tags": bool(settings.drop_cell_tags),
        "drop_empty_cells": settings.drop_empty_cells,
    }
    return tuple(name for name, is_set in given.items() if is_set)


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, patterns)) or r"(?!)")
