"""Merges that wait for decisions in files: of a notebook that git left in conflict or that has marked cells.

Invariant: a file is replaced whole or not at all, only if it is the one that was looked at, never under an editor that
has it open; what it was is recorded first where Cellar records this notebook. Git is told that a notebook is resolved
only when no conflict is left in the file on disk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from blake3 import blake3

from nbcellar.api.editors import from_editor
from nbcellar.api.jupyter_trust import keep_trusted
from nbcellar.api.merging import Versions, count_open, decide, look, merge_versions, result
from nbcellar.api.merging_views import Decision, MergeGit, MergeLook, MergeResult, MergeSaved
from nbcellar.api.notebook_files import NotebookFile, plain_name, read_file, replace_file
from nbcellar.errors import CellarError, ConflictError, InvalidInputError, NotFoundError
from nbcellar.merge.conflict_text import has_marks, read_marked
from nbcellar.merge.marks import find_groups
from nbcellar.merge.model import Labels
from nbcellar.notebook.codec import read, write
from nbcellar.notebook.model import Notebook

_NEXT = {
    "merge": "git commit",
    "rebase": "git rebase --continue",
    "cherry-pick": "git cherry-pick --continue",
    "revert": "git revert --continue",
}


def look_at_file(path: Path, environ: Mapping[str, str], plain: Mapping[str, Any] | None = None) -> MergeLook:
    """Return what is to be decided in a notebook: in the file, or in `plain`, the notebook as an editor holds it.

    Raises what reading raises, and InvalidInputError for what is no notebook.
    """
    file = _file(path)
    git = _git(path, environ)
    marked = read_marked(file.data) if plain is None and has_marks(file.data) else None
    if marked is not None:
        return MergeLook(state="text", target=path.name, version=_version(file), marks=marked.conflicts, git=git)
    notebook = read(file.data, path=path.name) if plain is None else from_editor(plain)
    versions = _versions(file, notebook, environ, git)
    found = look(notebook, versions, target=path.name, version=_version(file))
    if versions is None or found.state != "none":
        return msgspec.structs.replace(found, git=git)
    sources = [_sources(one) for one in (notebook, versions.ours, versions.theirs)]
    holds = "ours" if sources[0] == sources[1] else "theirs" if sources[0] == sources[2] else ""
    return msgspec.structs.replace(found, git=git, anew=len(versions.merged.conflicts), holds=holds)


def result_of(
    path: Path,
    environ: Mapping[str, str],
    plain: Mapping[str, Any] | None,
    decisions: Sequence[Decision],
    back: Sequence[str] = (),
    *,
    shown: bool = False,
) -> MergeResult:
    """Return the notebook with decisions taken, from the file or from `plain`; nothing is written."""
    file = _file(path)
    notebook = read(file.data, path=path.name) if plain is None else from_editor(plain)
    made = decide(notebook, decisions, back, _versions_for(back, file, notebook, environ))
    return result(made, shown=shown)


def merged_anew(path: Path, environ: Mapping[str, str]) -> MergeResult:
    """Return the merge, made anew, of the versions that git's index has of a notebook in conflict.

    Raises NotFoundError where it has not all of them.
    """
    return result(_anew(_file(path), environ).merged.notebook)


def merge_again(path: Path, environ: Mapping[str, str], version: str) -> MergeSaved:
    """Write the merge, made anew, of the versions that git's index has in the place of what the file holds.

    Raises as `save_decided` and `merged_anew` do. Git is told nothing: ours alone may have been what was in the file.
    """
    file = _file(path)
    _require(file, version)
    versions = _anew(file, environ)
    data = write(versions.merged.notebook)
    recorded = _replace(file, data, (file.data, *versions.texts), environ)
    return MergeSaved(
        left=count_open(versions.merged.notebook),
        version=blake3(data).hexdigest(),
        recorded=recorded,
        git=_git(path, environ),
    )


def save_decided(
    path: Path, environ: Mapping[str, str], version: str, decisions: Sequence[Decision], back: Sequence[str] = ()
) -> MergeSaved:
    """Write the notebook with decisions taken, and tell git when nothing is left.

    Raises ConflictError for a file that is not the one of `version` any more, or that an editor has open.
    """
    file = _file(path)
    _require(file, version)
    notebook = read(file.data, path=path.name)
    versions = _versions_for(back, file, notebook, environ)
    made = decide(notebook, decisions, back, versions)
    data = write(made)
    texts = versions.texts if versions is not None else ()
    recorded = _replace(file, data, (file.data, *texts), environ, subset=not back)
    told = tell_git(path, environ)
    return msgspec.structs.replace(told, recorded=recorded)


def tell_git(path: Path, environ: Mapping[str, str]) -> MergeSaved:
    """Mark a notebook as resolved for git if the file on disk has no conflict left."""
    file = _file(path)
    version = _version(file)
    if has_marks(file.data):
        marked = read_marked(file.data)
        return MergeSaved(left=marked.conflicts if marked else 0, version=version, git=_git(path, environ))
    left = count_open(read(file.data, path=path.name))
    resolved, problem = False, ""
    if not left:
        from nbcellar.git.resolved import mark_resolved

        try:
            resolved = mark_resolved(path, environ)
        except NotFoundError:  # no repository of git's
            pass
        except CellarError as error:
            problem = error.message
    return MergeSaved(left=left, version=version, resolved=resolved, problem=problem, git=_git(path, environ))


def _file(path: Path) -> NotebookFile:
    return read_file(plain_name(path), path.parent)


def _version(file: NotebookFile) -> str:
    return blake3(file.data).hexdigest()


def _git(path: Path, environ: Mapping[str, str]) -> MergeGit:
    from nbcellar.git.resolved import git_standing

    try:
        found = git_standing(path, environ)
    except CellarError:
        return MergeGit()
    going_on = _NEXT.get(found.operation, "")
    if not found.operation and found.in_conflict:
        going_on = "git stash drop"  # `stash pop` leaves no other sign, and keeps the stash
    return MergeGit(operation=found.operation, in_conflict=found.in_conflict, others=found.others, next=going_on)


def _versions_for(
    back: Sequence[str], file: NotebookFile, notebook: Notebook, environ: Mapping[str, str]
) -> Versions | None:
    return _versions(file, notebook, environ, MergeGit(in_conflict=True)) if back else None


def _versions(file: NotebookFile, notebook: Notebook, environ: Mapping[str, str], git: MergeGit) -> Versions | None:
    """Return the versions that git's index has, merged anew; None where it has not all of them."""
    if not git.in_conflict:
        return None
    from nbcellar.git.conflicts import stages_of_conflict

    labels = next((group.labels for group in find_groups(notebook)), Labels())
    try:
        stages = stages_of_conflict(file.path, file.data, environ)
        if stages is None or stages.ours is None or stages.theirs is None:
            return None
        return merge_versions(stages.base, stages.ours, stages.theirs, labels)
    except (CellarError, RecursionError):
        return None


