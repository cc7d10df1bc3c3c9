"""The message hook: asked before a message is stored or edited, by sockets and REST alike."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
import pytest_asyncio
from aiohttp import web
from pydantic import ValidationError
from standardwebhooks import Webhook
from synctalk_api.settings import Settings
from synctalk_contracts.commands import EditMessage, SendMessage
from synctalk_contracts.models import Scope
from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually
from synctalk_testkit.service import serve_stub

from services.api.tests.integration.conftest import Api, Start, User

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
Answer = Callable[[dict[str, Any]], Awaitable[Any]]


class Hook:
    """The operator's server: what it was asked, and what it answers."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answer: Answer = allow

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        asked = Webhook(SECRET).verify(body, dict(request.headers))
        self.asked.append(asked)
        answer = await self.answer(asked)
        return answer if isinstance(answer, web.StreamResponse) else web.json_response(answer)


async def allow(_: dict[str, Any]) -> Any:
    return {"action": "allow"}


@asynccontextmanager
async def hooked(start_api: Start, **settings: Any) -> AsyncIterator[tuple[Api, Hook]]:
    hook, app = Hook(), web.Application()
    app.router.add_post("/hook", hook.handle)
    async with (
        serve_stub(app) as url,
        start_api(message_hook_url=f"{url}/hook", message_hook_secret=SECRET, **settings) as api,
    ):
        yield api, hook


async def test_message_of_a_server_key__is_not_asked_about(running: tuple[Api, Hook]) -> None:
    api, hook = running
    ada = await api.user()
    group = await ada.group()
    asked = len(hook.asked)
    key = api.auth.server_key(*Scope)
    path = f"/v1/server/conversations/{group['id']}/messages"
    one = {"sender": ada.id, "client_message_id": "one", "body": "hello"}
    said = {"client_message_id": "two", "body": "closed", "system": {"type": "custom"}}
    for body in (one, said, {"messages": [{**one, "client_message_id": "three"}]}):
        assert (await api.service.call("POST", path, body, token=key)).status in (200, 201)
    messages = (await ada.get(f"/v1/conversations/{group['id']}/messages"))["items"]
    edited = f"/v1/conversations/{group['id']}/messages/{messages[0]['id']}"
    assert (await api.service.call("PATCH", edited, {"body": "changed"}, token=key)).status == 200
    assert len(messages) == 3
    assert len(hook.asked) == asked


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(start_api: Start) -> AsyncIterator[tuple[Api, Hook]]:
    async with hooked(start_api) as made:
        yield made


@pytest.fixture
def api(running: tuple[Api, Hook]) -> Api:
    return running[0]


@pytest.fixture
def hook(running: tuple[Api, Hook]) -> Hook:
    running[1].asked.clear()
    running[1].answer = allow
    return running[1]


def sending(user: User, conversation_id: str, body: str, name: str | None = None) -> SendMessage:
    return SendMessage(conversation_id=conversation_id, user_id=user.id, client_message_id=name or new_id(), body=body)


async def test_message__allowed__is_stored_as_it_was_sent(api: Api, hook: Hook) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    sent = await ada.send(group["id"], "one", metadata={"a": 1})
    reply = await api.command(sending(ben, group["id"], "two", "name-2"))

    assert (sent["body"], sent["metadata"]) == ("one", {"a": 1})
    assert reply["result"]["message"]["body"] == "two"
    assert [asked["message"]["body"] for asked in hook.asked] == ["one", "two"]
    assert hook.asked[1] == {
        "type": "create",
        "message": {
            "conversation_id": group["id"],
            "sender_id": ben.id,
            "body": "two",
            "metadata": {},
            "client_message_id": "name-2",
        },
    }


async def test_message__forwarded__is_asked_about_with_its_text_and_may_be_replaced(api: Api, hook: Hook) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    secret = await ada.send(group["id"], "my card is 4111")
    path = f"/v1/conversations/{group['id']}/messages"
    body = {"client_message_id": "forward", "forward": {"conversation_id": group["id"], "message_id": secret["id"]}}

    async def replace(_: dict[str, Any]) -> Any:
        return {"action": "replace", "body": "[removed]"}

    hook.answer = replace
    sent = await ben.call("POST", path, body)
    again = await ben.call("POST", path, body)
    unknown = body | {"client_message_id": "unknown", "forward": {"conversation_id": group["id"], "message_id": ada.id}}
    refused = await ben.call("POST", path, unknown)

    assert [asked["message"]["body"] for asked in hook.asked] == ["my card is 4111", "my card is 4111"]
    assert (sent.status, sent.body["body"]) == (201, "[removed]")
    assert sent.body["forwarded_from"]["message_id"] == secret["id"]
    assert (again.status, again.body) == (200, sent.body)
    assert (refused.status, refused.fields) == (422, {"forward"})


