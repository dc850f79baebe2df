"""`Repo`: a repository as programs, commands and `%cellar` lines see it.

Invariant: methods that read use the store alone, whatever a kernel is doing; methods that change the session ask the
live kernel of the notebook, through `Requests`. References are text as users type it; results are frozen `views`.

Not for: wording and printing (`cli/`), the work itself (the modules beside this one, history, store).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nbcellar import __version__, config
from nbcellar.api import describe, selection, views
from nbcellar.api.finding import FindingInRepo
from nbcellar.api.kernels import KernelRequests, Requests, peek, require_own
from nbcellar.errors import AlreadyExistsError, CellarError, InvalidInputError
from nbcellar.history.operations import local_identity
from nbcellar.history.repository import FOLDER, Repository, find_root
from nbcellar.ids import CommitId, NotebookId
from nbcellar.session.entries import KernelEntry
from nbcellar.trust import keys
from nbcellar.trust.keys import SigningKey

if TYPE_CHECKING:
    from nbcellar.api.asking import Asking
    from nbcellar.api.diff_views import Diff
    from nbcellar.history.resolve import Resolved
    from nbcellar.session.replay.replayer import Wish

Notice = Callable[[str], None]


class Repo(FindingInRepo):
    """A repository, with one of its notebooks as the one that is meant when a method is not told otherwise."""

    def __init__(
        self,
        repository: Repository,
        *,
        environ: Mapping[str, str],
        folder: Path,
        notebook: str | None = None,
        kernel_requests: Requests | None = None,
        notice: Notice = lambda text: None,
        asking: Asking | None = None,
        shows: selection.Shows | None = None,
    ) -> None:
        self.repository = repository
        self._shows = shows
        self.environ = environ
        self.folder = folder
        self.settings = config.load(repository.root / FOLDER, environ)
        repository.by = self.settings.author.name or repository.by
        self._notebook = notebook
        self._requests = kernel_requests or KernelRequests(
            repository.root / FOLDER, key=self._own_key, version=__version__, notice=notice, asking=asking
        )

    @property
    def root(self) -> Path:
        """The folder that holds `.cellar`."""
        return self.repository.root

    @property
    def cellar_folder(self) -> Path:
        """The `.cellar` folder itself."""
        return self.root / FOLDER

    @property
    def user_folder(self) -> Path:
        """The folder of the user's own settings, keys and trust decisions."""
        return config.user_folder(self.environ)

    def close(self) -> None:
        """Close the store."""
        self.repository.close()

    def __enter__(self) -> Repo:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def notebook(self, text: str | None = None) -> NotebookId:
        """Return the notebook that `text` means, or the default one. Raises NotFoundError, InvalidInputError."""
        wanted = text or self._notebook
        return selection.choose_notebook(self.repository, wanted, folder=self.folder, shows=self._shows)

    @property
    def default_notebook(self) -> str | None:
        """The notebook that was chosen when the repository was opened, as text."""
        return self._notebook

    def resolve(self, ref: str) -> CommitId:
        """Return the commit that a reference names, as in `HEAD~2` or `analysis.ipynb@main`."""
        return self.locate(ref)[1]

    def locate(self, ref: str) -> tuple[NotebookId, CommitId]:
        """Return notebook and commit of a reference."""
        found = self.resolve_full(ref)
        return found.notebook, found.commit

    def resolve_full(self, ref: str) -> Resolved:
        """Return what a reference names, its branch included; another notebook only where that is shown."""
        return selection.resolve(self.repository, ref, self._notebook, folder=self.folder, shows=self._shows)

    # reading ------------------------------------------------------------------------------------------------------

    def log(self, ref: str | None = None, *, all: bool = False, limit: int | None = None) -> views.Log:
        """Return the commits that `ref` (default: HEAD) reaches, or all refs, newest first."""
        from nbcellar.api import reading

        notebook, start = self._start(ref)
        return reading.log(self.repository, notebook, start, all_refs=all, limit=limit)

    def graph(
        self, ref: str | None = None, *, all: bool = False, limit: int | None = None
    ) -> Iterator[tuple[str, views.CommitLine | None]]:
        """Yield the log with a drawing of the graph beside it; lines of edges have no commit."""
        from nbcellar.api import reading

        return reading.graph(self.log(ref, all=all, limit=limit))

    def show(self, ref: str = "HEAD") -> views.Show:
        """Return one commit in full."""
        from nbcellar.api import reading

        notebook, commit = self.locate(ref)
        return reading.show(self.repository, notebook, commit, signers=self._signers(commit))

    def diff(
        self,
        before: str | None = None,
        after: str = "HEAD",
        *,
        names: Sequence[str] = (),
        code: bool = True,
        variables: bool = True,
        pictures: bool = False,
        budget_bytes: int = 256 << 20,
    ) -> Diff:
        """Return what lies between two commits (default: what the last step did), values compared without loading them.

        names: only these variables. pictures: images as data URIs. budget_bytes: how much is read of one variable;
        of a larger one, blocks are counted.
        """
        from nbcellar.api import diffing

        notebook, end = self.locate(after)
        start = self.locate(before)[1] if before is not None else diffing.last_step(self.repository, end)
        return diffing.diff(
            self.repository,
            notebook,
            start,
            end,
            names=names,
            code=code,
            variables=variables,
            pictures=pictures,
            budget_bytes=budget_bytes,
        )

    def vars(self, ref: str = "HEAD") -> views.Variables:
        """Return the variables of a commit. Raises NotFoundError where none were recorded."""
        notebook, commit = self.locate(ref)
        state = describe.with_doubts(self.repository, notebook, commit, self.repository.read_state(commit))
        return views.Variables(commit=commit.hex(), variables=describe.variables(state))

    def status(self, notebook: NotebookId | None = None) -> views.Status:
        """Return what is recorded here, and by which kernels; those that are busy are not waited for long.

        notebook: only its kernels are asked and listed.
        """
        from nbcellar.api import reading

        return reading.status(self.repository, self.settings, self.peek_at, only=notebook)

    def peek_at(self, entry: KernelEntry) -> dict[str, Any] | None:
        """Return what a kernel says of its recording (`session/standing.py`), None when it is busy."""
        if entry.pid == os.getpid():  # this very kernel runs the command: a request to it would wait for itself
            return self._requests(NotebookId(entry.notebook), "status", {})
        require_own(entry, self._own_key())
        return peek(entry, version=__version__)

    def size(self) -> views.Size:
        """Return what takes how much space, by variable, notebook and age, and what could be done about it."""
        from nbcellar.api import maintenance

        return maintenance.size(self.repository, self.settings)

    # the live session ---------------------------------------------------------------------------------------------

    def undo(self, steps: int = 1, *, without: Sequence[str] = (), replay: Wish = "no") -> views.SessionChange:
        """Take back the last cell runs in the live kernel; `without` names variables to leave out.

        replay: whether cells run again for what is not stored, here, in `redo`, `checkout` and `restore`; with "ask",
        the result may say `asks`: then nothing was done, and `replay` lists the cells; `replay.id` agrees to these.
        """
        from nbcellar.api import session

        return session.change(
            self._requests, self.notebook(), "undo", {"n": steps, "without": list(without), "replay": replay}
        )

    def redo(self, steps: int = 1, *, without: Sequence[str] = (), replay: Wish = "no") -> views.SessionChange:
        """Bring back what was undone, without the variables named."""
        from nbcellar.api import session

        return session.change(
            self._requests, self.notebook(), "redo", {"n": steps, "without": list(without), "replay": replay}
        )

    def checkout(
        self,
        ref: str,
        *,
        variables: bool = True,
        code: bool = True,
        names: Sequence[str] = (),
        without: Sequence[str] = (),
        replay: Wish = "no",
    ) -> views.SessionChange:
        """Go to a commit: its variables in the live kernel, but for those in `without`, its code in the notebook.

        names: only these variables are brought, into the session as it is; code and all else stay.
        """
        from nbcellar.api import session

        if names:
            return session.take(self, ref, names)
        return session.checkout(self, ref, variables=variables, code=code, without=without, replay=replay)

    def restore(
        self, ref: str | None = None, *, without: Sequence[str] = (), replay: Wish = "no"
    ) -> views.SessionChange:
        """Bring a state (default: the last one) into the live kernel, without the variables named."""
        from nbcellar.api import session

        self.catch_up(ref or "HEAD")
        notebook, commit = self.locate(ref) if ref else (self.notebook(), None)
        args = {"commit": commit.hex() if commit else None, "without": list(without), "replay": replay}
        return session.change(self._requests, notebook, "restore", args)

    def commit(self, message: str) -> views.NamedCommit:
        """Name this point: with a live kernel its session is recorded first, else the last recorded state is named."""
        from nbcellar.api import session

        return session.commit(self, message)

    def detach(self, notebook: str | None = None) -> bool:
        """Stop the recording of a live kernel; False if there is none."""
        from nbcellar.api import session

        return session.stop(self._requests, self.notebook(notebook))

    def wait_saved(self, notebook: str | None = None) -> None:
        """Return when everything that the live kernel has recorded is on disk."""
        self._requests(self.notebook(notebook), "wait_saved", {})

    def catch_up(self, ref: str | None = None) -> None:
        """Wait until idle kernels have saved what they recorded, so that HEAD is where their users think it is.

        ref: what is asked for; kernels of other notebooks are left alone where it can only be in the chosen one. A
        kernel that runs a cell is not waited for: what it has not recorded yet has no name either.
        """
        from nbcellar.api import session

        session.catch_up(self, ref)

    @property
    def requests(self) -> Requests:
        """How the live kernel is reached."""
        return self._requests

    # names --------------------------------------------------------------------------------------------------------

    def branches(self) -> views.Branches:
        """Return the branches of the notebook."""
        from nbcellar.api import naming

        return naming.branches(self.repository, self.notebook())

    def branch(self, name: str, ref: str = "HEAD", *, force: bool = False) -> str:
        """Make a branch and return the commit where it is."""
        self.catch_up(ref)
        notebook, commit = self.locate(ref)
        self.repository.create_branch(notebook, name, commit, force=force)
        return commit.hex()

    def rename_branch(self, old: str | None, new: str, *, force: bool = False) -> str:
        """Rename a branch (None: the current one) and return its old name."""
        notebook = self.notebook()
        name = old or self.repository.head(notebook).branch
        if name is None:
            raise InvalidInputError("HEAD is on no branch", hint="say which: cellar branch -m OLD NEW")
        self.repository.rename_branch(notebook, name, new, force=force)
        return name

    def delete_branch(self, name: str) -> str:
        """Delete a branch and return the commit where it was."""
        from nbcellar.api import naming

        return naming.delete(self.repository, self.notebook(), name, "branch")

    def tags(self) -> views.Tags:
        """Return the tags of the notebook."""
        from nbcellar.api import naming

        return naming.tags(self.repository, self.notebook())

    def tag(self, name: str, ref: str = "HEAD", *, force: bool = False) -> str:
        """Make a tag and return the commit where it is."""
        self.catch_up(ref)
        notebook, commit = self.locate(ref)
        self.repository.create_tag(notebook, name, commit, force=force)
        return commit.hex()

    def delete_tag(self, name: str) -> str:
        """Delete a tag and return the commit where it was."""
        from nbcellar.api import naming

        return naming.delete(self.repository, self.notebook(), name, "tag")

    def set_message(self, ref: str, text: str) -> str:
        """Change the message of a commit and return the commit."""
        self.catch_up(ref)
        notebook, commit = self.locate(ref)
        self.repository.set_message(notebook, commit, text)
        return commit.hex()

    def ops(self, *, limit: int | None = None) -> views.Operations:
        """Return the operation log of the notebook, or of all where none is chosen, newest first."""
        from nbcellar.api import naming

        chosen = self._notebook
        return naming.operations(self.repository, self.notebook() if chosen else None, limit)

    def op_undo(self, number: int | None = None) -> views.OperationUndone:
        """Undo an operation (default: the last one); a live kernel follows when that moves HEAD."""
        from nbcellar.api import naming, session

        self.catch_up("HEAD" if number is None else None)
        notebook = self.notebook() if number is None else naming.notebook_of_operation(self.repository, number)
        done = naming.op_undo(self.repository, notebook, number)
        return session.follow(self, notebook, done) if done.head_moved else done

    # keeping ------------------------------------------------------------------------------------------------------

    def gc(
        self, *, dry_run: bool = False, purge: bool = False, thin: bool = True, budget_bytes: int | None = None
    ) -> views.Gc:
        """Remove what nothing refers to and, with `thin`, values of old states; with `purge`, for good at once.

        dry_run: remove nothing, and say what would go: exactly that goes when nothing is recorded in between.
        budget_bytes: give up more values, down to this size, of those that cells can make again: the choice that takes
        them the least time (`replay` in `checkout` brings such a value back).
        """
        from nbcellar.api import maintenance

        return maintenance.gc(
            self.repository, self.settings, dry_run=dry_run, purge=purge, thin=thin, budget_bytes=budget_bytes
        )

    def check(self, *, read_data: bool = False) -> views.Check:
        """Verify what is stored."""
        from nbcellar.api import maintenance

        return maintenance.check(self.repository, read_data=read_data)

    def what_is(self, text: str) -> Literal["variable", "commit"]:
        """Say whether a text names a variable of the history or a commit. Raises when it is both or neither."""
        from nbcellar.api import maintenance

        return maintenance.what_is(self, text)

    def forget(self, what: str, *, kind: Literal["variable", "commit"], force: bool = False) -> views.Forgotten:
        """Remove a variable or a commit from history for good."""
        self.catch_up()
        from nbcellar.api import maintenance

        done = maintenance.forget(self, what, kind=kind, force=force)
        self.catch_up()  # a kernel that goes on from a commit that is gone would lose its next cell
        return done

    # trust --------------------------------------------------------------------------------------------------------

    def trusted_keys(self) -> views.Trust:
        """Return the signers of this history and the keys that are decided about."""
        from nbcellar.api import trusting

        return trusting.keys(self)

    def trust(self, key: str, *, name: str = "") -> views.TrustedKey:
        """Trust a signer for this project."""
        from nbcellar.api import trusting

        return trusting.add(self, key, name)

    def distrust(self, key: str) -> views.TrustedKey:
        """Trust a signer no longer."""
        from nbcellar.api import trusting

        return trusting.remove(self, key)

    # private ------------------------------------------------------------------------------------------------------

    def _own_key(self) -> SigningKey | None:
        return keys.load(self.user_folder)

    def _start(self, ref: str | None) -> tuple[NotebookId, CommitId | None]:
        return (self.notebook(), None) if ref is None else self.locate(ref)

    def _signers(self, commit: CommitId) -> list[views.Signer]:
        from nbcellar.api import trusting

        return trusting.signers(self, commit)


