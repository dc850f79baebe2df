"""`cellar merge-file --web` and git's mergetool: a merge handed to the page of a server that runs for this alone."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nbcellar.cli.console import Console

if TYPE_CHECKING:
    from nbcellar.api.merging_handed import GivenMerge, MergeOutcome

_WHETHER = "CELLAR_PAGE"


def has_browser(environ: Mapping[str, str]) -> bool:
    """Return whether a page can be shown: there are a screen and a server to send it, and nobody forbade it."""
    if environ.get(_WHETHER) == "never" or importlib.util.find_spec("jupyter_server") is None:
        return False
    if environ.get("BROWSER") or sys.platform == "darwin" or os.name == "nt":
        return True
    return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def show_merge(merge: GivenMerge, console: Console) -> MergeOutcome | None:
    """Show a merge until it is closed in the page; return how it ended, None where it was interrupted.

    Raises what `serving` raises.
    """
    from nbcellar.api.merging_handed import VARIABLE, hand_over, outcome_of
    from nbcellar.cli.web_server import serving

    with tempfile.TemporaryDirectory(prefix="cellar-") as name:
        private = Path(name)
        empty = private / "root"  # the server has no other files to show
        empty.mkdir()
        id_ = hand_over(private, merge)
        with serving(empty, console._replace(environ={**console.environ, VARIABLE: name})) as server:
            server.show({"view": "merge", "given": id_}, console, browser=has_browser(console.environ))
            server.wait()
        return outcome_of(private, id_)


__all__ = ["has_browser", "show_merge"]
