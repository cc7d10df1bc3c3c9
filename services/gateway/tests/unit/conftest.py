"""The registry and the actions without Redis and sockets: what is written to each is kept, api answers by the test."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
import pytest_asyncio
from synctalk_contracts.internal import ConversationState, ConversationStates, PresenceSnapshot, RoomState, TypingState
from synctalk_contracts.models import Presence, PresenceStatus
from synctalk_gateway.actions.connect import Connections
from synctalk_gateway.actions.heads import HeadComparison
from synctalk_gateway.actions.later_joins import LaterJoins
from synctalk_gateway.actions.missed_memberships import MissedMemberships
from synctalk_gateway.actions.new_conversations import NewConversations
from synctalk_gateway.actions.own_views import OwnViews
from synctalk_gateway.actions.presence import PresenceSubscriptions
from synctalk_gateway.actions.resync import Resync, RoomResync
from synctalk_gateway.actions.rooms import RoomMembership
from synctalk_gateway.actions.sessions import TokenExpiry
from synctalk_gateway.actions.typing import Typing
from synctalk_gateway.clients.api import Api
from synctalk_gateway.clients.reads import StateReads
from synctalk_gateway.errors import FloodingUserError
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.feed import Feed, Receive
from synctalk_gateway.hub.registry import Registry
from synctalk_gateway.hub.room import Room, RoomSettings
from synctalk_gateway.hub.watchers import Watchers
from synctalk_gateway.limits import RateLimits
from synctalk_gateway.protocol.engine_socket import EngineSocket
from synctalk_gateway.protocol.wire import Encoded
from synctalk_gateway.settings import Settings
from synctalk_runtime.background import Tasks
from synctalk_runtime.errors import AppError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.limits import Limit

GAP_S = 0.02

MakeSettings = Callable[..., Settings]


class RecordingSocket:
    """In place of an Engine.IO socket: keeps (event, payload) of what is written, and the acks."""

    def __init__(self) -> None:
        self.written: list[tuple[str, Any]] = []
        self.acks: list[Any] = []
        self.ended = False
        self.write_frame = None
        self.user: Any = None
        self.address = "192.0.2.1"
        self.floods = False

    def write(self, packet: Encoded) -> None:
        if packet.packet[:1] == b"2":
            name, payload = orjson.loads(packet.packet[1:])
            self.written.append((name, payload))
        elif packet.packet[:1] == b"3":
            self.acks.append(orjson.loads(packet.packet[packet.packet.index(b"[") :])[0])

    def identify(self, _: str) -> None:
        if self.floods:
            raise FloodingUserError

    def authenticated(self, user: Any) -> None:
        self.user = user

    def end(self, *_: Any) -> None:
        self.ended = True

    def of(self, event: str) -> list[Any]:
        return [payload for name, payload in self.written if name == event]


class StillFeed(Feed):
    """The subscription without Redis: confirms at once; the test says what comes."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.redis_url, "heartbeat", self._beat, lambda: None)
        self.channels: set[str] = set()
        self.live = True

    async def _beat(self) -> int:
        return 1

    def subscribe(self, channel: str, receive: Receive) -> "asyncio.Future[None]":
        self.channels.add(channel)
        confirmed = super().subscribe(channel, receive)
        if not confirmed.done():
            confirmed.set_result(None)
        return confirmed

    def unsubscribe(self, channel: str) -> None:
        self.channels.discard(channel)
        super().unsubscribe(channel)


