"""Secrets are made once, at random, and a default is refused."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from synctalk_contracts.accounts import ACCESS, ADMINISTRATOR, rabbitmq_definitions, redis_user

SCRIPT = Path(__file__).parents[1] / "secrets.sh"


def _run(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"SYNCTALK_SECRETS": str(folder)}
    return subprocess.run([str(SCRIPT)], env=environment, check=False, capture_output=True, text=True)


def _contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_secrets__made__are_random_and_closed_to_others(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"

    assert _run(one).returncode == _run(other).returncode == 0

    assert stat.S_IMODE(one.stat().st_mode) == 0o700
    made = {name: text for name, text in _contents(one).items() if name.endswith(("password", "secret", "passphrase"))}
    assert len(set(made.values())) == len(made) == 8 + 3 * len(ACCESS)
    assert all(len(text) == 48 for text in made.values())
    assert not set(made.values()) & set(_contents(other).values())


def test_secrets__made_again__are_the_same(tmp_path: Path) -> None:
    _run(tmp_path)
    before = _contents(tmp_path)

    assert _run(tmp_path).returncode == 0
    assert _contents(tmp_path) == before


def test_secrets__addresses__hold_the_passwords(tmp_path: Path) -> None:
    _run(tmp_path)
    made = _contents(tmp_path)

    assert made["synctalk_api_db_password"] in made["api_database_url"]
    assert f"requirepass {made['redis_password']}" in made["redis.conf"]
    for service in ACCESS:
        redis = f"redis://synctalk_{service}:{made[f'{service}_redis_password']}@redis:6379/"
        assert (made[f"{service}_redis_url"], made[f"{service}_limits_redis_url"]) == (f"{redis}0\n", f"{redis}1\n")
        assert made[f"{service}_rabbitmq_password"] in made[f"{service}_rabbitmq_url"]


def test_secrets__accounts__are_those_of_the_contract_with_the_passwords_in_them(tmp_path: Path) -> None:
    _run(tmp_path)
    made = _contents(tmp_path)
    passwords = {service: made[f"{service}_rabbitmq_password"] for service in ACCESS}
    users = [redis_user(service, [made[f"{service}_redis_password"]]) for service in ACCESS]

    definitions = rabbitmq_definitions({ADMINISTRATOR: made["rabbitmq_password"], **passwords})
    assert json.loads(made["rabbitmq.json"]) == definitions
    assert made["redis.conf"].splitlines()[-len(users) :] == users
    assert not [name for name in made if name.startswith(".")]


@pytest.mark.parametrize("value", ["", "guest", "changeme", "short"])
def test_secrets__a_default_or_short_one__is_refused_with_a_sentence(tmp_path: Path, value: str) -> None:
    (tmp_path / "rabbitmq_password").write_text(value)

    ran = _run(tmp_path)

    assert ran.returncode == 1
    assert "rabbitmq_password is empty, a default or shorter" in ran.stderr
