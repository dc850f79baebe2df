"""Notebooks as files of pytest, and their code cells as tests.

Each code cell is a test: what failed has a name, `-k`, `-x` and reruns work as for any test. What a cell shows always
comes from a kernel in which the cells before it ran, whichever tests are chosen and in whatever order (`running.py`).

Invariant: a failure is told once, with the cell that it came from; cells that could not run for it are skipped.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NoReturn

import pytest

from nbcellar import notebook
from nbcellar.errors import CellarError
from nbcellar.notebook.model import Notebook
from nbcellar.notebook.places import lines_of
from nbcellar.testing.comparing import compare_results
from nbcellar.testing.report import CellFailed, CellReport, FailureText
from nbcellar.testing.rules import Rules, rules_of
from nbcellar.testing.running import CellResult, NotebookRun
from nbcellar.testing.settings import Settings, said, settings_of
from nbcellar.testing.updating import check_writable, update
from nbcellar.testing.workers import make_scheduler

_UPDATED, _NOT_UPDATED = "notebook_updated", "notebook_not_updated"
_UPDATE_HINT = "if this is what it should be: pytest --notebooks-update"
_RAISES_HINT = "if the cell is meant to raise, tag it raises-exception"


class NotebookTestWarning(UserWarning):
    """Something about a notebook that makes its tests say less than one would think."""


class NotebookTests:
    """The hooks that do the work, registered where notebooks are asked for."""

    def __init__(self, config: pytest.Config) -> None:
        self.settings = settings_of(config)
        self._files: list[NotebookFile] = []
        self._written: list[tuple[str, str]] = []
        config.addinivalue_line("markers", "notebook: a code cell of a notebook (pytest --notebooks)")

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> NotebookFile | None:
        """Take the notebooks, but not the copies that Jupyter puts beside them."""
        if ".ipynb_checkpoints" in file_path.parts or not _is_wanted(file_path, self.settings.files):
            return None
        file: NotebookFile = NotebookFile.from_parent(parent, path=file_path)
        file.settings = self.settings
        self._files.append(file)
        return file

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: Any, log: Any) -> Any:
        """Keep the cells of a notebook on one worker."""
        return make_scheduler(config, log)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what was written, here or in a worker."""
        if report.when == "teardown":
            self._written += [(key, str(value)) for key, value in report.user_properties if key.startswith("notebook_")]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what was written."""
        told = dict.fromkeys(self._written)
        if told:
            terminalreporter.section("notebooks", sep="-")
        for key, what in told:
            terminalreporter.line(f"{'updated' if key == _UPDATED else 'not updated'}: {what}")

    def pytest_unconfigure(self) -> None:
        """End what kernels there still are, whatever ended the session."""
        for file in self._files:
            file.end()


def _is_wanted(path: Path, patterns: Iterable[str]) -> bool:
    return path.suffix == ".ipynb" and any(fnmatch(path.name, p) or fnmatch(str(path), p) for p in patterns)


class NotebookFile(pytest.File):
    """A notebook. Its kernel lives from the first cell that is tested to the last."""

    settings: Settings
    run: NotebookRun | None = None
    source: Notebook
    data: bytes
    rules: tuple[Rules, ...]
    lines: dict[int, int]

    def collect(self) -> Iterable[CellItem]:
        """Yield the code cells."""
        try:
            self.data = self.path.read_bytes()
            self.source = notebook.read(self.data, path=self.path.name)
            self.rules = rules_of(self.source, self.settings.rules)
            if self.settings.update:
                check_writable(self.source, self.data, self.path)
        except CellarError as error:
            raise self.CollectError(said(error)) from None
        places = [n for n, cell in enumerate(self.source.cells) if cell.type == "code" and cell.source.strip()]
        self.lines = dict(zip(places, lines_of(self.data, [("cells", n, "source") for n in places]), strict=True))
        self.compared = self._is_compared(places)
        self.told: set[int] = set()
        self.changed: dict[int, CellResult] = {}
        self.broken: CellarError | None = None
        self.last: CellItem | None = None
        self.run = NotebookRun(self.source, self.path, self.rules, self.settings.conditions)
        for place in places:
            item: CellItem = CellItem.from_parent(self, name=_name(self.source, place))
            item.place = place
            item.mark()
            yield item

    def _is_compared(self, places: list[int]) -> bool:
        """Return whether there is something to compare with: a notebook without outputs was never run, or stripped."""
        cells = [self.source.cells[n] for n in places]
        if self.settings.update or any(cell.outputs or cell.execution_count is not None for cell in cells):
            return True
        if any(self.rules[n].compare for n in places):
            text = f"{self.name} has no stored outputs: its cells are run, and nothing is compared"
            self.warn(NotebookTestWarning(f"{text} (--notebooks-update stores them)"))
        return False

    def teardown(self) -> None:
        """End the kernel; write what is new."""
        self.end()
        if not self.changed:
            return
        changed, self.changed = self.changed, {}
        count = f"{len(changed)} {'cell' if len(changed) == 1 else 'cells'}"
        if self.told or self.broken is not None:
            self._note(_NOT_UPDATED, f"{self.nodeid}: {count} would be new, but a cell failed")
            return
        try:
            self.data = update(self.path, self.source, self.data, changed)
        except CellarError as error:
            pytest.fail(said(error), pytrace=False)
        self.source = notebook.read(self.data)
        self._note(_UPDATED, f"{self.nodeid}: {count}")

    def _note(self, key: str, what: str) -> None:
        if self.last is not None:
            self.last.user_properties.append((key, what))

    def end(self) -> None:
        """End the kernel, if there is one."""
        if self.run is not None:
            self.run.end()


def _name(source: Notebook, place: int) -> str:
    """Return "cell 3 (id)", counted as people count; ids that are none of nbformat are left out."""
    identifier = source.cells[place].id
    known = identifier and len(identifier) <= 64 and identifier.replace("-", "").replace("_", "").isalnum()
    return f"cell {place + 1} ({identifier})" if known and identifier.isascii() else f"cell {place + 1}"


class CellItem(pytest.Item):
    """A code cell: it runs without an error, and shows what is stored."""

    parent: NotebookFile
    place: int
    began: bool = False

    def mark(self) -> None:
        """Set the marks that pytest and its plugins look at."""
        self.add_marker("notebook")
        if not self.parent.rules[self.place].run:
            self.add_marker(pytest.mark.skip(reason="the cell is marked to be skipped"))

    def runtest(self) -> None:
        """Run the cell, and those before it that did not run yet; compare."""
        file = self.parent
        assert file.run is not None
        file.last = self
        if self.began:  # another try: in a fresh kernel, from the first cell
            file.run.forget()
            file.told.clear()
            file.broken = None
        self.began = True
        result = self._result(file, file.run)
        if result.failure is not None:
            self._fail(self.place)
        rules = file.rules[self.place]
        if not (rules.compare and file.compared):
            return
        stored = file.source.cells[self.place].outputs or ()
        changes = compare_results(stored, result.outputs, rules, file.settings.replacements)
        file.changed.pop(self.place, None)
        if changes and file.settings.update:
            file.changed[self.place] = result
        elif changes:
            raise CellFailed(self._report(self.place, changes=changes, hint=_UPDATE_HINT))

    def _result(self, file: NotebookFile, run: NotebookRun) -> CellResult:
        if file.broken is not None:
            _skip(f"{file.name} has no kernel")
        try:
            result = run.result(self.place)
        except CellarError as error:
            file.broken = error
            raise
        if result is None:
            earlier = run.stopped_at(self.place)
            assert earlier is not None
            if earlier in file.told:
                _skip(f"cell {earlier + 1} failed")
            self._fail(earlier)
        return result

    def _fail(self, place: int) -> NoReturn:
        """Tell the failure of a cell: of this one, or of one before that no test of its own told."""
        file = self.parent
        file.told.add(place)
        assert file.run is not None
        failure = file.run.results[place].failure
        assert failure is not None
        hint = _RAISES_HINT if failure.kind == "error" else ""
        if place != self.place:
            hint = f"cell {self.place + 1} needs the cells before it, so this one ran first"
        raise CellFailed(self._report(place, failure=failure, hint=hint))

    def _report(self, place: int, **more: Any) -> CellReport:
        file = self.parent
        return CellReport(
            path=file.nodeid, line=file.lines[place], number=place + 1, cell=file.source.cells[place], **more
        )

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return what is printed of a failure."""
        error = excinfo.value
        if isinstance(error, CellFailed):
            return FailureText(error.report, everything=self.config.get_verbosity() >= 2)
        if isinstance(error, CellarError):
            return said(error)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the cell's source begins in the file, and its name."""
        return self.path, self.parent.lines[self.place] - 1, self.name


def _skip(reason: str) -> NoReturn:
    skipped = pytest.skip.Exception(reason)
    skipped._use_item_location = True  # the summary names the cell's place, not this line
    raise skipped


__all__ = ["CellItem", "NotebookFile", "NotebookTestWarning", "NotebookTests"]
