"""The feed and webhooks for a host app's backend, through the whole system."""

import asyncio
from typing import Any

import orjson
from aiohttp import web
from standardwebhooks import Webhook
from synctalk_local.commands.key import key
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import User, Users
from synctalk_testkit.eventually import eventually
from synctalk_testkit.service import serve_stub

KINDS = {"message.created", "message.updated", "message.deleted", "member.changed", "conversation.created"}


async def test_feed_and_webhook__of_a_conversations_life__are_the_same_events_in_order(
    users: Users, stack: RunningStack
) -> None:
    server_key = await asyncio.to_thread(key, stack.stack, "events webhooks")
    ada, bob, cy = await users.register_all("Ada", "Bob", "Cy")
    backend = Backend(ada, server_key)
    start = (await backend.get("/v1/events"))["next"]
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

    read = await backend.read(start, group["id"])
    assert [event["type"] for event in read] == [
        "conversation.created",
        "message.created",
        "message.updated",
        "member.changed",
        "message.deleted",
    ]
    assert [event["id"] for event in received()] == [event["id"] for event in read]
    assert {event["data"]["message"]["body"] for event in read if event["type"].startswith("message.")} == {""}


class Backend:
    """A host app's backend, which calls with a server key."""

    def __init__(self, through: User, key: str) -> None:
        self._through = through
        self._key = key

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self._key}"}
        answer = await self._through.request(method, path, body, headers=headers)
        assert answer.status < 300, answer
        return answer.body

    async def get(self, path: str) -> Any:
        return await self.call("GET", path)

    async def read(self, after: str, conversation_id: str) -> list[dict[str, Any]]:
        """Return the events of a conversation that are not of read marks."""
        page = await self.get(f"/v1/events?after={after}&limit=1000&types={','.join(sorted(KINDS))}")
        return [event for event in page["items"] if conversation_id in orjson.dumps(event).decode()]
