"""The whole system with its conversations in two PostgreSQL servers: moved, killed and brought back while users talk.

Not among the tests of `make test` (`make test-clusters`).
"""

import asyncio
import json
import subprocess
import sys
import time
from contextlib import AsyncExitStack

import pytest
from synctalk_contracts.topology import partition_of
from synctalk_systemtest.stack import RunningStack, running_stack
from synctalk_testkit.clients import users_at
from synctalk_testkit.own_postgres import own_postgres
from synctalk_testkit.talk import Talk, talk_among

TALKS = 12
BACK_WITHIN_S = 15.0
AWAY_S = 5.0


def move(stack: RunningStack, partitions: str, store: str) -> None:
    """Move partitions as an operator does."""
    command = [sys.executable, "-m", "synctalk_api", "move", partitions, store]
    done = subprocess.run(command, env=stack.command_environment("api-1"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def in_second(talk: Talk) -> bool:
    return partition_of(talk.conversation_id) >= 128


async def go_on(everybody: list[Talk]) -> None:
    await asyncio.gather(*(talk.go_on() for talk in everybody))


@pytest.mark.timeout(600)
async def test_second_server__killed_under_load__takes_only_its_own_conversations_with_it() -> None:
    with own_postgres() as second:
        stores = json.dumps({"second": second.url})
        with running_stack({"SYNCTALK_API_STORES": stores}) as stack:
            async with users_at(stack.url) as users, AsyncExitStack() as ending:
                everybody = [await ending.enter_async_context(talk_among(users, 2)) for _ in range(TALKS)]
                away = [talk for talk in everybody if in_second(talk)]
                here = [talk for talk in everybody if not in_second(talk)]
                assert away and here
                await go_on(everybody)

                began = time.monotonic()
                await asyncio.to_thread(move, stack, "128-255", "second")
                sys.stdout.write(f"128 partitions moved under load in {time.monotonic() - began:.1f} s\n")
                await go_on(everybody)

                await asyncio.to_thread(second.kill)
                acked = sum(len(talk.acked) for talk in away)
                began = time.monotonic()
                await go_on(here)
                took = time.monotonic() - began
                await asyncio.sleep(max(0.0, AWAY_S - took))  # nothing shows that it stays away but time
                assert sum(len(talk.acked) for talk in away) <= acked + len(away) * 2
                sys.stdout.write(f"while it is away: 12 messages in each other conversation in {took:.1f} s\n")

                await asyncio.to_thread(second.start)
                began = time.monotonic()
                await asyncio.gather(*(talk.go_on(1) for talk in away))
                took = time.monotonic() - began
                sys.stdout.write(f"back: every conversation of its own is written to again after {took:.1f} s\n")
                assert took < BACK_WITHIN_S
                await go_on(everybody)

                await asyncio.to_thread(move, stack, "128-255", "main")
                await go_on(everybody)
                await asyncio.gather(*(talk.prove() for talk in everybody))
