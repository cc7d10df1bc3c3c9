"""Streaming messages: `message:stream:start|append|end`, their REST, `message:delta`, and what all others see."""

import asyncio
from typing import Any

from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import LiveSocket, User, Users, new_name
from synctalk_testkit.eventually import eventually

SILENCE_S = 30
Json = dict[str, Any]


class Reader:
    """A client that keeps a streamed message's text as the interface says: by its deltas, and anew after a gap."""

    def __init__(self, user: User, live: LiveSocket, message: Json) -> None:
        self.user = user
        self.live = live
        self.path = f"/v1/conversations/{message['conversation_id']}/messages/{message['id']}"
        self.id = message["id"]
        self.text = ""
        self.gaps = 0
        self._position = 0

    async def load(self) -> str:
        self.text = (await self.user.get(self.path))["body"]
        return self.text

    async def take(self) -> str:
        """Apply what has come since."""
        events, self._position = self.live.events[self._position :], len(self.live.events)
        for received in events:
            delta = received.payload
            if received.event != "message:delta" or delta["message_id"] != self.id:
                continue
            if delta["at"] > len(self.text):
                self.gaps += 1
                await self.load()
            elif delta["at"] + len(delta["text"]) > len(self.text):
                self.text += delta["text"][len(self.text) - delta["at"] :]
        return self.text


async def two_users(users: Users) -> tuple[User, User, str]:
    ada, bob = await users.register_all("Ada", "Bob")
    return ada, bob, (await ada.direct_with(bob))["id"]


async def begin(live: LiveSocket, conversation_id: str, body: str = "") -> Json:
    given = {"conversation_id": conversation_id, "client_message_id": new_name(), "body": body}
    message: Json = (await live.done("message:stream:start", given))["message"]
    return message


def place(message: Json) -> Json:
    return {"conversation_id": message["conversation_id"], "message_id": message["id"]}


async def stream(live: LiveSocket, message: Json, words: list[str], pause_s: float = 0.0) -> str:
    """Append the words; return the text."""
    text = message["body"]
    for word in words:
        ack = await live.done("message:stream:append", place(message) | {"at": len(text), "text": word})
        text += word
        assert ack["at"] == len(text)
        await asyncio.sleep(pause_s)
    return str(text)


WORDS = [f"wörd-{n} 🙂 " for n in range(30)]


async def test_embed_streaming_1__stream__is_seen_growing_by_everybody_and_ends_as_one_message(
    users: Users, stack: RunningStack
) -> None:
    ada, bob, direct = await two_users(users)
    writing, beside = await ada.connect(), await ada.connect()
    near, far = [await bob.connect(at=stack.internal_url(f"gateway-{n}")) for n in (1, 2)]
    message = await begin(writing, direct)
    readers = [Reader(bob, near, message), Reader(bob, far, message), Reader(ada, beside, message)]
    text = await stream(writing, message, WORDS, 0.02)
    for reader in readers:
        await eventually(lambda reader=reader: _reads(reader, text))  # type: ignore[misc]
    ended = (await writing.done("message:stream:end", place(message)))["message"]
    for reader in readers:
        await reader.live.receive("message:updated", ended)

    assert message == ended | {"body": "", "streaming": True, "change_seq": message["change_seq"]}
    assert (ended["body"], ended["streaming"], ended["interrupted"], ended["edited_at"]) == (text, False, False, None)
    assert ended["change_seq"] == message["change_seq"] + 1
    assert await bob.get(f"/v1/conversations/{direct}/messages/{message['id']}") == ended
    assert [reader.gaps for reader in readers] == [0, 0, 0]
    assert near.of("message:new") == [message]
    assert writing.of("message:delta") == []
    times = [e.at for e in near.events if e.event == "message:delta"]
    assert len(times) <= (times[-1] - times[0]) * 10 + 2


async def _reads(reader: Reader, text: str) -> bool:
    return await reader.take() == text


