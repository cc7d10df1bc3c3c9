"""A database of the release before partitions and stores, brought up to date: nothing is lost, and all goes on."""

import hashlib
import json
import shutil
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr
from synctalk_api.actions import backfill
from synctalk_api.actions.moving import Mover
from synctalk_contracts import models, topology
from synctalk_contracts.envelope import Event
from synctalk_contracts.events.messages import MessageCreated, MessageDeleted, MessageUpdated
from synctalk_contracts.events.receipts import ReceiptRead
from synctalk_contracts.ids import format_time
from synctalk_runtime.bus import Bus
from synctalk_runtime.consuming import Published
from synctalk_runtime.errors import ConflictError
from synctalk_runtime.ids import new_id
from synctalk_runtime.migrate import migrate
from synctalk_testkit.eventually import eventually
from synctalk_testkit.plugin import Fresh, FreshDatabase
from synctalk_testkit.service import is_connected

from services.api.tests.integration.conftest import Api, Json, Start, User

MIGRATIONS = files("synctalk_api") / "migrations"
BEGIN = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
EVENTS: tuple[type[Event], ...] = (MessageCreated, MessageUpdated, MessageDeleted, ReceiptRead)


def migrations_below(name: str, folder: Path) -> Path:
    """Return the migrations of a release whose last one is before this name."""
    folder.mkdir()
    for file in MIGRATIONS.iterdir():
        if file.name < name:
            shutil.copy(str(file), folder)
    return folder


def wire(at: datetime | None) -> str | None:
    return None if at is None else format_time(at)


@dataclass
class Conversation:
    """A conversation as its rows say, and what is to be seen of it."""

    id: str
    type: str
    title: str | None
    direct_key: str | None
    created_by: str
    created_at: datetime
    members: list[Json]
    messages: list[Json] = field(default_factory=list)
    change_seq: int = 1

    def change(self) -> int:
        self.change_seq += 1
        return self.change_seq

    def at(self, minutes: int) -> datetime:
        return self.created_at + timedelta(minutes=minutes)

    def send(self, sender_id: str, body: str, **fields: Any) -> Json:
        seq = len(self.messages) + 1
        message = {
            "id": new_id(),
            "conversation_id": self.id,
            "seq": seq,
            "change_seq": self.change(),
            "sender_id": sender_id,
            "client_message_id": f"from-before-{self.id[:8]}-{seq}",
            "body": body,
            "reply_to": None,
            "reactions": {},
            "reaction_counts": {},
            "mentions": [],
            "created_at": self.at(seq),
            "edited_at": None,
            "deleted_at": None,
        } | fields
        self.messages.append(message)
        return message

    def react(self, message: Json, emoji: str, *user_ids: str) -> None:
        for user_id in user_ids:
            message["reactions"].setdefault(emoji, []).append(user_id)
            message["change_seq"] = self.change()
        message["reaction_counts"][emoji] = len(message["reactions"][emoji])

    def member(self, user_id: str) -> Json:
        return next(member for member in self.members if member["user_id"] == user_id)

    @property
    def present(self) -> list[Json]:
        return [member for member in self.members if member["left_at"] is None]

    @property
    def active_at(self) -> datetime:
        at: datetime = self.messages[-1]["created_at"] if self.messages else self.created_at
        return at

    def seen(self) -> list[Json]:
        """Return the messages as that release's interface had them."""
        times = ("created_at", "edited_at", "deleted_at")
        return [message | {time: wire(message[time]) for time in times} for message in self.messages]


def conversation(kind: str, title: str | None, *user_ids: str, at: datetime) -> Conversation:
    group = kind == "group"
    members = [
        {
            "user_id": user_id,
            "role": "owner" if group and not n else "member",
            "joined_at": at,
            "left_at": None,
            "delivered_seq": 0,
            "read_seq": 0,
            "change_seq": 1,
            "invited_by": user_ids[0] if group and n else None,
        }
        for n, user_id in enumerate(user_ids)
    ]
    key = None if group else ":".join(sorted(user_ids))
    return Conversation(str(uuid.uuid4()) if not group else new_id(), kind, title, key, user_ids[0], at, members)


