"""Messages by socket and by REST: stored before their ack, once whatever is repeated, delivered to every socket."""

from typing import Any

from synctalk_testkit.clients import LiveSocket, User, Users, new_name

UNKNOWN = "01890000-0000-7000-8000-000000000000"


async def two_users(users: Users) -> tuple[User, User, str]:
    ada, bob = await users.register_all("Ada", "Bob")
    return ada, bob, (await ada.direct_with(bob))["id"]


async def receives(live: LiveSocket, event: str, message: dict[str, Any]) -> None:
    """The socket receives exactly this state of the message."""
    received = await live.wait_for(event, lambda payload: payload["change_seq"] == message["change_seq"])
    assert received == message


async def test_send__acked__is_stored_and_delivered_to_all_but_the_sending_socket(users: Users) -> None:
    ada, bob, direct = await two_users(users)
    sending, beside, of_bob = await ada.connect(), await ada.connect(), await bob.connect()
    message = await sending.say(direct, "Hello, Bob 👋")
    stored = await bob.get(f"/v1/conversations/{direct}/messages/{message['id']}")

    assert stored == message
    assert message.keys() == {
        "id", "conversation_id", "seq", "change_seq", "sender_id", "client_message_id", "body", "reply_to",
        "reactions", "reaction_counts", "mentions", "created_at", "edited_at", "deleted_at", "pinned_at", "pinned_by",
        "metadata", "mention_all", "forwarded_from", "system", "files", "thread_id", "also_in_conversation", "thread",
        "previews", "streaming", "interrupted",
    }  # fmt: skip
    assert (message["seq"], message["sender_id"], message["body"]) == (1, ada.id, "Hello, Bob 👋")
    await receives(of_bob, "message:new", message)
    await receives(beside, "message:new", message)
    reply = await of_bob.say(direct, "Hello")
    await receives(sending, "message:new", reply)
    assert [payload["id"] for payload in sending.of("message:new")] == [reply["id"]]


async def test_send__by_rest__is_received_by_every_socket(users: Users) -> None:
    ada, bob, direct = await two_users(users)
    lives = [await ada.connect(), await bob.connect()]
    message = await ada.say(direct, "by REST")

    for live in lives:
        await receives(live, "message:new", message)


async def test_send__same_id_again_by_either_entry_point__is_the_same_message(users: Users) -> None:
    ada, bob, direct = await two_users(users)
    sending, of_bob = await ada.connect(), await bob.connect()
    name, path = new_name(), f"/v1/conversations/{direct}/messages"
    payload = {"conversation_id": direct, "client_message_id": name, "body": "once"}
    first = await sending.done("message:send", payload)
    again = await sending.done("message:send", payload)
    by_rest = await ada.request("POST", path, json={"client_message_id": name, "body": "once"})
    created = await ada.request("POST", path, json={"client_message_id": new_name(), "body": "twice"})

    assert again == first
    assert (by_rest.status, by_rest.body) == (200, first["message"])
    assert (created.status, created.body["seq"]) == (201, 2)
    await receives(of_bob, "message:new", created.body)
    assert [payload["seq"] for payload in of_bob.of("message:new")] == [1, 2]


async def test_send__same_id_with_other_content__is_refused(users: Users) -> None:
    ada, bob, direct = await two_users(users)
    live = await ada.connect()
    message = await live.say(direct, "the first")
    name = message["client_message_id"]
    other = {"conversation_id": direct, "client_message_id": name, "body": "the second"}
    by_rest = {"client_message_id": name, "body": "the first", "reply_to": message["id"]}

    assert (await live.refusal("message:send", other))["code"] == "client_message_id_reused"
    answer = await ada.request("POST", f"/v1/conversations/{direct}/messages", json=by_rest)
    assert (answer.status, answer.code) == (409, "client_message_id_reused")
    of_bob = await bob.post(f"/v1/conversations/{direct}/messages", {"client_message_id": name, "body": "my own"})
    assert of_bob["seq"] == 2


