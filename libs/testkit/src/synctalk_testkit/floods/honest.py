"""Ten users in one group who write at a steady rate and look at how long their acks take."""

import asyncio
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import socketio

from synctalk_testkit.clients import LiveSocket, Users, new_name, users_at

COUNT = 10
PER_S = 3
"""Of each user; below the five a second that a user may send."""
ACK_TIMEOUT_S = 10


@dataclass
class Times:
    ack_s: list[float] = field(default_factory=list)
    lost: int = 0
    """Messages that were refused, or not answered in time."""

    def percentile_ms(self, share: float) -> float:
        ordered = sorted(self.ack_s)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000

    @property
    def p99_ms(self) -> float:
        return self.percentile_ms(0.99)

    def view(self) -> dict[str, Any]:
        return {
            "acks": len(self.ack_s),
            "p50_ms": round(self.percentile_ms(0.5), 1),
            "p99_ms": round(self.p99_ms, 1),
            "lost": self.lost,
        }


class Honest:
    def __init__(self, users: Users, sockets: list[LiveSocket], conversation_id: str) -> None:
        self.users = users
        self._sockets = sockets
        self._conversation_id = conversation_id

    def take_disconnects(self) -> list[Any]:
        """The reasons of all disconnects since this was last asked."""
        taken = [reason for live in self._sockets for reason in live.disconnects]
        for live in self._sockets:
            live.disconnects.clear()
        return taken

    async def talk(self, seconds: float, *, until: Process | None = None) -> Times:
        """Everybody writes at their rate for so long, or until the process has ended."""
        times = Times()
        ends_at = time.monotonic() + seconds

        def is_over() -> bool:
            return time.monotonic() > ends_at if until is None else until.returncode is not None

        async def write(live: LiveSocket, number: int) -> None:
            due = time.monotonic() + number / COUNT / PER_S
            while not is_over():
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                due += 1 / PER_S
                await self._send(live, times)

        await asyncio.gather(*(write(live, number) for number, live in enumerate(self._sockets)))
        return times

    async def _send(self, live: LiveSocket, times: Times) -> None:
        payload = {"conversation_id": self._conversation_id, "client_message_id": new_name(), "body": "hello"}
        began = time.monotonic()
        try:
            ack = await live.call("message:send", payload, timeout=ACK_TIMEOUT_S)
        except (socketio.exceptions.SocketIOError, OSError):
            ack = None
        if ack is not None and ack["ok"]:
            times.ack_s.append(time.monotonic() - began)
        else:
            times.lost += 1


@asynccontextmanager
async def honest_users(url: str) -> AsyncIterator[Honest]:
    async with users_at(url) as users:
        members = await users.register_all(*(f"P{number}" for number in range(COUNT)))
        group = (await members[0].group_with(*members[1:]))["id"]
        sockets = [await member.connect() for member in members]
        yield Honest(users, sockets, group)
