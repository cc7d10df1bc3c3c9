"""The loads, each on one side: users in groups, at the highest rate too, in pairs, one large room, idle sockets."""

import asyncio
import itertools
import math
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from synctalk_bench.load import processes
from synctalk_bench.load.crew import Crew
from synctalk_bench.load.plan import Run, Seat, Settle
from synctalk_bench.load.results import Idle, Spread, Talk
from synctalk_bench.load.settings import Settings
from synctalk_bench.load.side import Side

LEAD_NS = 300_000_000
"""Between the order to send and the first message: the workers begin together."""

SETTLE_TIMEOUT_S = 15.0
QUIET_CORES = 0.15
QUIET_TIMEOUT_S = 30
WARM_SOCKETS = 100
STEADY_BYTES = 64 * 1024
LOAD = "load"

HIGHEST_PROBES = 10
HIGHEST_STEP = 1.6
HIGHEST_PRECISION = 1.08
HIGHEST_WARM_S = 1.5
HIGHEST_SENT = 0.9
Beside = Callable[[], Awaitable[None]]
"""Called when the window begins; it measures for as long as that lasts."""

OVERLOADED = frozenset({"not acked", "lost", "connection lost", "disconnected by the server"})


async def groups(side: Side, crew: Crew, settings: Settings, beside: Beside | None = None) -> Talk:
    """Users in groups of ten, everybody sends."""
    groups = side.groups[: settings.groups]
    seats = _everybody_in(groups, settings.group_size, side)
    return await _talk("groups", side, crew, seats, settings.groups_rate_per_s, settings, beside)


async def pairs(side: Side, crew: Crew, settings: Settings, beside: Beside | None = None) -> Talk:
    """Users two by two, everybody sends."""
    seats = _everybody_in(side.pairs, 2, side)
    return await _talk("pairs", side, crew, seats, settings.pairs_rate_per_s, settings, beside)


async def highest(side: Side, crew: Crew, settings: Settings, probes: int = HIGHEST_PROBES) -> Talk | None:
    """All users in groups of ten at the highest rate that the side keeps up with: in steps, then halving the last."""
    seats = _everybody_in(side.groups, settings.group_size, side)
    short = replace(settings, warm_s=min(HIGHEST_WARM_S, settings.warm_s), measure_s=settings.highest_measure_s)
    best: Talk | None = None
    good, bad, rate = 0.0, math.inf, settings.highest_from_per_s
    for _ in range(probes):
        talk = await _talk("highest", side, crew, seats, rate, short)
        if keeps_up(talk, rate, settings):
            good, best = rate, talk
        else:
            bad = rate
        if bad < good * HIGHEST_PRECISION:
            break
        rate = good * HIGHEST_STEP if bad == math.inf else math.sqrt(good * bad) if good else bad / HIGHEST_STEP
    return best


def keeps_up(talk: Talk, rate_per_s: float, settings: Settings) -> bool:
    """Whether the side took as much as it was meant to get, and answered in time."""
    is_whole = talk.messages >= HIGHEST_SENT * rate_per_s * talk.window_s
    return is_whole and talk.ack_ms.p99 < settings.highest_ack_p99_ms and not talk.faults.keys() & OVERLOADED


