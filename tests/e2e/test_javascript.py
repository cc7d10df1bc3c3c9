"""The stock JavaScript client, as a browser has it: it connects, talks, and stays away when the server says so."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from synctalk_systemtest.javascript import START_TIMEOUT_S, JavaScriptClient, javascript_client
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import Users, new_name


@pytest_asyncio.fixture(loop_scope="session")
async def browser(stack: RunningStack) -> AsyncIterator[JavaScriptClient]:
    async with javascript_client(stack) as client:
        yield client


async def test_bad_token__is_a_connect_error_with_the_body(users: Users, browser: JavaScriptClient) -> None:
    await browser.connect(users.base_url, "x.y.z")
    error = await browser.wait_for("connect_error", timeout=START_TIMEOUT_S)

    assert (error["message"], error["data"]["error"]["code"]) == ("unauthenticated", "unauthenticated")
    assert error["active"] is False


@pytest.mark.parametrize("transports", [None, ["polling"], ["websocket"]])
async def test_talk__with_the_python_client__both_receive_all_of_it(
    users: Users, browser: JavaScriptClient, transports: list[str] | None
) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    of_bob = await bob.connect()
    await browser.connect(users.base_url, ada.access_token, **({"transports": transports} if transports else {}))
    ready = await browser.wait_for("ready", timeout=START_TIMEOUT_S)
    if transports is None:
        assert await browser.wait_for("upgrade") == "websocket"
    payload = {"conversation_id": direct, "client_message_id": new_name(), "body": "from a browser 👋 \u2028"}
    ack = await browser.call("message:send", payload)
    reply = await of_bob.say(direct, "from Python 👍")
    refusal = await browser.call("no:such", {})

    assert ready["user_id"] == ada.id
    assert ack["message"]["body"] == payload["body"]
    assert await of_bob.wait_for("message:new") == ack["message"]
    assert await browser.wait_for("message:new") == reply
    assert refusal["error"]["code"] == "unknown_event"


async def test_ended_session__says_why_and_the_client_stays_away(users: Users, browser: JavaScriptClient) -> None:
    ada = await users.register()
    await browser.connect(users.base_url, ada.access_token)
    await browser.wait_for("ready", timeout=START_TIMEOUT_S)
    await ada.post("/v1/auth/logout")

    assert await browser.wait_for("session:ended") == {"reason": "logged_out"}
    assert await browser.wait_for("disconnect") == {"reason": "io server disconnect", "active": False}


async def test_frame_too_large__closes_and_the_client_comes_back(users: Users, browser: JavaScriptClient) -> None:
    ada = await users.register()
    await browser.connect(users.base_url, ada.access_token, transports=["websocket"])
    await browser.wait_for("ready", timeout=START_TIMEOUT_S)
    before = len(browser.lines)
    await browser._order({"call": ["sync", {"x": "x" * 140_000}]})

    await browser.wait_for("disconnect", lambda payload: payload["active"])
    await browser.wait_for("ready", since=before)
