"""What a message to a large group costs the notifier, by who of the members has a device and who is here.

`python -m synctalk_bench.pushes` on the running system (`make up`): groups and devices are written into the databases,
leases are reported to presence as gateways do, and messages are published as api's outbox does, each in a round of its
own. CPU of the services is read from /proc; what they use without messages is subtracted. Pushes go to the stand-in.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import asyncpg
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table
from synctalk_backing.postgres import postgres_url
from synctalk_backing.rabbitmq import rabbitmq_url
from synctalk_contracts import topology
from synctalk_contracts.envelope import Envelope, write_envelopes
from synctalk_contracts.events.messages import MessageCreated
from synctalk_contracts.internal import Lease, LeaseReport
from synctalk_contracts.models import Message
from synctalk_local.stack import Stack, stack_credentials, stack_from_environment
from synctalk_runtime.bus import Bus
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.internal import Credential, InternalClient
from synctalk_testkit.eventually import eventually

from synctalk_bench.load import script
from synctalk_bench.load.ours import Ours
from synctalk_bench.load.spent import spent_on

SIZES = (1_000, 10_000)
SHARES = (0.01, 1.0)
MESSAGES = 10
MESSAGES_OF_MANY_PUSHES = 2
"""A case with thousands of pushes to a message takes a minute as it is."""
MANY_PUSHES = 2_000
SPACING_S = 1.0
"""More than a round of the notifier: no two messages share one."""
TIMEOUT_S = 600.0
LEASES = 1_000
WATCHED = ("notifier-1", "presence-1", "api-1", "postgres", "redis")

USERS = """
insert into users (id, username, display_name)
select u, 'pushes-' || u, 'Somebody' from unnest($1::uuid[]) u"""
CONVERSATION = """
insert into conversations (id, type, title, created_by, created_at, last_seq, change_seq, members_count, active_at,
                           updated_at)