async def insert(conn: asyncpg.Connection, table: str, rows: Sequence[Json]) -> None:
    """Insert rows that have the same columns."""
    if rows:
        columns = ", ".join(rows[0])
        values = ", ".join(f"${n + 1}" for n in range(len(rows[0])))
        statement = f"insert into {table} ({columns}) values ({values})"  # noqa: S608
        await conn.executemany(statement, [tuple(row.values()) for row in rows])


async def write(conn: asyncpg.Connection, each: Conversation) -> None:
    """Write what that release's statements left behind."""
    row = {
        "id": each.id,
        "type": each.type,
        "title": each.title,
        "direct_key": each.direct_key,
        "created_by": each.created_by,
        "created_at": each.created_at,
        "last_seq": len(each.messages),
        "change_seq": each.change_seq,
        "members_count": len(each.present),
        "active_at": each.active_at,
        "updated_at": each.active_at,
    }
    await insert(conn, "conversations", [row])
    await insert(conn, "members", [{"conversation_id": each.id} | member for member in each.members])
    for message in each.messages:
        said = f"{message['reply_to'] or ''}\0{message['body']}".encode()
        digest = None if message["deleted_at"] else hashlib.blake2b(said, digest_size=16).digest()
        kept = {name: value for name, value in message.items() if not name.startswith("reaction")}
        await insert(conn, "messages", [kept | {"digest": digest}])
        named = {"conversation_id": each.id, "message_id": message["id"]}
        for emoji, user_ids in message["reactions"].items():
            await insert(conn, "reactions", [named | {"emoji": emoji, "user_id": user_id} for user_id in user_ids])
            await insert(conn, "reaction_kinds", [named | {"emoji": emoji, "count": len(user_ids)}])


async def write_terms(conn: asyncpg.Connection, each: Conversation) -> None:
    """Index messages as they were when they were sent: since the release that had `message_terms`."""
    for message in each.messages:
        terms = " ".join(f"\x01{word}:{n}" for n, word in enumerate(message["body"].lower().split(), 1))
        await conn.execute(
            "insert into message_terms (conversation_id, seq, created_at, id, terms) "
            "values ($1, $2, $3, $4, placed_terms($5, $1, $2))",
            each.id,
            message["seq"],
            message["created_at"],
            message["id"],
            terms,
        )


def event(kind: type[Event], payload: Json) -> Json:
    at = format_time(BEGIN)
    return {"id": new_id(), "type": kind.type_name(), "time": at, "traceparent": None, "payload": payload}


@dataclass
class Before:
    """What was there: users by name, conversations, events that had not gone out."""

    ids: dict[str, str]
    group: Conversation
    direct: Conversation
    silent: Conversation
    unsent: list[Json]

    def of(self, name: str) -> list[Conversation]:
        """Return the conversations of a user, as they are listed."""
        mine = [
            each
            for each in (self.group, self.direct, self.silent)
            if any(member["user_id"] == self.ids[name] for member in each.present)
        ]
        return sorted(mine, key=lambda each: each.active_at, reverse=True)


def a_group(ada: str, ben: str, cleo: str, dan: str) -> Conversation:
    group = conversation("group", "Tea at five", ada, ben, cleo, dan, at=BEGIN)
    for n in range(40):
        senders = (ada, ben, cleo) if n < 20 else (ada, cleo)
        group.send(senders[n % len(senders)], f"cup number {n + 1}")
    answered, edited, deleted, liked = (group.messages[n] for n in (7, 2, 4, 6))
    answered["reply_to"] = liked["id"]
    group.messages[8] |= {"body": "hello @ben-of-before", "mentions": [ben]}
    edited |= {"body": "a teapot instead", "edited_at": group.at(50), "change_seq": group.change()}
    deleted |= {"body": "", "deleted_at": group.at(51), "change_seq": group.change()}
    group.react(liked, "👍", cleo, ada)
    group.react(liked, "🎉", ben)
    group.member(dan).update(left_at=group.at(52), change_seq=group.change())
    group.member(ben).update(role="admin", change_seq=group.change(), delivered_seq=39, read_seq=20)
    group.member(ada).update(delivered_seq=40, read_seq=40)
    group.member(cleo).update(delivered_seq=40, read_seq=40)
    return group