async def test_reader__who_comes_late__gets_the_text_so_far_and_the_rest(users: Users) -> None:
    ada, bob, direct = await two_users(users)
    writing = await ada.connect()
    message = await begin(writing, direct, "Well, ")
    so_far = await stream(writing, message, WORDS[:10])
    live = await bob.connect()
    reader = Reader(bob, live, message)
    history = (await bob.get(f"/v1/conversations/{direct}/messages"))["items"][-1]
    synced = (await live.done("sync", {"cursors": {direct: 0}}))["conversations"][direct]["messages"][-1]
    listed = (await bob.get("/v1/conversations"))["items"][0]["last_message"]
    reader.text = history["body"]
    text = await stream(writing, message | {"body": so_far}, WORDS[10:], 0.02)
    await eventually(lambda: _reads(reader, text))

    assert [(seen["body"], seen["streaming"]) for seen in (history, synced, listed)] == [(so_far, True)] * 3
    assert reader.gaps == 0


async def test_reader__who_missed_a_delta__sees_the_gap_and_loads_the_message(users: Users) -> None:
    ada, bob, direct = await two_users(users)
    writing = await ada.connect()
    message = await begin(writing, direct)
    so_far = await stream(writing, message, WORDS[:5], 0.05)
    live = await bob.connect()
    reader = Reader(bob, live, message)
    text = await stream(writing, message | {"body": so_far}, WORDS[5:10], 0.05)
    await eventually(lambda: _reads(reader, text))

    assert reader.gaps == 1


async def test_offsets__skip_what_is_there_and_show_a_gap(users: Users) -> None:
    ada, _, direct = await two_users(users)
    live = await ada.connect()
    message = await begin(live, direct, "ä🙂")
    overlapping = await live.done("message:stream:append", place(message) | {"at": 1, "text": "🙂!"})
    gap = await live.refusal("message:stream:append", place(message) | {"at": 4, "text": "x"})

    assert overlapping["at"] == 3
    assert (gap["code"], gap["details"]) == ("conflict", {"at": 3})


async def test_length__beyond_8000__is_refused_and_the_stream_goes_on(users: Users) -> None:
    ada, _, direct = await two_users(users)
    live = await ada.connect()
    message = await begin(live, direct, "x" * 7_999)
    refused = await live.refusal("message:stream:append", place(message) | {"at": 7_999, "text": "yz"})
    ended = (await live.done("message:stream:end", place(message) | {"body": "short"}))["message"]

    assert (refused["code"], refused["details"][0]["field"]) == ("invalid", "text")
    assert ended["body"] == "short"


async def test_writer__is_alone_and_is_over_at_the_end(users: Users) -> None:
    ada, bob, direct = await two_users(users)
    eve = await users.register("Eve")
    live, of_bob, of_eve = await ada.connect(), await bob.connect(), await eve.connect()
    message = await begin(live, direct)
    append = place(message) | {"at": 0, "text": "x"}
    by_bob = [await of_bob.refusal(f"message:stream:{what}", append) for what in ("append",)]
    by_bob += [await of_bob.refusal("message:stream:end", place(message))]
    by_eve = [await of_eve.refusal("message:stream:append", append)]
    by_eve += [await of_eve.refusal("message:stream:end", place(message))]
    editing = await live.refusal("message:edit", place(message) | {"body": "mine"})
    ended = (await live.done("message:stream:end", place(message)))["message"]
    late = [
        await live.refusal("message:stream:append", append),
        await live.refusal("message:stream:end", place(message)),
    ]

    assert [error["code"] for error in by_bob] == ["forbidden"] * 2
    assert [error["code"] for error in by_eve] == ["not_found"] * 2
    assert [error["code"] for error in (editing, *late)] == ["conflict"] * 3
    assert ended["deleted_at"] is not None
    await of_bob.receive("message:deleted", ended)


