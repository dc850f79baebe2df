"""A quick look at a cell that is being recorded: does its code hold what looks like a secret?

Invariant: of usual code this costs a few microseconds and loads nothing: the detectors come in only when a first,
coarse look finds something. Runs in the writer's thread of a kernel. Not for: a thorough look (`scan.py`).
"""

from __future__ import annotations

import re
from functools import lru_cache

MOST_LETTERS = 100_000


def suspicious_lines(source: str) -> list[tuple[int, str, str]]:
    """Return (line from 1, kind, text) of what looks like a secret in a cell and is not said to be none."""
    if len(source) > MOST_LETTERS or _coarse().search(source) is None:
        return []
    from nbcellar.secrets.detectors import find_secrets, is_said_to_be_none

    lines = source.split("\n")
    found = []
    for secret in find_secrets(source):
        line = source.count("\n", 0, secret.start)
        if not is_said_to_be_none(lines[line]):
            found.append((line + 1, secret.kind, secret.text))
    return found


@lru_cache(maxsize=1)
def _coarse() -> re.Pattern[str]:
    return re.compile(
        r"(?:[Pp][Aa][Ss][Ss]|[Ww][Dd]|[Ss][Ee][Cc][Rr][Ee][Tt]|[Tt][Oo][Kk][Ee][Nn]|[Kk][Ee][Yy]|REDENTIAL|redential)"
        r"[A-Za-z_0-9]{0,12}[\"']?\]?[ \t]{0,8}[=:,][>=]?\s{0,8}[^\s,)=]"
        r"|gh[pousr]_|github_pat_|gl[a-z]{2,3}-|xox|xapp-|k_(?:live|test)_|AIza|GOCSPX-|ya29\.|sk-|hf_|gsk_|r8_|pypi-"
        r"|npm_|dapi|_v1_|SG\.|:AA|hv[sb]\.|shp[acs]|A[KSBC][IC]A|PRIVATE KEY|eyJ|ccess[Kk]ey|ccount[Kk]ey"
        r"|uthorization|sig=|hooks\.slack|://[^\s/]{0,200}:[^\s/]{1,200}@|AGE-SECRET"
    )


__all__ = ["suspicious_lines"]
