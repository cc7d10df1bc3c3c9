"""Plans of the statements that matter, on a million messages: `python explain.py postgresql://admin@host/postgres`.

Makes a database, fills it, asks PostgreSQL how it runs each statement and how long that takes, and drops it. Fails when
a statement reads a big table from end to end.
"""

import asyncio
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from synctalk_api import tags, terms
from synctalk_api.settings import Settings
from synctalk_api.store import (
    block_copies,
    blocks,
    channels,
    conversation_lists,
    conversations,
    members,
    message_changes,
    messages,
    own_views,
    pins,
    previews,
    pushing,
    revisions,
    search,
    sending,
    server_conversations,
    sharing,
    streaming,
    system_messages,
    thread_pages,
    threads,
    users,
    watermarks,
)
from synctalk_api.store.conversation_lists import BEYOND_ALL
from synctalk_runtime.migrate import migrate
from synctalk_runtime.postgres import Connection, Postgres
from synctalk_testkit.databases import create_database, drop_database

BIG = {
    "conversations",
    "messages",
    "message_terms",
    "members",
    "user_phrases",
    "reactions",
    "reaction_kinds",
    "revisions",
    "mentions",
    "thread_follows",
    "blocks",
}

SEED = """
create function nth(kind int, n bigint) returns uuid language sql immutable as
  $$ select (lpad(to_hex(kind), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;
insert into users (id, username, display_name)
  select nth(1, n), 'user' || n, 'Member Number' || n from generate_series(1, 20000) n;
insert into user_phrases (user_id, phrase)
  select nth(1, n), unnest(array['user' || n, 'member number' || n, 'number' || n]) from generate_series(1, 20000) n;
insert into blocks (user_id, blocked_id, created_at)
  select nth(1, n), nth(1, 1 + (n * 37 + b * 991) % 20000), now()
  from generate_series(1, 20000) n, generate_series(1, 10) b
  on conflict do nothing;
insert into conversations (id, type, title, created_by, created_at, last_seq, change_seq, members_count, active_at,
                           updated_at)
  select nth(2, c), 'group', 'Group ' || c, nth(1, 1), now() - interval '90 days', 50, 51, 20,
         now() - c * interval '1 minute', now()
  from generate_series(1, 20000) c;
insert into conversations (id, type, title, created_by, created_at, last_seq, change_seq, members_count, active_at,
                           updated_at, visibility, title_terms, members_changed_at)
  select nth(4, c), 'group', 'Channel ' || c, nth(1, 1), now(), 0, 1, c * 7919 % 1000, now(), now(), 'public',
         ('channel:1 ' || c || ':2')::tsvector, now() - c * interval '1 minute'
  from generate_series(1, 100000) c;
insert into members (conversation_id, user_id, role, joined_at, delivered_seq, read_seq, change_seq,
                     invited_by)
  select nth(2, c), nth(1, case when m = 0 and c <= 500 then 1 else 2 + (c * 37 + m * 991) % 19999 end), 'member',
         now() - interval '90 days', 45, 40, 1, nth(1, 1)
  from generate_series(1, 20000) c, generate_series(0, 19) m
  on conflict do nothing;
insert into messages (conversation_id, seq, id, change_seq, sender_id, client_message_id, digest, body, mentions,
                      created_at, deleted_at)
  select nth(2, c), s, nth(3, c * 1000 + s), s + 1, nth(1, 2 + (c * 37 + (s % 20) * 991) % 19999), 'm' || s, '\\x00',
         case when s % 50 = 0 then '' when s % 10 = 0 then '我的爸爸' || chr(19968 + ((s * 7919 + c) % 5000)::int)
              else 'message ' || s || ' about topic' || (s * 7919 + c) % 5000 end, '{}',
         now() - (c + (50 - s) * 10) * interval '1 minute', case when s % 50 = 0 then now() end
  from generate_series(1, 20000) c, generate_series(1, 50) s;
-- One conversation that is all threads: 200 of them with a thousand replies each.
insert into conversations (id, type, title, created_by, created_at, last_seq, change_seq, members_count, active_at,
                           updated_at)
  values (nth(5, 1), 'group', 'Threads', nth(1, 1), now() - interval '90 days', 200200, 200201, 2, now(), now());
insert into members (conversation_id, user_id, role, joined_at, change_seq)
  select nth(5, 1), nth(1, n), 'member', now() - interval '90 days', 1 from generate_series(1, 2) n;
insert into messages (conversation_id, seq, id, change_seq, sender_id, client_message_id, digest, body, mentions,
                      created_at, thread_id, thread)
  select nth(5, 1), s, nth(6, s), s + 1, nth(1, 1 + s % 2), 'm' || s, '\\x00', 'message', '{}',
         now() - (200200 - s) * interval '10 seconds', case when s > 200 then nth(6, 1 + s % 200) end,
         case when s <= 200
              then jsonb_build_object('reply_count', 1000, 'last_seq', 200000 + s, 'participant_ids', '[]',
                                      'last_reply_at', now() - (200 - s) * interval '10 seconds') end
  from generate_series(1, 200200) s;
insert into thread_follows (conversation_id, thread_id, user_id, following, read_seq)
  select nth(5, 1), nth(6, t), nth(1, n), true, 199000 from generate_series(1, 200) t, generate_series(1, 2) n;
insert into thread_follows (conversation_id, thread_id, user_id, following, read_seq)
  select nth(2, c), nth(3, c * 1000 + 1), nth(1, 3 + (c + n) % 1000), true, 1
  from generate_series(1, 20000) c, generate_series(1, 5) n;
insert into message_terms (conversation_id, seq, created_at, id, terms)
  select conversation_id, seq, created_at, id, placed_terms(translate(
           '~@from' || replace(sender_id::text, '-', '') || case seq % 25 when 7 then ' ~@link' when 8 then ' ~@pin'
             when 9 then ' ~@reaction' when 11 then ' ~@to' || replace(nth(1, 77)::text, '-', '') when 12 then ' ~@all'
             else '' end || ' ' ||
           case when seq % 10 = 0 then replace('~我的:1 ~的爸:2 ~爸爸:3 ~爸$:4 ~$:5', '$', right(body, 1))
                else format('~message:1 ~%s:2 ~about:3 ~topic:4 ~%s:5', seq, substring(body from '\\d+$')) end,
           '~', chr(1)), conversation_id, seq)
  from messages where deleted_at is null;
insert into revisions (conversation_id, message_id, change_seq, body, edited_at)
  select nth(2, c), nth(3, c * 1000 + s), s + 1, 'before', now()
  from generate_series(1, 20000) c, generate_series(10, 50, 10) s;
insert into mentions (conversation_id, seq, user_id)
  select nth(2, c), s, m.user_id
  from generate_series(1, 20000) c, generate_series(1, 50) s,
       unnest(array[nth(1, 1), nth(1, 2 + s), '00000000-0000-0000-0000-000000000000']) m(user_id)
  where s % 10 > 5;
insert into reactions (conversation_id, message_id, emoji, user_id)
  select nth(2, c), nth(3, c * 1000 + s), '👍', nth(1, u)
  from generate_series(1, 20000) c, generate_series(10, 50, 10) s, generate_series(1, 2) u;
insert into reactions (conversation_id, message_id, emoji, user_id)
  select nth(2, 1), nth(3, 1000 + s), 'emoji' || e, nth(1, u)
  from generate_series(31, 39) s, generate_series(1, 50) e, generate_series(1, 1000) u;
insert into reaction_kinds (conversation_id, message_id, emoji, count)
  select conversation_id, message_id, emoji, count(*) from reactions group by conversation_id, message_id, emoji;
"""


