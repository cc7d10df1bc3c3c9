"""Streamed messages: who may, what readers get meanwhile, how they end, and what Redis may lose."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from synctalk_api.store.streams import Stream, StreamTexts
from synctalk_contracts.commands import AppendToStream, EndStream, StartStream
from synctalk_runtime.ids import new_id
from synctalk_runtime.redis_connection import RedisAddress
from synctalk_runtime.redis_pipeline import RedisPipeline
from synctalk_testkit.eventually import eventually
from synctalk_testkit.http import Response

from services.api.tests.integration.conftest import Api, Json, Start, User

TEXT = "Wörter 🙂 kommen "


def messages_of(conversation: Json) -> str:
    return f"/v1/conversations/{conversation['id']}/messages"


async def start(writer: User, conversation: Json, body: str = "", name: str | None = None) -> Json:
    given = {"client_message_id": name or new_id(), "body": body}
    message: Json = await writer.post(f"{messages_of(conversation)}/stream", given)
    return message


def at(message: Json) -> str:
    return f"/v1/conversations/{message['conversation_id']}/messages/{message['id']}"


async def append(writer: User, message: Json, offset: int, text: str) -> Response:
    return await writer.call("PATCH", f"{at(message)}/stream", {"at": offset, "text": text})


async def end(writer: User, message: Json, **given: Any) -> Response:
    return await writer.call("POST", f"{at(message)}/stream/end", given)


async def text_of(reader: User, message: Json) -> str:
    return str((await reader.get(at(message)))["body"])


def deltas(api: Api, message: Json) -> list[Json]:
    events = api.redis.room_events(message["conversation_id"])
    return [event.payload for event in events if event.event == "message:delta"]


def joined(found: list[Json]) -> str:
    return "".join(delta["text"] for delta in found)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hasty(start_api: Start) -> AsyncIterator[Api]:
    """An api whose streams end after a short silence."""
    async with start_api(stream_silence_s=1) as running:
        yield running


async def redis_keys(api: Api, message: Json) -> list[bytes]:
    redis = RedisPipeline(RedisAddress.of(api.settings.redis_url, None))
    try:
        found: list[bytes] = await redis.call("KEYS", f"stream:*{message['id']}*")
    finally:
        await redis.close()
    return found


async def forget(api: Api, message: Json) -> None:
    """Let Redis lose all that it has of a stream."""
    redis = RedisPipeline(RedisAddress.of(api.settings.redis_url, None))
    for key in await redis.call("KEYS", f"stream:*{message['id']}*"):
        await redis.call("DEL", key)
    await redis.close()


async def test_stream__from_start_to_end__is_one_message_that_readers_see_grow(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    await api.subscribe(group["id"])
    message = await start(ada, group)
    reached = [(await append(ada, message, n * len(TEXT), TEXT)).body for n in range(3)]
    meanwhile = await ben.get(messages_of(group))
    synced = (await ben.post("/v1/sync", {"cursors": {group["id"]: group["change_seq"]}}))["conversations"][group["id"]]
    listed = (await ben.get("/v1/conversations"))["items"][0]["last_message"]
    opened = (await ben.get(f"/v1/conversations/{group['id']}"))["last_message"]
    await eventually(lambda: joined(deltas(api, message)) == TEXT * 3)
    ended = (await end(ada, message)).body
    await eventually(lambda: api.redis.room_events(group["id"])[-1].event == "message:updated")
    events = api.redis.room_events(group["id"])

    assert (message["body"], message["streaming"], message["seq"]) == ("", True, 1)
    assert reached == [{"at": (n + 1) * len(TEXT)} for n in range(3)]
    texts = [meanwhile["items"][-1], synced["messages"][-1], synced["conversation"]["last_message"], listed, opened]
    assert [(seen["body"], seen["streaming"]) for seen in texts] == [(TEXT * 3, True)] * 5
    assert ended == message | {"body": TEXT * 3, "streaming": False, "change_seq": message["change_seq"] + 1}
    assert ended["edited_at"] is None
    assert [event.event for event in events if event.event != "message:delta"] == ["message:new", "message:updated"]
    assert all(event.change_seq is None for event in events if event.event == "message:delta")
    assert events[-1].payload == ended == await ben.get(at(message))


async def test_stream__by_socket_commands__does_the_same_and_spares_the_writers_socket(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    await api.subscribe(group["id"])
    base = {"conversation_id": group["id"], "user_id": ada.id}
    message = (await api.command(StartStream(**base, client_message_id="one", body="Well, ")))["result"]["message"]
    here = base | {"message_id": message["id"]}
    replies = await api.commands([AppendToStream(**here, at=6 + n, text="x") for n in range(5)])
    ended = await api.command(EndStream(**here))
    again = await api.command(EndStream(**here))
    await eventually(lambda: api.redis.room_events(group["id"])[-1].event == "message:updated")
    origins = {event.origin for event in api.redis.room_events(group["id"])}

    assert [reply["result"] for reply in replies] == [{"at": 7 + n} for n in range(5)]
    assert ended["result"]["message"]["body"] == "Well, xxxxx"
    assert again["error"]["code"] == "conflict"
    assert origins == {"socket-1"}


async def test_deltas__of_many_appends__are_ten_a_second(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    await api.subscribe(group["id"])
    message = await start(ada, group)
    began = asyncio.get_running_loop().time()
    for n in range(60):
        await append(ada, message, n, "a")
    await eventually(lambda: joined(deltas(api, message)) == "a" * 60)
    lasted = asyncio.get_running_loop().time() - began
    found = deltas(api, message)

    assert len(found) <= lasted * 10 + 1
    assert [delta["at"] for delta in found] == [sum(len(d["text"]) for d in found[:n]) for n in range(len(found))]


async def test_append__again_or_overlapping__skips_what_is_there_and_a_gap_is_refused(api: Api) -> None:
    ada, ben = await api.users(2)
    message = await start(ada, await ada.direct(ben), "ä🙂")
    again = await append(ada, message, 0, "ä🙂")
    overlapping = await append(ada, message, 1, "🙂üß")
    gap = await append(ada, message, 5, "lost")
    nothing = await append(ada, message, 4, "")

    assert [again.body, overlapping.body, nothing.body] == [{"at": 2}, {"at": 4}, {"at": 4}]
    assert (gap.status, gap.code, gap.body["error"]["details"]) == (409, "conflict", {"at": 4})
    assert await text_of(ben, message) == "ä🙂üß"


async def test_append__beyond_8000_characters__is_refused_and_the_stream_goes_on(api: Api) -> None:
    ada, ben = await api.users(2)
    message = await start(ada, await ada.direct(ben))
    await append(ada, message, 0, "🙂" * 7_999)
    over = await append(ada, message, 7_999, "ab")
    rest = await append(ada, message, 7_999, "a")
    ended = await end(ada, message)

    assert (over.status, over.fields) == (422, {"text"})
    assert (rest.status, rest.body) == (200, {"at": 8_000})
    assert len(ended.body["body"]) == 8_000


async def test_stream__by_others__is_refused(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    group = await ada.group(ben)
    message = await start(ada, group)
    elsewhere = message | {"conversation_id": (await ada.direct(eve))["id"]}
    by_ben = [await append(ben, message, 0, "x"), await end(ben, message)]
    by_eve = [
        await append(eve, message, 0, "x"),
        await end(eve, message),
        await eve.call("POST", f"{messages_of(group)}/stream", {"client_message_id": "x"}),
    ]
    misplaced = [await append(ada, elsewhere, 0, "x"), await end(ada, elsewhere)]
    plain = await ada.send(group["id"])
    complete = [await append(ada, plain, 0, "x"), await end(ada, plain)]

    assert {(r.status, r.code) for r in by_ben} == {(403, "forbidden")}
    assert {(r.status, r.code) for r in [*by_eve, *misplaced]} == {(404, "not_found")}
    assert {(r.status, r.code) for r in complete} == {(409, "conflict")}


async def test_stream__after_its_end__is_a_conflict_and_can_be_edited(api: Api) -> None:
    ada, ben = await api.users(2)
    message = await start(ada, await ada.direct(ben))
    early = await ada.call("PATCH", at(message), {"body": "mine"})
    ended = await end(ada, message, body="the whole")
    late = [await append(ada, message, 0, "x"), await end(ada, message)]
    edited = await ada.call("PATCH", at(message), {"body": "mine"})

    assert (early.status, early.code) == (409, "conflict")
    assert ended.body["body"] == "the whole"
    assert {(r.status, r.code) for r in late} == {(409, "conflict")}
    assert (edited.status, edited.body["body"]) == (200, "mine")


async def test_stream__deleted__is_over(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    mine = await start(ben, group)
    await append(ben, mine, 0, "nonsense")
    await ada.delete(at(mine))
    await eventually(lambda: _is_over(ben, mine))
    ended = await end(ben, mine)
    seen = await ada.get(at(mine))

    assert (ended.status, ended.code) == (409, "conflict")
    assert (seen["body"], seen["streaming"], seen["interrupted"]) == ("", False, False)
    assert seen["deleted_at"] is not None


async def _is_over(writer: User, message: Json) -> bool:
    return (await append(writer, message, 0, "")).status == 409


@pytest.mark.parametrize("text", ["", " \n"])
async def test_stream__empty_at_its_end__is_deleted(api: Api, text: str) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    await api.subscribe(group["id"])
    message = await start(ada, group)
    await append(ada, message, 0, text)
    ended = await end(ada, message)
    await eventually(lambda: api.redis.room_events(group["id"])[-1].event == "message:deleted")

    assert (ended.status, ended.body["body"], ended.body["streaming"]) == (200, "", False)
    assert ended.body["deleted_at"] is not None


async def test_start__repeated__is_the_same_message_as_it_is_now(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    message = await start(ada, group, "Well", name="a-name")
    await append(ada, message, 4, ", yes")
    path = f"{messages_of(group)}/stream"
    again = await ada.call("POST", path, {"client_message_id": "a-name", "body": "Well"})
    other = await ada.call("POST", path, {"client_message_id": "a-name", "body": "Well?"})
    sent = await ada.call("POST", messages_of(group), {"client_message_id": "a-name", "body": "Well"})

    assert (again.status, again.body) == (200, message | {"body": "Well, yes"})
    assert {(r.status, r.code) for r in (other, sent)} == {(409, "client_message_id_reused")}
    assert (await end(ada, message)).body["body"] == "Well, yes"


async def test_start__of_a_sixth__is_refused_until_one_ends(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    five = [await start(ada, group, name=f"name-{n}") for n in range(5)]
    path = f"{messages_of(group)}/stream"
    sixth = await ada.call("POST", path, {"client_message_id": "name-5"})
    repeated = await ada.call("POST", path, {"client_message_id": "name-0"})
    await end(ada, five[0], body="done")

    assert (sixth.status, sixth.code, sixth.body["error"]["details"]) == (429, "rate_limited", {"limit": "streams"})
    assert (repeated.status, repeated.body["id"]) == (200, five[0]["id"])
    await eventually(lambda: _is_begun(ada, path, "name-5"))
    assert (await ada.call("POST", path, {"client_message_id": "name-6"})).status == 429


async def _is_begun(writer: User, path: str, name: str) -> bool:
    return (await writer.call("POST", path, {"client_message_id": name})).status in (200, 201)


async def test_starts__all_at_once__are_five(api: Api) -> None:
    ada, ben = await api.users(2)
    path = f"{messages_of(await ada.group(ben))}/stream"
    answers = await asyncio.gather(*(ada.call("POST", path, {"client_message_id": f"{n}"}) for n in range(12)))

    assert sorted(answer.status for answer in answers) == [201] * 5 + [429] * 7


async def test_mentions_and_search__are_settled_at_the_end(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    text = f"Zebrafinken, @{ben.profile.username}!"
    message = await start(ada, group, text)
    path = f"/v1/search/messages?q=zebrafinken&conversation_id={group['id']}"
    meanwhile = await ben.get(path)
    unread = (await ben.get(f"/v1/conversations/{group['id']}"))["me"]["mention_count"]
    await end(ada, message)
    afterwards = await ben.get(path)
    mentioned = (await ben.get(f"/v1/conversations/{group['id']}"))["me"]["mention_count"]

    assert (message["mentions"], meanwhile["items"], unread) == ([], [], 0)
    assert [hit["message"]["mentions"] for hit in afterwards["items"]] == [[ben.id]]
    assert mentioned == 1


async def test_reaction__to_a_streamed_message__shows_the_text_so_far(api: Api) -> None:
    ada, ben = await api.users(2)
    direct = await ada.direct(ben)
    await api.subscribe(direct["id"])
    message = await start(ada, direct)
    await append(ada, message, 0, "so far")
    await ben.call("PUT", f"{at(message)}/reactions/%F0%9F%91%8D")
    await append(ada, message, 6, " so good")
    ended = await end(ada, message)
    await eventually(lambda: api.redis.room_events(direct["id"])[-1].payload == ended.body)
    updates = [event.payload for event in api.redis.room_events(direct["id"]) if event.event == "message:updated"]

    assert [(seen["body"], seen["streaming"]) for seen in updates] == [("so far", True), ("so far so good", False)]
    assert (ended.body["body"], list(ended.body["reactions"])) == ("so far so good", ["👍"])


async def test_stream__in_a_thread__is_a_reply_that_mentions_at_its_end(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    root = await ben.send(group["id"], "root")
    path = f"{messages_of(group)}/stream"
    given = {"client_message_id": "one", "thread_id": root["id"]}
    message = await ada.post(path, given)
    await append(ada, message, 0, f"@{ben.profile.username} look")
    meanwhile = (await ben.get(f"{messages_of(group)}?thread_id={root['id']}"))["items"]
    ended = (await end(ada, message)).body
    other = await ada.call("POST", path, {"client_message_id": "one"})
    nowhere = await ada.call("POST", path, {"client_message_id": "two", "thread_id": new_id()})

    assert (message["thread_id"], ended["thread_id"]) == (root["id"], root["id"])
    assert [seen["body"] for seen in meanwhile if seen["id"] == message["id"]] == [f"@{ben.profile.username} look"]
    assert (ended["mentions"], ended["streaming"]) == ([ben.id], False)
    assert (other.status, other.code) == (409, "client_message_id_reused")
    assert (nowhere.status, nowhere.fields) == (422, {"thread_id"})


async def test_forwarding__of_a_streamed_message__is_refused(api: Api) -> None:
    ada, ben = await api.users(2)
    message = await start(ada, await ada.direct(ben), "half a")
    forward = {"conversation_id": message["conversation_id"], "message_id": message["id"]}
    answer = await ben.call(
        "POST", messages_of({"id": message["conversation_id"]}), {"client_message_id": "f", "forward": forward}
    )

    assert (answer.status, answer.fields) == (422, {"forward"})


async def test_stream__by_several_processes__is_one_text_and_its_deltas_ten_a_second(
    api: Api, start_api: Start
) -> None:
    async with start_api(beside=api, instance="api-2") as other:
        ada, ben = await api.users(2)
        there = User(other.service, api.auth.tokens, ada.id, ada.session_id, profile=ada.profile)
        group = await ada.group(ben)
        await api.subscribe(group["id"])
        message = await start(ada, group)
        began = asyncio.get_running_loop().time()
        for n in range(30):
            assert (await append([ada, there][n % 2], message, n, "a")).body == {"at": n + 1}
        await eventually(lambda: joined(deltas(api, message)) == "a" * 30)
        lasted = asyncio.get_running_loop().time() - began
        ended = await end(there, message)

    assert ended.body["body"] == "a" * 30
    assert len(deltas(api, message)) <= lasted * 10 + 1


async def test_stream__in_a_group_that_is_deleted__is_over(hasty: Api) -> None:
    ada, ben = await hasty.users(2)
    group = await ada.group(ben)
    message = await start(ben, group, "x")
    await ada.delete(f"/v1/conversations/{group['id']}")
    answers = [await append(ben, message, 1, "y"), await end(ben, message)]
    await eventually(lambda: _keys_left(hasty, message, 1), timeout=15)

    assert {(answer.status, answer.code) for answer in answers} == {(404, "not_found")}


async def test_silence__of_a_writer__ends_it_as_interrupted(hasty: Api) -> None:
    ada, ben = await hasty.users(2)
    group = await ada.group(ben)
    await hasty.subscribe(group["id"])
    message = await start(ada, group)
    await append(ada, message, 0, f"Hello @{ben.profile.username}")
    await eventually(lambda: hasty.redis.room_events(group["id"])[-1].event == "message:updated", timeout=15)
    seen = await ben.get(at(message))

    assert (seen["streaming"], seen["interrupted"]) == (False, True)
    assert (seen["body"], seen["mentions"]) == (f"Hello @{ben.profile.username}", [ben.id])
    assert seen["change_seq"] == message["change_seq"] + 1
    assert (await append(ada, message, 0, "x")).status == 409


async def test_silence__of_a_writer_who_left__ends_it_all_the_same(hasty: Api) -> None:
    ada, ben = await hasty.users(2)
    group = await ada.group(ben)
    message = await start(ben, group, "I am off")
    await ada.delete(f"/v1/conversations/{group['id']}/members/{ben.id}")
    refused = await append(ben, message, 8, "x")
    await eventually(lambda: _is_interrupted(ada, message), timeout=15)

    assert (refused.status, refused.code) == (404, "not_found")
    assert await text_of(ada, message) == "I am off"


async def _is_interrupted(reader: User, message: Json) -> bool:
    return bool((await reader.get(at(message)))["interrupted"])


async def test_silence__broken_by_empty_appends__is_none(hasty: Api) -> None:
    ada, ben = await hasty.users(2)
    message = await start(ada, await ada.direct(ben), "thinking")
    began = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() - began < 2.5:
        await append(ada, message, 8, "")
        await asyncio.sleep(0.1)

    assert (await end(ada, message)).body["interrupted"] is False


async def test_redis__that_forgot_the_text__gets_it_back_from_the_process_that_has_it(api: Api) -> None:
    ada, ben = await api.users(2)
    message = await start(ada, await ada.direct(ben), "one ")
    await append(ada, message, 4, "two ")
    await forget(api, message)
    more = await append(ada, message, 8, "three")
    ended = await end(ada, message)

    assert more.body == {"at": 13}
    assert ended.body["body"] == "one two three"


async def test_redis__that_forgot_what_no_process_knows__says_from_where_to_append(api: Api) -> None:
    ada, ben = await api.users(2)
    message = await start(ada, await ada.direct(ben), "one ")
    await append(ada, message, 4, "two ")
    api.services.history.live.copies.clear()
    await forget(api, message)
    ended = await end(ada, message)
    gap = await append(ada, message, 8, "three")
    again = await append(ada, message, 4, "two three")
    whole = await end(ada, message)

    assert [(r.status, r.body["error"]["details"]) for r in (ended, gap)] == [(409, {"at": 4})] * 2
    assert again.body == {"at": 13}
    assert whole.body["body"] == "one two three"


async def test_redis__that_forgot_a_silent_stream__it_ends_with_what_it_began_with(hasty: Api) -> None:
    ada, ben = await hasty.users(2)
    message = await start(ada, await ada.direct(ben), "It began.")
    hasty.services.history.live.copies.clear()
    await forget(hasty, message)
    await eventually(lambda: _is_interrupted(ben, message), timeout=20)

    assert await text_of(ben, message) == "It began."


async def test_redis__that_forgot_while_nobody_appends__gets_the_text_back(hasty: Api) -> None:
    ada, ben = await hasty.users(2)
    message = await start(ada, await ada.direct(ben), "one ")
    await append(ada, message, 4, "two ")
    await forget(hasty, message)
    await eventually(lambda: _is_interrupted(ben, message), timeout=20)

    assert await text_of(ben, message) == "one two "


async def test_start__that_was_never_written__is_forgotten(hasty: Api) -> None:
    ada, ben = await hasty.users(2)
    redis = RedisPipeline(RedisAddress.of(hasty.settings.redis_url, None))
    texts, here = StreamTexts(redis), (await ada.direct(ben))["id"]
    never = Stream(new_id(), here, ada.id, "a-name", "never")
    await texts.reserve(ada.id, never.message_id, 1)
    await texts.open(never)

    async def is_free() -> bool:
        return await texts.reserve(ada.id, new_id(), 1)

    await eventually(is_free, timeout=15)
    await redis.close()


async def test_copy__of_a_stream_that_another_process_ended__is_given_up(hasty: Api) -> None:
    ada, ben = await hasty.users(2)
    message = await start(ada, await ada.direct(ben), "one")
    live = hasty.services.history.live
    copy = live.copies[message["id"]]
    await end(ada, message)
    live.copies[message["id"]] = copy
    await eventually(lambda: message["id"] not in live.copies)

    assert (await ben.get(at(message)))["interrupted"] is False


async def test_stream__over__leaves_nothing_but_a_mark_that_expires(api: Api) -> None:
    ada, ben = await api.users(2)
    message = await start(ada, await ada.direct(ben), "x")
    before = await redis_keys(api, message)
    await end(ada, message)
    await eventually(lambda: _keys_left(api, message, 1))

    assert len(before) == 2


async def _keys_left(api: Api, message: Json, count: int) -> bool:
    return len(await redis_keys(api, message)) == count


async def test_deltas__where_history_begins_at_joining__are_hidden_from_who_joined_later(api: Api) -> None:
    ada, ben, cy = await api.users(3)
    body = {"type": "group", "title": "A group", "member_ids": [ben.id], "history": "since_joined"}
    group = await ada.post("/v1/conversations", body)
    await api.subscribe(group["id"])
    message = await start(ada, group)
    await append(ada, message, 0, "before. ")
    await ada.post(f"/v1/conversations/{group['id']}/members", {"user_ids": [cy.id]})
    await append(ada, message, 8, "after.")
    await eventually(lambda: joined(deltas(api, message)) == "before. after.")
    events = [event for event in api.redis.room_events(group["id"]) if event.event == "message:delta"]

    assert [event.hidden_from for event in events if event.payload["at"] >= 8] == [[cy.id]]
    assert all(event.hidden_from in (None, [], [cy.id]) for event in events)


async def test_deltas__after_the_history_was_closed__are_hidden_soon(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group()
    await api.subscribe(group["id"])
    message = await start(ada, group)
    await ada.post(f"/v1/conversations/{group['id']}/members", {"user_ids": [ben.id]})
    await append(ada, message, 0, "x")
    await ada.patch(f"/v1/conversations/{group['id']}", {"history": "since_joined"})

    async def is_hidden() -> bool:
        length = len(await text_of(ada, message))
        await append(ada, message, length, "x")
        events = [event for event in api.redis.room_events(group["id"]) if event.event == "message:delta"]
        return bool(events) and events[-1].hidden_from == [ben.id]

    await eventually(is_hidden)
