"""api is killed while messages are streamed: who writes on loses nothing, and who is gone ends as interrupted."""

import asyncio
from typing import Any

from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import LiveSocket, Users, new_name
from synctalk_testkit.eventually import eventually

from tests.faults.test_killed_services import killed

SILENCE_S = 30
AGAIN = ("unavailable", "rate_limited", "not_found")

Json = dict[str, Any]


async def until_done(live: LiveSocket, event: str, payload: Json) -> Json:
    """Send it again and again until it is done, from where the text ends if there is a gap."""
    ack: Json = {}

    async def done() -> bool:
        nonlocal ack
        try:
            ack = await live.call(event, payload, timeout=5)
        except Exception:  # the socket is on its way back
            return False
        assert ack["ok"] or ack["error"]["code"] in AGAIN, ack
        return bool(ack["ok"])

    await eventually(done, 30)
    return ack


async def test_api__killed_amid_streams__loses_nothing_that_was_acked(stack: RunningStack, users: Users) -> None:
    ada, bob, gone = await users.register_all("Ada", "Bob", "Gone")
    group = (await ada.group_with(bob, gone))["id"]
    live, of_bob, dying = await ada.connect(), await bob.connect(), await gone.connect()
    begun = [
        (await each.done("message:stream:start", {"conversation_id": group, "client_message_id": new_name()}))[
            "message"
        ]
        for each in (live, dying)
    ]
    here, there = ({"conversation_id": group, "message_id": message["id"]} for message in begun)
    await dying.done("message:stream:append", there | {"at": 0, "text": "the last words"})
    await dying.close()
    text = ""
    for n in range(40):
        if n in (10, 25):
            restart = asyncio.create_task(killed(stack, "api-1"))
        text += f"{n} "
        appended = here | {"at": len(text) - len(f"{n} "), "text": f"{n} "}
        assert (await until_done(live, "message:stream:append", appended))["at"] == len(text)
        if n in (12, 27):
            await restart
    ended = (await until_done(live, "message:stream:end", here))["message"]

    def interrupted() -> list[Json]:
        return [message for message in of_bob.of("message:updated") if message["id"] == there["message_id"]]

    await eventually(interrupted, SILENCE_S + 20)
    assert (ended["body"], ended["interrupted"]) == (text, False)
    assert [(message["body"], message["interrupted"]) for message in interrupted()] == [("the last words", True)]


async def test_redis__restarted_amid_a_stream__the_text_is_back(stack: RunningStack, users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    path = f"/v1/conversations/{direct}/messages"
    message = await ada.post(f"{path}/stream", {"client_message_id": "one", "body": "before, "})
    here = f"{path}/{message['id']}"
    await ada.patch(f"{here}/stream", {"at": 8, "text": "meanwhile, "})
    stack.stop("redis")
    away = await ada.request("PATCH", f"{here}/stream", {"at": 19, "text": "lost"})
    read = await bob.get(here)
    await asyncio.to_thread(stack.start, "redis")

    async def appended() -> bool:
        return (await ada.request("PATCH", f"{here}/stream", {"at": 19, "text": "after"})).status == 200

    await eventually(appended, 20)
    ended = await ada.post(f"{here}/stream/end", {})

    assert (away.status, away.code) == (503, "unavailable")
    assert (read["body"], read["streaming"]) == ("before, meanwhile, ", True)
    assert ended["body"] == "before, meanwhile, after"
