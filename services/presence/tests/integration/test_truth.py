"""Whatever happens at once: what was said last is what is true, and nothing is said twice."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.presence.tests.harness import Listen, ReceivedEvents, Service, StartPresence

ACTS = 25


async def live_a_little(services: list[Service], user_id: str, chance: random.Random) -> bool:
    """Come, go, and change one's mind, through any process; whether one is still connected at the end."""
    open_ones: set[str] = set()
    for act in range(ACTS):
        service = chance.choice(services)
        match chance.randrange(4):
            case 0:
                open_ones.add(await service.connect(user_id, f"{act}"))
            case 1 if open_ones:
                await service.disconnect(user_id, open_ones.pop())
            case 2:
                await service.set_own(user_id, status=chance.choice(["online", "away", "dnd", "invisible"]))
            case _:
                await service.report(held=[(user_id, connection) for connection in open_ones])
    return bool(open_ones)


async def test_presence__of_many_at_once__ends_true_and_is_never_repeated(
    start_presence: StartPresence, listen: Listen
) -> None:
    users = [new_id() for _ in range(20)]
    received = await listen(*users)
    fast = {"grace_s": 0.02, "sweep_interval_s": 0.01, "lease_s": 30.0, "set_burst": 1000}
    services = [await start_presence(instance=f"presence-{n}", **fast) for n in range(2)]
    connected = await asyncio.gather(*(live_a_little(services, p, random.Random(n)) for n, p in enumerate(users)))
    for user_id, is_connected in zip(users, connected, strict=True):
        await services[0].set_own(user_id, status="dnd", custom_status="at the end")
        await eventually(partial(_is_true, services[0], received, user_id, connected=is_connected))
        shown = [event.shown for event in received.of(user_id) if event.shown_changed]
        assert all(one != next_one for one, next_one in pairwise(shown))


async def _is_true(service: Service, received: ReceivedEvents, user_id: str, *, connected: bool) -> bool:
    """Seen, said and leased are the same."""
    seen = (await service.look(user_id, user_id))[0]
    said = received.of(user_id)[-1].own.model_dump(mode="json")
    return seen == said and seen["status"] == ("dnd" if connected else "offline")
