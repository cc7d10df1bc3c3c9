"""Blocks: what a blocked user cannot do to the other one, and what neither of them notices."""

import asyncio

from synctalk_api import rules
from synctalk_contracts import topology
from synctalk_contracts.commands import AddReaction, SendMessage
from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually
from synctalk_testkit.http import Response
from synctalk_testkit.plugin import FreshDatabase

from services.api.tests.integration.conftest import Api, Json, Start, User

BLOCKS = "/v1/users/me/blocks"


async def block(user: User, other: User, method: str = "PUT") -> None:
    assert (await user.call(method, f"{BLOCKS}/{other.id}")).status == 204


async def say(user: User, conversation: Json, name: str = "name") -> Response:
    body = {"client_message_id": name, "body": "hello"}
    return await user.call("POST", f"/v1/conversations/{conversation['id']}/messages", body)


async def test_block__of_oneself_or_nobody__is_refused(api: Api) -> None:
    ada = await api.user()

    for method in ("PUT", "DELETE"):
        assert (await ada.call(method, f"{BLOCKS}/{ada.id}")).fields == {"user_id"}
        assert (await ada.call(method, f"{BLOCKS}/{new_id()}")).status == 404
        assert (await ada.call(method, f"{BLOCKS}/nonsense")).status == 422


async def test_blocks__are_listed_for_oneself(api: Api) -> None:
    ada, *others = await api.users(6)
    for other in [*others, others[0]]:
        await block(ada, other)
    await block(others[0], ada)
    for _ in range(2):
        await block(ada, others[4], "DELETE")

    expected = sorted((other.profile.model_dump() for other in others[:4]), key=lambda user: user["id"])
    assert await ada.list(BLOCKS, 3) == expected
    assert await others[1].list(BLOCKS, 3) == []


