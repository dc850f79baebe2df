"""What git calls to merge a notebook.

Invariant: the file that git takes for the result is the merged notebook, or visibly both sides, or, when the disk
takes no more, a note of where both are; never ours alone. Exit codes: 0 merged, 1 conflicts are marked in it, 2 both
sides as text, 129 when nothing could be written at all, which stops newer gits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from nbcellar.errors import CellarError, InvalidInputError
from nbcellar.files import replace_file
from nbcellar.git.both_sides import both_sides
from nbcellar.git.labels import SideNames, one_line, side_names
from nbcellar.git.limits import too_large
from nbcellar.git.repository import git_dir_at
from nbcellar.notebook.codec import read, write
from nbcellar.notebook.model import Notebook

MERGED, CONFLICTS, FAILED, STOPPED = 0, 1, 2, 129
_MARKER_SIZE = 7


class Outcome(msgspec.Struct, frozen=True):
    """A merged notebook, how many conflicts are marked in it, and what there is to tell, a sentence each."""

    notebook: Notebook
    conflicts: int
    told: tuple[str, ...] = ()


Merge = Callable[[Notebook | None, Notebook, Notebook, SideNames], Outcome]
Written = Callable[[Sequence[bytes], bytes], object]
"""What is told of the texts of ours and theirs, and of the merged one, when that is in its file."""


class MergeCall(msgspec.Struct, frozen=True):
    """One call of the merge driver: the three files, the length of marks, the path in the repository.

    result: where the merged notebook goes if not onto the file of ours. What git calls of us puts ours aside and a note
    into the file that git reads then, which stands there should the driver be killed.
    """

    base: Path
    ours: Path
    theirs: Path
    marker_size: int
    path: str
    given_names: tuple[str, ...] = ()
    result: Path | None = None

    @property
    def target(self) -> Path:
        """Return where the merged notebook goes."""
        return self.result or self.ours


def parse_merge_call(words: Sequence[str], environ: Mapping[str, str]) -> MergeCall:
    """Return the call of `%O %A %B [%L [%P [%S %X %Y]]]`; CELLAR_OURS: where ours was put. Raises InvalidInputError."""
    if len(words) < 3:
        raise InvalidInputError(
            "merge-driver needs the files of base, ours and theirs",
            hint="git calls it; cellar git install writes how. By hand: cellar merge-file BASE OURS THEIRS",
        )
    size = int(words[3]) if len(words) > 3 and words[3].isdecimal() else _MARKER_SIZE
    path = words[4] if len(words) > 4 else words[1]
    result = Path(words[1])
    ours = Path(environ.get("CELLAR_OURS", result))
    return MergeCall(Path(words[0]), ours, Path(words[2]), size, path, tuple(words[5:8]), result)


def merge_driver(
    call: MergeCall,
    environ: Mapping[str, str],
    say: Callable[[str], None],
    *,
    merge: Merge | None = None,
    written: Written | None = None,
) -> int:
    """Merge into the file of the result; return the exit code."""
    try:
        return _merge(call, environ, say, merge or merge_cells, written)
    finally:
        if call.ours != call.target:
            call.ours.unlink(missing_ok=True)


def _merge(
    call: MergeCall, environ: Mapping[str, str], say: Callable[[str], None], merge: Merge, written: Written | None
) -> int:
    names = SideNames()
    try:
        names = side_names(_git_dir(environ, call), environ, call.given_names)
        sides = _read_bytes(call.ours), _read_bytes(call.theirs)
        ours, theirs = (read(side, path=call.path) for side in sides)
        outcome = merge(_read_base(call.base), ours, theirs, names)
        data = write(outcome.notebook)
        read(data)  # what cannot be read again is not given to git
        _write(call, data)
    except CellarError as error:
        say(f"{call.path}: {error.message}")
        return leave_both_sides(call, names, environ, say)
    except OSError as error:
        say(f"{call.path}: {error.strerror or error}")
        return leave_both_sides(call, names, environ, say)
    except (Exception, KeyboardInterrupt) as error:
        say(f"{call.path}: {type(error).__name__}: {error}".rstrip(": "))
        return leave_both_sides(call, names, environ, say)
    if written is not None:
        written(sides, data)
    for text in outcome.told:
        say(f"{call.path}: {text}")
    return CONFLICTS if outcome.conflicts else MERGED


def mergetool(
    base: Path, ours: Path, theirs: Path, merged: Path, say: Callable[[str], None], *, written: Written | None = None
) -> int:
    """Merge three files that `git mergetool` made into `merged`; return 0 when nothing is left to decide, else 1.

    What git keeps of an unresolved file in the working copy stays a notebook with marked cells.
    """
    call = MergeCall(base, ours, theirs, _MARKER_SIZE, merged.name, result=merged)
    try:
        names = SideNames()
        sides = _read_bytes(ours), _read_bytes(theirs)
        mine, yours = (read(side, path=call.path) for side in sides)
        outcome = merge_cells(_read_base(base), mine, yours, names)
        data = write(outcome.notebook)
        replace_file(merged, data)
    except CellarError as error:
        say(f"{call.path}: {error.message}; it is left as it was")
        return FAILED
    if written is not None:
        written(sides, data)
    for text in outcome.told:
        say(f"{call.path}: {text}")
    return CONFLICTS if outcome.conflicts else MERGED


def leave_both_sides(call: MergeCall, names: SideNames, environ: Mapping[str, str], say: Callable[[str], None]) -> int:
    """Make both sides visible in the file of ours; return the exit code."""
    try:
        text = both_sides(call.base, call.ours, call.theirs, names, marker_size=call.marker_size, environ=environ)
        _write(call, text)
    except OSError as error:
        say(f"{call.path}: both sides could not be written: {error.strerror or error}")
        return _leave_note(call, say)
    say(f"{call.path}: both sides are in it as text, between marks; to make a notebook of it: cellar fix")
    return FAILED


def _write(call: MergeCall, data: bytes) -> None:
    """Put the result into its place. Raises OSError, also where git has taken the file away: it waits no more."""
    call.target.lstat()
    replace_file(call.target, data)


def _leave_note(call: MergeCall, say: Callable[[str], None]) -> int:
    """Write into the file of the result where both sides are, in the room that it has; return the exit code.

    Left as it is, the file would be ours alone, unmarked: git before 2.41 takes any exit code for a conflict.
    """
    mark = call.marker_size
    note = (
        f"{'<' * mark} ours\nNot merged: there was no room to write. Ours: git checkout --ours\n"
        f"{'=' * mark}\nTheirs: git checkout --theirs; to merge again: git checkout --merge\n{'>' * mark} theirs\n"
    )
    try:
        with call.target.open("r+b", buffering=0) as file:
            file.write(note.encode())
            file.truncate()
    except OSError as error:
        say(f"{call.path}: nothing can be written ({error.strerror or error}): the merge is stopped")
        return STOPPED
    say(f"{call.path}: it says where both sides are; when there is room again: git checkout --merge -- {call.path}")
    return FAILED


def merge_cells(base: Notebook | None, ours: Notebook, theirs: Notebook, names: SideNames) -> Outcome:
    """Merge cell by cell."""
    from nbcellar.merge.model import Labels
    from nbcellar.merge.notebooks import merge_notebooks
    from nbcellar.notebook.stale import STALE_WORDS, is_stale

    merged = merge_notebooks(base, ours, theirs, labels=Labels(names.base, names.ours, names.theirs))
    told = [f"mended before merging: {text}" for text in merged.repairs]
    for entry in merged.dropped:
        where = f"cell {entry.number}: " if entry.number else ""
        told.append(f"{where}{one_line(entry.what)} of {entry.side} left out: {one_line(entry.reason)}")
    told += [f"warning: {one_line(warning)}" for warning in merged.warnings]
    told += [one_line(conflict.said) for conflict in merged.conflicts if conflict.said]
    stale = [number for number, cell in enumerate(merged.notebook.cells, 1) if is_stale(cell)]
    told += [f"cell {number}: outputs are {STALE_WORDS}; run it again" for number in stale]
    if merged.conflicts:
        count = len(merged.conflicts)
        told.append(
            f"{count} conflict{'' if count == 1 else 's'}, marked as cells; to resolve: cellar resolve, or in Jupyter"
        )
    return Outcome(merged.notebook, len(merged.conflicts), tuple(told))


def _git_dir(environ: Mapping[str, str], call: MergeCall) -> Path:
    if any(call.given_names):
        return Path()
    try:
        return git_dir_at(Path.cwd(), environ)
    except OSError:
        return Path()


def _read_base(path: Path) -> Notebook | None:
    """Return the base; None where there is none, or one that is no notebook (a virtual ancestor with marks in it)."""
    try:
        data = _read_bytes(path)
        return read(data) if data else None
    except CellarError:
        return None


def _read_bytes(path: Path) -> bytes:
    """Return what is in a file. Raises InvalidInputError for one that is too large to be merged as a notebook."""
    if wrong := too_large(path.stat().st_size):
        raise InvalidInputError(wrong)
    return path.read_bytes()
