"""Watermarks: they only rise, are capped at the last message, and are published once."""

from synctalk_contracts.commands import MarkDelivered, MarkRead
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api


async def test_receipts__for_an_unrelated_user__are_not_there(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    conversation = await ada.direct(ben)
    path = f"/v1/conversations/{conversation['id']}"

    read = await eve.call("POST", f"{path}/read", {"seq": 1})
    listed = await eve.call("GET", f"{path}/receipts", params={"seq": "1"})
    reply = await api.command(MarkRead(conversation_id=conversation["id"], user_id=eve.id, seq=1))

    assert (read.code, listed.code, reply["error"]["code"]) == ("not_found", "not_found", "not_found")


async def test_read__beyond_the_last__is_cut_to_it(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    await ada.send(conversation["id"])

    await ben.post(f"/v1/conversations/{conversation['id']}/read", {"seq": 2**63 - 1})

    assert (await ben.get(f"/v1/conversations/{conversation['id']}"))["read_seq"] == 1


async def test_read__of_what_is_no_number__is_invalid(api: Api) -> None:
    ada, ben = await api.users(2)
    path = f"/v1/conversations/{(await ada.direct(ben))['id']}/read"

    for seq in (-1, 2**63, 1.5, "1", True, None):
        assert (await ben.call("POST", path, {"seq": seq})).fields == {"seq"}


async def test_watermarks__only_rise_and_read_implies_delivered(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    for _ in range(4):
        await ada.send(conversation["id"])
    mark = {"conversation_id": conversation["id"], "user_id": ben.id}

    await api.commands([MarkRead(seq=2, **mark)])
    await api.commands([MarkRead(seq=1, **mark), MarkDelivered(seq=3, **mark), MarkDelivered(seq=1, **mark)])

    (member,) = [
        item
        for item in (await ada.get(f"/v1/conversations/{conversation['id']}/members"))["items"]
        if item["user"]["id"] == ben.id
    ]
    assert (member["delivered_seq"], member["read_seq"]) == (3, 2)
    path = f"/v1/conversations/{conversation['id']}/receipts"
    listed = [(await ada.get(path, params={"seq": str(seq)}))["items"] for seq in (2, 3, 4)]
    assert listed == [
        [{"user_id": ben.id, "delivered": True, "read": True}],
        [{"user_id": ben.id, "delivered": True, "read": False}],
        [{"user_id": ben.id, "delivered": False, "read": False}],
    ]


async def test_watermarks__are_published_once_a_rise_without_a_number(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    for _ in range(3):
        await ada.send(conversation["id"])
    await api.subscribe(conversation["id"])
    mark = {"conversation_id": conversation["id"], "user_id": ben.id}

    await api.commands([MarkDelivered(seq=1, **mark), MarkRead(seq=2, **mark), MarkDelivered(seq=3, **mark)], "s-1")
    await api.commands([MarkRead(seq=2, **mark)])
    await ben.post(f"/v1/conversations/{conversation['id']}/read", {"seq": 3})

    await eventually(lambda: len(api.redis.room_events(conversation["id"])) >= 2)
    first, second = api.redis.room_events(conversation["id"])
    assert (first.event, first.change_seq, first.origin, first.user_id) == ("receipt:updated", None, "s-1", ben.id)
    assert first.payload == {
        "conversation_id": conversation["id"],
        "user_id": ben.id,
        "delivered_seq": 3,
        "read_seq": 2,
    }
    assert (second.origin, second.payload["read_seq"]) == (None, 3)


async def test_receipts__page_by_page__are_the_other_members(api: Api) -> None:
    ada, *others = await api.users(6)
    group = await ada.group(*others)
    message = await ada.send(group["id"])

    walked, cursor = [], None
    while True:
        params = {"seq": str(message["seq"]), "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = await ada.get(f"/v1/conversations/{group['id']}/receipts", params=params)
        walked += [item["user_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert sorted(walked) == sorted(other.id for other in others)


async def test_receipts__without_a_seq__are_invalid(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)

    response = await ada.call("GET", f"/v1/conversations/{conversation['id']}/receipts")

    assert response.fields == {"seq"}
