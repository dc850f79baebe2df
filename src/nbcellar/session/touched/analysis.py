"""Which variables a cell can have touched, found before it runs, without watching the namespace.

Invariant: every variable that the cell rebinds, deletes or changes is in `Touch.names`, shares mutable state with one
that is (the caller knows those groups), or `Touch.everything` is true. Unsure means touched.

Not seen, by nature: objects handed to a library earlier that it changes later, callbacks that another cell registered.
Not for: finding out what *did* change; that is hashing. Nothing here runs code of the notebook or changes anything.
"""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Container, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

from nbcellar.notebook.magics import MagicCall, UnknownMagicError, find_magics
from nbcellar.session.touched.codefacts import CodeFacts, find_facts, unseen_reason
from nbcellar.session.touched.follow import Follower

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_MAX_NESTED_MAGICS = 5


@dataclass(frozen=True)
class Touch:
    """What a cell can touch: `everything`, because of `reason`, or `names`, whether or not they exist yet."""

    everything: bool
    reason: str
    names: frozenset[str]
    plots: bool = True  # it can draw into pyplot's current figure, which it need not name


NOTHING = Touch(False, "", frozenset(), plots=False)


def touched_names(
    code: CodeType | None,
    source: str,
    namespace: Mapping[str, object],
    *,
    background: str = "",
    autoreload: bool = False,
    codeless: Container[str] = (),
) -> Touch:
    """Return what a cell can touch, given the namespace as it is before it runs.

    code: the compiled cell where the caller has it; else it is compiled here. source: the cell after IPython's
    transformation (`get_ipython().run_line_magic(...)` instead of `%`). namespace: the user namespace itself, so that
    functions of the notebook are known by their globals. background: why others may change variables meanwhile (a live
    thread of the user, a pending task), or empty. autoreload: `%autoreload` is on: it patches functions and instances.
    codeless: names whose values are known to lead to no code, so that they need not be walked through.
    """
    if background or autoreload:
        return _everything(background or "%autoreload is on")
    try:
        return _find_touched(code, source, namespace, codeless)
    except RecursionError:
        return _everything("the cell nests too deeply to be analysed")
    except Exception as error:  # objects of the notebook may answer with anything, and the user's cell must still run
        return _everything(f"the analysis failed: {type(error).__name__}")


def _everything(reason: str) -> Touch:
    return Touch(True, reason, frozenset())


def _find_touched(
    code: CodeType | None, source: str, namespace: Mapping[str, object], codeless: Container[str]
) -> Touch:
    if code is None:
        code = _compile(source)
        if code is None:
            return _everything("the cell cannot be compiled")
    follower = Follower(namespace, codeless)
    reason = _follow_cell(find_facts(code), source, follower, 0)
    if reason or follower.run():
        return _everything(reason or follower.reason)
    return Touch(False, "", frozenset(follower.names), follower.may_plot())


def _compile(source: str) -> CodeType | None:
    # The cell's own compilation will show its SyntaxWarnings; ours must not show them twice. The list is swapped rather
    # than `catch_warnings` used: that one bumps the filters' version, after which every warning is shown again.
    module: Any = warnings
    filters = module.filters
    module.filters = [("ignore", None, Warning, None, 0)]
    try:
        code: CodeType = compile(source, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        return code
    except (SyntaxError, ValueError, OverflowError, MemoryError):
        return None
    finally:
        module.filters = filters


def _follow_cell(facts: CodeFacts, source: str, follower: Follower, depth: int) -> str:
    """Queue what a cell names and what its magics run; return why that is everything, or nothing."""
    if facts.ipython and not facts.everything:
        try:
            calls = find_magics(source)
        except UnknownMagicError as unknown:
            return str(unknown)
        for call in calls:
            reason = _follow_magic(call, follower, depth)
            if reason:
                return reason
    follower.follow_code(facts, skip_ipython=True)
    return facts.everything


def _follow_magic(call: MagicCall, follower: Follower, depth: int) -> str:
    reason = _follow_words(call.text, follower)
    for piece in call.code:
        reason = reason or _follow_nested(piece, follower, depth + 1)
    return reason


def _follow_words(text: str, follower: Follower) -> str:
    """Count every identifier of a magic's argument as a name that is used: options, `$name` and `{name}` alike."""
    words = frozenset(_IDENTIFIER.findall(text))
    follower.follow_names(words)
    return unseen_reason(words, words)


def _follow_nested(source: str, follower: Follower, depth: int) -> str:
    """Follow code in a magic's argument, which may hold magics again."""
    if depth > _MAX_NESTED_MAGICS:
        return "magics nest too deeply"
    transformed = _transform(source)
    code = _compile(transformed)
    if code is not None:
        return _follow_cell(find_facts(code), transformed, follower, depth)
    if re.search(r"(^|\n)\s*[%!]|=\s*[%!]|\?\s*(\n|$)", source):
        return "a magic's argument cannot be analysed"
    return _follow_words(source, follower)


def _transform(source: str) -> str:
    module = sys.modules.get("IPython.core.inputtransformer2")
    if module is None:
        return source
    try:
        transformed: str = module.TransformerManager().transform_cell(source)
    except SyntaxError:
        return source
    return transformed
