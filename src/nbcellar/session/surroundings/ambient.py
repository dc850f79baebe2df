"""What surrounds the variables and is versioned with them: random states, working directory, options of libraries, ...

Invariant: `restore` of what `capture` returned makes the next `capture` return equal parts, and random streams
continue exactly as they did. A part is canonical msgpack without pickle; equal states give equal bytes. Libraries are
looked up in `sys.modules` and imported only for a random stream that is about to be restored. Environment variables
with secret names are neither recorded nor changed.

Decimal contexts and numpy's print and error state belong to the running context (`contextvars`): capture and restore
where the cells run. Not for: state of modules, which is only listed by name and version.
"""

from __future__ import annotations

import contextlib
import enum
import importlib
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from types import FunctionType, ModuleType
from typing import Any, Protocol

import msgspec

from nbcellar.errors import CorruptStoreError
from nbcellar.session.surroundings import imports
from nbcellar.session.surroundings.libraries import (
    FiguresPart,
    MatplotlibPart,
    NumpyErrorPart,
    NumpyPrintPart,
    NumpyRandomPart,
    PandasPart,
    TorchPart,
)
from nbcellar.session.surroundings.process import (
    DecimalPart,
    DirectoryPart,
    EnvironmentPart,
    RandomPart,
    SearchPathPart,
    WarningsPart,
    is_secret_name,
)

RANDOM_PARTS = frozenset({"random", "numpy.random", "torch"})
FIGURES = FiguresPart.name
MODULES = "modules"


class Part(Protocol):
    """One kind of ambient state. `capture` returns the very same bytes object while nothing changed."""

    name: str

    def capture(self) -> bytes | None:
        """Return the present state; None when the library is not loaded."""

    def decode(self, payload: bytes) -> object:
        """Return what `restore` takes; raise for bytes that are none of this part's."""

    def restore(self, decoded: Any) -> str:
        """Put a decoded state back; return what could not be, or nothing. ModuleNotFoundError: library not loaded."""


class RestoreStatus(str, enum.Enum):
    """What became of a part."""

    RESTORED = "restored"
    PARTLY = "partly restored"
    KEPT = "kept for later"  # its library is not loaded
    FAILED = "not restored"


class AmbientReport(msgspec.Struct, frozen=True):
    """The outcome for one part; `detail` is a sentence's end for people, empty when all went well.

    lacks: libraries whose first import had set what this state of the part does not have.
    """

    part: str
    status: RestoreStatus
    detail: str = ""
    lacks: frozenset[str] = frozenset()


