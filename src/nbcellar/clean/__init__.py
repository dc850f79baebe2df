"""The canonical form of a notebook: what differs from run to run and from machine to machine is left out, and named.

Invariant: `clean(clean(x)) == clean(x)`; sources, attachments and outputs of unknown types are never touched.
"""

from nbcellar.clean.model import Cleaned, LeftOut
from nbcellar.clean.notebooks import clean
from nbcellar.clean.rules import Rules

__all__ = ["Cleaned", "LeftOut", "Rules", "clean"]
