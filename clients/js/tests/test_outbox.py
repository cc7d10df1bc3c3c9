"""What a killed process had written arrives by the next one: each message once, in order."""

import asyncio
import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
from synctalk_local.stack import CHECKOUT
from synctalk_systemtest import programs
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import User, Users

AGENT = Path(__file__).parent / "outbox_agent.mjs"
BODIES = [f"number {number}" for number in range(40)]
KILLED_AFTER = 15
TIMEOUT_S = 120

pytestmark = pytest.mark.timeout(240)


async def ran(stack: RunningStack, user: User, outbox: Path, written: Sequence[tuple[str, str]], **given: str) -> int:
    """Run the agent to its end, and return how it ended."""
    environment = {
        "SYNCTALK_URL": stack.url,
        "NAME": user.username,
        "PASSWORD": user.password,
        "OUTBOX_FILE": str(outbox),
        "WRITTEN": json.dumps(written),
        **given,
    }
    command = await asyncio.to_thread(programs.of_file, AGENT)
    process = await asyncio.create_subprocess_exec(*command, cwd=CHECKOUT, env={**os.environ, **environment})
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def bodies(user: User, conversation_id: str) -> list[str]:
    history = await user.get(f"/v1/conversations/{conversation_id}/messages?limit=100")
    return [message["body"] for message in history["items"]]


async def test_outbox__killed_twice_amid_sending__loses_doubles_and_reorders_nothing(
    stack: RunningStack, users: Users, tmp_path: Path
) -> None:
    ada, outbox = await users.register(), tmp_path / "outbox"
    groups = [(await ada.group_with(title=title))["id"] for title in ("One", "Other")]
    written = [(group, body) for body in BODIES for group in groups]
    killed = {"KILLED_AFTER": str(KILLED_AFTER)}

    assert await ran(stack, ada, outbox, written, **killed) == -signal.SIGKILL
    assert await ran(stack, ada, outbox, [], **killed) == -signal.SIGKILL
    arrived = [body for group in groups for body in await bodies(ada, group)]
    assert KILLED_AFTER <= len(arrived) < len(written)

    assert await ran(stack, ada, outbox, [(group, "newer") for group in groups]) == 0
    for group in groups:
        assert await bodies(ada, group) == [*BODIES, "newer"]
    assert "number" not in outbox.read_text()
