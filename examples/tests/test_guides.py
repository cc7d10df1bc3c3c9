"""The code of the guides runs as it stands there, against the running system."""

import asyncio
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from synctalk_local.commands.key import key
from synctalk_systemtest.blocks import Blocks
from synctalk_systemtest.stack import RunningStack, running_stack
from synctalk_testkit.clients import User, Users, new_name
from synctalk_testkit.eventually import eventually
from synctalk_testkit.ports import free_port
from yarl import URL

GUIDES = Path(__file__).parents[2] / "docs/guides"
TEXTS = {path.name: path.read_text() for path in sorted(GUIDES.glob("*.md"))}
BLOCKS = Blocks(*TEXTS.values())
started, output_of = BLOCKS.started, BLOCKS.output_of
SECRET = "0123456789abcdef0123456789abcdef"
TIMEOUT_S = 60

pytestmark = pytest.mark.timeout(300)


async def line_of(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(TIMEOUT_S):
        return (await process.stdout.readline()).decode().rstrip("\n")


@pytest.fixture
async def server_key(stack: RunningStack) -> str:
    return await asyncio.to_thread(key, stack.stack, None)


def test_guides__every_block_of_python__is_tested() -> None:
    assert BLOCKS.untested(Path(__file__).read_text()) == []


async def test_chat_in_ten_minutes__two_users_and_the_backend(stack: RunningStack, server_key: str) -> None:
    first, second = await output_of("backend", stack, SYNCTALK_KEY=server_key)
    conversation, refresh_token = first.split()
    assert second.split()[0] == conversation
    given = {"CONVERSATION": conversation, "REFRESH_TOKEN": refresh_token}
    async with started("app", stack, **given) as app, started("feed", stack, SYNCTALK_KEY=server_key) as feed:
        assert await line_of(app) == "Who joins me?"
        while await line_of(feed) != "Who joins me?":
            pass


def test_your_own_login__a_token_of_the_issuer__signs_in() -> None:
    [issuers] = re.findall(r"SYNCTALK_TRUSTED_ISSUERS='(.*?)'", TEXTS["2-your-own-login.md"], re.DOTALL)
    with running_stack({"SYNCTALK_TRUSTED_ISSUERS": issuers}) as stack:
        assert asyncio.run(output_of("exchange", stack, SHARED_SECRET=SECRET)) == ["Ada"]


async def test_support_desk__answers_by_a_webhook(stack: RunningStack, users: Users, server_key: str) -> None:
    ada, port = await users.register("Ada"), free_port()
    given = {"SYNCTALK_KEY": server_key, "PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}/events"}
    live = await ada.connect()
    async with started("desk", stack, **given) as desk:
        desk_id = await line_of(desk)
        asked = {"customer": ada.id, "title": "A parcel"}
        tickets = f"http://127.0.0.1:{port}/tickets/{new_name()}"

        async def opened() -> Any:
            try:  # it says who it is before it listens
                async with aiohttp.ClientSession() as http, http.post(tickets, json=asked) as answer:
                    return (await answer.json())["conversation"]
            except aiohttp.ClientConnectionError:
                return None

        ticket = await eventually(opened, TIMEOUT_S)
        await ada.say(ticket, "Where is my parcel?")
        reply = await live.wait_for(
            "message:new", lambda got: got["body"] == "We have got your message 2.", timeout=TIMEOUT_S
        )
        assert (reply["conversation_id"], reply["sender_id"]) == (ticket, desk_id)
        async with aiohttp.ClientSession() as http, http.post(given["PUBLIC_URL"], json={}) as forged:
            assert forged.status == 400
    headers = {"Authorization": f"Bearer {server_key}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        async with http.get(f"{stack.url}/v1/webhooks") as listed:
            made = [one for one in (await listed.json())["items"] if one["url"] == given["PUBLIC_URL"]]
        for one in made:
            async with http.delete(f"{stack.url}/v1/webhooks/{one['id']}") as deleted:
                assert deleted.status == 204


async def test_game_lobby__players_come_and_go(stack: RunningStack, server_key: str) -> None:
    printed = await output_of("lobby", stack, SYNCTALK_KEY=server_key)
    assert printed[-1] == "Ada plays"
    assert "Ada sees that somebody came or went" in printed[:-1]


async def test_chat_in_your_page__who_is_signed_in_there_is_in_the_conversation(
    stack: RunningStack, server_key: str
) -> None:
    port, name = free_port(), new_name().lower()
    page = f"http://localhost:{port}"
    async with started("page", stack, SYNCTALK_KEY=server_key, PORT=str(port)), aiohttp.ClientSession() as http:

        async def answers() -> bool:
            try:
                async with http.get(f"{page}/my/chat-token") as nobody:
                    return nobody.status == 401
            except aiohttp.ClientConnectionError:
                return False

        await eventually(answers, TIMEOUT_S)
        async with http.get(page) as shop:
            [script] = re.findall(r'src="(.*?)"', await shop.text())
        async with http.get(script) as embed:
            assert (embed.status, "javascript" in embed.headers["Content-Type"]) == (200, True)
        async with http.get(f"{page}/my/chat-token", cookies={"login": name}) as answer:
            tokens = await answer.json()
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        for reference in ("external:ticket-8812", "external%3Aticket-8812"):
            async with http.get(URL(f"{stack.url}/v1/conversations/{reference}", encoded=True), headers=headers) as got:
                assert (got.status, (await got.json())["title"]) == (200, "Ticket 8812")


async def a_bot(stack: RunningStack, server_key: str, reader: User) -> tuple[str, str]:
    """Return a bot's token, and the reader's conversation with it."""
    [token] = await output_of("make_bot", stack, SYNCTALK_KEY=server_key, BOT_NAME=f"bot-{new_name().lower()}")
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as http, http.get(f"{stack.url}/v1/users/me") as answer:
        bot_id = (await answer.json())["id"]
    return token, (await reader.post("/v1/conversations", {"type": "direct", "member_ids": [bot_id]}))["id"]


@pytest.mark.parametrize(
    ("block", "said", "event", "answer"),
    [("dice", "roll", "message:new", "You rolled"), ("storyteller", "a story", "message:updated", "Once upon a time")],
)
async def test_bot__answers(
    stack: RunningStack, users: Users, server_key: str, block: str, said: str, event: str, answer: str
) -> None:
    ada = await users.register("Ada")
    token, direct = await a_bot(stack, server_key, ada)
    live = await ada.connect()
    async with started(block, stack, SYNCTALK_BOT_TOKEN=token):
        # It follows from when it has connected, so the first words may be before that.
        async def answered() -> bool:
            await ada.say(direct, said)
            return bool(await live.wait_for(event, lambda got: got["body"].startswith(answer), timeout=2))

        await eventually(answered, TIMEOUT_S)
