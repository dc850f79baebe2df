"""Results of a notebook's pipeline as one file, for another person: writing it, looking into it, taking it in.

    export_results("sales.ipynb", "sales.tar.gz")      what a run would take from the cache
    look_into_results("sales.tar.gz")                  what is in it; nothing is loaded, nobody has to be trusted
    import_results("sales.tar.gz", trust=["ydxk7q-..."])

Invariant: nothing of an archive is kept unless all of it was checked, and each of its signers is trusted in this
project. Not for: the file (`pipeline/archive_file.py`), listing what is here (`pipeline_results.py`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

import nbcellar
from nbcellar import config
from nbcellar.api.notebook_files import read_bytes
from nbcellar.api.pipeline_archive_views import archive_view
from nbcellar.api.pipeline_result_views import (
    ExportedResults,
    ImportedResults,
    ResultArchive,
    ResultSigner,
)
from nbcellar.api.pipeline_results import At, chosen_cells, opened_results, signers_in
from nbcellar.api.pipelines import run_pipeline
from nbcellar.components.reading import read_pipeline
from nbcellar.errors import (
    AlreadyExistsError,
    CellarError,
    ConflictError,
    NoRepositoryError,
    NotFoundError,
    NotTrustedError,
)
from nbcellar.ids import CellId, CommitId, KeyId
from nbcellar.notebook.codec import read

if TYPE_CHECKING:
    from nbcellar.api.result_signers import Signers
    from nbcellar.history.repository import Repository
    from nbcellar.pipeline.archive_format import Entry
    from nbcellar.pipeline.archive_import import Archive, Here

_SHORTEST_KEY = 6
_TRIES = 5
_MOST_SECRETS = 20
_MIB = 1 << 20


def export_results(
    notebook: str | Path,
    output: str | Path,
    components: Sequence[str] = (),
    *,
    all: bool = False,
    folder: Path | None = None,
) -> ExportedResults:
    """Write results into an archive: those that a run would take now, of some components and what comes before them.

    all: every result that is kept of them. What a name that is not recorded here belongs to is left out, and so is what
    somebody signed who is not trusted. Raises CellarError, NotFoundError where there is nothing to write,
    AlreadyExistsError for a file that is there and is none.
    """
    from nbcellar.pipeline.archive_export import choose, make_manifest, structure_of, write
    from nbcellar.trust.keys import load_or_create

    folder = folder or Path.cwd()
    target = folder / output
    if target.is_file() and target.stat().st_size and not holds_results(target):
        raise AlreadyExistsError(f"{output} is there and is no archive of results: it is not written over")
    with opened_results(notebook, folder) as at:
        cells = _cells_of(at, components)
        wanted, left_out = _all_of(at, cells) if all else _used_of(at, cells)
        chosen = choose(at.repo, wanted, _keeps_out(at.repo))
        left_out |= chosen.left_out
        if not chosen.commits:
            why = "; ".join(f"'{name}': {reason}" for name, reason in left_out.items())
            raise NotFoundError(
                f"{notebook} has no result to export" + (f": {why}" if why else ""),
                hint=f"run it first: cellar pipeline run {notebook}",
            )
        manifest = make_manifest(
            at.repo,
            chosen.commits,
            notebook=at.place.path,
            structure=structure_of(at.pipeline),
            author=at.repo.by,
            program=f"nbcellar {nbcellar.__version__}",
        )
        key = load_or_create(config.user_folder(os.environ))
        size = write(at.repo, target, manifest, key)
        from nbcellar.pipeline.archive_import import Opened

        opened = Opened(manifest, key.key_id, tuple({key.key_id: None, **_signers(manifest.entries)}))
        return ExportedResults(
            archive=archive_view(str(output), size, opened, at.signers, checked=True),
            left_out=left_out,
            secrets=_secrets_in(at.repo, chosen.commits),
            notes=_notes(at.repo, chosen.commits),
        )


def look_into_results(
    archive: str | Path, components: Sequence[str] = (), *, folder: Path | None = None
) -> ResultArchive:
    """Return what is in an archive, all of which is read and checked; nothing is loaded or kept.

    components: only their results are listed. Raises CellarError that says what the file is, or what is wrong with it.
    """
    from nbcellar.pipeline.archive_import import opened

    folder = folder or Path.cwd()
    path = folder / archive
    with opened(path, str(archive)) as found:
        found.check()
        signers = signers_in(_project(folder))
        view = archive_view(str(archive), path.stat().st_size, found.opened, signers, checked=True)
    known = {name for result in view.results for name in (result.component, result.cell)}
    for name in components:
        if name not in known:
            raise NotFoundError(f"{archive} has no result of '{name}'")
    listed = [result for result in view.results if not components or {result.component, result.cell} & {*components}]
    return msgspec.structs.replace(view, results=listed)


def untrusted_signers(
    archive: str | Path, notebook: str | Path | None = None, *, folder: Path | None = None
) -> list[tuple[ResultSigner, str]]:
    """Return who signed an archive and is not trusted here yet, with what it says of them. Raises CellarError."""
    from nbcellar.history.repository import find_root
    from nbcellar.pipeline.archive_import import opened

    folder = folder or Path.cwd()
    root = find_root((folder / notebook).resolve().parent if notebook is not None else folder)
    with opened(folder / archive, str(archive)) as found:
        signers = signers_in(_project(root))
        says = f" (the archive says: {found.opened.manifest.made_by.author})"
        keys = [key for key in found.opened.signers if signers(key).trust == "untrusted"]
        return [(signers(key), says if key == found.opened.signer else "") for key in keys]


def import_results(
    archive: str | Path,
    notebook: str | Path | None = None,
    *,
    trust: Sequence[str] = (),
    folder: Path | None = None,
) -> ImportedResults:
    """Take the results of an archive into the repository of `folder`, or of the notebook.

    notebook: whose components they are; None: the one here whose path is the same, if there is one. trust: keys of
    signers who are trusted in this project from then on, once all was checked. Raises NotTrustedError for a signer who
    is not, CorruptStoreError for an archive that is not as its maker signed it: nothing is kept then.
    """
    from nbcellar.history.repository import find_root

    folder = folder or Path.cwd()
    root = find_root((folder / notebook).resolve().parent if notebook is not None else folder)
    job = _Import(folder / archive, str(archive), root, folder, notebook, tuple(trust))
    for left in reversed(range(_TRIES)):
        try:
            brought = _bring(job)
            break
        except ConflictError:  # somebody else recorded or imported meanwhile; the file is read again
            if not left:
                raise
    cached, runs = _standing(brought.notebook, folder)
    return ImportedResults(
        archive=brought.archive,
        new=brought.new,
        trusted=brought.trusted,
        notebook=os.path.relpath(brought.notebook, folder) if brought.notebook is not None else None,
        cached=cached,
        runs=runs,
    )


_CELLAR = ".cellar"


# export -----------------------------------------------------------------------------------------------------------


def _cells_of(at: At, components: Sequence[str]) -> set[str]:
    """Return the cells of components with what comes before them; of none, all that has results."""
    if not components:
        return {component.id for component in at.pipeline.components} | {entry.cell for entry in at.kept()}
    named = chosen_cells(at.pipeline, at.kept(), components)
    ahead = [at.standing.ahead[cell] for cell in map(CellId, named) if cell in at.standing.ahead]
    return named.union(*(outlook.before for outlook in ahead))


def _used_of(at: At, cells: Collection[str]) -> tuple[dict[str, CommitId], dict[str, str]]:
    """Return the results that a run would take, by name of the component, and why others have none."""
    wanted: dict[str, CommitId] = {}
    left_out: dict[str, str] = {}
    for component in at.pipeline.components:
        if component.id not in cells:
            continue
        step = at.standing.steps.get(component.id)
        if step is not None and step.state == "cached":
            wanted[component.name] = CommitId(bytes.fromhex(step.result))
        else:
            left_out[component.name] = step.reason if step is not None else "the pipeline has errors"
    return wanted, left_out


def _all_of(at: At, cells: Collection[str]) -> tuple[dict[str, CommitId], dict[str, str]]:
    """Return all results of components that somebody trusted signed, each by the component's name and its own id."""
    wanted: dict[str, CommitId] = {}
    left_out: dict[str, str] = {}
    for entry in at.kept():
        if entry.cell not in cells:
            continue
        name = f"{entry.facts.component} {entry.commit.hex()[:8]}"
        signer = at.signers(at.repo.read_signed(entry.commit).key)
        if signer.trust in ("own", "trusted"):
            wanted[name] = entry.commit
        else:
            left_out[name] = f"it was signed by {signer.key}, who is not trusted in this project"
    return wanted, left_out


