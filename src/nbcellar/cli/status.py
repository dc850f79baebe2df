"""What is recorded here, what is off and why, and which kernels are live."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import msgspec

from nbcellar.api.views import Kernel, NotebookLine, Status
from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console
from nbcellar.cli.log import KIND_WORDS


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--wait", action="store_true", help="return when live kernels have saved everything")
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/status.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    with console.open_repo() as repo:
        chosen = repo.notebook() if console.options.get("notebook") else None
        shown = repo.status()
        if args.wait:
            for notebook in shown.notebooks:
                if notebook.kernels:
                    repo.wait_saved(notebook.path)
            shown = repo.status()
    if chosen is not None:
        shown = msgspec.structs.replace(shown, notebooks=[line for line in shown.notebooks if line.id == chosen])
    if args.json:
        console.json(shown)
        return exit_codes.OK
    for line in format_status(shown, console):
        console.print(line)
    return exit_codes.OK


def format_status(shown: Status, console: Console) -> Iterator[str]:
    """Yield the lines of a status."""
    mode = ", read-only" if shown.read_only else ""
    yield f"repository {console.style(shown.root, 'bold')}  ({text.size(shown.stored_bytes)}{mode})"
    if shown.cap_bytes:
        used = f"{text.size(shown.counted_bytes)} of the cap of {text.size(shown.cap_bytes)} (record.max_store_mb)"
        full = shown.counted_bytes > 0.9 * shown.cap_bytes
        yield console.style(f"{used}; see: cellar size", "yellow") if full else used
    if shown.enabled == "off":
        yield console.style("recording is off here: record.enabled is false", "yellow")
    if not shown.notebooks:
        yield "nothing is recorded yet; open a notebook here and run a cell"
    for notebook in shown.notebooks:
        yield ""
        yield from _notebook(notebook, console)
    for kernel in shown.kernels_elsewhere:
        yield f"{_kernel(kernel, console)} of {text.clean(kernel.notebook)}"


def _notebook(notebook: NotebookLine, console: Console) -> Iterator[str]:
    gone = console.style("  the file is not there: moved or deleted", "yellow") if notebook.missing else ""
    yield console.style(text.clean(notebook.path), "bold") + gone
    if notebook.head and notebook.last_time:
        where = f"on {notebook.branch}" if notebook.branch else "HEAD is detached"
        yield f"  {where}, {text.plural(notebook.commits, 'commit')}"
        title = text.one_line(notebook.title or KIND_WORDS.get(notebook.kind, notebook.kind), 60)
        yield f"  last: {console.style(notebook.head[:8], 'yellow')} {console.ago(notebook.last_time)} {title}".rstrip()
    else:
        yield "  no commit yet"
    if notebook.off:
        yield f"  {console.style('off:', 'yellow')} {text.clean(notebook.off)}"
    for kernel in notebook.kernels:
        yield f"  {_kernel(kernel, console)}"
    if not notebook.kernels:
        yield console.style("  no kernel records it now", "dim")


_COLORS = {"recording": "green", "saving": "green", "busy": "cyan", "failing": "red", "unknown": "yellow"}


def _kernel(kernel: Kernel, console: Console) -> str:
    host = f" on {text.clean(kernel.host)}" if kernel.host else ""
    detail = f" ({text.one_line(kernel.detail, 200)})" if kernel.detail else ""
    state = console.style(kernel.state, _COLORS[kernel.state])
    return f"{state}{detail}: kernel {kernel.pid}{host}, started {console.ago(kernel.started)}"
