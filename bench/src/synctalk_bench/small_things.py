"""What a receipt, a change of presence and a connection cost: CPU of all processes, in microseconds.

`python -m synctalk_bench.small_things` on the running system (`make up`): pairs of users, each on a socket. One
reads the other's messages one by one, then changes between `dnd` and `online` while the other watches, then leaves and
comes back, as who connects anew. What the system uses without that is subtracted.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence

from rich.console import Console
from synctalk_local.stack import stack_from_environment
from synctalk_testkit.clients import LiveSocket, User, Users, users_at

from synctalk_bench.load import script
from synctalk_bench.load.crew import LoadError
from synctalk_bench.load.ours import Ours
from synctalk_bench.load.spent import spent_on

PAIRS = 30
MESSAGES = 30
CHANGES = 10
RECONNECTS = 5
SPACING_S = 0.25
CHANGE_SPACING_S = 1.0

Pair = tuple[LiveSocket, LiveSocket, str, User]
"""The writer's socket, the reader's, the conversation, and the reader."""
Work = Callable[[Pair], Awaitable[None]]


async def pair_of(users: Users) -> Pair:
    writer, reader = await users.register_all("Writer", "Reader")
    conversation = await writer.direct_with(reader)
    return await writer.connect(), await reader.connect(), conversation["id"], reader


async def done(live: LiveSocket, event: str, payload: object) -> None:
    """Ask again where presence is too busy to answer."""
    while not (ack := await live.call(event, payload))["ok"]:
        if ack["error"]["code"] != "unavailable":
            raise LoadError(str(ack))
        await asyncio.sleep(ack["error"]["retry_after"])


async def write(pair: Pair) -> None:
    writer, _, conversation_id, other = pair
    for n in range(MESSAGES):
        await writer.say(conversation_id, f"message {n}")
        await asyncio.sleep(SPACING_S)  # within the limit of messages
    await done(writer, "presence:subscribe", {"user_ids": [other.id]})


async def read(pair: Pair) -> None:
    writer, reader, conversation_id, _ = pair
    for n in range(MESSAGES):
        await reader.done("receipt:read", {"conversation_id": conversation_id, "seq": n + 1})
        await asyncio.sleep(SPACING_S)
    await writer.wait_for("receipt:updated", lambda seen: seen["read_seq"] == MESSAGES)


async def change(pair: Pair) -> None:
    writer, reader, _, _ = pair
    for n in range(CHANGES):
        seen = len(writer.events)
        await done(reader, "presence:set", {"status": ("dnd", "online")[n % 2]})
        await writer.wait_for("presence:changed", since=seen)
        await asyncio.sleep(CHANGE_SPACING_S)


async def come_back(pair: Pair) -> None:
    _, live, _, user = pair
    for _ in range(RECONNECTS):
        await live.close()
        live = await user.connect()
        await asyncio.sleep(CHANGE_SPACING_S)


async def all_of(work: Work, pairs: Sequence[Pair]) -> None:
    await asyncio.gather(*(work(pair) for pair in pairs))


async def run(console: Console) -> None:
    ours = Ours(stack_from_environment())
    async with users_at(ours.url) as users:
        pairs: Sequence[Pair] = [await pair_of(users) for _ in range(PAIRS)]
        await all_of(write, pairs)
        works = {
            "receipt": (read, MESSAGES),
            "change of presence": (change, CHANGES),
            "connection": (come_back, RECONNECTS),
        }
        found = {}
        for name, (work, times) in works.items():
            found[name] = (await spent_on(ours, all_of(work, pairs))).each(PAIRS * times)
    console.print(script.cpu_table(f"CPU in µs, {PAIRS} pairs", "of a", found))


if __name__ == "__main__":
    sys.exit(script.run(run))
