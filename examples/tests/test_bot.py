"""The bot greets whoever brings it in, and rolls when it is asked to."""

import asyncio
import os
import re
from pathlib import Path

import pytest
from synctalk import Server
from synctalk_local.commands.key import key
from synctalk_systemtest import programs
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import Users, new_name
from synctalk_testkit.eventually import eventually

EXAMPLES = Path(__file__).parents[1]
PROGRAMS = [EXAMPLES / "python/bot.py", EXAMPLES / "js/bot.mjs"]
TIMEOUT_S = 60

pytestmark = pytest.mark.timeout(240)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.suffix)
async def test_bot__greets_and_rolls(program: Path, stack: RunningStack, users: Users) -> None:
    ada = await users.register("Ada")
    async with Server(stack.url, await asyncio.to_thread(key, stack.stack, None)) as server:
        bot = await server.create_bot(f"dice-{new_name().lower()}", "Dice")
    live = await ada.connect()

    environment = {**os.environ, "SYNCTALK_URL": stack.url, "SYNCTALK_BOT_TOKEN": bot.token}
    command = await asyncio.to_thread(programs.of_file, program)
    process = await asyncio.create_subprocess_exec(*command, env=environment)
    try:
        # It follows from when it has connected, and greets in what is made after that.
        async def greeted() -> str:
            asked = {"type": "group", "title": "A game", "member_ids": [bot.user.id]}
            made = (await ada.post("/v1/conversations", asked))["id"]
            await live.wait_for(
                "message:new", lambda got: got["conversation_id"] == made and got["body"].startswith("Say"), timeout=2
            )
            return str(made)

        group = await eventually(greeted, TIMEOUT_S)
        await ada.say(group, "hello")
        question = await ada.say(group, "roll 20")
        answer = await live.wait_for("message:new", lambda got: got["reply_to"] == question["id"], timeout=TIMEOUT_S)
    finally:
        process.kill()
        await process.wait()

    [rolled] = re.findall(r"^It is a (\d+)\.$", answer["body"])
    assert 1 <= int(rolled) <= 20
    others = [got for got in live.of("message:new") if got["sender_id"] == bot.user.id and got["reply_to"]]
    assert [got["id"] for got in others] == [answer["id"]]