async def test_deleting__ends_the_stream(users: Users) -> None:
    ada, bob, direct = await two_users(users)
    live, of_bob = await ada.connect(), await bob.connect()
    message = await begin(live, direct, "nonsense")
    deleted = (await live.done("message:delete", place(message)))["message"]
    await of_bob.receive("message:deleted", deleted)

    async def is_over() -> bool:
        ack = await live.call("message:stream:append", place(message) | {"at": 8, "text": "x"})
        return not ack["ok"] and ack["error"]["code"] == "conflict"

    await eventually(is_over)
    assert (deleted["body"], deleted["streaming"]) == ("", False)


async def test_five_at_once__and_the_sixth_when_one_has_ended(users: Users) -> None:
    ada, _, direct = await two_users(users)
    live = await ada.connect()
    five = [await begin(live, direct, "x") for _ in range(5)]
    sixth = {"conversation_id": direct, "client_message_id": new_name()}
    refused = await live.refusal("message:stream:start", sixth)
    await live.done("message:stream:end", place(five[0]))

    async def begins() -> bool:
        return bool((await live.call("message:stream:start", sixth))["ok"])

    await eventually(begins)
    assert (refused["code"], refused["details"]) == ("rate_limited", {"limit": "streams"})


async def test_by_rest__it_is_the_same(users: Users) -> None:
    ada, bob, direct = await two_users(users)
    of_bob, beside = await bob.connect(), await ada.connect()
    path = f"/v1/conversations/{direct}/messages"
    begun = await ada.request("POST", f"{path}/stream", {"client_message_id": "one"})
    again = await ada.request("POST", f"{path}/stream", {"client_message_id": "one"})
    appended = await ada.request("PATCH", f"{path}/{begun.body['id']}/stream", {"at": 0, "text": "Hello"})
    for live in (of_bob, beside):
        await live.wait_for("message:delta", lambda delta: delta["text"] == "Hello")
    ended = await ada.request("POST", f"{path}/{begun.body['id']}/stream/end", {})
    for live in (of_bob, beside):
        await live.receive("message:updated", ended.body)

    assert (begun.status, again.status, appended.status, ended.status) == (201, 200, 200, 200)
    assert (again.body["id"], appended.body, ended.body["body"]) == (begun.body["id"], {"at": 5}, "Hello")


async def test_writer__whose_socket_dies__ends_it_interrupted(users: Users) -> None:
    ada, bob, direct = await two_users(users)
    live, of_bob = await ada.connect(), await bob.connect()
    message = await begin(live, direct)
    text = await stream(live, message, WORDS[:3])
    await live.client.eio.disconnect()
    ended = await of_bob.wait_for("message:updated", timeout=SILENCE_S + 15)

    assert (ended["body"], ended["streaming"], ended["interrupted"]) == (text, False, True)
    assert (ended["change_seq"], ended["edited_at"]) == (message["change_seq"] + 1, None)


async def test_a_hundred_streams__at_once__are_each_whole(users: Users) -> None:
    writers = await users.register_all(*(f"W{n}" for n in range(20)))
    reader = await users.register("Reader")
    group = (await reader.group_with(*writers))["id"]
    live = await reader.connect()
    sockets = [await writer.connect() for writer in writers]

    async def one(of_writer: LiveSocket) -> tuple[str, str]:
        message = await begin(of_writer, group)
        text = await stream(of_writer, message, [f"{message['seq']}-{n} " for n in range(6)], 0.2)
        await of_writer.done("message:stream:end", place(message))
        return message["id"], text

    found = dict(await asyncio.gather(*(one(each) for each in sockets for _ in range(5))))
    await eventually(lambda: len(live.of("message:updated")) == 100, 20)
    history = (await reader.get(f"/v1/conversations/{group}/messages?limit=100"))["items"]

    assert len(found) == 100
    assert {m["id"]: m["body"] for m in live.of("message:updated")} == found
    assert {m["id"]: m["body"] for m in history} == found
    assert {delta["message_id"] for delta in live.of("message:delta")} == found.keys()
