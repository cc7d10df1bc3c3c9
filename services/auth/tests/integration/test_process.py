"""auth as the process that is started: its commands, its start without anything, its logs."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from synctalk_testkit.eventually import eventually
from synctalk_testkit.plugin import Fresh, FreshDatabase
from synctalk_testkit.ports import free_port
from synctalk_testkit.service import SECRET

from services.auth.tests.harness import PASSWORD, AuthClient, new_name


def environment(**settings: str) -> dict[str, str]:
    given = {
        "ENVIRONMENT": "development",
        "INSTANCE": "auth-1",
        "INTERNAL_SECRET": SECRET,
        "API_URL": "http://127.0.0.1:9",
        "LOG_LEVEL": "debug",
        "DATABASE_URL": "postgresql://127.0.0.1:9/none",
        "REDIS_URL": "redis://127.0.0.1:9",
        "RABBITMQ_URL": "amqp://127.0.0.1:9",
    } | settings
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SYNCTALK_")}
    return kept | {f"SYNCTALK_{name}": value for name, value in given.items()}


async def command(*args: str, **settings: str) -> tuple[int | None, str]:
    """Its exit code and all that it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "synctalk_auth",
        *args,
        env=environment(**settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


@asynccontextmanager
async def serving(log: Path, **settings: str) -> AsyncIterator[tuple[AuthClient, asyncio.subprocess.Process]]:
    port = free_port()
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "synctalk_auth",
            env=environment(HTTP_PORT=str(port), **settings),
            stdout=output,
            stderr=output,
        )
    try:
        async with aiohttp.ClientSession() as http:
            yield AuthClient(f"http://127.0.0.1:{port}", http), process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_command__unknown__is_refused_in_a_sentence() -> None:
    assert await command("nonsense") == (1, "synctalk_auth: unknown command: nonsense\n")


async def test_start__setting_missing__is_refused_in_a_sentence() -> None:
    code, said = await command("migrate", INTERNAL_SECRET="short")
    assert code == 1
    assert said.startswith("Setting SYNCTALK_INTERNAL_SECRET: ")
    assert "Traceback" not in said


async def test_rotate_keys__database_is_down__is_refused_in_a_sentence() -> None:
    code, said = await command("rotate-keys")
    assert code == 1
    assert said.splitlines()[-1] == "synctalk_auth: The service is temporarily unavailable. Try again."
    assert "Traceback" not in said


async def test_start__everything_is_down__lives_and_says_unavailable(tmp_path: Path) -> None:
    async with serving(tmp_path / "log") as (auth, _):

        async def alive() -> bool:
            try:
                return (await auth.get("/healthz")).status == 200
            except aiohttp.ClientConnectionError:
                return False

        await eventually(alive, timeout=20)
        ready = await auth.get("/readyz")
        assert ready.status == 503
        assert set(ready.body["checks"]) == {"postgres", "redis", "rabbitmq", "keys"}
        for answer in (await auth.login(new_name()), await auth.refresh("x"), await auth.get("/.well-known/jwks.json")):
            assert (answer.status, answer.code) == (503, "unavailable")


async def test_serve__everything_done_once__no_secret_is_in_its_logs_and_it_stops_well(
    fresh_database: FreshDatabase, fresh_vhost: Fresh, redis_url: str, tmp_path: Path
) -> None:
    settings = {
        "DATABASE_URL": await fresh_database("auth"),
        "RABBITMQ_URL": await fresh_vhost(),
        "REDIS_URL": redis_url,
    }
    assert (await command("migrate", **settings))[0] == 0
    assert (await command("rotate-keys", **settings))[0] == 0
    assert (await command("replace-keys", **settings))[0] == 0
    log = tmp_path / "log"
    _, key = await command("keys", "create", "--name", "logged", **settings | {"LOG_LEVEL": "info"})
    async with serving(log, **settings) as (auth, process):

        async def ready() -> bool:
            try:
                return await auth.is_ready()
            except aiohttp.ClientConnectionError:
                return False

        await eventually(ready, timeout=20)
        secrets = [key.strip(), *await _all_that_can_be_done(auth)]
        await _use_everywhere(auth, key.strip())
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            # uvicorn ends by the signal itself, after everything has stopped in order.
            assert await process.wait() == -signal.SIGTERM

    said = log.read_text()
    assert "auth.refresh_reused" in said
    assert "Traceback" not in said
    assert [secret for secret in (*secrets, *settings.values(), SECRET) if secret in said] == []


async def _use_everywhere(auth: AuthClient, key: str) -> None:
    """Send a server key where it belongs and where it does not."""
    assert (await auth.get("/v1/server/keys", token=key)).status == 200
    await auth.get("/v1/auth/sessions", token=key)
    await auth.get("/v1/server/keys", params={"access_token": key})
    await auth.post("/v1/auth/exchange", {"token": key})
    await auth.post("/v1/auth/refresh", {"refresh_token": key})


async def _all_that_can_be_done(auth: AuthClient) -> list[str]:
    """Every call, well and badly; the secrets that went in and out."""
    name, new = new_name(), "amber-lantern-77"
    first = await auth.register(name)
    await auth.login(name, "wrong-guess-of-it")
    await auth.login("typed-password-as-name", PASSWORD)
    second = (await auth.refresh(first["refresh_token"])).body
    third = (await auth.refresh(second["refresh_token"])).body
    other = (await auth.login(name)).body
    await auth.refresh(first["refresh_token"])
    change = {"current_password": PASSWORD, "new_password": new}
    await auth.post("/v1/auth/password", change, token=other["access_token"])
    await auth.post("/v1/auth/password", change | {"unknown": new}, token=other["access_token"])
    await auth.get(f"/v1/auth/sessions?token={other['access_token']}", token=other["access_token"])
    await auth.post("/v1/auth/logout", token=other["access_token"])
    tokens = [t[kind] for t in (first, second, third, other) for kind in ("access_token", "refresh_token")]
    return [PASSWORD, new, "wrong-guess-of-it", "typed-password-as-name", *tokens]
