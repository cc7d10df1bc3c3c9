"""The feed and webhooks for a host app's backend, through the whole system."""

from typing import Any

import orjson
from aiohttp import web
from standardwebhooks import Webhook
from synctalk_testkit.clients import Users
from synctalk_testkit.eventually import eventually
from synctalk_testkit.service import serve_stub

from tests.e2e.backend import Backend

KINDS = {"message.created", "message.updated", "message.deleted", "member.changed", "conversation.created"}


async def test_embed_feed_1__feed_and_webhook__of_a_conversations_life__are_the_same_events_in_order(
    users: Users, backend: Backend
) -> None:
    ada, bob, cy = await users.register_all("Ada", "Bob", "Cy")
    start = await backend.feed_end()
    requests: list[tuple[dict[str, str], bytes]] = []

    async def receive(request: web.Request) -> web.Response:
        requests.append((dict(request.headers), await request.read()))
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/events", receive)
    async with serve_stub(app) as url:
        made = await backend.call("POST", "/v1/webhooks", {"url": f"{url}/events", "types": sorted(KINDS)})
        group = await ada.group_with(bob)
        path = f"/v1/conversations/{group['id']}"
        message = await ada.say(group["id"], "one")
        await ada.patch(f"{path}/messages/{message['id']}", {"body": "two"})
        await ada.post(f"{path}/members", {"user_ids": [cy.id]})
        await ada.delete(f"{path}/messages/{message['id']}")

        def received() -> list[dict[str, Any]]:
            events = [Webhook(made["secret"]).verify(body, headers) for headers, body in requests]
            return [event for event in events if group["id"] in orjson.dumps(event).decode()]

        await eventually(lambda: len(received()) == 5, 20)
        await backend.call("DELETE", f"/v1/webhooks/{made['id']}")

    read = await backend.events(start, group["id"], *sorted(KINDS))
    assert [event["type"] for event in read] == [
        "conversation.created",
        "message.created",
        "message.updated",
        "member.changed",
        "message.deleted",
    ]
    assert [event["id"] for event in received()] == [event["id"] for event in read]
    assert {event["data"]["message"]["body"] for event in read if event["type"].startswith("message.")} == {""}
