"""The commands of a service's process."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from synctalk_runtime import cli
from synctalk_runtime.settings import PostgresSettings
from synctalk_testkit.plugin import FreshDatabase


class Settings(PostgresSettings):
    SERVICE: ClassVar[str] = "test"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`python -m synctalk_test <command>` in the environment given."""
    everything = {
        "internal_secret": "a secret of sixteen or more",
        "redis_url": "redis://127.0.0.1:1/0",
        "rabbitmq_url": "amqp://127.0.0.1:1/",
        "database_url": "postgresql://127.0.0.1:1/none",
        "environment": "development",
    }
    # setup() is this process's first act; here it would take the tests' logs away.
    monkeypatch.setattr(cli.telemetry, "setup", lambda _: None)  # type: ignore[attr-defined]

    def run(*arguments: str, folder: Path | None = None, **given: str) -> None:
        for name, value in (everything | given).items():
            monkeypatch.setenv(f"SYNCTALK_{name.upper()}", value)
        monkeypatch.setattr(sys, "argv", ["synctalk_test", *arguments])
        cli.main(Settings, "synctalk_test.main:build", folder)

    return run


def test_main__wrong_settings__ends_with_a_sentence_each(run: Callable[..., Any]) -> None:
    with pytest.raises(SystemExit) as raised:
        run("serve", http_port="many", internal_secret="short")

    lines = str(raised.value).splitlines()
    assert [line.split(":")[0] for line in sorted(lines)] == [
        "Setting SYNCTALK_HTTP_PORT",
        "Setting SYNCTALK_INTERNAL_SECRET",
    ]


SAFE = {
    "environment": "production",
    "internal_secret": "a secret of sixteen or more",
    "redis_url": "rediss://:password@redis/0",
    "limits_redis_url": "rediss://:password@limits/0",
    "rabbitmq_url": "amqps://synctalk:password@rabbitmq/",
    "database_url": "postgresql://synctalk:password@postgres/api?sslmode=verify-full",
}


def test_main__in_production_with_what_is_safe__goes_on(run: Callable[..., Any]) -> None:
    with pytest.raises(SystemExit, match="unknown command"):  # so it got as far as the commands
        run("nonsense", **SAFE)


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("internal_secret", "changemechangeme", "SYNCTALK_INTERNAL_SECRET is a well-known example value"),
        ("redis_url", "redis://:password@redis/0", "SYNCTALK_REDIS_URL does not use TLS"),
        ("limits_redis_url", "redis://:password@limits/0", "SYNCTALK_LIMITS_REDIS_URL does not use TLS"),
        ("rabbitmq_url", "amqp://synctalk:password@rabbitmq/", "SYNCTALK_RABBITMQ_URL does not use TLS"),
        ("rabbitmq_url", "amqps://guest:guest@rabbitmq/", "SYNCTALK_RABBITMQ_URL uses RabbitMQ's default user"),
        ("rabbitmq_url", "amqps://rabbitmq/", "SYNCTALK_RABBITMQ_URL uses RabbitMQ's default user"),
        ("database_url", "postgresql://u:p@postgres/api", "SYNCTALK_DATABASE_URL does not use TLS"),
        ("database_url", "postgresql://u:p@postgres/api?sslmode=disable", "SYNCTALK_DATABASE_URL does not use TLS"),
        ("database_url", "postgresql://u:p@postgres/api?sslmode=prefer", "SYNCTALK_DATABASE_URL does not use TLS"),
        ("acess_token_ttl_s", "60", "SYNCTALK_ACESS_TOKEN_TTL_S: unknown setting"),
    ],
)
def test_main__in_production_with_what_is_for_development__ends_with_a_sentence(
    run: Callable[..., Any], setting: str, value: str, sentence: str
) -> None:
    with pytest.raises(SystemExit) as raised:
        run("nonsense", **SAFE | {setting: value})

    first, *rest = str(raised.value).splitlines()
    assert first.startswith(sentence)
    assert rest == ["Set SYNCTALK_ENVIRONMENT=development to allow all of this."]
    assert "password" not in str(raised.value)


def test_settings__nothing_said__is_production() -> None:
    assert Settings.model_fields["environment"].default == "production"


def test_main__without_tls_where_something_else_encrypts__goes_on(run: Callable[..., Any]) -> None:
    clear = {"redis_url": "redis://:p@redis/0", "rabbitmq_url": "amqp://u:p@r/", "database_url": "postgresql://u:p@p/a"}
    with pytest.raises(SystemExit, match="unknown command"):
        run("nonsense", **SAFE | clear, insecure_backends="true")


def test_main__a_misspelt_setting_in_development__is_named_and_goes_on(
    run: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="unknown command"):
        run("nonsense", acess_token_ttl_s="60")

    assert capsys.readouterr().err == "SYNCTALK_ACESS_TOKEN_TTL_S: unknown setting.\n"


@pytest.mark.parametrize("setting", ["push_delay_s", "port", "edge_requests_per_s", "secrets_dir"])
def test_main__a_setting_of_another_service_or_of_the_tools__is_none_that_is_misspelt(
    run: Callable[..., Any], setting: str
) -> None:
    with pytest.raises(SystemExit, match="unknown command"):
        run("nonsense", **SAFE | {setting: "1"})


@pytest.mark.parametrize("command", ["nonsense", "migrate"], ids=["unknown", "without migrations"])
def test_main__no_such_command__says_so(run: Callable[..., Any], command: str) -> None:
    with pytest.raises(SystemExit, match="unknown command"):
        run(command)


def test_migrate__the_database_is_down__ends_with_a_sentence(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "0001_things.sql").write_text("create table thing (id int);")

    with pytest.raises(SystemExit, match="migrations failed"):
        run("migrate", folder=tmp_path)


async def test_migrate__a_broken_file__ends_with_a_sentence(
    run: Callable[..., Any], tmp_path: Path, fresh_database: FreshDatabase
) -> None:
    import asyncio

    (tmp_path / "0001_things.sql").write_text("create nonsense;")
    url = await fresh_database("test")

    with pytest.raises(SystemExit, match="migrations failed"):
        await asyncio.to_thread(run, "migrate", folder=tmp_path, database_url=url)