def nth(kind: int, n: int) -> str:
    return str(uuid.UUID(f"{kind:08x}-0000-7000-8000-{n:012x}"))


@dataclass(frozen=True)
class Case:
    sql: str
    args: tuple[Any, ...]
    planned: str = "custom"
    about: str = ""

    @property
    def name(self) -> str:
        """Return the name of the statement."""
        return self.sql.split("\n")[0].removeprefix("-- name: ")


PLANS = ("custom", "generic")
SEARCHES = (
    (10, "message"),
    (10, "m"),
    (500, "topic77"),
    (500, "about nothing"),
    (10, "爸爸"),
    (500, "爸丁"),
    (500, "爸爸 -我的"),
)
"""In how many conversations, for what: common words take the first round, rare ones all of somebody's."""


FILTERED: tuple[tuple[int, str, list[str], bool], ...] = (
    (500, "", [tags.of_sender(nth(1, 77))], False),
    (500, "", [tags.of_mentioned(nth(1, 77))], False),
    (500, "", [tags.of_having("pin")], False),
    (500, "", [tags.of_having("reaction")], False),
    (500, "", [tags.of_having("link")], False),
    (500, "message", [tags.of_sender(nth(1, 77))], False),
    (500, "message", [], True),
    (500, "", [], True),
    (10, "-message", [], False),
    (500, "-message", [], True),
)
"""The same with filters, and whether bounded in time."""