@pytest.fixture
async def before(fresh_database: FreshDatabase, tmp_path: Path) -> tuple[str, Before]:
    """Return the address of a database that a release before partitions had, and what is in it."""
    url = await fresh_database("api")
    ids = {name: new_id() for name in ("ada", "ben", "cleo", "dan")}
    ada, ben, cleo, dan = ids.values()
    group = a_group(ada, ben, cleo, dan)
    direct = conversation("direct", None, ada, ben, at=BEGIN + timedelta(days=1))
    for sender_id, body in ((ada, "have you seen the kettle"), (ben, "it whistles"), (ada, "the kettle is back")):
        direct.send(sender_id, body)
    direct.member(ada).update(delivered_seq=3, read_seq=3)
    direct.member(ben).update(delivered_seq=3, read_seq=2)
    silent = conversation("direct", None, ada, dan, at=BEGIN + timedelta(days=2))
    unsent = [
        event(MessageCreated, {"message": group.seen()[38]}),
        event(MessageCreated, {"message": group.seen()[39]}),
        event(ReceiptRead, {"conversation_id": group.id, "user_id": cleo, "read_seq": 40}),
        event(MessageUpdated, {"message": group.seen()[2]}),
        event(MessageDeleted, {"message": group.seen()[4]}),
        event(MessageCreated, {"message": direct.seen()[2]}),
    ]
    await migrate(url, migrations_below("0008", tmp_path / "before-search"))
    conn = await asyncpg.connect(url)
    try:
        # A release with no terms wrote the users and the group, the next one the direct conversations.
        users = [
            {"id": user_id, "username": f"{name}-of-before", "display_name": name.title()}
            for name, user_id in ids.items()
        ]
        await insert(conn, "users", users)
        phrases = [
            (each["id"], phrase) for each in users for phrase in (each["username"], each["display_name"].lower())
        ]
        await insert(conn, "user_phrases", [{"user_id": user_id, "phrase": phrase} for user_id, phrase in phrases])
        await write(conn, group)
        await migrate(url, migrations_below("0010", tmp_path / "before-partitions"))
        assert await conn.fetchval("select to_regclass('partition_map')") is None
        for each in (direct, silent):
            await write(conn, each)
            await write_terms(conn, each)
        waiting = [{"type": each["type"], "envelope": json.dumps(each, ensure_ascii=False)} for each in unsent]
        await insert(conn, "outbox", waiting)
    finally:
        await conn.close()
    return url, Before(ids, group, direct, silent, unsent)


def users_of(api: Api, was: Before) -> dict[str, User]:
    users = {}
    for name, user_id in was.ids.items():
        profile = models.User(id=user_id, username=f"{name}-of-before", display_name=name.title(), avatar_url=None)
        api.auth.registered[user_id] = profile
        users[name] = User(api.service, api.auth.tokens, user_id, profile=profile)
    return users


@asynccontextmanager
async def listener(rabbitmq_url: SecretStr) -> AsyncIterator[list[Published]]:
    """Receive all events from the first on, as another service's durable queue does."""
    events: list[Published] = []

    async def note(batch: list[Published]) -> None:
        events.extend(batch)

    bus = Bus(rabbitmq_url, "listener")
    queue = topology.DurableQueue("listener.events", tuple(kind.type_name() for kind in EVENTS), is_single_active=True)
    bus.subscribe_in_order(queue, note)
    await bus.start()
    await eventually(lambda: is_connected(bus))
    yield events
    await bus.stop()


