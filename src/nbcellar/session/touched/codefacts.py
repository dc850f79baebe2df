"""What a compiled piece of code names and does, read from its bytecode alone.

Invariant: every global name that running the code can load, store or delete by name is in `CodeFacts.names`; code that
can reach variables by other ways (`exec`, frames, threads, unpickling, ...) has a reason in `CodeFacts.everything`.
Not for: values. What the names lead to is followed in `analysis.py`.
"""

from __future__ import annotations

import opcode
import re
import sys
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from types import CodeType


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Loaded as a global or imported under this name, these reach variables that the code does not name.
UNSEEN_GLOBALS = _words(
    "exec eval compile globals locals vars __import__ __builtins__ breakpoint "
    "Out In _oh _ih _dh _i _ii _iii _ __ ___ __main__ __loader__ __spec__"
)
# Wherever they are named, as a global or as an attribute.
UNSEEN_ANYWHERE = _words(
    "f_globals f_locals f_back f_builtins _getframe _current_frames currentframe getouterframes getinnerframes "
    "set_trace post_mortem get_objects get_referrers __globals__ user_ns user_global_ns user_module last_value "
    "last_exc last_traceback pythonapi py_object from_address memmove memset load_session load_module "
    "run_cell run_cell_async run_code runcode runsource push_main interact embed "
    "Thread Timer ThreadPool ThreadPoolExecutor start_new_thread submit to_thread run_in_executor "
    "create_task ensure_future TaskGroup start_soon call_soon call_soon_threadsafe call_later call_at "
    "run_coroutine_threadsafe run_until_complete add_done_callback settrace setprofile "
    "read_pickle Unpickler"
)
# An innocent attribute name that reaches variables when it is used with one of these modules.
UNSEEN_TOGETHER = (
    (frozenset({"pickle", "dill", "cloudpickle", "joblib"}), frozenset({"load", "loads"})),  # may run notebook code
    (frozenset({"shelve"}), frozenset({"open"})),
    (frozenset({"inspect"}), frozenset({"stack", "trace"})),
    (frozenset({"cProfile", "profile", "pdb"}), frozenset({"run", "runctx", "runeval", "runcall", "pm"})),
    (frozenset({"code"}), frozenset({"InteractiveConsole", "InteractiveInterpreter"})),
    (frozenset({"asyncio"}), frozenset({"run", "gather", "wait"})),
    (frozenset({"importlib"}), frozenset({"reload"})),
    (frozenset({"builtins"}), UNSEEN_GLOBALS),
)
_PARTNERS = frozenset().union(*(functions for _, functions in UNSEEN_TOGETHER))
_IMPORTERS = frozenset({"import_module", "modules", "find_spec", "run_module", "run_path", "getmodule", "resolve_name"})

_STAR = ("*",)  # the from-list of a star import
_CO_ASYNC = 0x0080 | 0x0100 | 0x0200  # coroutine, iterable coroutine, async generator

_OPS = opcode.opmap
_KNOWN_BYTECODE = sys.implementation.name == "cpython" and (3, 10) <= sys.version_info[:2] <= (3, 13)
_EXTENDED_ARG = _OPS["EXTENDED_ARG"]
_LOAD_GLOBAL = _OPS["LOAD_GLOBAL"]
_GLOBAL_SHIFT = 1 if sys.version_info >= (3, 11) else 0


def _opcodes(names: str) -> frozenset[int]:
    return frozenset(_OPS[name] for name in names.split() if name in _OPS)


_LOADS = _opcodes("LOAD_NAME IMPORT_NAME IMPORT_FROM LOAD_FROM_DICT_OR_GLOBALS")
_NAME_OPS = _LOADS | _opcodes("STORE_NAME DELETE_NAME STORE_GLOBAL DELETE_GLOBAL")


@dataclass(frozen=True)
class CodeFacts:
    """`names`: globals loaded, stored or deleted, nested code included; `ipython`: calls get_ipython().

    `partners`: names that matter together with a module of `UNSEEN_TOGETHER`, which may go by another name here.
    `quoted`: words in strings that a library may look up among the caller's variables: `df.query("@f(a)")`, "y ~ f(x)".
    """

    names: frozenset[str]
    everything: str = ""
    ipython: bool = False
    partners: frozenset[str] = frozenset()
    quoted: frozenset[str] = frozenset()


def code_facts(code: CodeType) -> CodeFacts:
    """Return the facts of a code object and all code nested in it; remembered by identity, some thousand at most."""
    entry = _remembered.get(id(code))
    if entry is not None and entry[0] is code:
        return entry[1]
    facts = find_facts(code)
    if len(_remembered) >= _REMEMBER_MAX:
        _remembered.clear()
    _remembered[id(code)] = (code, facts)  # the code is held, so its id stays its own
    return facts


