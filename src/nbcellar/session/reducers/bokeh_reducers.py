"""bokeh: models without the document that showing them made.

`show` puts a model into a document of its own, which holds weak references and cannot be pickled. Invariant: a model
of the current document, or of one that listens, is refused: bringing it back would take it out of there.
"""

from __future__ import annotations

import importlib
from typing import Any

from nbcellar.errors import CannotStoreError
from nbcellar.session.encode import PROTOCOL, Encoder
from nbcellar.session.reducers.registry import Reducer, register_base


def _choose(kind: type) -> Reducer | None:
    return _reduce_model


def _reduce_model(model: Any, encoder: Encoder) -> Any:
    reduced = model.__reduce_ex__(PROTOCOL)
    if len(reduced) < 3 or type(reduced[2]) is not dict:
        return reduced
    state = dict(reduced[2])
    for name in ("_document", "_temp_document"):
        document = state.get(name)
        if document is not None:
            if _is_used(document):
                raise CannotStoreError("a model of bokeh that is in the current document, or in one that has callbacks")
            state[name] = None
    return (*reduced[:2], state, *reduced[3:])


def _is_used(document: Any) -> bool:
    current = importlib.import_module("bokeh.io").curdoc()
    return document is current or bool(document.session_callbacks) or document.session_context is not None


register_base("bokeh.model.model.Model", _choose)
