"""Previews of links: shown by a change of the message, gone with the links that they are of."""

from typing import Any

from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api, Json, User
from services.api.tests.integration.test_erasing import tables_with

LINK, OTHER = "https://example.org/one", "https://example.com/two"


def preview(url: str, **fields: Any) -> Json:
    return {"url": url, "title": "A page", "description": "", "image_url": None} | fields


async def show(api: Api, message: Json, *previews: Json, links: list[str] | None = None) -> int:
    """Show previews as the notifier does; return the answer's status."""
    made = {
        "conversation_id": message["conversation_id"],
        "message_id": message["id"],
        "sender_id": message["sender_id"],
        "links": links or [each["url"] for each in previews],
        "previews": list(previews),
    }
    return (await api.internal("POST", "/internal/previews", made)).status


def path_of(message: Json) -> str:
    return f"/v1/conversations/{message['conversation_id']}/messages/{message['id']}"


async def linking(api: Api, body: str = f"see {LINK}") -> tuple[User, Json]:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    return ada, await ada.send(conversation["id"], body)


async def test_send__with_a_link__has_no_previews_at_first(api: Api) -> None:
    _, message = await linking(api)
    assert message["previews"] == []


async def test_previews__of_its_links__are_a_change_of_the_message_and_no_edit(api: Api) -> None:
    ada, message = await linking(api)
    await api.subscribe(message["conversation_id"])
    made = preview(LINK, description="What it says", image_url="https://example.org/picture.png")

    assert await show(api, message, made) == 204

    shown = await ada.get(path_of(message))
    assert shown == message | {"previews": [made], "change_seq": message["change_seq"] + 1}
    await eventually(lambda: len(api.redis.room_events(message["conversation_id"])) == 1)
    (event,) = api.redis.room_events(message["conversation_id"])
    assert (event.event, event.payload, event.origin) == ("message:updated", shown, None)
    cursors = {message["conversation_id"]: message["change_seq"]}
    synced = await ada.post("/v1/sync", {"cursors": cursors})
    assert synced["conversations"][message["conversation_id"]]["messages"] == [shown]


async def test_previews__again__change_nothing(api: Api) -> None:
    ada, message = await linking(api)
    await show(api, message, preview(LINK))
    before = await ada.get(path_of(message))

    assert await show(api, message, preview(LINK)) == 204

    assert await ada.get(path_of(message)) == before


async def test_previews__of_other_links_than_it_has__are_not_shown(api: Api) -> None:
    ada, message = await linking(api)

    await show(api, message, preview(OTHER))
    await show(api, message, preview(LINK), links=[LINK, OTHER])

    assert await ada.get(path_of(message)) == message


async def test_edit__of_the_links__takes_the_previews_of_those_that_are_gone(api: Api) -> None:
    ada, message = await linking(api, f"{LINK} {OTHER}")
    await show(api, message, preview(LINK), preview(OTHER))

    edited = await ada.patch(path_of(message), {"body": f"only {OTHER}"})

    assert edited["previews"] == [preview(OTHER)]
    assert (await ada.get(path_of(message)))["previews"] == [preview(OTHER)]


async def test_delete__takes_the_previews(api: Api) -> None:
    ada, message = await linking(api)
    await show(api, message, preview(LINK, title="a-title-to-look-for"))

    await ada.delete(path_of(message))

    assert (await ada.get(path_of(message)))["previews"] == []
    await eventually(lambda: is_nowhere(api, "a-title-to-look-for"))
    assert await show(api, message, preview(LINK)) == 204
    assert (await ada.get(path_of(message)))["previews"] == []


async def is_nowhere(api: Api, what: str) -> bool:
    return not await tables_with(api, what)


async def test_previews__where_the_sender_has_left__are_shown(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    message = await ben.send(group["id"], LINK)
    await ben.delete(f"/v1/conversations/{group['id']}/members/{ben.id}")

    await show(api, message, preview(LINK))

    assert (await ada.get(path_of(message)))["previews"] == [preview(LINK)]


async def test_previews__in_an_archived_group__are_not_shown(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    message = await ada.send(group["id"], LINK)
    await ada.put(f"/v1/conversations/{group['id']}/archive")

    assert await show(api, message, preview(LINK)) == 204

    assert (await ada.get(path_of(message)))["previews"] == []


async def test_previews__of_a_message_that_does_not_exist__change_nothing(api: Api) -> None:
    _, message = await linking(api)

    assert await show(api, message | {"id": new_id()}, preview(LINK)) == 204
    assert await show(api, message | {"conversation_id": new_id()}, preview(LINK)) == 404


async def test_forward__of_a_message_with_previews__begins_without(api: Api) -> None:
    ada, message = await linking(api)
    await show(api, message, preview(LINK))

    forward = {"conversation_id": message["conversation_id"], "message_id": message["id"]}
    forwarded = await ada.send(message["conversation_id"], "", forward=forward)

    assert (forwarded["body"], forwarded["previews"]) == (message["body"], [])
