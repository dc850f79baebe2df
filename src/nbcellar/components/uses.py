"""What a cell takes from the namespace and what it leaves there, found from its source.

`reads`: names whose value the cell takes from before. `writes`: names that it binds (`binds`: the same, in order).
`changes`: names of objects that it may change in place. `drops`: names that it may delete. `needs`: for each function
or class that it defines, the names that its code takes from the namespace when somebody calls it.

Invariant: a name that the cell can read before it binds it is in `reads`, along every path; what cannot be seen (a
star import, `exec`, `globals()`, unknown magics) is said in `unseen`. Nothing is run. The analysis is the reading of
one cell; which cell a name comes from is `edges.py`'s matter.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import msgspec

from nbcellar.components.syntax import evaluated_now, free_names, leaves, parameters, root
from nbcellar.components.transform import NotPythonError, parse, to_python
from nbcellar.notebook.magics import MagicCall, UnknownMagicError, find_magics

PROVIDED = frozenset(dir(builtins)) | frozenset(
    (
        "__name__",
        "__file__",
        "__builtins__",
        "get_ipython",
        "display",
        "In",
        "Out",
        "_",
        "__",
        "___",
        "_ih",
        "_oh",
        "_dh",
        "exit",
        "quit",
    )
)
"""Names that a kernel has before the first cell."""

_UNSEEN_CALLS = {
    "exec": "exec",
    "eval": "eval",
    "globals": "globals()",
    "locals": "locals()",
    "vars": "vars()",
    "dir": "dir()",
}
_UNSEEN_ATTRIBUTES = frozenset({"user_ns", "user_global_ns", "__subclasses__"})
# What is called for what it shows, and leaves its receiver and its arguments as they are.
_LOOKS = frozenset(
    "head tail describe info plot hist show display print sample value_counts count keys items values nunique unique "
    "memory_usage to_csv to_parquet to_json to_excel to_pickle to_string to_html to_markdown to_latex savefig summary "
    "predict predict_proba score transform mean sum std var min max median corr cov isna isnull any all groupby query "
    "equals boxplot pairplot copy astype lower upper strip split join format startswith endswith get index "
    "write_html write_image".split()
)
_LOOKING_FUNCTIONS = frozenset(
    "print display len repr str type isinstance id hash help dir sorted list tuple dict set sum min max any all abs "
    "round range zip map filter enumerate callable hasattr getattr issubclass format iter bool int float".split()
)
_CHANGE_ARGUMENTS = frozenset({"np", "numpy", "random", "heapq", "bisect"})
"""Modules with functions that are called to change what they are given."""
STAR = "from "
"""How what cannot be seen of an import begins: it binds names, but takes none."""
_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_MOST_NESTED = 5


class Uses(msgspec.Struct, frozen=True, kw_only=True):
    """What one cell does with names; see the top of this file.

    modules: names that it imports, and what they are: `pandas`, `math:sqrt`. lambdas: what functions without a name
    take, which may lie in any value of the cell.
    """

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    binds: tuple[str, ...] = ()
    changes: frozenset[str] = frozenset()
    drops: frozenset[str] = frozenset()
    needs: Mapping[str, frozenset[str]] = {}
    modules: Mapping[str, str] = {}
    lambdas: frozenset[str] = frozenset()
    unseen: tuple[str, ...] = ()


@lru_cache(maxsize=1024)
def uses_of(source: str) -> Uses:
    """Return what a cell does with names. Raises NotPythonError for one that nobody can run."""
    found = _Cell()
    found.add(source, 0)
    return found.result()


class _Cell:
    """One walk through a cell, in the order in which it runs."""

    def __init__(self) -> None:
        self.reads: set[str] = set()
        self.bound: set[str] = set()  # on every path up to here
        self.writes: dict[str, None] = {}  # in order
        self.changes: set[str] = set()
        self.drops: set[str] = set()
        self.needs: dict[str, set[str]] = {}
        self.modules: dict[str, str] = {}
        self.lambdas: set[str] = set()
        self.unseen: dict[str, None] = {}
        self.free: dict[tuple[str, int], set[str]] = {}  # of the functions of this cell
        self.hidden: list[set[str]] = []  # names of comprehensions and lambdas around

    def result(self) -> Uses:
        outside = {name: needed - {name} for name, needed in self.needs.items()}
        return Uses(
            reads=frozenset(self.reads - PROVIDED),
            writes=frozenset(self.writes),
            binds=tuple(self.writes),
            changes=frozenset(self.changes - PROVIDED),
            drops=frozenset(self.drops - self.writes.keys()),
            needs={name: frozenset(needed - PROVIDED) for name, needed in outside.items()},
            modules=self.modules,
            lambdas=frozenset(self.lambdas - PROVIDED),
            unseen=tuple(self.unseen),
        )

    def add(self, source: str, depth: int) -> None:
        """Follow a piece of cell code, and what its magics run."""
        text = to_python(source)
        tree = parse(source)
        if "get_ipython" in text:
            self._magics(text, depth)
        if any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(tree)):
            self.free = free_names(text)
        self.body(tree.body)

    def _magics(self, text: str, depth: int) -> None:
        try:
            calls = find_magics(text)
        except UnknownMagicError as error:
            self.unseen[str(error)] = None
            return
        for call in calls:
            self._magic(call, depth)

    def _magic(self, call: MagicCall, depth: int) -> None:
        # Options and words of a shell command are taken for names only where IPython puts values in: $name, {name}.
        for found in re.finditer(r"\$(\w+)|\{([^{}]*)\}", call.text):
            for name in _IDENTIFIER.findall(found[1] or found[2] or ""):
                self.read(name)
        for piece in call.code:
            try:
                if depth < _MOST_NESTED:
                    self.add(piece, depth + 1)
            except NotPythonError:
                self.unseen["code in a magic that cannot be read"] = None
        for name in call.binds:
            self.bind(name)

    # names --------------------------------------------------------------------------------------------------------

    def read(self, name: str) -> None:
        if any(name in names for names in self.hidden):
            return
        todo, followed = [name], set[str]()
        while todo:  # what is defined here may be called here, and what it calls
            at = todo.pop()
            if at not in self.bound:
                self.reads.add(at)
            elif at not in followed:
                followed.add(at)
                todo += self.needs.get(at, ())

    def bind(self, name: str) -> None:
        self.bound.add(name)
        self.writes[name] = None
        self.needs.pop(name, None)
        self.modules.pop(name, None)

    def change(self, node: ast.expr) -> None:
        """The object under an expression such as `a.b[0]` may be changed in place."""
        name = root(node)
        if name is not None and not any(name in names for names in self.hidden):
            self.changes.add(name)

    # statements ---------------------------------------------------------------------------------------------------

    def body(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            _STATEMENTS.get(type(statement), _Cell._any)(self, statement)

    def _any(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                self.body([child])
            else:
                self.expression(child)

    @contextmanager
    def _maybe(self) -> Iterator[None]:
        """What is bound within is not sure to be bound after."""
        before = set(self.bound)
        yield
        self.bound = before

    def _branches(self, *branches: Iterable[ast.stmt]) -> None:
        before, after = set(self.bound), []
        for branch in branches:
            statements = list(branch)
            self.bound = set(before)
            self.body(statements)
            if not leaves(statements):
                after.append(self.bound)
        self.bound = set.intersection(*after) if after else before

    def _branch(self, node: ast.If) -> None:
        self.expression(node.test)
        self._branches(node.body, node.orelse)

    def _loop(self, node: ast.For | ast.AsyncFor) -> None:
        self.expression(node.iter)
        with self._maybe():
            self.target(node.target)
            self.body(node.body)
        with self._maybe():
            self.body(node.orelse)

    def _while(self, node: ast.While) -> None:
        self.expression(node.test)
        with self._maybe():
            self.body(node.body)
        with self._maybe():
            self.body(node.orelse)

    def _try(self, node: ast.Try) -> None:
        before = set(self.bound)
        self.body([*node.body, *node.orelse])
        after = [self.bound]
        for handler in node.handlers:
            self.bound = set(before)
            if handler.type is not None:
                self.expression(handler.type)
            if handler.name:
                self.hidden.append({handler.name})
            self.body(handler.body)
            if handler.name:
                self.hidden.pop()
            if not leaves(handler.body):
                after.append(self.bound)
        self.bound = set.intersection(*after)
        self.body(node.finalbody)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self.expression(item.context_expr)
            if item.optional_vars is not None:
                self.target(item.optional_vars)
        self.body(node.body)

    def _match(self, node: ast.Match) -> None:
        self.expression(node.subject)
        before, after = set(self.bound), []
        for case in node.cases:
            self.bound = set(before)
            for pattern in ast.walk(case.pattern):
                name = getattr(pattern, "name", None) or getattr(pattern, "rest", None)
                if isinstance(name, str):
                    self.bind(name)
                elif isinstance(pattern, ast.expr):
                    self.expression(pattern)
            if case.guard is not None:
                self.expression(case.guard)
            self.body(case.body)
            after.append(self.bound)
        self.bound = set.intersection(before, *after)

    def _assign(self, node: ast.Assign) -> None:
        self.expression(node.value)
        for target in node.targets:
            self.target(target)

    def _annotated(self, node: ast.AnnAssign) -> None:
        self.expression(node.annotation)
        if node.value is not None:
            self.expression(node.value)
            self.target(node.target)

    def _augmented(self, node: ast.AugAssign) -> None:
        self.expression(node.value)
        if isinstance(node.target, ast.Name):
            self.read(node.target.id)
            self.change(node.target)
            self.bind(node.target.id)
        else:
            self.target(node.target)

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.read(target.id)
                if target.id not in self.reads:
                    self.changes.discard(target.id)  # what was changed was its own, and is gone
                self.bound.discard(target.id)
                self.drops.add(target.id)
                self.writes.pop(target.id, None)
            else:
                self.target(target)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            name = alias.asname or alias.name.split(".")[0]
            self.bind(name)
            self.modules[name] = alias.name if alias.asname else name
            if alias.name == "__main__":
                self.unseen["__main__"] = None

    def _import_from(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self.unseen[f"{STAR}{node.module} import *"] = None
            else:
                self.bind(alias.asname or alias.name)
                self.modules[alias.asname or alias.name] = f"{'.' * node.level}{node.module or ''}:{alias.name}"

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for outer in evaluated_now(node):
            self.expression(outer)
        self.bind(node.name)
        self.needs[node.name] = self.free.get((node.name, node.lineno), set()) - {node.name}

    def _class(self, node: ast.ClassDef) -> None:
        for outer in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self.expression(outer)
        inner = _Cell()
        inner.free = self.free
        inner.body(node.body)
        for name in inner.reads:
            self.read(name)
        self.changes |= inner.changes - inner.writes.keys()
        self.unseen.update(inner.unseen)
        self.bind(node.name)
        self.needs[node.name] = set[str]().union(*inner.needs.values()) - {node.name}

    def _alone(self, node: ast.Expr) -> None:
        """A value that nobody takes: a call is made for what it does."""
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(call, ast.Call):
            self._call_for_effect(call)
        self.expression(node.value)

    def _call_for_effect(self, call: ast.Call) -> None:
        if isinstance(call.func, ast.Attribute):
            if call.func.attr in _LOOKS:
                return
            self.change(call.func.value)
            if root(call.func) not in _CHANGE_ARGUMENTS:
                return  # a method is called for its object
        elif isinstance(call.func, ast.Name) and call.func.id in _LOOKING_FUNCTIONS:
            return
        for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
            value = argument.value if isinstance(argument, ast.Starred) else argument
            if isinstance(value, ast.Name):
                self.change(value)

    # expressions --------------------------------------------------------------------------------------------------

    def target(self, node: ast.expr) -> None:
        if isinstance(node, ast.Name):
            self.bind(node.id)
        elif isinstance(node, ast.Tuple | ast.List):
            for element in node.elts:
                self.target(element)
        elif isinstance(node, ast.Starred):
            self.target(node.value)
        else:  # a part of an object: a.b = 1, a[0] = 1
            self.change(node)
            self.expression(node)

    def expression(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name):
            self.read(node.id)
        elif isinstance(node, ast.NamedExpr):
            self.expression(node.value)
            self.bind(node.target.id)
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            self._comprehension(node)
        elif isinstance(node, ast.Lambda):
            for default in (*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)):
                self.expression(default)
            self.hidden.append(parameters(node.args))
            self.expression(node.body)
            names = {leaf.id for leaf in ast.walk(node.body) if isinstance(leaf, ast.Name)}
            self.lambdas |= names.difference(*self.hidden)
            self.hidden.pop()
        else:
            if isinstance(node, ast.Call):
                self._call(node)
            elif isinstance(node, ast.Attribute) and node.attr in _UNSEEN_ATTRIBUTES:
                self.unseen[node.attr] = None
            for child in ast.iter_child_nodes(node):
                self.expression(child)

    def _call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id in _UNSEEN_CALLS and node.func.id not in self.bound:
            looks = node.func.id in ("vars", "dir") and node.args
            if not looks:
                self.unseen[_UNSEEN_CALLS[node.func.id]] = None
        in_place = any(
            keyword.arg == "inplace" and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
            for keyword in node.keywords
        )
        if in_place and isinstance(node.func, ast.Attribute):
            self.change(node.func.value)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        names: set[str] = set()
        for at, generator in enumerate(node.generators):
            self.expression(generator.iter)
            if at == 0:
                self.hidden.append(names)
            names |= {leaf.id for leaf in ast.walk(generator.target) if isinstance(leaf, ast.Name)}
            for condition in generator.ifs:
                self.expression(condition)
        parts = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        for part in parts:
            self.expression(part)
        self.hidden.pop()


_STATEMENTS: dict[type[ast.stmt], Callable[[_Cell, Any], None]] = {
    ast.If: _Cell._branch,
    ast.For: _Cell._loop,
    ast.AsyncFor: _Cell._loop,
    ast.While: _Cell._while,
    ast.Try: _Cell._try,
    ast.With: _Cell._with,
    ast.AsyncWith: _Cell._with,
    ast.Match: _Cell._match,
    ast.Assign: _Cell._assign,
    ast.AnnAssign: _Cell._annotated,
    ast.AugAssign: _Cell._augmented,
    ast.Delete: _Cell._delete,
    ast.Import: _Cell._import,
    ast.ImportFrom: _Cell._import_from,
    ast.FunctionDef: _Cell._function,
    ast.AsyncFunctionDef: _Cell._function,
    ast.ClassDef: _Cell._class,
    ast.Expr: _Cell._alone,
}
if hasattr(ast, "TryStar"):  # Python 3.11
    _STATEMENTS[ast.TryStar] = _Cell._try


__all__ = ["PROVIDED", "STAR", "Uses", "uses_of"]
