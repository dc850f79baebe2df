"""What a user sees, word for word, with time and ids fixed."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

TRANSCRIPTS = Path(__file__).parent / "transcripts"
# To write them anew after a change that is meant; then read the difference. Tests tidy the environment, so look now.
WRITE = bool(os.environ.get("NBCELLAR_WRITE_TRANSCRIPTS"))

COMMANDS = {
    "log": ["log", "log --graph --all", "log trial", "log -N 1", "--color always log -N 2"],
    "show": ["show", "show HEAD~1", "show trial", "show v1"],
    "vars": ["vars", "vars trial", "vars v1"],
    "names": [
        "branch",
        "tag",
        "branch new HEAD~1",
        "branch new",
        "branch -m new newer",
        "branch -d newer",
        "branch -d main",
        "branch bad..name",
        "tag v1",
        "tag -f v1 HEAD",
        "tag -d v1",
        "message HEAD~1 'it fails here'",
        "log -N 2",
        "op log",
        "op undo",
        "op undo 99",
    ],
    "search": [
        "search x",
        "search ROWS",
        "search rows",
        "search 'result'",
        "search --code x",
        "search --output zero",
        "search -E 'x = [0-9]'",
        "search -w row",
        "search title",
        "search --all-notebooks rows",
        "search --variable x",
        "search --variable df 2",
        "--color always search x --code",
        "search --from v1 rows",
        "search -N 1 x",
        "search",
        "search ''",
        "search -E '('",
        "search --variable nothing",
        "search --variable dff",
    ],
    "versions": [
        "vars --history x",
        "vars --history df",
        "vars --history con",
        "vars --history con v1",
        "log x",
        "log -N 1 x",
        "branch x v1",
        "log x",
        "log --variable x",
        "log --variable",
        "log nothing",
        "log api_token",
        "log abc",
        "log '[]'",
        "vars --all",
    ],
    "secrets": [
        "secrets scan",
        "secrets allow 1b2c",
        "secrets allow 1b2c 'ghp_*'",
        "config secrets.allow",
        "secrets",
        "forget --text rows --dry-run",
        "forget --text rows",
        "forget --text rows --yes",
        "log --all",
        "show trial",
        "search rows",
        "check --read-data",
        "forget --text rows --yes",
        "forget --text abc --yes",
        "forget --text '****' --yes",
        "forget --secret 123456",
        "forget",
        "forget x --text y",
        "forget x --dry-run",
    ],
    "status": ["status"],
    "errors": [
        "",
        "lgo",
        "log --nope",
        "log nope",
        "log mian",
        "show abcd",
        "show ''",
        "log -N x",
        "-C nowhere log",
        "-n nowhere log",
        "undo",
        "undo 0",
        "redo x",
        "checkout v1",
        "restore",
        "commit -m ''",
        "commit",
        "message HEAD",
        "op",
        "op undo x",
        "forget nothing",
        "forget x",
        "config nope.key",
        "config record.nope",
        "config record.budget_s soon",
        "config --unset",
        "detach",
        "attach missing.ipynb",
        "run missing.ipynb",
        "run analysis.ipynb -p '1x=3'",
        "trust add nobody",
        "completion",
        "init",
        "init missing",
    ],
}


def transcript(shell: Any, commands: list[str]) -> str:
    """Run commands and return them with what they print, folders left out."""
    lines = []
    for line in commands:
        code = shell.run(line)
        lines.append(f"$ cellar {line}".rstrip())
        lines.append(shell.out + shell.err + (f"[exit {code}]\n" if code else ""))
    text = "\n".join(lines).replace(str(shell.folder), "<project>").replace(str(shell.folder.parent), "<home>")
    text = re.sub(r"\(\d[\d.]* KB\)", "(<size>)", text)
    return text.replace("\x1b", "<esc>")


@pytest.mark.usefixtures("analysis")
@pytest.mark.parametrize("name", COMMANDS)
def test_transcript(shell: Any, name: str) -> None:
    found = transcript(shell, COMMANDS[name])
    path = TRANSCRIPTS / f"{name}.txt"
    if WRITE:
        path.write_text(found, "utf-8")
    assert path.read_text("utf-8") == found