def only(found: Json, names: Sequence[str]) -> Json:
    return {name: found[name] for name in names}


async def assert_whole(users: dict[str, User], was: Before) -> None:
    """Read everything through the routes, as each user."""
    for name, user in users.items():
        listed = await user.list("/v1/conversations", limit=2)
        assert [each["id"] for each in listed] == [each.id for each in was.of(name)]
        for shown, expected in zip(listed, was.of(name), strict=True):
            await assert_shown(user, shown, expected)
    gone = await users["dan"].call("GET", f"/v1/conversations/{was.group.id}/messages")
    assert (gone.status, gone.code) == (404, "not_found")
    found = await users["ada"].get("/v1/users", params={"search": "ben-of-b"})
    assert [each["id"] for each in found["items"]] == [users["ben"].id]


async def assert_shown(user: User, shown: Json, expected: Conversation) -> None:
    path = f"/v1/conversations/{expected.id}"
    me = expected.member(user.id)
    assert only(
        shown, ("type", "title", "last_seq", "change_seq", "members_count", "read_seq", "role", "unread_count")
    ) == {
        "type": expected.type,
        "title": expected.title,
        "last_seq": len(expected.messages),
        "change_seq": expected.change_seq,
        "members_count": len(expected.present),
        "read_seq": me["read_seq"],
        "role": me["role"],
        "unread_count": len(expected.messages) - me["read_seq"],
    }
    seen = expected.seen()
    history: list[Json] = []
    while len(history) < len(seen):  # from the newest page to the oldest
        oldest = history[0]["seq"] if history else len(seen) + 1
        page = await user.get(f"{path}/messages", params={"before_seq": str(oldest), "limit": "15"})
        assert page["items"]
        history = page["items"] + history
    assert [only(message, list(was)) for message, was in zip(history, seen, strict=True)] == seen
    members = {member["user"]["id"]: member for member in await user.list(f"{path}/members", limit=2)}
    watermarks = ("role", "delivered_seq", "read_seq")
    assert {user_id: only(member, watermarks) for user_id, member in members.items()} == {
        member["user_id"]: only(member, watermarks) for member in expected.present
    }
    assert all(members[m["user_id"]]["joined_at"] == wire(m["joined_at"]) for m in expected.present)


