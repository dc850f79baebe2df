"""The routes of the panels History and Variables."""

from __future__ import annotations

from nbcellar.api import entries, history_views, lifelines, views
from nbcellar.server import history_messages as messages
from nbcellar.server.places import Places
from nbcellar.server.route import Route, get, post
from nbcellar.server.session_messages import AskedRef


def history(places: Places, asked: messages.AskedEntries) -> history_views.History:
    """Return a stretch of the history, or what came since."""
    with places.find(asked.path).open() as repo:
        return entries.history(
            repo, skip=asked.skip, limit=min(asked.limit, _MOST), have=asked.have, digest=asked.digest
        )


def state(places: Places, asked: AskedRef) -> history_views.StateOf:
    """Return the variables of a commit and where they were recorded."""
    with places.find(asked.path).open() as repo:
        return entries.state(repo, asked.ref)


def lines(places: Places, asked: AskedRef) -> history_views.Lifelines:
    """Return when the variables of a commit changed."""
    with places.find(asked.path).open() as repo:
        return lifelines.lifelines(repo, asked.ref)


def undo_to(places: Places, asked: messages.UndoTo) -> views.SessionChange:
    """Take back cell runs down to a commit."""
    with places.find(asked.path).open() as repo:
        return entries.undo_to(repo, asked.ref, without=asked.without, replay=asked.replay)


_MOST = 5000

ROUTES: tuple[Route, ...] = (
    get("history", messages.AskedEntries, history_views.History, history),
    get("state", AskedRef, history_views.StateOf, state),
    get("lifelines", AskedRef, history_views.Lifelines, lines, "compute"),
    post("undo-to", messages.UndoTo, views.SessionChange, undo_to, action="execute"),
)

__all__ = ["ROUTES"]
