"""What a route is: name, method, what is asked, what is answered, and the function that does it.

Invariant: what changes something is a POST. A POST may also only read: a request that carries a notebook has no place
in an address.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from nbcellar.server.workers import Lane

Action = Literal["read", "write", "execute"]
"""What an authorizer of Jupyter Server is asked, about the resource "nbcellar"."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route, below `nbcellar/api/`. `does` is called in a thread of `lane`, with `Places` and a `takes`."""

    name: str
    method: Literal["GET", "POST"]
    takes: type
    gives: type
    does: Callable[..., Any]
    lane: Lane
    action: Action


def get(name: str, takes: type, gives: type, does: Callable[..., Any], lane: Lane = "read") -> Route:
    """Return a route that reads, its request in the address; one that asks a kernel how it stands is in "live"."""
    return Route(name, "GET", takes, gives, does, lane, "read")


def post(
    name: str,
    takes: type,
    gives: type,
    does: Callable[..., Any],
    lane: Lane = "live",
    *,
    action: Action = "write",
) -> Route:
    """Return a route with a body; one that asks a kernel is in the lane "live", and one that has it load values or run
    code needs the permission to "execute"."""
    return Route(name, "POST", takes, gives, does, lane, action)


__all__ = ["Action", "Route", "get", "post"]
