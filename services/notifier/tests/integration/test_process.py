"""The process as it is run: it starts although nothing else does, says what is wrong, and stops on SIGTERM."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from synctalk_testkit.eventually import eventually
from synctalk_testkit.ports import free_port

NOWHERE = {
    "SYNCTALK_ENVIRONMENT": "development",
    "SYNCTALK_INTERNAL_SECRET": "0123456789abcdef",
    "SYNCTALK_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "SYNCTALK_RABBITMQ_URL": "amqp://127.0.0.1:1/",
    "SYNCTALK_REDIS_URL": "redis://127.0.0.1:1/0",
    "SYNCTALK_AUTH_URL": "http://127.0.0.1:1",
}


@asynccontextmanager
async def started(command: str = "serve", **env: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "synctalk_notifier", command, stdout=PIPE, stderr=PIPE, env=os.environ | NOWHERE | env
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_serve__nothing_answers__is_alive_not_ready_and_ends_on_sigterm() -> None:
    port = free_port()
    async with started(SYNCTALK_HTTP_PORT=str(port)) as process, httpx.AsyncClient() as http:
        url = f"http://127.0.0.1:{port}"

        async def alive() -> bool:
            try:
                return (await http.get(f"{url}/healthz")).status_code == 200
            except httpx.ConnectError:
                return False

        await eventually(alive, timeout=30)
        answer = await http.get(f"{url}/readyz")
        assert answer.status_code == 503
        assert set(answer.json()["checks"]) == {"postgres", "rabbitmq", "keys", "revocations"}
        assert "notifier_pushes_waiting" in (await http.get(f"{url}/metrics")).text
        process.send_signal(signal.SIGTERM)
        output, _ = await process.communicate()
        assert process.returncode in (0, -signal.SIGTERM), output  # uvicorn passes the signal on at its end
        assert b"push.off" in output


async def test_serve__wrong_settings__ends_with_a_sentence() -> None:
    async with started(SYNCTALK_FCM_CREDENTIALS_FILE="/nowhere.json", SYNCTALK_PUSH_DELAY_S="-1") as process:
        _, said = await process.communicate()
        assert process.returncode == 1
        assert b"SYNCTALK_FCM_CREDENTIALS_FILE: Value error, /nowhere.json cannot be read" in said
        assert b"SYNCTALK_PUSH_DELAY_S" in said


async def test_rebuild__nothing_answers__ends_with_a_sentence() -> None:
    async with started("rebuild") as process:
        _, errors = await process.communicate()
        assert process.returncode == 1
        assert errors.decode().startswith("synctalk_notifier: ")
