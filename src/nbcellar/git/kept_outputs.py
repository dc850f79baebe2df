"""Outputs that the filter left out of commits, kept in git's folder of the repository (`.git/cellar/outputs/`).

    raw/ab/<digest of the file as it was>          the file, compressed
    of/ab/<digest of its cleaned form>/<path>      which raw file to put back for exactly this content, for this path
    latest/<path>                                  the newest raw file of a path, whatever its content
    cleaned/ab/<digest of raw file and settings>   the cleaned form, so that it is worked out once

Invariant: what is read back has the digest it was kept under, or is not there; files appear whole or not at all, so
that any number of processes of git may write at once. What git's own working copy still holds is never only here:
losing the folder loses outputs of contents that are not checked out, and nothing else.

Why files and not `nbcellar.store`: decision 0023.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import zstandard
from blake3 import blake3

_DAY_S = 86_400
_SUFFIX = ".new"


class Limits(msgspec.Struct, frozen=True):
    """How long outputs are kept that nobody asked for, and how much of them; the oldest go first."""

    days: int = 90
    megabytes: int = 1024


class Kept(msgspec.Struct, frozen=True):
    """A file as it was before it was cleaned: where (as git writes it, which need not be text), the digests of both
    forms, and by which rules."""

    path: bytes
    raw: bytes
    cleaned: bytes
    rules: str


def digest(data: bytes) -> bytes:
    """Return the name of a content."""
    return blake3(data).digest()


class KeptOutputs:
    """What was kept for one repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.has_written = False

    def cleaned_form(self, raw: bytes, rules: str) -> bytes | None:
        """Return the cleaned form of a raw file's digest, if it was worked out before."""
        try:
            data = self._cleaned_path(raw, rules).read_bytes()
            cleaned = zstandard.ZstdDecompressor().decompress(data[32:])
        except (OSError, zstandard.ZstdError):
            return None
        return cleaned if digest(cleaned) == data[:32] else None

    def note_cleaned_form(self, raw: bytes, rules: str, cleaned: bytes) -> None:
        """Remember a cleaned form. Only spares time, so a failure is passed over."""
        try:
            self._write(self._cleaned_path(raw, rules), digest(cleaned) + zstandard.compress(cleaned, 1))
        except OSError:
            pass

    def keep(self, kept: Kept, data: bytes) -> None:
        """Keep a raw file for its cleaned form. Raises OSError when it could not be kept."""
        raw_path, own, latest = self._raw_path(kept.raw), self._own_path(kept), self._latest_path(kept.path)
        if not _is_fresh(raw_path):
            self._write(raw_path, zstandard.compress(data, 1))
        record = msgspec.msgpack.encode(kept)
        for path in (own, latest):
            if _read(path) != record:
                self._write(path, record)

    def find(self, cleaned: bytes, path: bytes) -> tuple[Kept, bytes] | None:
        """Return what was kept for exactly this content, that of the same path before that of others."""
        folder = self._of_folder(cleaned)
        try:
            names = os.listdir(folder)
        except OSError:
            return None
        own = _name(path)
        for name in sorted(names, key=lambda name: (name != own, name)):
            found = self._load(folder / name)
            if found is not None and found[0].cleaned == cleaned:
                return found
        return None

    def latest(self, path: bytes) -> tuple[Kept, bytes] | None:
        """Return the newest that was kept of a path."""
        found = self._load(self._latest_path(path))
        return found if found is not None and found[0].path == path else None

    def newest(self, limit: int) -> Iterator[tuple[Kept, bytes]]:
        """Yield the newest of each path, newest first."""
        dated = sorted(((_changed(path), path) for path in self._files("latest")), reverse=True)
        for _, path in dated[:limit]:
            if (found := self._load(path)) is not None:
                yield found

    def prune(self, limits: Limits, now_s: float) -> int:
        """Remove what is older than the limits allow, oldest first; return how many files went."""
        files = []
        for kind in ("raw", "cleaned", "of", "latest"):
            for path in self._files(kind):
                try:
                    status = path.stat()
                except OSError:
                    continue
                files.append((status.st_mtime, status.st_size, path))
        left = sum(size for _, size, _ in files)
        gone = 0
        for changed_s, size, path in sorted(files):
            if now_s - changed_s <= limits.days * _DAY_S and left <= limits.megabytes << 20:
                break
            left -= size
            gone += _remove(path)
        return gone

    def prune_now_and_then(self, limits: Limits, now_s: float) -> None:
        """Prune once a day, if anything was written."""
        mark = self.folder / "pruned"
        if self.has_written and now_s - _changed(mark) > _DAY_S:
            try:
                self._write(mark, b"")
            except OSError:
                return
            self.prune(limits, now_s)

    def _load(self, record: Path) -> tuple[Kept, bytes] | None:
        try:
            kept = msgspec.msgpack.decode(record.read_bytes(), type=Kept)
            data = zstandard.ZstdDecompressor().decompress(self._raw_path(kept.raw).read_bytes())
        except (OSError, msgspec.MsgspecError, zstandard.ZstdError, UnicodeDecodeError):
            return None
        return (kept, data) if digest(data) == kept.raw else None

    def _raw_path(self, raw: bytes) -> Path:
        name = raw.hex()
        return self.folder / "raw" / name[:2] / name

    def _cleaned_path(self, raw: bytes, rules: str) -> Path:
        name = digest(raw + rules.encode()).hex()
        return self.folder / "cleaned" / name[:2] / name

    def _of_folder(self, cleaned: bytes) -> Path:
        name = cleaned.hex()
        return self.folder / "of" / name[:2] / name

    def _own_path(self, kept: Kept) -> Path:
        return self._of_folder(kept.cleaned) / _name(kept.path)

    def _latest_path(self, path: bytes) -> Path:
        return self.folder / "latest" / _name(path)

    def _files(self, kind: str) -> Iterator[Path]:
        for folder, _, names in os.walk(self.folder / kind):
            yield from (Path(folder) / name for name in names)

    def _write(self, path: Path, data: bytes) -> None:
        self.has_written = True
        aside = path.with_name(f"{path.name}.{os.getpid()}{_SUFFIX}")
        try:
            aside.write_bytes(data)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            aside.write_bytes(data)
        except OSError:
            _remove(aside)
            raise
        aside.replace(path)


def _name(path: bytes) -> str:
    return digest(path).hex()[:32]


def _is_fresh(path: Path) -> bool:
    """Return whether a file is there, and make it young."""
    try:
        os.utime(path)
    except OSError:
        return False
    return True


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    try:
        path.parent.rmdir()
    except OSError:  # not empty
        pass
    return True
