"""Publish on Redis after a commit: events to rooms, conversations to users, replies to gateways.

One task publishes what has queued up, a pipeline at a time, and repeats a pipeline until Redis has taken it. Repeats
are harmless: room events are numbered, watermarks only rise, a gateway drops a reply that nobody waits for and a
conversation that its user is in already. Replies and room events go before events to single users, of which a large
group has a thousand. The queues are bounded by number and bytes; beyond that the oldest message is dropped and counted.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, TypeAlias

import structlog
from prometheus_client import Counter, Gauge
from synctalk_contracts import topology
from synctalk_contracts.encoding import fanout as encoding
from synctalk_contracts.fanout import RIGHTS_CHANGED, ContactsEvent, MemberReplaced, ProfileEvent, UserEvent
from synctalk_contracts.models import Conversation, User
from synctalk_contracts.sockets import ToClient
from synctalk_runtime import fanout
from synctalk_runtime.background import Backoff, Loop
from synctalk_runtime.redis_pipeline import RedisPipeline

log = structlog.get_logger()

LOST = Counter("api_fanout_lost_total", "Channel messages dropped because the queue for Redis was full.")
RETRIED = Counter("api_fanout_retried_total", "Channel messages published again because Redis did not answer.")
WAITING = Gauge("api_fanout_waiting", "Channel messages that wait for Redis.")

PIPELINE_MESSAGES = 500
PIPELINE_BYTES = 1024 * 1024
"""Of replies and room events, and as much again for single users: a pipeline must get through in a second."""
PIPELINE_USERS = 50
FIRST_PAUSE_S, MAX_PAUSE_S = 0.05, 1.0
STOP_TIMEOUT_S = 5.0

Channelled = tuple[str, bytes]
_Entry: TypeAlias = "tuple[Channelled, asyncio.Future[None] | None]"


class Broadcast:
    """Everything to be published for one commit, gathered while it is prepared."""

    def __init__(self) -> None:
        self._rooms: dict[str, list[encoding.RoomEventJson]] = {}
        self._users: list[Channelled] = []
        self._replies: dict[str, list[encoding.ReplyJson]] = {}

    def to_room(
        self,
        conversation_id: str,
        event: type[ToClient],
        user_id: str,
        payload: Any,
        *,
        change_seq: int | None = None,
        after: int | None = None,
        origin: str | None = None,
        views: dict[str, Any] | None = None,
        hidden_from: Sequence[str] | None = None,
    ) -> None:
        """Add a `RoomEvent` by which sockets get `event`; `payload` may be an `orjson.Fragment`."""
        room_event = encoding.room_event(
            event.EVENT,
            user_id,
            payload,
            change_seq=change_seq,
            after=after,
            origin=origin,
            views=views,
            hidden_from=hidden_from,
        )
        self._rooms.setdefault(conversation_id, []).append(room_event)

    def replaced(self, conversation_id: str, replaced: MemberReplaced, change_seq: int) -> None:
        """Add that a user is in the place of another one, on members and on messages."""
        payload = replaced.model_dump(mode="json")
        room_event = encoding.room_event("member:replaced", replaced.user_id, payload, change_seq=change_seq)
        self._rooms.setdefault(conversation_id, []).append(room_event)

    def to_user(self, user_id: str, conversation: Conversation) -> None:
        """Add a `UserEvent`: the user is in this conversation from now on."""
        self._users.append((topology.user_channel(user_id), UserEvent(conversation=conversation).to_bytes()))

    def rights_changed(self, conversation_id: str, user_id: str) -> None:
        """Let gateways ask anew who may type there; clients get nothing of it."""
        event = encoding.room_event(RIGHTS_CHANGED, user_id, {})
        self._rooms.setdefault(conversation_id, []).append(event)

    def contacts_changed(self, user_id: str) -> None:
        """Let gateways ask anew whose presence the user may see."""
        self._users.append((topology.user_channel(user_id), ContactsEvent().to_bytes()))

    def profile(self, user: User, conversation_ids: Sequence[str]) -> None:
        """Add a `ProfileEvent` with the user's name and picture for their own channel and for these conversations."""
        event = ProfileEvent(user=user).to_bytes()
        self._users.append((topology.user_channel(user.id), event))
        self._users += [(topology.conversation_channel(each), event) for each in conversation_ids]

    def reply(self, gateway: str, reply: encoding.ReplyJson) -> None:
        self._replies.setdefault(gateway, []).append(reply)

    def extend(self, other: "Broadcast") -> None:
        """Append everything of a later commit."""
        for conversation_id, events in other._rooms.items():
            self._rooms.setdefault(conversation_id, []).extend(events)
        self._users += other._users
        for gateway, replies in other._replies.items():
            self._replies.setdefault(gateway, []).extend(replies)

    def replies_and_rooms(self) -> list[Channelled]:
        """Encode the replies and, after them, the room events: an ack waits for nothing but the commit."""
        replies = [
            (topology.replies_channel(gateway), encoding.reply_batch(replies))
            for gateway, replies in self._replies.items()
        ]
        rooms = [
            (
                topology.conversation_channel(conversation_id),
                encoding.room_batch(conversation_id, events),
            )
            for conversation_id, events in self._rooms.items()
        ]
        return replies + rooms

    def to_users(self) -> list[Channelled]:
        return self._users


