"""What code beyond the cell a component uses: versions of installed distributions, sources of local modules.

Invariant: a local module is imported anew by every component, so that what it leaves in its module is never seen by
another one, and its source is among what the component depends on. Not for: files (`watching.py`).
"""

from __future__ import annotations

import contextlib
import importlib.machinery
import importlib.metadata
import importlib.util
import os
import re
import sys
import sysconfig
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import NamedTuple

from nbcellar.pipeline.keys import code_digest
from nbcellar.pipeline.said import modules_of

_IMPORTING = ("<frozen importlib", importlib.__file__, importlib.util.__file__)
_INSTALLED = ("site-packages", "dist-packages")
_OWN = frozenset(
    """IPython _cffi_backend apsw asttokens attr blake3 cffi click cloudpickle comm cryptography dask debugpy decorator
    distributed executing fsspec ipykernel jedi jupyter_client jupyter_core locket lz4 matplotlib_inline msgpack msgspec
    nbclient nbformat nh3 parso partd pexpect platformdirs prompt_toolkit psutil ptyprocess pure_eval pycparser
    pyfastcdc pygments rapidfuzz sortedcontainers stack_data tblib toolz tornado traitlets wcwidth xxhash yaml zict zmq
    zstandard""".split()
)
"""With these Cellar itself works, in a worker: a component depends on one where it imports it or has it in a name."""


class Imported:
    """Follows the modules of one process."""

    def __init__(self) -> None:
        self._before: frozenset[str] = frozenset(sys.modules)
        self._local: dict[str, bool] = {}
        self._others: set[str] = set()  # names of modules that are not local
        self._absent: set[str] = set()
        self._initial = frozenset(sys.modules)
        self._folder = _Listing("", 0, frozenset())
        sys.meta_path.append(_Last(self))

    def begin(self, folder: str) -> None:
        """Forget local modules, so that the component imports them anew, and those of which its folder has another."""
        names = [name for name, _ in self._own()]
        hidden = self._hidden_by(folder)
        names += [name for name in list(sys.modules) if hidden and name.partition(".")[0] in hidden]
        for name in names:
            sys.modules.pop(name, None)
            self._local.pop(name, None)
            self._others.discard(name)
        for place in [place for place, finder in list(sys.path_importer_cache.items()) if finder is None]:
            del sys.path_importer_cache[place]  # a folder that was not there may be by now
        self._before = frozenset(sys.modules)
        self._absent.clear()

    def absent(self) -> tuple[str, ...]:
        """Return the modules that the user's own code asked for and nobody has."""
        return tuple(sorted(self._absent))

    def note_absent(self, name: str, frame: FrameType | None) -> None:
        """Note that a module was not found, if the user's own code imports it."""
        while frame is not None and frame.f_code.co_filename.startswith(_IMPORTING):
            frame = frame.f_back
        asks = frame.f_globals.get("__name__") if frame is not None else None
        if isinstance(asks, str) and (asks == "__main__" or self._is_local(asks, sys.modules.get(asks))):
            self._absent.add(name)

    def local_sources(self) -> dict[str, str]:
        """Return path -> digest of the code of each local module that is loaded."""
        found = {}
        for _, module in self._own():
            path = getattr(module, "__file__", None)
            if path:
                found[os.path.realpath(path)] = module_digest(path)
        return found

    def origins(
        self, namespace: Iterable[object], source: str, modules: Iterable[str], places: Sequence[str]
    ) -> dict[str, str]:
        """Return top-level module -> the file that it is in `places`, empty where it is from elsewhere.

        Of those that the user's own code imports: the cell (`modules`), local modules, functions that it was given.
        """
        roots = set(modules)
        for _, module in self._own():
            path = getattr(module, "__file__", None)
            if path:
                roots |= modules_of(_text_of(path))
        loaded = {name for name in sys.modules if "." not in name}
        if "import_module" in source or "__import__" in source:
            roots |= loaded - self._before
        for value in namespace:
            for code in _codes_of(value):
                roots |= loaded.intersection(_names_in(code))
        names = [frozenset(_entries(place)) for place in places]
        roots -= {"", "__main__", "builtins", "sys"}
        return {name: provider(name, zip(places, names, strict=True)) for name in sorted(roots)}

    def not_taken(self, origins: Mapping[str, str]) -> tuple[str, ...]:
        """Return the modules that are in the component's folder, where another one of that name was loaded before."""
        found = []
        for name, path in origins.items():
            file = getattr(sys.modules.get(name), "__file__", None)
            if path and name in self._initial and (file is None or os.path.realpath(file) != os.path.realpath(path)):
                found.append(name)
        return tuple(found)

    def _hidden_by(self, folder: str) -> frozenset[str]:
        """Return the modules loaded by components before of which a folder has another one."""
        changed = os.stat(folder).st_mtime_ns if os.path.isdir(folder) else 0  # noqa: PTH112, PTH116
        if self._folder[:2] != (folder, changed):
            self._folder = _Listing(folder, changed, frozenset(_entries(folder)))
        roots = {entry.partition(".")[0] for entry in self._folder.names}
        loaded = roots.intersection(sys.modules.keys() - self._initial)
        return frozenset(name for name in loaded if provider(name, [(folder, self._folder.names)]))

    def versions(self, namespace: Iterable[object], modules: Iterable[str], given: Iterable[str]) -> dict[str, str]:
        """Return distribution -> version of what the component may have used.

        That is what it loaded or names, what values that it took depend on (`given`, distributions), and what these can
        work with where that is loaded: a process that ran others before has it already, another would have loaded it.
        """
        roots = {name.partition(".")[0] for name in sys.modules.keys() - self._before} - _OWN
        roots |= {*modules}
        own = (vars(module) for module in self.own_modules())
        for value in [*namespace, *(value for space in own for value in list(space.values()))]:
            roots.update(_root(module) for module in (_made_in(value), getattr(type(value), "__module__", "")))
        found = versions_of(roots) | {name: version_of(name) for name in given}
        loaded = _versions_of_loaded(self._before)
        company = {name for distribution in found for name in _company(distribution)}
        found |= {name: version for name, version in loaded.items() if _plain(name) in company}
        return dict(sorted(found.items()))

    def own_modules(self) -> list[ModuleType]:
        """Return the loaded modules that are files of the user's own."""
        return [module for _, module in self._own() if isinstance(module, ModuleType)]

    def _own(self) -> list[tuple[str, object]]:
        modules = sys.modules.copy()
        return [(name, modules[name]) for name in modules.keys() - self._others if self._is_local(name, modules[name])]

    def is_own(self, name: str, module: object) -> bool:
        """Return whether a module is a file of the user's own."""
        return self._is_local(name, module)

    def _is_local(self, name: str, module: object) -> bool:
        known = self._local.get(name)
        if known is None:
            known = self._local[name] = name != "__main__" and _is_local_file(getattr(module, "__file__", None))
            if not known:
                self._others.add(name)
        return known