class AmbientTracker:
    """Captures and restores ambient state in one kernel; remembers baselines and what changed last. Mutable."""

    def __init__(self, skip: Callable[[str], bool] = lambda name: False) -> None:
        """skip: environment variables that the user's settings leave out, beside those that look like secrets."""
        parts: Sequence[Part] = (
            RandomPart(),
            NumpyRandomPart(),
            TorchPart(),
            DirectoryPart(),
            EnvironmentPart(lambda name: is_secret_name(name) or skip(name)),
            SearchPathPart(),
            WarningsPart(),
            DecimalPart(),
            NumpyPrintPart(),
            NumpyErrorPart(),
            PandasPart(),
            MatplotlibPart(),
            FiguresPart(),
        )
        self._parts = {part.name: part for part in parts}
        self._kept: dict[str, bytes] = {}
        self._versions: tuple[dict[str, str], bytes] = ({}, _encode({}))
        self._imports = imports.FirstImports()
        self._imports.begin(self.capture(only=imports.PARTS))

    def capture(
        self, namespace: Mapping[str, object] | None = None, only: Collection[str] | None = None
    ) -> dict[str, bytes]:
        """Return part name -> bytes of every part that has something; a part that fails is left out.

        namespace: the user namespace, for `modules`. only: the parts that are wanted; None: all.
        A part restored before its library was loaded is returned as it was recorded, until the library is there.
        """
        captured: dict[str, bytes] = {}
        for name, part in self._parts.items():
            if only is not None and name not in only:
                continue
            try:
                payload = part.capture()
            except Exception:  # a library in a state of its own, or user code that broke it; the rest must be recorded
                continue
            if payload is None:
                payload = self._kept.get(name)
            else:
                self._kept.pop(name, None)
            if payload is not None:
                captured[name] = payload
        if namespace is not None:
            captured[MODULES] = self._module_versions(namespace)
        return captured

    def note_imports(self, source: str) -> None:
        """Note what was set since the last look because a cell with this source imported libraries."""
        self._imports.look(source, self.capture(only=imports.PARTS))

    def restore(self, parts: Mapping[str, bytes], only: Collection[str] | None = None) -> list[AmbientReport]:
        """Put recorded parts back, all or those named by `only`, and report on each; never raises.

        A part that `parts` does not hold stays as it is. A part whose library is not loaded is kept, see `capture`.
        """
        self.note_imports(" ".join(self._listed(parts)))  # loading the values imported what they need
        reports = [
            self._restore_part(name, payload)
            for name, payload in sorted(parts.items())
            if name != MODULES and (only is None or name in only)
        ]
        self._imports.begin(self.capture(only=imports.PARTS))
        return reports

    def load_streams(self, parts: Mapping[str, bytes]) -> None:
        """Import the libraries whose random streams are recorded in `parts`.

        A stream of a library that is loaded later would begin anew, and nobody could tell. numpy loads its own only
        when it is first asked for.
        """
        for name in _STREAMS:
            if name in parts and name not in sys.modules:
                with contextlib.suppress(Exception):  # it is reported as not loaded
                    importlib.import_module(name)

    def validate(self, parts: Mapping[str, bytes]) -> None:
        """Decode every part without changing anything; raise CorruptStoreError for one that cannot be."""
        for name, payload in parts.items():
            decode = _decode_versions if name == MODULES else self._decoder(name)
            try:
                if decode is not None:
                    decode(payload)
            except Exception as error:
                raise CorruptStoreError(f"the recorded state of '{name}' cannot be read: {error}") from error

    def _decoder(self, name: str) -> Callable[[bytes], object] | None:
        part = self._parts.get(name)
        return None if part is None else part.decode

    def _restore_part(self, name: str, payload: bytes) -> AmbientReport:
        part = self._parts.get(name)
        if part is None:
            return AmbientReport(name, RestoreStatus.FAILED, "this version of Cellar does not know it")
        try:
            lacks = self._imports.lacking(name, payload)
            if part.capture() == payload:
                return AmbientReport(name, RestoreStatus.RESTORED, lacks=lacks)
            detail = part.restore(part.decode(payload))
        except ModuleNotFoundError as missing:
            self._kept[name] = payload
            return AmbientReport(name, RestoreStatus.KEPT, f"{missing.name} is not loaded")
        except Exception as error:
            return AmbientReport(name, RestoreStatus.FAILED, f"{type(error).__name__}: {error}")
        return AmbientReport(name, RestoreStatus.PARTLY if detail else RestoreStatus.RESTORED, detail, lacks)

    def _listed(self, parts: Mapping[str, bytes]) -> Collection[str]:
        try:
            return _decode_versions(parts[MODULES])
        except (KeyError, msgspec.MsgspecError):
            return ()

    def _module_versions(self, namespace: Mapping[str, object]) -> bytes:
        versions = {root: _version(root) for root in sorted(_module_roots(namespace))}
        if versions != self._versions[0]:
            self._versions = (versions, _encode(versions))
        return self._versions[1]


def _decode_versions(payload: bytes) -> dict[str, str]:
    return msgspec.msgpack.decode(payload, type=dict[str, str])


_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_STREAMS = ("numpy.random", "torch")  # names of parts and of the modules that hold them
_UNLISTED = frozenset({"__main__", "builtins"}) | sys.stdlib_module_names


def _module_roots(namespace: Mapping[str, object]) -> set[str]:
    """Return the top-level names of the libraries that variables are, or are made by."""
    modules: set[object] = set()
    for value in list(namespace.values()):
        cls = type(value)
        if cls is ModuleType:
            modules.add(value.__dict__.get("__name__"))
        elif cls is type or cls is FunctionType:
            modules.add(value.__module__)
        else:
            modules.add(cls.__module__)
    roots = {name.partition(".")[0] for name in modules if isinstance(name, str)}
    return roots - _UNLISTED


def _version(root: str) -> str:
    module = sys.modules.get(root)
    version = None if module is None else vars(module).get("__version__")
    return str(version) if isinstance(version, str) else ""  # torch has a subclass of its own
