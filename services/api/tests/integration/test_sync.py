"""`POST /v1/sync`: what was known, and what is answered, make what is."""

import asyncio
import random
import secrets
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest
from synctalk_runtime.ids import new_id
from synctalk_testkit.http import Response

from services.api.tests.integration.conftest import Api, Json, Start, User

EMOJI = ["👍", "🎉", "🙂"]


async def sync(user: User, cursors: dict[str, int]) -> Json:
    response: Json = (await user.post("/v1/sync", {"cursors": cursors}))["conversations"]
    return response


async def test_sync__by_an_unrelated_user_or_of_nothing__is_removed(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    conversation, unknown = await ada.direct(ben), new_id()

    assert await sync(eve, {conversation["id"]: 0, unknown: 3}) == {
        conversation["id"]: {"removed": True},
        unknown: {"removed": True},
    }


async def test_sync__after_being_removed__is_removed(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    await ada.delete(f"/v1/conversations/{group['id']}/members/{ben.id}")

    assert await sync(ben, {group["id"]: 1}) == {group["id"]: {"removed": True}}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"cursors": {"nonsense": 0}},
        {"cursors": {"0197a0a0-0000-7000-8000-000000000000": -1}},
        {"cursors": {"0197a0a0-0000-7000-8000-000000000000": "1"}},
        {"cursors": {f"0197a0a0-0000-7000-8000-{n:012}": 0 for n in range(101)}},
        {"cursors": {}, "extra": 1},
    ],
)
async def test_sync__asked_wrongly__is_invalid(api: Api, body: Json) -> None:
    ada = await api.user()

    response = await ada.call("POST", "/v1/sync", body)

    assert (response.status, response.code) == (422, "invalid")


async def test_sync__up_to_date__has_nothing_new(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)

    assert await sync(ben, {conversation["id"]: 1}) == {
        conversation["id"]: {
            "messages": [],
            "members": [],
            "conversation": await ben.get(f"/v1/conversations/{conversation['id']}"),
            "change_seq": 1,
            "more": False,
        }
    }


async def test_sync__ahead_or_far_behind__must_load_anew(start_api: Start) -> None:
    async with start_api(sync_reset_after=5) as api:
        ada, ben = await api.users(2)
        conversation = await ada.direct(ben)
        for _ in range(6):
            await ada.send(conversation["id"])

        responses = [(await sync(ben, {conversation["id"]: cursor}))[conversation["id"]] for cursor in (1, 2, 8)]

    assert responses[0] == responses[2] == {"reset": True, "change_seq": 7}
    assert (len(responses[1]["messages"]), responses[1]["change_seq"]) == (5, 7)


async def test_sync__a_large_groups_beginning__is_loaded_anew(api: Api) -> None:
    users = await api.users(101)
    group = await users[0].group(*users[1:])

    assert await sync(users[5], {group["id"]: 0}) == {group["id"]: {"reset": True, "change_seq": 1}}


