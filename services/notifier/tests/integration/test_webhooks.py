"""`/v1/webhooks`, against real HTTP servers that accept, fail, hang, redirect and never end."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from aiohttp import web
from standardwebhooks import Webhook as Signer
from standardwebhooks import WebhookVerificationError
from synctalk_contracts.models import Scope
from synctalk_notifier import webhook_rules
from synctalk_notifier.store import webhook_deliveries
from synctalk_runtime.ids import new_id, utc_now
from synctalk_testkit.eventually import eventually
from synctalk_testkit.service import serve_stub

if TYPE_CHECKING:
    from synctalk_testkit.http import Response

    from services.notifier.tests.harness import Rig

PATH = "/v1/webhooks"
Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Endpoint:
    """A host app's server, and what it got."""

    url: str = ""
    respond: Respond | None = None
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((dict(request.headers), await request.read()))
        return await self.respond(request) if self.respond is not None else web.Response(status=204)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [orjson.loads(body) for _, body in self.requests]

    def of(self, conversation_id: str) -> list[dict[str, Any]]:
        return [event for event in self.events if conversation_id in orjson.dumps(event["data"]).decode()]


async def failing(_: web.Request) -> web.StreamResponse:
    return web.Response(status=500)


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with serving() as made:
        yield made


class serving:  # noqa: N801
    """An endpoint, for as long as the block lasts."""

    async def __aenter__(self) -> Endpoint:
        self._endpoint, app = Endpoint(), web.Application()
        app.router.add_post("/events", self._endpoint.answer)
        self._stub = serve_stub(app)
        self._endpoint.url = await self._stub.__aenter__() + "/events"
        return self._endpoint

    async def __aexit__(self, *error: Any) -> None:
        await self._stub.__aexit__(*error)


class Host:
    """A host app that makes webhooks."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.key = rig.auth.server_key(Scope.WEBHOOKS, Scope.EVENTS)

    async def call(self, method: str, path: str = "", body: Any = None, **options: Any) -> Response:
        return await self.rig.service.call(method, PATH + path, body, token=self.key, **options)

    async def make(self, url: str, *types: str) -> dict[str, str]:
        made = await self.call("POST", "", {"url": url, "types": list(types) or ["message.created"]})
        assert made.status == 201, made
        body: dict[str, str] = made.body
        return body

    async def shown(self, webhook_id: str) -> dict[str, Any]:
        listed = await self.call("GET")
        found: dict[str, Any] = next(item for item in listed.body["items"] if item["id"] == webhook_id)
        return found

    async def deliveries(self, webhook_id: str) -> list[dict[str, Any]]:
        listed = await self.call("GET", f"/{webhook_id}/deliveries")
        items: list[dict[str, Any]] = listed.body["items"]
        return items


DELIVERIES = """
with made as (
  insert into webhooks (id, url, types, description, created_at, secret, position)
  values ($1, 'https://bench.example', '{}', '', $2, '', 0) returning id)