def init(folder: Path, *, environ: Mapping[str, str], clock: Callable[[], int] = time.time_ns) -> Repo:
    """Make a repository in a folder. Raises AlreadyExistsError, InvalidInputError for what is no folder."""
    if not folder.is_dir():
        raise InvalidInputError(f"{folder} is no folder", hint="make it first, or give another one")
    folder = folder.resolve()
    if (folder / FOLDER / "meta.db").exists():
        raise AlreadyExistsError(f"{folder} is a Cellar repository already", hint="see: cellar status")
    config.load(None, environ)  # a wrong setting is told before anything is made
    repository = Repository.create(folder, by=local_identity(), clock=clock)
    return Repo(repository, environ=environ, folder=folder)


def open_repo(
    folder: Path,
    *,
    environ: Mapping[str, str],
    kernel_requests: Requests | None = None,
    notice: Notice = lambda text: None,
    asking: Asking | None = None,
    clock: Callable[[], int] = time.time_ns,
    notebook: str | None = None,
    shows: selection.Shows | None = None,
) -> Repo:
    """Open the repository of `folder`, there or above; `asking` follows its requests. Raises NoRepositoryError.

    shows: of which other notebooks than `notebook` references may speak; None: of all.
    """
    repository = Repository.find(folder, by=local_identity(), clock=clock)
    return Repo(
        repository,
        environ=environ,
        folder=folder,
        notebook=notebook,
        kernel_requests=kernel_requests,
        notice=notice,
        asking=asking,
        shows=shows,
    )


