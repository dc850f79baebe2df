"""One bit is flipped in a pack, a log pack, meta.db or its WAL: noticed, or provably without effect; never silent.

Each flip is made in a copy of one repository with some history. Then everything that can be read is read - commits,
listings, refs, operations, objects, signatures - and compared with the truth. Either all of it is equal, or `check` (or
already the opening, or the reading) says that something is damaged. After damage of meta.db the rebuild that the hint
names must work, and bring everything back or say what it could not. An exception that is no CellarError is a failure.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

from support import Notebook, Outcome, in_child, in_short, main, make_project

from nbcellar.errors import CellarError, NoRepositoryError
from nbcellar.history.repository import Repository
from nbcellar.store.packs import LOG_KIND, pack_paths, read_index
from nbcellar.store.rebuild import rebuild

AREAS = ("packs", "log packs", "meta.db", "meta.db-wal")
_BATCH = 25


def prepare(folder: Path, *, with_wal: bool) -> Any:
    """Make a repository with two notebooks, branches, tags and messages; return what is in it."""
    make_project(folder)
    for name in ("a", "b"):
        notebook = Notebook(folder, name, 1, lambda what: None)
        for number in range(14):
            notebook.step()
            if number == 8 and name == "a":
                notebook.live.repo.write_log_pack()
        repo, this = notebook.live.repo, notebook.live.session.notebook
        head = notebook.live.session.writer.position.head
        assert head is not None
        repo.create_tag(this, "good", head)
        repo.create_branch(this, "other", head)
        repo.set_message(this, head, "a message given later")
        if not with_wal:
            repo.close()
    with Repository.open(folder / "project", read_only=True) as other:
        return content(other)  # with_wal: this process ends without closing, so the WAL stays


def content(repo: Repository) -> dict[str, Any]:
    """Return all that a repository says, in texts that can be compared."""
    store = repo.store
    listed = repo.notebooks()
    return {
        "project": repo.project,
        "notebooks": sorted(repr(info) for info in listed),
        "log": {info.id: [repr(line) for line in repo.log(info.id, all_refs=True)] for info in listed},
        "head": {info.id: repr(repo.head(info.id)) for info in listed},
        "refs": sorted(repr(item) for item in store.refs().items()),
        "records": [repr(record) for record in store.records()],
        "objects": sorted(_object(store, info) for info in store.objects()),
    }


def _object(store: Any, info: Any) -> str:
    store.read(info.digest)  # verified: what comes back is what the digest says, or an error
    return f"{info.digest.hex()} {sorted(store.signatures(info.digest))!r}"


def flip(folder: Path, area: str, rng: random.Random) -> str:
    """Flip one bit; return where."""
    cellar = folder / "project" / ".cellar"
    if area.startswith("meta.db"):
        path = cellar / area
    else:
        logs = {path for path in pack_paths(cellar) if any(entry.kind == LOG_KIND for entry in read_index(path))}
        path = rng.choice([path for path in pack_paths(cellar) if (path in logs) == (area == "log packs")])
    data = bytearray(path.read_bytes())
    place = rng.randrange(len(data) * 8)
    data[place // 8] ^= 1 << place % 8
    path.chmod(0o600)
    path.write_bytes(data)
    return f"bit {place % 8} of byte {place // 8} of {path.relative_to(cellar)}"


def look(folder: Path, truth: Any, area: str) -> dict[str, str]:
    """Read everything; return how the damage was noticed ("" if all is equal), and what went wrong."""
    noticed, wrong = "", ""
    try:
        with Repository.open(folder / "project") as repo:
            report = repo.check(read_data=True)
            problems = [f"{p.about}: {p.reason}" for p in report.history.problems]
            problems += [f"{p.file}: {p.reason}" for p in (report.store.problems if report.store else ())]
            if problems:
                noticed = problems[0]
            try:
                found = content(repo)
                different = [part for part in truth if found[part] != truth[part]]
                if different and not noticed:
                    return {"noticed": "", "wrong": f"check is clean, but {', '.join(different)} differ"}
            except CellarError as error:
                if not noticed:
                    return {"noticed": str(error), "wrong": f"check is clean, but reading says: {error}"}
    except CellarError as error:
        noticed = str(error)
        if not error.hint:
            wrong = f"no hint: {error}"
    except Exception as error:
        return {"noticed": "", "wrong": in_short(error)}
    if noticed and area.startswith("meta.db") and not wrong:
        wrong = _mended(folder, truth)
    return {"noticed": noticed, "wrong": wrong}


def _mended(folder: Path, truth: Any) -> str:
    """Rebuild as the hint says; return what is wrong afterwards."""
    try:
        report = rebuild(folder / "project" / ".cellar")
        with Repository.open(folder / "project") as repo:
            repo.rebuild_index()
            said = report.problems or report.database or not repo.check(read_data=True).is_clean
            found = content(repo)
            lost = [key for key in ("objects", "refs", "records") if not set(truth[key]) <= set(found[key])]
            if lost and not said:
                return f"the rebuild lost {', '.join(lost)} and does not say so"
    except (NoRepositoryError, CellarError) as error:
        return f"the rebuild fails: {error}"
    except Exception as error:
        return f"the rebuild fails: {in_short(error)}"
    return ""


def some_flips(template: Path, truth: Any, area: str, seeds: range, seed: int) -> list[dict[str, str]]:
    """Make flips one after the other, in this process."""
    results = []
    for number in seeds:
        with tempfile.TemporaryDirectory(prefix="flip-", dir=template.parent) as place:
            folder = Path(place) / "copy"
            shutil.copytree(template, folder, ignore=shutil.ignore_patterns("*-shm"))
            where = flip(folder, area, random.Random(f"{seed} {area} {number}"))
            with contextlib.suppress(OSError):
                results.append({"where": where} | look(folder, truth, area))
    return results


def bit_flips(arguments: argparse.Namespace, outcome: Outcome) -> None:
    area = AREAS[arguments.area]
    outcome.rig += f": {area}"
    with tempfile.TemporaryDirectory(prefix="cellar-faults-") as place:
        template = Path(place) / "template"
        truth = in_child(lambda: prepare(template, with_wal=area == "meta.db-wal"))
        noticed = 0
        for start in range(0, arguments.cycles, _BATCH):
            numbers = range(start, min(start + _BATCH, arguments.cycles))
            results = in_child(lambda numbers=numbers: some_flips(template, truth, area, numbers, arguments.seed))
            outcome.cycles += len(results)
            for result in results:
                noticed += bool(result["noticed"])
                if result["wrong"]:
                    outcome.lost += "differ" in result["wrong"]
                    outcome.fail(f"{result['where']}: {result['wrong']}")
    outcome.said = noticed
    outcome.notes.append(f"{noticed} noticed, {outcome.cycles - noticed - len(outcome.failures)} without effect")
    if not noticed:
        outcome.fail("no flip was ever noticed")


if __name__ == "__main__":
    main(bit_flips, cycles=1000, area=0)
