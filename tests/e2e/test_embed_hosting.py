"""The third part of the interface: pages of other origins, the message hook, guests who may begin, documentation."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import yaml
from aiohttp import web
from standardwebhooks import Webhook
from synctalk_systemtest.beside import beside
from synctalk_systemtest.plugin import HOST_ORIGIN
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import User, Users, new_name
from synctalk_testkit.http import Response, request
from synctalk_testkit.service import serve_stub

from tests.e2e.backend import Backend
from tests.e2e.test_embed_callers import guest_of

HOOK_SECRET = "whsec_" + "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlYyE="


@dataclass
class Hook:
    """The operator's endpoint that is asked before a message is stored."""

    url: str = ""
    answer: Any = None
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def ask(self, request: web.Request) -> web.Response:
        body = await request.read()
        Webhook(HOOK_SECRET).verify(body, dict(request.headers))
        self.asked.append(orjson.loads(body))
        return web.json_response(self.answer) if self.answer is not None else web.Response(status=500)


@asynccontextmanager
async def hooked_api(stack: RunningStack) -> AsyncIterator[tuple[Hook, str]]:
    """One more api process, which asks a hook, and lets guests begin conversations."""
    hook, app = Hook(), web.Application()
    app.router.add_post("/hook", hook.ask)
    async with serve_stub(app) as url:
        settings = {"MESSAGE_HOOK_URL": f"{url}/hook", "MESSAGE_HOOK_SECRET": HOOK_SECRET, "GUESTS": "open"}
        context = beside(stack, "api-1", settings)
        at = await asyncio.to_thread(context.__enter__)
        try:
            yield hook, at
        finally:
            await asyncio.to_thread(context.__exit__, None, None, None)


async def call(user: User, at: str, method: str, path: str, body: Any) -> Response:
    headers = {"Authorization": f"Bearer {user.access_token}"}
    return await request(user.http, method, at + path, json=body, headers=headers)


async def test_embed_hook_1_point_26__hook__lets_through_replaces_and_refuses__for_users_alone(
    users: Users, backend: Backend, stack: RunningStack
) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    path = f"/v1/conversations/{direct}/messages"
    async with hooked_api(stack) as (hook, at):
        sent = {"client_message_id": new_name(), "body": "one", "metadata": {"n": 1}}
        hook.answer = {"action": "allow"}
        allowed = await call(ada, at, "POST", path, sent)
        asked = sent | {"conversation_id": direct, "sender_id": ada.id}
        assert (allowed.status, hook.asked) == (201, [{"type": "create", "message": asked}])
        assert (await call(ada, at, "POST", path, sent)).status == 200
        assert len(hook.asked) == 1
        hook.answer = {"action": "replace", "body": "two", "metadata": {"n": 2}}
        other = sent | {"client_message_id": new_name()}
        replaced = await call(ada, at, "POST", path, other)
        assert (replaced.body["body"], replaced.body["metadata"]) == ("two", {"n": 2})
        assert (await call(ada, at, "POST", path, other)).body["id"] == replaced.body["id"]
        hook.answer = {"action": "refuse", "reason": "rude"}
        refused = await call(ada, at, "PATCH", f"{path}/{allowed.body['id']}", {"body": "three"})
        assert (refused.status, refused.code) == (403, "forbidden")
        assert refused.body["error"]["details"]["reason"] == "rude"
        assert hook.asked[-1]["type"] == "edit"
        hook.answer = None
        unanswered = await call(ada, at, "POST", path, sent | {"client_message_id": new_name()})
        assert unanswered.status == 201  # `allow` is the default
        count = len(hook.asked)
        by_host = {"Authorization": f"Bearer {backend.key}"}
        said = {"sender": ada.id, "client_message_id": new_name(), "body": "by the host"}
        url = f"{at}/v1/server/conversations/{direct}/messages"
        assert (await request(users.http, "POST", url, json=said, headers=by_host)).status == 201
        assert len(hook.asked) == count

        guest = backend.signed_in(await guest_of(users))
        begun = await call(guest, at, "POST", "/v1/conversations", {"type": "direct", "member_ids": [ada.id]})
        assert begun.status == 201  # where guests are `open`