def _keeps_out(repo: Repository) -> Callable[[str], str]:
    """Return what says why a name's value goes into no archive, or nothing."""
    from nbcellar.session.names import Names

    names = Names({}, config.load(repo.root / _CELLAR, os.environ).record.skip_names)
    return lambda name: "which is not recorded here any more (record.skip_names)" if names.is_skipped(name) else ""


def _signers(entries: Sequence[Entry]) -> dict[KeyId, None]:
    return dict.fromkeys(KeyId(bytes.fromhex(entry.signer)) for entry in entries)


def _secrets_in(repo: Repository, commits: Sequence[CommitId]) -> list[str]:
    """Return what looks like a secret in results, redacted, with where it stands."""
    from nbcellar.api.secret_scan import environment_texts, read_value
    from nbcellar.secrets import scan as scanning
    from nbcellar.secrets.detectors import redacted

    found = scanning.scan(
        repo,
        read_value=lambda data, limit: read_value(repo, data, limit),
        read_environment=environment_texts,
        commits=frozenset(commits),
        allow=config.load(repo.root / _CELLAR, os.environ).secrets.allow,
    )
    listed = [f"{_where(finding.places[0])}: {finding.kind} {redacted(finding.text)}" for finding in found.findings]
    more = len(listed) - _MOST_SECRETS
    return listed[:_MOST_SECRETS] + ([f"and {more} more: cellar secrets scan"] if more > 0 else [])


