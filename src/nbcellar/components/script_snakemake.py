"""A pipeline as a Snakefile: a rule for each component, each in a process of its own, handing over names in files.

Files are written below a folder named after the notebook: `FOLDER/COMPONENT/NAME.pickle` for each name that an edge
carries, `done` and `log.txt`. What the code of a function takes from the notebook is bound where it is used, as in one
namespace: a function that comes out of a file has the consumer's namespace.

Invariant: names become paths only after all but letters, digits, `-`, `_` and `.` were taken out; sources, names and
values stand in the file as string literals and plain values. Pure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence

from nbcellar.components.model import Parameter, Pipeline
from nbcellar.components.parameters import literal
from nbcellar.components.paths import pairs_by_files, paths_of, starts_programs
from nbcellar.components.script_runner import RUNNER, SNAKEFILE, STATES
from nbcellar.components.script_steps import (
    Script,
    Step,
    comment,
    lines_of,
    notes_of,
    pipeline_of,
    steps_of,
)
from nbcellar.errors import InvalidInputError
from nbcellar.ids import CellId
from nbcellar.notebook.model import Notebook


def to_snakefile(notebook: Notebook, name: str) -> Script:
    """Return a notebook's pipeline for Snakemake; `name` is what to call the notebook.

    Raises InvalidInputError, with cell and line, for what no script can run.
    """
    pipeline = pipeline_of(notebook)
    steps = steps_of(pipeline)
    _refuse_bound_parameters(pipeline)
    stem = re.split(r"[/\\]", name)[-1].removesuffix(".ipynb")
    folder = f"{_path(stem, 'notebook')}.pipeline"
    rules = _Rules(pipeline, steps, folder)
    lines = list(comment(f"{name} for Snakemake, written by `cellar pipeline script --format snakemake`."))
    lines += [f"FOLDER = {folder!r}", "RUNNER = ''.join(("]
    lines += [*lines_of(RUNNER.strip("\n") + "\n", "    "), "))"]
    lines += ["", *_parameters(pipeline.parameters), "", *STATES.strip("\n").split("\n"), "", "COMPONENTS = {"]
    for step in steps:
        lines += rules.component(step)
    lines += ["}", "", *SNAKEFILE.strip("\n").split("\n"), "", "", "rule all:", "    input:"]
    lines += [f"        {path!r}," for path in (rules.done(step.component.id) for step in steps)]
    for step in steps:
        lines += ["", "", *rules.rule(step)]
    return Script("\n".join(lines) + "\n", (*_notes(steps), *notes_of(pipeline, steps)))


def _notes(steps: Sequence[Step]) -> list[str]:
    """Return what is other in Snakemake than in the notebook."""
    notes = ["it hands over values with cloudpickle, which has to be installed beside Snakemake"]
    notes += [
        f"'{step.component.name}' seeds random numbers, so what comes after it runs in turn, as in the notebook; with "
        "--config random_in_turn=false each begins with the same numbers, which gives other results"
        for step in steps
        if step.seeds
    ][:1]
    notes += [
        f"'{step.component.name}' sets {', '.join(step.sets)} for its own process; other components will not have that"
        for step in steps
        if step.sets
    ]
    return notes + [
        f"'{step.component.name}' is frozen in the notebook; Snakemake runs it when something before it changes"
        for step in steps
        if step.component.policy.freeze
    ]


def _parameters(parameters: Sequence[Parameter]) -> Iterator[str]:
    if not parameters:
        yield "PARAMETERS = {}"
        return
    yield "PARAMETERS = {"
    for parameter in parameters:
        yield f"    {parameter.name!a}: ({parameter.type!a}, {literal(parameter.value)}),"
    yield "}"


def _refuse_bound_parameters(pipeline: Pipeline) -> None:
    """Raise InvalidInputError where one component binds a parameter anew that others take: each rule gets the given."""
    for parameter in pipeline.parameters:
        name = parameter.name
        binding = [each for each in pipeline.components if name in each.uses.writes | each.uses.changes]
        for component in binding:
            others = [each.name for each in pipeline.components if each is not component and name in each.uses.reads]
            if others:
                raise InvalidInputError(
                    f"'{component.name}' (cell {component.place + 1}) changes the parameter {name}, which "
                    f"'{others[0]}' takes, too: in processes of their own they would not see the same",
                    hint="give the changed value another name",
                )


class _Rules:
    def __init__(self, pipeline: Pipeline, steps: Sequence[Step], folder: str) -> None:
        self.pipeline = pipeline
        self.folder = folder
        self.words = _unique({step.component.id: _path(step.component.name, "component") for step in steps})
        self.rules = _unique({id: _rule_name(word) for id, word in self.words.items()})
        self.passed = self._passed({step.component.id: step.sure for step in steps})
        self.files = {step.component.id: self._files(step.component.id) for step in steps}
        self.writers = self._writers()
        self.states = self._states([step.component.id for step in steps if step.seeds])
        self.futures: dict[CellId, tuple[str, ...]] = {}  # as in a kernel, they count for all that comes after
        found: dict[str, None] = {}
        for step in steps:
            found |= dict.fromkeys(step.futures)
            self.futures[step.component.id] = tuple(found)

    def component(self, step: Step) -> Iterator[str]:
        """Yield the entry of a component."""
        component = step.component
        takes = {name: self.files[parent][name] for parent, name in self._taken(component.id)}
        yield f"    {component.id!a}: dict("
        yield f"        name={component.name!a},"
        yield f"        takes={_dict(takes)},"
        yield f"        gives={_dict(self.files[component.id])},"
        yield f"        state={self._state(component.id)}, next_state={self._next_state(component.id)!r},"
        yield f"        parameters={sorted(self._used(component.id))!r},"
        yield f"        timeout={component.policy.timeout_s!r},"
        yield f"        magics={step.magics}, display={step.display}, futures={self.futures[component.id]!r},"
        yield "        source=''.join(("
        yield from lines_of(step.text, "            ")
        yield "        )),"
        yield "    ),"

    def rule(self, step: Step) -> Iterator[str]:
        """Yield the rule of a component."""
        component, id = step.component, step.component.id
        yield from comment(f"{component.name} (cell {component.place + 1})")
        yield f"rule {self.rules[id]}:"
        inputs = [repr(path) for path in self._inputs(id)] + [self._state(id)] * (id in self.states)
        if inputs:
            yield "    input:"
            yield from (f"        {path}," for path in inputs)
        yield "    output:"
        state = self._next_state(id)
        written = (self.done(id), *self.files[id].values(), *([state] if state else ()))
        yield from (f"        {path!r}," for path in written)
        yield from ("    log:", f"        {f'{self.folder}/{self.words[id]}/log.txt'!r},")
        yield from ("    params:", f"        code={_digest(step, self.futures[id])!r},")
        yield f"        parameters=digest_of({id!a}),"
        if not component.policy.cache:
            yield "        always=os.urandom(8).hex(),"
        if component.policy.retries:
            yield f"    retries: {component.policy.retries}"
        yield from ("    run:", f"        run_component({id!a}, output[0], log[0])")

    def done(self, id: CellId) -> str:
        """Return the file that says that a component ran."""
        return f"{self.folder}/{self.words[id]}/done"

    def _states(self, seeding: Sequence[CellId]) -> dict[CellId, tuple[CellId, CellId]]:
        """Return where random numbers go on: by component, the one before it and the last that seeds them."""
        found: dict[CellId, tuple[CellId, CellId]] = {}
        last = None
        for at, id in enumerate(self.pipeline.order):
            if last is not None:
                found[id] = (self.pipeline.order[at - 1], last)
            last = id if id in seeding else last
        return found

    def _state(self, id: CellId) -> str:
        """Return Python for the file with the state that a component begins with."""
        if id not in self.states:
            return "None"
        before, seeding = (f"{self.folder}/{self.words[each]}/random.state" for each in self.states[id])
        return f"state_in({before!r}, {seeding!r})"

    def _next_state(self, id: CellId) -> str | None:
        """Return the file with the state that a component leaves, None where nobody begins with it."""
        wanted = {each for pair in self.states.values() for each in pair}
        return f"{self.folder}/{self.words[id]}/random.state" if id in wanted else None

    def _files(self, id: CellId) -> dict[str, str]:
        """Return where the names go that others take from a component."""
        names = {name for edge in self.pipeline.edges if edge.parent == id for name in edge.names}
        names |= {name for passed in self.passed.values() for parent, name in passed if parent == id}
        words = _unique({name: name for name in sorted(names)})
        return {name: f"{self.folder}/{self.words[id]}/{word}.pickle" for name, word in words.items()}

    def _passed(self, sure: Mapping[CellId, frozenset[str]]) -> dict[CellId, list[tuple[CellId, str]]]:
        """Return what components take only to hand it on: names that they do not bind in every run."""
        uses = {component.id: component.uses for component in self.pipeline.components}
        gives = {id: {n for edge in self.pipeline.edges if edge.parent == id for n in edge.names} for id in uses}
        passed: dict[CellId, list[tuple[CellId, str]]] = {id: [] for id in uses}
        for at, id in reversed(list(enumerate(self.pipeline.order))):
            taken = {name for edge in self.pipeline.edges if edge.child == id for name in edge.names}
            for name in sorted(gives[id] - taken - sure[id]):
                before = [each for each in self.pipeline.order[:at] if name in uses[each].writes]
                if before:
                    passed[id].append((before[-1], name))
                    gives[before[-1]].add(name)
        return passed

    def _taken(self, id: CellId) -> list[tuple[CellId, str]]:
        """Return the names that a component takes, each with where from."""
        edges = [(edge.parent, name) for edge in self.pipeline.edges if edge.child == id for name in edge.names]
        return [*edges, *self.passed[id]]

    def _inputs(self, id: CellId) -> list[str]:
        found: dict[str, None] = {}
        for edge in self.pipeline.edges:
            if edge.child == id:
                paths = [self.files[edge.parent][name] for name in edge.names]
                found |= dict.fromkeys(paths or [self.done(edge.parent)])
        found |= dict.fromkeys(self.files[parent][name] for parent, name in self.passed[id])
        parents = {edge.parent for edge in self.pipeline.edges if edge.child == id}
        found |= dict.fromkeys(self.done(writer) for writer in self.writers.get(id, ()) if writer not in parents)
        return list(found)

    def _writers(self) -> dict[CellId, dict[CellId, None]]:
        """Return those before a component that may write what it reads: files of one name, and any for a program."""
        sources = {id: self.pipeline.component(id).source for id in self.pipeline.order}
        found: dict[CellId, dict[CellId, None]] = {}
        for first, second in pairs_by_files(sources):
            found.setdefault(second, {})[first] = None
        writing: list[CellId] = []
        for id, source in sources.items():
            if starts_programs(source):
                found.setdefault(id, {}).update(dict.fromkeys(writing))
            if any(paths_of(source).values()):
                writing.append(id)
        return found

    def _used(self, id: CellId) -> set[str]:
        """Return the parameters that a component, or code in what it takes, may read."""
        uses = self.pipeline.component(id).uses
        read = set(uses.reads) | set(uses.lambdas) | set().union(*uses.needs.values())
        todo = [edge.parent for edge in self.pipeline.edges if edge.child == id]
        seen: set[CellId] = set()
        while todo:
            at = todo.pop()
            if at not in seen:
                seen.add(at)
                above = self.pipeline.component(at).uses
                read |= set(above.lambdas) | set().union(*above.needs.values())
                todo += [edge.parent for edge in self.pipeline.edges if edge.child == at]
        if uses.unseen:
            return {parameter.name for parameter in self.pipeline.parameters}
        return read & {parameter.name for parameter in self.pipeline.parameters}


def _dict(paths: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name!a}: {path!r}" for name, path in paths.items()) + "}"


def _digest(step: Step, futures: Sequence[str]) -> str:
    """Return what changes when a component's code does, so that Snakemake runs it again."""
    text = "\n".join((step.text, *futures)).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:16]


def _path(text: str, instead: str) -> str:
    """Return text as one part of a path that no program mistakes for something else."""
    word = re.sub(r"[^\w.-]+", "_", text).strip("._-")
    return word.encode("utf-8", "ignore").decode()[:60] or instead


def _rule_name(word: str) -> str:
    name = re.sub(r"\W", "_", word, flags=re.ASCII).strip("_")
    return f"component_{name}" if name else "component"


def _unique(words: Mapping[str, str]) -> dict[str, str]:
    """Return words that differ even where capitals do not count, as on some file systems."""
    import unicodedata

    taken: set[str] = set()
    found = {}
    for key, word in words.items():
        made, number = word, 2
        while unicodedata.normalize("NFKC", made).casefold() in taken:
            made, number = f"{word}-{number}", number + 1
        taken.add(unicodedata.normalize("NFKC", made).casefold())
        found[key] = made
    return found


__all__ = ["to_snakefile"]
