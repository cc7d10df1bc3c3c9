"""Groups that begin for each member when they join."""

from synctalk_testkit.clients import Users


async def test_member__sees_what_was_said_since_they_joined__and_changes_of_before_as_numbers(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    body = {"type": "group", "title": "A group", "member_ids": [], "history": "since_joined"}
    group = (await ada.post("/v1/conversations", body))["id"]
    old = await ada.say(group, "before")
    await ada.post(f"/v1/conversations/{group}/members", {"user_ids": [bob.id]})
    live = await bob.connect()
    new = await ada.say(group, "since")
    await ada.patch(f"/v1/conversations/{group}/messages/{old['id']}", {"body": "before, edited"})
    edited = await ada.get(f"/v1/conversations/{group}/messages/{old['id']}")

    hidden = await live.wait_for("change:hidden", lambda payload: payload["conversation_id"] == group)
    assert hidden == {"conversation_id": group, "change_seq": edited["change_seq"]}
    assert [message["id"] for message in live.of("message:new")] == [new["id"]]
    assert live.of("message:updated") == []
    assert [message["id"] for message in (await bob.get(f"/v1/conversations/{group}/messages"))["items"]] == [new["id"]]
    assert (await bob.request("GET", f"/v1/conversations/{group}/messages/{old['id']}")).status == 404
    ack = await live.done("sync", {"cursors": {group: new["change_seq"]}})
    state = ack["conversations"][group]
    assert (state["messages"], state["change_seq"], state["more"]) == ([], edited["change_seq"], False)
