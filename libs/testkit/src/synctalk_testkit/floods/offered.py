"""Messages offered at a fixed rate, whatever becomes of them (an open loop), and how each was answered."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count, cycle
from typing import Any

import aiohttp

from synctalk_testkit.clients import User, Users
from synctalk_testkit.eventually import eventually
from synctalk_testkit.raw import raw_socket

ANSWER_TIMEOUT_S = 15


@dataclass
class Answers:
    """Seconds until each was answered."""

    accepted_s: list[float] = field(default_factory=list)
    refused_s: list[float] = field(default_factory=list)
    without_retry_after: int = 0
    unanswered: int = 0

    def accepted_ms(self, share: float) -> float:
        ordered = sorted(self.accepted_s)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


class Sender:
    """One user's websocket, alone in a group of its own, so that nothing is measured but the way to the commit."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse, conversation_id: str) -> None:
        self._websocket = websocket
        self._conversation_id = conversation_id
        self._ids = count(1)
        self._sent: dict[int, tuple[float, Answers]] = {}

    async def send(self, answers: Answers) -> None:
        number = next(self._ids)
        payload = {"conversation_id": self._conversation_id, "client_message_id": f"m{number}", "body": "hello"}
        self._sent[number] = (time.monotonic(), answers)
        answers.unanswered += 1
        await self._websocket.send_str(f"42{number}{json.dumps(['message:send', payload])}")

    def on_packet(self, packet: str) -> None:
        if not packet.startswith("43"):
            return
        digits, _, body = packet[2:].partition("[")
        sent_at, answers = self._sent.pop(int(digits))
        took, ack = time.monotonic() - sent_at, json.loads(f"[{body}")[0]
        answers.unanswered -= 1
        if ack["ok"]:
            answers.accepted_s.append(took)
            return
        answers.refused_s.append(took)
        answers.without_retry_after += "retry_after" not in ack["error"]


async def offer(senders: Sequence[Sender], per_s: float, seconds: float) -> Answers:
    """Send at this rate for so long; the answers, once the last has come or had its time."""
    answers = Answers()
    began = time.monotonic()
    for number, sender in enumerate(cycle(senders)):
        due = began + number / per_s
        if due > began + seconds:
            break
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        await sender.send(answers)
    with suppress(AssertionError):  # who asks looks at what is unanswered
        await eventually(lambda: answers.unanswered == 0, ANSWER_TIMEOUT_S)
    return answers


@asynccontextmanager
async def senders_at(url: str, users: Users, number: int) -> AsyncIterator[list[Sender]]:
    """So many senders, all on the gateway behind this address."""
    members: list[User] = await users.register_all(*(f"P{n}" for n in range(number)))
    async with AsyncExitStack() as stack:
        senders = []
        for member in members:
            group: dict[str, Any] = await member.group_with()
            raw = await stack.enter_async_context(raw_socket(users.http, url, member.access_token))
            sender = Sender(raw.websocket, group["id"])
            raw.on_packet = sender.on_packet
            senders.append(sender)
        yield senders
