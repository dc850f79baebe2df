"""The one exception tree.

    CellarError                        root, never raised itself; carries .code and .hint
    ├── NotFoundError (LookupError)    commit, ref, cell, notebook, object, repository
    │   ├── NoRepositoryError          no .cellar/ here or above
    │   ├── UnknownReferenceError      a reference that names nothing
    │   └── NoKernelError              no live kernel for the notebook
    ├── AlreadyExistsError             a branch, tag or repository of that name
    ├── ConflictError                  a ref moved meanwhile
    ├── CannotStoreError               a variable that has no faithful encoding
    ├── CannotRestoreError             a variable could not be rebuilt; the session is as it was
    ├── NotTrustedError (PermissionError)  a value of a signer who is not trusted here
    ├── CorruptStoreError              digest or signature mismatch, truncated pack
    ├── UnsupportedFormatError         written by a newer Cellar
    ├── StoreUnavailableError (OSError) the environment: disk full, read-only, locked; often passes
    ├── KernelError                    the kernel refused or failed a request
    ├── CancelledError                 taken back by who asked for it; nothing has changed
    └── InvalidInputError (ValueError)
        └── AmbiguousReferenceError    a prefix or name with several meanings

The library raises these with fields and a full sentence; the command line adds "error:" and "hint:".
"""

from __future__ import annotations

__all__ = [
    "AlreadyExistsError",
    "AmbiguousReferenceError",
    "CancelledError",
    "CannotRestoreError",
    "CannotStoreError",
    "CellarError",
    "ConflictError",
    "CorruptStoreError",
    "InvalidInputError",
    "KernelError",
    "NoKernelError",
    "NoRepositoryError",
    "NotFoundError",
    "NotTrustedError",
    "StoreUnavailableError",
    "UnknownReferenceError",
    "UnsupportedFormatError",
]


class CellarError(Exception):
    """Root of the tree. `code` is stable, for programs; `hint` says what to do next, or is empty."""

    code = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class NotFoundError(CellarError, LookupError):
    """Something that was named does not exist."""

    code = "not-found"


class NoRepositoryError(NotFoundError):
    """There is no `.cellar` folder here or in a parent folder."""

    code = "no-repository"


class UnknownReferenceError(NotFoundError):
    """A reference names no commit."""

    code = "unknown-reference"


class NoKernelError(NotFoundError):
    """No live, recording kernel belongs to the notebook."""

    code = "no-kernel"


class AlreadyExistsError(CellarError):
    """A repository, branch or tag of that name exists."""

    code = "already-exists"


class ConflictError(CellarError):
    """A ref moved meanwhile."""

    code = "conflict"


class CannotStoreError(CellarError):
    """A variable has no faithful encoding; `reason` is one line."""

    code = "cannot-store"


class CannotRestoreError(CellarError):
    """A variable could not be rebuilt; the session is as it was before."""

    code = "cannot-restore"


class NotTrustedError(CellarError, PermissionError):
    """The signer of a value is not trusted in this project, so it is not loaded."""

    code = "not-trusted"


class CorruptStoreError(CellarError):
    """Stored bytes do not match their digest or signature."""

    code = "corrupt-store"


class UnsupportedFormatError(CellarError):
    """The store, an object or a message was written by a newer version of Cellar."""

    code = "unsupported-format"


class StoreUnavailableError(CellarError, OSError):
    """The environment refused: disk full, read-only folder, locked; often passes."""

    code = "store-unavailable"


class KernelError(CellarError):
    """A kernel refused a request or failed while it served it."""

    code = "kernel"


class CancelledError(CellarError):
    """Who asked for something took it back in time: nothing has changed, and nothing will."""

    code = "cancelled"


class InvalidInputError(CellarError, ValueError):
    """An argument is not of the form it must have."""

    code = "invalid-input"


class AmbiguousReferenceError(InvalidInputError):
    """A name or prefix fits several things."""

    code = "ambiguous-reference"