class _Queue:
    """Messages that wait for Redis, oldest first; beyond the bounds the oldest are dropped."""

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._waiting: deque[_Entry] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, messages: Sequence[Channelled], published: "asyncio.Future[None] | None" = None) -> None:
        """Append the messages; `published` is settled with the last of them, whether it went out or was dropped."""
        for n, message in enumerate(messages, 1):
            self._waiting.append((message, published if n == len(messages) else None))
            self._bytes += len(message[1])
        WAITING.inc(len(messages))
        while len(self._waiting) > self._max_messages or self._bytes > self._max_bytes:
            _publish_and_settle([self._pop()])
            WAITING.dec()
            LOST.inc()

    def take(self, most: int) -> list[_Entry]:
        """Remove and return the oldest, `most` at most: as many as have PIPELINE_BYTES together, and one at least."""
        taken: list[_Entry] = []
        size = 0
        while self._waiting and len(taken) < most and (not taken or size + self._next_bytes() <= PIPELINE_BYTES):
            size += self._next_bytes()
            taken.append(self._pop())
        WAITING.dec(len(taken))
        return taken

    def _next_bytes(self) -> int:
        return len(self._waiting[0][0][1])

    def _pop(self) -> _Entry:
        entry = self._waiting.popleft()
        self._bytes -= len(entry[0][1])
        return entry


class Fanout:
    """The publisher of this process: a lane for each server of Redis, so that one that is away delays no other."""

    def __init__(self, redis: RedisPipeline, max_messages: int, max_bytes: int, wait_s: float) -> None:
        self._redis = redis
        self._bounds = (max_messages, max_bytes)
        self._wait_s = wait_s
        self._lanes: dict[str, _Lane] = {}
        self._started = False

    async def start(self) -> None:
        self._started = True
        for lane in self._lanes.values():
            lane.start()

    async def stop(self) -> None:
        """Publish what still waits, if Redis takes it in time."""
        await asyncio.gather(*(lane.stop() for lane in self._lanes.values()))

    async def check(self) -> None:
        """Raise unless Redis answers; for readiness."""
        await self._redis.call("PING")

    def publish(self, broadcast: Broadcast) -> None:
        """Queue everything to be published soon; never fails."""
        self._queue(broadcast)

    async def publish_and_wait(self, broadcast: Broadcast) -> None:
        """Publish and return when Redis has it, or after a bounded wait: then it goes out later."""
        published: list[asyncio.Future[None]] = []
        self._queue(broadcast, published)
        if published:
            await asyncio.wait(published, timeout=self._wait_s)

    def _queue(self, broadcast: Broadcast, published: "list[asyncio.Future[None]] | None" = None) -> None:
        for users, messages in ((False, broadcast.replies_and_rooms()), (True, broadcast.to_users())):
            by_server: dict[str, list[Channelled]] = {}
            for message in messages:
                by_server.setdefault(self._redis.server_of(message[0]), []).append(message)
            for server, its in by_server.items():
                done = None
                if published is not None:
                    done = asyncio.get_running_loop().create_future()
                    published.append(done)
                lane = self._lane(server)
                (lane.users if users else lane.first).add(its, done)
                lane.wake()

    def _lane(self, server: str) -> "_Lane":
        lane = self._lanes.get(server)
        if lane is None:
            lane = self._lanes[server] = _Lane(self._redis, *self._bounds)
            if self._started:
                lane.start()
        return lane


class _Lane:
    """What is to be published on one server, and the task that does it."""

    def __init__(self, redis: RedisPipeline, max_messages: int, max_bytes: int) -> None:
        self._redis = redis
        self.first = _Queue(max_messages, max_bytes)
        self.users = _Queue(max_messages, max_bytes)
        self._loop = Loop("fanout", self._publish_queued, stop_s=STOP_TIMEOUT_S)

    def start(self) -> None:
        self._loop.begin()

    async def stop(self) -> None:
        await self._loop.stop()

    def wake(self) -> None:
        self._loop.wake()

    async def _publish_queued(self) -> None:
        while batch := self.first.take(PIPELINE_MESSAGES) + self.users.take(PIPELINE_USERS):
            await self._publish_batch([message for message, _ in batch])
            _publish_and_settle(batch)

    async def _publish_batch(self, messages: list[Channelled]) -> None:
        """Publish the messages, trying those again that Redis did not take until it has."""
        backoff = Backoff(FIRST_PAUSE_S, MAX_PAUSE_S)
        while True:
            try:
                await fanout.publish(self._redis, messages)
            except fanout.NotPublishedError as error:
                log.warning("fanout.not_published", messages=len(messages))
                messages = list(error.messages)
            except Exception as error:  # the publisher must outlive whatever Redis answers
                log.exception("fanout.failed", error=type(error).__name__, messages=len(messages))
            else:
                return
            RETRIED.inc(len(messages))
            await asyncio.sleep(backoff.next())


def _publish_and_settle(entries: Sequence[_Entry]) -> None:
    for _, published in entries:
        if published is not None and not published.done():
            published.set_result(None)
