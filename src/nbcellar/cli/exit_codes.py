"""What a command's exit code means; the one place that maps errors to codes.

    0   done
    1   done, with findings: a failed cell, a conflict, a variable that could not be restored; or a question answered no
    2   usage, or input that names nothing or is not of the form it must have; or nobody there to be asked, and no --yes
    3   no kernel, or the kernel refused
    4   the store is damaged, or was written by a newer Cellar
    5   the store cannot be used now: disk full, read-only, locked
    6   not trusted: values of a signer who is not trusted here
    130 interrupted by Ctrl-C

The first class of the list that fits decides.
"""

from __future__ import annotations

from nbcellar import errors

OK = 0
FINDINGS = 1
USAGE = 2
INTERRUPTED = 130

BY_ERROR: tuple[tuple[type[errors.CellarError], int], ...] = (
    (errors.NoKernelError, 3),
    (errors.KernelError, 3),
    (errors.CorruptStoreError, 4),
    (errors.UnsupportedFormatError, 4),
    (errors.StoreUnavailableError, 5),
    (errors.NotTrustedError, 6),
    (errors.ConflictError, FINDINGS),
    (errors.CannotStoreError, FINDINGS),
    (errors.CannotRestoreError, FINDINGS),
    (errors.CancelledError, 3),
    (errors.CellarError, USAGE),
)


def exit_code(error: errors.CellarError) -> int:
    """Return the exit code of an error."""
    return next(code for kind, code in BY_ERROR if isinstance(error, kind))


def exit_code_of_os_error() -> int:
    """Return the exit code of an error of the operating system that reached the top."""
    return 5
