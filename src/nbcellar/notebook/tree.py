"""A notebook as content-addressed objects: one CELL a cell, and a TREE that lists them.

Invariant: `join(split(notebook)) == notebook`, and the text that `codec.write` makes of both is the
same, byte for byte. An edit of one cell adds that cell's object, one group of cell digests and a root, whatever the
notebook's length.

A TREE payload is msgpack and begins with a format number:

    root     [1, "root", groups, members, formatting, verbatim]
    group    [1, "group", cell digests]

Cell digests are cut into groups where a digest begins with a byte below 8 (32 cells on average), so that an inserted
cell moves no other cut. `verbatim` pairs a key of
`Notebook.verbatim` with a CELL object that holds text as it stood in the file. `kind` is the name of a store's `Kind`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import msgspec
from blake3 import blake3

from nbcellar.errors import CorruptStoreError, InvalidInputError, UnsupportedFormatError
from nbcellar.ids import Digest
from nbcellar.notebook.codec import cell_from_json
from nbcellar.notebook.layout import encode_compact
from nbcellar.notebook.model import Cell, Formatting, Notebook, cell_to_json, notebook_keys

TREE_FORMAT = 1
_CUT_BELOW = 8
_MAX_GROUP = 256

_AS_JUPYTER = Formatting()

_encoder = msgspec.msgpack.Encoder(order="deterministic")


class TreeObject(msgspec.Struct, frozen=True):
    """An object to put into the store."""

    kind: Literal["CELL", "TREE"]
    digest: Digest
    data: bytes


def split(notebook: Notebook) -> tuple[Digest, list[TreeObject]]:
    """Return the digest of the root and all objects, the root last. Objects may repeat earlier ones."""
    cells = [_object("CELL", encode_compact(cell_to_json(cell)).encode()) for cell in notebook.cells]
    texts = [(key, _object("CELL", text)) for key, text in sorted(notebook.verbatim.items())]
    root, objects = assemble(
        [cell.digest for cell in cells],
        encode_compact(notebook_keys(notebook)).encode(),
        notebook.formatting,
        [(key, text.digest) for key, text in texts],
    )
    return root, [*cells, *(text for _, text in texts), *objects]


def assemble(
    cells: Iterable[Digest],
    members: bytes,
    formatting: Formatting = _AS_JUPYTER,
    verbatim: Sequence[tuple[bytes, Digest]] = (),
) -> tuple[Digest, list[TreeObject]]:
    """Return the digest of the root of these cells, and the TREE objects, the root last."""
    groups = [_tree("group", group) for group in _groups(cells)]
    root = _tree("root", [group.digest for group in groups], members, formatting, list(verbatim))
    return root.digest, [*groups, root]


def join(root: Digest, read: Callable[[Digest], bytes]) -> Notebook:
    """Return the notebook of a root; `read` gives an object's bytes.

    Raises CorruptStoreError for objects that make no notebook, UnsupportedFormatError for a newer TREE format.
    """
    groups, members, formatting, verbatim = _root(read(root))
    cells = tuple(_cell(read(digest)) for group in groups for digest in _group(read(group)))
    keys = _json(members)
    known = {"cells", "metadata", "nbformat", "nbformat_minor"}
    return Notebook(
        cells=cells,
        metadata=keys.get("metadata", {}),
        nbformat=keys["nbformat"],
        nbformat_minor=keys.get("nbformat_minor", 0),
        extra={key: value for key, value in keys.items() if key not in known},
        keys=tuple(keys),
        formatting=formatting,
        verbatim={key: read(text) for key, text in verbatim},
    )


def cell_digests(root: Digest, read: Callable[[Digest], bytes]) -> list[Digest]:
    """Return the digests of a notebook's cells in order, without reading the cells."""
    return [digest for group in _root(read(root))[0] for digest in _group(read(group))]


def referenced_digests(payload: bytes) -> list[Digest]:
    """Return the digests of the objects that a TREE payload refers to, for garbage collection."""
    if _fields(payload)[1] == "group":
        return _group(payload)
    groups, _, _, verbatim = _root(payload)
    return [*groups, *(digest for _, digest in verbatim)]


def members(payload: bytes) -> tuple[bool, list[Digest]]:
    """Return (True, groups) of a root, or (False, cells) of a group."""
    if _fields(payload)[1] == "group":
        return False, _group(payload)
    return True, _root(payload)[0]


_Root = tuple[list[Digest], bytes, Formatting, list[tuple[bytes, Digest]]]


def _groups(digests: Iterable[Digest]) -> list[list[Digest]]:
    groups: list[list[Digest]] = []
    open_group: list[Digest] = []
    for digest in digests:
        open_group.append(digest)
        if digest[0] < _CUT_BELOW or len(open_group) == _MAX_GROUP:
            groups.append(open_group)
            open_group = []
    return [*groups, open_group] if open_group else groups


def _tree(*fields: object) -> TreeObject:
    return _object("TREE", _encoder.encode((TREE_FORMAT, *fields)))


def _object(kind: Literal["CELL", "TREE"], data: bytes) -> TreeObject:
    return TreeObject(kind, Digest(blake3(data).digest()), data)


def _fields(payload: bytes) -> list[Any]:
    try:
        fields = msgspec.msgpack.decode(payload, type=list[Any])
        number, what = fields[0], fields[1]
    except (msgspec.DecodeError, IndexError) as error:
        raise CorruptStoreError(f"stored bytes are no notebook tree: {error}") from None
    if not isinstance(number, int) or what not in ("root", "group"):
        raise CorruptStoreError("stored bytes are no notebook tree")
    if number > TREE_FORMAT:
        raise UnsupportedFormatError(
            f"notebook tree of format {number}; this Cellar reads up to {TREE_FORMAT}",
            hint="upgrade with: pip install --upgrade nbcellar",
        )
    return fields


def _root(payload: bytes) -> _Root:
    return _convert(_fields(payload)[2:6], _Root, "root")  # type: ignore[no-any-return]


def _group(payload: bytes) -> list[Digest]:
    return _convert(_fields(payload)[2:3], tuple[list[Digest]], "group")[0]  # type: ignore[no-any-return]


def _convert(fields: list[Any], wanted: Any, what: str) -> Any:
    try:
        return msgspec.convert(fields, wanted)
    except msgspec.ValidationError as error:
        raise CorruptStoreError(f"stored bytes are no {what} of a notebook tree: {error}") from None


def _cell(data: bytes) -> Cell:
    try:
        return cell_from_json(_json(data))
    except InvalidInputError as error:
        raise CorruptStoreError(f"stored bytes are no cell: {error}") from None


def _json(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError as error:
        raise CorruptStoreError(f"stored bytes of a notebook are not JSON: {error}") from None
    if not isinstance(value, dict):
        raise CorruptStoreError("stored bytes of a notebook are not an object")
    return value
