"""The load on the baselines: real sockets, real stores, and every message accounted for."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from synctalk_bench.load import scenarios
from synctalk_bench.load.baseline import Baseline, programs
from synctalk_bench.load.client import RefusedError, connect
from synctalk_bench.load.crew import Crew, LoadError, hired
from synctalk_bench.load.plan import Seat
from synctalk_bench.load.results import Talk
from synctalk_bench.load.settings import Settings
from synctalk_bench.load.side import Side
from synctalk_bench.load.tally import Tally

CHECKOUT = Path(__file__).parents[2]
Load = Callable[[Side, Crew, Settings], Awaitable[Talk]]
SETTINGS = Settings(
    warm_s=0.2,
    measure_s=1,
    workers=1,
    groups=1,
    groups_rate_per_s=10,
    pairs=2,
    pairs_rate_per_s=10,
    room_size=12,
    idle_sockets=5,
    idle_watch_s=0.1,
)
LOST = {"lost", "doubled", "not acked", "connection lost", "echoed to its sender"}


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["python", "node", "node-group"])
async def plain(
    request: pytest.FixtureRequest,
    postgres_url: str,
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Baseline]:
    folder = tmp_path_factory.mktemp("baseline")
    program = programs([request.param], CHECKOUT / ".local", print)[request.param]
    urls = {"DATABASE_URL": postgres_url, "REDIS_URL": redis_url}
    side = Baseline(request.param, program, urls, {"postgres": os.getpid()}, folder)
    await side.prepare(SETTINGS)
    await side.start()
    yield side
    side.stop()
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute("drop table messages, members, conversations")
    finally:
        await connection.close()


async def test_connect__token_of_nobody__is_refused(plain: Baseline) -> None:
    with pytest.raises(RefusedError, match="unauthenticated"):
        await connect(plain.url, Seat(plain.users[0].user_id, "no token", plain.groups[0]), Tally())


async def test_open__no_member_of_the_conversation__is_said(plain: Baseline) -> None:
    unrelated = plain.users[-1]
    async with hired(1) as crew:
        with pytest.raises(LoadError, match="does not know that it is a member"):
            await crew.open(plain.url, [Seat(unrelated.user_id, unrelated.token, plain.groups[0])])


@pytest.mark.parametrize("load", [scenarios.groups, scenarios.pairs])
async def test_talk__a_second_of_it__is_counted_whole(plain: Baseline, load: Load) -> None:
    async with hired(1) as crew:
        talk = await load(plain, crew, SETTINGS)
    assert not talk.faults.keys() & LOST
    assert talk.messages > 0
    assert talk.deliveries > 0
    assert 0 < talk.ack_ms.p50 <= talk.ack_ms.p99
    assert talk.cpu_s.keys() == {"server", "postgres"}


async def test_highest__a_rate_that_is_too_high__is_left_behind(plain: Baseline) -> None:
    settings = replace(SETTINGS, highest_from_per_s=20, highest_measure_s=0.5, highest_ack_p99_ms=0.001)
    async with hired(1) as crew:
        assert await scenarios.highest(plain, crew, settings, probes=2) is None


async def test_idle__sockets_that_wait__cost_memory(plain: Baseline) -> None:
    async with hired(1) as crew:
        idle = await scenarios.idle(plain, crew, SETTINGS)
    assert (idle.sockets, idle.faults) == (5, {})
    assert idle.after_bytes > 0
