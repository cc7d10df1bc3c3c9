"""The assistant answers, and its answer is seen while it is written."""

import asyncio
import os
from pathlib import Path

import pytest
from synctalk import Server
from synctalk_local.commands.key import key
from synctalk_systemtest import programs
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import Users, new_name

EXAMPLES = Path(__file__).parents[1]
PROGRAMS = [EXAMPLES / "python/assistant.py", EXAMPLES / "js/assistant.mjs"]
TIMEOUT_S = 60

pytestmark = pytest.mark.timeout(240)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.suffix)
async def test_assistant__answers_word_by_word(program: Path, stack: RunningStack, users: Users) -> None:
    ada = await users.register("Ada")
    async with Server(stack.url, await asyncio.to_thread(key, stack.stack, None)) as server:
        bot = await server.create_bot(f"assistant-{new_name().lower()}", "Assistant")
    direct = (await ada.post("/v1/conversations", {"type": "direct", "member_ids": [bot.user.id]}))["id"]
    live = await ada.connect()
    environment = {**os.environ, "SYNCTALK_URL": stack.url, "SYNCTALK_BOT_TOKEN": bot.token}
    command = await asyncio.to_thread(programs.of_file, program)
    process = await asyncio.create_subprocess_exec(*command, env=environment)
    try:
        begun: list[str] = []
        while not begun:  # it follows from when it has connected
            await ada.say(direct, "Why is the sky blue?")
            await asyncio.sleep(0.5)
            begun = [message["id"] for message in live.of("message:new") if message["sender_id"] == bot.user.id]
        whole = await live.wait_for("message:updated", lambda message: message["id"] == begun[0], TIMEOUT_S)
    finally:
        process.kill()
        await process.wait()
    deltas = [delta for delta in live.of("message:delta") if delta["message_id"] == begun[0]]

    assert whole["body"].startswith("You asked: Why is the sky blue? Let me think")
    assert (whole["streaming"], whole["interrupted"]) == (False, False)
    assert len(deltas) > 2
    assert whole["body"].startswith("".join(delta["text"] for delta in deltas))
