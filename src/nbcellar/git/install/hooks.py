"""git's pre-commit hook.

Invariant: a hook that was there runs before ours, with the same arguments, and decides first; removing ours brings it
back as it was, under its own name.
"""

from __future__ import annotations

from pathlib import Path

from nbcellar.errors import StoreUnavailableError

NAME = "pre-commit"
_BEFORE = ".before-cellar"
# Where the framework of https://pre-commit.com puts a hook that it finds; it runs it first.
_LEGACY = ".legacy"
_MARK = "# Written by `cellar git install`, removed by `cellar git uninstall`."
_HOOK = f"""\
#!/bin/sh
{_MARK}
# The hook that was here before is {NAME}{_BEFORE}; it runs first.
before="$(dirname -- "$0")/{NAME}{_BEFORE}"
if test -x "$before"; then
    "$before" "$@" || exit
fi
run="$(git rev-parse --git-common-dir)/cellar/run"
test -x "$run" || exit 0
exec "$run" pre-commit "$@"
"""


def add_hook(folder: Path) -> bool:
    """Put our hook before the one that is there; return whether it was not there yet. Raises StoreUnavailableError."""
    hook, before = folder / NAME, folder / (NAME + _BEFORE)
    if has_hook(folder):
        return False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        aside = folder / f"{NAME}.new-cellar"
        aside.write_text(_HOOK, "utf-8")
        aside.chmod(0o755)
        if hook.is_symlink() or hook.exists():
            hook.rename(before)
        aside.rename(hook)
    except OSError as error:
        raise StoreUnavailableError(f"{hook}: {error.strerror or error}") from None
    return True


def remove_hook(folder: Path) -> bool:
    """Take our hook away and put the earlier one back; return whether it was there. Raises StoreUnavailableError."""
    hook, before = folder / NAME, folder / (NAME + _BEFORE)
    if not _is_ours(hook):
        hook = folder / (NAME + _LEGACY)
    if not _is_ours(hook):
        return False
    try:
        if before.is_symlink() or before.exists():
            before.rename(hook)
        else:
            hook.unlink()
    except OSError as error:
        raise StoreUnavailableError(f"{hook}: {error.strerror or error}") from None
    return True


def has_hook(folder: Path) -> bool:
    """Return whether our hook is in a folder, called by git or by the framework that took its place."""
    return _is_ours(folder / NAME) or _is_ours(folder / (NAME + _LEGACY))


def _is_ours(hook: Path) -> bool:
    try:
        return _MARK in hook.read_text("utf-8", "replace")
    except OSError:
        return False
