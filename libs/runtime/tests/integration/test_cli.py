"""The commands of a service's process."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fastapi import FastAPI
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
    }
    # setup() is this process's first act; here it would take the tests' logs away.
    monkeypatch.setattr(cli.telemetry, "setup", lambda _: None)  # type: ignore[attr-defined]

    def run(*arguments: str, folder: Path | None = None, **given: str) -> None:
        for name, value in (everything | given).items():
            monkeypatch.setenv(f"SYNCTALK_{name.upper()}", value)
        monkeypatch.setattr(sys, "argv", ["synctalk_test", *arguments])
        cli.main(Settings, lambda _: FastAPI(), folder)

    return run


def test_main__wrong_settings__ends_with_a_sentence_each(run: Callable[..., Any]) -> None:
    with pytest.raises(SystemExit) as raised:
        run("serve", http_port="many", internal_secret="short")

    lines = str(raised.value).splitlines()
    assert [line.split(":")[0] for line in sorted(lines)] == [
        "Setting SYNCTALK_HTTP_PORT",
        "Setting SYNCTALK_INTERNAL_SECRET",
    ]


@pytest.mark.parametrize("command", ["nonsense", "migrate"], ids=["unknown", "without migrations"])
def test_main__no_such_command__says_so(run: Callable[..., Any], command: str) -> None:
    with pytest.raises(SystemExit, match="no such command"):
        run(command)


def test_migrate__the_database_is_down__ends_with_a_sentence(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "0001_things.sql").write_text("create table thing (id int);")

    with pytest.raises(SystemExit, match="the database does not take the migrations"):
        run("migrate", folder=tmp_path)


async def test_migrate__a_broken_file__ends_with_a_sentence(
    run: Callable[..., Any], tmp_path: Path, fresh_database: FreshDatabase
) -> None:
    import asyncio

    (tmp_path / "0001_things.sql").write_text("create nonsense;")
    url = await fresh_database("test")

    with pytest.raises(SystemExit, match="the database does not take the migrations"):
        await asyncio.to_thread(run, "migrate", folder=tmp_path, database_url=url)
