"""One address floods an entrance while ten honest users talk: they are served as if nobody else were there.

The long form (`make test-abuse`) floods each entrance for 20 s and holds the times of the acks against those of the
same users alone, in the same run. The short form, which runs with all tests, only looks at what must never happen:
a lost ack or a lost connection.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from synctalk_systemtest.edge import production_limits
from synctalk_systemtest.stack import RunningStack, running_stack
from synctalk_testkit.clients import User, Users
from synctalk_testkit.floods.attempts import FLOODS
from synctalk_testkit.floods.honest import Honest, Times, honest_users
from synctalk_testkit.floods.target import Target

SECONDS = float(os.environ.get("FLOOD_SECONDS", "3"))
IS_LONG = SECONDS >= 10
ATTACKER = "127.0.0.66"
ACK_P99_MS = 200
MOST_TIMES_ALONE = 3
UNRELATED = 20
RESULTS = Path(os.environ["FLOOD_RESULTS"]) if "FLOOD_RESULTS" in os.environ else None


@pytest.fixture(scope="module")
def guarded() -> Iterator[RunningStack]:
    """With the edge's limits of production; a development stack has none that one machine could reach."""
    with running_stack(production_limits()) as stack:
        yield stack


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def honest(guarded: RunningStack) -> AsyncIterator[Honest]:
    async with honest_users(guarded.url) as talking:
        yield talking


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def alone(honest: Honest) -> Times:
    return await honest.talk(SECONDS)


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def attacker(honest: Honest) -> Target:
    """An account of the attacker's own, with a group, and unrelated users whose ids it knows."""
    users: Users = honest.users
    mallory = await users.register("Mallory")
    unrelated: list[User] = await users.register_all(*(f"S{n}" for n in range(UNRELATED)))
    group = (await mallory.group_with(*unrelated))["id"]
    return Target(
        url=users.base_url,
        address=ATTACKER,
        seconds=SECONDS,
        token=mallory.access_token,
        conversation_id=group,
        user_ids=tuple(user.id for user in unrelated),
    )


@pytest.mark.timeout(90 + 2 * SECONDS)
@pytest.mark.parametrize("name", FLOODS)
async def test_flood__from_one_address__does_not_touch_ten_honest_users(
    honest: Honest, alone: Times, attacker: Target, name: str
) -> None:
    flooding = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "synctalk_testkit.floods",
        name,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    answered, times = await asyncio.gather(
        flooding.communicate(attacker.to_json().encode()), honest.talk(SECONDS, until=flooding)
    )
    outcome = json.loads(answered[0])
    _note(name, outcome, alone, times)

    assert outcome["attempts"] > 0
    assert times.lost == 0
    assert honest.take_disconnects() == []
    if IS_LONG:
        assert times.p99_ms <= ACK_P99_MS, outcome
        assert times.p99_ms <= MOST_TIMES_ALONE * alone.p99_ms, outcome


def _note(name: str, outcome: dict[str, int], alone: Times, times: Times) -> None:
    if RESULTS is not None:
        with RESULTS.open("a") as file:
            file.write(json.dumps({"flood": name, "alone": alone.view(), "flooded": times.view(), **outcome}) + "\n")
