"""Notebooks: a frozen model, the codec of .ipynb files, and notebooks as content-addressed objects.

Invariant: a notebook that nobody changed is written byte for byte as it was read.
"""

from nbcellar.notebook.codec import read, write
from nbcellar.notebook.model import Cell, Formatting, Notebook

__all__ = ["Cell", "Formatting", "Notebook", "read", "write"]
