"""Tokens of every known form are found, and what data scientists write all day is not.

The tokens are made up here, and put together so that no scanner takes this file for a leak.
"""

from __future__ import annotations

import base64
import json
import random
import string
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.secrets.detectors import find_assigned, find_secrets, find_tokens, kind_of_name, redacted
from nbcellar.secrets.quick import suspicious_lines

RNG = random.Random(20261)
LETTERS = string.ascii_letters + string.digits


def made(alphabet: str, size: int) -> str:
    return "".join(RNG.choice(alphabet) for _ in range(size))


def web_token() -> str:
    parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": "ana", "iat": 1516239022}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, made(LETTERS, 43)])


def private_key(kind: str = "RSA ") -> str:
    body = "\n".join(made(LETTERS + "+/", 64) for _ in range(4))
    return f"-----BEGIN {kind}PRIVATE " + f"KEY-----\n{body}\n-----END {kind}PRIVATE " + "KEY-----"


TOKENS = {
    "AWS access key id": "AK" + "IA" + made("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
    "GitHub token": "gh" + "p_" + made(LETTERS, 36),
    "GitHub token ": "github" + "_pat_" + made(LETTERS, 60),
    "GitLab token": "gl" + "pat-" + made(LETTERS, 20),
    "Slack token": "xo" + "xb-" + "-".join([made(string.digits, 12), made(string.digits, 12), made(LETTERS, 24)]),
    "Stripe key": "sk" + "_live_" + made(LETTERS, 24),
    "Google API key": "AI" + "za" + made(LETTERS, 35),
    "Anthropic key": "sk" + "-ant-api03-" + made(LETTERS, 80),
    "OpenAI key": "sk" + "-proj-" + made(LETTERS, 48),
    "OpenAI key ": "sk" + "-" + made(LETTERS, 48),
    "Hugging Face token": "h" + "f_" + made(string.ascii_letters, 34),
    "PyPI token": "py" + "pi-AgE" + made(LETTERS, 120),
    "npm token": "np" + "m_" + made(LETTERS, 36),
    "Databricks token": "da" + "pi" + made("0123456789abcdef", 32),
    "SendGrid key": "S" + "G." + made(LETTERS, 22) + "." + made(LETTERS, 43),
    "Telegram token": made("123456789", 9) + ":A" + "A" + made(LETTERS, 33),
    "JSON web token": web_token(),
    "private key": private_key(),
    "private key ": private_key("OPENSSH "),
}
PASSWORD = "Zw3!" + "bear-Qx"
RANDOM = made(LETTERS, 32)


@pytest.mark.parametrize("kind", TOKENS)
@pytest.mark.parametrize("around", ["x = {!r}", "{}", "call('{}', 3)", "see {} for more", "KEY={}\nnext = 1"])
def test_a_token_of_known_form_is_found_wherever_it_stands(kind: str, around: str) -> None:
    token = TOKENS[kind]
    (found,) = find_secrets(around.format(token))
    assert found.kind == kind.strip()
    assert token.replace("\n", "\\n") in (found.text, found.text.replace("\n", "\\n")) or found.text in token


@pytest.mark.parametrize("kind", [kind for kind in TOKENS if not kind.startswith(("private", "JSON"))])
def test_a_token_between_other_letters_is_found_in_memory(kind: str) -> None:
    assert any(TOKENS[kind] in secret.text for secret in find_tokens(f"abc{TOKENS[kind]}|def"))


@pytest.mark.parametrize(
    "line",
    [
        f"password = '{PASSWORD}'",
        f'db_password: str = "{PASSWORD}"',
        f"connect(user='ana', passwd='{PASSWORD}')",
        f'{{"user": "ana", "password": "{PASSWORD}"}}',
        f"os.environ['DB_PASSWORD'] = '{PASSWORD}'",
        f"os.environ.setdefault('DB_PASSWORD', '{PASSWORD}')",
        f"%env DB_PASSWORD={PASSWORD}",
        f"!export DB_PASSWORD={PASSWORD}",
        f"create_engine('postgresql://ana:{PASSWORD}@db.lab/x')",
        f"API_KEY = '{RANDOM}'",
        f"api_key='{RANDOM}'",
        f"client_secret = b'{RANDOM}'",
        f"githubToken = '{RANDOM}'",
        f"requests.get('https://x.org/?access_token={RANDOM}')",
        f"headers = {{'Authorization': 'Bearer {RANDOM}'}}",
        f"wandb.login(key='x', api_key='{made('0123456789abcdef', 40)}')",
    ],
)
def test_what_is_assigned_to_a_telling_name_is_found(line: str) -> None:
    (found,) = find_secrets(line)
    assert found.text in line
    assert len(found.text) >= len(PASSWORD)


@pytest.mark.parametrize(
    "line",
    [
        "tokens = ['the', 'cat', 'sat']",
        "tokenizer = AutoTokenizer.from_pretrained('bert-base-uncased')",
        "key = 'customer_id_of_2024'",
        "keys = 'abcdefgh12345678abcd'",
        "secretary = 'Mrs. Jones-4711'",
        "password = os.environ['DB_PASSWORD']",
        "password = getpass.getpass('Password: ')",
        "password = 'your-password-here'",
        "password = '<password>'",
        "password_field = 'password_1x'",
        "api_key = 'YOUR_API_KEY_HERE_123'",
        "api_key = 'xxxxxxxxxxxxxxxxxxxx'",
        "token = f'{prefix}-{number}-abcdef1234567'",
        "token = 'sep'",
        "if password == 'Hunter-22x': pass",
        "digest = 'd41d8cd98f00b204e9800998ecf8427e'",
        "commit = '3f2a91c0d41d8cd98f00b204e9800998ecf8427e'",
        "run_id = '123e4567-e89b-12d3-a456-426614174000'",
        "secret_hash = '" + "9f86d081884c7d659a2feaa0c55ad015" * 2 + "'",
        "public_key = 'ssh-ed25519AAAAC3NzaC1lZDI1NTE5AAAA9x'",
        "url = 'https://user@host.org/path?page_token=3'",
        "'postgresql://user:password@localhost/db'",
        "'postgresql://{user}:{password}@{host}/db'",
        "sk-learn-and-other-things-in-one-word-of-many-letters",
        "'-----BEGIN RSA PRIVATE " + "KEY-----' in text",
        "eyJ.not.a.token = 'eyJhbGciOi'",
        "aws_key = 'AKIA" + "IOSFODNN7EXAMPLE'",
        "data:image/png;base64," + base64.b64encode(random.Random(7).randbytes(3000)).decode(),
    ],
)
def test_what_is_no_secret_is_left_alone(line: str) -> None:
    assert find_secrets(line) == []


ASSIGNED = [
    f"db_password   =  '{PASSWORD}'",
    f"db_pwd: str = '{PASSWORD}'",
    f"auth = {{'passcode' : '{PASSWORD}'}}",
    f"os.environ.setdefault('DB_PASSWORD',\n    '{PASSWORD}')",
    f"%env DB_PASSWORD={PASSWORD}",
    f"create_engine('postgresql://ana:{PASSWORD}@db.lab/x')",
    f"credentials='{RANDOM}'",
    f"requests.get('https://x.org/?access_token={RANDOM}')",
    f"headers = {{'Authorization': 'Bearer {RANDOM}'}}",
]


@pytest.mark.parametrize("source", [*TOKENS.values(), *ASSIGNED], ids=[*TOKENS, *map(str, range(len(ASSIGNED)))])
def test_the_quick_look_at_a_cell_finds_what_the_thorough_one_does(source: str) -> None:
    cell = f"import os\n{source}\nx = 1"
    assert [text for _, _, text in suspicious_lines(cell)] == [secret.text for secret in find_secrets(cell)] != []
    assert all(line > 1 for line, _, _ in suspicious_lines(cell))


def test_the_quick_look_believes_a_comment_and_passes_over_what_is_long() -> None:
    assert suspicious_lines(f"password = '{PASSWORD}'  # cellar: not-a-secret") == []
    assert suspicious_lines(f"password = '{PASSWORD}'" + " " * 200_000) == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("password", "password"),
        ("DB_PASSWORD", "password"),
        ("userPwd", "password"),
        ("api_key", "secret"),
        ("apiKey", "secret"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("github_token", "secret"),
        ("credentials", "secret"),
        ("key", ""),
        ("keys", ""),
        ("keyword", ""),
        ("primary_key", ""),
        ("sort_key", ""),
        ("tokens", ""),
        ("token_ids", ""),
        ("pad_token", ""),
        ("tokenizer", ""),
        ("secretary", ""),
        ("passenger", ""),
        ("compass", ""),
        ("password_field", ""),
        ("public_key", ""),
        ("", ""),
        ("___", ""),
    ],
)
def test_the_last_word_of_a_name_decides(name: str, kind: str) -> None:
    assert kind_of_name(name) == kind


