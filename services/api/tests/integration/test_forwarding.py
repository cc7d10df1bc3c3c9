"""Forwarding: what may be, what the copy has, who gets to know where it is from."""

from typing import Any

import pytest
from synctalk_contracts.commands import SendMessage
from synctalk_contracts.models import Forward
from synctalk_testkit.eventually import eventually
from synctalk_testkit.http import Response

from services.api.tests.integration.conftest import Api, Json, User

UNKNOWN_SOURCE = {"conversation_id": None, "message_id": None, "sender_id": None}


def source(message: Json) -> Json:
    return {"conversation_id": message["conversation_id"], "message_id": message["id"]}


async def forward(user: User, message: Json, into: Json, name: str = "forward", **fields: Any) -> Response:
    body = {"client_message_id": name, "forward": source(message)} | fields
    return await user.call("POST", f"/v1/conversations/{into['id']}/messages", body)


async def test_forward__of_what_one_cannot_read__is_invalid(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    secret = await ada.send((await ada.direct(ben))["id"], "secret")
    left = await ada.group(eve)
    in_left = await ada.send(left["id"], "before leaving")
    await eve.delete(f"/v1/conversations/{left['id']}/members/{eve.id}")
    deleted = await eve.send((await eve.direct(ben))["id"])
    await eve.delete(f"/v1/conversations/{deleted['conversation_id']}/messages/{deleted['id']}")
    into = await eve.group()

    for n, message in enumerate(
        (secret, in_left, deleted, secret | {"id": eve.id}, secret | {"conversation_id": ada.id})
    ):
        response = await forward(eve, message, into, f"name{n}")
        assert (response.status, response.code, response.fields) == (422, "invalid", {"forward"})
    assert (await eve.get(f"/v1/conversations/{into['id']}"))["last_seq"] == 0


async def test_forward__into_anothers_conversation__finds_nothing(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    message = await eve.send((await eve.direct(ada))["id"])

    assert (await forward(eve, message, await ada.direct(ben))).status == 404


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"body": "and more"}, {"body"}),
        ({"forward": {"conversation_id": "x", "message_id": "y"}}, {"forward.conversation_id", "forward.message_id"}),
        ({"forward": {}}, {"forward.conversation_id", "forward.message_id"}),
        ({"forward": None}, {"body"}),
        ({"forward": None, "body": ""}, {"body"}),
        ({"forward": None, "body": " "}, {"body"}),
    ],
)
async def test_forward__with_a_body_or_without_both__is_invalid(api: Api, body: Json, fields: set[str]) -> None:
    ada, ben = await api.users(2)
    message = await ada.send((await ada.direct(ben))["id"])

    response = await forward(ada, message, await ada.group(), **body)

    assert (response.status, response.code) == (422, "invalid")
    assert fields <= response.fields


