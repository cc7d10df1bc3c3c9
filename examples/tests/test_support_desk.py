"""The support desk passes questions and answers on, once, also what came while it was away."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from synctalk import Server
from synctalk_local.commands.key import key
from synctalk_systemtest import programs
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import User, Users, new_name
from synctalk_testkit.eventually import eventually
from synctalk_testkit.follower import history

EXAMPLES = Path(__file__).parents[1]
PROGRAMS = [EXAMPLES / "python/support_desk.py", EXAMPLES / "js/support_desk.mjs"]
TIMEOUT_S = 60

pytestmark = pytest.mark.timeout(240)


@asynccontextmanager
async def desk(program: Path, environment: dict[str, str]) -> AsyncIterator[None]:
    command = await asyncio.to_thread(programs.of_file, program)
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **environment})
    try:
        await eventually(Path(environment["CURSORS"]).exists, TIMEOUT_S)
        yield
    finally:
        process.kill()
        await process.wait()


async def bodies(user: User, conversation_id: str) -> list[str]:
    return [message["body"] for message in await history(user, conversation_id)]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.suffix)
async def test_desk__question_and_answer__go_through_it_once(
    program: Path, stack: RunningStack, users: Users, tmp_path: Path
) -> None:
    agent, customer = await users.register_all("Agent", "Customer")
    async with Server(stack.url, await asyncio.to_thread(key, stack.stack, None)) as server:
        bot = await server.create_bot(f"desk-{new_name().lower()}", "Support")
    group = (await agent.post("/v1/conversations", {"type": "group", "title": "Desk", "member_ids": [bot.user.id]}))[
        "id"
    ]
    direct = (await customer.post("/v1/conversations", {"type": "direct", "member_ids": [bot.user.id]}))["id"]
    environment = {
        "SYNCTALK_URL": stack.url,
        "SYNCTALK_BOT_TOKEN": bot.token,
        "DESK_CONVERSATION": group,
        "CURSORS": str(tmp_path / "cursors"),
    }

    async def passed_on(user: User, conversation_id: str, body: str) -> bool:
        return body in await bodies(user, conversation_id)

    async with desk(program, environment):
        await customer.say(direct, "It does not start.")
        await eventually(lambda: passed_on(agent, group, "Customer: It does not start."), TIMEOUT_S)
    await customer.say(direct, "Are you there?")
    [question] = [m for m in await history(agent, group) if m["body"] == "Customer: It does not start."]
    await agent.say(group, "Is it plugged in?", reply_to=question["id"])
    await agent.say(group, "Among ourselves: it never is.")
    async with desk(program, environment):
        await eventually(lambda: passed_on(customer, direct, "Is it plugged in?"), TIMEOUT_S)
        await eventually(lambda: passed_on(agent, group, "Customer: Are you there?"), TIMEOUT_S)

    assert await bodies(customer, direct) == ["It does not start.", "Are you there?", "Is it plugged in?"]
    assert (await bodies(agent, group)).count("Customer: It does not start.") == 1