async def test_edit_and_delete__by_who_may_not__are_forbidden(users: Users) -> None:
    ada, bob, cy = await users.register_all("Ada", "Bob", "Cy")
    group = (await ada.group_with(bob, cy))["id"]
    message = await ada.say(group, "mine")
    live = await bob.connect()
    named = {"conversation_id": group, "message_id": message["id"]}

    assert (await live.refusal("message:edit", named | {"body": "his"}))["code"] == "forbidden"
    assert (await live.refusal("message:delete", named))["code"] == "forbidden"
    path = f"/v1/conversations/{group}/messages/{message['id']}"
    assert (await bob.request("PATCH", path, json={"body": "his"})).status == 403
    assert (await bob.request("DELETE", path)).status == 403
    his = await bob.say(group, "his own")
    assert (
        await ada.request("PATCH", f"/v1/conversations/{group}/messages/{his['id']}", json={"body": "a"})
    ).status == 403
    assert (await ada.request("DELETE", f"/v1/conversations/{group}/messages/{his['id']}")).status == 204


async def test_message__of_another_conversation__is_not_found(users: Users) -> None:
    ada, _, direct = await two_users(users)
    group = (await ada.group_with())["id"]
    message = await ada.say(direct, "in the direct one")
    live = await ada.connect()

    for event, more in (
        ("message:edit", {"body": "b"}),
        ("message:delete", {}),
        ("reaction:add", {"emoji": "👍"}),
        ("reaction:remove", {"emoji": "👍"}),
    ):
        payload = {"conversation_id": group, "message_id": message["id"]} | more
        assert (await live.refusal(event, payload))["code"] == "not_found", event


async def test_edit__by_the_sender__is_received_by_all(users: Users) -> None:
    ada, bob, direct = await two_users(users)
    sending, beside, of_bob = await ada.connect(), await ada.connect(), await bob.connect()
    message = await sending.say(direct, "first")
    named = {"conversation_id": direct, "message_id": message["id"]}
    edited = (await sending.done("message:edit", named | {"body": "second"}))["message"]
    again = (await sending.done("message:edit", named | {"body": "second"}))["message"]

    assert (edited["body"], edited["seq"], edited["change_seq"]) == ("second", 1, message["change_seq"] + 1)
    assert edited["edited_at"] is not None
    assert again["body"] == "second"
    await receives(of_bob, "message:updated", edited)
    await receives(beside, "message:updated", edited)


async def test_delete__keeps_the_place_and_nothing_else(users: Users) -> None:
    ada, bob, direct = await two_users(users)
    sending, of_bob = await ada.connect(), await bob.connect()
    message = await sending.say(direct, "to be gone")
    named = {"conversation_id": direct, "message_id": message["id"]}
    await of_bob.done("reaction:add", named | {"emoji": "👍"})
    deleted = (await sending.done("message:delete", named))["message"]
    again = (await sending.done("message:delete", named))["message"]

    assert (deleted["seq"], deleted["body"], deleted["reactions"], deleted["mentions"]) == (1, "", {}, [])
    assert deleted["deleted_at"] is not None
    assert again == deleted
    await receives(of_bob, "message:deleted", deleted)
    history = await bob.get(f"/v1/conversations/{direct}/messages")
    assert history["items"] == [deleted]
    for event, more in (("message:edit", {"body": "back"}), ("reaction:add", {"emoji": "👍"})):
        assert (await sending.refusal(event, named | more))["code"] in ("conflict", "forbidden", "not_found"), event
    assert await bob.get(f"/v1/conversations/{direct}/messages/{message['id']}") == deleted


async def test_reactions__by_both_entry_points__are_sets_of_users(users: Users) -> None:
    ada, bob, direct = await two_users(users)
    of_ada, of_bob = await ada.connect(), await bob.connect()
    message = await of_ada.say(direct, "react to this")
    named = {"conversation_id": direct, "message_id": message["id"], "emoji": "👍"}
    path = f"/v1/conversations/{direct}/messages/{message['id']}/reactions/👍"
    one = (await of_bob.done("reaction:add", named))["message"]
    same = (await of_bob.done("reaction:add", named))["message"]
    assert (await ada.request("PUT", path)).status == 204
    both = await of_bob.wait_for("message:updated", lambda payload: len(payload["reactions"].get("👍", [])) == 2)
    assert (await ada.request("DELETE", path)).status == 204
    none = (await of_bob.done("reaction:remove", named))["message"]

    assert one["reactions"] == {"👍": [bob.id]}
    assert same == one
    assert set(both["reactions"]["👍"]) == {ada.id, bob.id}
    assert none["reactions"] == {}
    await receives(of_ada, "message:updated", none)
    assert none["change_seq"] == message["change_seq"] + 4