def _where(place: Any) -> str:
    name = f" {place.name}" if place.name else ""
    return f"{place.where}{name}" + (f", line {place.line}" if place.line else "")


def _notes(repo: Repository, commits: Sequence[CommitId]) -> list[str]:
    """Return what whoever imports these should know: files that are not found under the same path elsewhere."""
    from nbcellar.pipeline.cache import facts_of

    found: dict[str, list[str]] = {}
    for commit in commits:
        facts = facts_of(repo.read_commit(commit))
        there = [path for path, digest in facts.files.items() if digest] if facts is not None else []
        for path in (*there, *facts.folders, *facts.written, *facts.modules) if facts is not None else ():
            if os.path.isabs(path):  # noqa: PTH117
                found.setdefault(path, []).append(facts.component if facts is not None else "")
    return [
        f"'{', '.join(dict.fromkeys(names))}' depends on {path}, outside of the repository: it is used only where that"
        " is there, too"
        for path, names in sorted(found.items())
    ]


# import -----------------------------------------------------------------------------------------------------------


class _Import(NamedTuple):
    """What is to be imported, and where to."""

    path: Path
    shown: str
    root: Path
    folder: Path
    notebook: str | Path | None
    trust: tuple[str, ...]


class _Brought(NamedTuple):
    archive: ResultArchive
    new: int
    trusted: list[str]
    notebook: Path | None


def _bring(job: _Import) -> _Brought:
    """Check an archive, enter what is in it, and note whom to trust; in this order."""
    from nbcellar.history.repository import Repository
    from nbcellar.pipeline.archive_import import opened
    from nbcellar.trust.decisions import TrustStore

    settings = config.load(job.root / _CELLAR, os.environ)
    with opened(job.path, job.shown) as found, Repository.open(job.root, by=_author(settings)) as repo:
        signers = signers_in(repo.project)
        added = _to_trust(found, job.shown, signers, job.trust)
        at = _notebook_of(found, job)
        cap_bytes = settings.record.max_store_mb * _MIB
        new = found.receive(repo, lambda: _here(repo, at) if at is not None else None, cap_bytes=cap_bytes)
        decided = TrustStore(config.user_folder(os.environ))
        for key in added:
            decided.add(repo.project, key, now_ns=repo.clock(), label=found.opened.manifest.made_by.author)
        size = job.path.stat().st_size
        view = archive_view(job.shown, size, found.opened, signers_in(repo.project), checked=True)
        return _Brought(view, len(new), [signers(key).key for key in added], at)


def _to_trust(found: Archive, shown: str, signers: Signers, trust: Sequence[str]) -> list[KeyId]:
    """Return the signers to be trusted from now on. Raises NotTrustedError for one that is not, and is not named."""
    named = {text: [key for key in found.opened.signers if _is_meant(text, key)] for text in trust}
    for text, fitting in named.items():
        if len(fitting) != 1:
            who = ", ".join(signers(key).key for key in found.opened.signers)
            what = "is no signer of" if not fitting else "is the beginning of several signers of"
            raise NotFoundError(f"'{text}' {what} {shown}", hint=f"it was signed by {who}")
    meant = {key for fitting in named.values() for key in fitting}
    added = []
    for key in found.opened.signers:
        signer = signers(key)
        if signer.trust in ("own", "trusted"):
            continue
        if key not in meant or signer.trust == "blocked":
            raise _not_trusted(found, shown, key, signers)
        added.append(key)
    return added


