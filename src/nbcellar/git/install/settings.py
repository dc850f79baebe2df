"""What stands in git's configuration and attributes once Cellar is installed: the text of our blocks.

Invariant: git substitutes its arguments, quoted by itself, or passes them as words; nothing else of a repository's
comes near a shell.
"""

from __future__ import annotations

from nbcellar.git.install.places import Places

ATTRIBUTES = b"*.ipynb filter=cellar diff=cellar merge=cellar\n"

# When even our program in git's folder is gone: both sides, whole, between marks.
_BOTH_SIDES = (
    "git merge-file -q --marker-size=%L -L ours -L base -L theirs %A /dev/null %B; "
    "echo 'cellar: its program is gone; both sides are in the file' >&2; exit 2"
)


def config_block(places: Places) -> bytes:
    """Return the sections of git's configuration."""
    run = places.caller
    sections: list[tuple[str, list[tuple[str, str]]]] = [
        (
            "filter",
            [
                ("process", f"{run} filter-process"),
                ("clean", f"{run} clean %f"),
                ("smudge", f"{run} smudge %f"),
            ],
        ),
        ("diff", [("command", f"{run} diff-driver"), ("textconv", f"{run} textconv")]),
        (
            "merge",
            [
                ("name", "cell by cell"),
                (
                    "driver",
                    f'run={run}; test -x "$run" && exec "$run" merge-driver %O %A %B %L %P; {_BOTH_SIDES}',
                ),
            ],
        ),
        ("difftool", [("cmd", f'{run} difftool "$LOCAL" "$REMOTE" "$MERGED"')]),
        (
            'difftool "cellar-web"',
            [("cmd", f'{run} difftool --web "$LOCAL" "$REMOTE" "$MERGED"')],
        ),
        (
            "mergetool",
            [("cmd", f'{run} mergetool "$BASE" "$LOCAL" "$REMOTE" "$MERGED"'), ("trustExitCode", "true")],
        ),
        (
            'mergetool "cellar-web"',
            [("cmd", f'{run} mergetool --web "$BASE" "$LOCAL" "$REMOTE" "$MERGED"'), ("trustExitCode", "true")],
        ),
    ]
    lines = []
    for name, values in sections:
        lines.append(f"[{name}]\n" if '"' in name else f'[{name} "cellar"]\n')
        lines += [f"\t{key} = {_quoted(value)}\n" for key, value in values]
    return "".join(lines).encode("utf-8", "surrogateescape")


def _quoted(value: str) -> str:
    """Return a value as git's configuration writes it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'
