"""Delivery was broken: pause, read the state, put sockets where they belong, ask them to sync, resume.

Nothing is delivered to a paused room, so nobody gets what was written after they were removed. Whatever cannot be read
in `resync_timeout_s` ends in closed sockets, which come back and sync, never in silent ones.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import structlog
from picows import WSCloseCode
from prometheus_client import Counter
from synctalk_contracts.internal import ConversationState, ConversationStates
from synctalk_runtime.background import Tasks
from synctalk_runtime.errors import UnavailableError

from synctalk_gateway.actions.own_views import OwnViews
from synctalk_gateway.actions.presence import PresenceSubscriptions
from synctalk_gateway.actions.subscribing import all_subscribed
from synctalk_gateway.clients.api import Api
from synctalk_gateway.clients.reads import StateReads
from synctalk_gateway.hub import packets
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.registry import Registry
from synctalk_gateway.hub.room import Room

log = structlog.get_logger()

PORTION = 1_000
"""Conversations in one question."""

CLOSED = Counter("gateway_resync_closed_total", "Sockets closed because their state could not be read.")


@dataclass(frozen=True, slots=True)
class RoomResync:
    """Helps single rooms: it is what they call when an event is missing or a member is gone."""

    api: Api
    reads: StateReads
    presence: PresenceSubscriptions
    views: OwnViews
    tasks: Tasks

    def on_gap(self, room: Room) -> None:
        self.tasks.spawn("resync", self.resync(room))

    def on_member_removed(self, room: Room, user_id: str, removed: list[Connection]) -> None:
        """Refresh what they may see of each other's presence: they may share no conversation any longer."""
        for connection in [*removed, *room.connections]:
            if user_id in connection.watching or (connection.user_id == user_id and connection.watching):
                self.presence.refresh_soon(connection)

    def on_views_missing(self, room: Room) -> None:
        self.views.read_soon(room)

    async def resync(self, room: Room) -> None:
        """Read who is still a member, evict the others, ask the rest to sync, and resume from that state."""
        epoch = room.sequencer.pause()
        asked = list(room.connections)
        user_ids = sorted({connection.user_id for connection in asked})
        try:
            state = await self.reads.read(lambda: self.api.room(room.id, user_ids))
        except Exception as error:
            log.warning("resync.room_failed", conversation_id=room.id, error=type(error).__name__)
            close_all(room.connections)
            return
        members = set(state.member_ids)
        for connection in asked:
            if connection.user_id not in members and not room.has_read_beyond(connection, state.change_seq):
                room.evict(connection)
        if room.connections and epoch == room.sequencer.epoch:
            room.send(packets.sync_required([room.id]))
            room.sequencer.resume(state.change_seq, epoch)


class Resync:
    """Resyncs everything, after the subscription was away: nothing is known of what was published meanwhile."""

    def __init__(
        self, registry: Registry, api: Api, reads: StateReads, rooms: RoomResync, ready_conversations: int
    ) -> None:
        self._registry = registry
        self._api = api
        self._reads = reads
        self._rooms = rooms
        self._ready_conversations = ready_conversations

    async def resync_all(self) -> None:
        """Pause every room until every user's state was read; then ask all to sync, and only after that resume.

        A user whose state cannot be read is disconnected, and everybody if all of it fails.
        """
        log.warning("resync.all", connections=len(self._registry.connections))
        try:
            await self._resync_all()
        except Exception as error:
            log.exception("resync.all_failed", error=type(error).__name__)
            close_all(self._registry.connections.values())

    async def _resync_all(self) -> None:
        registry = self._registry
        epochs = {room: room.sequencer.pause() for room in registry.rooms.values()}
        close_all(connection for connection in registry.connections.values() if not connection.ready)
        reached: dict[str, int] = {}
        unsure: set[str] = set()

        async def one(user_id: str) -> None:
            for state in await self.put_in_place(user_id, unsure):
                # The earliest of the states read: a later one may contain the removal of one who was still in then.
                reached[state.id] = min(state.change_seq, reached.get(state.id, state.change_seq))

        async with asyncio.TaskGroup() as group:
            for user_id in list(registry.by_user):
                group.create_task(one(user_id))
        for connection in list(registry.connections.values()):
            connection.send(packets.sync_required(None))
        for room in list(registry.rooms.values()):
            if room.id in reached and room.id not in unsure:
                _resume(room, reached[room.id], epochs.get(room))
            elif epochs.get(room) == room.sequencer.epoch:
                self._rooms.on_gap(room)

    async def put_in_place(self, user_id: str, unsure: set[str]) -> list[ConversationState]:
        """Move one user's sockets out of the rooms they left and into new ones; return the states of these.

        Rooms that were joined meanwhile, in which the user may or may not be any longer, are added to `unsure`.
        """
        by_user = self._registry.by_user
        try:
            states, asked = await self._states_of(user_id)
            for connection in list(by_user.get(user_id, ())):
                await self._put_connection_in_place(connection, states, asked, unsure)
        except Exception as error:
            log.warning("resync.user_failed", user_id=user_id, error=type(error).__name__)
            close_all(by_user.get(user_id, ()))
            return []
        return states.items

    async def _states_of(self, user_id: str) -> tuple[ConversationStates, set[str]]:
        """Return the user's most recently active conversations and the others whose rooms they are in; and these."""
        rooms = {id_ for connection in self._registry.by_user.get(user_id, ()) for id_ in connection.rooms}
        states = await self._reads.read(lambda: self._api.conversations(user_id, self._ready_conversations))
        others = sorted(rooms - {state.id for state in states.items}) if states.more else []
        for start in range(0, len(others), PORTION):
            portion = others[start : start + PORTION]
            read = await self._reads.read(partial(self._api.states, user_id, portion))
            states.items.extend(read.items)
        return states, rooms

    async def _put_connection_in_place(
        self, connection: Connection, states: ConversationStates, asked: set[str], unsure: set[str]
    ) -> None:
        by_id = {state.id: state for state in states.items}
        for room in self._registry.rooms_of(connection):
            if room.id in by_id:
                continue
            if room.id in asked:
                room.evict(connection)
            else:
                unsure.add(room.id)  # joined while the state was read
        new = by_id.keys() - connection.rooms - asked
        if states.more and not connection.joining and len(new) >= self._ready_conversations:
            connection.partial = True  # there may be others that came meanwhile
        try:
            await all_subscribed([self._registry.join(conversation_id, connection) for conversation_id in new])
            for conversation_id in new:
                await self._send_new(connection, by_id[conversation_id])
        except UnavailableError:
            return  # asked to sync all the same; if the feed broke again, all this runs anew

    async def _send_new(self, connection: Connection, state: ConversationState) -> None:
        """Send `conversation:new` for a conversation that came while nothing was received."""
        synced = await self._api.sync(connection.user_id, {state.id: state.change_seq})
        conversation = synced["conversations"][state.id].get("conversation")
        if conversation is not None:
            connection.send(packets.conversation_new(conversation))


def _resume(room: Room, change_seq: int, epoch: int | None) -> None:
    if epoch is None:
        room.sequencer.start(change_seq)  # opened meanwhile
    else:
        room.sequencer.resume(change_seq, epoch)


def close_all(connections: Iterable[Connection]) -> None:
    """Close the transports, so that the clients come back and sync."""
    for connection in list(connections):
        CLOSED.inc()
        connection.close(WSCloseCode.TRY_AGAIN_LATER, "delivery is broken; connect again")
