"""Packets of git's long-running filter process (pkt-line, version 2 of the protocol).

Invariant: a content is read to its end before anything is answered, for git writes all of it before it reads.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from nbcellar.errors import InvalidInputError

_LONGEST_PACKET = 65516
_LONGEST_IN_MEMORY_BYTES = 512 * 1024 * 1024


class Packets:
    """The two ends of a conversation with git."""

    def __init__(self, source: BinaryIO, target: BinaryIO) -> None:
        self._source = source
        self._target = target

    def read(self) -> bytes | None:
        """Return the next packet; None for a flush. Raises EOFError when git has ended the conversation."""
        head = self._source.read(4)
        if not head:
            raise EOFError
        try:
            length = int(head, 16)
        except ValueError:
            raise InvalidInputError(f"not a packet of git's filter protocol: {head!r}") from None
        if length == 0:
            return None
        if length < 4:
            raise InvalidInputError(f"a packet of {length} bytes, which git's filter protocol does not have")
        data = self._source.read(length - 4)
        if len(data) != length - 4:
            raise EOFError
        return data

    def read_lines(self) -> list[bytes]:
        """Return the lines up to the next flush."""
        lines = []
        while (packet := self.read()) is not None:
            lines.append(packet.removesuffix(b"\n"))
        return lines

    def read_fields(self) -> dict[str, bytes]:
        """Return the `key=value` lines up to the next flush; the last one of a key holds."""
        pairs = (line.partition(b"=") for line in self.read_lines())
        return {key.decode("ascii", "replace"): value for key, _, value in pairs}

    def read_content(self) -> BinaryIO:
        """Return a content, in memory or, when it is huge, in a temporary file; at its beginning."""
        kept: BinaryIO = io.BytesIO()
        while (packet := self.read()) is not None:
            kept.write(packet)
            if isinstance(kept, io.BytesIO) and kept.tell() > _LONGEST_IN_MEMORY_BYTES:
                file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever reads it
                file.write(kept.getbuffer())
                kept = file
        kept.seek(0)
        return kept

    def write_lines(self, lines: Sequence[str]) -> None:
        """Write lines and a flush."""
        for line in lines:
            data = line.encode() + b"\n"
            self._target.write(b"%04x" % (len(data) + 4) + data)
        self._target.write(b"0000")
        self._target.flush()

    def write_content(self, content: BinaryIO) -> None:
        """Write a content and a flush."""
        while part := content.read(_LONGEST_PACKET):
            self._target.write(b"%04x" % (len(part) + 4))
            self._target.write(part)
        self._target.write(b"0000")

    def greet(self, capabilities: Sequence[str]) -> None:
        """Exchange version and capabilities. Raises InvalidInputError when git speaks another version."""
        first = self.read_lines()
        if b"git-filter-client" not in first or b"version=2" not in first:
            raise InvalidInputError("git speaks another version of the filter protocol than 2")
        self.write_lines(["git-filter-server", "version=2"])
        offered = {line.partition(b"=")[2].decode("ascii", "replace") for line in self.read_lines()}
        self.write_lines([f"capability={name}" for name in capabilities if name in offered])


Fields = Mapping[str, bytes]
