"""Installing what git needs to know of notebooks, and taking it away without a trace.

Invariant: after `install` and `uninstall` git's configuration, attributes and hooks are what they were, byte for byte,
whatever stood in them.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from nbcellar.git.compared import NOTE
from nbcellar.git.install import hooks
from nbcellar.git.install.blocks import edit
from nbcellar.git.install.places import Places, Scope, global_places, local_places, system_places
from nbcellar.git.install.program import remove_program, write_program
from nbcellar.git.install.save_hook import add_save_hook, remove_save_hook
from nbcellar.git.install.settings import ATTRIBUTES, config_block
from nbcellar.git.process import Git

__all__ = ["Installed", "Places", "Scope", "global_places", "install", "local_places", "system_places", "uninstall"]

_NO_TOOL = frozenset({"cellar", "unspecified", "unset", "set"})


class Installed(msgspec.Struct, frozen=True):
    """What an installation or its removal changed, and what it left alone with the reason."""

    changed: tuple[str, ...]
    left_alone: tuple[str, ...] = ()


def install(places: Places, *, save_hook: Path | None = None) -> Installed:
    """Install; doing it again puts right what is no longer as it should be. Raises StoreUnavailableError.

    save_hook: the settings file of Jupyter Server that loads the hook, to install that, too.
    """
    remove = f"cellar git uninstall --{places.scope.value}"
    write_program(places.program, remove=_by_hand(places) + f" ({remove})")
    changed = [f"{places.program}: what git calls"]
    if edit(places.config, config_block(places)):
        changed.append(f"{places.config}: filter, diff and merge driver, difftool, mergetool")
    if edit(places.attributes, ATTRIBUTES):
        changed.append(f"{places.attributes}: notebooks go through them")
    if save_hook is not None and add_save_hook(save_hook, places.program):
        changed.append(f"{save_hook}: Jupyter Server cleans and keeps outputs when it saves, once started again")
    if places.hooks is None:
        return Installed(tuple(changed), (places.why_no_hooks,))
    if hooks.add_hook(places.hooks):
        changed.append(f"{places.hooks / hooks.NAME}: refuses notebooks with unresolved conflicts")
    return Installed(tuple(changed))


def uninstall(places: Places, *, save_hook: Path | None = None) -> Installed:
    """Remove everything that `install` wrote, and the kept outputs. Raises StoreUnavailableError."""
    changed = []
    for path in (places.attributes, places.other_attributes, places.config):
        if path is not None and edit(path, None):
            changed.append(f"{path}: as it was before")
    if places.hooks is not None and hooks.remove_hook(places.hooks):
        changed.append(f"{places.hooks / hooks.NAME}: as it was before")
    if save_hook is not None and remove_save_hook(save_hook, places.program):
        changed.append(f"{save_hook}: no longer there for this installation")
    if places.scope is Scope.LOCAL and (places.program / "outputs").is_dir():
        shutil.rmtree(places.program / "outputs", ignore_errors=True)
        changed.append(f"{places.program / 'outputs'}: kept outputs removed; those in working files stay")
    if places.scope is Scope.LOCAL:
        (places.program / NOTE).unlink(missing_ok=True)
    if remove_program(places.program):
        changed.append(f"{places.program}: removed")
    return Installed(tuple(changed))


def other_tools(git: Git) -> list[str]:
    """Return what there is to say of other filters and drivers that notebooks go through before an installation."""
    named = [path for path in git.run("ls-files", "-z").out.split(b"\0") if path.endswith(b".ipynb")] or [b"x.ipynb"]
    fields = git.run("check-attr", "-z", "--stdin", "filter", "diff", "merge", stdin=b"\0".join(named)).out.split(b"\0")
    values = zip(fields[1::3], fields[2::3], strict=False)
    found = {(name.decode(), value.decode("utf-8", "replace")) for name, value in values}
    others = sorted(f"{name}={value}" for name, value in found if value not in _NO_TOOL)
    if not others:
        return []
    told = f"notebooks had {', '.join(others)}, which Cellar's take the place of in this repository"
    if any(other.startswith("filter=") for other in others):
        kept = next(other for other in others if other.startswith("filter="))
        told += f"; to keep that filter, add to .git/info/attributes, below Cellar's lines: *.ipynb {kept}"
    return [told]


def _by_hand(places: Places) -> str:
    return "delete the lines between the cellar marks in git's config and attributes"
