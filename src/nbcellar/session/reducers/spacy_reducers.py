"""spacy: a vocabulary with what was set of its entries.

Its own pickling leaves the entries out: each is made anew from its text, and a word that was made a stop word is none.
The loading side is `library_objects.py`.
"""

from __future__ import annotations

import copyreg
from operator import attrgetter
from typing import Any

from nbcellar.session import library_objects
from nbcellar.session.encode import Encoder
from nbcellar.session.reducers.registry import register

_values = attrgetter(*library_objects.LEXEME)


def _reduce_vocabulary(vocabulary: Any, encoder: Encoder) -> Any:
    reduce: Any = copyreg.dispatch_table[type(vocabulary)]
    make, arguments = reduce(vocabulary)[:2]
    # Sorted: the order of the entries differs between processes.
    entries = sorted((lexeme.orth, _values(lexeme)) for lexeme in vocabulary)
    return make, arguments, entries, None, None, library_objects.set_vocabulary


register("spacy.vocab.Vocab", _reduce_vocabulary)
