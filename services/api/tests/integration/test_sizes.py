"""Messages that are large: bounded on the wire and in a page, whatever users react with."""

import time

import orjson
import pytest
from synctalk_api import rules
from synctalk_contracts.commands import AddReaction, AnyCommand, RemoveReaction
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api, Json, Start, User

KINDS, USERS = 50, 1_000

REACT_WITH_MANY = """
with wanted as (select id as message_id, conversation_id from messages where conversation_id = $1 and seq <= $4)
insert into reactions (conversation_id, message_id, emoji, user_id)
select wanted.conversation_id, wanted.message_id, chr(128512 + e), lpad(to_hex(u), 32, '0')::uuid
from wanted, generate_series(0, $2 - 1) e, generate_series(1, $3::int) u"""

COUNT_THEM = """
insert into reaction_kinds (conversation_id, message_id, emoji, count)
select conversation_id, message_id, emoji, count(*) from reactions where conversation_id = $1
group by conversation_id, message_id, emoji"""


async def reacted_by_many(
    api: Api, ada: User, ben: User, *, messages: int, kinds: int = KINDS, users: int = USERS
) -> Json:
    """A conversation of messages that each have reactions of many, as `PUT …/reactions` would have left them."""
    conversation = await ada.direct(ben)
    for n in range(messages):
        await ada.send(conversation["id"], f"{n}")
    await api.sql(REACT_WITH_MANY, conversation["id"], kinds, users, messages)
    await api.sql(COUNT_THEM, conversation["id"])
    return conversation


def size(response: Json) -> int:
    return len(orjson.dumps(response))


async def test_page__of_messages_with_10_000_reactions_each__is_under_its_bound_and_quick(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await reacted_by_many(api, ada, ben, messages=12, users=200)
    path = f"/v1/conversations/{conversation['id']}/messages"

    began = time.monotonic()
    page = await ada.get(path)
    took = time.monotonic() - began

    assert size(page) < 1024 * 1024
    assert took < 2
    message = page["items"][0]
    assert set(message["reaction_counts"].values()) == {200}
    assert {len(user_ids) for user_ids in message["reactions"].values()} == {10}
    assert len(message["reactions"]) == KINDS


async def test_reaction__to_a_message_with_50_000_of_them__is_small_and_counted(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await reacted_by_many(api, ada, ben, messages=1)
    (message,) = (await ada.get(f"/v1/conversations/{conversation['id']}/messages"))["items"]
    place = {"conversation_id": conversation["id"], "message_id": message["id"], "user_id": ada.id}
    await api.subscribe(conversation["id"])

    added = await api.command(AddReaction(emoji=chr(128512), **place))
    repeated = await api.command(AddReaction(emoji=chr(128512), **place))
    removed = await api.command(RemoveReaction(emoji=chr(128512), **place))

    counts = [reply["result"]["message"]["reaction_counts"][chr(128512)] for reply in (added, repeated, removed)]
    assert counts == [USERS + 1, USERS + 1, USERS]
    await eventually(lambda: {event.change_seq for event in api.redis.room_events(conversation["id"])} == {3, 4})
    assert max(size(event.payload) for event in api.redis.room_events(conversation["id"])) < 64 * 1024
    await ada.delete(f"/v1/conversations/{conversation['id']}/messages/{message['id']}")
    for table in ("reactions", "reaction_kinds"):
        assert not await api.sql(f"select from {table} where conversation_id = $1", conversation["id"])


@pytest.mark.parametrize("kinds", [1, 5, 6])
async def test_reactions__not_all_listed_and_changed__are_published_as_they_are_read(api: Api, kinds: int) -> None:
    """Who is listed moves up when one of the first takes theirs back, and when there is one kind less."""
    ada, ben = await api.users(2)
    conversation = await reacted_by_many(api, ada, ben, messages=1, kinds=kinds, users=98)
    path = f"/v1/conversations/{conversation['id']}/messages"
    (message,) = (await ada.get(path))["items"]
    place = {"conversation_id": conversation["id"], "message_id": message["id"]}
    emoji = chr(128512)
    first = f"{1:032x}"
    first = f"{first[:8]}-{first[8:12]}-{first[12:16]}-{first[16:20]}-{first[20:]}"
    await api.sql(
        "update reactions set user_id = $2 where user_id = $1 and message_id = $3", first, ben.id, message["id"]
    )
    batches: list[list[AnyCommand]] = [
        [AddReaction(emoji=emoji, user_id=ada.id, **place)],
        [AddReaction(emoji="🧡", user_id=ada.id, **place), RemoveReaction(emoji=emoji, user_id=ben.id, **place)],
        [RemoveReaction(emoji="🧡", user_id=ada.id, **place), AddReaction(emoji=emoji, user_id=ben.id, **place)],
    ]
    for commands in batches:
        replies = await api.commands(commands)

        (read,) = (await ada.get(path))["items"]
        assert replies[-1]["result"]["message"] == read
        assert {len(user_ids) for user_ids in read["reactions"].values()} <= {
            1, 97, 98, 99, rules.listed_max(len(read["reactions"])),
        }  # fmt: skip


async def test_pages__of_large_messages__end_earlier_and_go_on(start_api: Start) -> None:
    async with start_api(page_bytes_max=20_000) as api:
        ada, ben = await api.users(2)
        conversation = await ada.direct(ben)
        for n in range(10):
            await ada.send(conversation["id"], f"large {n} " + "é" * (3_000 if n else 7_900))
        path = f"/v1/conversations/{conversation['id']}/messages"

        backwards = await walked(ada, path, {})
        forwards = await walked(ada, path, {"after_seq": "0"})
        found = await walked(ada, "/v1/search/messages", {"q": "large", "conversation_id": conversation["id"]})

        assert backwards == [[8, 9, 10], [5, 6, 7], [2, 3, 4], [1]]
        assert forwards == [[1], [2, 3, 4], [5, 6, 7], [8, 9, 10]]
        assert [seq for seqs in found for seq in seqs] == list(range(10, 0, -1))
        assert max(len(seqs) for seqs in found) == 3


async def walked(user: User, path: str, asked: dict[str, str]) -> list[list[int]]:
    pages, cursor = [], None
    while True:
        page = await user.get(path, params=asked if cursor is None else asked_next(asked, cursor))
        assert page["items"]
        pages.append([item.get("message", item)["seq"] for item in page["items"]])
        cursor = page["next_cursor"]
        if cursor is None:
            return pages


def asked_next(asked: dict[str, str], cursor: str) -> dict[str, str]:
    return {name: value for name, value in asked.items() if name != "after_seq"} | {"cursor": cursor}
