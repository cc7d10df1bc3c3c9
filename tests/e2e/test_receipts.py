"""Receipts are watermarks; unread counts the others' undeleted messages above one's own."""

from synctalk_testkit.clients import User, Users


async def unread(user: User, conversation_id: str) -> tuple[int, int]:
    conversation = await user.get(f"/v1/conversations/{conversation_id}")
    return conversation["unread_count"], conversation["read_seq"]


async def test_unread__counts_the_others_messages_and_falls_by_reading(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    messages = [await ada.say(direct, f"{number}") for number in range(4)]
    assert await unread(bob, direct) == (4, 0)
    assert await unread(ada, direct) == (0, 4)

    await ada.delete(f"/v1/conversations/{direct}/messages/{messages[3]['id']}")
    assert await unread(bob, direct) == (3, 0)
    await bob.post(f"/v1/conversations/{direct}/read", {"seq": 2})
    assert await unread(bob, direct) == (1, 2)
    await bob.post(f"/v1/conversations/{direct}/read", {"seq": 1})
    assert await unread(bob, direct) == (1, 2)
    await bob.post(f"/v1/conversations/{direct}/read", {"seq": 2**40})
    assert await unread(bob, direct) == (0, 4)


async def test_sending__raises_the_senders_own_watermark(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    await ada.say(direct, "hello")
    await bob.say(direct, "hi")

    assert await unread(bob, direct) == (0, 2)
    members = (await ada.get(f"/v1/conversations/{direct}/members"))["items"]
    marks = {member["user"]["id"]: (member["delivered_seq"], member["read_seq"]) for member in members}
    assert marks == {ada.id: (1, 1), bob.id: (2, 2)}


async def test_receipts__are_received_by_the_others_and_by_ones_own_other_sockets(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    of_ada, reading, beside = await ada.connect(), await bob.connect(), await bob.connect()
    await of_ada.say(direct, "hello")
    await reading.done("receipt:delivered", {"conversation_id": direct, "seq": 1})
    delivered = {"conversation_id": direct, "user_id": bob.id, "delivered_seq": 1, "read_seq": 0}
    await of_ada.wait_for("receipt:updated", lambda payload: payload == delivered)
    await beside.wait_for("receipt:updated", lambda payload: payload == delivered)
    await reading.done("receipt:read", {"conversation_id": direct, "seq": 1})
    read = delivered | {"read_seq": 1}
    await of_ada.wait_for("receipt:updated", lambda payload: payload == read)
    await beside.wait_for("receipt:updated", lambda payload: payload == read)

    assert reading.of("receipt:updated") == []
    assert await unread(bob, direct) == (0, 1)


async def test_receipt__by_rest__is_received_by_all_of_ones_sockets(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    await ada.say(direct, "hello")
    lives = [await ada.connect(), await bob.connect()]
    await bob.post(f"/v1/conversations/{direct}/read", {"seq": 1})

    for live in lives:
        received = await live.wait_for("receipt:updated")
        assert received == {"conversation_id": direct, "user_id": bob.id, "delivered_seq": 1, "read_seq": 1}


async def test_receipts__of_a_message__list_the_other_members(users: Users) -> None:
    ada, bob, cy = await users.register_all("Ada", "Bob", "Cy")
    group = (await ada.group_with(bob, cy))["id"]
    await ada.say(group, "to all")
    live = await bob.connect()
    await live.done("receipt:delivered", {"conversation_id": group, "seq": 1})
    await cy.post(f"/v1/conversations/{group}/read", {"seq": 1})
    listed = (await ada.get(f"/v1/conversations/{group}/receipts?seq=1"))["items"]

    assert sorted(listed, key=lambda item: item["read"]) == [
        {"user_id": bob.id, "delivered": True, "read": False},
        {"user_id": cy.id, "delivered": True, "read": True},
    ]


async def test_receipt__for_an_unrelated_user__is_not_found(users: Users) -> None:
    ada, eve = await users.register_all("Ada", "Eve")
    group = (await ada.group_with())["id"]
    live = await eve.connect()

    for event in ("receipt:delivered", "receipt:read"):
        assert (await live.refusal(event, {"conversation_id": group, "seq": 1}))["code"] == "not_found"