@dataclass
class KnowingApi:
    """In place of api: knows members and positions, and fails with `error` when there is one, for whom it concerns."""

    members: dict[str, set[str]] = field(default_factory=dict)
    change_seqs: dict[str, int] = field(default_factory=dict)
    error: Exception | None = None
    fails_for: str | None = None
    """None: for everybody."""
    asked: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    """Newest activity first; what is not in it follows."""
    changed: set[str] = field(default_factory=set)
    """What has changed since the state that a socket has."""
    members_counts: dict[str, int] = field(default_factory=dict)
    refusals: dict[str, datetime] = field(default_factory=dict)
    """Until when a user may not type."""

    async def _answer(self, question: str, user_id: str | None = None) -> None:
        self.asked.append(question)
        await asyncio.sleep(0)
        if self.error is not None and self.fails_for in (None, user_id):
            raise self.error

    async def conversations(self, user_id: str, limit: int) -> ConversationStates:
        await self._answer("conversations", user_id)
        theirs = [c for c, members in self.members.items() if user_id in members]
        theirs.sort(key=lambda c: self.order.index(c) if c in self.order else len(self.order))
        states = [ConversationState.model_construct(id=c, last_seq=0, change_seq=self.change_seqs[c]) for c in theirs]
        return ConversationStates.model_construct(items=states[:limit], more=len(states) > limit, as_of=utc_now())

    async def conversation_ids(self, user_id: str, before: str | None, limit: int) -> list[str]:
        await self._answer("conversation_ids", user_id)
        theirs = sorted((c for c, members in self.members.items() if user_id in members), reverse=True)
        return [c for c in theirs if before is None or c < before][:limit]

    async def states(self, user_id: str, ids: list[str], since: datetime | None = None) -> ConversationStates:
        await self._answer("states", user_id)
        states = [
            ConversationState.model_construct(
                id=c, last_seq=0, change_seq=self.change_seqs[c], changed=since is not None and c in self.changed
            )
            for c in ids
            if user_id in self.members.get(c, ())
        ]
        return ConversationStates.model_construct(items=states)

    async def room(self, conversation_id: str, user_ids: list[str]) -> RoomState:
        await self._answer("room")
        members = [user_id for user_id in user_ids if user_id in self.members[conversation_id]]
        return RoomState.model_construct(change_seq=self.change_seqs[conversation_id], member_ids=members)

    async def heads(self, conversation_ids: list[str]) -> dict[str, int]:
        await self._answer("heads")
        return {c: self.change_seqs[c] for c in conversation_ids if c in self.change_seqs}

    async def is_member(self, user_id: str, conversation_id: str) -> bool:
        return conversation_id in await self.positions(user_id, [conversation_id])

    async def positions(self, user_id: str, conversation_ids: list[str]) -> dict[str, int]:
        await self._answer("positions", user_id)
        return {c: self.change_seqs[c] for c in conversation_ids if user_id in self.members.get(c, ())}

    async def typing(self, user_id: str, conversation_id: str) -> TypingState:
        await self._answer("typing")
        count = self.members_counts.get(conversation_id, len(self.members[conversation_id]))
        refusal = self.refusals.get(user_id)
        return TypingState(members_count=count, refusal=refusal and {"code": "forbidden"}, until=refusal)

    async def sync(self, user_id: str, cursors: dict[str, int]) -> dict[str, Any]:
        await self._answer("sync", user_id)
        return {"conversations": {c: self._state(user_id, c) for c in cursors}}

    sync_reachable = sync

    def _state(self, user_id: str, conversation_id: str) -> dict[str, Any]:
        if user_id not in self.members.get(conversation_id, ()):
            return {"removed": True}
        conversation = {"id": conversation_id, "title": None, "change_seq": self.change_seqs[conversation_id]}
        return {
            "messages": [],
            "members": [],
            "conversation": conversation,
            "change_seq": self.change_seqs[conversation_id],
            "more": False,
        }


