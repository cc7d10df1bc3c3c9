"""`python -m synctalk_<service>`: serve; `… migrate`: bring the tables up to date; `… replay`: retry dead letters."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources.abc import Traversable
from typing import TypeVar

import asyncpg
import structlog
import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from synctalk_runtime import serving, telemetry
from synctalk_runtime.errors import AppError
from synctalk_runtime.migrate import MigrationError, migrate
from synctalk_runtime.replay import replay
from synctalk_runtime.settings import BaseServiceSettings, PostgresSettings, explain

log = structlog.get_logger()

S = TypeVar("S", bound=BaseServiceSettings)


def main(
    settings_class: type[S],
    build: Callable[[S], FastAPI],
    migrations: Traversable | None = None,
    queues: tuple[str, ...] = (),
    commands: Mapping[str, Callable[[S], Awaitable[None]]] | None = None,
) -> None:
    """Run the command that the process was started with; `commands` are the service's own.

    Wrong settings end it with a sentence each.
    """
    settings = read_settings(settings_class)
    telemetry.setup(settings)
    command = sys.argv[1] if len(sys.argv) > 1 else "serve"
    if command == "serve":
        serve(build(settings), settings)
    elif command == "migrate" and migrations is not None:
        _migrate(settings, migrations)
    elif command == "replay":
        moved = asyncio.run(replay(settings.rabbitmq_url, queues))
        log.info("replay.done", moved=moved)
    elif commands is not None and command in commands:
        _run(settings, commands[command](settings))
    else:
        sys.exit(f"synctalk_{settings.SERVICE}: no such command: {command}")


def read_settings(settings_class: type[S]) -> S:
    try:
        return settings_class()
    except ValidationError as error:
        sys.exit(explain(error))


def serve(app: FastAPI, settings: BaseServiceSettings) -> None:
    config = uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=settings.shutdown_timeout_s,
    )
    serving.run(config)


def _run(settings: BaseServiceSettings, work: Awaitable[None]) -> None:
    async def awaited() -> None:
        await work

    try:
        asyncio.run(awaited())
    except AppError as error:
        sys.exit(f"synctalk_{settings.SERVICE}: {error}")


def _migrate(settings: BaseServiceSettings, migrations: Traversable) -> None:
    assert isinstance(settings, PostgresSettings)
    try:
        applied = asyncio.run(migrate(settings.database_url.get_secret_value(), migrations))
    except MigrationError as error:
        sys.exit(f"synctalk_{settings.SERVICE}: {error}")
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        sys.exit(f"synctalk_{settings.SERVICE}: the database does not take the migrations: {error}")
    log.info("migrate.done", applied=applied)
