"""What is told on Redis after a commit: events to rooms, conversations to people, replies to gateways.

One task publishes, in the order in which things were told, all that has queued up in one pipeline. A Redis that does
not answer never fails what is committed: it is logged and counted, gateways notice the gap by number, clients sync.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

import orjson
import structlog
from prometheus_client import Counter, Gauge
from synctalk_contracts import topology
from synctalk_contracts.fanout import UserEvent
from synctalk_contracts.models import Conversation
from synctalk_runtime import fanout
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.redis_line import RedisLine

log = structlog.get_logger()

LOST = Counter("api_fanout_lost_total", "Channel messages that did not go out.", ["why"])
WAITING = Gauge("api_fanout_waiting", "Channel messages that wait for Redis.")

PIPELINE_MESSAGES = 500
STOP_TIMEOUT_S = 5.0

Channelled = tuple[str, bytes]


class Tidings:
    """What one commit has to tell, gathered while it is prepared."""

    def __init__(self) -> None:
        self._rooms: dict[str, list[dict[str, Any]]] = {}
        self._people: list[Channelled] = []
        self._replies: dict[str, list[dict[str, Any]]] = {}

    def in_room(
        self,
        conversation_id: str,
        event: str,
        user_id: str,
        payload: Any,
        *,
        change_seq: int | None = None,
        origin: str | None = None,
        views: dict[str, Any] | None = None,
    ) -> None:
        """A `RoomEvent`; `payload` may be an `orjson.Fragment`."""
        told = {"event": event, "change_seq": change_seq, "origin": origin, "user_id": user_id, "payload": payload}
        if views is not None:
            told["views"] = views
        self._rooms.setdefault(conversation_id, []).append(told)

    def to_person(self, user_id: str, conversation: Conversation) -> None:
        """They are in this conversation from now on."""
        self._people.append((topology.user_channel(user_id), UserEvent(conversation=conversation).to_bytes()))

    def reply(self, gateway: str, reply: dict[str, Any]) -> None:
        self._replies.setdefault(gateway, []).append(reply)

    def add(self, other: "Tidings") -> None:
        """What a later commit has to tell, after this."""
        for conversation_id, events in other._rooms.items():
            self._rooms.setdefault(conversation_id, []).extend(events)
        self._people += other._people
        for gateway, replies in other._replies.items():
            self._replies.setdefault(gateway, []).extend(replies)

    def messages(self) -> list[Channelled]:
        """Replies first: an ack waits for nothing but the commit."""
        told = [
            (topology.replies_channel(gateway), orjson.dumps({"replies": replies}))
            for gateway, replies in self._replies.items()
        ]
        told += self._people
        told += [
            (
                topology.conversation_channel(conversation_id),
                orjson.dumps({"conversation_id": conversation_id, "events": events}),
            )
            for conversation_id, events in self._rooms.items()
        ]
        return told


class Fanout:
    """The publisher of this process."""

    def __init__(self, line: RedisLine, max_messages: int, wait_s: float) -> None:
        self._line = line
        self._max_messages = max_messages
        self._wait_s = wait_s
        self._waiting: deque[tuple[Channelled, asyncio.Future[None] | None]] = deque()
        self._woken = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="fanout")

    async def stop(self) -> None:
        """What waits still goes out, if Redis takes it in time."""
        self._stopping = True
        self._woken.set()
        if self._task is not None:
            _, late = await asyncio.wait([self._task], timeout=STOP_TIMEOUT_S)
            for task in late:
                task.cancel()

    async def check(self) -> None:
        """For readiness."""
        await self._line.call("PING")

    def tell(self, tidings: Tidings) -> None:
        """Goes out soon; never fails."""
        self._queue([(message, None) for message in tidings.messages()])

    async def tell_now(self, tidings: Tidings) -> None:
        """Returns when Redis has it, or after a bounded wait: then it goes out later, or is lost and counted."""
        messages = tidings.messages()
        if not messages:
            return
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue([*((message, None) for message in messages[:-1]), (messages[-1], told)])
        await asyncio.wait([told], timeout=self._wait_s)

    def _queue(self, entries: Sequence[tuple[Channelled, asyncio.Future[None] | None]]) -> None:
        self._waiting.extend(entries)
        while len(self._waiting) > self._max_messages:
            _, told = self._waiting.popleft()
            _settle(told)
            LOST.labels("full").inc()
        self._woken.set()

    async def _run(self) -> None:
        while not self._stopping:
            await self._woken.wait()
            self._woken.clear()
            while self._waiting:
                await self._publish_waiting()

    async def _publish_waiting(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), PIPELINE_MESSAGES))]
        WAITING.set(len(self._waiting))
        try:
            await fanout.publish(self._line, [message for message, _ in batch])
        except UnavailableError:
            log.warning("fanout.not_published", messages=len(batch))
            LOST.labels("redis").inc(len(batch))
        except Exception as error:  # the publisher's door: it must outlive whatever one batch brings
            log.exception("fanout.failed", error=type(error).__name__)
            LOST.labels("error").inc(len(batch))
        finally:
            for _, told in batch:
                _settle(told)


def _settle(told: "asyncio.Future[None] | None") -> None:
    if told is not None and not told.done():
        told.set_result(None)