def open_path(path: str | os.PathLike[str]) -> Repo:
    """Open the repository of a folder or of a notebook, which then is the default one; in a folder, a kernel's own."""
    target = Path(path).expanduser().absolute()
    requests, notebook = None, None
    if "nbcellar.session.remote" in sys.modules:  # inside a recording kernel: its own session is asked directly
        remote = sys.modules["nbcellar.session.remote"]
        requests, recorder = remote.local_requests(), remote.current()
        # By its id: the notebook may have another name by now than when its kernel started.
        notebook = recorder.session.notebook if recorder and _is_in(target, recorder.session.repo.root) else None
    if target.is_dir():
        return open_repo(target, environ=os.environ, kernel_requests=requests, notebook=notebook)
    if target.suffix != ".ipynb":
        raise InvalidInputError(f"{path} is neither a folder nor a notebook")
    return open_repo(target.parent, environ=os.environ, kernel_requests=requests, notebook=target.name)


def _is_in(folder: Path, root: Path) -> bool:
    """True if `root` is the repository of `folder`."""
    try:
        return find_root(folder).samefile(root)
    except (CellarError, OSError):
        return False


def own_key(environ: Mapping[str, str]) -> views.Key:
    """Return the user's key; it is made when there is none."""
    from nbcellar.api import trusting

    return trusting.own_key(config.user_folder(environ))


def rebuild(folder: Path) -> tuple[list[str], list[str]]:
    """Make a new meta.db from the packs of a repository; return what was found and what is damaged, in lines."""
    from nbcellar.api import maintenance

    return maintenance.rebuild(find_root(folder) / FOLDER)
