"""A notebook without a kernel: cells run in a module of their own, recorded by a real session in a real repository."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbcellar import config
from nbcellar.history.model import CellError, CellRun
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId
from nbcellar.session.document import Document
from nbcellar.session.engine import Session
from nbcellar.session.names import Names
from nbcellar.session.replay.execution import Ran
from nbcellar.session.writer import Fixed
from nbcellar.trust.decisions import TrustStore
from nbcellar.trust.keys import load_or_create


class Live:
    """One kernel's worth of session; `restart` gives the next one on the same history."""

    def __init__(self, folder: Path, settings: config.Settings | None = None, *, notebook: str = "a.ipynb") -> None:
        self.folder = folder
        self.path = folder / "project" / notebook
        self.settings = settings or config.Settings()
        (folder / "project").mkdir(exist_ok=True)
        if not (folder / "project" / ".cellar").exists():
            Repository.create(folder / "project").close()
        self.repo = Repository.open(folder / "project")
        self.count = 0
        self.numbers: dict[str, int] = {}
        self.restart()

    def restart(self) -> None:
        """Start over with an empty namespace, as a new kernel does."""
        self.module = types.ModuleType("__main__")
        self.module.__dict__["__builtins__"] = __builtins__
        sys.modules["__main__"] = self.module
        self.ns: dict[str, Any] = self.module.__dict__
        notebook = self.repo.notebook_for(self.path, create=True)
        self.session = Session(
            self.repo,
            notebook,
            self.ns,
            Names({}, self.settings.record.skip_names),
            settings=self.settings,
            key=load_or_create(self.folder / "user"),
            decisions=TrustStore(self.folder / "user"),
            fixed=Fixed(
                notebook,
                "me",
                lambda: b"env",
                lambda: "",
                Document(self.path, self.drafts),
            ),
        )
        self.session.replayer.execute = self._again
        self.session.attach()

    def _again(self, source: str) -> Ran:
        """Run a cell unrecorded, as a replay asks for."""
        number = self.numbers.get(source, 0)  # in a kernel, too, a cell's file goes by its source
        try:
            exec(compile(source, f"<ipython-input-{number}>", "exec"), self.ns)
        except Exception as error:
            return Ran(type(error).__name__, str(error))
        return Ran()

    def cell(
        self,
        source: str,
        *,
        cell_id: str | None = None,
        sender: tuple[str, int] = ("", 0),
        outputs: bytes | None = None,
    ) -> CommitId:
        """Run and record a cell; an exception in it is part of the run. Return its commit."""
        self.count += 1
        cell_id = f"c{self.count}" if cell_id is None else cell_id
        self.numbers[source] = self.count
        self.session.begin_cell(cell_id, source, source)
        failure = None
        try:
            exec(compile(source, f"<ipython-input-{self.count}>", "exec"), self.ns)
        except Exception as error:
            failure = CellError(type(error).__name__, str(error))
        self.session.end_cell(CellRun(cell_id, source, self.count, error=failure), lambda: outputs, sender)
        assert self.session.wait_saved(30)
        head = self.session.writer.position.head
        assert head is not None
        return head

    @property
    def drafts(self) -> Path:
        """Where editors leave drafts."""
        return self.path.with_name(".cellar") / "drafts"

    def value(self, expression: str) -> Any:
        """Evaluate in the notebook."""
        return eval(expression, self.ns)

    @property
    def not_stored(self) -> dict[str, str]:
        """Return why variables are not stored, by name."""
        return {name: group.reason for name, group in self.session.tracker.by_name.items() if group.reason}

    def names(self) -> set[str]:
        """Return the user's names."""
        return {name for name in self.ns if not name.startswith("__")}


@contextmanager
def live_session(folder: Path, **settings: Any) -> Iterator[Live]:
    """Give a `Live` and put the real `__main__` back afterwards."""
    main = sys.modules["__main__"]
    record = config.Record(**({"budget_s": 600.0} | settings))  # a slow machine is no reason to record less
    try:
        live = Live(folder, config.Settings(record=record))
        yield live
        live.session.writer.wait(30)
        live.repo.close()
    finally:
        sys.modules["__main__"] = main


def describe(namespace: dict[str, Any]) -> Any:
    """Return a picture of the values of a namespace with who is who: equal pictures, equal values and equal aliases."""
    numbers: dict[int, int] = {}
    return {name: _picture(namespace[name], numbers) for name in sorted(namespace) if not name.startswith("__")}


def _picture(obj: Any, numbers: dict[int, int]) -> Any:
    kind = type(obj)
    if kind in (int, float, str, bytes, bool, type(None), complex):
        return repr(obj)
    if kind is types.ModuleType and sys.modules.get(obj.__name__) is obj:
        return f"module {obj.__name__}"
    if kind is tuple:
        return ("tuple", [_picture(item, numbers) for item in obj])
    if isinstance(obj, type) and obj.__module__ != "__main__":
        return f"class {obj.__qualname__}"
    if id(obj) in numbers:
        return f"#{numbers[id(obj)]}"
    number = numbers[id(obj)] = len(numbers)
    if kind is list:
        return (number, "list", [_picture(item, numbers) for item in obj])
    if kind is bytearray:
        return (number, "bytearray", bytes(obj))
    if kind is dict:
        return (number, "dict", [(repr(key), _picture(value, numbers)) for key, value in obj.items()])
    if kind is set:
        return (number, "set", sorted(map(repr, obj)))
    if kind.__module__ == "numpy" and kind.__name__ == "ndarray":
        return (number, str(obj.dtype), obj.shape, obj.tobytes(), obj.flags.writeable)
    if kind is types.FunctionType:
        cells = [_picture(cell.cell_contents, numbers) for cell in obj.__closure__ or ()]
        return (number, "function", _code_picture(obj.__code__), obj.__defaults__, cells)
    if isinstance(obj, type):
        members = [(key, value) for key, value in vars(obj).items() if not key.startswith("__")]
        return (number, "class", obj.__qualname__, [(key, _picture(value, numbers)) for key, value in members])
    if not hasattr(obj, "__dict__"):  # a number of numpy
        return (number, kind.__name__, repr(obj))
    items = [(repr(key), _picture(value, numbers)) for key, value in obj.items()] if isinstance(obj, dict) else []
    attributes = [(key, _picture(value, numbers)) for key, value in vars(obj).items() if not key.startswith("__")]
    return (number, _picture(kind, numbers), items, attributes)


def _code_picture(code: types.CodeType) -> Any:
    consts = [_code_picture(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts]
    return code.co_code, consts, code.co_names