async def test_sync__more_than_a_hundred_messages__comes_in_steps(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    for start in range(0, 230, 46):
        await asyncio.gather(*(ada.send(conversation["id"], f"{start + n}") for n in range(46)))

    steps, cursor, more = [], 1, True
    while more:
        state = (await sync(ben, {conversation["id"]: cursor}))[conversation["id"]]
        steps.append([message["change_seq"] for message in state["messages"]])
        cursor, more = state["change_seq"], state["more"]

    assert [len(step) for step in steps] == [100, 100, 30]
    assert [n for step in steps for n in step] == list(range(2, 232))


async def test_sync__of_much_text__stays_within_its_size(start_api: Start) -> None:
    async with start_api(sync_bytes_max=20_000) as api:
        ada, *others = await api.users(4)
        conversations = [await ada.direct(other) for other in others]
        for conversation in conversations:
            for n in range(6):
                await ada.send(conversation["id"], "x" * 5_000 if n < 5 else "short")

        cursors = {conversation["id"]: 1 for conversation in conversations}
        seen: dict[str, list[int]] = {conversation_id: [] for conversation_id in cursors}
        rounds, asked = 0, dict(cursors)
        while asked:
            rounds += 1
            response = await ada.call("POST", "/v1/sync", {"cursors": asked})
            assert len(str(response.body)) < 45_000
            asked = {c: state["change_seq"] for c, state in response.body["conversations"].items() if state["more"]}
            for conversation_id, state in response.body["conversations"].items():
                seen[conversation_id] += [message["seq"] for message in state["messages"]]

    assert all(numbers == [1, 2, 3, 4, 5, 6] for numbers in seen.values())
    assert rounds > 3


@dataclass
class Replica:
    """A client's memory of one conversation, kept by sync alone."""

    cursor: int = 0
    messages: dict[str, Json] = field(default_factory=dict)
    members: dict[str, Json] = field(default_factory=dict)
    conversation: Json = field(default_factory=dict)

    async def catch_up(self, user: User, conversation_id: str) -> None:
        more = True
        while more:
            state = (await sync(user, {conversation_id: self.cursor}))[conversation_id]
            changes = [m["change_seq"] for m in state["messages"]]
            assert changes == sorted(changes)
            assert all(self.cursor < m["change_seq"] <= state["change_seq"] for m in state["messages"])
            for message in state["messages"]:
                self.messages[message["id"]] = message
            for member in state["members"]:
                if member["role"] is None:
                    self.members.pop(member["user"]["id"], None)
                else:
                    self.members[member["user"]["id"]] = member
            self.conversation = state["conversation"]
            self.cursor, more = state["change_seq"], state["more"]


async def change_something(chance: random.Random, users: list[User], group: Json) -> None:
    """Make one random call as a random user; refusals are fine, they change nothing."""
    user, path = chance.choice(users), f"/v1/conversations/{group['id']}"
    known = (await users[0].get(f"{path}/messages", params={"limit": "100"}))["items"]
    message = f"{path}/messages/{chance.choice(known)['id']}" if known else f"{path}/messages/{new_id()}"
    reaction = f"{message}/reactions/{quote(chance.choice(EMOJI))}"
    member = f"{path}/members/{chance.choice(users[1:]).id}"
    name, body = {"client_message_id": secrets.token_hex(8)}, {"body": chance.choice(["a", "b", "@all"])}
    forward = {"forward": {"conversation_id": group["id"], "message_id": message.rsplit("/", 1)[1]}}
    calls: list[tuple[str, str, Json | None]] = [
        ("POST", f"{path}/messages", {**name, **body, "metadata": {"n": chance.randrange(3)}}),
        ("POST", f"{path}/messages", {**name, **forward}),
        ("PATCH", message, body),
        ("PUT", f"{message}/pin", None),
        ("DELETE", f"{message}/pin", None),
        ("PATCH", path, {"system_messages": chance.choice([True, True, False])}),
        ("PATCH", f"{path}/me", {"unread": True}),
        ("DELETE", message, None),
        ("PUT", reaction, None),
        ("DELETE", reaction, None),
        ("PATCH", path, {"title": chance.choice("ABC")}),
        ("POST", f"{path}/members", {"user_ids": [chance.choice(users).id, chance.choice(users).id]}),
        ("PATCH", member, {"role": chance.choice(["admin", "member"])}),
        ("DELETE", member, None),
        ("POST", f"{path}/read", {"seq": chance.randrange(20)}),
    ]
    response: Response = await user.call(*chance.choice([*calls, calls[0], calls[0]]))
    assert response.status in (200, 201, 204, 403, 404, 409, 422), response


@pytest.mark.parametrize("seed", range(4))
async def test_sync__after_any_changes__equals_a_fresh_load(api: Api, seed: int) -> None:
    chance = random.Random(seed)
    users = await api.users(4)
    group = await users[0].group(*users[1:3])
    replica, reader = Replica(), users[0]

    for _ in range(12):
        count = chance.randrange(1, 6)
        if chance.random() < 0.5:
            await asyncio.gather(*(change_something(chance, users, group) for _ in range(count)))
        else:
            for _ in range(count):
                await change_something(chance, users, group)
        await replica.catch_up(reader, group["id"])

        path = f"/v1/conversations/{group['id']}"
        assert replica.conversation == await reader.get(path)
        assert replica.cursor == replica.conversation["change_seq"]
        fresh = {m["id"]: m for m in await reader.list(f"{path}/messages", 100)}
        assert replica.messages == fresh
        members = {m["user"]["id"]: m["role"] for m in await reader.list(f"{path}/members", 100)}
        assert {user_id: m["role"] for user_id, m in replica.members.items()} == members
        assert replica.conversation["members_count"] == len(members)
        assert [m["seq"] for m in sorted(fresh.values(), key=lambda m: m["seq"])] == list(range(1, len(fresh) + 1))


async def test_sync__over_the_internal_endpoint__is_the_same(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    await ada.send(conversation["id"])
    question = {"user_id": ben.id, "cursors": {conversation["id"]: 1}}

    response = await api.internal("POST", "/internal/sync", question)

    assert response.body["conversations"] == await sync(ben, {conversation["id"]: 1})
