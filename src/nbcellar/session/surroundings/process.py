"""Ambient state of the process and the standard library: random, directory, environment, path, warnings, decimal.

Invariant: as in `ambient.py`; each part compares with what it captured last before it encodes anything.
Not for: libraries that may be missing (`ambient_libraries.py`).
"""

from __future__ import annotations

import decimal
import fnmatch
import os
import random
import re
import struct
import sys
import warnings
from collections.abc import Callable
from typing import Any

import msgspec

# More than variables: the environment is full of names that somebody else chose, and holds no data of an analysis.
SECRET_PATTERNS = (
    "*KEY*",
    "*TOKEN*",
    "*SECRET*",
    "*PASSWORD*",
    "*PASSWD*",
    "*PASSPHRASE*",
    "*CREDENTIAL*",
    "*_PWD",
    "*_PASS",
    "*_AUTH",
    "*CONN*STR*",
    "*DATABASE_URL",
    "*_DSN",
)
_KNOWN_HARMLESS = frozenset({"TOKENIZERS_PARALLELISM"})

encode = msgspec.msgpack.Encoder(order="deterministic").encode

_is_secret_bytes = re.compile("|".join(map(fnmatch.translate, SECRET_PATTERNS)), re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """Whether an environment variable or variable of this name is not to be recorded."""
    return _is_secret_bytes.match(name) is not None and name not in _KNOWN_HARMLESS


class RandomPart:
    """The stream of the `random` module's functions."""

    name = "random"

    def __init__(self) -> None:
        self._last: object = None
        self._bytes = b""

    def capture(self) -> bytes | None:
        state = random.getstate()
        if state != self._last:
            version, words, gauss = state
            self._bytes = encode((version, struct.pack(f"<{len(words)}I", *words), gauss))
            self._last = state
        return self._bytes

    def decode(self, payload: bytes) -> tuple[int, tuple[int, ...], float | None]:
        version, packed, gauss = msgspec.msgpack.decode(payload, type=tuple[int, bytes, float | None])
        return version, struct.unpack(f"<{len(packed) // 4}I", packed), gauss

    def restore(self, decoded: Any) -> str:
        random.setstate(decoded)
        return ""


class DirectoryPart:
    """The working directory."""

    name = "cwd"

    def __init__(self) -> None:
        self._last = ""
        self._bytes = b""

    def capture(self) -> bytes | None:
        directory = os.getcwd()  # noqa: PTH109 - a Path costs more than the call
        if directory != self._last:
            self._bytes = encode(os.fsencode(directory))
            self._last = directory
        return self._bytes

    def decode(self, payload: bytes) -> str:
        return os.fsdecode(msgspec.msgpack.decode(payload, type=bytes))

    def restore(self, decoded: Any) -> str:
        try:
            os.chdir(decoded)
        except FileNotFoundError:
            return f"the folder {decoded} is gone"
        except OSError as error:
            return f"the folder {decoded} cannot be entered: {error.strerror}"
        return ""


class EnvironmentPart:
    """Environment variables that were changed or removed since recording began, secrets left alone."""

    name = "environ"

    def __init__(self, skip: Callable[[str], bool] = is_secret_name) -> None:
        """skip: which environment variables are left alone."""
        self._skip = skip
        self._baseline = dict(os.environ)
        self._last: object = None
        self._bytes = b""

    def capture(self) -> bytes | None:
        # The dictionary below os.environ compares 50 variables in 2 us; the mapping itself decodes each of them.
        now = getattr(os.environ, "_data", None)
        if now is None:
            now = dict(os.environ)
        if now != self._last:
            last = dict(now)
            changed, removed = self._changes()
            self._bytes = encode(
                (
                    sorted((os.fsencode(n), os.fsencode(v)) for n, v in changed.items()),
                    sorted(os.fsencode(n) for n in removed),
                )
            )
            self._last = last  # now that the bytes are those of it: an interrupt may come in between
        return self._bytes

    def decode(self, payload: bytes) -> tuple[dict[str, str], list[str]]:
        changed, removed = msgspec.msgpack.decode(payload, type=tuple[list[tuple[bytes, bytes]], list[bytes]])
        return {os.fsdecode(n): os.fsdecode(v) for n, v in changed}, [os.fsdecode(n) for n in removed]

    def restore(self, decoded: Any) -> str:
        changed, removed = decoded
        target = {n: v for n, v in self._baseline.items() if n not in removed} | changed
        for name in set(target) | set(os.environ):
            if self._skip(name):
                continue
            if name not in target:
                del os.environ[name]
            elif os.environ.get(name) != target[name]:
                os.environ[name] = target[name]
        return ""

    def _changes(self) -> tuple[dict[str, str], list[str]]:
        now = {n: v for n, v in os.environ.items() if not self._skip(n)}
        changed = {n: v for n, v in now.items() if self._baseline.get(n) != v}
        return changed, [n for n in self._baseline if n not in now and not self._skip(n)]


class SearchPathPart:
    """`sys.path`, together with what it was when recording began, so that another environment keeps its own folders."""

    name = "sys.path"

    def __init__(self) -> None:
        self._baseline = _path_entries()
        self._last: list[str] = []
        self._bytes = b""

    def capture(self) -> bytes | None:
        now = _path_entries()
        if now != self._last or not self._bytes:
            self._bytes = encode((_as_bytes(now), _as_bytes(self._baseline)))
            self._last = now
        return self._bytes

    def decode(self, payload: bytes) -> tuple[list[str], list[str]]:
        path, baseline = msgspec.msgpack.decode(payload, type=tuple[list[bytes], list[bytes]])
        return [os.fsdecode(p) for p in path], [os.fsdecode(p) for p in baseline]

    def restore(self, decoded: Any) -> str:
        path, baseline = decoded
        others = [entry for entry in sys.path if not isinstance(entry, str)]
        sys.path[:] = self._rebase(path, baseline) + others
        return ""

    def _rebase(self, path: list[str], baseline: list[str]) -> list[str]:
        """Return `path`, or in a session that began with another one: its additions and removals made to ours."""
        if baseline == self._baseline:
            return path
        known = set(baseline)
        first = next((i for i, entry in enumerate(path) if entry in known), len(path))
        kept = [entry for entry in self._baseline if entry in path or entry not in known]
        before, after = path[:first], [entry for entry in path[first:] if entry not in known]
        added = set(before) | set(after)
        return before + [entry for entry in kept if entry not in added] + after


def _path_entries() -> list[str]:
    return [entry for entry in sys.path if isinstance(entry, str)]


def _as_bytes(entries: list[str]) -> list[bytes]:
    return [os.fsencode(entry) for entry in entries]


_Pattern = tuple[str, int] | str | None  # a regular expression and its flags, a plain string, or anything


class _Filter(msgspec.Struct, frozen=True, array_like=True):
    action: str
    category: tuple[str, str]  # module, qualified name
    message: _Pattern
    module: _Pattern
    line: int


class WarningsPart:
    """The filters of the `warnings` module, in order."""

    name = "warnings"

    def __init__(self) -> None:
        self._last: list[object] = []
        self._bytes = b""

    def capture(self) -> bytes | None:
        now = warnings.filters
        if not self._bytes or now != self._last:
            last = list(now)
            self._bytes = encode([_describe_filter(f) for f in last])
            self._last = [*last]
        return self._bytes

    def decode(self, payload: bytes) -> list[_Filter]:
        return msgspec.msgpack.decode(payload, type=list[_Filter])

    def restore(self, decoded: Any) -> str:
        described: list[_Filter] = decoded
        built = [(f, _find_class(*f.category)) for f in described]
        missing = [".".join(f.category) for f, category in built if category is None]
        filters = [
            (f.action, _pattern(f.message), category, _pattern(f.module), f.line)
            for f, category in built
            if category is not None
        ]
        warnings.resetwarnings()  # also makes modules forget what they have shown, as any change of filters does
        listed: Any = warnings.filters
        listed[:] = filters
        return f"filters for classes that are not loaded: {', '.join(missing)}" if missing else ""


def _describe_filter(entry: Any) -> _Filter:
    action, message, category, module, line = entry
    name = (category.__module__, category.__qualname__)
    return _Filter(action, name, _describe_pattern(message), _describe_pattern(module), line)


def _describe_pattern(pattern: Any) -> _Pattern:
    if pattern is None or isinstance(pattern, str):
        return pattern
    return (pattern.pattern, pattern.flags)


def _pattern(described: _Pattern) -> Any:
    return re.compile(*described) if isinstance(described, (tuple, list)) else described


def _find_class(module: str, qualname: str) -> type | None:
    found: Any = sys.modules.get(module)
    for attribute in qualname.split("."):
        found = getattr(found, attribute, None)
    return found if isinstance(found, type) else None


class _DecimalContext(msgspec.Struct, frozen=True, array_like=True):
    prec: int
    rounding: str
    Emin: int
    Emax: int
    capitals: int
    clamp: int
    flags: tuple[str, ...]
    traps: tuple[str, ...]


class DecimalPart:
    """The decimal context of the context that cells run in."""

    name = "decimal"

    def __init__(self) -> None:
        self._last: _DecimalContext | None = None
        self._bytes = b""

    def capture(self) -> bytes | None:
        now = _describe_context(decimal.getcontext())
        if now != self._last:
            self._bytes = encode(now)
            self._last = now
        return self._bytes

    def decode(self, payload: bytes) -> _DecimalContext:
        return msgspec.msgpack.decode(payload, type=_DecimalContext)

    def restore(self, decoded: Any) -> str:
        context = decimal.getcontext()
        for field in ("prec", "rounding", "Emin", "Emax", "capitals", "clamp"):
            setattr(context, field, getattr(decoded, field))
        for signal in list(context.traps):
            context.flags[signal] = signal.__name__ in decoded.flags
            context.traps[signal] = signal.__name__ in decoded.traps
        return ""


def _describe_context(context: decimal.Context) -> _DecimalContext:
    return _DecimalContext(
        context.prec,
        context.rounding,
        context.Emin,
        context.Emax,
        context.capitals,
        context.clamp,
        tuple([s.__name__ for s, on in context.flags.items() if on]),
        tuple([s.__name__ for s, on in context.traps.items() if on]),
    )
