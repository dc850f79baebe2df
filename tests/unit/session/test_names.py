"""Which names are never recorded, without a setting: what holds secrets, and not what analyses are full of."""

from __future__ import annotations

import pytest

from nbcellar.config import SECRET_NAMES
from nbcellar.session.names import Names
from nbcellar.session.surroundings.ambient import AmbientTracker
from nbcellar.session.surroundings.process import is_secret_name

SECRET = """
    password db_password PASSWORD MY_PASSWORD passwd userPassword passphrase DB_PWD db_pwd SMTP_PASS
    secret secrets client_secret clientSecret SECRET AWS_SECRET_ACCESS_KEY secret_key
    api_key apiKey API_KEY OPENAI_API_KEY openai_apikey KEY aws_access_key_id private_key SSH_PRIVATE_KEY
    api_token access_token accessToken auth_token GITHUB_TOKEN github_token hf_token HF_TOKEN refresh_token
    credentials aws_credentials AWS_CREDENTIALS conn_str CONNECTION_STRING DATABASE_URL database_url SENTRY_DSN
""".split()

ORDINARY = """
    key keys keyword keywords KEYWORDS sort_key primary_key keypoints monkey TURKEY hockey
    token tokens tokenizer token_ids token_counts tokenized TOKENS TOKENIZER MAX_TOKENS n_tokens
    secretary secretaries SECRETARY secretion passenger passengers PASSENGERS compass bypass PASS passed
    path PWD cwd author AUTHOR authors authority df x model auc url base_url data urls dsn_table connections
""".split()


def names() -> Names:
    return Names({}, SECRET_NAMES)


@pytest.mark.parametrize("name", SECRET)
def test_a_name_that_holds_a_secret_is_left_out_and_named(name: str) -> None:
    found = names()
    assert found.recorded({name: 1, "x": 2}) == {"x": 2}
    assert found.take_newly_skipped() == [name]


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_name_is_recorded(name: str) -> None:
    assert names().recorded({name: 1}) == {name: 1}


@pytest.mark.parametrize("name", ["PWD", "OLDPWD", "TOKENIZERS_PARALLELISM", "PYTHONPATH", "AUTHOR", "OMP_NUM_THREADS"])
def test_an_ordinary_environment_variable_is_recorded(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize("name", ["DB_PASS", "PGPASSWORD", "PIP_INDEX_AUTH", "AZURE_CONNECTION_STRING", "db_conn_str"])
def test_an_environment_variable_that_holds_a_secret_is_not(name: str) -> None:
    assert is_secret_name(name)


def test_environment_variables_that_the_setting_names_are_left_out_and_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("X_LOGIN", raising=False)
    monkeypatch.delenv("Y_LOGIN", raising=False)
    tracker = AmbientTracker(Names({}, ["X_*"]).is_skipped)
    before = tracker.capture()
    monkeypatch.setenv("X_LOGIN", "somebody")
    assert tracker.capture() == before
    monkeypatch.setenv("Y_LOGIN", "somebody")
    assert tracker.capture() != before
    tracker.restore(before)
    import os

    assert os.environ["X_LOGIN"] == "somebody"
    assert "Y_LOGIN" not in os.environ