async def test_reply_to__a_message_of_the_same_conversation_deleted_or_not(users: Users) -> None:
    ada, _, direct = await two_users(users)
    elsewhere = (await ada.say((await ada.group_with())["id"], "elsewhere"))["id"]
    live = await ada.connect()
    first = await live.say(direct, "the first")
    reply = await live.say(direct, "a reply", reply_to=first["id"])
    await live.done("message:delete", {"conversation_id": direct, "message_id": first["id"]})
    late = await live.say(direct, "a late reply", reply_to=first["id"])

    assert (reply["reply_to"], late["reply_to"]) == (first["id"], first["id"])
    for unknown in (elsewhere, UNKNOWN):
        payload = {"conversation_id": direct, "client_message_id": new_name(), "body": "b", "reply_to": unknown}
        assert (await live.refusal("message:send", payload))["code"] in ("not_found", "invalid")


async def test_mentions__are_members_named_with_an_at(users: Users) -> None:
    ada, bob, eve = await users.register_all("Ada", "Bob", "Eve")
    direct = (await ada.direct_with(bob))["id"]
    message = await ada.say(direct, f"@{bob.username} and @{eve.username}, look")

    assert message["mentions"] == [bob.id]


async def test_history__pages_both_ways_in_ascending_order(users: Users) -> None:
    ada, bob, direct = await two_users(users)
    for number in range(1, 8):
        await ada.say(direct, f"number {number}")
    path = f"/v1/conversations/{direct}/messages"

    async def seqs(query: str) -> list[int]:
        return [message["seq"] for message in (await bob.get(path + query))["items"]]

    assert await seqs("") == [1, 2, 3, 4, 5, 6, 7]
    assert await seqs("?limit=3") == [5, 6, 7]
    assert await seqs("?before_seq=5&limit=3") == [2, 3, 4]
    assert await seqs("?after_seq=5&limit=3") == [6, 7]
    assert (await bob.request("GET", f"{path}?before_seq=5&after_seq=1")).code == "invalid"
    assert (await bob.request("GET", f"{path}?limit=101")).code == "invalid"


async def test_body__at_its_bounds__is_counted_in_code_points(users: Users) -> None:
    ada, _, direct = await two_users(users)
    live = await ada.connect()
    longest = "👍" * 8_000

    assert (await live.say(direct, longest))["body"] == longest
    assert (await ada.say(direct, longest))["body"] == longest
    for body in ("", "   \n\t", "👍" * 8_001):
        payload = {"conversation_id": direct, "client_message_id": new_name(), "body": body}
        assert (await live.refusal("message:send", payload))["code"] == "invalid"
        answer = await ada.request(
            "POST", f"/v1/conversations/{direct}/messages", json={"client_message_id": new_name(), "body": body}
        )
        assert (answer.status, answer.code) == (422, "invalid")


async def test_search__finds_only_what_the_viewer_may_read(users: Users) -> None:
    ada, bob, eve = await users.register_all("Ada", "Bob", "Eve")
    direct = (await ada.direct_with(bob))["id"]
    word = f"walrus{new_name().replace('-', '').replace('_', '')}"
    message = await ada.say(direct, f"the {word} and the carpenter")
    await ada.say(direct, "something else")

    found = await bob.get(f"/v1/search/messages?q={word}")
    assert [item["message"]["id"] for item in found["items"]] == [message["id"]]
    assert word in found["items"][0]["highlight"]
    assert (await eve.get(f"/v1/search/messages?q={word}"))["items"] == []
    assert (await eve.request("GET", f"/v1/search/messages?q={word}&conversation_id={direct}")).status == 404