def unseen_reason(loads: Iterable[str], mentioned: Iterable[str]) -> str:
    """Return why code with these global loads and these names of any kind can reach variables it does not name."""
    loaded, anywhere = frozenset(loads), frozenset(mentioned)
    found = loaded & UNSEEN_GLOBALS or anywhere & UNSEEN_ANYWHERE
    if found:
        return f"uses {min(found)}"
    for name in loaded:
        if name.startswith("_") and (name[1:].isdigit() or (name.startswith("_i") and name[2:].isdigit())):
            return f"uses {name}"
    return reason_together(anywhere, anywhere & _PARTNERS)


def reason_together(modules: Set[str], partners: Set[str]) -> str:
    """Return why these attribute names of these modules can reach variables that are not named; else nothing."""
    if partners:
        for risky_modules, functions in UNSEEN_TOGETHER:
            if not risky_modules.isdisjoint(modules) and not functions.isdisjoint(partners):
                return f"uses {min(risky_modules & modules)}.{min(functions & partners)}"
    return ""


_REMEMBER_MAX = 2048
_remembered: dict[int, tuple[CodeType, CodeFacts]] = {}


def quoted_names(text: str) -> frozenset[str]:
    """Return the words of a string that looks like an expression for pandas (`@name`) or a formula (`y ~ x`)."""
    if ("@" in text or "~" in text) and len(text) <= _MAX_QUOTED:
        return frozenset(_IDENTIFIER.findall(text))
    return frozenset()


_MAX_QUOTED = 10_000
_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_EVALUATORS = frozenset({"eval", "query"})


def find_facts(code: CodeType) -> CodeFacts:
    """Return the facts of code that runs once, such as a cell's; like `code_facts`, but not remembered."""
    names: set[str] = set()
    quoted: set[str] = set()
    loads: set[str] = set()
    mentioned: set[str] = set()
    everything = ""
    main_named = False
    for part in _with_nested(code):
        mentioned.update(part.co_names)
        _read_names(part, names, loads)
        if _STAR in part.co_consts:
            everything = everything or "imports *"
        for constant in part.co_consts:
            if type(constant) is not str:
                continue
            quoted |= quoted_names(constant)
            if not _EVALUATORS.isdisjoint(part.co_names):
                quoted.update(_IDENTIFIER.findall(constant[:_MAX_QUOTED]))
            if "__main__" in constant:
                main_named = True
                if constant != "__main__":  # code in a string, as in timeit.timeit(setup="from __main__ import x")
                    everything = everything or "names __main__ in a string"
    if code.co_flags & _CO_ASYNC and not code.co_flags & 0x2:  # the cell itself awaits; functions are NEWLOCALS
        everything = everything or "awaits"
    everything = everything or unseen_reason(loads, mentioned)
    everything = everything or _module_reason(main_named, mentioned)
    return CodeFacts(frozenset(names), everything, "get_ipython" in mentioned, _PARTNERS & mentioned, frozenset(quoted))


def _module_reason(main_named: bool, mentioned: set[str]) -> str:
    """`sys.modules[...]` and friends lead to the notebook's module when its name is at hand."""
    if mentioned.isdisjoint(_IMPORTERS):
        return ""
    if main_named or "__name__" in mentioned or ("sys" in mentioned and not mentioned.isdisjoint({"values", "items"})):
        return "reaches the notebook's module by name"
    return ""


def _with_nested(code: CodeType) -> Iterator[CodeType]:
    pending = [code]
    while pending:
        part = pending.pop()
        yield part
        pending.extend(c for c in part.co_consts if type(c) is CodeType)


def _read_names(code: CodeType, names: set[str], loads: set[str]) -> None:
    """Add the global names of one code object: of all operations, and of those that read."""
    co_names = code.co_names
    if not co_names:
        return
    if not _KNOWN_BYTECODE:  # argument layouts change between versions: attribute names come along, which is harmless
        names.update(co_names)
        loads.update(co_names)
        return
    raw = code.co_code
    extended = 0
    for op, arg in zip(raw[::2], raw[1::2], strict=True):
        if extended:
            arg |= extended
            extended = 0
        if op == _EXTENDED_ARG:
            extended = arg << 8
        elif op == _LOAD_GLOBAL:
            name = co_names[arg >> _GLOBAL_SHIFT]
            names.add(name)
            loads.add(name)
        elif op in _NAME_OPS:
            names.add(co_names[arg])
            if op in _LOADS:
                loads.add(co_names[arg])
