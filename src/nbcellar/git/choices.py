"""What a person chooses a version of a file from: branches, tags, and the commits that touched it.

Invariant: reads names and titles alone, no file; the cost does not grow with the size of a notebook.
"""

from __future__ import annotations

import os
from datetime import datetime, timezone
from typing import Any

import msgspec

from nbcellar.git.process import Git

_REF = "%(refname)%00%(objectname:short)%00%(committerdate:unix)%00%(contents:subject)"
COMMIT_FORMAT = "%x01%H%x00%at%x00%an%x00%s"
"""What `git log` is to say of a commit; see `commit_fields`."""
_MOST_REFS = 200


class GitRef(msgspec.Struct, frozen=True, kw_only=True):
    """A branch or tag by its short name."""

    name: str
    kind: str
    commit: str
    title: str = ""


class GitCommit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit that touched a file, and the path that the file had in it."""

    commit: str
    author: str
    moment: datetime
    title: str
    path: str


def refs(git: Git) -> list[GitRef]:
    """Return local branches, remote ones and tags, each kind with the newest first."""
    found = []
    for kind, prefix in (("branch", "refs/heads/"), ("remote", "refs/remotes/"), ("tag", "refs/tags/")):
        listing = git.run(
            "for-each-ref", f"--format={_REF}", "--sort=-committerdate", f"--count={_MOST_REFS}", prefix.rstrip("/")
        ).out
        for line in listing.decode("utf-8", "replace").splitlines():
            name, commit, _, title = (line.split("\0") + [""] * 4)[:4]
            if not name.endswith("/HEAD"):
                found.append(GitRef(name=name.removeprefix(prefix), kind=kind, commit=commit, title=title))
    return found


def branch(git: Git) -> str | None:
    """Return the name of the branch that is checked out, "" for a detached HEAD, None before the first commit."""
    if git.run("rev-parse", "--verify", "--quiet", "HEAD", check=False).code:
        return None
    found = git.run("symbolic-ref", "--quiet", "--short", "HEAD", check=False)
    return found.out.decode("utf-8", "replace").strip() if not found.code else ""


def commits_of(git: Git, path: str, limit: int) -> list[GitCommit]:
    """Return the newest commits that touched a file, renames followed. The repository must have a commit."""
    listing = git.run(
        "log",
        "--follow",
        "-M",
        "--name-only",
        "-z",
        f"--format={COMMIT_FORMAT}%x00",
        f"--max-count={limit}",
        "--",
        os.fsencode(path),
    ).out
    found = []
    for record in listing.split(b"\x01")[1:]:
        said, rest = commit_fields(record)
        names = [os.fsdecode(field.lstrip(b"\n")) for field in rest if field.strip(b"\n")]
        found.append(GitCommit(**said, path=names[-1] if names else path))
    return found


def commit_fields(record: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """Return what a record of `COMMIT_FORMAT` says of a commit, as fields of `GitCommit`, and what comes after it."""
    fields = record.split(b"\0")
    commit, moment, author, title = (field.decode("utf-8", "replace") for field in fields[:4])
    at = datetime.fromtimestamp(int(moment), timezone.utc)
    return {"commit": commit, "author": author, "moment": at, "title": title}, fields[4:]


__all__ = ["COMMIT_FORMAT", "GitCommit", "GitRef", "branch", "commit_fields", "commits_of", "refs"]
