"""Which names of a namespace are the user's, and which of them are recorded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache

# IPython's own, whatever they are bound to: history, output cache, helpers of the shell.
_SHELL_NAMES = frozenset(
    "In Out get_ipython _ __ ___ _i _ii _iii _ih _oh _dh _sh __name__ __doc__ __package__ __loader__ "
    "__spec__ __builtin__ __builtins__ __annotations__ __file__ __session__ __vsc_ipynb_file__ __nonzero__ "
    "__warningregistry__ __pydantic_decorators__ _VSCODE_types".split()
)
_SHELL_PATTERN = re.compile(r"_i?\d+|_exit_code|_VSCODE_\w+")


@lru_cache(maxsize=4096)
def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


class Names:
    """Decides whether a name is recorded. `hidden` is IPython's user_ns_hidden."""

    def __init__(self, hidden: Mapping[str, object], skip: Iterable[str] = (), off: Iterable[str] = ()) -> None:
        self._hidden = hidden
        self._skip = tuple(skip)
        self._off = frozenset(off)
        self._known: set[str] = set()
        self._never: set[str] = set()  # IPython's, among them two more for each cell, and what was excluded
        self._skipped: dict[str, bool] = {}
        self._newly_skipped: list[str] = []

    def recorded(self, namespace: Mapping[str, object]) -> dict[str, object]:
        """Return the variables that the user made and did not exclude, in the namespace's order."""
        never, known, hidden = self._never, self._known, self._hidden
        # Copied at once, as a thread may add names meanwhile; IPython adds names with each cell, so this is a hot loop.
        candidates = [name for name in list(namespace) if type(name) is str and name not in never]
        for name in candidates:
            if name not in known:
                self._classify(name)
        found = {name: namespace[name] for name in candidates if name in known and name in namespace}
        return {n: value for n, value in found.items() if n not in hidden or hidden[n] is not value}

    @property
    def initial(self) -> Mapping[str, object]:
        """What names were bound to when the kernel started; while they are, they are not the user's."""
        return self._hidden

    def take_newly_skipped(self) -> list[str]:
        """Return the excluded names that `recorded` met for the first time since this was last asked, sorted."""
        names, self._newly_skipped = sorted(self._newly_skipped), []
        return names

    def is_skipped(self, name: str) -> bool:
        """True for a name that looks like a secret or that was switched off."""
        skipped = self._skipped.get(name)
        if skipped is None:
            skipped = name in self._off or _matches(name, self._skip)
            self._skipped[name] = skipped
        return skipped

    def _classify(self, name: str) -> None:
        is_own = not name or not is_text(name) or name in _SHELL_NAMES or _SHELL_PATTERN.fullmatch(name)
        if not is_own and not self.is_skipped(name):
            self._known.add(name)
            return
        self._never.add(name)
        if not is_own:
            self._newly_skipped.append(name)


class NeverStore:
    """What a user wants listed but not stored: variables by name, objects by class; as shell patterns."""

    def __init__(self, variables: Iterable[str] = (), classes: Iterable[str] = ()) -> None:
        self.classes = tuple(classes)
        self._variables = tuple(variables)
        self._known: dict[str, bool] = {}

    def names_variable(self, name: str) -> bool:
        """True for a variable whose value is not stored."""
        if not self._variables:
            return False
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = any(fnmatchcase(name, pattern) for pattern in self._variables)
        return known

    def names_class(self, kind: type) -> bool:
        """True for a class whose objects are not stored or that inherits from one; the notebook's go by bare name."""
        paths = [path for base in kind.__mro__[:-1] for path in _paths(base)]
        return any(fnmatchcase(path, pattern) for path in paths for pattern in self.classes)


def _paths(kind: type) -> tuple[str, ...]:
    module = str(kind.__module__)
    path = f"{module}.{kind.__qualname__}"
    return (path, kind.__qualname__) if module == "__main__" else (path,)


def is_text(text: str) -> bool:
    """True if the text can be stored: a lone half of a surrogate pair cannot."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_text(text: str) -> str:
    """Return the text with what cannot be stored replaced by "?"."""
    return text if is_text(text) else text.encode(errors="replace").decode()
