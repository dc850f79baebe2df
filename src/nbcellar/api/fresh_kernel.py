"""Starting a kernel for one notebook, and ending it: what `cellar run` and the tests of notebooks have in common.

Invariant: a kernel that was started here ends with the block it was started for, by request as long as it answers.
Not for: what is run in it, and whether it records.
"""

from __future__ import annotations

import atexit
import contextlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbcellar.api.doctor import kernel_specs
from nbcellar.errors import InvalidInputError

_STARTUP_TIMEOUT_S = 60
# Two processes that start kernels at a time may choose the same free port; the second of the kernels dies of it.
_STARTS, _DIED = 3, "died before replying"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_LINES = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (r"Cell In\s*\[\d+\], line (\d+)", r"Cell In\s*\[\d+\]:(\d+)", r"^-+> (\d+)")
)


def make_client(node: Any, *, kernel_name: str, folder: Path) -> Any:
    """Return nbclient's client for a notebook (as nbformat has it); its cells may take any time."""
    from jupyter_client.manager import KernelManager
    from nbclient import NotebookClient
    from traitlets.config import Config

    config = Config()
    if hasattr(KernelManager, "transport_encryption"):  # kernels that can encrypt complain when they need not
        config.KernelManager.transport_encryption = "auto"
    return NotebookClient(
        node,
        config=config,
        timeout=None,
        startup_timeout=_STARTUP_TIMEOUT_S,
        kernel_name=kernel_name,
        resources={"metadata": {"path": str(folder)}},
    )


@contextlib.asynccontextmanager
async def running(node: Any, *, kernel_name: str, environ: Mapping[str, str], folder: Path) -> AsyncIterator[Any]:
    """Start a notebook's kernel for the time of a block; yield nbclient's client.

    One that dies at its start is started again.
    """
    async with contextlib.AsyncExitStack() as stack:
        for left in reversed(range(_STARTS)):
            client = make_client(node, kernel_name=kernel_name, folder=folder)
            try:
                await stack.enter_async_context(_started(client, environ=environ, folder=folder))
                break
            except RuntimeError as error:
                if not left or _DIED not in str(error):
                    raise
        yield client


@contextlib.asynccontextmanager
async def _started(client: Any, *, environ: Mapping[str, str], folder: Path) -> AsyncIterator[None]:
    """Start the client's kernel for the time of a block."""
    try:
        async with client.async_setup_kernel(env=dict(environ), cwd=str(folder)):
            yield
            await _end(client.km)
    finally:
        # nbclient leaves it behind when the kernel does not start, where it fails at the end of this process.
        atexit.unregister(client._cleanup_kernel)


async def _end(kernel: Any) -> None:
    """End a kernel by request. nbclient interrupts it first, and an idle kernel complains of that on the terminal."""
    with contextlib.suppress(Exception):  # then nbclient ends it in its own way
        await kernel.request_shutdown()
        await kernel.finish_shutdown()


def unknown_kernel(path: Path, name: str, environ: Mapping[str, str], otherwise: str = "") -> InvalidInputError:
    """Return the error for a notebook whose kernel is not installed; `otherwise`: what else one can do."""
    known = ", ".join(spec.name for spec in kernel_specs(environ)) or "none"
    return InvalidInputError(
        f"{path.name} wants the kernel '{name}', which is not installed",
        hint=f"installed kernels: {known}; choose one in Jupyter, or {otherwise or 'install that one'}",
    )


def line_in(traceback: Sequence[str]) -> int:
    """Return the cell's line in IPython's traceback, 0 when it does not say."""
    text = _COLOURS.sub("", "\n".join(map(str, traceback)))
    found = next((match for pattern in _LINES if (match := pattern.search(text))), None)
    return int(found[1]) if found else 0


__all__ = ["line_in", "make_client", "running", "unknown_kernel"]