async def test_forward__has_the_text_and_mentions_nobody(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group, other = await ada.group(ben), await ben.group(ada, cleo)
    message = await ada.send(group["id"], f"@all @{ben.profile.username} hi", metadata={"a": 1})
    await api.subscribe(other["id"])

    forwarded = await forward(ben, message, other)

    assert forwarded.status == 201
    copy = forwarded.body
    assert (copy["body"], copy["sender_id"], copy["seq"]) == (message["body"], ben.id, 1)
    assert (copy["mentions"], copy["mention_all"], copy["metadata"]) == ([], False, {})
    assert copy["forwarded_from"] == UNKNOWN_SOURCE
    path = f"/v1/conversations/{other['id']}"
    assert await cleo.get(f"{path}/messages/{copy['id']}") == copy
    assert (await cleo.get(path))["me"]["mention_count"] == 0
    synced = await cleo.post("/v1/sync", {"cursors": {other["id"]: 0}})
    assert synced["conversations"][other["id"]]["messages"] == [copy]
    await eventually(lambda: api.redis.room_events(other["id"]))
    assert api.redis.room_events(other["id"])[0].payload == copy
    hits = (await cleo.get("/v1/search/messages", params={"q": "hi", "conversation_id": other["id"]}))["items"]
    assert [hit["message"]["id"] for hit in hits] == [copy["id"]]


async def test_forward__within_a_conversation__names_the_message_forwarded(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    first = await ada.send(group["id"], "first")

    second = (await forward(ben, first, group, "second")).body
    third = (await forward(ada, second, group, "third", metadata={"a": 1}, reply_to=first["id"])).body

    assert second["forwarded_from"] == source(first) | {"sender_id": ada.id}
    assert third["forwarded_from"] == source(second) | {"sender_id": ben.id}
    assert (third["body"], third["metadata"], third["reply_to"]) == ("first", {"a": 1}, first["id"])


async def test_forward__from_a_public_group__names_the_message_wherever_it_goes(api: Api) -> None:
    ada, ben = await api.users(2)
    body = {"type": "group", "title": "Weather", "member_ids": [], "visibility": "public"}
    public, direct = await ada.post("/v1/conversations", body), await ada.direct(ben)
    message = await ada.send(public["id"])

    sent = (await forward(ada, message, direct)).body
    await ada.patch(f"/v1/conversations/{public['id']}", {"visibility": "private"})
    later = (await forward(ada, message, direct, "later")).body

    assert sent["forwarded_from"] == source(message) | {"sender_id": ada.id}
    assert later["forwarded_from"] == UNKNOWN_SOURCE
    assert await ben.get(f"/v1/conversations/{direct['id']}/messages/{sent['id']}") == sent


async def test_forward__source_gone_since__stays_as_it_was(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    first = await ada.send(group["id"], "first")
    copy = (await forward(ben, first, group)).body

    await ada.delete(f"/v1/conversations/{group['id']}/messages/{first['id']}")

    assert await ada.get(f"/v1/conversations/{group['id']}/messages/{copy['id']}") == copy


async def test_forward__deleted__loses_its_source(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    copy = (await forward(ben, await ada.send(group["id"]), group)).body
    path = f"/v1/conversations/{group['id']}/messages/{copy['id']}"

    await ben.delete(path)

    assert (await ada.get(path))["forwarded_from"] is None


async def test_forward__repeated__is_the_same_though_the_source_is_gone__and_of_another_message_refused(
    api: Api,
) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    first, other = await ada.send(group["id"], "first"), await ada.send(group["id"], "first")
    sent = await forward(ben, first, group)
    await ada.delete(f"/v1/conversations/{group['id']}/messages/{first['id']}")

    again = await forward(ben, first, group)
    of_other = await forward(ben, other, group)
    as_text = await ben.call(
        "POST", f"/v1/conversations/{group['id']}/messages", {"client_message_id": "forward", "body": "first"}
    )

    assert (again.status, again.body) == (200, sent.body)
    assert {(refused.status, refused.code) for refused in (of_other, as_text)} == {(409, "client_message_id_reused")}


async def test_forward__by_command__among_others__fails_alone(api: Api) -> None:
    ada, ben = await api.users(2)
    group, direct = await ada.group(ben), await ada.direct(ben)
    message = await ada.send(direct["id"], "to be forwarded")

    def send(name: str, body: str = "", forwarded: Json | None = None) -> SendMessage:
        return SendMessage(
            conversation_id=group["id"],
            user_id=ben.id,
            client_message_id=name,
            body=body,
            forward=None if forwarded is None else Forward(**forwarded),
        )

    known, unknown = source(message), source(message) | {"message_id": ada.id}
    commands = [send("a", "before"), send("b", forwarded=known), send("c", forwarded=unknown), send("d", "after")]

    replies = await api.commands(commands)

    assert [reply["error"] and reply["error"]["code"] for reply in replies] == [None, None, "invalid", None]
    page = await ada.get(f"/v1/conversations/{group['id']}/messages")
    assert [each["seq"] for each in page["items"]] == [1, 2, 3]
    # What is forwarded may have files to be copied; the others do not wait for that.
    said = [each["body"] for each in page["items"]]
    assert sorted(said) == ["after", "before", "to be forwarded"]
    assert said.index("before") < said.index("after")


async def test_edit__of_a_forwarded_message__is_the_forwarders(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    copy = (await forward(ben, await ada.send(group["id"]), group)).body
    path = f"/v1/conversations/{group['id']}/messages/{copy['id']}"

    assert (await ada.call("PATCH", path, {"body": "x"})).status == 403
    assert (await ben.patch(path, {"body": "x"}))["forwarded_from"] == copy["forwarded_from"]
