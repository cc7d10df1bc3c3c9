"""Ordering: on two gateways, with many senders by socket and by REST, every socket receives each change once."""

import asyncio

from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import LiveSocket, User, Users, new_name
from synctalk_testkit.eventually import eventually
from synctalk_testkit.follower import history

EACH = 15


async def test_order__many_senders_on_two_gateways__is_gapless_for_every_socket(
    users: Users, stack: RunningStack
) -> None:
    members = await users.register_all("Ada", "Bob", "Cy", "Di")
    group = await members[0].group_with(*members[1:])
    gateways = [stack.internal_url("gateway-1"), stack.internal_url("gateway-2")]
    lives = [await user.connect(at=gateway) for user in members for gateway in gateways]
    start = group["change_seq"]
    own: list[set[int]] = await asyncio.gather(
        *(_by_socket(live, group["id"]) for live in lives[::2]), *(_by_rest(member, group["id"]) for member in members)
    )
    caused = dict(zip((id(live) for live in lives[::2]), own, strict=False))
    messages = await history(members[0], group["id"])
    last = (await members[0].get(f"/v1/conversations/{group['id']}"))["change_seq"]

    assert [message["seq"] for message in messages] == list(range(1, len(members) * EACH + 1))
    for live in lives:
        expected = [number for number in range(start + 1, last + 1) if number not in caused.get(id(live), ())]
        await eventually(lambda live=live, expected=expected: received(live) == expected)  # type: ignore[misc]
    for live in lives:
        assert live.of("sync:required") == []


NAMES = ("message:new", "message:updated", "message:deleted")


def received(live: LiveSocket) -> list[int]:
    return [event.payload["change_seq"] for event in live.events if event.event in NAMES]


async def _by_socket(live: LiveSocket, conversation_id: str) -> set[int]:
    """Messages, each edited or reacted to; the changes that this socket caused."""
    caused = set()
    for number in range(EACH - 5):
        message = await live.say(conversation_id, f"by socket {number}")
        named = {"conversation_id": conversation_id, "message_id": message["id"]}
        answer = await (
            live.done("message:edit", named | {"body": f"edited {number}"})
            if number % 2
            else live.done("reaction:add", named | {"emoji": "👍"})
        )
        caused |= {message["change_seq"], answer["message"]["change_seq"]}
    return caused


async def _by_rest(user: User, conversation_id: str) -> set[int]:
    return {(await user.say(conversation_id, f"by REST {number}"))["change_seq"] for number in range(5)}


async def test_sends__of_one_socket_without_waiting__are_stored_in_that_order(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    live = await ada.connect()
    payloads = [{"conversation_id": direct, "client_message_id": new_name(), "body": f"{n}"} for n in range(20)]
    acks = await asyncio.gather(*(live.call("message:send", payload) for payload in payloads))

    assert [ack["message"]["seq"] for ack in acks] == list(range(1, 21))


async def test_same_id__sent_at_once_through_every_entry_point__is_one_message(
    users: Users, stack: RunningStack
) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    lives = [await ada.connect(at=stack.internal_url(f"gateway-{number}")) for number in (1, 2)]
    path, body = f"/v1/conversations/{direct}/messages", {"client_message_id": new_name(), "body": "once"}
    answers = await asyncio.gather(
        *(live.call("message:send", {"conversation_id": direct, **body}) for live in lives for _ in range(3)),
        *(ada.post(path, body) for _ in range(3)),
    )

    assert {answer.get("message", answer)["id"] for answer in answers} == {
        message["id"] for message in await history(bob, direct)
    }
    assert len(await history(bob, direct)) == 1