def _not_trusted(found: Archive, shown: str, key: KeyId, signers: Signers) -> NotTrustedError:
    signer, author = signers(key), found.opened.manifest.made_by.author
    if signer.trust == "blocked":
        return NotTrustedError(f"{shown}: the key {signer.key} is blocked in this project; nothing was imported")
    if key == found.opened.signer:
        said = f"{shown} was signed by {signer.key} (it says: {author}), who is not trusted in this project"
    else:
        said = f"a result in {shown} was signed by {signer.key}, who is not trusted in this project"
    others = [other for other in found.opened.signers if signers(other).trust == "untrusted"]
    options = " ".join(f"--trust {signers(other).key}" for other in others)
    return NotTrustedError(
        f"{said}; nothing was imported",
        hint=f"ask them for the fingerprint (cellar key show); if it is this one: cellar pipeline cache import {shown}"
        f" {options}; to look into it: cellar pipeline cache ls {shown}",
    )


def _is_meant(text: str, key: KeyId) -> bool:
    from nbcellar.trust.keys import fingerprint

    plain = text.strip().replace("-", "").replace(" ", "").lower()
    return len(plain) >= _SHORTEST_KEY and (
        fingerprint(key).replace("-", "").startswith(plain) or key.hex().startswith(plain)
    )


def _notebook_of(found: Archive, job: _Import) -> Path | None:
    """Return the notebook whose components the results are, if it is here."""
    if job.notebook is not None:
        return (job.folder / job.notebook).resolve()
    said = found.opened.manifest.notebook  # somebody else's words: compared with what is here, and never opened as such
    if not said.endswith(".ipynb") or "\0" in said:
        return None
    for path in (job.root / said, job.folder / Path(said).name):
        whole = path.resolve()
        if whole.is_relative_to(job.root) and whole.is_file():
            return whole
    return None


def _here(repo: Repository, notebook: Path) -> Here:
    """Return what the repository knows of a notebook whose components have results. Raises CellarError."""
    from nbcellar.pipeline.archive_import import Here
    from nbcellar.pipeline.keys import code_digest

    pipeline = read_pipeline(read(read_bytes(str(notebook), notebook.parent), path=notebook.name))
    codes = {str(component.id): code_digest(component.source) for component in pipeline.components}
    return Here(repo.notebook_for(notebook, create=True), codes)


def _standing(notebook: Path | None, folder: Path) -> tuple[list[str], dict[str, str]]:
    """Return which components are cached now, and why others would run."""
    if notebook is None:
        return [], {}
    try:
        steps = run_pipeline(notebook, dry_run=True, folder=folder).steps
    except CellarError as error:
        return [], {notebook.name: error.message}
    cached = [step.name for step in steps if step.state == "cached"]
    return cached, {step.name: step.reason for step in steps if step.state != "cached"}


def _project(folder: Path) -> str | None:
    """Return the project of a folder, None where there is no repository."""
    from nbcellar.history.repository import Repository, find_root

    try:
        with Repository.open(find_root(folder), by="") as repo:
            return repo.project
    except NoRepositoryError:
        return None


def _author(settings: config.Settings) -> str:
    from nbcellar.history.operations import local_identity

    return settings.author.name or local_identity()


def is_archive(file: str | Path, folder: Path) -> bool:
    """True for a file that is meant as an archive: by its name, or by how it begins."""
    if str(file).endswith((".tar.gz", ".tgz")):
        return True
    try:
        return _is_packed(folder / file)
    except OSError:
        return False


def holds_results(path: Path) -> bool:
    """True for a file that begins as an archive of results does; whether it is a whole one is not looked at."""
    from nbcellar.pipeline.archive_file import reading
    from nbcellar.pipeline.archive_format import MANIFEST, MOST_MANIFEST_BYTES

    try:
        with reading(path, path.name) as reader:
            reader.member(MANIFEST, most=MOST_MANIFEST_BYTES)
    except CellarError:
        return False
    return True


def _is_packed(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(2) == b"\x1f\x8b"


__all__ = ["export_results", "holds_results", "import_results", "is_archive", "look_into_results", "untrusted_signers"]
