"""Calls between services, over real HTTP: who has not the secret learns nothing, and every failure is one kind."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from synctalk_contracts.internal_routes import InternalRoute
from synctalk_runtime.app import create_app
from synctalk_runtime.errors import ConflictError, NotFoundError, RateLimitedError, UnavailableError
from synctalk_runtime.health import Health
from synctalk_runtime.internal import HEADER, Credential, InternalClient, require_internal
from synctalk_runtime.telemetry import span
from synctalk_testkit.eventually import eventually
from synctalk_testkit.ports import free_port
from synctalk_testkit.relay import relay_to

SECRET = "a secret of sixteen or more"


def _router() -> APIRouter:
    router = APIRouter(prefix="/internal", dependencies=[Depends(require_internal)])

    @router.get("/echo")
    async def echo(request: Request, word: str) -> dict[str, str | None]:
        return {"word": word, "traceparent": request.headers.get("traceparent")}

    @router.post("/body")
    async def body(request: Request) -> Any:
        return await request.json()

    @router.put("/nothing", status_code=204)
    async def nothing() -> None:
        return

    @router.get("/missing")
    async def missing() -> None:
        raise NotFoundError

    @router.get("/conflict")
    async def conflict() -> None:
        raise ConflictError

    @router.get("/limited")
    async def limited() -> None:
        raise RateLimitedError(retry_after=1.5)

    @router.get("/limited-by-a-proxy")
    async def limited_by_a_proxy() -> Response:
        return Response("<html>", status_code=429)

    @router.get("/nonsense")
    async def nonsense() -> Response:
        return Response("<html>", media_type="application/json")

    return router


_ROUTES = [
    InternalRoute("test", method, f"/internal/{name}", ("gateway",), "")
    for method, name in (
        ("GET", "echo"),
        ("POST", "body"),
        ("PUT", "nothing"),
        ("GET", "missing"),
        ("GET", "conflict"),
        ("GET", "limited"),
        ("GET", "limited-by-a-proxy"),
        ("GET", "nonsense"),
    )
]


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[str]:
    from typing import ClassVar

    from synctalk_runtime.settings import BaseServiceSettings

    class Settings(BaseServiceSettings):
        SERVICE: ClassVar[str] = "test"

    settings = Settings(internal_secret=SECRET, redis_url="redis://x", rabbitmq_url="amqp://x")
    app: FastAPI = create_app(settings, [_router()], Health(), internal_routes=_ROUTES)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
    task = asyncio.create_task(running.serve(sockets=[listener]))
    await eventually(lambda: running.started)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    running.should_exit = True
    await task


@pytest.fixture
async def client(server: str) -> AsyncIterator[InternalClient]:
    client = InternalClient(server, Credential("gateway", SECRET), timeout_s=1)
    yield client
    await client.close()


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x", SECRET[:-1], "é"])
async def test_internal__without_the_secret__is_not_found(server: str, secret: str | None) -> None:
    headers = {HEADER: secret} if secret is not None else {}
    async with aiohttp.ClientSession() as http, http.get(f"{server}/internal/echo?word=a", headers=headers) as answer:
        body = await answer.json()
    async with aiohttp.ClientSession() as http, http.get(f"{server}/internal/not-there", headers=headers) as answer:
        assert (answer.status, await answer.json()) == (404, body)


async def test_get__with_a_parameter__comes_with_it_and_the_trace(client: InternalClient) -> None:
    with span("work"):
        answer = await client.get("/internal/echo", word="a & b")

    assert answer["word"] == "a & b"
    assert answer["traceparent"] is None or answer["traceparent"].startswith("00-")


async def test_post__a_body__comes_back(client: InternalClient) -> None:
    assert await client.post("/internal/body", {"ids": ["a", "ü"]}) == {"ids": ["a", "ü"]}


async def test_put__without_an_answer__is_none(client: InternalClient) -> None:
    assert await client.put("/internal/nothing", {}) is None


async def test_call__not_found__says_so(client: InternalClient) -> None:
    with pytest.raises(NotFoundError):
        await client.get("/internal/missing")


async def test_call__beyond_a_limit__says_when_again(client: InternalClient) -> None:
    with pytest.raises(RateLimitedError) as caught:
        await client.get("/internal/limited")
    assert caught.value.retry_after == 1.5


@pytest.mark.parametrize(
    "path", ["/internal/conflict", "/internal/nonsense", "/internal/limited-by-a-proxy", "/internal/echo"]
)
async def test_call__any_other_answer__is_unavailable(client: InternalClient, path: str) -> None:
    with pytest.raises(UnavailableError):
        await client.get(path)


async def test_call__nobody_there__is_unavailable() -> None:
    client = InternalClient(f"http://127.0.0.1:{free_port()}", Credential("gateway", SECRET))
    with pytest.raises(UnavailableError):
        await client.get("/internal/echo", word="a")
    await client.close()


async def test_call__frozen__ends_at_its_deadline_and_recovers(server: str) -> None:
    async with relay_to(server) as relay:
        client = InternalClient(relay.url, Credential("gateway", SECRET), timeout_s=0.3)
        await client.get("/internal/echo", word="a")
        relay.freeze()
        with pytest.raises(UnavailableError):
            await client.get("/internal/echo", word="a")
        relay.mend()
        assert (await client.get("/internal/echo", word="a"))["word"] == "a"
        await client.close()