def _sources(notebook: Notebook) -> list[tuple[str, str]]:
    return [(cell.type, cell.source) for cell in notebook.cells]


def _anew(file: NotebookFile, environ: Mapping[str, str]) -> Versions:
    versions = _versions(file, Notebook(cells=()), environ, MergeGit(in_conflict=True))
    if versions is None:
        raise NotFoundError(f"git's index has not both versions of {file.shown} any more")
    return versions


def _require(file: NotebookFile, version: str) -> None:
    if _version(file) != version:
        raise ConflictError(f"{file.shown} was changed by another program meanwhile", hint="load the merge again")


def _replace(
    file: NotebookFile, data: bytes, texts: Sequence[bytes], environ: Mapping[str, str], *, subset: bool = False
) -> str:
    """Put `data` in the place of a file, made of the outputs of `texts`; return the commit that has what it was."""
    if data == file.data:
        return ""
    _refuse_open(file.path, environ)
    recorded = _record(file.path, environ)
    replace_file(file, data)
    keep_trusted(texts, data, environ, subset=subset)
    return recorded


def _refuse_open(path: Path, environ: Mapping[str, str]) -> None:
    from nbcellar.api.servers import sessions

    if any(session.path == path.resolve() for session in sessions(environ)):
        raise ConflictError(
            f"{path.name} is open in a Jupyter server",
            hint="decide there, or shut down its kernel and close it, then save again",
        )


def _record(path: Path, environ: Mapping[str, str]) -> str:
    """Record the file as it is where Cellar knows the notebook; return the commit, "" for none."""
    from nbcellar.api import open_repo
    from nbcellar.api.code import record_first

    try:
        repo = open_repo(path.parent, environ=environ, notebook=str(path))
    except NotFoundError:
        return ""
    with repo:
        try:
            notebook = repo.notebook()
        except (NotFoundError, InvalidInputError):  # nothing of it is recorded
            return ""
        made = record_first(repo, notebook, path, "the notebook before its conflicts were decided")
    return made.hex() if made is not None else ""


__all__ = ["look_at_file", "merge_again", "merged_anew", "result_of", "save_decided", "tell_git"]
