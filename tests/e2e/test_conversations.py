"""Conversations, their members and roles: who may, and what everybody's live sockets receive of it."""

from typing import Any

from synctalk_testkit.clients import LiveSocket, User, Users

UNKNOWN = "01890000-0000-7000-8000-000000000000"


async def refused(user: User, method: str, path: str, body: Any = None) -> tuple[int, str | None]:
    answer = await user.request(method, path, json=body)
    return answer.status, answer.code


async def received_by_now(live: LiveSocket, marker: User, direct_id: str) -> list[tuple[str, Any]]:
    """All that the socket has received, once a message sent just now has come too."""
    message = await marker.say(direct_id, "a marker")
    await live.wait_for("message:new", lambda payload: payload["id"] == message["id"])
    return [(event.event, event.payload) for event in live.events]


CALLS: list[tuple[str, str, Any]] = [
    ("GET", "", None),
    ("PATCH", "", {"title": "Mine"}),
    ("GET", "/members", None),
    ("POST", "/members", {"user_ids": [UNKNOWN]}),
    ("PATCH", "/members/{id}", {"role": "admin"}),
    ("DELETE", "/members/{id}", None),
    ("GET", "/messages", None),
    ("GET", f"/messages/{UNKNOWN}", None),
    ("POST", "/messages", {"client_message_id": "a", "body": "b"}),
    ("GET", "/receipts?seq=1", None),
    ("POST", "/read", {"seq": 1}),
]


async def test_conversation__for_an_unrelated_user__is_not_there_whatever_is_called(users: Users) -> None:
    ada, eve = await users.register_all("Ada", "Eve")
    group = await ada.group_with()
    for method, path, body in CALLS:
        of_others = f"/v1/conversations/{group['id']}{path.format(id=ada.id)}"
        of_nobody = f"/v1/conversations/{UNKNOWN}{path.format(id=ada.id)}"
        real = await eve.request(method, of_others, json=body)
        unreal = await eve.request(method, of_nobody, json=body)

        assert (real.status, real.code) == (404, "not_found"), (method, path)
        assert (real.status, real.body) == (unreal.status, unreal.body)


