"""A message's metadata: what is taken, who gets it, and where it ends."""

from typing import Any

import pytest
from synctalk_contracts.commands import SendMessage
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api, Json

ORDER: Json = {"order": {"id": "4711", "lines": [1, 2.5, None, True, "☕"]}, "": {}}


def nested(levels: int) -> Json:
    value: Json = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


async def test_metadata__comes_back_in_every_way(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    await api.subscribe(conversation["id"])

    message = await ada.send(conversation["id"], metadata=ORDER)

    path = f"/v1/conversations/{conversation['id']}"
    assert message["metadata"] == ORDER
    assert await ben.get(f"{path}/messages/{message['id']}") == message
    assert (await ben.get(f"{path}/messages"))["items"] == [message]
    assert (await ben.get(path))["last_message"] == message
    synced = await ben.post("/v1/sync", {"cursors": {conversation["id"]: 0}})
    assert synced["conversations"][conversation["id"]]["messages"] == [message]
    await eventually(lambda: api.redis.room_events(conversation["id"]))
    assert api.redis.room_events(conversation["id"])[0].payload == message


async def test_metadata__by_command__is_stored(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    send = SendMessage(
        conversation_id=conversation["id"], user_id=ada.id, client_message_id="a", body="hi", metadata=ORDER
    )

    reply = await api.command(send)

    assert reply["result"]["message"]["metadata"] == ORDER


async def test_metadata__left_out__is_empty(api: Api) -> None:
    ada, ben = await api.users(2)

    assert (await ada.send((await ada.direct(ben))["id"]))["metadata"] == {}


@pytest.mark.parametrize(
    "refused", [None, [], "text", {"a": "x" * 4_089}, nested(17), {"a": 2**64}, {"a": "\0"}, {"a": 1e300}]
)
async def test_metadata__that_is_no_object_or_too_much__is_invalid(api: Api, refused: Any) -> None:
    ada, ben = await api.users(2)
    path = f"/v1/conversations/{(await ada.direct(ben))['id']}/messages"

    response = await ada.call("POST", path, {"client_message_id": "a", "body": "hi", "metadata": refused})

    assert (response.status, response.code) == (422, "invalid")
    assert all(field.startswith("metadata") for field in response.fields)


@pytest.mark.parametrize("taken", [{"a": "x" * 4_088}, nested(16)])
async def test_metadata__at_its_bounds__is_taken(api: Api, taken: Json) -> None:
    ada, ben = await api.users(2)

    assert (await ada.send((await ada.direct(ben))["id"], metadata=taken))["metadata"] == taken


async def test_metadata__is_part_of_what_a_repeat_must_say_alike(api: Api) -> None:
    ada, ben = await api.users(2)
    path = f"/v1/conversations/{(await ada.direct(ben))['id']}/messages"
    body: Json = {"client_message_id": "once", "body": "hi"}

    sent = [
        await ada.call("POST", path, body | {"metadata": metadata})
        for metadata in ({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1}, {})
    ]
    bare: list[Json] = [{"client_message_id": "bare"}, {"client_message_id": "bare", "metadata": {}}]
    without = [await ada.call("POST", path, body | each) for each in bare]

    assert [response.status for response in sent] == [201, 200, 409, 409]
    assert sent[2].code == "client_message_id_reused"
    assert [response.status for response in without] == [201, 200]


async def test_metadata__of_an_edited_message__stays_and_of_a_deleted_one_goes(api: Api) -> None:
    ada, ben = await api.users(2)
    message = await ada.send((await ada.direct(ben))["id"], metadata=ORDER)
    path = f"/v1/conversations/{message['conversation_id']}/messages/{message['id']}"

    edited = await ada.patch(path, {"body": "edited"})
    await ada.delete(path)

    assert edited["metadata"] == ORDER
    assert (await ben.get(path))["metadata"] == {}
    (stored,) = await api.sql("select metadata::text from messages where id = $1", message["id"])
    assert stored["metadata"] == "{}"
