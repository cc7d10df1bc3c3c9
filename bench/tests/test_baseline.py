"""The load on the plain server: real sockets, a real database, and every message accounted for."""

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from synctalk_bench.load import scenarios
from synctalk_bench.load.baseline import Baseline
from synctalk_bench.load.client import RefusedError, connect
from synctalk_bench.load.crew import LoadError, hired
from synctalk_bench.load.plan import Seat
from synctalk_bench.load.settings import Settings
from synctalk_bench.load.tally import Tally
from synctalk_testkit.ports import free_port

SETTINGS = Settings(
    warm_s=0.2, measure_s=1, workers=1, groups=1, groups_rate_per_s=10, room_size=12, idle_sockets=5, idle_watch_s=0.1
)
LOST = {"lost", "doubled", "not acked", "connection lost", "echoed to its sender"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def plain(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Baseline]:
    side = Baseline(postgres_url, os.getpid(), free_port(), tmp_path_factory.mktemp("baseline"))
    await side.prepare(SETTINGS)
    await side.start()
    yield side
    side.stop()


async def test_connect__token_of_nobody__is_refused(plain: Baseline) -> None:
    with pytest.raises(RefusedError, match="unauthenticated"):
        await connect(plain.url, Seat(plain.users[0].user_id, "no token", plain.groups[0]), Tally())


async def test_open__no_member_of_the_conversation__is_said(plain: Baseline) -> None:
    unrelated = plain.users[-1]
    async with hired(1) as crew:
        with pytest.raises(LoadError, match="does not know that it is a member"):
            await crew.open(plain.url, [Seat(unrelated.user_id, unrelated.token, plain.groups[0])])


async def test_groups__a_second_of_talk__is_counted_whole(plain: Baseline) -> None:
    async with hired(1) as crew:
        talk = await scenarios.groups(plain, crew, SETTINGS)
    assert not talk.faults.keys() & LOST
    assert talk.messages > 0
    assert talk.deliveries > talk.messages
    assert 0 < talk.ack_ms.p50 <= talk.ack_ms.p99
    assert talk.cpu_s.keys() == {"server", "postgres"}


async def test_idle__sockets_that_wait__cost_memory(plain: Baseline) -> None:
    async with hired(1) as crew:
        idle = await scenarios.idle(plain, crew, SETTINGS)
    assert (idle.sockets, idle.faults) == (5, {})
    assert idle.after_bytes > 0
