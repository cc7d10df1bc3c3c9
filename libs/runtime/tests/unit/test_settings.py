"""Settings come from variables or files; a wrong one is a sentence, a secret is never shown."""

import os
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from synctalk_runtime.settings import RENAMED, SETTING_NAMES, accept_renamed, explain, misspelt


def test_settings__from_variables__are_read(make_settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCTALK_INSTANCE", "gateway-1")
    monkeypatch.setenv("SYNCTALK_DATABASE_POOL_SIZE", "3")

    settings = make_settings()

    assert (settings.instance, settings.database_pool_size) == ("gateway-1", 3)


def test_settings__a_secret_in_a_file__is_read_without_its_line_end(make_settings: Any, tmp_path: Path) -> None:
    (tmp_path / "synctalk_token_issuer").write_text("from-a-file\n")

    settings = make_settings(_secrets_dir=str(tmp_path))

    assert settings.token_issuer == "from-a-file"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"http_port": 70_000}, "SYNCTALK_HTTP_PORT"),
        ({"internal_secret": "short"}, "SYNCTALK_INTERNAL_SECRET"),
        ({"log_level": "loud"}, "SYNCTALK_LOG_LEVEL"),
        ({"call_timeout_s": 0}, "SYNCTALK_CALL_TIMEOUT_S"),
        ({"trace_ratio": 2}, "SYNCTALK_TRACE_RATIO"),
        ({"redis_url": "redis://a,redis://b"}, "SYNCTALK_REDIS_CLUSTER"),
        ({"limits_redis_url": "redis://a/1", "redis_cluster": True}, "SYNCTALK_REDIS_CLUSTER"),
    ],
)
def test_settings__wrong__say_which_and_not_what(make_settings: Any, given: dict[str, Any], name: str) -> None:
    with pytest.raises(ValidationError) as raised:
        make_settings(**given)

    sentence = explain(raised.value)
    assert sentence.startswith(f"Setting {name}: ")
    assert "short" not in sentence.removeprefix(f"Setting {name}")


def test_settings__printed__show_no_secret(make_settings: Any) -> None:
    settings = make_settings(internal_secret="do-not-show-me-to-anybody")

    shown = f"{settings} {settings!r} {dict(settings)}"

    assert "do-not-show-me" not in shown
    assert str(settings.internal_secret) == "**********"


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        ("amqps://synctalk:p@b", None),
        ("amqp://synctalk:p@b", "SYNCTALK_RABBITMQ_URL does not use TLS"),
        ("amqps://guest:p@b", "SYNCTALK_RABBITMQ_URL uses RabbitMQ's default user"),
    ],
)
def test_production__a_node_of_several_that_is_not_safe__is_a_problem(
    make_settings: Any, second: str, problem: str | None
) -> None:
    problems = make_settings(rabbitmq_url=f"amqps://synctalk:p@a, {second}").production_problems()
    of_rabbitmq = [sentence for sentence in problems if "RABBITMQ" in sentence]

    assert [sentence.startswith(str(problem)) for sentence in of_rabbitmq] == [True] * bool(problem)


def test_settings__limits_without_a_redis_of_their_own__are_in_the_common_one(make_settings: Any) -> None:
    common, own = "redis://127.0.0.1:1/0", "redis://127.0.0.1:2/0"

    assert make_settings(redis_url=common).limits_url.get_secret_value() == common
    assert make_settings(redis_url=common, limits_redis_url=own).limits_url.get_secret_value() == own


def test_settings__an_authority_file_that_is_not_there__stops_the_start(make_settings: Any) -> None:
    with pytest.raises(ValidationError):
        make_settings(tls_ca_file="/nowhere/ca.pem")


def test_renamed__only_the_old_name_is_set__gives_it_to_the_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("synctalk_push_hold_s", "7")
    monkeypatch.delenv("SYNCTALK_PUSH_DELAY_S", raising=False)

    assert accept_renamed() == [
        "SYNCTALK_PUSH_HOLD_S is now called SYNCTALK_PUSH_DELAY_S. The old name works for one more release."
    ]
    assert os.environ["SYNCTALK_PUSH_DELAY_S"] == "7"
    assert misspelt() == []
    monkeypatch.delenv("SYNCTALK_PUSH_DELAY_S")


def test_renamed__both_names_are_set__keeps_the_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCTALK_PUSH_HOLD_S", "7")
    monkeypatch.setenv("SYNCTALK_PUSH_DELAY_S", "5")
    assert len(accept_renamed()) == 1
    assert os.environ["SYNCTALK_PUSH_DELAY_S"] == "5"


def test_renamed__names_a_setting_that_exists() -> None:
    known = files("synctalk_runtime").joinpath(SETTING_NAMES).read_text().split()
    assert set(RENAMED.values()) <= set(known)
    assert not RENAMED.keys() & set(known)
