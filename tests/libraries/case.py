"""A class of a library as a case: how an object is made, used, changed and looked at.

Invariant: a case says all in code that a user could write in a cell; `run.py` judges what Cellar makes of it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One class. In all code the object is bound to `x`.

    name: the class as documents name it. make: statements that bind `x`. use: statements that change nothing a user
    would call a change. changes: three or more statements, each of which changes the value, in place where the class
    allows it. picture: an expression whose repr shows value and behaviour; equal pictures, equal objects. storable:
    False where the object cannot be stored by nature and must be refused with a reason.
    """

    name: str
    make: str
    use: str
    changes: tuple[str, ...]
    picture: str
    storable: bool = True


@dataclass(frozen=True)
class Library:
    """The cases of one library. imports: the cell that all of them begin with; package: as pip names it."""

    package: str
    imports: str
    cases: tuple[Case, ...]
    environ: tuple[tuple[str, str], ...] = ()