def looked_for(
    count: int, asked: str, tagged: Sequence[str] = (), now: datetime | None = None
) -> tuple[str, tuple[Any, ...]]:
    """Return the statement with its arguments; with `now` for the messages of two hours some days ago."""
    query = terms.query(asked)
    tsquery = " & ".join([*([query.tsquery] if query else []), *tagged])
    after = now and now - timedelta(days=5)
    bounds = after, after and after + timedelta(hours=2)
    places = [nth(2, c) for c in range(1, count + 1)], [50] * count
    by_terms = tagged or (query and not query.excludes_only)
    return search.FOUND if by_terms else search.LISTED, (*places, tsquery, None, None, 21, *bounds, [0] * count)


def cases(now: datetime) -> list[Case]:
    groups = [nth(2, c) for c in range(1, 101)]
    me, some = nth(1, 1), [nth(1, 1)] * 8
    eight = groups[:8]
    new = [str(uuid.uuid4()) for _ in eight]
    send: tuple[Any, ...] = (
        list(range(8)), eight, some, [f"new{n}" for n in range(8)], [b"x"] * 8, [None] * 8, new, ["hello"] * 8,
        ["{}"] * 8, ["{"] * 8, ["}"] * 8, now, "message.created.v1", [None] * 8,
        ["\x01hello:1"] * 8, [{}] * 8, [False] * 8, [None] * 8, [True] * 8, ["[]"] * 8, ["admin"],
        ["admin"], [None] * 8, [False] * 8, [False] * 8, [False] * 8,
    )  # fmt: skip
    one, message = groups[:1], [nth(3, 1031)]
    react: tuple[Any, ...] = (
        one, [31], [60], ["body"], ["{}"], [None], [None], [], [], [], [], one, message, ["emoji7"], [nth(1, 1_001)],
        one, message, ["emoji7"], [1], [], [], one, [60], now, ["message.updated.v1"], ["{}"],
        [60], [None], [None], [None], [], [], [], [], [False], [], [], [], [], [], [], [],
        [False], [False],
    )  # fmt: skip
    busy, thread = nth(5, 1), nth(6, 7)
    replying: tuple[Any, ...] = ([busy], [thread], [me], [200_200], [200_201], [True])
    return [
        *(
            Case(sql, args, planned, "in a conversation that is all threads")
            for planned in PLANS
            for sql, args in (
                (thread_pages.BEFORE, (busy, thread, 150_000, 51, 0)),
                (thread_pages.AFTER, (busy, thread, 150_000, 51)),
                (thread_pages.TOP_LEVEL_BEFORE, (busy, 2**62, 51, 0)),
                (thread_pages.TOP_LEVEL_AFTER, (busy, 100, 51)),
                (messages.BOUNDS, (busy, me)),
                (conversations.VIEWS, ([0], [busy], [me])),
                (threads.ROOTS, ([busy], [thread])),
                (threads.RECOUNT, ([busy], [thread], [200_201], [1], 5)),
                (threads.BEGIN, replying),
                (threads.STATES, ([busy], [thread], [me])),
                (threads.READ, ([0], [busy], [thread], [me], [200_100], "thread.read.v1", "")),
                (threads.PAGE, (me, BEYOND_ALL, [], None, None, 51, True)),
                (threads.FOLLOWERS, ([0], [busy], [thread])),
                (threads.FIRST_UNREAD, (busy, thread, me)),
                (threads.CONVERSATION_OF, (me, thread, None)),
                (threads.WITH_ALL, (me, 100)),
                (threads.UNFOLLOW_ALL, (busy, me)),
                (threads.OF_SENDER, (busy, me)),
            )
        ),
        Case(sending.SEND, send),
        Case(sending.SEND, send, "generic"),
        Case(messages.BEFORE, (groups[1], 40, 51, 0)),
        Case(messages.BEFORE, (groups[0], 40, 9, 0)),
        Case(messages.FIRST_AT, (groups[0], now - timedelta(hours=2))),
        Case(messages.BOUNDS, (groups[0], me)),
        Case(message_changes.FOR_CHANGE, (groups[:1], [nth(3, 1031)], 1)),
        Case(message_changes.WRITE_CHANGES, react),
        Case(messages.CHANGED_SINCE, (groups, [30] * 100, [101] * 100, me)),
        Case(search.CONVERSATIONS, (me, 1_000)),
        *(
            Case(*looked_for(count, asked), planned, f"{asked} in {count}")
            for planned in PLANS
            for count, asked in SEARCHES
        ),
        *(
            Case(*looked_for(count, asked, tagged, now if bounded else None), planned, f"{asked} {tagged} in {count}")
            for planned in PLANS
            for count, asked, tagged, bounded in FILTERED
        ),
        Case(server_conversations.VIEW, (groups[0],)),
        Case(server_conversations.PRESENT, (groups[0],)),
        Case(system_messages.SAID, (eight, ["m7"] * 8, me)),
        *(Case(streaming.OLDER_THAN, (now, 100), planned) for planned in PLANS),
        Case(pins.PAGE, (groups[0], None, None, 51, 0)),
        Case(previews.WRITE, (groups[:2], [10, 20], ["[]", "[]"])),
        Case(revisions.PAGE, (groups[0], nth(3, 1010), 0, 51)),
        Case(own_views.VIEWS, (groups[0],)),
        Case(own_views.VIEWS_OF, (groups[0], [me])),
        Case(conversations.MEMBERS_COUNT, (groups[0],)),
        Case(watermarks.RAISE_WATERMARKS, (eight, some, [49] * 8, [48] * 8, "receipt.read.v1", "")),
        Case(watermarks.RAISE_WATERMARKS, (eight, some, [49] * 8, [48] * 8, "receipt.read.v1", ""), "generic"),
        Case(members.CHANGED_SINCE, (groups, [0] * 100, [101] * 100)),
        Case(sharing.CONTACTS, (me, [nth(1, n) for n in range(1, 201)])),
        Case(sharing.UNRELATED, (me, [nth(1, n) for n in range(1, 1_001)])),
        *(
            Case(sql, args, planned, "200,000 blocks")
            for planned in PLANS
            for sql, args in (
                (blocks.BLOCKERS, (me, [nth(1, n) for n in range(1, 201)])),
                (block_copies.CURRENT, ([me] * 200, [nth(1, n) for n in range(1, 201)])),
                (block_copies.REMOVE, ([me] * 200, [nth(1, n) for n in range(1, 201)])),
                (block_copies.RANGE, (me, me, *block_copies.LAST, 1_000)),
                (block_copies.RANGE, (me, me, nth(1, 100), me, None)),
                (
                    block_copies.OUTDATED,
                    ([f"{n}" for n in range(200)], [me] * 200, [nth(1, n) for n in range(200)], [True] * 200),
                ),
            )
        ),
        Case(members.TIMES_INVITED, ([nth(1, n) for n in range(1, 1_001)], 5_000)),
        *(Case(pushing.PUSHES, (list(range(100)), [me] * 100, groups, [30] * 100), planned) for planned in PLANS),
        Case(pushing.BADGES, ([me, nth(1, 77)], [me] * 100, groups, [])),
        Case(conversation_lists.PAGE, (me, BEYOND_ALL, [], None, None, 51, False)),
        Case(
            conversation_lists.PAGE,
            (me, now - timedelta(minutes=1), groups[:20], now - timedelta(days=1), groups[0], 51, False),
        ),
        Case(conversations.VIEWS, (list(range(50)), groups[:50], [me] * 50)),
        Case(conversation_lists.STATES, (me, 1_001)),
        Case(conversations.HEADS, ([nth(2, c * 19) for c in range(1, 1_001)],)),
        Case(conversations.ROOM, (groups[0], [nth(1, n) for n in range(1, 1_001)])),
        *(
            Case(sql, (me, now - timedelta(minutes=20), *after, 51, *asked), planned, about)
            for planned in PLANS
            for after in ((2**31 - 1, channels.LAST_ID), (500, nth(4, 50_000)))
            for sql, asked, about in (
                (channels.ALL, (), "100,000 channels"),
                (channels.FOUND, ("channel:*",), "a word that all have"),
                (channels.FOUND, ("channel & 77:*",), "one that few have"),
            )
        ),
        Case(users.SEARCH, ("number77", "number77" + users.LAST_CODE_POINT, *users.BEFORE_ALL, 51)),
    ]


