"""The extension of Jupyter Server, which is also the server of the stand-alone page."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.services.contents.fileio import FileManagerMixin
from jupyter_server.services.contents.manager import ContentsManager

from nbcellar.api.merging_handed import HandedMerges
from nbcellar.server import routes
from nbcellar.server.events import EventsHandler
from nbcellar.server.handlers import RouteHandler, UnknownHandler
from nbcellar.server.hub import Hub
from nbcellar.server.openapi import OpenApiHandler
from nbcellar.server.page import AssetHandler, PageHandler
from nbcellar.server.pipeline_runs import PipelineRuns, SpecOf
from nbcellar.server.places import Places
from nbcellar.server.presence import Presence
from nbcellar.server.reference import ReferenceHandler
from nbcellar.server.watch import Watch
from nbcellar.server.workers import Workers

SETTING = "nbcellar_service"
# For the answer that tells the page that it is over.
_FAREWELL_S = 0.3


class Service:
    """What handlers share for the life of the server."""

    def __init__(self, contents: ContentsManager, spec_of: SpecOf | None) -> None:
        self.hub = Hub()
        self.places = places_of(contents, self.hub, PipelineRuns(spec_of))
        self.workers = Workers()
        self.watch = Watch()
        self.presence = Presence()


def places_of(contents: ContentsManager, hub: Hub, runs: PipelineRuns) -> Places:
    """Return the places that a server shows, which its contents manager decides: it may have a folder of its own."""
    on_disk = isinstance(contents, FileManagerMixin)
    root = Path(contents.root_dir if on_disk else ".").expanduser()
    elsewhere = "" if on_disk else type(contents).__name__
    return Places(
        root,
        os.environ,
        hub.cancel,
        allow_hidden=contents.allow_hidden,
        elsewhere=elsewhere,
        merges=HandedMerges(os.environ),
        runs=runs,
        tell=hub.tell,
    )


class CellarServer(ExtensionApp):
    """Cellar's part of a Jupyter server."""

    name = "nbcellar"
    app_name = "Cellar"
    description = "Cellar in the browser: histories, differences and merges of notebooks."
    extension_url = "/nbcellar"
    default_url = "/nbcellar"
    load_other_extensions = False
    file_url_prefix = "nbcellar"

    @classmethod
    def get_extension_package(cls) -> str:
        """The module that names the extension; the package itself is loaded into kernels and knows nothing of it."""
        return "nbcellar.server"

    def initialize_settings(self) -> None:
        """Make what handlers share."""
        assert self.serverapp is not None
        specs = self.serverapp.kernel_spec_manager
        service = Service(self.serverapp.contents_manager, specs.get_kernel_spec if specs is not None else None)
        self.settings[SETTING] = service
        handed = service.places.merges
        if handed:  # a command waits for what comes of the page: without either, there is nothing to serve
            handed.on_end = self._finish
            service.presence.on_gone = handed.end_all
        if os.environ.get("NBCELLAR_TASK"):
            service.places.held.finish = self._finish

    def _finish(self) -> None:
        """End the server once its answer has left; from any thread."""
        server = self.serverapp
        assert server is not None
        loop = server.io_loop
        loop.add_callback(loop.call_later, _FAREWELL_S, server.stop)

    def initialize_handlers(self) -> None:
        """Register the routes, the events, the description of both, and the page."""
        handlers: list[tuple[Any, ...]] = [
            (rf"/nbcellar/api/{route.name}", RouteHandler, {"route": route}) for route in routes.ROUTES
        ]
        handlers += [
            (r"/nbcellar/api/events", EventsHandler),
            (r"/nbcellar/api/openapi\.json", OpenApiHandler),
            (r"/nbcellar/api/?", ReferenceHandler),
            (r"/nbcellar/api/.*", UnknownHandler),
            (r"/nbcellar/assets/(.*)", AssetHandler),
            (r"/nbcellar(?:/(.*))?", PageHandler),
        ]
        self.handlers.extend(handlers)

    async def stop_extension(self) -> None:
        """End the threads, and what runs."""
        service: Service = self.settings[SETTING]
        await asyncio.to_thread(service.places.runs.close)
        service.watch.close()
        service.workers.close()


__all__ = ["SETTING", "CellarServer", "Service"]
