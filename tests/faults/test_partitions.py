"""api processes come, leave, die and freeze while users talk: each owns a fair share, and nothing is lost or moved."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest
from synctalk_systemtest.stack import RunningStack, running_stack
from synctalk_testkit.clients import users_at
from synctalk_testkit.eventually import eventually
from synctalk_testkit.talk import Talk, talk_among

PARTITIONS = 256
MOVED_WITHIN_S = 5
FROZEN_S = 20
TALKS = 6
NAMES = ("api-1", "api-2", "api-3")


@pytest.fixture(scope="module")
def several() -> Iterator[RunningStack]:
    with running_stack(counts={"api": len(NAMES), "gateway": 2}) as stack:
        yield stack


@asynccontextmanager
async def talks(stack: RunningStack) -> AsyncIterator[list[Talk]]:
    """Users who talk in conversations of several partitions."""
    async with users_at(stack.url) as users, AsyncExitStack() as ending:
        await have_shares(stack, *NAMES, within_s=30)
        yield [await ending.enter_async_context(talk_among(users, 2)) for _ in range(TALKS)]


async def go_on(everybody: list[Talk]) -> None:
    await asyncio.gather(*(talk.go_on() for talk in everybody))


async def prove(everybody: list[Talk]) -> None:
    await asyncio.gather(*(talk.prove() for talk in everybody))


async def have_shares(stack: RunningStack, *names: str, within_s: float = MOVED_WITHIN_S) -> None:
    """Wait until these processes own everything, in fair shares."""

    async def fair() -> bool:
        shares = [await owned(stack, name) for name in names]
        return sum(shares) == PARTITIONS and max(shares) - min(shares) <= 1

    await eventually(fair, within_s, message=f"{names} do not share everything")


async def owned(stack: RunningStack, name: str) -> int:
    try:
        async with aiohttp.ClientSession() as http, http.get(f"{stack.internal_url(name)}/metrics") as response:
            found = re.search(r"^api_partitions_owned (\S+)", await response.text(), re.MULTILINE)
    except aiohttp.ClientError:
        return 0
    return int(float(found[1])) if found else 0


async def test_process__leaves_and_comes_back__loses_and_doubles_nothing(several: RunningStack) -> None:
    async with talks(several) as everybody:
        await asyncio.to_thread(several.stop, "api-3")
        await have_shares(several, "api-1", "api-2")
        await go_on(everybody)
        await asyncio.to_thread(several.start, "api-3")
        await have_shares(several, *NAMES)
        await go_on(everybody)
        await prove(everybody)


async def test_process__killed__loses_and_doubles_nothing(several: RunningStack) -> None:
    async with talks(several) as everybody:
        for _ in range(2):
            killed = several.kill("api-2")
            await asyncio.to_thread(several.wait_running, "api-2", other_than=killed)
            await have_shares(several, *NAMES)
            await go_on(everybody)
        await prove(everybody)


async def test_process__frozen__has_lost_its_share_within_five_seconds_and_overwrites_nothing_afterwards(
    several: RunningStack,
) -> None:
    async with talks(several) as everybody:
        began = time.monotonic()
        several.freeze("api-2")
        try:
            await have_shares(several, "api-1", "api-3")
            await go_on(everybody)
            await eventually(lambda: time.monotonic() - began > FROZEN_S, FROZEN_S + 5)
        finally:
            several.thaw("api-2")
        await go_on(everybody)
        await have_shares(several, *NAMES)
        await go_on(everybody)
        await prove(everybody)