def scans(plan: dict[str, Any]) -> list[str]:
    """Return the big tables that a plan reads from end to end, or from an index without a condition on it."""
    whole = plan["Node Type"] in ("Seq Scan", "Index Scan", "Index Only Scan") and "Index Cond" not in plan
    own = [plan["Relation Name"]] if whole and plan["Relation Name"] in BIG else []
    return own + [table for part in plan.get("Plans", []) for table in scans(part)]


async def explain(conn: Connection, case: Case) -> tuple[float, list[str]]:
    """Return how long the statement takes, in milliseconds, and the big tables that it reads from end to end."""
    await conn.execute(f"set plan_cache_mode = 'force_{case.planned}_plan'")
    transaction = conn.transaction()
    await transaction.start()
    try:
        await conn.fetch(case.sql, *case.args)
        await transaction.rollback()
        transaction = conn.transaction()
        await transaction.start()
        found = await conn.fetchval(f"explain (analyze, format json) {case.sql}", *case.args)
    finally:
        await transaction.rollback()
    return found[0]["Execution Time"], scans(found[0]["Plan"])


def postgres_at(url: str) -> Postgres:
    settings = {"database_url": url, "database_command_timeout_s": 1800, "internal_secret": "a secret of no use"}
    return Postgres(Settings.model_validate(settings | {"redis_url": "", "rabbitmq_url": ""}))


async def main(admin_url: str) -> int:
    url = await create_database(admin_url, "api")
    postgres = postgres_at(url)
    try:
        await migrate(url, files("synctalk_api") / "migrations")
        await postgres.open()
        async with postgres.connection() as conn:
            await conn.execute("set statement_timeout = 0")
            await conn.execute(SEED)
            await conn.execute("vacuum analyze")
            return await report(conn)
    finally:
        await postgres.close()
        await drop_database(admin_url, url)


async def report(conn: Connection) -> int:
    """Print the plans; return 1 when a statement reads a big table from end to end."""
    await conn.execute("set jit = off")  # as the accounts of the services have it
    whole = 0
    for case in cases(await conn.fetchval("select now()")):
        took_ms, read = await explain(conn, case)
        remark = f"  reads all of {', '.join(read)}" if read else ""
        sys.stdout.write(f"{case.name:28} {case.planned:8} {took_ms:9.2f} ms  {case.about}{remark}\n")
        whole = max(whole, len(read))
    return min(whole, 1)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