async def test_embed_origin_1_point_27__allowed_origin__gets_itself_back__another_nothing(
    users: Users, backend: Backend
) -> None:
    base, preflight = users.base_url, {"Access-Control-Request-Method": "POST"}
    for path in ("/v1/users/me", "/v1/auth/providers", "/v1/presence?user_ids=", "/v1/devices", "/v1/nothing-there"):
        answer = await request(users.http, "GET", base + path, headers={"Origin": HOST_ORIGIN})
        headers = {name.lower(): value for name, value in answer.headers.items()}
        assert headers["access-control-allow-origin"] == HOST_ORIGIN, path
        assert "origin" in headers["vary"].lower()
        assert headers["access-control-expose-headers"] == "Retry-After"
        assert "access-control-allow-credentials" not in headers
        other = await request(users.http, "GET", base + path, headers={"Origin": "https://other.example"})
        assert not any(name.lower().startswith("access-control") for name in other.headers), path
    allowed = await request(users.http, "OPTIONS", f"{base}/v1/users/me", headers={"Origin": HOST_ORIGIN} | preflight)
    headers = {name.lower(): value for name, value in allowed.headers.items()}
    assert allowed.status in (200, 204)
    assert headers["access-control-max-age"] == "600"
    assert {each.strip() for each in headers["access-control-allow-headers"].split(",")} == {
        "Authorization",
        "Content-Type",
    }
    foreign = {"Origin": "https://other.example"}
    assert (await request(users.http, "OPTIONS", f"{base}/v1/users/me", headers=foreign | preflight)).status == 403
    handshake = f"{base}/socket.io/?EIO=4&transport=polling"
    statuses = [
        (await request(users.http, "GET", handshake, headers={"Origin": origin})).status
        for origin in (HOST_ORIGIN, foreign["Origin"])
    ]
    assert statuses == [200, 403]
    assert await backend.refused("GET", "/v1/events", Origin=HOST_ORIGIN) == (403, "forbidden")


async def test_embed_origin_2_point_28__embed__may_be_framed_by_allowed_origins__and_is_a_script(users: Users) -> None:
    def ancestors(answer: Response) -> list[str]:
        directives = [each.split() for each in answer.headers["Content-Security-Policy"].split(";")]
        return next(each[1:] for each in directives if each[:1] == ["frame-ancestors"])

    framed = await request(users.http, "GET", f"{users.base_url}/embed")
    others = await request(users.http, "GET", f"{users.base_url}/", headers={"Accept": "text/html"})
    script = await request(users.http, "GET", f"{users.base_url}/embed.js")
    assert ancestors(framed) == ["'self'", HOST_ORIGIN]
    assert ancestors(others) == ["'self'"]
    assert (script.status, "javascript" in script.headers["Content-Type"]) == (200, True)
    assert "data-token-url" in script.body or "tokenUrl" in script.body


async def test_embed_docs_1__documentation__is_served_by_the_edge__with_both_interfaces(users: Users) -> None:
    page = await request(users.http, "GET", f"{users.base_url}/docs/")
    assert (page.status, "Chat in your app in ten minutes" in page.body) == (200, True)
    openapi = (await request(users.http, "GET", f"{users.base_url}/docs/openapi.json")).body
    assert openapi["paths"].keys() >= {"/v1/auth/login", "/v1/conversations", "/v1/presence", "/v1/events"}
    operations = [
        each["operationId"] for path in openapi["paths"].values() for each in path.values() if "operationId" in each
    ]
    assert len(operations) == len(set(operations)) > 100
    async with users.http.get(f"{users.base_url}/docs/asyncapi.yaml") as answer:
        asyncapi = yaml.safe_load(await answer.text())
    assert asyncapi["channels"]["sockets"]["messages"].keys() >= {
        "message_send",
        "thread_read",
        "message_stream_append",
    }
    acks = [message["$ref"] for message in asyncapi["operations"]["message_send"]["reply"]["messages"]]
    assert acks == ["#/channels/acks/messages/MessageAck", "#/channels/acks/messages/RefusedAck"]
