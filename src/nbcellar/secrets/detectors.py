"""What in a text looks like a secret: tokens of known form, and texts assigned to names such as `password`.

Invariant: linear in the text's length, whatever it holds; a digest, an id or an encoded picture is no secret by itself.
Pure. The rules follow what detect-secrets and gitleaks look for; each has a token of its form in the tests, and the
share of false alarms is measured on Python's own sources (docs/secrets.md). Not for: where texts come from (`scan.py`).
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

import msgspec

LONGEST = 16_384
_BEFORE = r"(?<![A-Za-z0-9_/+-])"
_AFTER = r"(?![A-Za-z0-9_/+=-])"


class Secret(msgspec.Struct, frozen=True):
    """A part of a text that looks like a secret."""

    kind: str
    text: str
    start: int


class Rule(msgspec.Struct, frozen=True):
    """A token of known form. keywords: small letters, one of which is in every text with such a token."""

    kind: str
    pattern: str  # its group 1, if it has one, is the secret
    keywords: tuple[str, ...]
    least_entropy: float = 0.0  # bits a letter


RULES: tuple[Rule, ...] = (
    Rule("AWS access key id", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}", ("akia", "asia", "abia", "acca"), 3.0),
    Rule("GitHub token", r"gh[pousr]_[A-Za-z0-9]{36,255}", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), 3.0),
    Rule("GitHub token", r"github_pat_[A-Za-z0-9_]{22,255}", ("github_pat_",), 3.0),
    Rule("GitLab token", r"gl(?:pat|dt|rt|oas|cbt|ft)-[A-Za-z0-9_-]{20,255}", ("glpat-", "gldt-", "glrt-"), 3.0),
    Rule("Slack token", r"xox[abeoprs]-[A-Za-z0-9-]{10,255}", ("xox",), 2.5),
    Rule("Slack token", r"xapp-[0-9]-[A-Za-z0-9-]{20,255}", ("xapp-",), 2.5),
    Rule("Slack webhook", r"https://hooks\.slack\.com/services/T\w+/B\w+/(\w{20,})", ("hooks.slack.com",), 3.0),
    Rule("Stripe key", r"[sr]k_(?:live|test|prod)_[A-Za-z0-9]{16,255}", ("k_live_", "k_test_", "k_prod_"), 3.0),
    Rule("Google API key", r"AIza[A-Za-z0-9_-]{35}", ("aiza",), 3.0),
    Rule("Google OAuth secret", r"GOCSPX-[A-Za-z0-9_-]{28}", ("gocspx-",), 3.0),
    Rule("Google OAuth token", r"ya29\.[A-Za-z0-9_-]{30,1024}", ("ya29.",), 3.0),
    Rule("Anthropic key", r"sk-ant-[A-Za-z0-9_-]{20,255}", ("sk-ant-",), 3.0),
    Rule("OpenAI key", r"sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{32,255}", ("sk-",), 3.5),
    Rule("OpenAI key", r"sk-[A-Za-z0-9]{32,64}", ("sk-",), 3.5),
    Rule("OpenRouter key", r"sk-or-v1-[0-9a-f]{64}", ("sk-or-",), 3.0),
    Rule("Hugging Face token", r"hf_[A-Za-z0-9]{30,64}", ("hf_",), 3.5),
    Rule("Groq key", r"gsk_[A-Za-z0-9]{40,64}", ("gsk_",), 3.5),
    Rule("Replicate token", r"r8_[A-Za-z0-9]{37,40}", ("r8_",), 3.5),
    Rule("PyPI token", r"pypi-AgE[A-Za-z0-9_-]{50,1024}", ("pypi-age",), 3.0),
    Rule("npm token", r"npm_[A-Za-z0-9]{36}", ("npm_",), 3.0),
    Rule("Databricks token", r"dapi[0-9a-f]{32}(?:-\d)?", ("dapi",), 3.0),
    Rule("DigitalOcean token", r"do[opr]_v1_[0-9a-f]{64}", ("_v1_",), 3.0),
    Rule("SendGrid key", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}", ("sg.",), 3.5),
    Rule("Telegram token", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}", (":aa",), 3.5),
    Rule("Vault token", r"hv[sb]\.[A-Za-z0-9_-]{24,255}", ("hvs.", "hvb."), 3.5),
    Rule("Shopify token", r"shp(?:at|ca|pa|ss)_[0-9a-f]{32}", ("shpat_", "shpca_", "shppa_", "shpss_"), 3.0),
    Rule("age key", r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}", ("age-secret-key-",), 3.0),
    Rule("Azure storage key", r"AccountKey=([A-Za-z0-9+/]{86}==)", ("accountkey=",), 3.5),
    Rule("Azure access key", r"SharedAccessKey=([A-Za-z0-9+/]{43}=)", ("sharedaccesskey=",), 3.5),
    Rule("Azure signature", r"[?&]sig=([A-Za-z0-9%+/]{40,}(?:%3D|=))", ("sig=",), 3.5),
    Rule("Kaggle key", r'"username"\s*:\s*"[^"\n]{1,64}"\s*,\s*"key"\s*:\s*"([0-9a-f]{32})"', ('"username"',), 3.0),
)

_KEYWORDS = tuple(dict.fromkeys(word for rule in RULES for word in rule.keywords))
_OTHER_KEYWORDS = (
    "eyj",
    "private key",
    "://",
    "authorization",
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "credential",
)
_HINT = re.compile("|".join(map(re.escape, (*_KEYWORDS, *_OTHER_KEYWORDS))))


def find_secrets(text: str) -> list[Secret]:
    """Return what looks like a secret in a text, by position; no two overlap."""
    lowered = text.lower()
    if _HINT.search(lowered) is None:
        return []
    found = sorted((*_of_known_form(text, lowered), *_by_context(text, lowered)), key=lambda s: (s.start, -len(s.text)))
    kept: list[Secret] = []
    for secret in found:
        if not kept or secret.start >= kept[-1].start + len(kept[-1].text):
            kept.append(secret)
    return kept


def find_tokens(text: str) -> list[Secret]:
    """Return tokens of known form, also where other text runs into them: strings that lie side by side in memory."""
    lowered = text.lower()
    return list(_of_known_form(text, lowered, bounded=False)) if _HINT.search(lowered) is not None else []


def find_assigned(name: str, value: str) -> Secret | None:
    """Return a value as a secret if it is a token, or looks like one for somebody who calls it `name`."""
    tokens = find_secrets(value)
    if tokens:
        return tokens[0]
    kind = kind_of_name(name)
    return Secret(kind, value, 0) if kind and _is_plausible(kind, value) else None


@lru_cache(maxsize=4096)
def kind_of_name(name: str) -> str:
    """Return what a value of this name would be, "password" or "secret"; nothing for ordinary names.

    The last word decides: `api_key`, `githubToken`, `DB_PASSWORD`; not `tokens`, `key`, `tokenizer`, `password_field`.
    """
    words = [word.lower() for word in _WORD.findall(name.split(".")[-1])]
    while words and (words[-1].isdigit() or words[-1] in _PASSED_OVER):
        words.pop()
    if not words or _PUBLIC.intersection(words):
        return ""
    last = words[-1]
    if last in _PASSWORDS:
        return "password"
    if last in _SECRETS or (len(words) > 1 and (words[-2], last) in _PAIRS):
        return "secret"
    return ""


def is_said_to_be_none(line: str) -> bool:
    """Say whether a line of code carries the comment that it holds no secret."""
    return _ALLOWED.search(line) is not None


def redacted(text: str) -> str:
    """Return what may be shown of a secret: at most four letters of its beginning and two of its end."""
    flat = " ".join(text.split())
    head, tail = min(4, len(flat) // 4), min(2, len(flat) // 8)
    return f"{flat[:head]}…{flat[len(flat) - tail :] if tail else ''}"


def _of_known_form(text: str, lowered: str, *, bounded: bool = True) -> Iterator[Secret]:
    for rule, tight, loose in _compiled():
        if not any(word in lowered for word in rule.keywords):
            continue
        for match in (tight if bounded else loose).finditer(text):
            group = 1 if match.re.groups else 0
            value = match[group]
            if entropy(value) >= rule.least_entropy and not _is_example(value):
                yield Secret(rule.kind, value, match.start(group))
    if "private key" in lowered:
        yield from _private_keys(text)
    if "eyj" in lowered:
        yield from _web_tokens(text)


@lru_cache(maxsize=1)
def _compiled() -> tuple[tuple[Rule, re.Pattern[str], re.Pattern[str]], ...]:
    return tuple(
        (r, re.compile(_BEFORE + r.pattern + _AFTER), re.compile(r.pattern))
        if not _has_context(r)
        else (r, re.compile(r.pattern), re.compile(r.pattern))
        for r in RULES
    )


def _has_context(rule: Rule) -> bool:
    return "(" in rule.pattern.replace("(?", "")


def _private_keys(text: str) -> Iterator[Secret]:
    """Yield blocks with a body; the words BEGIN PRIVATE KEY alone, in code that looks for them, are no secret."""
    for match in _BEGIN_KEY.finditer(text):
        end = _END_KEY.search(text, match.end(), match.end() + LONGEST)
        stop = end.end() if end is not None else min(match.end() + LONGEST, len(text))
        body = text[match.end() : end.start() if end is not None else stop]
        if end is None:
            run = _KEY_BODY.match(body)
            body = run[0] if run is not None else ""
            stop = match.end() + len(body)
        letters = re.sub(r"\\[nrt]|[^A-Za-z0-9+/=]", "", body)
        if len(letters) >= 60 and entropy(letters) > 4:
            yield Secret("private key", text[match.start() : stop], match.start())


def _web_tokens(text: str) -> Iterator[Secret]:
    for match in _JWT.finditer(text):
        header = match[0].partition(".")[0]
        try:
            decoded = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
        except (ValueError, binascii.Error):
            continue
        if isinstance(decoded, dict) and "alg" in decoded:
            yield Secret("JSON web token", match[0], match.start())


def _by_context(text: str, lowered: str) -> Iterator[Secret]:
    if "://" in lowered:
        for match in _URL.finditer(text):
            if not _is_placeholder(match[1]):
                yield Secret("password in a URL", match[1], match.start(1))
        for match in _QUERY.finditer(text):
            if entropy(match[1]) >= 3.0 and _has_digit(match[1]) and not _is_placeholder(match[1]):
                yield Secret("secret in a URL", match[1], match.start(1))
    if "authorization" in lowered:
        for match in _HEADER.finditer(text):
            if entropy(match[1]) >= 3.0 and _has_digit(match[1]) and not _is_placeholder(match[1]):
                yield Secret("authorization header", match[1], match.start(1))
    for pattern in (_QUOTED, _CALLED, _SHELL):
        for match in pattern.finditer(text):
            kind = kind_of_name(match["name"] or match["constant"])
            if kind and _is_plausible(kind, match["value"]):
                yield Secret(kind, match["value"], match.start("value"))


def _is_plausible(kind: str, value: str) -> bool:
    """Say whether a value looks like chosen or generated to be secret, and not like a word, a path or a template."""
    if not 6 <= len(value) <= 512 or any(letter.isspace() for letter in value) or _is_placeholder(value):
        return False
    classes = sum(
        any(test(letter) for letter in value) for test in (str.islower, str.isupper, str.isdigit, _is_punctuation)
    )
    if kind == "password":
        return classes >= 2 or (len(value) >= 12 and value.isalnum())
    if _NAMES_SOMETHING.match(value):
        return False
    if _HEX.fullmatch(value):
        return len(value) >= 20 and entropy(value) >= 2.8
    return len(value) >= 16 and _has_digit(value) and entropy(value) >= 3.3


def _is_placeholder(value: str) -> bool:
    return _PLACEHOLDER.search(value) is not None or len(set(value)) < 4 or _is_example(value)


def _is_example(value: str) -> bool:
    return "EXAMPLE" in value.upper() or _SEQUENCE.search(value.lower()) is not None


def entropy(text: str) -> float:
    """Return Shannon's entropy in bits a letter."""
    size = len(text)
    return -sum(count / size * math.log2(count / size) for count in Counter(text).values()) if size else 0.0


