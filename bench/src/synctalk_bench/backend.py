"""What a host app's backend waits for: exchanges of its tokens, the event feed, and webhooks.

`python -m synctalk_bench.backend` on the running system (`make up`), started with `SYNCTALK_TRUSTED_ISSUERS` as
docs/benchmarks.md says. Delays are from a message's `created_at`, which its transaction takes before it commits.
Webhooks are received by a server of this process. CPU is read from /proc, less what the system uses without all this.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import aiohttp
import jwt
import orjson
from aiohttp import web
from rich.console import Console
from rich.table import Table
from synctalk import Server
from synctalk_local.commands.key import key
from synctalk_local.stack import stack_from_environment
from synctalk_testkit.clients import LiveSocket, Users, new_name, users_at
from synctalk_testkit.eventually import eventually
from synctalk_testkit.service import serve_stub

from synctalk_bench.load import script
from synctalk_bench.load.crew import LoadError
from synctalk_bench.load.ours import Ours
from synctalk_bench.load.spent import spent_on

ISSUER, AUDIENCE, SECRET = "https://bench.example", "bench", "0123456789abcdef0123456789abcdef"
EXCHANGES = 1_000
AT_ONCE = 16
WRITERS = 100
RATE_PER_S = 100
SECONDS = 15
PAGE = 1_000
TIMEOUT_S = 120.0
WATCHED = ("edge", "auth-1", "api-1", "notifier-1", "postgres", "rabbitmq")


@dataclass
class Times:
    """How long something took each time, in seconds."""

    values: list[float] = field(default_factory=list)

    def shown(self) -> tuple[str, str]:
        """Return the 50th and the 99th percentile, in milliseconds."""
        cuts = statistics.quantiles(self.values, n=100)
        return f"{cuts[49] * 1e3:.1f}", f"{cuts[98] * 1e3:.1f}"


@dataclass(frozen=True)
class Found:
    name: str
    times: Times | None
    per_s: float
    cpu: Mapping[str, float]
    """Microseconds of one, by process."""


class Receiver:
    """An endpoint of webhooks that takes everything."""

    def __init__(self) -> None:
        self.count = 0
        self.delays = Times()

    async def receive(self, request: web.Request) -> web.Response:
        event = orjson.loads(await request.read())
        self.count += 1
        self.delays.values.append(_age(event))
        return web.Response(status=204)


async def exchanges(ours: Ours, name: str, subjects: Sequence[str]) -> Found:
    """Exchange a token of each subject, `AT_ONCE` at a time."""
    left, times = iter(subjects), Times()

    async def work(http: aiohttp.ClientSession) -> None:
        for subject in left:
            given, began = {"token": _token(subject), "device_name": "bench"}, time.monotonic()
            async with http.post("/v1/auth/exchange", json=given) as answer:
                if answer.status != HTTPStatus.OK:
                    raise LoadError(f"An exchange was answered with {answer.status}; see docs/benchmarks.md.")
                await answer.read()
            times.values.append(time.monotonic() - began)

    async def all_of(http: aiohttp.ClientSession) -> None:
        await asyncio.gather(*(work(http) for _ in range(AT_ONCE)))

    async with aiohttp.ClientSession(ours.url) as http:
        spent = await spent_on(ours, all_of(http))
    return Found(name, times, len(subjects) / spent.took_s, spent.each(len(subjects)))


async def feed_and_webhook(users: Users, ours: Ours, server: Server) -> Sequence[Found]:
    """Send messages at a rate; read them from the feed and receive them as webhooks meanwhile, each once."""
    lives = [await _writer(users) for _ in range(WRITERS)]
    sent: set[str] = set()
    read, delays = set[str](), Times()
    start = (await server.read_events()).next

    async def follow() -> None:
        async for event, _ in server.events(start, types=["message.created"]):
            read.add(event.data["message"]["id"])
            delays.values.append((datetime.now(UTC) - event.created_at).total_seconds())

    async def write(live: LiveSocket, conversation_id: str, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        for _ in range(RATE_PER_S * SECONDS // WRITERS):
            sent.add((await live.say(conversation_id, "some words"))["id"])
            await asyncio.sleep(WRITERS / RATE_PER_S)

    async def all_of() -> None:
        await asyncio.gather(*(write(*one, n / RATE_PER_S) for n, one in enumerate(lives)))
        await eventually(lambda: read >= sent and receiver.count >= len(sent), TIMEOUT_S)

    async with _webhook(server) as (receiver, webhook_id), _running(follow()):
        spent = await spent_on(ours, all_of())
        found = [
            Found("feed, messages as they are sent", delays, len(sent) / spent.took_s, spent.each(len(sent))),
            Found("webhook, at the same time", receiver.delays, receiver.count / spent.took_s, {}),
        ]
        found.append(await _drained(ours, server, start))
        found.append(await _replayed(ours, server, receiver, webhook_id, start))
    return found


async def _drained(ours: Ours, server: Server, start: str) -> Found:
    """Read again what followed a place of the feed, as fast as it comes."""
    count = 0

    async def drain() -> None:
        nonlocal count
        page = await server.read_events(start, types=["message.created"], limit=PAGE)
        while page.items:
            count += len(page.items)
            page = await server.read_events(page.next, types=["message.created"], limit=PAGE)

    spent = await spent_on(ours, drain())
    return Found("feed, read again", None, count / spent.took_s, spent.each(count))


async def _replayed(ours: Ours, server: Server, receiver: Receiver, webhook_id: str, start: str) -> Found:
    """Have what followed a place of the feed sent again, as fast as it goes."""
    expected, receiver.count, receiver.delays = receiver.count, 0, Times()

    async def replay() -> None:
        await server.replay_webhook(webhook_id, start)
        await eventually(lambda: receiver.count >= expected, TIMEOUT_S)

    spent = await spent_on(ours, replay())
    return Found("webhook, a replay to one endpoint", None, receiver.count / spent.took_s, spent.each(receiver.count))


async def _writer(users: Users) -> tuple[LiveSocket, str]:
    writer, reader = await users.register_all("Writer", "Reader")
    return await writer.connect(), (await writer.direct_with(reader))["id"]


@asynccontextmanager
async def _webhook(server: Server) -> AsyncIterator[tuple[Receiver, str]]:
    receiver, app = Receiver(), web.Application()
    app.router.add_post("/events", receiver.receive)
    async with serve_stub(app) as url:
        webhook = await server.create_webhook(f"{url}/events", ["message.created"])
        try:
            yield receiver, webhook.id
        finally:
            await server.delete_webhook(webhook.id)


@asynccontextmanager
async def _running(work: Awaitable[None]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _age(event: Mapping[str, str]) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(event["created_at"])).total_seconds()


def _token(subject: str) -> str:
    now = datetime.now(UTC)
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + timedelta(minutes=5)}
    return jwt.encode(claims, SECRET, algorithm="HS256")


async def run(console: Console) -> None:
    stack = stack_from_environment()
    ours = Ours(stack)
    subjects = [new_name() for _ in range(EXCHANGES)]
    server_key = await asyncio.to_thread(key, stack, "events webhooks")
    async with users_at(ours.url) as users, Server(ours.url, server_key) as server:
        found = [
            await exchanges(ours, "exchange, a new user", subjects),
            await exchanges(ours, "exchange, a known user", subjects),
            *await feed_and_webhook(users, ours, server),
        ]
    console.print(_table(found))


def _table(found: Sequence[Found]) -> Table:
    table = Table(title="Times in ms, CPU in µs of one")
    for column in ("", "p50", "p99", "a second", *WATCHED, "all"):
        table.add_column(column, justify="right" if column else "left")
    for each in found:
        times = each.times.shown() if each.times else ("", "")
        cpu = [f"{each.cpu[name]:.0f}" for name in WATCHED] if each.cpu else [""] * len(WATCHED)
        table.add_row(each.name, *times, f"{each.per_s:.0f}", *cpu, f"{sum(each.cpu.values()):.0f}" if each.cpu else "")
    return table


if __name__ == "__main__":
    sys.exit(script.run(run))
