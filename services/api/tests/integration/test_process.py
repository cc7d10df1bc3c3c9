"""api as the process that is started: its commands, and how it stops under load."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from synctalk_testkit.eventually import eventually
from synctalk_testkit.ports import free_port
from synctalk_testkit.service import SECRET, ServiceClient, service_client

from services.api.tests.integration.conftest import Api, User


def environment(api: Api, **settings: str) -> dict[str, str]:
    """Return the environment of a process beside the running one: the same database, Redis and RabbitMQ."""
    given = {
        "ENVIRONMENT": "development",
        "INSTANCE": "api-2",
        "INTERNAL_SECRET": SECRET,
        "AUTH_URL": api.auth.url,
        "DATABASE_URL": api.settings.database_url.get_secret_value(),
        "REDIS_URL": api.settings.redis_url.get_secret_value(),
        "RABBITMQ_URL": api.settings.rabbitmq_url.get_secret_value(),
        "MESSAGE_BURST": "10000",
    } | settings
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SYNCTALK_")}
    return kept | {f"SYNCTALK_{name}": value for name, value in given.items()}


async def command(api: Api, *args: str, **settings: str) -> tuple[int | None, str]:
    """Run a command of api, and return its exit code and output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "synctalk_api",
        *args,
        env=environment(api, **settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


@asynccontextmanager
async def serving(api: Api, log: Path) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    port = free_port()
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "synctalk_api",
            env=environment(api, HTTP_PORT=str(port)),
            stdout=output,
            stderr=output,
        )
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def is_ready(service: ServiceClient) -> bool:
    try:
        return await service.is_ready()
    except aiohttp.ClientError:
        return False


async def test_start__setting_missing__is_refused_in_a_sentence(api: Api) -> None:
    code, said = await command(api, "migrate", INTERNAL_SECRET="short")

    assert code == 1
    assert said.startswith("Setting SYNCTALK_INTERNAL_SECRET: ")
    assert "Traceback" not in said


async def test_migrate__again__applies_nothing(api: Api) -> None:
    code, said = await command(api, "migrate")

    assert code == 0
    assert '"applied":[]' in said


async def test_stop__at_work__finishes_what_it_took(api: Api, tmp_path: Path) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    acked: list[int] = []

    async def talk(user: User) -> None:
        while True:
            try:
                acked.append((await user.send(conversation["id"], "secret words"))["seq"])
            except aiohttp.ClientError:
                return

    log = tmp_path / "api.log"
    async with serving(api, log) as (url, process), service_client(url) as service:
        await eventually(lambda: is_ready(service), 30)
        talking = [asyncio.create_task(talk(replace(user, service=service))) for user in (ada, ben) * 3]
        await eventually(lambda: len(acked) > 20, 30)
        process.send_signal(signal.SIGTERM)
        await asyncio.gather(*talking)
        code = await asyncio.wait_for(process.wait(), 15)

    stored = await ada.list(f"/v1/conversations/{conversation['id']}/messages", 100)
    assert code in (0, -signal.SIGTERM)
    assert set(acked) <= {message["seq"] for message in stored}
    said = log.read_text()
    assert "Traceback" not in said
    assert "secret words" not in said
    assert "eyJ" not in said, "a token"


async def test_reports__are_listed_and_closed_by_operators(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    message = await ada.send(group["id"], "buy this")
    await ben.call("POST", f"/v1/conversations/{group['id']}/messages/{message['id']}/report", {"reason": "spam"})

    async def listed() -> list[dict[str, Any]]:
        status, output = await command(api, "reports", "list")
        assert status == 0, output
        lines = [orjson.loads(line) for line in output.splitlines()]
        return [line for line in lines if line.get("message_id") == message["id"]]

    (report,) = await listed()
    assert {name: report[name] for name in ("reported_by", "sender_id", "body", "reason")} == {
        "reported_by": ben.id,
        "sender_id": ada.id,
        "body": "buy this",
        "reason": "spam",
    }
    status, _ = await command(api, "reports", "close", report["id"])
    assert (status, await listed()) == (0, [])
    assert (await command(api, "reports", "close", "nonsense"))[0] == 2
