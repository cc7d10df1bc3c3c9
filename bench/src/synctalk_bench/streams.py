"""What an append to a streamed message costs: CPU of all processes, in microseconds.

`python -m synctalk_bench.streams` on the running system (`make up`): writers stream at a rate, each with a reader on a
socket, as an assistant does that sends what its model has said. CPU is read from /proc; what the system uses without
them is subtracted. Beside it, what as many messages cost that are sent in the place of appends.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence

from rich.console import Console
from synctalk_local.stack import stack_from_environment
from synctalk_testkit.clients import LiveSocket, Users, new_name, users_at

from synctalk_bench.load import script
from synctalk_bench.load.ours import Ours
from synctalk_bench.load.spent import spent_on

WRITERS = 50
PER_S = 4
"""Of each writer, within the limit of messages too."""
SECONDS = 10
TEXT = "some words "

Pair = tuple[LiveSocket, str]
"""The writer's socket, and the conversation with its reader."""
Work = Callable[[LiveSocket, str], Awaitable[None]]


async def measure(ours: Ours, pairs: Sequence[Pair], work: Work) -> Mapping[str, float]:
    """Return the microseconds of CPU of one append or message, by process."""

    async def of_all() -> None:
        await asyncio.gather(*(work(*pair) for pair in pairs))

    return (await spent_on(ours, of_all())).each(len(pairs) * PER_S * SECONDS)


async def stream(live: LiveSocket, conversation_id: str) -> None:
    given = {"conversation_id": conversation_id, "client_message_id": new_name()}
    message = (await live.done("message:stream:start", given))["message"]
    place = {"conversation_id": conversation_id, "message_id": message["id"]}
    for n in range(PER_S * SECONDS):
        await live.done("message:stream:append", place | {"at": n * len(TEXT), "text": TEXT})
        await asyncio.sleep(1 / PER_S)
    await live.done("message:stream:end", place)


async def send(live: LiveSocket, conversation_id: str) -> None:
    for _ in range(PER_S * SECONDS):
        await live.say(conversation_id, TEXT)
        await asyncio.sleep(1 / PER_S)


async def pair_of(users: Users) -> Pair:
    writer, reader = await users.register_all("Writer", "Reader")
    conversation = await writer.direct_with(reader)
    await reader.connect()
    return await writer.connect(), conversation["id"]


async def run(console: Console) -> None:
    ours = Ours(stack_from_environment())
    async with users_at(ours.url) as users:
        pairs = [await pair_of(users) for _ in range(WRITERS)]
        found = {"append": await measure(ours, pairs, stream), "message": await measure(ours, pairs, send)}
    title = f"CPU in µs, {WRITERS} writers with {PER_S} a second each"
    console.print(script.cpu_table(title, "of an", found))


if __name__ == "__main__":
    sys.exit(script.run(run))
