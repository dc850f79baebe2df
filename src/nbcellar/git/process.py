"""Running git.

Invariant: git is started without a shell, with an environment that was passed in, and its answers are bytes: names in a
repository need not be text. `GIT_DIR` and its like, which git sets inside hooks and drivers, are honoured, for a
command that git started works on git's repository. What only reads runs no program that the repository's configuration
names, but a transport where objects of a partial clone are missing, and writes nothing, not even what git knows of
times and sizes; how git shows things to its user does not change what it tells us.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from nbcellar.errors import CellarError, InvalidInputError, StoreUnavailableError

# What says which repository is meant; taken out for a command that is about another one.
REPOSITORY_VARIABLES = frozenset(
    """
    GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX GIT_COMMON_DIR GIT_OBJECT_DIRECTORY GIT_NAMESPACE
    GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_IMPLICIT_WORK_TREE GIT_GRAFT_FILE GIT_NO_REPLACE_OBJECTS GIT_SHALLOW_FILE
    GIT_REPLACE_REF_BASE GIT_INTERNAL_SUPER_PREFIX GIT_QUARANTINE_PATH
    """.split()
)
_SETTINGS = (
    "core.quotePath=off",
    "color.ui=false",
    "core.fsmonitor=false",  # may be any program
    "diff.autoRefreshIndex=false",  # asks clean filters, writes the index, calls a hook
    "log.showSignature=false",  # runs `gpg.program`
    "log.showRoot=true",
    "i18n.logOutputEncoding=UTF-8",
)
_OPTIONS = ("--no-pager", *(word for setting in _SETTINGS for word in ("-c", setting)))
# For git itself: words without translations, paths as they are, nothing asked, no lock taken for tidying up.
_ENVIRON = {"LC_ALL": "C", "GIT_LITERAL_PATHSPECS": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}


class GitFailedError(InvalidInputError):
    """git ended with an exit code that says that it did not do what it was asked for."""

    def __init__(self, words: Sequence[str], code: int, said: str) -> None:
        super().__init__(f"git {words[0]} failed: {said or f'exit code {code}'}")
        self.exit_code = code


class Answer(msgspec.Struct, frozen=True):
    """What git answered."""

    code: int
    out: bytes
    err: bytes

    @property
    def said(self) -> str:
        """Return what git wrote to its error stream, without its own words for "error"."""
        text = self.err.decode("utf-8", "replace").strip()
        return text.removeprefix("fatal: ").removeprefix("error: ")


class Git(msgspec.Struct, frozen=True):
    """git in a folder."""

    folder: Path
    environ: Mapping[str, str]

    def run(self, *words: str | bytes, stdin: bytes = b"", check: bool = True) -> Answer:
        """Run `git WORDS` to its end and return its answer. Raises GitFailedError, if `check`.

        Pathspecs are taken literally. Raises StoreUnavailableError where there is no git.
        """
        import subprocess

        try:
            done = subprocess.run(
                ["git", *_OPTIONS, *words],
                input=stdin,
                capture_output=True,
                cwd=self.folder,
                env={**self.environ, **_ENVIRON},
                check=False,
            )
        except FileNotFoundError as error:
            raise _not_started(self.folder, error) from None
        except OSError as error:  # more arguments than the system takes, no more processes
            raise StoreUnavailableError(f"git could not be started: {error.strerror or error}") from None
        answer = Answer(done.returncode, done.stdout, done.stderr)
        if check and answer.code:
            raise GitFailedError([_text(word) for word in words], answer.code, answer.said)
        return answer

    def line(self, *words: str) -> str:
        """Return the one value that `git WORDS` prints; only the line's end that git adds is taken off."""
        return _path_text(self.run(*words).out.removesuffix(b"\n"))

    def elsewhere(self, folder: Path) -> Git:
        """Return git for another folder, which finds its repository there, whatever git told us of ours."""
        environ = {name: value for name, value in self.environ.items() if name not in REPOSITORY_VARIABLES}
        return msgspec.structs.replace(self, folder=folder, environ=environ)


def _not_started(folder: Path, error: FileNotFoundError) -> CellarError:
    if not folder.is_dir():
        return StoreUnavailableError(f"{folder}: {error.strerror}")
    return StoreUnavailableError("git is not installed, or not in PATH", hint="install git, or add its folder to PATH")


def _text(word: str | bytes) -> str:
    return word if isinstance(word, str) else word.decode("utf-8", "replace")


def _path_text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def call_difftool(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Go on as `git difftool` would without a driver for diffs; return the exit code of the tool that was chosen.

    words: what git passes to whatever shows a difference. A driver in the attributes comes before any difftool.
    """
    import subprocess

    return subprocess.run(["git", "difftool--helper", *words], env=dict(environ), check=False).returncode