async def test_blocked__to_begin_or_to_add__knows_no_such_user(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group = await ben.group(cleo)
    await block(ada, ben)
    begin = {"type": "direct", "member_ids": [ada.id]}
    unknown = {"type": "direct", "member_ids": [new_id()]}

    refused = await ben.call("POST", "/v1/conversations", begin)
    assert (refused.status, refused.body) == (422, (await ben.call("POST", "/v1/conversations", unknown)).body)
    together = {"type": "group", "title": "x", "member_ids": [cleo.id, ada.id]}
    assert (await ben.call("POST", "/v1/conversations", together)).fields == {"member_ids"}
    path = f"/v1/conversations/{group['id']}/members"
    assert (await ben.call("POST", path, {"user_ids": [ada.id]})).fields == {"user_ids"}
    assert (await cleo.call("POST", path, {"user_ids": [ada.id]})).status == 200
    await block(ada, ben, "DELETE")
    assert (await ben.call("POST", "/v1/conversations", begin)).status == 201


async def test_blocked__in_their_conversation__reads_and_cannot_write(api: Api) -> None:
    ada, ben = await api.users(2)
    direct = await ada.direct(ben)
    own, other = await ben.send(direct["id"], "mine"), await ada.send(direct["id"], "yours")
    sent = {"client_message_id": own["client_message_id"], "body": "mine"}
    await block(ada, ben)
    path = f"/v1/conversations/{direct['id']}"

    refused = [
        await say(ben, direct),
        await ben.call("PATCH", f"{path}/messages/{own['id']}", {"body": "else"}),
        await ben.call("PUT", f"{path}/messages/{other['id']}/reactions/👍"),
        await ben.call("PUT", f"{path}/messages/{other['id']}/pin"),
        await ben.call("DELETE", f"{path}/messages/{other['id']}/pin"),
    ]
    assert {(response.status, response.code) for response in refused} == {(404, "not_found")}
    assert (await ben.call("POST", "/v1/conversations", {"type": "direct", "member_ids": [ada.id]})).status == 422
    assert [m["id"] for m in (await ben.get(f"{path}/messages"))["items"]] == [own["id"], other["id"]]
    assert (await ben.call("POST", f"{path}/messages", sent)).status == 200
    assert (await ben.call("POST", f"{path}/read", {"seq": 2})).status == 204
    assert (await ben.call("DELETE", f"{path}/messages/{own['id']}")).status == 204


async def test_blocked__over_sockets__is_the_same(api: Api) -> None:
    ada, ben = await api.users(2)
    direct = await ada.direct(ben)
    message = await ada.send(direct["id"])
    await block(ada, ben)
    place = {"conversation_id": direct["id"]}

    send = SendMessage(**place, user_id=ben.id, client_message_id="a", body="hello")
    react = AddReaction(**place, user_id=ben.id, message_id=message["id"], emoji="👍")
    replies = await api.commands([send, react])
    typing = [(await api.internal("POST", "/internal/typing", place | {"user_id": u.id})).body for u in (ben, ada)]

    assert [reply["error"]["code"] for reply in replies] == ["not_found", "not_found"]
    assert [state["refusal"]["code"] for state in typing] == ["not_found", "forbidden"]


async def test_blocker__cannot_send_until_unblocking__and_both_can_then(api: Api) -> None:
    ada, ben = await api.users(2)
    direct = await ada.direct(ben)
    await block(ada, ben)

    refused = await say(ada, direct)
    assert (refused.status, refused.code) == (403, "forbidden")
    await block(ben, ada)
    await block(ada, ben, "DELETE")
    assert [(await say(user, direct)).status for user in (ada, ben)] == [404, 403]
    await block(ben, ada, "DELETE")
    assert [(await say(user, direct)).status for user in (ada, ben)] == [201, 201]


async def test_blocker__who_begins_a_conversation__has_the_block_in_it(api: Api) -> None:
    ada, ben = await api.users(2)
    await block(ada, ben)

    direct = await ada.direct(ben)

    assert [(await say(user, direct)).status for user in (ada, ben)] == [403, 404]


async def test_block__while_a_conversation_is_begun__holds_in_it(api: Api) -> None:
    for _ in range(5):
        ada, ben = await api.users(2)
        begin = {"type": "direct", "member_ids": [ada.id]}
        begun, _ = await asyncio.gather(ben.call("POST", "/v1/conversations", begin), block(ada, ben))

        if begun.status == 201:
            assert (await say(ben, begun.body)).status == 404
        assert begun.status in (201, 422)


async def test_block__in_groups__both_read_and_write_as_before(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    await block(ada, ben)

    assert [(await say(user, group)).status for user in (ada, ben)] == [201, 201]


async def test_block__is_no_change_and_shown_to_gateways_alone(api: Api) -> None:
    ada, ben = await api.users(2)
    direct = await ada.direct(ben)
    await api.subscribe(direct["id"])
    await api.redis.subscribe(topology.user_channel(ben.id))

    await block(ada, ben)

    assert await ada.get(f"/v1/conversations/{direct['id']}") == direct
    await eventually(lambda: api.redis.room_events(direct["id"]))
    (event,) = api.redis.room_events(direct["id"])
    assert (event.event, event.change_seq, event.payload) == ("rights:changed", None, {})

    def of_ben() -> list[bytes]:
        return [data for name, data in api.redis.received if name == topology.user_channel(ben.id)]

    await eventually(of_ben)
    assert of_ben() == [b'{"event":"contacts:changed"}']


async def test_contacts__of_the_blocked__leave_the_blocker_out(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    await ada.group(ben, cleo)
    await block(ada, ben)

    async def contacts(user: User, *others: User) -> set[str]:
        question = {"user_id": user.id, "others": [other.id for other in others]}
        return set((await api.internal("POST", "/internal/contacts", question)).body["ids"])

    assert await contacts(ben, ada, cleo) == {cleo.id}
    assert await contacts(ada, ben, cleo) == {ben.id, cleo.id}
    await block(ada, ben, "DELETE")
    assert await contacts(ben, ada, cleo) == {ada.id, cleo.id}


async def test_pushes__of_messages_of_the_blocked__are_not_due(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group = await ada.group(ben, cleo)
    for sender in (ben, cleo):
        await sender.send(group["id"])
    await block(ada, ben)

    questions = [
        {"user_id": user.id, "conversation_id": group["id"], "seq": seq}
        for user, seq in ((ada, 1), (ada, 2), (cleo, 1), (ada, 3))
    ]
    answers = (await api.internal("POST", "/internal/pushes", {"items": questions})).body["items"]

    assert [(answer["member"], answer["deleted"]) for answer in answers] == [
        (True, True),
        (True, False),
        (True, False),
        (True, False),
    ]


async def test_block__of_a_conversation_in_another_store__holds_there(
    start_api: Start, fresh_database: FreshDatabase
) -> None:
    async with start_api(api_stores={"second": await fresh_database("api")}) as api:
        ada, ben = await api.users(2)
        api.services.stores.take(["second"] * 256, ())
        direct = await ada.direct(ben)
        assert rules.direct_id(rules.direct_key(ada.id, ben.id)) == direct["id"]

        await block(ada, ben)

        assert (await say(ben, direct)).status == 404
        question = {"user_id": ben.id, "others": [ada.id]}
        assert (await api.internal("POST", "/internal/contacts", question)).body["ids"] == []
