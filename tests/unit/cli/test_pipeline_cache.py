"""`cellar pipeline cache`: what it says, to the one who ran a pipeline and to the one who gets the results."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from nbcellar.cli.pipeline_cache_text import format_archive
from nbcellar.history.repository import Repository

TRANSCRIPT = Path(__file__).parent / "transcripts" / "pipeline-cache.txt"
SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"
WRITE = bool(os.environ.get("NBCELLAR_WRITE_TRANSCRIPTS"))

SOURCES = {
    "load": "with open('data.txt') as file:\n    text = file.read()\nlock = (n for n in text)",
    "words": "words = text.split() * scale\napi_key = 'k'",
    "told": "print(len(words))\nimport json",
    "each": "each = 1",
}
UNSTABLE = [
    (r"\b[0-9a-f]{64}\b", "<digest>"),
    (r"\b[0-9a-f]{8}\b", "<commit>"),
    (r"\d+(\.\d+)? (B|KB|MB)\b", "<size>"),
    (r"ran( +\w+ +)\d+(\.\d+)? m?s", r"ran\1<time>"),
    (r"ran \d+(\.\d+)? m?s", "ran <time>"),
    (r" in \d+(\.\d+)? m?s", " in <time>"),
    (r"\d+ seconds? ago", "<time> ago"),
    (r"cpython 3\.\d+", "cpython 3.x"),
    (r"nbcellar \d\S+", "nbcellar <version>"),
    (r", IPython [\d.]+", ""),
]


def notebook() -> dict[str, Any]:
    cells = [
        {
            "cell_type": "code",
            "id": f"id-{name}",
            "metadata": {"cellar": {"component": {"name": name, **({"cache": False} if name == "each" else {})}}},
            "source": [source],
            "outputs": [],
            "execution_count": None,
        }
        for name, source in SOURCES.items()
    ]
    return {"cells": cells, "metadata": {"cellar": {"parameters": {"scale": 2}}}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def people(shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Ada and Ben, each with a folder and a key; `$KEY` in a line is Ada's fingerprint."""
    made = {}
    for name in ("ada", "ben"):
        folder = tmp_path / name / "work"
        folder.mkdir(parents=True)
        (folder / "nb.ipynb").write_text(json.dumps(notebook()), "utf-8")
        (folder / "data.txt").write_text("one two", "utf-8")
        Repository.create(folder).close()
        made[name] = replace(shell, folder=folder, clock=time.time_ns)
        monkeypatch.setenv("NBCELLAR_CONFIG_DIR", str(tmp_path / name / "config"))
        made[name].environ = {**shell.environ, "NBCELLAR_CONFIG_DIR": str(tmp_path / name / "config")}
        made[name].run("config author.name " + f"{name}@lab")
    return made


