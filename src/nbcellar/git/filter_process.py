"""The filter as git runs it: `cellar git filter-process`, one process for all files of one git command.

Invariant: git always gets an answer that it can use; whatever goes wrong with a file, the file goes through as it is
and a sentence goes to the error stream. When git is done, the files that went through are entered for comparison by
content."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from nbcellar.errors import CellarError
from nbcellar.git.changed_settings import Arrivals
from nbcellar.git.cleaner import Cleaner, load_cleaner
from nbcellar.git.compared import limit_bytes, tracked_notebooks
from nbcellar.git.comparing import compare
from nbcellar.git.filter import Filled, Filter, NothingStaged, Staged, StagedContents
from nbcellar.git.kept_outputs import KeptOutputs, Limits
from nbcellar.git.limits import LARGEST_BYTES
from nbcellar.git.packets import Fields, Packets
from nbcellar.git.process import Git
from nbcellar.git.repository import common_folder

# Set by `cellar git renormalize`: files that are staged with outputs are cleaned, too.
RENORMALIZE = "CELLAR_RENORMALIZE"


def run_process(
    source: BinaryIO,
    target: BinaryIO,
    environ: Mapping[str, str],
    say: Callable[[str], None],
    *,
    filled: Filled = lambda before, after: None,
) -> int:
    """Serve git until it is done; return the exit code. filled: is told of files with outputs of others in them."""
    packets = Packets(source, target)
    packets.greet(("clean", "smudge"))
    git = Git(Path.cwd(), environ)
    private = common_folder(git) / "cellar"
    kept = KeptOutputs(private / "outputs")
    worker = make_filter(git, kept, load_cleaner(git.folder, environ, say), environ, say, filled)
    arrivals = Arrivals(git, filled)
    paths = serve(packets, worker, say, arrivals)
    _settle(arrivals, kept, environ, say)
    if environ.get("GIT_OPTIONAL_LOCKS") != "0":
        _compare_by_content(git, paths, private, say)
    kept.prune_now_and_then(Limits(), time.time())
    return 0


def _settle(arrivals: Arrivals, kept: KeptOutputs, environ: Mapping[str, str], say: Callable[[str], None]) -> None:
    try:
        arrivals.settle(kept, environ, say)
    except (CellarError, OSError) as error:
        say(f"settings changed, and outputs could not be put back by the new ones: {error}")


def serve(
    packets: Packets, worker: Filter, say: Callable[[str], None], arrivals: Arrivals | None = None
) -> list[bytes]:
    """Answer git's requests until it ends the conversation; return the paths that it asked about.

    arrivals: is told of what git writes into the working copy.
    """
    paths: dict[bytes, None] = {}
    while True:
        try:
            fields = packets.read_fields()
            content = packets.read_content()
        except EOFError:
            return list(paths)
        with content:
            if arrivals is not None and fields.get("command") == b"smudge":
                answer = _noted(arrivals, worker, fields, content, say)
            else:
                answer = _answer(worker, fields, content, say)
            if answer is None:
                packets.write_lines(["status=error"])
                continue
            paths[fields.get("pathname", b"")] = None
            packets.write_lines(["status=success"])
            packets.write_content(answer)
            packets.write_lines([])


def _noted(
    arrivals: Arrivals, worker: Filter, fields: Fields, content: BinaryIO, say: Callable[[str], None]
) -> BinaryIO | None:
    arrivals.begin()
    answer = _answer(worker, fields, content, say)
    if isinstance(answer, io.BytesIO):
        path = os.fsdecode(fields.get("pathname", b""))
        arrivals.note(path, answer.getvalue(), names_tree="treeish" in fields)
    return answer


def run_once(
    command: str, path: str, source: BinaryIO, target: BinaryIO, environ: Mapping[str, str], say: Callable[[str], None]
) -> int:
    """Filter one file from `source` to `target`; return the exit code."""
    git = Git(Path.cwd(), environ)
    kept = KeptOutputs(common_folder(git) / "cellar" / "outputs")
    worker = make_filter(git, kept, load_cleaner(git.folder, environ, say), environ, say)
    fields = {"command": command.encode(), "pathname": os.fsencode(path)}
    answer = _answer(worker, fields, io.BytesIO(source.read()), say)
    target.write(answer.read() if answer is not None else b"")
    target.flush()
    return 0 if answer is not None else 2


def make_filter(
    git: Git,
    kept: KeptOutputs,
    cleaner: Cleaner,
    environ: Mapping[str, str],
    say: Callable[[str], None],
    filled: Filled = lambda before, after: None,
) -> Filter:
    """Return the filter of the repository that `git` stands at the top of."""
    staged: Staged = NothingStaged() if environ.get(RENORMALIZE) else staged_contents(git, environ)
    exists = lambda path: os.path.lexists(git.folder / path)  # noqa: E731 - a name would say no more
    return Filter(cleaner, kept, staged, say=say, exists=exists, filled=filled)


def staged_contents(git: Git, environ: Mapping[str, str]) -> StagedContents:
    """Return what the index holds, which is listed when a file is first asked for."""
    place: list[Path] = []

    def version() -> object:
        if not place:
            own = environ.get("GIT_INDEX_FILE")
            place.append(git.folder / (own or git.line("rev-parse", "--git-path", "index")))
        try:
            status = place[0].stat()
        except OSError:
            return ()
        return status.st_mtime_ns, status.st_size, status.st_ino

    def listing() -> Mapping[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for line in git.run("ls-files", "-s", "-z").out.split(b"\0"):
            head, _, path = line.partition(b"\t")
            if path:
                name = os.fsdecode(path)
                found[name] = found.get(name, frozenset()) | {head.split(b" ")[1].decode()}
        return found

    return StagedContents(version, listing)


def _answer(worker: Filter, fields: Fields, content: BinaryIO, say: Callable[[str], None]) -> BinaryIO | None:
    """Return the filtered content; None for a request that is not known."""
    path = os.fsdecode(fields.get("pathname", b""))
    command = fields.get("command", b"")
    if command not in (b"clean", b"smudge"):
        return None
    size = content.seek(0, os.SEEK_END)
    content.seek(0)
    if size > LARGEST_BYTES:
        say(f"{path}: larger than {LARGEST_BYTES >> 20} MiB, so it is not cleaned")
        return content
    try:
        tree = fields.get("treeish", b"").decode("ascii", "replace")
        if command == b"clean":
            return io.BytesIO(worker.clean(content.read(), path))
        return io.BytesIO((worker.of_tree(tree) if tree else worker).smudge(content.read(), path))
    except CellarError as error:
        say(f"{path}: {error.message}; it goes through as it is")
    except Exception as error:  # git must go on, whatever is wrong with one file
        say(f"{path}: {type(error).__name__}: {error}; it goes through as it is. This is a bug in Cellar")
    content.seek(0)
    return content


def compare_all_by_content(git: Git, say: Callable[[str], None]) -> int:
    """Do at once, at the top of a worktree, what the filter does at its end; return how many files it changed."""
    return _compare_by_content(git, tracked_notebooks(git), common_folder(git) / "cellar", say)


def _compare_by_content(git: Git, paths: Sequence[bytes], own: Path, say: Callable[[str], None]) -> int:
    return compare(git, own, paths, lambda: limit_bytes(git.folder, git.environ, say))
