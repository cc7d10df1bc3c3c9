"""Revisions: who may see what an edited message said before, and that they go with the message."""

from synctalk_contracts.commands import DeleteMessage, EditMessage

from services.api.tests.integration.conftest import Api, Json


def at(message: Json) -> str:
    return f"/v1/conversations/{message['conversation_id']}/messages/{message['id']}"


async def test_revisions__of_an_unrelated_user_or_an_unknown_message__are_not_found(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    message = await ada.send((await ada.direct(ben))["id"])

    by_eve = await eve.call("GET", f"{at(message)}/revisions")
    unknown = await ada.call("GET", f"{at(message | {'id': ada.id})}/revisions")

    assert (by_eve.status, unknown.status) == (404, 404)


async def test_revisions__are_for_the_sender_and_moderators(api: Api) -> None:
    ada, ben, cleo, dora = await api.users(4)
    group = await ada.group(ben, cleo, dora)
    await ada.patch(f"/v1/conversations/{group['id']}/members/{dora.id}", {"role": "moderator"})
    message = await ben.send(group["id"])

    statuses = [(await user.call("GET", f"{at(message)}/revisions")).status for user in (ada, ben, cleo, dora)]

    assert statuses == [200, 200, 403, 200]


async def test_revisions__in_a_direct_conversation__are_for_the_sender(api: Api) -> None:
    ada, ben = await api.users(2)
    message = await ada.send((await ada.direct(ben))["id"])

    statuses = [(await user.call("GET", f"{at(message)}/revisions")).status for user in (ada, ben)]

    assert statuses == [200, 403]


async def test_revisions__have_the_earlier_texts_oldest_first_with_when_each_was_replaced(api: Api) -> None:
    ada, ben = await api.users(2)
    message = await ada.send((await ada.direct(ben))["id"], "one")
    before = await ada.list(f"{at(message)}/revisions", 1)

    edits = [await ada.patch(at(message), {"body": body}) for body in ("two", "two", "three")]

    assert before == []
    assert await ada.list(f"{at(message)}/revisions", 1) == [
        {"body": "one", "edited_at": edits[0]["edited_at"]},
        {"body": "two", "edited_at": edits[2]["edited_at"]},
    ]


async def test_delete__deletes_the_revisions__also_those_of_the_same_batch(api: Api) -> None:
    ada, ben = await api.users(2)
    message = await ada.send((await ada.direct(ben))["id"], "one")
    place = {"conversation_id": message["conversation_id"], "message_id": message["id"], "user_id": ada.id}
    await ada.patch(at(message), {"body": "two"})

    await api.commands([EditMessage(body="three", **place), DeleteMessage(**place)])

    assert await ada.list(f"{at(message)}/revisions", 10) == []
    rows = await api.sql("select from revisions where message_id = $1", message["id"])
    assert len(rows) == 0
