"""All routes, from the modules that hold them."""

from __future__ import annotations

from nbcellar.server import cancelling, documents, gits, history, merges, opened, pipeline_results, pipelines, session
from nbcellar.server.route import Route

ROUTES: tuple[Route, ...] = (
    *cancelling.ROUTES,
    *documents.ROUTES,
    *gits.ROUTES,
    *history.ROUTES,
    *merges.ROUTES,
    *opened.ROUTES,
    *pipelines.ROUTES,
    *pipeline_results.ROUTES,
    *session.ROUTES,
)

__all__ = ["ROUTES"]
