"""The routes about the session: what was recorded, and what changes the live kernel."""

from __future__ import annotations

from pathlib import Path

import msgspec

from nbcellar import __version__
from nbcellar.api import Repo, diff_views, init, search_views, views
from nbcellar.api.document_sources import Sources
from nbcellar.api.reading import off_reason
from nbcellar.errors import CellarError, InvalidInputError, NoRepositoryError, NotFoundError
from nbcellar.ids import NotebookId
from nbcellar.search.find import Where
from nbcellar.server import session_messages as messages
from nbcellar.server.messages import Asked, Done, Standing
from nbcellar.server.places import Place, Places
from nbcellar.server.route import Route, get, post


def standing(places: Places, asked: Asked) -> Standing:
    """Say where a notebook stands; without a repository that is the answer, not an error."""
    place = places.find(asked.path)
    try:
        in_git = Sources(place.folder, place.environ).repository is not None
    except CellarError:
        in_git = False
    try:
        with place.open() as repo:
            try:
                known = repo.notebook() if place.is_notebook else None
            except NotFoundError:
                known = None
            status = repo.status(known or NotebookId(""))  # one that is not recorded has no kernels
            off = _off_reason(repo, place)
    except NoRepositoryError:
        return Standing(version=__version__, in_git=in_git)
    line = next((line for line in status.notebooks if line.id == known), None)
    return Standing(
        version=__version__,
        repository=places.shown(Path(status.root)),
        notebook=line,
        enabled=status.enabled,
        read_only=status.read_only,
        off=off,
        stored_bytes=status.stored_bytes,
        cap_bytes=status.cap_bytes,
        counted_bytes=status.counted_bytes,
        in_git=in_git,
    )


def _off_reason(repo: Repo, place: Place) -> str:
    if not place.is_notebook or not place.file.is_relative_to(repo.root):
        return ""
    return off_reason(repo.settings, place.file.relative_to(repo.root).as_posix())


def make(places: Places, asked: Asked) -> Standing:
    """Make a repository in the folder of a notebook."""
    place = places.find(asked.path)
    if not place.file.exists():
        raise NotFoundError(f"{asked.path} is not there", hint="save the notebook first")
    init(place.folder, environ=place.environ).close()
    return standing(places, asked)


def log(places: Places, asked: messages.AskedLog) -> messages.LogPart:
    """Return a stretch of the log."""
    with places.find(asked.path).open() as repo:
        notebook = repo.notebook()
        found = repo.log(asked.ref, all=asked.all, limit=asked.skip + asked.limit + 1).commits[asked.skip :]
        head = repo.repository.head(notebook)
        total = next((info.commits for info in repo.repository.notebooks() if info.id == notebook), 0)
    return messages.LogPart(
        commits=found[: asked.limit],
        total=total,
        more=len(found) > asked.limit,
        head=head.commit.hex() if head.commit is not None else None,
        branch=head.branch,
    )


def show(places: Places, asked: messages.AskedRef) -> views.Show:
    """Return one commit in full."""
    with places.find(asked.path).open() as repo:
        return repo.show(asked.ref)


def variables(places: Places, asked: messages.AskedRef) -> views.Variables:
    """Return the variables of a commit."""
    with places.find(asked.path).open() as repo:
        return repo.vars(asked.ref)


def variable_history(places: Places, asked: messages.AskedHistory) -> search_views.VariableHistory:
    """Return the versions of a variable."""
    with places.find(asked.path).open() as repo:
        return repo.variable_history(asked.name, all=True)


def search(places: Places, asked: messages.AskedSearch) -> search_views.Search:
    """Return the commits where a text stands."""
    try:
        where = msgspec.convert([word for word in asked.where.split(",") if word], list[Where])
    except msgspec.ValidationError as error:
        raise InvalidInputError(f"where: {error}") from None
    with places.find(asked.path).open() as repo:
        return repo.search(
            asked.text or None, variable=asked.variable, where=where, all=asked.all, regex=asked.regex, limit_s=_REGEX_S
        )


def diff(places: Places, asked: messages.AskedDiff) -> diff_views.Diff:
    """Return what lies between two commits, values compared without loading them."""
    names = [name for name in asked.names.split(",") if name]
    with places.find(asked.path).open() as repo:
        return repo.diff(asked.before, asked.after, names=names, pictures=asked.pictures)