def test_a_value_is_judged_by_its_name() -> None:
    assert find_assigned("db_password", PASSWORD) is not None
    assert find_assigned("title", PASSWORD) is None
    assert find_assigned("title", TOKENS["npm token"]) is not None


def corpus(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in sorted(folder.rglob("*.py")) if "site-packages" not in path.parts]


def test_this_project_holds_nothing_that_looks_like_a_secret() -> None:
    root = Path(__file__).parents[3]
    paths = corpus(root / "src", root / "benchmarks", root / "docs", root / "examples")
    found = {path: find_secrets(path.read_text("utf-8")) for path in paths}
    assert {str(path): [s.text for s in secrets] for path, secrets in found.items() if secrets} == {}


def test_false_alarms_on_pythons_own_sources_are_few() -> None:
    folder = Path(sysconfig.get_paths()["stdlib"])
    chosen = [path for path in corpus(folder) if "test" not in path.parts and "idlelib" not in path.parts]
    alarms = [(path.name, s.text) for path in chosen for s in find_secrets(path.read_text("utf-8", errors="replace"))]
    assert len(chosen) > 500
    assert len(alarms) <= 2, alarms


@pytest.mark.parametrize(
    "text",
    [
        "password=" * 30_000,
        "-----BEGIN PRIVATE " + "KEY-----" + "A" * 300_000,
        ("-----BEGIN PRIVATE " + "KEY-----\n") * 5_000,
        "eyJ" + "a" * 300_000,
        "http://" + ":" * 300_000,
        "http://a:" * 30_000,
        "secret" + " " * 300_000 + "='x'",
        "token_" * 50_000,
        "authorization: " * 20_000,
        "gh" + "p_" + "x" * 300_000,
        "api_key='" + "a1" * 150_000,
        "\ud800 password = 'x\udc00y1-z'",
    ],
    ids=lambda text: text[:20].encode(errors="replace").decode(),
)
def test_texts_made_to_be_slow_are_not(text: str) -> None:
    # Ends: a pattern that goes back again and again would take hours on these.
    assert isinstance(find_secrets(text), list)
    assert isinstance(find_tokens(text), list)


@given(st.text(max_size=300))
def test_any_text_can_be_looked_at(text: str) -> None:
    for secret in find_secrets(text):
        assert text[secret.start : secret.start + len(secret.text)] == secret.text


@given(st.text(min_size=1, max_size=200))
def test_at_most_six_letters_are_shown(text: str) -> None:
    shown = redacted(text)
    assert len(shown) <= 7 and "…" in shown
    assert len(text) >= 16 or len(shown) <= len(text) // 2 + 1
