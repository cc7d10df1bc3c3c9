"""A user sends 5 messages a second with a burst of 20, through all entry points together."""

import asyncio
from itertools import chain

from synctalk_testkit.clients import Users, new_name

BURST = 20
PER_S = 5
SENT = 30


async def test_messages__beyond_the_burst__are_rate_limited_with_when_to_retry(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    live = await ada.connect()
    payloads = [{"conversation_id": direct, "client_message_id": new_name(), "body": "hello"} for _ in range(SENT)]
    acks = await asyncio.gather(*(live.call("message:send", payload) for payload in payloads))
    errors = [ack["error"] for ack in acks if not ack["ok"]]

    assert BURST <= sum(ack["ok"] for ack in acks) < SENT
    assert {error["code"] for error in errors} == {"rate_limited"}
    assert all(0 < error["retry_after"] <= 1 for error in errors)
    assert (await bob.get(f"/v1/conversations/{direct}"))["last_seq"] == sum(ack["ok"] for ack in acks)


async def test_messages__beyond_the_burst_by_rest__are_429_with_the_header(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    path = f"/v1/conversations/{direct}/messages"
    answers = await asyncio.gather(
        *(ada.request("POST", path, json={"client_message_id": new_name(), "body": "hello"}) for _ in range(SENT + 10))
    )
    refused = [answer for answer in answers if answer.status != 201]

    assert refused
    assert {(answer.status, answer.code) for answer in refused} == {(429, "rate_limited")}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    assert all(answer.body["error"]["retry_after"] > 0 for answer in refused)


async def test_messages__by_both_entry_points_and_in_many_conversations__share_one_burst(users: Users) -> None:
    ada = await users.register()
    groups = [(await ada.group_with())["id"] for _ in range(2)]
    live = await ada.connect()
    sends = [{"client_message_id": new_name(), "body": "hello"} for _ in range(SENT)]
    by_socket = [live.call("message:send", {"conversation_id": groups[0]} | send) for send in sends]
    by_rest = [ada.request("POST", f"/v1/conversations/{groups[1]}/messages", json=send) for send in sends]
    answers = await asyncio.gather(*chain.from_iterable(zip(by_socket, by_rest, strict=True)))
    taken = [answer["ok"] if isinstance(answer, dict) else answer.status == 201 for answer in answers]

    assert BURST <= sum(taken) < SENT


async def test_limit__of_one_user__is_not_the_others(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    of_ada, of_bob = await ada.connect(), await bob.connect()
    payloads = [{"conversation_id": direct, "client_message_id": new_name(), "body": "hello"} for _ in range(SENT)]
    await asyncio.gather(*(of_ada.call("message:send", payload) for payload in payloads))

    assert (await of_bob.say(direct, "and I may"))["sender_id"] == bob.id
