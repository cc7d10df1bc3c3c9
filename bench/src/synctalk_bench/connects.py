"""What a connection costs by the number of the user's conversations.

`python -m synctalk_bench.connects` on the running system (`make up`): a user of each size connects again and again, and
waits for `ready`. The conversations beyond those named in it are joined afterwards, and their cost is in the CPU.
What the system uses without that is subtracted.
"""

import asyncio
import secrets
import statistics
import sys
import time
from collections.abc import Iterator
from http import HTTPStatus

import aiohttp
from rich.console import Console
from synctalk_local.commands.key import key
from synctalk_local.stack import stack_from_environment
from synctalk_testkit.clients import User, users_at

from synctalk_bench.load import script
from synctalk_bench.load.crew import LoadError
from synctalk_bench.load.ours import Ours
from synctalk_bench.load.spent import spent_on

SIZES = (100, 1_000, 10_000)
CONNECTIONS = 15
SPACING_S = 1.5
"""Within the limit of a user's connections."""
AT_ONCE = 16
RETRY_S = 0.5


async def put_conversations(url: str, server_key: str, user: User, count: int) -> None:
    names = iter([f"{secrets.token_hex(4)}/{n}" for n in range(count)])

    async def some(http: aiohttp.ClientSession, names: Iterator[str]) -> None:
        for name in names:
            body = {"type": "group", "title": name, "member_ids": [user.id]}
            while True:
                async with http.put(f"/v1/server/conversations/{name}", json=body) as answer:
                    if answer.status == HTTPStatus.CREATED:
                        break
                    if answer.status != HTTPStatus.TOO_MANY_REQUESTS:
                        raise LoadError(f"A conversation was answered with {answer.status}.")
                await asyncio.sleep(RETRY_S)

    headers = {"Authorization": f"Bearer {server_key}"}
    async with aiohttp.ClientSession(url, headers=headers) as http:
        await asyncio.gather(*(some(http, names) for _ in range(AT_ONCE)))


async def connect(user: User, took_s: list[float]) -> None:
    for _ in range(CONNECTIONS):
        began = time.monotonic()
        live = await user.connect()
        took_s.append(time.monotonic() - began)
        await asyncio.sleep(SPACING_S)
        await live.close()


async def run(console: Console) -> None:
    stack = stack_from_environment()
    ours = Ours(stack)
    server_key = await asyncio.to_thread(key, stack, "conversations")
    found = {}
    async with users_at(ours.url) as users:
        for size in SIZES:
            user = await users.register()
            await put_conversations(ours.url, server_key, user, size)
            took_s: list[float] = []
            await connect(user, [])
            spent = await spent_on(ours, connect(user, took_s))
            name = f"{size:,} conversations, ready after {statistics.median(took_s) * 1e3:.0f} ms"
            found[name] = spent.each(CONNECTIONS)
    console.print(script.cpu_table("CPU of a connection, µs", "with", found))


if __name__ == "__main__":
    sys.exit(script.run(run))
