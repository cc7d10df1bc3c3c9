"""The version before serves on while the tables are those of this one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files

import asyncpg
from synctalk_runtime.migrate import migrate

ADD = "insert into heard (heard_at, due_at, conversation_ids, messages) values (now(), now(), $1, '[]')"
TAKE_DUE = """\
update heard set due_at = null
where id in (select id from heard where due_at <= now() order by due_at limit 5 for update skip locked) returning id"""
MAKE_DUE_AGAIN = "update heard set due_at = now() where due_at is null and conversation_ids && $1::uuid[]"
FORGET = "delete from heard where due_at is null and heard_at < now() + interval '1 s'"
CONVERSATION = "018f0000-0000-7000-8000-000000000001"


async def test_incoming_messages__the_version_before__writes_through_the_old_name(
    fresh_database: Callable[[str], Awaitable[str]],
) -> None:
    url = await fresh_database("notifier")
    await migrate(url, files("synctalk_notifier") / "migrations")
    conn = await asyncpg.connect(url)
    try:
        await conn.execute(ADD, [CONVERSATION])
        assert await conn.fetchval("select count(received_at) from incoming_messages") == 1
        assert len(await conn.fetch(TAKE_DUE)) == 1
        assert await conn.execute(MAKE_DUE_AGAIN, [CONVERSATION]) == "UPDATE 1"
        assert len(await conn.fetch(TAKE_DUE)) == 1
        assert await conn.execute(FORGET) == "DELETE 1"
    finally:
        await conn.close()
