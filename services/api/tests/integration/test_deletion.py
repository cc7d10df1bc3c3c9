"""Groups that their owner deletes, and messages that members report."""

import pytest
from synctalk_contracts.commands import SendMessage
from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api, Json


def place(conversation: Json) -> str:
    return f"/v1/conversations/{conversation['id']}"


async def test_delete__by_another_than_the_owner__is_refused(api: Api) -> None:
    ada, ben, cleo, eve = await api.users(4)
    group, direct = await ada.group(ben, cleo), await ada.direct(ben)
    await ada.patch(f"{place(group)}/members/{ben.id}", {"role": "admin"})

    assert [(await user.call("DELETE", place(group))).status for user in (ben, cleo, eve)] == [403, 403, 404]
    assert (await ada.call("DELETE", place(direct))).status == 403
    assert (await ada.call("DELETE", f"/v1/conversations/{new_id()}")).status == 404
    assert (await ada.call("DELETE", "/v1/conversations/x")).status == 422


async def test_delete__is_one_change_and_gone_for_all(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    body = {"type": "group", "title": "Secret", "member_ids": [ben.id, cleo.id], "visibility": "public"}
    group = await ada.post("/v1/conversations", body | {"description": "secret"})
    message = await ada.send(group["id"], "secret words")
    invite = await ada.post(f"{place(group)}/invites", {})
    await ada.call("PUT", f"{place(group)}/bans/{cleo.id}", {"reason": "secret"})
    await api.subscribe(group["id"])

    response = await ada.call("DELETE", place(group))

    assert response.status == 204
    await eventually(lambda: api.redis.room_events(group["id"]))
    (event,) = api.redis.room_events(group["id"])
    assert (event.event, event.change_seq, event.payload) == ("conversation:removed", 4, {"id": group["id"]})
    for user in (ada, ben):
        assert (await user.call("GET", place(group))).status == 404
        assert (await user.call("GET", f"{place(group)}/messages/{message['id']}")).status == 404
        assert (await user.call("POST", f"{place(group)}/join")).status == 404
        assert (await user.call("POST", f"/v1/invites/{invite['code']}/accept")).status == 404
        synced = await user.post("/v1/sync", {"cursors": {group["id"]: 1}})
        assert synced["conversations"] == {group["id"]: {"removed": True}}
        assert group["id"] not in {each["id"] for each in await user.list("/v1/conversations", 100)}
    assert (await ada.call("DELETE", place(group))).status == 404
    send = SendMessage(conversation_id=group["id"], user_id=ben.id, client_message_id="a", body="hello")
    assert (await api.command(send))["error"]["code"] == "not_found"
    assert (await api.service.call("GET", f"/v1/invites/{invite['code']}")).status == 404


async def test_delete__leaves_nothing_of_what_was_in_it(api: Api) -> None:
    ada, ben = await api.users(2)
    group, other = await ada.group(ben), await ada.group(ben)
    for n in range(3):
        message = await ada.send(group["id"], f"secret {n}")
        await ben.call("PUT", f"{place(group)}/messages/{message['id']}/reactions/👍")
    kept = await ada.send(other["id"], "kept")

    await ada.call("DELETE", place(group))

    async def emptied() -> bool:
        tables = ("messages", "message_terms", "reactions", "reaction_kinds", "bans", "invites")
        queries = [f"select conversation_id from {table} where conversation_id = $1" for table in tables]  # noqa: S608
        rows = [await api.sql(query, group["id"]) for query in queries]
        return not any(rows) and not await api.sql("select from deleted_conversations")

    await eventually(emptied, timeout=20)
    (row,) = await api.sql("select title, description, members_count from conversations where id = $1", group["id"])
    assert tuple(row) == (None, "", 0)
    assert (await ben.get(f"{place(other)}/messages"))["items"] == [kept]


async def test_delete__is_published_to_services_for_each_member(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    await ada.call("DELETE", place(group))

    after: str | None = None
    found: list[Json] = []
    while True:
        params = {"limit": "2000"} | ({"after": after} if after else {})
        page = (await api.internal("GET", "/internal/memberships", params=params)).body
        found += [item for item in page["items"] if item["conversation_id"] == group["id"]]
        after = page["next"]
        if after is None:
            break

    assert {(item["user_id"], item["present"], item["change_seq"]) for item in found} == {
        (ada.id, False, 2),
        (ben.id, False, 2),
    }


@pytest.mark.parametrize(
    ("body", "field"), [({"reason": "x" * 501}, "reason"), ({"reason": None}, "reason"), ({"why": "x"}, "why")]
)
async def test_report__bad_input__is_refused(api: Api, body: Json, field: str) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    message = await ada.send(group["id"])

    response = await ben.call("POST", f"{place(group)}/messages/{message['id']}/report", body)

    assert response.fields == {field}


async def test_report__of_what_one_does_not_see__is_not_found(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    group, other = await ada.group(ben), await ada.group(eve)
    message = await ada.send(group["id"])

    assert (await eve.call("POST", f"{place(group)}/messages/{message['id']}/report", {})).status == 404
    assert (await eve.call("POST", f"{place(other)}/messages/{message['id']}/report", {})).status == 404
    assert (await ben.call("POST", f"{place(group)}/messages/{new_id()}/report", {})).status == 404


async def test_report__once_for_a_user_and_message_and_no_change(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group = await ada.group(ben, cleo)
    message = await ada.send(group["id"], "first")
    path = f"{place(group)}/messages/{message['id']}/report"
    await ada.call("PUT", f"{place(group)}/members/{ben.id}/mute", {"until": None})
    await ada.call("PUT", f"{place(group)}/archive")
    before = await ada.get(place(group))

    for user, reason in ((ben, "spam"), (ben, "again"), (cleo, "x" * 500)):
        assert (await user.call("POST", path, {"reason": reason})).status == 204

    rows = await api.sql("select reported_by, reason, body from reports where message_id = $1", message["id"])
    assert {tuple(map(str, row)) for row in rows} == {(ben.id, "spam", "first"), (cleo.id, "x" * 500, "first")}
    assert await ada.get(place(group)) == before


async def test_report__of_a_message_deleted_later__has_what_it_said(api: Api) -> None:
    ada, ben = await api.users(2)
    direct = await ada.direct(ben)
    message = await ada.send(direct["id"], "threat")
    await ben.call("POST", f"{place(direct)}/messages/{message['id']}/report", {"reason": "see"})

    await ada.call("DELETE", f"{place(direct)}/messages/{message['id']}")

    rows = await api.sql("select body, sender_id from reports where message_id = $1", message["id"])
    assert [(row["body"], str(row["sender_id"])) for row in rows] == [("threat", ada.id)]