insert into webhook_deliveries (webhook_id, n, event_id, type, lane, status, attempts, next_try_at, created_at)
select id, n, gen_random_uuid(), 'message.created', md5((n % 100)::text)::uuid, 'pending', 0, $2, $2
from made, generate_series(1, 1000) n"""


@pytest.fixture
async def host(rig: Rig) -> AsyncIterator[Host]:
    made = Host(rig)
    yield made
    for item in (await made.call("GET")).body["items"]:
        await made.call("DELETE", f"/{item['id']}")


async def test_event__is_delivered__signed_as_the_standard_says(rig: Rig, host: Host, endpoint: Endpoint) -> None:
    made = await host.make(endpoint.url)
    ada = rig.user()
    conversation = await rig.conversation(ada)
    message = (await conversation.write(ada)).message

    await eventually(lambda: len(endpoint.requests) == 1)

    headers, body = endpoint.requests[0]
    event = Signer(made["secret"]).verify(body, headers)
    assert event["data"]["message"]["id"] == message.id
    assert headers["webhook-id"] == event["id"]
    assert len(base64.b64decode(made["secret"].removeprefix("whsec_"))) == 32
    [read] = (await rig.service.call("GET", "/v1/events", token=host.key, params={"after": "0", "limit": 1000})).body[
        "items"
    ][-1:]
    assert read == event
    with pytest.raises(WebhookVerificationError):
        Signer(webhook_rules.new_secret()).verify(body, headers)

    async def delivered() -> bool:
        return [one["status"] for one in await host.deliveries(made["id"])] == ["delivered"]

    await eventually(delivered)


async def test_endpoint__fails_twice__gets_the_same_bytes_again_and_later_ones_wait(
    rig: Rig, host: Host, endpoint: Endpoint
) -> None:
    async def twice(_: web.Request) -> web.StreamResponse:
        return web.Response(status=503 if len(endpoint.requests) <= 2 else 200)

    endpoint.respond = twice
    made = await host.make(endpoint.url)
    ada = rig.user()
    conversation = await rig.conversation(ada)
    await conversation.write(ada, times=3)

    await eventually(lambda: len(endpoint.requests) == 5)

    bodies = [body for _, body in endpoint.requests]
    assert bodies[0] == bodies[1] == bodies[2]
    assert [event["data"]["message"]["seq"] for event in endpoint.events[2:]] == [1, 2, 3]

    async def recorded() -> bool:
        listed = await host.deliveries(made["id"])
        return [(one["status"], one["attempts"], one["last_status"]) for one in listed] == [
            ("delivered", 1, 200),
            ("delivered", 1, 200),
            ("delivered", 3, 200),
        ]

    await eventually(recorded)
    assert (await host.shown(made["id"]))["failing_since"] is None


async def test_endpoint__always_fails__later_ones_pass_after_five_tries_and_all_are_dead_in_the_end(
    rig: Rig, host: Host, endpoint: Endpoint
) -> None:
    async def refuse_first(request: web.Request) -> web.StreamResponse:
        seq = orjson.loads(await request.read())["data"]["message"]["seq"]
        return web.Response(status=500 if seq == 1 else 200)

    endpoint.respond = refuse_first
    made = await host.make(endpoint.url)
    ada = rig.user()
    conversation = await rig.conversation(ada)
    await conversation.write(ada, times=2)

    async def ended() -> bool:
        listed = await host.deliveries(made["id"])
        return sorted(one["status"] for one in listed) == ["dead", "delivered"]

    await eventually(ended, 20)
    seqs = [event["data"]["message"]["seq"] for event in endpoint.events]
    assert seqs.index(2) == webhook_rules.PASSED_AFTER
    assert seqs.count(1) == 11


async def test_conversation__of_many_events__is_sent_in_order_and_waits_at_a_failure(
    rig: Rig, host: Host, endpoint: Endpoint
) -> None:
    async def fail_third_once(request: web.Request) -> web.StreamResponse:
        seq = orjson.loads(await request.read())["data"]["message"]["seq"]
        times = sum(event["data"]["message"]["seq"] == seq for event in endpoint.events)
        return web.Response(status=503 if seq == 3 and times == 1 else 200)

    endpoint.respond = fail_third_once
    await host.make(endpoint.url)
    ada = rig.user()
    conversation = await rig.conversation(ada)
    await conversation.write(ada, times=40)

    await eventually(lambda: len(endpoint.requests) == 41)

    assert [event["data"]["message"]["seq"] for event in endpoint.events] == [1, 2, 3, *range(3, 41)]


async def test_claim__whose_plan_was_made_when_there_was_nothing__finds_a_lane_by_its_index(rig: Rig) -> None:
    webhook_id, now = new_id(), utc_now()
    async with rig.postgres.connection() as conn:
        await conn.execute("delete from webhook_deliveries")
        await conn.execute("vacuum analyze webhook_deliveries")
        await conn.execute(f"prepare claim as {webhook_deliveries.CLAIM}")
        execute = f"execute claim ('{webhook_id}', '{now}', '{now}', 8, 5, 15)"
        for _ in range(10):
            await conn.execute(execute)
        async with conn.transaction():
            await conn.execute(DELIVERIES, webhook_id, now)
            await webhook_deliveries.plan_anew(conn)
            plan = "\n".join(line["QUERY PLAN"] for line in await conn.fetch(f"explain {execute}"))
            await conn.execute("delete from webhooks where id = $1", webhook_id)
        await conn.execute("deallocate claim")
    assert plan.count("using webhook_deliveries_lane") == 2
    assert "Seq Scan" not in plan


async def test_endpoint__hangs__delays_no_other(rig: Rig, host: Host, endpoint: Endpoint) -> None:
    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    async with serving() as slow:
        slow.respond = hang
        hanging = await host.make(slow.url)
        await host.make(endpoint.url)
        ada = rig.user()
        for _ in range(3):
            conversation = await rig.conversation(ada)
            await conversation.write(ada, times=10)

        await eventually(lambda: len(endpoint.requests) == 30)

        async def timed_out() -> bool:
            return any(one["last_error"] == "timeout" for one in await host.deliveries(hanging["id"]))

        await eventually(timed_out)
        assert (await host.shown(hanging["id"]))["failing_since"] is not None


async def redirect(request: web.Request) -> web.StreamResponse:
    return web.Response(status=307, headers={"location": str(request.url)})


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(status=200)
    await response.prepare(request)
    while True:
        await response.write(b"x" * 1000)
        await asyncio.sleep(0.01)


async def slowly(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(status=200)
    response.content_length = 1000
    await response.prepare(request)
    while True:
        await response.write(b"x")
        await asyncio.sleep(0.2)


async def closed(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@pytest.mark.parametrize(
    ("respond", "outcome"),
    [
        (redirect, {"status": 307, "error": "status 307"}),
        (endless, {"status": 200, "error": None}),
        (slowly, {"status": None, "error": "timeout"}),
        (closed, {"status": None, "error": "broken_answer"}),
    ],
)
async def test_endpoint__of_any_kind__has_an_outcome_in_time(
    host: Host, endpoint: Endpoint, respond: Respond, outcome: dict[str, Any]
) -> None:
    endpoint.respond = respond
    made = await host.make(endpoint.url)
    result = await host.call("POST", f"/{made['id']}/test")

    assert result.body["duration_ms"] < 2500
    assert {name: result.body[name] for name in outcome} == outcome
    assert len(endpoint.requests) == 1


async def test_test__accepted__is_a_signed_event_of_its_own(rig: Rig, host: Host, endpoint: Endpoint) -> None:
    made = await host.make(endpoint.url)
    result = await host.call("POST", f"/{made['id']}/test")

    headers, body = endpoint.requests[0]
    event = Signer(made["secret"]).verify(body, headers)
    assert (result.status, result.body["status"], result.body["error"]) == (200, 204, None)
    assert (event["type"], event["data"]) == ("webhook.test", {})
    assert await host.deliveries(made["id"]) == []


async def test_endpoint__nothing_listens__is_not_connected(host: Host, endpoint: Endpoint) -> None:
    made = await host.make("http://127.0.0.1:1/events")
    result = await host.call("POST", f"/{made['id']}/test")
    assert (result.body["status"], result.body["error"]) == (None, "not_connected")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://user@example.com/",
        "https://example.com/#part",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:10.0.0.1]/",
        "https://[fe80::1]/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://0x0a000001/",
        "https://167772161/",
        "https://012.0.0.1/",
        "https://name-that-is-nowhere.invalid/",
        "ftp://127.0.0.1/",
        "not a url",
        "https://" + "x" * 2048,
    ],
)
async def test_url__that_is_not_public__is_invalid(host: Host, url: str) -> None:
    response = await host.call("POST", "", {"url": url, "types": ["message.created"]})
    assert (response.status, response.code) == (422, "invalid")
    assert response.body["error"]["details"][0]["field"] == "url"


async def test_url__that_is_forbidden_by_now__fails_without_a_connection(
    rig: Rig, host: Host, endpoint: Endpoint
) -> None:
    made = await host.make(endpoint.url)
    await rig.postgres_execute("update webhooks set url = 'https://10.1.2.3/' where id = $1", made["id"])
    result = await host.call("POST", f"/{made['id']}/test")
    assert result.body["error"] == "forbidden_address"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "http://127.0.0.1/"},
        {"url": "http://127.0.0.1/", "types": []},
        {"url": "http://127.0.0.1/", "types": ["unknown"]},
        {"url": "http://127.0.0.1/", "types": ["webhook.test"]},
        {"url": "http://127.0.0.1/", "types": ["message.created"], "description": "x" * 256},
        {"url": "http://127.0.0.1/", "types": ["message.created"], "more": 1},
    ],
)
async def test_webhook__made_badly__is_invalid(host: Host, body: dict[str, Any]) -> None:
    response = await host.call("POST", "", body)
    assert (response.status, response.code) == (422, "invalid")


async def test_webhook__listed_changed_and_deleted(host: Host, endpoint: Endpoint) -> None:
    made = await host.make(endpoint.url, "message.created", "member.changed", "message.created")
    shown = await host.shown(made["id"])
    assert shown | {"created_at": ""} == {
        "id": made["id"],
        "url": endpoint.url,
        "types": ["message.created", "member.changed"],
        "description": "",
        "active": True,
        "created_at": "",
        "failing_since": None,
    }

    patched = await host.call("PATCH", f"/{made['id']}", {"types": ["user.created"], "active": False})
    assert (patched.body["types"], patched.body["active"], patched.body["secret"]) == (["user.created"], False, None)
    assert (await host.call("DELETE", f"/{made['id']}")).status == 204
    for method, path in (("DELETE", ""), ("PATCH", ""), ("POST", "/test"), ("GET", "/deliveries")):
        response = await host.call(method, f"/{made['id']}{path}", {} if method == "PATCH" else None)
        assert (response.status, response.code) == (404, "not_found")


async def test_webhooks__too_many__is_a_conflict(host: Host, endpoint: Endpoint) -> None:
    for _ in range(20):
        await host.make(endpoint.url)
    response = await host.call("POST", "", {"url": endpoint.url, "types": ["message.created"]})
    assert (response.status, response.code) == (409, "conflict")


async def test_secret__rotated__both_sign_for_a_day(rig: Rig, host: Host, endpoint: Endpoint) -> None:
    made = await host.make(endpoint.url)
    new = (await host.call("PATCH", f"/{made['id']}", {"rotate_secret": True})).body["secret"]
    await host.call("POST", f"/{made['id']}/test")
    headers, body = endpoint.requests[0]
    for secret in (made["secret"], new):
        Signer(secret).verify(body, headers)

    await rig.postgres_execute("update webhooks set old_secret_until = now() where id = $1", made["id"])
    await host.call("POST", f"/{made['id']}/test")
    headers, body = endpoint.requests[1]
    Signer(new).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Signer(made["secret"]).verify(body, headers)


async def test_replay__sends_the_same_events_again(rig: Rig, host: Host, endpoint: Endpoint) -> None:
    feed = await rig.service.call("GET", "/v1/events", token=host.key)
    made = await host.make(endpoint.url)
    ada = rig.user()
    conversation = await rig.conversation(ada)
    await conversation.write(ada, times=3)
    await eventually(lambda: len(endpoint.requests) == 3)

    assert (await host.call("POST", f"/{made['id']}/replay", {"after": feed.body["next"]})).status == 202

    await eventually(lambda: len(endpoint.requests) == 6)
    assert endpoint.requests[3:] != []
    assert [body for _, body in endpoint.requests[:3]] == [body for _, body in endpoint.requests[3:]]
    bad = await host.call("POST", f"/{made['id']}/replay", {"after": "nonsense"})
    assert (bad.status, bad.code) == (400, "bad_cursor")


async def test_webhook__switched_off_and_on__goes_on_from_where_it_was(
    rig: Rig, host: Host, endpoint: Endpoint
) -> None:
    made = await host.make(endpoint.url)
    await host.call("PATCH", f"/{made['id']}", {"active": False})
    ada = rig.user()
    conversation = await rig.conversation(ada)
    await conversation.write(ada, times=2)
    async with serving() as other:
        await host.make(other.url, "message.created")
        await conversation.write(ada)
        # The first two may be in the feed after this endpoint: it gets those too.
        await eventually(lambda: 3 in [event["data"]["message"]["seq"] for event in other.of(conversation.id)])
    assert endpoint.requests == []

    await host.call("PATCH", f"/{made['id']}", {"active": True})

    await eventually(lambda: len(endpoint.of(conversation.id)) == 3)
    assert [event["data"]["message"]["seq"] for event in endpoint.of(conversation.id)] == [1, 2, 3]


async def test_endpoint__failing_for_three_days__is_switched_off_which_is_an_event(
    rig: Rig, host: Host, endpoint: Endpoint
) -> None:
    endpoint.respond = failing
    made = await host.make(endpoint.url)
    async with serving() as watching:
        await host.make(watching.url, "webhook.disabled")
        await rig.postgres_execute(
            "update webhooks set failing_since = $2 where id = $1",
            made["id"],
            utc_now() - webhook_rules.DISABLED_AFTER - timedelta(minutes=1),
        )
        await rig.webhook_sending().clean()

        await eventually(lambda: len(watching.requests) == 1)
        assert watching.events[0]["data"] == {"webhook_id": made["id"]}
    assert not (await host.shown(made["id"]))["active"]


async def test_call__without_the_scope__is_refused(rig: Rig) -> None:
    key = rig.auth.server_key(Scope.EVENTS)
    for method, path in (("GET", ""), ("POST", ""), ("DELETE", f"/{new_id()}")):
        response = await rig.service.call(method, PATH + path, token=key)
        assert (response.status, response.body["error"]["details"]) == (403, {"scope": "webhooks"})
    user = await rig.user().call("GET", PATH)
    assert (user.status, user.code) == (403, "forbidden")
