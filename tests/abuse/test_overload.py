"""Three times as much as the system can write: what it takes is as quick as ever, the rest is refused at once.

Commits are made slow, so that one machine can offer three times the capacity. The short form, which runs with all
tests, leaves the times out.
"""

import os
from collections.abc import AsyncIterator, Iterator

import asyncpg
import psutil
import pytest
import pytest_asyncio
from synctalk_backing.postgres import postgres_url
from synctalk_local.stack import stack_credentials
from synctalk_systemtest.stack import RunningStack, running_stack
from synctalk_testkit.clients import users_at
from synctalk_testkit.floods.offered import Answers, Sender, offer, senders_at

SECONDS = float(os.environ.get("FLOOD_SECONDS", "3"))
IS_LONG = SECONDS >= 10
SENDERS = 40
COMMIT_DELAY_US = 100_000
MORE_THAN_ENOUGH_PER_S = 1_500
MOST_TIMES_AT_CAPACITY = 2
MOST_GROWTH_BYTES = 64 * 2**20
WELL_WITHIN_S = 5

SETTINGS = {"SYNCTALK_MESSAGE_RATE_PER_S": "10000", "SYNCTALK_MESSAGE_BURST": "10000"}


@pytest.fixture(scope="module")
def slow() -> Iterator[RunningStack]:
    with running_stack(SETTINGS) as stack:
        yield stack


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def senders(slow: RunningStack) -> AsyncIterator[list[Sender]]:
    async with users_at(slow.url) as users, senders_at(slow.internal_url("gateway-1"), users, SENDERS) as made:
        await _slow_down_commits(slow)
        yield made


async def _slow_down_commits(stack: RunningStack) -> None:
    url = postgres_url(
        stack.stack.ports.postgres, "postgres", "postgres", stack_credentials(stack.stack).postgres_admin
    )
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"alter system set commit_delay = {COMMIT_DELAY_US}")
        await connection.execute("alter system set commit_siblings = 0")
        await connection.execute("select pg_reload_conf()")
    finally:
        await connection.close()


@pytest.mark.timeout(120 + 5 * SECONDS)
async def test_offered__three_times_the_capacity__is_taken_as_quickly_or_refused_at_once(
    slow: RunningStack, senders: list[Sender]
) -> None:
    first = await offer(senders, MORE_THAN_ENOUGH_PER_S, SECONDS)
    capacity = len(first.accepted_s) / SECONDS
    at_capacity = await offer(senders, capacity * 0.9, SECONDS)
    before = _memory(slow)
    overloaded = await offer(senders, capacity * 3, SECONDS)
    grown = _memory(slow) - before
    after = await offer(senders, capacity / 3, WELL_WITHIN_S)

    assert overloaded.refused_s
    for answers in (at_capacity, overloaded, after):
        assert answers.unanswered == 0
        assert answers.without_retry_after == 0
    assert grown < MOST_GROWTH_BYTES
    assert after.refused_s == []
    if IS_LONG:
        _are_as_quick(overloaded, at_capacity)
        assert sum(overloaded.refused_s) / len(overloaded.refused_s) * 1000 < at_capacity.accepted_ms(0.5)


def _are_as_quick(overloaded: Answers, at_capacity: Answers) -> None:
    for share in (0.5, 0.99):
        assert overloaded.accepted_ms(share) <= MOST_TIMES_AT_CAPACITY * at_capacity.accepted_ms(share)


def _memory(stack: RunningStack) -> int:
    return sum(int(psutil.Process(stack.pid(name)).memory_info().rss) for name in ("gateway-1", "api-1"))
