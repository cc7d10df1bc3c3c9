"""What a backend does with its server key, against the running system."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from synctalk import CallError, Client, Connected, MessageEphemeral, Resume, Server, external
from synctalk.webhooks import verified
from synctalk_local.commands.key import key
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import new_name
from synctalk_testkit.eventually import eventually
from synctalk_testkit.service import serve_stub

TIMEOUT_S = 30

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def server(stack: RunningStack) -> AsyncIterator[Server]:
    server_key = await asyncio.to_thread(key, stack.stack, None)
    async with Server(stack.url, server_key) as opened:
        yield opened


async def test_user__made_changed_signed_in_and_ended(server: Server, stack: RunningStack) -> None:
    name = f"customer/{new_name()}"
    made = await server.put_user(name, display_name="Ada", metadata={"plan": "gold"})
    changed = await server.put_user(name, display_name="Ada B")
    tokens = await server.user_tokens(name)
    async with Client(stack.url, Resume(tokens.refresh_token)) as client:
        assert (await client.rest.me()).display_name == "Ada B"
    [good, bad] = await server.put_users(
        [{"external_id": f"{name}-2", "display_name": "Bob"}, {"external_id": f"{name}-3"}]
    )
    await server.deactivate_user(name)
    ended = await server.user(name)

    assert (made.id, changed.metadata, changed.external_id) == (changed.id, {"plan": "gold"}, name)
    assert good.user is not None
    assert good.user.display_name == "Bob"
    assert bad.error is not None
    assert ended.deactivated_at is not None
    with pytest.raises(CallError) as refused:
        await server.user_tokens(name)
    assert refused.value.code == "forbidden"


async def test_conversation__by_the_apps_name__made_changed_written_to_and_deleted(
    server: Server, stack: RunningStack
) -> None:
    name, (ada, ben) = f"ticket/{new_name()}", [f"customer/{new_name()}" for _ in range(2)]
    users = {each: await server.put_user(each, display_name="A customer") for each in (ada, ben)}
    made = await server.conversations.put(name, [external(ada)], title="Old", metadata={"order": 7})
    changed = await server.conversations.put(name, title="New")
    added = await server.conversations.add_member(name, external(ben))
    await server.conversations.remove_member(name, users[ben].id)
    direct = await server.conversations.put_direct(f"{name}/direct", external(ada), external(ben))

    sent = await server.messages.send(external(name), external(ada), "one", client_message_id="once")
    again = await server.messages.send(external(name), external(ada), "one", client_message_id="once")
    said = await server.messages.say(made.id, "two", kind="closed")
    ephemeral = await server.messages.send_ephemeral(made.id, external(ada), "now", metadata={"k": 1})
    good, bad = await server.messages.send_all(
        made.id, [{"sender": users[ada].id, "body": "three"}, {"sender": users[ben].id, "body": "of no member"}]
    )
    edited = await server.messages.edit(external(name), sent.id, "changed")
    await server.messages.delete(made.id, said.id)
    seen = await server.conversations.find(external(name))
    await server.conversations.delete(name)

    assert (made.external_id, made.metadata, changed.id, changed.title) == (name, {"order": 7}, made.id, "New")
    assert (added.user.external_id, direct.type, {user.external_id for user in direct.members or []}) == (
        ben,
        "direct",
        {ada, ben},
    )
    assert (again, said.system, ephemeral.body) == (sent, {"type": "custom", "kind": "closed"}, "now")
    assert (good.message and good.message.seq, bad.error and bad.error["code"]) == (3, "invalid")
    assert (edited.body, seen.last_seq, seen.members_count) == ("changed", 3, 1)
    with pytest.raises(CallError) as refused:
        await server.conversations.get(name)
    assert refused.value.code == "not_found"


async def test_ephemeral_message__is_an_event(server: Server, stack: RunningStack) -> None:
    name = f"customer/{new_name()}"
    await server.put_user(name, display_name="Ada")
    group = await server.conversations.put(f"lobby/{new_name()}", [external(name)])
    tokens = await server.user_tokens(name)
    async with Client(stack.url, Resume(tokens.refresh_token)) as client, asyncio.timeout(TIMEOUT_S):
        async for event in client.events():
            match event:
                case Connected():
                    sent = await server.messages.send_ephemeral(group.id, external(name), "3, 2, 1")
                case MessageEphemeral(message):
                    assert message == sent
                    return


async def test_events__followed_from_a_place__are_all_there_in_order(server: Server, stack: RunningStack) -> None:
    name = f"customer/{new_name()}"
    await server.put_user(name, display_name="Ada")
    start = (await server.read_events()).next
    group = await server.acting_as_external(name).create_group("Purchases", [])
    for n in range(5):
        await server.acting_as_external(name).send(group.id, str(n))

    said = []
    async with asyncio.timeout(TIMEOUT_S):
        async for event, _ in server.events(start, types=["message.created"]):
            if event.data["message"]["conversation_id"] == group.id:
                said.append(event.data["message"]["body"])
            if len(said) == 5:
                break

    assert said == ["0", "1", "2", "3", "4"]


async def test_webhook__made_tried_out_used_and_deleted(server: Server) -> None:
    requests: list[tuple[dict[str, str], bytes]] = []

    async def receive(request: web.Request) -> web.Response:
        requests.append((dict(request.headers), await request.read()))
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/hook", receive)
    name = f"customer/{new_name()}"
    async with serve_stub(app) as url:
        made = await server.create_webhook(f"{url}/hook", ["user.created"], "purchases")
        assert await server.test_webhook(made.id) == 204
        await server.put_user(name, display_name="Ada")

        def received() -> list[dict[str, Any]]:
            events = [verified(made.secret, headers, body) for headers, body in requests]
            return [event.data for event in events if event.data.get("user", {}).get("external_id") == name]

        await eventually(lambda: len(received()) == 1, TIMEOUT_S)

        async def delivered() -> bool:
            return any(one.status == "delivered" for one in await server.webhook_deliveries(made.id))

        await eventually(delivered, TIMEOUT_S)
        rotated = await server.change_webhook(made.id, rotate_secret=True, active=False)
    await server.replay_webhook(made.id, "0")
    [shown] = [one for one in await server.webhooks() if one.id == made.id]
    await server.delete_webhook(made.id)

    assert rotated.secret not in (None, made.secret)
    assert (shown.description, shown.types, shown.active) == ("purchases", ["user.created"], False)
