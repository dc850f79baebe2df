"""Does Cellar record the objects of libraries rightly? `python tests/libraries/run.py [LIBRARY ...] [--write]`.

Every case runs in a real kernel, recorded: made; used, which must be no change; changed three times, each of which must
be seen; undone and redone step by step, with pictures of the object compared and its aliases held; and checked out
again in a new kernel. --write puts the table into docs/supported-libraries.md.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import os
import pkgutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "kernel")]

from case import Case, Library
from support import Project

from nbcellar.errors import CellarError

IMMUTABLE = "__import__('nbcellar.session.immutable', fromlist=['x']).is_immutable_type(type(x))"
ALIASES = f"x is alias and held['x'] is x or {IMMUTABLE}"  # equal values of what cannot change are as good as one
DOCUMENT = HERE.parent.parent / "docs" / "supported-libraries.md"


@dataclass
class Verdict:
    """What became of one case. wrong: pictures that differ; missed: changes not seen; false: changes seen of a use."""

    name: str
    stored: bool = True
    reason: str = ""
    uses: int = 0
    changes: int = 0
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    only_here: str = ""  # why a new kernel is told that it cannot have it back
    broken: str = ""  # the case itself does not do what it says
    seconds: float = 0.0

    @property
    def is_fine(self) -> bool:
        return not (self.wrong or self.missed or self.broken)


class Judge:
    """Runs the cases of one library in one kernel."""

    def __init__(self, library: Library, folder: Path) -> None:
        self.library = library
        self.project = Project(folder)
        # What is slow on a busy machine is not left out: this asks what is right.
        self.kernel = self.project.kernel(**{"NBCELLAR_RECORD_BUDGET_S": "120", **dict(library.environ)})
        self.finals: list[tuple[Case, Verdict, str, str]] = []

    def run(self, cases: tuple[Case, ...]) -> Iterator[Verdict]:
        """Yield verdicts, complete once all were yielded: what a new kernel makes of them comes at the end."""
        self.kernel.run(self.library.imports)
        for case in cases:
            verdict = Verdict(case.name)
            began = time.perf_counter()
            try:
                self._live(case, verdict)
            except (AssertionError, CellarError) as error:
                verdict.broken = f"{type(error).__name__}: {error}"[-1500:]
            verdict.seconds = round(time.perf_counter() - began, 2)
            yield verdict
        self.kernel.restart()
        for case, verdict, ref, picture in self.finals:
            try:
                report = self.kernel.checkout(ref)
                if "x" in report.not_restored:  # said, with the reason: nothing is wrong in silence
                    verdict.only_here = report.not_restored["x"]
                    continue
                self._compare(case, verdict, picture, "in a new kernel")
                result = self.kernel.try_run(case.use)
                if result.error:
                    verdict.wrong.append(f"in a new kernel it no longer works: {result.error}")
            except (AssertionError, CellarError) as error:
                verdict.wrong.append(f"in a new kernel: {error}"[:600])

    def close(self) -> None:
        self.project.close()

    def _live(self, case: Case, verdict: Verdict) -> None:
        self.kernel.run(f"{case.make}\nalias = x\nheld = {{'x': x}}")
        entry = self.kernel.variable("x")
        verdict.stored, verdict.reason = entry.value is not None, entry.reason
        before = entry.version
        if verdict.stored != case.storable:
            kind = "stored" if verdict.stored else f"not stored: {verdict.reason}"
            verdict.broken = f"expected otherwise: it is {kind}"
        if not verdict.stored:
            return
        for number, use in enumerate((case.use, case.use, "other = 1")):
            self.kernel.run(use)
            verdict.uses += 1
            version = self.kernel.variable("x").version
            if version != before:
                verdict.false.append(("its first use", "its second use", "another cell")[number])
            before = version
        pictures = [self._picture(case)]
        for change in case.changes:
            self.kernel.run(change + "\nalias = x\nheld['x'] = x")
            verdict.changes += 1
            entry = self.kernel.variable("x")
            pictures.append(self._picture(case))
            if pictures[-1] == pictures[-2]:
                verdict.broken = f"the picture does not show: {change}"
            if entry.version == before:
                verdict.missed.append(change)
            if entry.value is None:
                verdict.broken = f"not stored after: {change}: {entry.reason}"
                return
            before = entry.version
        self._step_back_and_forth(case, verdict, pictures)
        self.finals.append((case, verdict, self.kernel.project.commit_id("HEAD").hex(), pictures[-1]))

    def _step_back_and_forth(self, case: Case, verdict: Verdict, pictures: list[str]) -> None:
        steps = len(case.changes)
        for number in reversed(range(steps)):
            self.kernel.undo()
            self._compare(case, verdict, pictures[number], f"undone to {number}")
        self.kernel.redo(steps)
        self._compare(case, verdict, pictures[-1], "redone")
        self.kernel.undo(steps)
        self._compare(case, verdict, pictures[0], "undone at once")
        for number in range(1, steps + 1):
            self.kernel.redo()
            self._compare(case, verdict, pictures[number], f"redone to {number}")

    def _compare(self, case: Case, verdict: Verdict, picture: str, when: str) -> None:
        now = self._picture(case)
        if now != picture:
            verdict.wrong.append(f"{when}: {_difference(picture, now)}")
        if self.kernel.value(f"bool({ALIASES})") is not True:
            verdict.wrong.append(f"{when}: its aliases are lost")

    def _picture(self, case: Case) -> str:
        return str(self.kernel.value(f"repr(({case.picture}))"))


def _difference(before: str, now: str) -> str:
    at = next((i for i, (a, b) in enumerate(zip(before, now, strict=False)) if a != b), min(len(before), len(now)))
    return f"...{before[max(0, at - 20) : at + 60]} became ...{now[max(0, at - 20) : at + 60]}"


def libraries() -> dict[str, Library]:
    """Return all libraries that have cases, by module name."""
    names = sorted(module.name for module in pkgutil.iter_modules([str(HERE / "cases")]))
    return {name: importlib.import_module(f"cases.{name}").LIBRARY for name in names}


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("library", nargs="*")
    parser.add_argument("--case", help="only cases whose name contains this")
    parser.add_argument("--write", action="store_true", help="write docs/supported-libraries.md")
    parser.add_argument("--json", help="write the verdicts to this file")
    options = parser.parse_args(words)
    os.environ["MPLBACKEND"] = "Agg"
    known = libraries()
    found: dict[str, list[Verdict]] = {}
    for name in options.library or known:
        library = known[name]
        cases = tuple(case for case in library.cases if not options.case or options.case in case.name)
        try:
            importlib.metadata.version(library.package)
        except importlib.metadata.PackageNotFoundError:
            print(f"{library.package}: not installed here")
            continue
        with tempfile.TemporaryDirectory(prefix="cellar-libraries-") as folder:
            judge = Judge(library, Path(folder).resolve())
            try:
                found[name] = list(judge.run(cases))
            finally:
                judge.close()
        for verdict in found[name]:
            _print(verdict)
    if options.write:
        DOCUMENT.write_text(page(found, known), "utf-8")
    if options.json:
        Path(options.json).write_text(json.dumps({n: [asdict(v) for v in vs] for n, vs in found.items()}, indent=1))
    return _summary(found)


def page(found: dict[str, list[Verdict]], known: dict[str, Library]) -> str:
    """Return docs/supported-libraries.md."""
    verdicts = [verdict for group in found.values() for verdict in group]
    lines = [
        "# Libraries whose objects are recorded",
        "",
        "Made by `make coverage-classes`. Each class was made in a real kernel, used, changed in three ways, undone and redone",
        "step by step, and checked out in a new kernel, with its aliases; at each point it was compared with what it had been.",
        "",
        f"{_totals(found)}",
        "",
    ]
    for name, group in found.items():
        version = importlib.metadata.version(known[name].package)
        title = "Python itself" if name == "stdlib" else f"{known[name].package} {version}"
        lines += [f"## {title}", "", "| class | recorded |", "|---|---|"]
        lines += [f"| {verdict.name} | {_words(verdict)} |" for verdict in group]
        lines.append("")
    return "\n".join(lines) + ("" if verdicts else "\n")


def _words(verdict: Verdict) -> str:
    if verdict.broken:
        return "**not as expected**: " + verdict.broken.splitlines()[0][:160].replace("|", "/")
    if not verdict.stored:
        return f"no: {verdict.reason}".replace("|", "/")
    if verdict.wrong or verdict.missed:
        found = [*(f"missed: {change}" for change in verdict.missed), *verdict.wrong]
        return "**not rightly**: " + found[0].splitlines()[0][:160].replace("|", "/")
    if verdict.only_here:
        return f"yes, but not in a new kernel: {verdict.only_here}".replace("|", "/")
    return f"yes; seen as changed by {', '.join(verdict.false)}" if verdict.false else "yes"


def _totals(found: dict[str, list[Verdict]]) -> str:
    verdicts = [verdict for group in found.values() for verdict in group]
    wrong, missed = sum(bool(v.wrong) for v in verdicts), sum(len(v.missed) for v in verdicts)
    false, uses = sum(len(v.false) for v in verdicts), sum(v.uses for v in verdicts)
    broken = sum(bool(v.broken) for v in verdicts)
    return (
        f"{len(verdicts)} classes of {len(found)} libraries: {wrong} with wrong values, {missed} missed changes, "
        f"{false} false changes in {uses} uses ({false / max(1, uses):.1%}), {broken} not as expected."
    )


def _print(verdict: Verdict) -> None:
    state = "fine" if verdict.is_fine else "WRONG"
    if verdict.is_fine and not verdict.stored:
        state = f"not stored: {verdict.reason}"
    elif verdict.is_fine and verdict.false:
        state = f"fine, but seen as changed by {', '.join(verdict.false)}"
    elif verdict.is_fine and verdict.only_here:
        state = f"not in a new kernel: {verdict.only_here}"
    print(f"{verdict.name:45} {verdict.seconds:6.1f} s  {state}", flush=True)
    for line in verdict.wrong:
        print(f"    wrong   {line}")
    for line in verdict.missed:
        print(f"    missed  {line}")
    if verdict.broken:
        print(f"    broken  {verdict.broken}")


def _summary(found: dict[str, list[Verdict]]) -> int:
    print(f"\n{_totals(found)}")
    return 0 if all(verdict.is_fine for group in found.values() for verdict in group) else 1


if __name__ == "__main__":
    sys.exit(main())
