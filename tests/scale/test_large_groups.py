"""A group of 10,000 beside others: what happens in it delays nobody else much, and memory does not go with its size.

Not among the tests of `make test`: it needs the machine for itself (`make test-scale`).
"""

import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import orjson
import psutil
import pytest
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from synctalk_systemtest.absent import add_absent
from synctalk_systemtest.stack import RunningStack, running_stack
from synctalk_testkit.clients import User, Users, users_at
from synctalk_testkit.eventually import eventually
from synctalk_testkit.floods.offered import Answers, Sender, offer, senders_at

MEMBERS = 10_000
CONNECTED = 300
OTHERS = 40
OTHERS_PER_S = 40.0
SECONDS = 6.0
ROUNDS = 3
WATCHED = ("api-1", "gateway-1", "notifier-1", "presence-1")
MOST_TIMES = 4.0
"""What the others' p99 may be beside the group, of what it is without; each of its best round."""
LEAST_P99_MS = 50.0
"""Below it a ratio says nothing."""
MOST_REFUSED = 0.01
READ_WITHIN_S = 1.5
"""All who are connected read a message, each at some moment of this."""
MOST_GROWN_MB = 48.0
"""By which a process may grow in all of it."""

SETTINGS = {"SYNCTALK_GROUP_MEMBERS_MAX": str(MEMBERS)}


class Reader(WSListener):
    """A member on a socket, who reads each message soon where `reads` says so, and parses little."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.reads = False
        self.got: Counter[bytes] = Counter()
        self.is_ready = asyncio.get_running_loop().create_future()
        self._transport: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, _: WSTransport, frame: WSFrame) -> None:
        data = frame.get_payload_as_bytes()
        if data == b"2":
            self._write(b"3")
        elif data.startswith(b"0"):
            self._write(b"40" + orjson.dumps({"token": self.user.access_token}))
        elif data.startswith(b'42["'):
            event = data[4 : data.index(b'"', 4)]
            self.got[event] += 1
            if event == b"ready":
                self.is_ready.set_result(None)
            elif event == b"message:new" and self.reads:
                message = orjson.loads(data[2:])[1]
                receipt = {"conversation_id": message["conversation_id"], "seq": message["seq"]}
                packet = b"42" + orjson.dumps(["receipt:read", receipt])
                asyncio.get_running_loop().call_later(random.uniform(0, READ_WITHIN_S), self._write, packet)

    def _write(self, packet: bytes) -> None:
        if self._transport is not None:
            self._transport.send(WSMsgType.TEXT, packet)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.disconnect()


@dataclass
class Large:
    stack: RunningStack
    conversation_id: str
    owner: User
    readers: list[Reader]
    others: list[Sender]

    async def settled(self, event: bytes, least: int) -> None:
        """Wait until every reader has got so many of these."""
        await eventually(lambda: all(reader.got[event] >= least for reader in self.readers), 60)

    async def quiet(self) -> None:
        """Wait until nothing more comes to anybody for a second."""
        seen = -1
        while (now := sum(reader.got.total() for reader in self.readers)) != seen:
            seen = now
            await asyncio.sleep(1)


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    with running_stack(SETTINGS) as running:
        yield running


@asynccontextmanager
async def large_group(stack: RunningStack, users: Users) -> AsyncIterator[Large]:
    members = [await users.register("Owner")]
    while len(members) < CONNECTED:
        members += await users.register_all(*(f"M{n}" for n in range(min(20, CONNECTED - len(members)))))
    owner = members[0]
    group = await owner.group_with(*members[1:100])
    for start in range(100, CONNECTED, 100):
        user_ids = [member.id for member in members[start : start + 100]]
        await owner.post(f"/v1/conversations/{group['id']}/members", {"user_ids": user_ids})
    await add_absent(stack, group["id"], MEMBERS - CONNECTED, with_device=MEMBERS // 100)
    async with AsyncExitStack() as ending:
        readers = [Reader(member) for member in members]
        address = f"{stack.url.replace('http', 'ws', 1)}/socket.io/?EIO=4&transport=websocket"
        for reader in readers:
            await ws_connect(lambda reader=reader: reader, address)
            ending.callback(reader.close)
            await asyncio.wait_for(reader.is_ready, 30)
        others = await ending.enter_async_context(senders_at(stack.internal_url("gateway-1"), users, OTHERS))
        yield Large(stack, group["id"], owner, readers, others)


def resident_mb(stack: RunningStack) -> dict[str, float]:
    """Return the memory of each process, with what it has forked."""
    roots = {each: psutil.Process(stack.pid(each)) for each in WATCHED}
    return {
        each: sum(one.memory_info().rss for one in (root, *root.children(recursive=True))) / 2**20
        for each, root in roots.items()
    }


async def beside(large: Large, name: str, work: Callable[[], Awaitable[None]], every_s: float) -> float:
    """Return the others' p99 while the work was done every so many seconds, as far as it keeps up, in ms."""
    done, stop = 0, asyncio.Event()

    async def go_on() -> None:
        nonlocal done
        while not stop.is_set():
            due = time.monotonic() + every_s
            await work()
            done += 1
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    task = asyncio.create_task(go_on())
    answers = await offer(large.others, OTHERS_PER_S, SECONDS)
    stop.set()
    await task
    _report(name, done, answers)
    assert answers.unanswered == 0
    assert len(answers.refused_s) <= MOST_REFUSED * len(answers.accepted_s)
    return answers.accepted_ms(0.99)