class _Listing(NamedTuple):
    """What is in a folder, as it was when its time was `changed`."""

    folder: str
    changed: int
    names: frozenset[str]


def provider(name: str, places: Iterable[tuple[str, Collection[str]]]) -> str:
    """Return the file that a top-level module would be in folders, the first one first; empty if none has it.

    places: folders, each with the names in it.
    """
    for place, names in places:
        whole = os.path.join(place, name)  # noqa: PTH118
        if name in names and os.path.isfile(os.path.join(whole, "__init__.py")):  # noqa: PTH113, PTH118
            return os.path.join(whole, "__init__.py")  # noqa: PTH118
        for ending in (*importlib.machinery.EXTENSION_SUFFIXES, ".py"):
            if name + ending in names:
                return whole + ending
    return ""


def is_hidden(path: str) -> bool:
    """True if a package has come beside a module that is a file: the package is found first."""
    return path.endswith(".py") and os.path.isfile(os.path.join(path[: -len(".py")], "__init__.py"))  # noqa: PTH113, PTH118


def _entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _codes_of(value: object) -> Iterator[CodeType]:
    """Yield the code of a function of the notebook, or of the methods of a class or object of it."""
    if isinstance(value, FunctionType):
        yield value.__code__
        return
    kind = value if isinstance(value, type) else type(value)
    if kind.__module__ == "__main__":
        for part in list(vars(kind).values()):
            function = getattr(part, "__func__", part)
            if isinstance(function, FunctionType):
                yield function.__code__


