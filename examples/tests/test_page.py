"""The page shows what was written, what is written by it, and what others write, at an origin of its own."""

import asyncio
import json
import os
from pathlib import Path

import pytest
from synctalk_systemtest import programs
from synctalk_systemtest.browser import CHROMIUM, needs_browser
from synctalk_systemtest.plugin import HOST_ORIGIN
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import Users

READER = Path(__file__).parent / "page_in_browser.mjs"
TIMEOUT_S = 120

pytestmark = [*needs_browser, pytest.mark.timeout(300)]


async def test_page__reads_and_writes(stack: RunningStack, users: Users) -> None:
    ada, ben = await users.register_all("Ada", "Ben")
    group = (await ben.group_with(ada))["id"]
    await ben.say(group, "written before")
    live = await ben.connect()
    given = {
        "SYNCTALK_URL": stack.url,
        "CHROMIUM": CHROMIUM,
        "ORIGIN": HOST_ORIGIN,
        "CONVERSATION": group,
        "USERNAME": ada.username,
        "PASSWORD": ada.password,
    }
    command = await asyncio.to_thread(programs.of_file, READER)
    reader = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **given}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    ended = asyncio.create_task(reader.communicate())
    written = asyncio.create_task(
        live.wait_for("message:new", lambda got: got["body"] == "written in the page", TIMEOUT_S)
    )
    await asyncio.wait({ended, written}, return_when=asyncio.FIRST_COMPLETED)
    if not ended.done():
        assert (await written)["sender_id"] == ada.id
        await ben.say(group, "written meanwhile")
    written.cancel()
    shown, problems = await ended

    assert reader.returncode == 0, problems.decode()
    assert json.loads(shown.decode().splitlines()[-1]) == ["written before", "written in the page", "written meanwhile"]