def branches(places: Places, asked: Asked) -> views.Branches:
    """Return the branches."""
    with places.find(asked.path).open() as repo:
        return repo.branches()


def tags(places: Places, asked: Asked) -> views.Tags:
    """Return the tags."""
    with places.find(asked.path).open() as repo:
        return repo.tags()


def operations(places: Places, asked: Asked) -> views.Operations:
    """Return the newest operations."""
    with places.find(asked.path).open() as repo:
        return repo.ops(limit=_OPERATIONS)


def undo(places: Places, asked: messages.Steps) -> views.SessionChange:
    """Take back the last cell runs."""
    with places.find(asked.path).open() as repo:
        return repo.undo(asked.steps, without=asked.without, replay=asked.replay)


def redo(places: Places, asked: messages.Steps) -> views.SessionChange:
    """Bring back what was undone."""
    with places.find(asked.path).open() as repo:
        return repo.redo(asked.steps, without=asked.without, replay=asked.replay)


def checkout(places: Places, asked: messages.Checkout) -> views.SessionChange:
    """Go to a commit."""
    with places.find(asked.path).open() as repo:
        return repo.checkout(
            asked.ref,
            variables=asked.variables,
            code=asked.code,
            names=asked.names,
            without=asked.without,
            replay=asked.replay,
        )


def restore(places: Places, asked: messages.Restore) -> views.SessionChange:
    """Bring a state into the live kernel."""
    with places.find(asked.path).open() as repo:
        return repo.restore(asked.ref, without=asked.without, replay=asked.replay)


def commit(places: Places, asked: messages.NewCommit) -> views.NamedCommit:
    """Name this point."""
    with places.find(asked.path).open() as repo:
        return repo.commit(asked.message)


def branch(places: Places, asked: messages.NewName) -> Done:
    """Make a branch."""
    with places.find(asked.path).open() as repo:
        return Done(commit=repo.branch(asked.name, asked.ref, force=asked.force))


def tag(places: Places, asked: messages.NewName) -> Done:
    """Make a tag."""
    with places.find(asked.path).open() as repo:
        return Done(commit=repo.tag(asked.name, asked.ref, force=asked.force))


def delete_name(places: Places, asked: messages.Name) -> Done:
    """Delete a branch or a tag."""
    with places.find(asked.path).open() as repo:
        delete = repo.delete_branch if asked.kind == "branch" else repo.delete_tag
        return Done(commit=delete(asked.name))


def message(places: Places, asked: messages.NewMessage) -> Done:
    """Change the message of a commit."""
    with places.find(asked.path).open() as repo:
        return Done(commit=repo.set_message(asked.ref, asked.message))


def undo_operation(places: Places, asked: messages.AskedOperation) -> views.OperationUndone:
    """Undo an operation."""
    with places.find(asked.path).open() as repo:
        return repo.op_undo(asked.number)


# A regular expression that a browser sends may not hold a thread for ever.
_REGEX_S = 5.0
_OPERATIONS = 200

ROUTES: tuple[Route, ...] = (
    get("standing", Asked, Standing, standing, "live"),
    get("log", messages.AskedLog, messages.LogPart, log),
    get("show", messages.AskedRef, views.Show, show),
    get("variables", messages.AskedRef, views.Variables, variables),
    get("variable-history", messages.AskedHistory, search_views.VariableHistory, variable_history, "compute"),
    get("search", messages.AskedSearch, search_views.Search, search, "compute"),
    get("diff-commits", messages.AskedDiff, diff_views.Diff, diff, "compute"),
    get("branches", Asked, views.Branches, branches),
    get("tags", Asked, views.Tags, tags),
    get("operations", Asked, views.Operations, operations),
    post("init", Asked, Standing, make),
    post("undo", messages.Steps, views.SessionChange, undo, action="execute"),
    post("redo", messages.Steps, views.SessionChange, redo, action="execute"),
    post("checkout", messages.Checkout, views.SessionChange, checkout, action="execute"),
    post("restore", messages.Restore, views.SessionChange, restore, action="execute"),
    post("commit", messages.NewCommit, views.NamedCommit, commit),
    post("branch", messages.NewName, Done, branch),
    post("tag", messages.NewName, Done, tag),
    post("delete-name", messages.Name, Done, delete_name),
    post("message", messages.NewMessage, Done, message),
    post("undo-operation", messages.AskedOperation, views.OperationUndone, undo_operation),
)

__all__ = ["ROUTES"]