async def test_direct__asked_twice_and_from_both_sides__is_one(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    body = {"type": "direct", "member_ids": [bob.id]}
    first = await ada.request("POST", "/v1/conversations", json=body)
    again = await ada.request("POST", "/v1/conversations", json=body)
    other = await bob.request("POST", "/v1/conversations", json={"type": "direct", "member_ids": [ada.id, bob.id]})

    assert (first.status, again.status, other.status) == (201, 200, 200)
    assert first.body["id"] == again.body["id"] == other.body["id"]
    assert (first.body["title"], first.body["peer"]["id"], other.body["peer"]["id"]) == (None, bob.id, ada.id)


async def test_direct__not_with_exactly_one_other__is_invalid(users: Users) -> None:
    ada, bob, cy = await users.register_all("Ada", "Bob", "Cy")
    for members in ([], [ada.id], [bob.id, cy.id], [UNKNOWN]):
        body = {"type": "direct", "member_ids": members}
        assert await refused(ada, "POST", "/v1/conversations", body) == (422, "invalid"), members


async def test_direct__members_and_title__are_fixed(users: Users) -> None:
    ada, bob, cy = await users.register_all("Ada", "Bob", "Cy")
    path = f"/v1/conversations/{(await ada.direct_with(bob))['id']}"

    assert await refused(ada, "POST", f"{path}/members", {"user_ids": [cy.id]}) == (403, "forbidden")
    assert await refused(ada, "DELETE", f"{path}/members/{bob.id}") == (403, "forbidden")
    assert await refused(ada, "DELETE", f"{path}/members/{ada.id}") == (403, "forbidden")


async def test_group__created__has_the_promised_shape_and_is_announced(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    live = await bob.connect()
    body = {"type": "group", "title": "Chess", "member_ids": [bob.id, bob.id, ada.id]}
    made = await ada.post("/v1/conversations", body)
    received = await live.wait_for("conversation:new")

    assert made.keys() == {
        "id", "type", "title", "peer", "last_seq", "change_seq", "read_seq", "unread_count", "role", "last_message",
        "members_count", "pins_count", "created_at", "updated_at", "description", "avatar_url", "metadata", "me",
        "system_messages", "visibility", "posting", "history", "slow_mode_s", "archived_at",
    }  # fmt: skip
    assert (made["type"], made["title"], made["peer"], made["last_message"]) == ("group", "Chess", None, None)
    assert (made["role"], made["members_count"], made["last_seq"], made["unread_count"]) == ("owner", 2, 0, 0)
    assert received == made | {"role": "member"}
    members = (await ada.get(f"/v1/conversations/{made['id']}/members"))["items"]
    assert {(item["user"]["id"], item["role"]) for item in members} == {(ada.id, "owner"), (bob.id, "member")}


async def test_member__who_may_not__is_refused(users: Users) -> None:
    ada, bob, cy = await users.register_all("Ada", "Bob", "Cy")
    path = f"/v1/conversations/{(await ada.group_with(bob, cy))['id']}"

    assert await refused(bob, "PATCH", path, {"title": "Mine"}) == (403, "forbidden")
    assert await refused(bob, "DELETE", f"{path}/members/{cy.id}") == (403, "forbidden")
    assert await refused(bob, "PATCH", f"{path}/members/{bob.id}", {"role": "owner"}) == (403, "forbidden")
    await ada.patch(f"{path}/members/{bob.id}", {"role": "admin"})
    await ada.patch(f"{path}/members/{cy.id}", {"role": "admin"})
    assert await refused(bob, "DELETE", f"{path}/members/{ada.id}") == (403, "forbidden")
    assert await refused(bob, "DELETE", f"{path}/members/{cy.id}") == (403, "forbidden")
    assert await refused(bob, "PATCH", f"{path}/members/{cy.id}", {"role": "member"}) == (403, "forbidden")


async def test_title__changed_by_an_admin__is_received_by_all(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group = await ada.group_with(bob, title="Before")
    path = f"/v1/conversations/{group['id']}"
    role = await ada.patch(f"{path}/members/{bob.id}", {"role": "admin"})
    lives = [await ada.connect(), await bob.connect()]
    changed = await bob.patch(path, {"title": "After"})

    assert role["role"] == "admin"
    for user, live in zip((ada, bob), lives, strict=True):
        received = await live.wait_for("conversation:updated")
        assert (received["title"], received["change_seq"]) == ("After", changed["change_seq"])
        assert received == await user.get(path)


async def test_member__added__receives_the_conversation_and_the_others_receive_them(users: Users) -> None:
    ada, bob, cy = await users.register_all("Ada", "Bob", "Cy")
    group = await ada.group_with(bob)
    await ada.say(group["id"], "before")
    of_bob, of_cy = await bob.connect(), await cy.connect()
    added = await bob.post(f"/v1/conversations/{group['id']}/members", {"user_ids": [cy.id, bob.id]})
    announced = await of_cy.wait_for("conversation:new")
    changed = await of_bob.wait_for("member:changed")

    assert {item["user"]["id"] for item in added["items"]} == {cy.id, bob.id}
    assert (announced["id"], announced["last_message"]["body"]) == (group["id"], "before")
    assert changed == {
        "conversation_id": group["id"],
        "user_id": cy.id,
        "role": "member",
        "muted_until": None,
        "change_seq": announced["change_seq"],
    }
    history = await cy.get(f"/v1/conversations/{group['id']}/messages")
    assert [message["body"] for message in history["items"]] == ["before"]


async def test_member__added_again__changes_nothing(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group = await ada.group_with(bob)
    path = f"/v1/conversations/{group['id']}"
    before = await ada.get(path)
    again = await ada.post(f"{path}/members", {"user_ids": [bob.id]})

    assert [item["user"]["id"] for item in again["items"]] == [bob.id]
    assert await ada.get(path) == before
    assert await refused(ada, "POST", f"{path}/members", {"user_ids": [UNKNOWN]}) == (422, "invalid")


async def test_member__removed__is_notified_and_receives_nothing_more_of_it(users: Users) -> None:
    ada, bob, cy = await users.register_all("Ada", "Bob", "Cy")
    group, direct = await ada.group_with(bob, cy), await ada.direct_with(bob)
    path = f"/v1/conversations/{group['id']}"
    of_bob, of_cy = await bob.connect(), await cy.connect()
    assert (await ada.request("DELETE", f"{path}/members/{bob.id}")).status == 204
    await of_bob.wait_for("conversation:removed", lambda payload: payload == {"id": group["id"]})
    gone = await of_cy.wait_for("member:changed")
    await ada.say(group["id"], "without Bob")
    await ada.patch(path, {"title": "Without Bob"})
    await of_cy.done("typing:start", {"conversation_id": group["id"]})
    await of_cy.done("receipt:read", {"conversation_id": group["id"], "seq": 1})
    await of_cy.wait_for("conversation:updated")

    received = await received_by_now(of_bob, ada, direct["id"])
    assert [name for name, _ in received] == ["ready", "conversation:removed", "message:new"]
    assert (gone["user_id"], gone["role"]) == (bob.id, None)
    assert (await of_bob.refusal("typing:start", {"conversation_id": group["id"]}))["code"] == "not_found"
    sent = {"conversation_id": group["id"], "client_message_id": "x", "body": "still here"}
    assert (await of_bob.refusal("message:send", sent))["code"] == "not_found"
    assert await refused(bob, "GET", path) == (404, "not_found")
    assert (await ada.request("DELETE", f"{path}/members/{bob.id}")).status == 204


async def test_member__removed_and_added_again__receives_both_in_order(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group = await ada.group_with(bob)
    path = f"/v1/conversations/{group['id']}"
    live = await bob.connect()
    await ada.delete(f"{path}/members/{bob.id}")
    await ada.post(f"{path}/members", {"user_ids": [bob.id]})
    message = await ada.say(group["id"], "welcome back")
    await live.wait_for("message:new", lambda payload: payload["id"] == message["id"])

    assert [event.event for event in live.events] == [
        "ready",
        "conversation:removed",
        "conversation:new",
        "message:new",
    ]


async def test_owner__leaves__the_longest_serving_admin_follows(users: Users) -> None:
    ada, bob, cy = await users.register_all("Ada", "Bob", "Cy")
    path = f"/v1/conversations/{(await ada.group_with(bob, cy))['id']}"
    await ada.patch(f"{path}/members/{cy.id}", {"role": "admin"})
    live = await bob.connect()
    await ada.delete(f"{path}/members/{ada.id}")

    await live.wait_for("member:changed", lambda payload: (payload["user_id"], payload["role"]) == (ada.id, None))
    await live.wait_for("member:changed", lambda payload: (payload["user_id"], payload["role"]) == (cy.id, "owner"))
    assert (await cy.get(path))["role"] == "owner"
    assert await refused(ada, "GET", path) == (404, "not_found")


async def test_owner__handed_on__makes_the_giver_an_admin(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    path = f"/v1/conversations/{(await ada.group_with(bob))['id']}"
    given = await ada.patch(f"{path}/members/{bob.id}", {"role": "owner"})

    assert given["role"] == "owner"
    assert ((await ada.get(path))["role"], (await bob.get(path))["role"]) == ("admin", "owner")
    assert await refused(ada, "DELETE", f"{path}/members/{bob.id}") == (403, "forbidden")


async def test_list__is_by_newest_activity_and_walks_in_pages(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    groups = [await ada.group_with(bob, title=f"Group {number}") for number in range(5)]
    await bob.say(groups[1]["id"], "the newest")
    first = await ada.get("/v1/conversations?limit=2")
    second = await ada.get(f"/v1/conversations?limit=2&cursor={first['next_cursor']}")
    third = await ada.get(f"/v1/conversations?limit=2&cursor={second['next_cursor']}")

    walked = [item["title"] for page in (first, second, third) for item in page["items"]]
    assert walked == ["Group 1", "Group 4", "Group 3", "Group 2", "Group 0"]
    assert third["next_cursor"] is None
    assert (first["items"][0]["unread_count"], first["items"][0]["last_message"]["body"]) == (1, "the newest")
