"""Measure the work on documents beside nbdime 4, nbdev 3 and nbstripout: `python benchmarks/document.py [--quick]`.

The peers are installed from the package index into `.venv-peers` at the first run. One Markdown table on standard
output, progress on standard error. Inputs are made by `document_inputs.py`: N cells, of which 5 % are edited, 2 %
inserted, 2 % deleted, 2 % moved and 10 % run again; ids stable, absent or made anew. Seconds are processor time.

- diff, merge: one call on parsed notebooks, in a process that has loaded everything; best of three (of one for a peer
  that takes long). The second side of a merge is another edit of the same base.
- start: a whole process on two small notebooks; the best of five.
- git: `git diff` over 50 changed notebooks, and 50 merges, each through the installed driver; git's time included.
- filter: `git add` of 50 notebooks, less the same without a filter.
- touched, bytes: cells that the diff says were touched, and the size of its JSON, to what the edit script did. The mean
  of the pairs of one size, the worst of sizes 10, 100 and 1,000; then the worst single pair.

Nothing here is asserted in tests: a figure depends on the machine, so read the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import document_inputs
from document_inputs import IDS, Case, Ids, make_case, make_notebook
from nbcellar.diff.document.compare import NotebookDiff, compare_notebooks
from nbcellar.diff.document.operations import to_json
from nbcellar.merge.notebooks import merge_notebooks
from nbcellar.notebook.codec import write
from nbcellar.notebook.model import Notebook

HERE = Path(__file__).parent
ROOT = HERE.parent
PEERS = ROOT / ".venv-peers"
WANTED = ("nbdime==4.0.4", "nbdev>=3,<4", "nbstripout==0.9.*")
NOTEBOOKS = 50


@dataclass(frozen=True)
class Line:
    what: str
    ours: str
    bar: str
    peers: str


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small inputs: does everything run?")
    parser.add_argument("--no-peers", action="store_true", help="Cellar alone")
    parser.add_argument("--only", action="append", choices=sorted(PARTS), help="this part; repeatable")
    options = parser.parse_args(arguments)
    if not options.no_peers:
        make_peers()
    print("| what | Cellar | bar | peers |\n|---|---|---|---|")
    for name in options.only or PARTS:
        print(f"{name} ...", file=sys.stderr)
        for line in PARTS[name](options.quick, not options.no_peers):
            print(f"| {line.what} | {line.ours} | {line.bar} | {line.peers} |", flush=True)
    return 0


def make_peers() -> None:
    made = PEERS / ".made"
    wanted = "\n".join(WANTED)
    if made.exists() and made.read_text() == wanted:
        return
    print("installing the peers ...", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(PEERS)], check=True)
    subprocess.run([str(PEERS / "bin" / "python"), "-m", "pip", "install", "-qq", *WANTED, "setuptools<81"], check=True)
    made.write_text(wanted)


def peer(what: str, *files: Path) -> dict[str, float]:
    """Run a peer's function on files in the peers' environment."""
    words = [str(PEERS / "bin" / "python"), str(HERE / "document_peers.py"), what, *map(str, files)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def cpu_of(call: Callable[[], object], rounds: int = 3) -> float:
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return best


def cpu_of_process(words: Sequence[str], rounds: int = 5, **options: object) -> float:
    """Return the processor time of a whole process and its children; the exit code may be 0 or 1."""
    best = float("inf")
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(words, capture_output=True, check=False, **options)  # type: ignore[call-overload]
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{words} ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best


def two_edits(size: int, seed: int, ids: Ids) -> tuple[Notebook, Notebook, Notebook]:
    """Return a base and two edits of it."""
    real = document_inputs.make_notebook
    document_inputs.make_notebook = lambda size, _, with_ids=True: real(size, 0, with_ids=with_ids)
    try:
        ours, theirs = make_case(size, seed, ids=ids), make_case(size, seed + 1, ids=ids)
    finally:
        document_inputs.make_notebook = real
    return ours.before, ours.after, theirs.after


def written(folder: Path, **notebooks: Notebook) -> list[Path]:
    paths = []
    for name, notebook in notebooks.items():
        paths.append(folder / f"{name}.ipynb")
        paths[-1].write_bytes(write(notebook))
    return paths


def diffs(quick: bool, peers: bool) -> list[Line]:
    size = 300 if quick else 3000
    lines = []
    with tempfile.TemporaryDirectory() as name:
        for ids in IDS:
            case = make_case(size, 1, ids=ids)
            ours = cpu_of(lambda case=case: _whole(compare_notebooks(case.before, case.after)))  # type: ignore[misc]
            files = written(Path(name), before=case.before, after=case.after)
            theirs = f"nbdime {peer('diff', *files)['cpu_s']:.2f}" if peers else ""
            lines.append(Line(f"diff of {size} cells, ids {ids}", f"{ours:.3f}", "0.2", theirs))
    return lines


def _whole(found: NotebookDiff) -> int:
    """Make the operations and the changes, which are only made when somebody asks."""
    return len(found.operations) + len(found.changes.cells)


def merges(quick: bool, peers: bool) -> list[Line]:
    size = 100 if quick else 1000
    lines = []
    with tempfile.TemporaryDirectory() as name:
        for ids in IDS:
            base, ours, theirs = two_edits(size, 1, ids)
            cpu = cpu_of(lambda b=base, o=ours, t=theirs: merge_notebooks(b, o, t))  # type: ignore[misc]
            files = written(Path(name), base=base, ours=ours, theirs=theirs)
            said = f"nbdime {peer('merge', *files)['cpu_s']:.2f}" if peers else ""
            lines.append(Line(f"merge of {size} cells, ids {ids}", f"{cpu:.3f}", "0.2", said))
    return lines


def ideal(quick: bool, peers: bool) -> list[Line]:
    pairs = {10: 10, 100: 3} if quick else {10: 100, 100: 20, 1000: 3}
    lines = []
    for key, what, bar in (("touched", "cells touched", "1.02"), ("bytes", "bytes of the diff", "1.2")):
        for ids in IDS:
            found = [[_ratios(make_case(size, seed, ids=ids))[key] for seed in range(n)] for size, n in pairs.items()]
            ours = f"{max(map(statistics.mean, found)):.3f} (worst pair {max(map(max, found)):.3f})"
            theirs = [_ratios_of_peer(make_case(size, 3, ids=ids))[key] for size in (10, 100)] if peers else []
            lines.append(Line(f"{what} / ideal, ids {ids}", ours, bar, f"nbdime {max(theirs):.2f}" if peers else ""))
    return lines


def _ratios_of_peer(case: Case) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        found = peer("diff", *written(Path(name), before=case.before, after=case.after))
    return {"touched": found["touched"] / case.touched, "bytes": found["bytes"] / case.ideal_bytes}


def _ratios(case: Case) -> dict[str, float]:
    found = compare_notebooks(case.before, case.after)
    size = len(json.dumps(to_json(found.operations), separators=(",", ":"), ensure_ascii=False).encode())
    touched = sum(max(len(cell.before), len(cell.after), 1) for cell in found.changes.cells)
    return {"touched": touched / case.touched, "bytes": size / case.ideal_bytes}


def starts(quick: bool, peers: bool) -> list[Line]:
    cellar = str(Path(sys.executable).with_name("cellar"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base, ours, theirs = two_edits(10, 1, "stable")
        files = [str(path) for path in written(folder, base=base, ours=ours, theirs=theirs)]
        copy = str(folder / "copy.ipynb")
        shutil.copy(files[1], copy)
        commands = {
            "diff": [cellar, "diff", files[0], files[1]],
            "merge driver": [cellar, "git", "merge-driver", files[0], copy, files[2], "7", "nb.ipynb"],
            "textconv": [cellar, "git", "textconv", files[0]],
        }
        bin_ = PEERS / "bin"
        theirs_ = {
            "diff": {"nbdime": [str(bin_ / "nbdiff"), files[0], files[1]]},
            "merge driver": {
                "nbdime": [str(bin_ / "git-nbmergedriver"), "merge", files[0], copy, files[2], "7", "nb.ipynb"],
                "nbdev": [str(bin_ / "nbdev-merge"), files[0], copy, files[2], "nb.ipynb"],
            },
            "textconv": {"nbstripout": [str(bin_ / "nbstripout"), "-t", files[0]]},
        }
        lines = []
        for what, words in commands.items():
            said = []
            for who, command in theirs_[what].items() if peers else ():
                shutil.copy(files[1], copy)
                said.append(f"{who} {cpu_of_process(command, 3, cwd=folder):.2f}")
            shutil.copy(files[1], copy)
            lines.append(Line(f"start of {what}", f"{cpu_of_process(words, cwd=folder):.3f}", "0.08", ", ".join(said)))
        return lines


def in_git(quick: bool, peers: bool) -> list[Line]:
    count = 5 if quick else NOTEBOOKS
    ours = _git_figures(count, [str(Path(sys.executable).with_name("cellar")), "git", "install", "--local"])
    said = {"diff": "", "merge": "", "filter": ""}
    if peers:
        nbdime = _git_figures(count, [str(PEERS / "bin" / "nbdime"), "config-git", "--enable"])
        nbdev = _git_figures(count, [str(PEERS / "bin" / "nbdev-install-hooks")])
        strip = _git_figures(count, [str(PEERS / "bin" / "nbstripout"), "--install"], filter_alone=True)
        said = {
            "diff": f"nbdime {nbdime['diff']:.1f}, nbdev {nbdev['diff']:.1f}",
            "merge": f"nbdime {nbdime['merge']:.1f}, nbdev {nbdev['merge']:.1f}",
            "filter": f"nbstripout {strip['filter']:.1f}",
        }
    return [
        Line(f"git diff of {count} notebooks", f"{ours['diff']:.2f}", "5", said["diff"]),
        Line(f"{count} merges", f"{ours['merge']:.2f}", "5", said["merge"]),
        Line(f"{count} files through the filter", f"{ours['filter']:.2f}", "0.5", said["filter"]),
    ]


def _git_figures(count: int, install: Sequence[str], *, filter_alone: bool = False) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "repository"
        folder.mkdir()
        environ = _environment(Path(name))
        versions = [two_edits(30, seed, "stable") for seed in range(count)]

        def git(*words: str, codes: Sequence[int] = (0,)) -> None:
            done = subprocess.run(["git", *words], cwd=folder, env=environ, capture_output=True, check=False)
            if done.returncode not in codes:
                raise RuntimeError(f"git {words} ended with {done.returncode}: {done.stderr.decode()[-2000:]}")

        def put(side: int) -> None:
            for number, notebooks in enumerate(versions):
                (folder / f"{number}.ipynb").write_bytes(write(notebooks[side]))

        git("init", "-q", "-b", "main")
        put(0)
        plain = cpu_of_process(["git", "add", "."], 1, cwd=folder, env=environ)
        git("rm", "-q", "-r", "--cached", ".")
        subprocess.run(install, cwd=folder, env=environ, check=True, capture_output=True)
        filtered = cpu_of_process(["git", "add", "."], 1, cwd=folder, env=environ)
        figures = {"filter": max(filtered - plain, 0.0)}
        if filter_alone:
            return figures
        git("commit", "-q", "-m", "base", "--no-verify")
        git("switch", "-q", "-c", "theirs")
        put(2)
        git("commit", "-q", "-a", "-m", "theirs", "--no-verify")
        git("switch", "-q", "main")
        put(1)
        diff = cpu_of_process(["git", "diff", "--ext-diff"], 1, cwd=folder, env=environ)
        git("commit", "-q", "-a", "-m", "ours", "--no-verify")
        merge = cpu_of_process(["git", "merge", "theirs"], 1, cwd=folder, env=environ)
        return figures | {"diff": diff, "merge": merge}


def _environment(home: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "NBCELLAR_", "XDG_"))}
    who = {f"GIT_{role}_{part}": "bench@example.org" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    paths = os.pathsep.join((str(Path(sys.executable).parent), str(PEERS / "bin"), kept.get("PATH", "")))
    return kept | who | {"HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "PATH": paths, "GIT_PAGER": "cat"}


def long_line(quick: bool, peers: bool) -> list[Line]:
    from nbcellar.clean.notebooks import clean
    from nbcellar.clean.rules import Rules
    from nbcellar.config.documents import Clean

    size = 20_000 if quick else 200_000
    notebook = make_notebook(1, 1)
    text = "<Axes at 0x" * (size // 11)
    output = {"output_type": "stream", "name": "stdout", "text": [text]}
    cells = tuple(_with_output(cell, output) for cell in notebook.cells)
    notebook = Notebook(cells=cells, metadata=notebook.metadata)
    rules = Rules(Clean())
    ours = cpu_of(lambda: clean(notebook, rules))
    said = ""
    if peers:
        with tempfile.TemporaryDirectory() as name:
            said = f"nbdev {peer('clean', *written(Path(name), long=notebook))['cpu_s']:.1f}"
    return [Line(f"a line of {size:,} letters cleaned", f"{ours:.3f}", "0.05", said)]


def _with_output(cell: object, output: dict[str, object]) -> object:
    import msgspec

    return msgspec.structs.replace(cell, type="code", outputs=(output,), execution_count=1)


PARTS: dict[str, Callable[[bool, bool], list[Line]]] = {
    "diff": diffs,
    "merge": merges,
    "ideal": ideal,
    "start": starts,
    "git": in_git,
    "line": long_line,
}

if __name__ == "__main__":
    sys.exit(main())
