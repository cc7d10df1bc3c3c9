"""The code of the README runs as it stands there, against the running system."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from standardwebhooks import Webhook
from synctalk_local.commands.key import key
from synctalk_systemtest.blocks import Blocks
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import Users, new_name
from synctalk_testkit.eventually import eventually
from synctalk_testkit.ports import free_port

BLOCKS = Blocks((Path(__file__).parents[1] / "README.md").read_text())
started, output_of = BLOCKS.started, BLOCKS.output_of
SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
TIMEOUT_S = 60

pytestmark = pytest.mark.timeout(240)


async def a_bot(stack: RunningStack) -> str:
    server_key = await asyncio.to_thread(key, stack.stack, None)
    [token] = await output_of("make_bot", stack, SYNCTALK_KEY=server_key, BOT_NAME=f"echo-{new_name().lower()}")
    return token


async def id_of(stack: RunningStack, token: str) -> str:
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as http, http.get(f"{stack.url}/v1/users/me", headers=headers) as answer:
        return str((await answer.json())["id"])


def test_readme__every_block__is_tested() -> None:
    assert BLOCKS.untested(Path(__file__).read_text()) == []


async def test_echo_bot__answers(stack: RunningStack, users: Users) -> None:
    token = await a_bot(stack)
    ada = await users.register()
    body = {"type": "direct", "member_ids": [await id_of(stack, token)]}
    direct = (await ada.post("/v1/conversations", body))["id"]
    live = await ada.connect()
    async with started("echo_bot", stack, SYNCTALK_BOT_TOKEN=token):
        # It follows from when it has connected, so the first words may be before that.
        async def answered() -> bool:
            await ada.say(direct, "hello")
            return bool(await live.wait_for("message:new", lambda got: got["body"] == "You said: hello", timeout=2))

        await eventually(answered, TIMEOUT_S)


async def test_ticket__is_made_and_written_to(stack: RunningStack) -> None:
    given = {"SYNCTALK_KEY": await asyncio.to_thread(key, stack.stack, None), "TICKET": f"ticket/{new_name()}"}
    assert await output_of("ticket", stack, **given) == ["It does not start 2"]


async def test_stream__ends_with_its_whole_text(stack: RunningStack, users: Users) -> None:
    token = await a_bot(stack)
    ada = await users.register()
    body = {"type": "direct", "member_ids": [await id_of(stack, token)]}
    direct = (await ada.post("/v1/conversations", body))["id"]
    live = await ada.connect()
    text = "It takes a while to say all of this. "

    assert await output_of("stream", stack, SYNCTALK_BOT_TOKEN=token, CONVERSATION=direct) == [text]
    await live.wait_for("message:updated", lambda message: message["body"] == text)
    assert len(live.of("message:delta")) > 1


async def test_user__signs_in_and_resumes(stack: RunningStack, users: Users, tmp_path: Path) -> None:
    ada = await users.register()
    environment = {"NAME": ada.username, "PASSWORD": ada.password, "TOKEN_FILE": str(tmp_path / "token")}

    assert await output_of("user", stack, **environment) == ["1 It is out. notes.txt"]
    assert await output_of("user", stack, **environment | {"PASSWORD": "not needed any more"}) == [
        "1 It is out. notes.txt"
    ]


async def test_restart__goes_on_where_it_was(stack: RunningStack, users: Users, tmp_path: Path) -> None:
    token = await a_bot(stack)
    ada = await users.register()
    body = {"type": "direct", "member_ids": [await id_of(stack, token)]}
    direct = (await ada.post("/v1/conversations", body))["id"]
    file = tmp_path / "cursors"
    given = {"SYNCTALK_BOT_TOKEN": token, "CURSOR_FILE": str(file)}
    async with started("restart", stack, **given):
        await eventually(file.exists, TIMEOUT_S)
    await ada.say(direct, "written meanwhile")
    async with started("restart", stack, **given) as process, asyncio.timeout(TIMEOUT_S):
        assert process.stdout is not None
        assert await process.stdout.readline() == b"written meanwhile\n"


async def test_outbox__sends_and_is_empty(stack: RunningStack, users: Users, tmp_path: Path) -> None:
    token = await a_bot(stack)
    ada = await users.register()
    body = {"type": "direct", "member_ids": [await id_of(stack, token)]}
    direct = (await ada.post("/v1/conversations", body))["id"]
    given = {"SYNCTALK_BOT_TOKEN": token, "CONVERSATION": direct, "OUTBOX_FILE": str(tmp_path / "outbox")}
    for _ in range(2):
        assert await output_of("outbox", stack, **given) == ["The backup is done."]
    history = await ada.get(f"/v1/conversations/{direct}/messages")
    assert [message["body"] for message in history["items"]] == ["The backup is done."] * 2


async def test_backend__reads_what_happened(stack: RunningStack, tmp_path: Path) -> None:
    server_key = await asyncio.to_thread(key, stack.stack, "users tokens events")
    environment = {"SYNCTALK_KEY": server_key, "PLACE_FILE": str(tmp_path / "place")}
    async with started("backend", stack, **environment) as process, asyncio.timeout(TIMEOUT_S):
        assert process.stdout is not None
        assert await process.stdout.readline() == b"Where is it?\n"


async def test_webhook__signed__is_taken_and_others_are_not(stack: RunningStack) -> None:
    port = free_port()
    body = '{"id": "evt_1", "type": "message.created", "created_at": "2026-01-01T00:00:00.000Z", "data": {}}'
    now = datetime.now(UTC)
    headers = {"webhook-id": "evt_1", "webhook-timestamp": str(int(now.timestamp()))}
    signature = {"webhook-signature": Webhook(SECRET).sign("evt_1", now, body)}
    url = f"http://127.0.0.1:{port}/webhook"

    async with (
        started("webhook", stack, WEBHOOK_SECRET=SECRET, PORT=str(port)) as process,
        aiohttp.ClientSession() as http,
    ):

        async def status(given: dict[str, str]) -> int:
            try:
                async with http.post(url, data=body, headers=given) as answer:
                    return answer.status
            except aiohttp.ClientConnectorError:
                return 0

        async def refuses_unsigned() -> bool:
            return await status(headers) == 400

        await eventually(refuses_unsigned, TIMEOUT_S)
        assert await status(headers | signature) == 204
        assert process.stdout is not None
        assert await process.stdout.readline() == b"evt_1 message.created\n"


async def test_errors__say_what_was_wrong(stack: RunningStack, users: Users) -> None:
    token = await a_bot(stack)
    ada = await users.register()
    group = (await ada.post("/v1/conversations", {"type": "group", "title": "Ours", "member_ids": []}))["id"]
    printed = await output_of("errors", stack, SYNCTALK_BOT_TOKEN=token, CONVERSATION=group)
    assert printed == ["not_found false", "refused"]