class RecordingRedis:
    """In place of the Redis connection: what is published comes back, as from a subscription."""

    PUBLISH = "PUBLISH"

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self.published: list[tuple[str, Any]] = []
        self.error: Exception | None = None

    async def call_all(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        if self.error is not None:
            raise self.error
        for _, channel, data in commands:
            self.published.append((channel, orjson.loads(data)))
            self._feed.receive(channel, data)
        return [1] * len(commands)


class OpenBuckets:
    """In place of the limits in Redis: counts what is asked, refuses when a test says so."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []
        self.refusal: AppError | None = None

    async def take(self, limit: Any, subject: str) -> None:
        self.taken.append((limit.name, subject))
        if self.refusal is not None:
            raise self.refusal


class RecordedDeliveries:
    """In place of the marks in Redis: keeps them."""

    def __init__(self) -> None:
        self.added: list[tuple[str, str, int]] = []

    def add(self, session_id: str, conversation_id: str, seq: int) -> None:
        self.added.append((session_id, conversation_id, seq))


class RecordedLeases:
    """In place of presence: keeps who is connected."""

    def __init__(self) -> None:
        self.open: set[str] = set()

    async def opened(self, connection: Connection) -> None:
        self.open.add(connection.id)

    def closed(self, connection: Connection) -> None:
        self.open.discard(connection.id)


class KnowingPresence:
    """In place of presence: knows who is unrelated to whom, everybody else is online."""

    def __init__(self) -> None:
        self.unrelated: set[str] = set()
        self.direct: set[str] = set()
        self.asked: list[tuple[str, list[str]]] = []
        self.error: AppError | None = None

    async def snapshot(self, asker_id: str, user_ids: list[str]) -> PresenceSnapshot:
        self.asked.append((asker_id, user_ids))
        if self.error is not None:
            raise self.error
        items = [
            Presence.model_construct(
                user_id=user_id,
                status=PresenceStatus.OFFLINE if user_id in self.unrelated else PresenceStatus.ONLINE,
                custom_status=None,
                last_seen_at=None,
            )
            for user_id in user_ids
        ]
        return PresenceSnapshot.model_construct(
            items=items,
            strangers=[u for u in user_ids if u in self.unrelated],
            direct=[u for u in user_ids if u in self.direct],
        )


class World:
    """The gateway's registry and actions, with users in rooms."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.api = KnowingApi()
        self.buckets = OpenBuckets()
        self.deliveries = RecordedDeliveries()
        self.leases = RecordedLeases()
        self.tasks = Tasks()
        self.feed = StillFeed(settings)
        self.redis = RecordingRedis(self.feed)
        self.limits = RateLimits(settings, cast(Any, self.buckets))
        api, reads = cast(Api, self.api), StateReads(settings.resync_timeout_s)
        self.watchers = Watchers(self.feed)
        self.presence = KnowingPresence()
        self.subscriptions = PresenceSubscriptions(
            self.watchers, cast(Any, self.presence), self.tasks, settings.max_presence_subscriptions
        )
        room_resync = RoomResync(api, reads, self.subscriptions, OwnViews(api, reads, self.tasks), self.tasks)
        typing_limit = Limit("typing", settings.typing_rate_per_s, settings.typing_rate_per_s)
        room_settings = RoomSettings(settings.gap_wait_s, settings.typing_ttl_s, typing_limit)
        self.registry = Registry(self.feed, room_settings, room_resync)
        self.resync = Resync(self.registry, api, reads, room_resync, settings.ready_conversations)
        self.rooms = RoomMembership(self.registry, api, self.limits)
        self.typing = Typing(self.registry, api, cast(Any, self.redis), self.tasks, settings.max_typing_members)
        self.new_conversations = NewConversations(self.registry, api, self.subscriptions, self.tasks)
        self.missed = MissedMemberships(self.registry, api, self.new_conversations, self.tasks)
        self.heads = HeadComparison(settings, self.registry, api, room_resync, self.rooms, self.tasks)
        self.later_joins = LaterJoins(self.registry, api, self.rooms, self.tasks, settings.joined_conversations_max)
        self._numbers = count(1)

    def connections(self, tokens: Any) -> Connections:
        """The action that lets sockets in, by whatever `tokens` trusts."""
        return Connections(
            self.settings,
            tokens=tokens,
            limits=self.limits,
            registry=self.registry,
            watchers=self.watchers,
            api=cast(Api, self.api),
            leases=cast(Any, self.leases),
            expiry=TokenExpiry(tokens, self.settings.expiry_warning_s),
            new_conversations=self.new_conversations,
            later_joins=self.later_joins,
            typing=self.typing,
        )

    def connect(self, user_id: str, *conversation_ids: str, ready: bool = True) -> Connection:
        """A socket of that user, in these rooms."""
        number = next(self._numbers)
        socket = cast(EngineSocket, RecordingSocket())
        connection = Connection(f"{user_id}-{number}", user_id, f"s{number}", time.time() + 900, socket)
        connection.ready = ready
        self.registry.add(connection, partial(self.new_conversations.receive, user_id))
        for conversation_id in conversation_ids:
            self.registry.join(conversation_id, connection)
            self.api.members.setdefault(conversation_id, set()).add(user_id)
            self.api.change_seqs.setdefault(conversation_id, 0)
            self.room(conversation_id).sequencer.start(self.api.change_seqs[conversation_id])
        return connection

    def room(self, conversation_id: str) -> Room:
        return self.registry.rooms[conversation_id]

    def receive(self, channel: str, data: bytes) -> None:
        self.feed.receive(channel, data)

    def publish(self, conversation_id: str, *events: dict[str, Any]) -> None:
        """As api does, after a commit."""
        for event in events:
            number = event.get("change_seq")
            self.api.change_seqs[conversation_id] = max(number or 0, self.api.change_seqs[conversation_id])
        batch = {"conversation_id": conversation_id, "events": list(events)}
        self.receive(f"conversation:{conversation_id}", orjson.dumps(batch))

    @staticmethod
    def socket(connection: Connection) -> RecordingSocket:
        return cast(RecordingSocket, connection.socket)

    def written(self, connection: Connection) -> list[tuple[str, Any]]:
        return self.socket(connection).written

    def numbers(self, connection: Connection) -> list[int]:
        """The `change_seq` of the messages that a socket got."""
        return [payload["change_seq"] for payload in self.socket(connection).of("message:new")]


@pytest.fixture
def make_settings() -> MakeSettings:
    """Settings that lead nowhere, with short waits; a test names what it is about."""

    def make(**given: Any) -> Settings:
        short: dict[str, Any] = {
            "internal_secret": "a secret of sixteen or more",
            "redis_url": "redis://127.0.0.1:1/0",
            "rabbitmq_url": "amqp://127.0.0.1:1/",
            "gap_wait_s": GAP_S,
            "resync_timeout_s": 0.3,
            "heads_interval_s": 0.05,
            "heads_grace_s": 0.05,
        }
        return Settings(**(short | given))

    return make


@pytest_asyncio.fixture(loop_scope="function")
async def make_world(make_settings: MakeSettings) -> AsyncIterator[Callable[..., World]]:
    made: list[World] = []

    def make(**settings: Any) -> World:
        made.append(World(make_settings(**settings)))
        return made[-1]

    yield make
    for world in made:
        await world.tasks.stop()
        world.registry.close()
        for room in world.registry.rooms.values():
            room.close()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


@pytest.fixture
def message() -> Callable[..., dict[str, Any]]:
    """Makes a `message:new` as api publishes it."""

    def make(number: int, sender: str = "carol", origin: str | None = None) -> dict[str, Any]:
        payload = {"seq": number, "change_seq": number, "sender_id": sender}
        return {
            "event": "message:new",
            "change_seq": number,
            "origin": origin,
            "user_id": sender,
            "payload": payload,
            "views": None,
        }

    return make


class Clock:
    """The loop's time, which stands still until the test lets it go on."""

    def __init__(self, now: float) -> None:
        self.now = now

    async def advance(self, seconds: float) -> None:
        """Let time pass, and everything run that is due by then."""
        self.now += seconds
        await self.settle()

    @staticmethod
    async def settle() -> None:
        for _ in range(20):
            await asyncio.sleep(0)


@pytest_asyncio.fixture(loop_scope="function")
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    loop = asyncio.get_running_loop()
    made = Clock(loop.time())
    monkeypatch.setattr(loop, "time", lambda: made.now)
    return made


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test of this folder a loop of its own: `clock` moves the time of everything on it."""
    for item in items:
        if item.path.parent == Path(__file__).parent and item.get_closest_marker("asyncio") is not None:
            item.add_marker(pytest.mark.asyncio(loop_scope="function"), append=False)
