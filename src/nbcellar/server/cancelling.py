"""The route that takes back another request; see `handlers.py`."""

from __future__ import annotations

from nbcellar.server.messages import AskedToCancel, ToBeCancelled
from nbcellar.server.places import Places
from nbcellar.server.route import Route, post


def cancel(places: Places, asked: AskedToCancel) -> ToBeCancelled:
    """Take back a request that is on its way."""
    return ToBeCancelled(found=places.cancel(asked.request))


ROUTES: tuple[Route, ...] = (post("cancel", AskedToCancel, ToBeCancelled, cancel, "read", action="execute"),)

__all__ = ["ROUTES"]
