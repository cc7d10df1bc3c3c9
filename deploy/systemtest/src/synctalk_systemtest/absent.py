"""Members of a group who never connect, thousands of them, written straight into the tables of a running stack."""

from uuid import UUID, uuid4

import asyncpg
from synctalk_backing.postgres import postgres_url
from synctalk_local.stack import stack_credentials

from synctalk_systemtest.stack import RunningStack

USERS = """
insert into users (id, username, display_name)
select u, 'absent-' || u, 'Absent' from unnest($1::uuid[]) u"""
MEMBERS = """
insert into members (conversation_id, user_id, role, joined_at, change_seq, joined_seq)
select c.id, u, 'member', now(), c.change_seq, c.last_seq
from conversations c, unnest($2::uuid[]) u where c.id = $1"""
COUNTED = "update conversations set members_count = members_count + $2 where id = $1"
PROJECTION = """
insert into members (conversation_id, user_id, present, joined_seq, change_seq)
select $1, u, true, 1, 1 from unnest($2::uuid[]) u"""
DEVICES = """
insert into devices (user_id, device_id, session_id, platform, token, token_sha256, created_at)
select u, 'phone', gen_random_uuid(), 'android', u::text, sha256(u::text::bytea), now() from unnest($1::uuid[]) u"""


async def add_absent(stack: RunningStack, conversation_id: str, number: int, *, with_device: int = 0) -> list[str]:
    """Add so many members, the first `with_device` of whom can be pushed to; return their ids."""
    user_ids = [str(uuid4()) for _ in range(number)]
    api, notifier = await _connect(stack, "api"), await _connect(stack, "notifier")
    try:
        async with api.transaction():
            await api.execute(USERS, user_ids)
            await api.execute(MEMBERS, UUID(conversation_id), user_ids)
            await api.execute(COUNTED, UUID(conversation_id), number)
        await notifier.execute(PROJECTION, UUID(conversation_id), user_ids)
        await notifier.execute(DEVICES, user_ids[:with_device])
        await api.execute("analyze members")
        await notifier.execute("analyze members, devices")
    finally:
        await api.close()
        await notifier.close()
    return user_ids


async def _connect(stack: RunningStack, service: str) -> asyncpg.Connection:
    password = stack_credentials(stack.stack).databases[service]
    name = f"synctalk_{service}"
    return await asyncpg.connect(postgres_url(stack.stack.ports.postgres, name, name, password))