def _names_in(code: CodeType) -> set[str]:
    names = {name.partition(".")[0] for name in code.co_names}
    return names.union(*(_names_in(inner) for inner in code.co_consts if isinstance(inner, CodeType)))


def _text_of(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def _made_in(value: object) -> object:
    if isinstance(value, ModuleType):
        return value.__name__
    return getattr(value, "__module__", "") if callable(value) else ""


def _root(module: object) -> str:
    return module.partition(".")[0] if isinstance(module, str) else ""


class _Last:
    """Is asked for a module when nobody else has it."""

    def __init__(self, imported: Imported) -> None:
        self._imported = imported

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        self._imported.note_absent(name, sys._getframe(1))


def is_there(name: str, folder: str) -> bool:
    """Return whether a module that was absent could be imported now, from a folder or as it is installed."""
    root = name.partition(".")[0]
    whole = os.path.join(folder, *name.split("."))  # noqa: PTH118
    if os.path.isdir(whole) or os.path.isfile(whole + ".py"):  # noqa: PTH112, PTH113
        return True
    with contextlib.suppress(ImportError, ValueError):
        if root == name:
            return importlib.machinery.PathFinder.find_spec(root) is not None
        package = importlib.machinery.PathFinder.find_spec(root)
        places = list(package.submodule_search_locations or ()) if package is not None else []
        parts = name.split(".")[1:]
        return any(
            os.path.exists(os.path.join(place, *parts) + ending)  # noqa: PTH110, PTH118
            for place in places
            for ending in ("", *importlib.machinery.all_suffixes())
        )
    return False


def module_digest(path: str) -> str:
    """Return the digest of a module's code, empty where it is gone."""
    try:
        return code_digest(Path(path).read_text(encoding="utf-8", errors="surrogateescape"))
    except OSError:
        return ""


def versions_of(roots: Iterable[str]) -> dict[str, str]:
    """Return distribution -> version for top-level modules; what no distribution brought is left out."""
    found = {}
    for root in sorted(set(roots) - sys.stdlib_module_names - {"__main__", "builtins", "nbcellar", ""}):
        for distribution in _distributions_of(root):
            found[distribution] = version_of(distribution)
    return found


@lru_cache(maxsize=64)
def _versions_of_loaded(modules: frozenset[str]) -> dict[str, str]:
    """Return distribution -> version of what a process had loaded when a component began; not to be changed."""
    return versions_of({name.partition(".")[0] for name in modules} - _OWN)


@lru_cache(maxsize=4096)
def version_of(distribution: str) -> str:
    """Return the version of an installed distribution, empty where it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


@lru_cache(maxsize=4096)
def _distributions_of(root: str) -> tuple[str, ...]:
    if version_of(root):
        return (root,)
    return tuple(dict.fromkeys(_by_module().get(root, ())))


@lru_cache(maxsize=1)
def _by_module() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())


@lru_cache(maxsize=4096)
def _company(distribution: str) -> frozenset[str]:
    """Return the plain names of all that a distribution says it needs or can work with, and of what these need."""
    found: set[str] = set()
    todo = [_plain(need) for need in _needs(distribution)]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += [_plain(need) for need in _needs(name) if "extra ==" not in need]
    return frozenset(found)


def _needs(distribution: str) -> list[str]:
    try:
        return importlib.metadata.requires(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        return []


def _plain(requirement: str) -> str:
    """Return the name in a requirement, or of a distribution, as the package index compares names."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement, maxsplit=1)[0]).lower()


def _is_local_file(path: object) -> bool:
    if not isinstance(path, str) or not path:
        return False
    whole = os.path.realpath(path)
    if any(part in _INSTALLED for part in Path(whole).parts):
        return False
    standard = {os.path.realpath(sysconfig.get_path(key)) for key in ("stdlib", "platstdlib")}
    own = os.path.realpath(Path(__file__).parent.parent)
    return not any(whole.startswith(folder + os.sep) for folder in (*standard, own)) and whole.endswith(".py")


__all__ = ["Imported", "is_hidden", "is_there", "module_digest", "provider", "version_of", "versions_of"]