def _report(name: str, done: int, answers: Answers) -> None:
    sys.stdout.write(
        f"{name}: {done} times, the others' p50 {answers.accepted_ms(0.5):.0f} ms, "
        f"p99 {answers.accepted_ms(0.99):.0f} ms, refused {len(answers.refused_s)}\n"
    )


@pytest.mark.timeout(900)
async def test_group_of_10_000__delays_nobody_else_and_takes_no_memory(stack: RunningStack) -> None:
    async with users_at(stack.url) as users, large_group(stack, users) as large:
        path = f"/v1/conversations/{large.conversation_id}"
        pinned = await large.owner.say(large.conversation_id, "pin me")
        pinning = f"{path}/messages/{pinned['id']}/pin"
        leaver = large.readers.pop()

        async def nothing() -> None:
            await asyncio.sleep(0)

        async def message() -> None:
            await large.owner.say(large.conversation_id, "hello")

        async def rename() -> None:
            await large.owner.patch(path, {"title": f"T{time.monotonic()}"})

        async def pin() -> None:
            await large.owner.put(pinning)
            await large.owner.delete(pinning)

        async def members() -> None:
            await large.owner.delete(f"{path}/members/{leaver.user.id}")
            await large.owner.post(f"{path}/members", {"user_ids": [leaver.user.id]})

        async def read_message() -> None:
            for reader in large.readers:
                reader.reads = True
            await message()

        kinds: dict[str, tuple[Callable[[], Awaitable[None]], float]] = {
            "nothing": (nothing, 1.0),
            "messages": (message, 0.5),
            "members": (members, 1.0),
            "renames": (rename, 1.0),
            "pins": (pin, 1.0),
            "messages that all read": (read_message, 2.0),
        }
        took: dict[str, list[float]] = {name: [] for name in kinds}
        before: dict[str, float] = {}
        for n in range(ROUNDS):
            for name, (work, every_s) in kinds.items():
                took[name].append(await beside(large, name, work, every_s))
                for reader in large.readers:
                    reader.reads = False
                await large.quiet()
            before = before or resident_mb(stack)
            sys.stdout.write(f"round {n + 1}: MB " + str({k: round(v) for k, v in resident_mb(stack).items()}) + "\n")
        grown = {name: now - before[name] for name, now in resident_mb(stack).items()}
        assert all(mb < MOST_GROWN_MB for mb in grown.values()), grown
        alone = max(LEAST_P99_MS, min(took["nothing"]))
        for name, p99s in took.items():
            assert min(p99s) <= MOST_TIMES * alone, (name, took)
        await large.settled(b"conversation:updated", 1)