values ($1, 'group', 'Pushes', $2, now(), 1000, 1001, $3, now(), now())"""
MEMBERS = """
insert into members (conversation_id, user_id, role, joined_at, change_seq)
select $1, u, 'member', now(), 1 from unnest($2::uuid[]) u"""
PROJECTION = """
insert into members (conversation_id, user_id, present, joined_seq, change_seq)
select $1, u, true, 1, 1 from unnest($2::uuid[]) u"""
DEVICES = """
insert into devices (user_id, device_id, session_id, platform, token, token_sha256, created_at)
select u, 'phone', gen_random_uuid(), 'android', u::text, sha256(u::text::bytea), now() from unnest($1::uuid[]) u"""
WAITING = """
select (select count(*) from incoming_messages where due_at is not null)
     + (select count(*) from pushes where state <> 'sent')"""
RECEIVED = "select coalesce(max(id), 0) from incoming_messages"
ROWS = "select n_tup_ins from pg_stat_user_tables where relname = 'pushes'"


@dataclass(frozen=True)
class Backends:
    ours: Ours
    api: asyncpg.Connection
    notifier: asyncpg.Connection
    presence: InternalClient
    bus: Bus


@dataclass(frozen=True)
class Case:
    size: int
    share: float
    online: bool


@dataclass(frozen=True)
class Cost:
    """Of one message."""

    cpu_ms: Mapping[str, float]
    rows: float


@asynccontextmanager
async def backends(stack: Stack) -> AsyncIterator[Backends]:
    ours, credentials, ports = Ours(stack), stack_credentials(stack), stack.ports
    ours.processes()
    databases = [
        await asyncpg.connect(
            postgres_url(ports.postgres, f"synctalk_{name}", f"synctalk_{name}", credentials.databases[name])
        )
        for name in ("api", "notifier")
    ]
    gateway = Credential("gateway", credentials.internal_secrets["gateway"])
    presence = InternalClient(f"http://127.0.0.1:{ports.presence}", gateway, 10)
    bus = Bus(SecretStr(rabbitmq_url(ports.rabbitmq, credentials.rabbitmq)), "bench")
    await bus.start()
    try:
        yield Backends(ours, databases[0], databases[1], presence, bus)
    finally:
        await bus.stop()
        await presence.close()
        for database in databases:
            await database.close()


async def measure(backends: Backends, case: Case) -> Cost:
    conversation_id, sender_id = new_id(), new_id()
    users = [sender_id, *(new_id() for _ in range(case.size - 1))]
    with_device = users[1 : 1 + max(1, round((case.size - 1) * case.share))]
    await _store(backends, conversation_id, users, with_device)
    if case.online:
        await _report(backends, users, is_open=True)
    pushes = 0 if case.online else len(with_device)
    count = MESSAGES_OF_MANY_PUSHES if pushes >= MANY_PUSHES else MESSAGES
    rows = await backends.notifier.fetchval(ROWS)
    spent = await spent_on(backends.ours, _publish(backends, conversation_id, sender_id, count))
    await backends.notifier.execute("select pg_stat_clear_snapshot()")
    written = await backends.notifier.fetchval(ROWS) - rows
    if case.online:
        await _report(backends, users, is_open=False)
    cpu = spent.each(count)
    return Cost({name: cpu[name] / 1000 for name in WATCHED}, written / count)


async def _store(backends: Backends, conversation_id: str, users: list[str], with_device: list[str]) -> None:
    await backends.api.execute(USERS, users)
    await backends.api.execute(CONVERSATION, conversation_id, users[0], len(users))
    await backends.api.execute(MEMBERS, conversation_id, users)
    await backends.notifier.execute(PROJECTION, conversation_id, users)
    await backends.notifier.execute(DEVICES, with_device)
    for database, table in ((backends.api, "members"), (backends.notifier, "members"), (backends.notifier, "devices")):
        await database.execute(f"analyze {table}")


async def _report(backends: Backends, users: list[str], *, is_open: bool) -> None:
    for start in range(0, len(users), LEASES):
        leases = [Lease(user_id=user_id, connection_id=user_id) for user_id in users[start : start + LEASES]]
        report = LeaseReport(gateway="bench", held=leases if is_open else [], released=[] if is_open else leases)
        await backends.presence.post("/internal/presence/leases", report.model_dump())


async def _publish(backends: Backends, conversation_id: str, sender_id: str, count: int) -> None:
    received = await backends.notifier.fetchval(RECEIVED)
    for n in range(count):
        message = Message(
            id=new_id(),
            conversation_id=conversation_id,
            seq=n + 1,
            change_seq=n + 2,
            sender_id=sender_id,
            client_message_id=uuid4().hex,
            body="hello",
            reply_to=None,
            reactions={},
            mentions=[],
            created_at=utc_now(),
            edited_at=None,
            deleted_at=None,
        )
        event = MessageCreated(message=message)
        envelope = Envelope(id=new_id(), type=event.type_name(), time=utc_now(), payload=event.model_dump(mode="json"))
        await backends.bus.publish(topology.EVENTS_EXCHANGE, event.type_name(), write_envelopes([envelope]))
        await asyncio.sleep(SPACING_S)

    async def all_done() -> bool:
        stored = await backends.notifier.fetchval(RECEIVED) >= received + count
        return bool(stored and not await backends.notifier.fetchval(WAITING))

    await eventually(all_done, timeout=TIMEOUT_S)


async def run(console: Console) -> None:
    table = Table(title="CPU of a message, ms")
    for column in ("members", "with a device", "they are", *WATCHED, "rows written"):
        table.add_column(column, justify="right")
    async with backends(stack_from_environment()) as found:
        for size in SIZES:
            for share in SHARES:
                for online in (True, False):
                    cost = await measure(found, Case(size, share, online))
                    figures = [f"{cost.cpu_ms[name]:.1f}" for name in WATCHED]
                    table.add_row(
                        f"{size:,}", f"{share:.0%}", "here" if online else "away", *figures, f"{cost.rows:,.0f}"
                    )
                    console.print(f"{size:,} {share:.0%} {'here' if online else 'away'} {figures} {cost.rows:,.0f}")
    console.print(table)


if __name__ == "__main__":
    sys.exit(script.run(run))