async def test_layout_before_partitions__brought_up_to_date__loses_nothing(
    before: tuple[str, Before], start_api: Start, fresh_vhost: Fresh
) -> None:
    url, was = before
    rabbitmq_url = await fresh_vhost()
    async with (
        listener(SecretStr(rabbitmq_url)) as events,
        start_api(database_url=url, rabbitmq_url=rabbitmq_url, outbox_interval_s=0.05) as api,
    ):
        users = users_of(api, was)
        ada, ben, cleo = users["ada"], users["ben"], users["cleo"]
        group, direct = was.group, was.direct
        await eventually(lambda: len(events) >= len(was.unsent), message="rows of the outbox were not published")
        assert [published.id for published in events] == [each["id"] for each in was.unsent]
        for published, written in zip(events, was.unsent, strict=True):
            payload = published.event.model_dump(mode="json")
            for name, value in written["payload"].items():
                assert (only(payload[name], list(value)) if name == "message" else payload[name]) == value
        assert await api.sql("select from outbox") == []

        await assert_whole(users, was)

        # What the change numbers lead to: all, or what came after a cursor.
        synced = (await ben.post("/v1/sync", {"cursors": {group.id: 41, direct.id: direct.change_seq}}))[
            "conversations"
        ]
        assert [message["seq"] for message in synced[group.id]["messages"]] == [3, 5, 7]
        changed = {each["user"]["id"]: each["role"] for each in synced[group.id]["members"]}
        assert changed == {ben.id: "admin", users["dan"].id: None}
        assert synced[direct.id]["messages"] == []
        everything = (await cleo.post("/v1/sync", {"cursors": {group.id: 0}}))["conversations"][group.id]
        assert (everything["change_seq"], everything["more"]) == (group.change_seq, False)
        by_seq = sorted(everything["messages"], key=lambda message: message["seq"])
        assert [only(message, list(seen)) for message, seen in zip(by_seq, group.seen(), strict=True)] == group.seen()

        # A search finds what had its terms, and what is indexed while api serves.
        async def found(user: User, words: str) -> list[tuple[str, int]]:
            hits = (await user.get("/v1/search/messages", params={"q": words}))["items"]
            return [(hit["message"]["conversation_id"], hit["message"]["seq"]) for hit in hits]

        async def is_indexed() -> bool:
            return await found(cleo, "teapot") == [(group.id, 3)]

        assert await found(ben, "kettle") == [(direct.id, 3), (direct.id, 1)]
        await eventually(is_indexed, message="the messages of before are not indexed")
        assert await found(ada, "cup number 40") == [(group.id, 40)]
        assert await found(ada, "cup number 5") == []
        assert await found(cleo, "kettle") == []

        # A repeat is the message that is there, and two users have the one conversation that they had.
        first = group.messages[0]
        again = await ada.post(
            f"/v1/conversations/{group.id}/messages",
            {"client_message_id": first["client_message_id"], "body": first["body"]},
        )
        assert (again["id"], again["seq"]) == (first["id"], 1)
        assert (await ben.direct(ada))["id"] == direct.id

        # Numbers go on where they stood, and old messages change as new ones do.
        sent = await cleo.send(group.id, "cup number 41", reply_to=group.messages[39]["id"])
        assert (sent["seq"], sent["change_seq"]) == (41, group.change_seq + 1)
        liked = f"/v1/conversations/{group.id}/messages/{group.messages[6]['id']}"
        await ben.put(f"{liked}/reactions/👍")
        await cleo.delete(f"{liked}/reactions/👍")
        page = await ada.get(f"/v1/conversations/{group.id}/messages", params={"around_seq": "7", "limit": "1"})
        [message] = page["items"]
        assert message["reactions"] == {"👍": [ada.id, ben.id], "🎉": [ben.id]}
        assert (message["change_seq"], message["reaction_counts"]) == (group.change_seq + 3, {"👍": 2, "🎉": 1})
        await ben.post(f"/v1/conversations/{group.id}/read", {"seq": 41})
        assert (await ben.get(f"/v1/conversations/{group.id}"))["unread_count"] == 0
        assert (await users["dan"].send(was.silent.id, "first"))["seq"] == 1
        assert [each["id"] for each in await ada.list("/v1/conversations", limit=1)] == [
            was.silent.id,
            group.id,
            direct.id,
        ]


async def test_layout_before_partitions__moved_to_another_store__is_whole(
    before: tuple[str, Before], start_api: Start, fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "IDLE_S", 0.05)
    url, was = before
    second = await fresh_database("api")
    async with start_api(database_url=url, api_stores={"second": second}) as api:
        users = users_of(api, was)
        partitions = sorted({topology.partition_of(each.id) for each in (was.group, was.direct, was.silent)})

        async def is_indexed() -> bool:
            return not await api.sql("select from unindexed_conversations union all select from unindexed_users")

        async with Mover.opened(api.settings) as mover:
            with pytest.raises(ConflictError, match="still being indexed"):
                await mover.move(partitions, "second")
            # The second look, at what the old version may have written meanwhile, is due in a quarter of an hour.
            await api.sql("update unindexed_conversations set due_at = due_at - interval '1 hour'")
            await eventually(is_indexed, 30, message="the messages of before are not indexed")
            assert await mover.move(partitions, "second") == len(partitions)

        assert await api.sql("select from conversations") == []
        await assert_whole(users, was)
        sent = await users["ben"].send(was.group.id, "in the other store")
        assert (sent["seq"], sent["change_seq"]) == (41, was.group.change_seq + 1)
        assert (await users["ben"].direct(users["ada"]))["id"] == was.direct.id
