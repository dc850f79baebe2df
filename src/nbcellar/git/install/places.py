"""Which files an installation is made of, for each scope.

Invariant: the files are those that git reads for the scope, so that a setting that git would not see is never written.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from pathlib import Path

import msgspec

from nbcellar import config
from nbcellar.errors import InvalidInputError
from nbcellar.git.process import Git
from nbcellar.git.repository import GitRepository


class Scope(enum.Enum):
    """For which repositories: this one, all of this user, all of this machine."""

    LOCAL = "local"
    GLOBAL = "global"
    SYSTEM = "system"


class Places(msgspec.Struct, frozen=True):
    """The files of one installation.

    config, attributes: git's, where a block of ours goes; program: our folder with what git calls; caller: how a shell
    writes the path of our program; hooks: where a hook of ours may go, None where it may not, then `why_no_hooks`;
    other_attributes: where an earlier installation may have written them.
    """

    scope: Scope
    config: Path
    attributes: Path
    program: Path
    caller: str
    hooks: Path | None
    why_no_hooks: str = ""
    other_attributes: Path | None = None


def local_places(repository: GitRepository, *, shared: bool = False) -> Places:
    """Return the places for one repository and all its worktrees.

    shared: the attributes go into `.gitattributes`, to be committed, so that clones have them.
    """
    attributes: Path = repository.common_dir / "info" / "attributes"
    other = None if repository.worktree is None else repository.worktree / ".gitattributes"
    if shared:
        if other is None:
            raise InvalidInputError(f"{repository.git_dir}: a bare repository has no .gitattributes to be shared")
        attributes, other = other, attributes
    hooks, why = _hooks(repository)
    return Places(
        scope=Scope.LOCAL,
        config=repository.common_dir / "config",
        attributes=attributes,
        program=repository.private,
        # Asked of git each time: a repository that was moved finds its own.
        caller='"$(git rev-parse --git-common-dir)/cellar/run"',
        hooks=hooks,
        why_no_hooks=why,
        other_attributes=other,
    )


def global_places(git: Git) -> Places:
    """Return the places for all repositories of a user."""
    program = config.user_folder(git.environ) / "git"
    return _without_hooks(Scope.GLOBAL, _global_config(git.environ), _global_attributes(git), program)


def system_places(git: Git) -> Places:
    """Return the places for all users of a machine."""
    named = git.environ.get("GIT_CONFIG_SYSTEM") or _variable(git, "GIT_CONFIG_SYSTEM") or "/etc/gitconfig"
    path = Path(named)
    attributes = _variable(git, "GIT_ATTR_SYSTEM") or str(path.with_name("gitattributes"))
    return _without_hooks(Scope.SYSTEM, path, Path(attributes), path.parent / "nbcellar" / "git")


def _without_hooks(scope: Scope, config: Path, attributes: Path, program: Path) -> Places:
    """Return the places for more than one repository."""
    return Places(
        scope=scope,
        config=config,
        attributes=attributes,
        program=program,
        caller=quote(str(program / "run")),
        hooks=None,
        why_no_hooks="git has hooks by repository only: cellar git install --local adds one",
    )


def quote(text: str) -> str:
    """Return a text as one word of a POSIX shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def _hooks(repository: GitRepository) -> tuple[Path | None, str]:
    """Return where hooks are, unless they belong to more than this repository."""
    folder = (repository.git.folder / repository.git.line("rev-parse", "--git-path", "hooks")).resolve()
    if folder.is_relative_to(repository.common_dir.resolve()):
        return folder, ""
    line = '"$(git rev-parse --git-common-dir)/cellar/run" pre-commit || exit 1'
    return None, f"core.hooksPath is {folder}, which may be shared; to have the check, add to its pre-commit: {line}"


def _global_config(environ: Mapping[str, str]) -> Path:
    own = environ.get("GIT_CONFIG_GLOBAL")
    if own:
        return Path(own)
    first = Path.home() / ".gitconfig"
    second = _git_folder(environ) / "config"
    return second if second.exists() and not first.exists() else first


def _global_attributes(git: Git) -> Path:
    answer = git.run("config", "--global", "--type=path", "core.attributesFile", check=False)
    if answer.code == 0:
        return Path(answer.out.removesuffix(b"\n").decode("utf-8", "surrogateescape"))
    return _git_folder(git.environ) / "attributes"


def _git_folder(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "git"


def _variable(git: Git, name: str) -> str:
    """Return one of git's own paths; git tells them since 2.41."""
    answer = git.run("var", name, check=False)
    return answer.out.decode("utf-8", "surrogateescape").strip() if answer.code == 0 else ""
