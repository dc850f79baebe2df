"""The routes about a notebook in git: its log, what is being changed in it, staging single cells."""

from __future__ import annotations

import msgspec

from nbcellar.api.git_review import BaseNotebook, Branched, Marks, Review, Staged
from nbcellar.server import git_messages as messages
from nbcellar.server.places import Place, Places
from nbcellar.server.route import Route, get, post

_MOST_COMMITS = 1000


def base(places: Places, asked: messages.AskedBase) -> BaseNotebook:
    """Return the notebook at a revision of git's."""
    review = _review(places.find(asked.path))
    return review.base(asked.revision, at=places.find(asked.at).file if asked.at else None)


def marks(places: Places, asked: messages.AskedMarks) -> Marks:
    """Return what the notebook being edited differs in from a revision."""
    review = _review(places.find(asked.path))
    return review.marks(asked.notebook, asked.revision, outputs=asked.outputs)


def stage(places: Places, asked: messages.Stage) -> Staged:
    """Put single cells into the index."""
    return _review(places.find(asked.path)).stage(asked.notebook, asked.cells, asked.gone)


def log(places: Places, asked: messages.AskedGitLog) -> messages.GitLog:
    """Return the commits that changed the notebook."""
    review = _review(places.find(asked.path))
    root = review.repository.worktree

    def here(path: str) -> str:
        file = root / path if root is not None and path else None
        return places.path_of(file) if file is not None and places.shows(file) else ""

    return messages.GitLog(
        commits=[
            messages.TouchingCommit(
                **msgspec.structs.asdict(found), here=here(found.path), here_before=here(found.old_path)
            )
            for found in review.log(min(asked.limit, _MOST_COMMITS)).commits
        ]
    )


def branch(places: Places, asked: messages.NewGitBranch) -> Branched:
    """Make a branch of git's at a commit."""
    return _review(places.find(asked.path)).branch(asked.name, asked.revision)


def _review(place: Place) -> Review:
    return Review(place.file, place.environ)


ROUTES: tuple[Route, ...] = (
    get("git-log", messages.AskedGitLog, messages.GitLog, log, "compute"),
    get("git-base", messages.AskedBase, BaseNotebook, base),
    post("git-marks", messages.AskedMarks, Marks, marks, "compute", action="read"),
    post("git-stage", messages.Stage, Staged, stage, "compute"),
    post("git-branch", messages.NewGitBranch, Branched, branch, "compute"),
)

__all__ = ["ROUTES"]
