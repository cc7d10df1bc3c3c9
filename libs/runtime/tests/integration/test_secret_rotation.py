"""A secret is changed as docs/operations.md says, process by process, while others call all the time: no call fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from fastapi import APIRouter, Depends
from synctalk_contracts.internal_routes import InternalRoute
from synctalk_runtime.app import create_app
from synctalk_runtime.errors import NotFoundError
from synctalk_runtime.health import Health
from synctalk_runtime.internal import Credential, InternalClient, require_internal
from synctalk_testkit.eventually import eventually
from synctalk_testkit.service import serve

SHARED, NEXT = "the secret that all have shared", "the secret of gateways alone"
RULES = [InternalRoute("test", "GET", "/internal/heads", ("gateway",), "")]
PROCESSES = 2
CALLS_BETWEEN = 20


class Caller:
    """Calls one process after the other, all the time."""

    def __init__(self) -> None:
        self.clients: list[InternalClient] = []
        self.calls = 0

    async def run(self) -> None:
        while True:
            await asyncio.sleep(0)
            for client in list(self.clients):
                assert await client.get("/internal/heads") == {}
                self.calls += 1

    async def go_on(self) -> None:
        """Return once so many more calls were answered."""
        wanted = self.calls + CALLS_BETWEEN
        await eventually(lambda: self.calls >= wanted)


@asynccontextmanager
async def process(make_settings: Any, given: dict[str, str]) -> AsyncIterator[str]:
    router = APIRouter(prefix="/internal", dependencies=[Depends(require_internal)])

    @router.get("/heads")
    async def heads() -> dict[str, int]:
        return {}

    async with serve(create_app(make_settings(**given), [router], Health(), internal_routes=RULES)) as url:
        yield url


async def test_secret__changed_process_by_process__fails_no_call(make_settings: Any) -> None:
    steps = [
        ({"internal_secret": SHARED}, SHARED),
        ({"internal_secret": SHARED, "internal_secret_gateway": f"{SHARED},{NEXT}"}, SHARED),
        ({"internal_secret": SHARED, "internal_secret_gateway": f"{SHARED},{NEXT}"}, NEXT),
        ({"internal_secret": SHARED, "internal_secret_gateway": NEXT}, NEXT),
    ]
    caller = Caller()
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        calling = group.create_task(caller.run())
        for given, secret in steps:
            for number in range(PROCESSES):
                url = await stack.enter_async_context(process(make_settings, given))
                client = InternalClient(url, Credential("gateway", secret))
                stack.push_async_callback(client.close)
                caller.clients[number : number + 1] = [client]
                await caller.go_on()
        calling.cancel()

        late = InternalClient(url, Credential("gateway", SHARED))
        stack.push_async_callback(late.close)
        with pytest.raises(NotFoundError):
            await late.get("/internal/heads")
