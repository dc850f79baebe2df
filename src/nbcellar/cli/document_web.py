"""`cellar diff --web` and git's difftool: notebooks handed to the page of a server that runs for this alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nbcellar.cli.console import Console
from nbcellar.errors import InvalidInputError

if TYPE_CHECKING:
    from nbcellar.api.document_sources import Pair


def show_pairs(pairs: Iterable[Pair], console: Console, *, browser: bool = True) -> bool:
    """Show the pairs that differ until the page is done with; return whether there were any."""
    from nbcellar.cli.web_server import serving

    differ = [pair for pair in pairs if pair.before.data != pair.after.data]
    if not differ:
        console.notice("no difference")
        return False
    bodies = [_body(pair) for pair in differ]
    with serving(console.folder, console, task=True) as server:
        ids = [server.ask("hand-over", body)["id"] for body in bodies]
        query = {"view": "diff", "handed": ids[0]} if len(ids) == 1 else {"view": "handed"}
        server.show({**query, "wait": "1"}, console, browser=browser)
        server.wait()
    return True


def _body(pair: Pair) -> dict[str, str | None]:
    return {
        "path": "",
        "name": pair.name,
        "before_name": pair.before.name,
        "after_name": pair.after.name,
        "before": _text(pair.before.data, pair.before.name),
        "after": _text(pair.after.data, pair.after.name),
    }


def _text(data: bytes | None, name: str) -> str | None:
    if data is None:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{name} is no notebook: it is no UTF-8 at byte {error.start}") from None


__all__ = ["show_pairs"]