async def test_message__replaced__is_what_everybody_gets_and_its_repeat_asks_nothing(api: Api, hook: Hook) -> None:
    async def replace(_: dict[str, Any]) -> Any:
        return {"action": "replace", "body": "[removed]", "metadata": {"by": "hook"}}

    ada, ben = await api.users(2)
    group = await ada.group(ben)
    path = f"/v1/conversations/{group['id']}/messages"
    hook.answer = replace
    body = {"client_message_id": "a-name", "body": "my card is 4111"}
    sent = await ada.post(path, body)
    again = await ada.post(path, body)
    by_socket = await api.command(sending(ada, group["id"], "my card is 4111", "a-name"))
    other = await ada.call("POST", path, body | {"body": "[removed]"})

    assert (sent["body"], sent["metadata"]) == ("[removed]", {"by": "hook"})
    assert again == sent == by_socket["result"]["message"]
    assert (other.status, other.code) == (409, "client_message_id_reused")
    assert len(hook.asked) == 1


async def test_message__refused__is_forbidden_with_the_reason(api: Api, hook: Hook) -> None:
    async def refuse(asked: dict[str, Any]) -> Any:
        return {"action": "refuse", "reason": "no links"} if "http" in asked["message"]["body"] else {"action": "allow"}

    ada, ben = await api.users(2)
    group = await ada.group(ben)
    hook.answer = refuse
    by_rest = await ada.call(
        "POST",
        f"/v1/conversations/{group['id']}/messages",
        {"client_message_id": new_id(), "body": "http://example.com"},
    )
    refused, stored = await api.commands(
        [sending(ada, group["id"], "http://example.com"), sending(ada, group["id"], "fine")]
    )

    assert (by_rest.status, by_rest.code, by_rest.body["error"]["details"]) == (
        403,
        "forbidden",
        {"reason": "no links"},
    )
    assert (refused["error"]["code"], refused["error"]["details"]) == ("forbidden", {"reason": "no links"})
    assert stored["result"]["message"]["seq"] == 1


async def test_edit__is_asked_too(api: Api, hook: Hook) -> None:
    async def replace(asked: dict[str, Any]) -> Any:
        return {"action": "replace", "body": asked["message"]["body"].upper()}

    ada, ben = await api.users(2)
    group = await ada.group(ben)
    sent = await ada.send(group["id"], "one")
    hook.answer = replace
    edited = await ada.patch(f"/v1/conversations/{group['id']}/messages/{sent['id']}", {"body": "two"})
    by_socket = await api.command(
        EditMessage(conversation_id=group["id"], user_id=ada.id, message_id=sent["id"], body="three")
    )

    assert (edited["body"], by_socket["result"]["message"]["body"]) == ("TWO", "THREE")
    assert [asked["type"] for asked in hook.asked] == ["create", "edit", "edit"]


async def test_messages__answered_out_of_turn__keep_their_order(api: Api, hook: Hook) -> None:
    async def slower_first(asked: dict[str, Any]) -> Any:
        await asyncio.sleep(0.2 if asked["message"]["body"] == "0" else 0)
        return {"action": "allow"}

    ada, ben = await api.users(2)
    group, other = await ada.group(ben), await ben.group(ada)
    hook.answer = slower_first
    first = asyncio.create_task(api.commands([sending(ada, group["id"], str(n)) for n in range(3)]))
    second = asyncio.create_task(api.commands([sending(ada, group["id"], str(n)) for n in range(3, 6)]))
    replies = [*await first, *await second]

    assert [reply["result"]["message"]["seq"] for reply in replies] == [1, 2, 3, 4, 5, 6]
    assert (await api.command(sending(ben, other["id"], "elsewhere")))["result"]["message"]["seq"] == 1


async def late(_: dict[str, Any]) -> Any:
    await asyncio.sleep(2)


async def failing(_: dict[str, Any]) -> Any:
    return web.Response(status=500)


async def redirected(_: dict[str, Any]) -> Any:
    return web.Response(status=302, headers={"location": "/hook"})


async def nonsense(_: dict[str, Any]) -> Any:
    return web.Response(text="<html>")


async def unknown(_: dict[str, Any]) -> Any:
    return {"action": "postpone"}


async def empty(_: dict[str, Any]) -> Any:
    return {"action": "replace", "body": ""}


async def too_long(_: dict[str, Any]) -> Any:
    return {"action": "replace", "body": "x" * 8001}


async def endless(_: dict[str, Any]) -> Any:
    return web.Response(body=orjson.dumps({"action": "allow", "more": "x" * 1_000_000}))


