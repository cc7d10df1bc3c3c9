"""`python -m synctalk_<service>`: serve; `… migrate`: bring the tables up to date; `… dead list`: show dead letters,
`… dead replay` (or `… replay`): try them again, `… dead drop`: delete them."""

import asyncio
import gc
import pkgutil
import sys
from collections.abc import Awaitable, Mapping
from dataclasses import asdict
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

import asyncpg
import orjson
import structlog
from fastapi import FastAPI
from pydantic import ValidationError
from synctalk_contracts import topology

from synctalk_runtime import serving, telemetry
from synctalk_runtime.dead_letters import dead_letters
from synctalk_runtime.errors import AppError
from synctalk_runtime.migrate import MigrationError, migrate
from synctalk_runtime.settings import BaseServiceSettings, PostgresSettings, accept_renamed, explain, misspelt

log = structlog.get_logger()

DEAD = (["dead", "list"], ["dead", "replay"], ["dead", "drop"])

S = TypeVar("S", bound=BaseServiceSettings)


def main(
    settings_class: type[S],
    build: str,
    migrations: Traversable | None = None,
    queues: tuple[topology.DurableQueue, ...] = (),
    commands: Mapping[str, str] | None = None,
) -> None:
    """Run the command that the process was started with; wrong settings end it with a sentence each.

    `build` and the service's own `commands` are names like `synctalk_api.main:build`, so that a command imports only
    what it uses: a migration takes half the time without the service.
    """
    settings = read_settings(settings_class)
    telemetry.setup(settings)
    command = sys.argv[1] if len(sys.argv) > 1 else "serve"
    if command == "serve":
        serve(load(build)(settings), settings)
    elif command == "migrate" and migrations is not None:
        _migrate(settings, migrations)
    elif command == "replay" or sys.argv[1:] in DEAD:
        asyncio.run(_dead(settings, queues, sys.argv[-1]))
    elif commands is not None and command in commands:
        _run(settings, load(commands[command])(settings))
    else:
        sys.exit(f"synctalk_{settings.SERVICE}: unknown command: {command}")


def read_settings(settings_class: type[S]) -> S:
    """Read them, or end the process with a sentence for each that is wrong."""
    for sentence in accept_renamed():
        sys.stderr.write(f"{sentence}\n")
    try:
        settings = settings_class()
    except ValidationError as error:
        sys.exit(explain(error))
    unknown = [f"{name}: unknown setting." for name in misspelt()]
    if settings.environment == "production" and (problems := [*settings.production_problems(), *unknown]):
        sys.exit("\n".join([*problems, "Set SYNCTALK_ENVIRONMENT=development to allow all of this."]))
    for sentence in unknown:
        sys.stderr.write(f"{sentence}\n")
    return settings


def load(name: str) -> Any:
    """Import what the name `package.module:function` stands for."""
    # Modules make no garbage: looking for it takes a fifth of the import here, and part of each full collection later.
    gc.disable()
    try:
        return pkgutil.resolve_name(name)
    finally:
        gc.freeze()
        gc.enable()


def serve(app: FastAPI, settings: BaseServiceSettings) -> None:
    serving.run(serving.config_of(app, settings, loop="uvloop", ws="none"))


async def _dead(settings: BaseServiceSettings, queues: tuple[topology.DurableQueue, ...], verb: str) -> None:
    async with dead_letters(settings.rabbitmq_url, queues, settings.tls_ca_file) as dead:
        if verb == "list":
            for letter in await dead.look():
                sys.stdout.write(orjson.dumps(asdict(letter)).decode() + "\n")
        elif verb == "replay":
            log.info("replay.done", moved=await dead.replay())
        else:
            log.info("dead.dropped", count=await dead.drop())


def _run(settings: BaseServiceSettings, work: Awaitable[None]) -> None:
    async def awaited() -> None:
        await work

    try:
        asyncio.run(awaited())
    except AppError as error:
        sys.exit(f"synctalk_{settings.SERVICE}: {error}")


async def _migrate_all(settings: PostgresSettings, migrations: Traversable) -> list[str]:
    return [
        name
        for url in settings.database_urls
        for name in await migrate(url.get_secret_value(), migrations, settings.tls_ca_file)
    ]


def _migrate(settings: BaseServiceSettings, migrations: Traversable) -> None:
    assert isinstance(settings, PostgresSettings)
    try:
        applied = asyncio.run(_migrate_all(settings, migrations))
    except MigrationError as error:
        sys.exit(f"synctalk_{settings.SERVICE}: {error}")
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        sys.exit(f"synctalk_{settings.SERVICE}: migrations failed: {error}")
    log.info("migrate.done", applied=applied)
