"""The process itself: its two commands, its signals, its words to the user who starts it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING

import aiohttp
from synctalk_testkit.eventually import eventually
from synctalk_testkit.ports import free_port

if TYPE_CHECKING:
    from synctalk_presence.settings import Settings
    from synctalk_testkit.plugin import FreshDatabase


def environment(settings: Settings, **changes: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "SYNCTALK_ENVIRONMENT": "development",
        "SYNCTALK_INTERNAL_SECRET": settings.internal_secret.get_secret_value(),
        "SYNCTALK_DATABASE_URL": settings.database_url.get_secret_value(),
        "SYNCTALK_REDIS_URL": settings.redis_url.get_secret_value(),
        "SYNCTALK_RABBITMQ_URL": settings.rabbitmq_url.get_secret_value(),
        "SYNCTALK_AUTH_URL": settings.auth_url,
        "SYNCTALK_API_URL": settings.api_url,
    } | changes


async def start(environ: dict[str, str], *command: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "synctalk_presence",
        *command,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def test_start__with_wrong_settings__says_which(settings: Settings) -> None:
    process = await start(environment(settings, SYNCTALK_LEASE_S="soon"))
    said, _ = await process.communicate()
    assert process.returncode == 1
    assert b"SYNCTALK_LEASE_S" in said
    assert b"Traceback" not in said


async def test_migrate_then_serve__until_sigterm(settings: Settings, fresh_database: FreshDatabase) -> None:
    port = free_port()
    environ = environment(
        settings, SYNCTALK_DATABASE_URL=await fresh_database("presence"), SYNCTALK_HTTP_PORT=str(port)
    )
    for _ in range(2):
        process = await start(environ, "migrate")
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
    process = await start(environ)

    async def is_ready() -> bool:
        try:
            async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientConnectionError:
            return False

    try:
        await eventually(is_ready, timeout=30)
    finally:
        process.send_signal(signal.SIGTERM)
        said, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode in (0, -signal.SIGTERM), said.decode()
    assert b"Traceback" not in said, said.decode()
