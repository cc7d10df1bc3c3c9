"""Secrets are made once, at random, and a default is refused."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

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
    assert len(set(made.values())) == len(made) == 9
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
    assert made["redis_password"] in made["redis_url"]
    assert made["limits_redis_url"] == made["redis_url"].replace("/0\n", "/1\n")
    assert f"default_pass = {made['rabbitmq_password']}" in made["rabbitmq.conf"]
    assert f"requirepass {made['redis_password']}" in made["redis.conf"]


@pytest.mark.parametrize("value", ["", "guest", "changeme", "short"])
def test_secrets__a_default_or_short_one__is_refused_with_a_sentence(tmp_path: Path, value: str) -> None:
    (tmp_path / "rabbitmq_password").write_text(value)

    ran = _run(tmp_path)

    assert ran.returncode == 1
    assert "rabbitmq_password is empty, a default or shorter" in ran.stderr
