"""Comparing rooms with api: whatever was lost on the way, the last event before a silence too, is noticed in seconds.

A room that is behind may only be waiting for what is on its way. If nothing has come after a grace it is resynced.
"""

import asyncio
import time

import structlog
from prometheus_client import Counter
from pydantic import ValidationError
from synctalk_contracts.internal import ConversationState
from synctalk_runtime.background import Tasks
from synctalk_runtime.errors import AppError

from synctalk_gateway.actions.resync import RoomResync
from synctalk_gateway.actions.rooms import RoomMembership
from synctalk_gateway.clients.api import Api
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.registry import Registry
from synctalk_gateway.hub.room import Room
from synctalk_gateway.settings import Settings

log = structlog.get_logger()

RESYNCED = Counter(
    "gateway_heads_resynced_total", "Rooms resynced because they were behind api with nothing on its way."
)

PORTION = 1_000
"""Conversations in one question."""
JOINED_AT_ONCE = 100
NEWEST = 100
"""Most recently active conversations that are looked at for a user whose others were not joined."""


class HeadComparison:
    """Compares the `change_seq` of each room with api's."""

    def __init__(
        self, settings: Settings, registry: Registry, api: Api, resync: RoomResync, rooms: RoomMembership, tasks: Tasks
    ) -> None:
        self._interval_s = settings.heads_interval_s
        self._grace_s = settings.heads_grace_s
        self._ready_conversations = settings.ready_conversations
        self._registry = registry
        self._api = api
        self._resync = resync
        self._rooms = rooms
        self._tasks = tasks

    async def compare(self) -> bool:
        """Compare all rooms once, spread over the interval; what api does not answer is left to the next round.

        Returns True: the next round is due at once.
        """
        begun, interval_s = time.monotonic(), self._interval_s
        conversation_ids = list(self._registry.rooms)
        portions = [conversation_ids[start : start + PORTION] for start in range(0, len(conversation_ids), PORTION)]
        for portion in portions:
            try:
                await self._compare_portion(portion)
            except (AppError, ValidationError) as error:
                log.warning("heads.not_read", error=type(error).__name__)
            await asyncio.sleep(interval_s / (len(portions) + 1))
        await self._join_awakened()
        await asyncio.sleep(max(0.0, begun + interval_s - time.monotonic()))
        return True

    async def _compare_portion(self, conversation_ids: list[str]) -> None:
        for conversation_id, head in (await self._api.heads(conversation_ids)).items():
            room = self._registry.rooms.get(conversation_id)
            if room is not None and room.sequencer.is_behind(head) and not room.check_running:
                room.check_running = True
                self._tasks.spawn("heads", self._check(room))

    async def _check(self, room: Room) -> None:
        """Resync the room if it has not moved at all after the grace; one that moves shows its gaps by itself."""
        seen = room.sequencer.change_seq
        try:
            await asyncio.sleep(self._grace_s)
        finally:
            room.check_running = False
        reached = room.sequencer.change_seq
        if reached is not None and reached == seen and room.connections:
            RESYNCED.inc()
            await self._resync.resync(room)

    async def _join_awakened(self) -> None:
        """Join what has become active of those conversations that were too many to be joined at connect."""
        users = {connection.user_id for connection in self._registry.connections.values() if connection.partial}
        for user_id in users:
            try:
                newest = await self._newest(user_id)
                for connection in list(self._registry.by_user.get(user_id, ())):
                    if connection.ready and connection.partial:
                        await self._join_new(connection, newest)
            except (AppError, ValidationError) as error:
                log.warning("heads.newest_not_read", error=type(error).__name__)

    async def _join_new(self, connection: Connection, newest: list[ConversationState]) -> None:
        """Join a few at a time: what happened last in each is read."""
        new = [state for state in newest if state.id not in connection.rooms]
        for start in range(0, len(new), JOINED_AT_ONCE):
            portion = new[start : start + JOINED_AT_ONCE]
            await self._rooms.join(connection, {state.id: max(0, state.change_seq - 1) for state in portion})

    async def _newest(self, user_id: str) -> list[ConversationState]:
        """Return the most recently active conversations, enough of them to contain one that is joined already."""
        limit, most = NEWEST, self._ready_conversations
        joined = [connection.rooms for connection in self._registry.by_user.get(user_id, ()) if connection.ready]
        while True:
            newest = (await self._api.conversations(user_id, min(limit, most))).items
            if limit >= most or not newest or all(newest[-1].id in rooms for rooms in joined):
                return newest
            limit *= 10
