"""Pages of threads and counts of unread messages read an index that has nothing else."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from synctalk_api.store import conversations, messages, pushing, thread_pages, threads
from synctalk_api.store.conversation_lists import BEYOND_ALL
from synctalk_runtime.ids import new_id

from services.api.tests.integration.conftest import Start

CONVERSATION, ROOT, USER = new_id(), new_id(), new_id()

FILL = """\
create function root(n int) returns uuid immutable return
  case n when 0 then 'ROOT' else ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid end;
insert into messages (conversation_id, seq, id, change_seq, sender_id, client_message_id, body, mentions, created_at,
                      thread_id)
  select 'CONVERSATION', s, gen_random_uuid(), s, 'USER', 'm' || s, '', '{}', now(),
         case when s % 1000 <> 1 then root(s % 50) end
  from generate_series(1, 20000) s;
insert into conversations (id, type, created_by, created_at, last_seq, change_seq, members_count, active_at, updated_at)
  values ('CONVERSATION', 'group', 'USER', now(), 20000, 20000, 1, now(), now());
insert into members (conversation_id, user_id, role, joined_at, change_seq)
  values ('CONVERSATION', 'USER', 'owner', now(), 1);
insert into thread_follows (conversation_id, thread_id, user_id, following, read_seq)
  select 'CONVERSATION', root(s % 50), gen_random_uuid(), true, 0 from generate_series(1, 2000) s;
analyze messages, thread_follows;
set enable_seqscan = off"""
"""A conversation of little but replies, in fifty threads."""


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def conn(start_api: Start) -> AsyncIterator[asyncpg.Connection]:
    async with start_api() as api:
        connection = await asyncpg.connect(api.settings.database_url.get_secret_value())
        filled = FILL.replace("CONVERSATION", CONVERSATION).replace("ROOT", ROOT).replace("USER", USER)
        await connection.execute(filled)
        yield connection
        await connection.close()


@pytest.mark.parametrize(
    ("statement", "args", "index"),
    [
        (thread_pages.BEFORE, (CONVERSATION, ROOT, 10_000, 51, 0), "messages_in_thread"),
        (thread_pages.AFTER, (CONVERSATION, ROOT, 10_000, 51), "messages_in_thread"),
        (thread_pages.TOP_LEVEL_BEFORE, (CONVERSATION, 10_000, 51, 0), "messages_top_level"),
        (thread_pages.TOP_LEVEL_AFTER, (CONVERSATION, 10_000, 51), "messages_top_level"),
        (messages.BOUNDS, (CONVERSATION, USER), "messages_top_level"),
        (conversations.VIEWS, ([0], [CONVERSATION], [USER]), "messages_not_counted"),
        (pushing.BADGES, ([USER], [], [], []), "messages_not_counted"),
        (threads.RECOUNT, ([CONVERSATION], [ROOT], [1], [1], 5), "messages_thread_senders"),
        (threads.PAGE, (USER, BEYOND_ALL, [], None, None, 51, True), "thread_follows_of_user"),
        (threads.UNFOLLOW_ALL, (CONVERSATION, USER), "thread_follows_of_user"),
        (threads.FOLLOWERS, ([0], [CONVERSATION], [ROOT]), "thread_follows_pkey"),
    ],
)
async def test_statement__reads_its_index(
    conn: asyncpg.Connection, statement: str, args: tuple[Any, ...], index: str
) -> None:
    plan = await conn.fetchval(f"explain (format json) {statement}", *args)

    assert index in plan
    assert "Seq Scan" not in plan