NO_ANSWERS = [late, failing, redirected, nonsense, unknown, empty, too_long, endless]


@pytest.mark.parametrize("answer", NO_ANSWERS)
async def test_hook__does_not_answer__lets_through(api: Api, hook: Hook, answer: Answer) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    hook.answer = answer
    assert (await ada.send(group["id"], "as it is"))["body"] == "as it is"


async def test_hook__does_not_answer_and_is_needed__is_unavailable(start_api: Start) -> None:
    async with hooked(start_api, message_hook_on_failure="refuse") as (api, hook):
        ada, ben = await api.users(2)
        group = await ada.group(ben)
        path = f"/v1/conversations/{group['id']}/messages"
        hook.answer = failing
        by_rest = await ada.call("POST", path, {"client_message_id": "one", "body": "hello"})
        by_socket = await api.command(sending(ada, group["id"], "hello"))
        hook.answer = allow
        later = await ada.post(path, {"client_message_id": "one", "body": "hello"})

    assert (by_rest.status, by_rest.code, by_socket["error"]["code"]) == (503, "unavailable", "unavailable")
    assert later["seq"] == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"message_hook_url": "https://hook.example/"},
        {"message_hook_url": "https://hook.example/", "message_hook_secret": "whsec_short"},
        {"message_hook_url": "https://hook.example/", "message_hook_secret": "whsec_" + "!" * 40},
        {"message_hook_url": "https://hook.example/", "message_hook_secret": "x" * 40},
        {"message_hook_url": "ftp://hook.example/", "message_hook_secret": SECRET},
        {"message_hook_url": "https://hook.example/", "message_hook_secret": SECRET, "message_hook_timeout_s": 0.6},
        {"message_hook_on_failure": "ignore"},
    ],
)
def test_settings__of_a_hook_that_cannot_work__stop_the_start(settings: dict[str, Any]) -> None:
    given = {
        "internal_secret": "x" * 16,
        "redis_url": "redis://localhost",
        "rabbitmq_url": "amqp://localhost",
        "database_url": "postgresql://localhost/none",
    }
    Settings.model_validate(given)
    with pytest.raises(ValidationError):
        Settings.model_validate(given | settings)


async def streamed(writer: User, conversation_id: str, text: str) -> tuple[str, dict[str, Any]]:
    """Begin a stream and append a text; return its path and the message."""
    path = f"/v1/conversations/{conversation_id}/messages"
    message = await writer.post(f"{path}/stream", {"client_message_id": new_id()})
    await writer.patch(f"{path}/{message['id']}/stream", {"at": 0, "text": text})
    return f"{path}/{message['id']}", message


async def test_stream__at_its_end__is_asked_about_once_with_its_whole_text(api: Api, hook: Hook) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)

    async def replace(_: dict[str, Any]) -> Any:
        return {"action": "replace", "body": "[removed]"}

    hook.answer = replace
    path, message = await streamed(ada, group["id"], "my card is 4111")
    ended = await ada.post(f"{path}/stream/end", {})

    assert ended["body"] == "[removed]"
    assert hook.asked == [
        {
            "type": "create",
            "message": {
                "conversation_id": group["id"],
                "sender_id": ada.id,
                "body": "my card is 4111",
                "metadata": {},
                "client_message_id": message["client_message_id"],
            },
        }
    ]


async def test_stream__refused_at_its_end__is_deleted(api: Api, hook: Hook) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)

    async def refuse(_: dict[str, Any]) -> Any:
        return {"action": "refuse", "reason": "not here"}

    hook.answer = refuse
    path, _ = await streamed(ada, group["id"], "nonsense")
    ended = await ada.call("POST", f"{path}/stream/end", {})
    seen = await ben.get(path)

    assert (ended.status, ended.body["error"]["details"]) == (403, {"reason": "not here"})
    assert (seen["body"], seen["streaming"]) == ("", False)
    assert seen["deleted_at"] is not None


async def test_stream__of_a_silent_writer__is_asked_about_too(start_api: Start) -> None:
    async def refuse(_: dict[str, Any]) -> Any:
        return {"action": "refuse"}

    async with hooked(start_api, stream_silence_s=1) as (api, hook):
        ada, ben = await api.users(2)
        group = await ada.group(ben)
        hook.answer = refuse
        path, _ = await streamed(ada, group["id"], "nonsense")

        async def is_deleted() -> bool:
            return (await ben.get(path))["deleted_at"] is not None

        await eventually(is_deleted, timeout=15)
        # Redis is shared with the streams of other tests, which this api ends as well.
        asked = [each["message"] for each in hook.asked if each["message"]["conversation_id"] == group["id"]]
        assert [each["body"] for each in asked] == ["nonsense"]
