"""What a command writes to and knows of its surroundings: streams, colours, clock, folder, environment.

Invariant: commands reach the world outside only through a `Console`, so that the same command runs in a terminal, as a
`%cellar` line in a kernel, and in a test with a fixed clock.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

if TYPE_CHECKING:
    from nbcellar.api import Repo
    from nbcellar.api.kernels import Requests

_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}


# A named tuple: dataclasses load inspect, a tenth of what `cellar git textconv` may take to start.
class Console(NamedTuple):
    """Surroundings of one command.

    `kernel_requests` is how the session is reached; None: through the connection files of live kernels. `notebook` is
    the notebook that is meant when the command names none: the one whose kernel runs the command.
    """

    out: TextIO
    err: TextIO
    environ: Mapping[str, str]
    folder: Path
    color: bool = False
    width: int = 100
    clock: Callable[[], int] = time.time_ns
    kernel_requests: Requests | None = None
    notebook: str | None = None
    live_progress: bool = False
    options: Mapping[str, Any] = MappingProxyType({})

    def print(self, text: str = "") -> None:
        """Write a line of result."""
        self.out.write(text + "\n")

    def notice(self, text: str) -> None:
        """Write a line beside the result: progress, warnings, hints. Of escape sequences only colours get through."""
        from nbcellar.cli.text import clean, without_tricks

        self.err.write((without_tricks(text) if self.color else clean(text)) + "\n")
        self.err.flush()

    def json(self, value: object) -> None:
        """Write one JSON document."""
        import msgspec

        text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
        if not _can_write(self.out, text):
            import json

            text = json.dumps(json.loads(text), indent=2)  # \u2026: the same document in ASCII
        self.print(text)

    def style(self, text: str, *names: str) -> str:
        """Return `text` in colours, if there are any."""
        if not self.color or not text:
            return text
        return f"\x1b[{';'.join(_CODES[name] for name in names)}m{text}\x1b[0m"

    def with_options(self, **options: Any) -> Console:
        """Return this console with options that stood before the command's name."""
        return self.but(options={**self.options, **options})

    def but(self, **changes: Any) -> Console:
        """Return this console with some of its surroundings changed."""
        return self._replace(**changes)

    def open_repo(self) -> Repo:
        """Return the repository of the folder the command is about. Raises NoRepositoryError."""
        from nbcellar.api import open_repo

        return open_repo(
            self.folder,
            environ=self.environ,
            kernel_requests=self.kernel_requests,
            notice=self.notice,
            clock=self.clock,
            notebook=self.options.get("notebook") or self.notebook,
        )

    @property
    def can_ask(self) -> bool:
        """Whether somebody sits before a terminal who can answer a question."""
        return self.kernel_requests is None and _is_terminal(sys.stdin) and _is_terminal(self.err)

    def confirm(self, question: str) -> bool:
        """Ask, and return whether the answer is yes."""
        self.err.write(f"{question} [y/N] ")
        self.err.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def ago(self, moment: datetime) -> str:
        """Return how long ago a moment was, as `git log` words it."""
        seconds = int(self.clock() / 1e9 - moment.timestamp())
        if seconds < 0:
            return "in the future"
        for unit, size, limit in _UNITS:
            if seconds < limit:
                count = max(seconds // size, 0)
                return f"{count} {unit}{'' if count == 1 else 's'} ago"
        return moment.astimezone(timezone.utc).strftime("%Y-%m-%d")


def _can_write(stream: TextIO, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeError:
        return False
    return True


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def find_cellar_folder(folder: Path) -> Path | None:
    """Return the nearest `.cellar`, in `folder` or above; None where there is none."""
    folder = folder.absolute()
    return next((found for at in (folder, *folder.parents) if (found := at / ".cellar").is_dir()), None)


_UNITS = (("second", 1, 90), ("minute", 60, 5400), ("hour", 3600, 129_600), ("day", 86_400, 86_400 * 14))