def run(people: dict[str, Any], name: str, line: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Run a command as somebody; return exit code and what was said."""
    person = people[name]
    monkeypatch.setenv("NBCELLAR_CONFIG_DIR", person.environ["NBCELLAR_CONFIG_DIR"])
    code = person.run(line)
    return code, person.out + person.err


COMMANDS = [
    ("ada", "pipeline cache ls nb.ipynb"),
    ("ada", "pipeline cache export nb.ipynb -o r.tar.gz"),
    ("ada", "pipeline run nb.ipynb"),
    ("ada", "pipeline run nb.ipynb words -p scale=3"),
    ("ada", "pipeline cache ls nb.ipynb"),
    ("ada", "pipeline cache ls nb.ipynb words"),
    ("ada", "pipeline cache ls nb.ipynb none"),
    ("ada", "pipeline cache export nb.ipynb -o r.tar.gz"),
    ("ada", "pipeline cache export nb.ipynb -o part.tar.gz words"),
    ("ada", "pipeline cache export nb.ipynb"),
    ("ben", "pipeline cache ls r.tar.gz"),
    ("ben", "pipeline cache ls r.tar.gz load"),
    ("ben", "pipeline cache ls missing.tar.gz"),
    ("ben", "pipeline cache ls data.tar.gz"),
    ("ben", "pipeline cache import r.tar.gz"),
    ("ben", "pipeline cache import r.tar.gz --trust"),
    ("ben", "pipeline cache import r.tar.gz --trust aaaaaa"),
    ("ben", "pipeline cache import cut.tar.gz --trust $KEY"),
    ("ben", "trust ls"),
    ("ben", "pipeline cache import r.tar.gz --trust $KEY"),
    ("ben", "pipeline cache import r.tar.gz"),
    ("ben", "pipeline run nb.ipynb load words told"),
    ("ben", "pipeline cache ls nb.ipynb load"),
    ("ben", "trust rm $KEY"),
    ("ben", "pipeline cache ls nb.ipynb load"),
    ("ben", "trust add $KEY"),
    ("ben", "pipeline cache clear nb.ipynb words --dry-run"),
    ("ben", "pipeline cache clear nb.ipynb words"),
    ("ben", "pipeline cache clear nb.ipynb words"),
    ("ben", "pipeline cache clear nb.ipynb --older-than 1"),
    ("ben", "pipeline run nb.ipynb words --dry-run"),
    ("ben", "pipeline cache"),
    ("ben", "pipeline cache import --trust r.tar.gz"),
]


def test_transcript_of_results(people: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    lines = []
    key = json.loads(run(people, "ada", "key show --json", monkeypatch)[1])["fingerprint"]
    own = json.loads(run(people, "ben", "key show --json", monkeypatch)[1])["fingerprint"]
    (people["ben"].folder / "data.tar.gz").write_text("text", "utf-8")
    for name, line in COMMANDS:
        code, said = run(people, name, line.replace("$KEY", key), monkeypatch)
        lines += [f"{name}$ cellar {line}", said + (f"[exit {code}]\n" if code else "")]
        if line.endswith("-o r.tar.gz") and code == 0:
            whole = (people["ada"].folder / "r.tar.gz").read_bytes()
            (people["ben"].folder / "r.tar.gz").write_bytes(whole)
            (people["ben"].folder / "cut.tar.gz").write_bytes(whole[:-20])
    found = "\n".join(lines).replace(key, "<ada's key>").replace(own, "<ben's key>")
    for pattern, word in UNSTABLE:
        found = re.sub(pattern, word, found)
    found = re.sub(r"is cut off, [\d,]+ bytes", "is cut off, <size>", found)
    if WRITE:
        TRANSCRIPT.write_text(found, "utf-8")
    assert TRANSCRIPT.read_text("utf-8") == found


def test_json_is_as_the_schemas_say(people: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def document(name: str, line: str, schema: str) -> Any:
        code, said = run(people, name, f"{line} --json", monkeypatch)
        assert code == 0, said
        made = json.loads(said)
        jsonschema.validate(made, json.loads((SCHEMAS / f"{schema}.json").read_text("utf-8")))
        return made

    run(people, "ada", "pipeline run nb.ipynb", monkeypatch)
    kept = document("ada", "pipeline cache ls nb.ipynb", "pipeline-cache")
    assert [len(component["results"]) for component in kept["components"]] == [1, 1, 1, 1]
    exported = document("ada", "pipeline cache export nb.ipynb -o r.tar.gz", "pipeline-cache-export")
    assert list(exported["left_out"]) == ["each"]
    shutil.copy(people["ada"].folder / "r.tar.gz", people["ben"].folder)
    seen = document("ben", "pipeline cache ls r.tar.gz", "pipeline-cache-archive")
    assert [each["commit"] for each in seen["results"]] == [each["commit"] for each in exported["archive"]["results"]]
    key = seen["signer"]["key"]
    imported = document("ben", f"pipeline cache import r.tar.gz --trust {key}", "pipeline-cache-import")
    assert (imported["new"], imported["trusted"], imported["cached"]) == (3, [key], ["load", "words", "told"])
    cleared = document("ben", "pipeline cache clear nb.ipynb", "pipeline-cache-clear")
    assert len(cleared["cleared"]) == 3


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 6), ("", 6)])
def test_whoever_sits_at_a_terminal_is_asked(
    people: dict[str, Any], monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    import io

    from nbcellar.cli import main
    from nbcellar.cli.console import Console

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    run(people, "ada", "pipeline run nb.ipynb load", monkeypatch)
    run(people, "ada", "pipeline cache export nb.ipynb -o r.tar.gz", monkeypatch)
    key = json.loads(run(people, "ada", "key show --json", monkeypatch)[1])["fingerprint"]
    ben = people["ben"]
    shutil.copy(people["ada"].folder / "r.tar.gz", ben.folder)
    monkeypatch.setenv("NBCELLAR_CONFIG_DIR", ben.environ["NBCELLAR_CONFIG_DIR"])
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    out, err = Terminal(), Terminal()
    console = Console(out=out, err=err, environ=ben.environ, folder=ben.folder)
    assert main.run(["pipeline", "cache", "import", "r.tar.gz", "--trust"], console) == code
    assert f"{key} (the archive says: ada@lab): trust this key in this project? [y/N]" in err.getvalue()
    assert ("imported 1 result" in out.getvalue()) == (code == 0)


def test_names_of_others_reach_the_terminal_without_tricks(people: dict[str, Any]) -> None:
    from datetime import datetime, timezone

    from nbcellar.api.pipeline_result_views import ArchivedResult, ResultArchive, ResultSigner, ResultValue
    from nbcellar.cli.console import Console

    trick = "\x1b[2J\rx"
    signer = ResultSigner(key="k", name=trick, trust="untrusted")
    result = ArchivedResult(
        commit="c" * 64,
        component=trick,
        cell=trick,
        time=datetime.fromtimestamp(0, timezone.utc),
        seconds=1.0,
        values=[ResultValue(name=trick, type=trick, reason=trick)],
        signer=ResultSigner(key="other", name=trick, trust="blocked"),
        python=trick,
        parameters={trick: 1},
        files=[trick],
        distributions={trick: trick},
    )
    archive = ResultArchive(
        file=trick,
        bytes=1,
        raw_bytes=1,
        objects=1,
        notebook=trick,
        structure="",
        author=trick,
        program=trick,
        signer=signer,
        results=[result],
        checked=True,
    )
    console = Console(out=sys.stdout, err=sys.stderr, environ={}, folder=Path())
    for line in format_archive(archive, console):
        assert "\x1b" not in line and "\r" not in line