def _has_digit(value: str) -> bool:
    return any(letter.isdigit() for letter in value)


def _is_punctuation(letter: str) -> bool:
    return not letter.isalnum() and letter not in "_-./:"


_ALLOWED = re.compile(r"# *(?:noqa[^#]{0,80}# *)?(?:pragma: *allowlist[ -]secret|cellar: *not-a-secret)")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PASSWORDS = frozenset("password passwd passphrase passcode pwd pass".split())
_SECRETS = frozenset("secret token apikey credential credentials accesskey secretkey authtoken".split())
_PAIRS = frozenset(
    (first, "key")
    for first in "api access secret private auth account encryption signing master service app subscription".split()
)
_PASSED_OVER = frozenset("value str string base64 b64 dev prod staging default".split())
_PUBLIC = frozenset(
    "public hash digest sha sha1 sha256 md5 checksum pad eos bos sep cls unk mask csrf next page".split()
)

# Repetitions are bounded or disjoint from what follows them: linear.
_NAME = r"(?<![A-Za-z0-9_:])(?P<name>[A-Za-z_][A-Za-z0-9_.-]{0,80})"
_VALUE = r"""[rbfuRBFU]{0,2}(?P<quote>["'])(?P<value>[^"'\s\\]{6,512})(?P=quote)"""
_QUOTED = re.compile(
    _NAME + r"""["']?\]?[ \t]{0,8}(?::[ \t]{0,4}str[ \t]{0,4})?(?:(?<![=!<>])=(?!=)|:=?|=>)[ \t]{0,8}""" + _VALUE
)
_CALLED = re.compile(r"""\([ \t\n]{0,40}["']""" + _NAME + r"""["'][ \t]?,[ \t\n]{0,40}""" + _VALUE)
_SHELL = re.compile(
    r"(?m)^[ \t]{0,16}(?:(?:[%!]{0,2}(?:set_env|env|export|set|SET)[ \t]{1,4}(?P<name>[A-Za-z_][A-Za-z0-9_]{0,80})"
    r"[ \t]?=[ \t]?)|(?:(?P<constant>[A-Z_][A-Z0-9_]{0,80})=))(?P<value>[^\s\"'#;,()\[\]{}]{6,512})[ \t]{0,16}$"
)
_URL = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9+.-]{1,24}://[^\s/:@\"'<>{}$%\\]{0,128}:([^\s/:@\"'<>{}$\\]{3,256})@[A-Za-z0-9\[]"
)
_QUERY = re.compile(
    r"[?&](?:api_?key|apikey|access_?token|auth_?token|token|secret|client_secret|password|sig|signature)"
    r"=([A-Za-z0-9%+/_.-]{16,512})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"authorization[\"']?\s{0,4}[:=,]\s{0,4}[fb]?[\"']?(?:basic|bearer|token)\s{1,4}([A-Za-z0-9+/=_.~-]{16,2048})",
    re.IGNORECASE,
)
_BEGIN_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_END_KEY = re.compile(r"-----END (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY = re.compile(r"(?:[A-Za-z0-9+/=]|\\[nr]|\s)*")
_JWT = re.compile(_BEFORE + r"eyJ[A-Za-z0-9_-]{10,2048}\.eyJ[A-Za-z0-9_-]{4,8192}\.[A-Za-z0-9_-]{10,2048}")
_HEX = re.compile(r"[0-9a-fA-F]+")
_NAMES_SOMETHING = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$|arn:")
_SEQUENCE = re.compile(r"0123456789abcdef|abcdefghijkl|1234567890abc|qwertyuiop")
_PLACEHOLDER = re.compile(
    r"""^[<\[{$%*(#]|[>\]}]$|\{|\*{3}|\.{3}|…|x{4}|0{6}|(?:^|[_\W])(?:your|my|the|some|insert|enter|replace|put|add|fake"""
    r"""|dummy|placeholder|changeme|change|todo|none|null|undefined|redacted|hidden|removed|example|sample|foo|bar)(?:$|[_\W])"""
    r"""|^(?:pass|passw|passwd|password|passphrase|secret|token|user|username|string|test|testing|value|changeme|example"""
    r"""|apikey|pwd|postgres|mysql|root|admin|guest|anonymous|optional|required|default)\d?$"""
    r"""|^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$|^(?:os\.|self\.|env\.|config\.|settings\.|https?:|/|\./|~/|[A-Za-z]:\\)|password|passwd|api_?key|_token|_secret""",
    re.IGNORECASE,
)


__all__ = [
    "RULES",
    "Secret",
    "find_assigned",
    "find_secrets",
    "find_tokens",
    "is_said_to_be_none",
    "kind_of_name",
    "redacted",
]