def _everybody_in(conversations: Sequence[str], size: int, side: Side) -> list[Seat]:
    users = side.users[: len(conversations) * size]
    return [Seat(user.user_id, user.token, conversations[number // size]) for number, user in enumerate(users)]


async def room(side: Side, crew: Crew, settings: Settings) -> Talk:
    """Everybody in one conversation, a few send."""
    seats = [
        Seat(user.user_id, user.token, side.room, sends=number < settings.room_senders)
        for number, user in enumerate(side.users[: settings.room_size])
    ]
    return await _talk("room", side, crew, seats, settings.room_rate_per_s, settings)


async def idle(side: Side, crew: Crew, settings: Settings) -> Idle:
    """Memory of processes that were started anew and have seen some sockets come and go, without and with sockets."""
    await side.refresh_socket_holders()
    users = itertools.cycle(side.users[: settings.room_size])
    seats = [
        Seat(user.user_id, user.token, side.room, sends=False)
        for user in itertools.islice(users, settings.idle_sockets)
    ]
    await crew.open(side.url, seats[:WARM_SOCKETS])
    await crew.open(side.url, [])
    holders = {name: pid for name, pid in side.processes().items() if name in side.socket_holders()}
    before = await _steady_rss(holders)
    stood = await crew.open(side.url, seats)
    after = await _steady_rss(holders)
    spent = await _cpu_while(holders, settings.idle_watch_s)
    faults = await crew.settle(Settle(stood, 0))
    await crew.open(side.url, [])
    return Idle(
        side.name, len(seats), before, after, spent / settings.idle_watch_s * 60 / len(seats) * 1000, dict(faults)
    )


async def _talk(
    scenario: str,
    side: Side,
    crew: Crew,
    seats: Sequence[Seat],
    rate_per_s: float,
    settings: Settings,
    beside: Beside | None = None,
) -> Talk:
    stood = await crew.open(side.url, seats)
    busy_before = await _until_quiet(side.processes())
    roots = {**side.processes(), **{f"{LOAD}-{number}": pid for number, pid in enumerate(crew.pids)}}
    begin = time.monotonic_ns() + LEAD_NS
    from_ns = begin + int(settings.warm_s * 1e9)
    to_ns = from_ns + int(settings.measure_s * 1e9)
    name = secrets.token_hex(4)
    running = asyncio.create_task(crew.run(Run(rate_per_s, name, 0, begin, from_ns, to_ns, settings.body_chars)))
    watching = asyncio.create_task(_beside(beside, from_ns))
    spent = await _cpu_between(roots, from_ns, to_ns)
    await watching
    memory = processes.memory(side.processes())
    load = await running
    last_seqs, faults = _numbered(stood, load.acked)
    faults.update(await crew.settle(Settle(last_seqs, SETTLE_TIMEOUT_S)))
    await crew.open(side.url, [])
    return Talk(
        scenario=scenario,
        side=side.name,
        sockets=len(seats),
        window_s=settings.measure_s,
        messages=len(load.ack_us),
        deliveries=load.deliveries,
        ack_ms=Spread.of(load.ack_us),
        delivery_ms=Spread.of(load.delivery_us),
        late_ms=Spread.of(load.late_us),
        busy_before=busy_before,
        cpu_s={name: seconds for name, seconds in spent.items() if not name.startswith(f"{LOAD}-")},
        load_cpu_s=sum(seconds for name, seconds in spent.items() if name.startswith(f"{LOAD}-")),
        memory=memory,
        retries=load.retries,
        syncs=load.syncs,
        faults={kind: count for kind, count in faults.items() if count},
    )


def _numbered(stood: Mapping[str, int], acked: Mapping[str, Sequence[int]]) -> tuple[dict[str, int], Counter[str]]:
    """Where each conversation must stand now; acks that do not number their messages without a gap are a fault."""
    last_seqs, faults = dict(stood), Counter[str]()
    for conversation_id, seqs in acked.items():
        first = stood[conversation_id] + 1
        if sorted(seqs) != list(range(first, first + len(seqs))):
            faults["acked with a gap or twice"] += 1
        last_seqs[conversation_id] = max(seqs)
    return last_seqs, faults


async def _beside(beside: Beside | None, from_ns: int) -> None:
    if beside is not None:
        await _sleep_until(from_ns)
        await beside()


async def _cpu_between(roots: Mapping[str, int], from_ns: int, to_ns: int) -> dict[str, float]:
    await _sleep_until(from_ns)
    before = processes.cpu_seconds(roots)
    await _sleep_until(to_ns)
    after = processes.cpu_seconds(roots)
    return {name: after[name] - before[name] for name in roots}


async def _cpu_while(roots: Mapping[str, int], seconds: float) -> float:
    now = time.monotonic_ns()
    return sum((await _cpu_between(roots, now, now + int(seconds * 1e9))).values())


async def _until_quiet(roots: Mapping[str, int]) -> float:
    """What an earlier load or the connecting has left to do is not charged to this one; the cores still at work."""
    for _ in range(QUIET_TIMEOUT_S):
        busy = await _cpu_while(roots, 1.0)
        if busy < QUIET_CORES:
            break
    return busy


async def _sleep_until(moment_ns: int) -> None:
    await asyncio.sleep(max(0.0, (moment_ns - time.monotonic_ns()) / 1e9))


async def _steady_rss(holders: Mapping[str, int]) -> int:
    """The resident memory once it has stopped changing."""
    last = -1
    for _ in range(20):
        now = sum(one.rss_bytes for one in processes.memory(holders).values())
        if abs(now - last) < STEADY_BYTES:
            return now
        last = now
        await asyncio.sleep(1)
    return last
