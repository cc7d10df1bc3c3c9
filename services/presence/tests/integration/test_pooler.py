"""presence behind a pooler in transaction mode does what it does without one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from pydantic import SecretStr
from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually
from synctalk_testkit.own_pgbouncer import own_pgbouncer

if TYPE_CHECKING:
    from services.presence.tests.harness import ApiStub, StartPresence


async def test_everything__behind_a_pooler__works(
    start_presence: StartPresence, database_url: str, api: ApiStub
) -> None:
    users = [new_id() for _ in range(20)]
    api.befriend(*users)
    with own_pgbouncer(database_url) as url:
        presence = await start_presence(database_url=SecretStr(url), database_transaction_pooler=True)
        await eventually(presence.is_ready)
        connections = dict(zip(users, await asyncio.gather(*map(presence.connect, users)), strict=True))
        await asyncio.gather(*(presence.set_own(user, status="dnd") for user in users[::2]))

        async def statuses() -> list[str]:
            return [str(each["status"]) for each in await presence.look(users[1], *users)]

        await eventually(lambda: _equals(statuses, ["dnd", "online"] * 10))
        await presence.report(released=[(user, connections[user]) for user in users[2:]])
        await eventually(lambda: _equals(statuses, ["dnd", "online", *["offline"] * 18]))
        assert all(await asyncio.gather(*(presence.is_last_seen(users[0], user) for user in users[2:])))


async def _equals(statuses: Callable[[], Awaitable[list[str]]], expected: list[str]) -> bool:
    found = await statuses()
    assert found == expected
    return True
