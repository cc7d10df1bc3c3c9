"""One primary of a Redis Cluster was away: what its channels may have missed, and nothing else, is read and synced."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from synctalk_contracts import topology
from synctalk_contracts.topology import ChannelKind
from synctalk_runtime.errors import AppError

from synctalk_gateway.actions.presence import PresenceSubscriptions
from synctalk_gateway.actions.resync import Resync, RoomResync
from synctalk_gateway.hub import packets
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.registry import Registry

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ChannelsResync:
    """Resyncs rooms, users and watched presence by their channels. Replies were refused when they could not come."""

    registry: Registry
    rooms: RoomResync
    everything: Resync
    presence: PresenceSubscriptions

    async def resync(self, channels: Sequence[str]) -> None:
        by_kind: defaultdict[ChannelKind, list[str]] = defaultdict(list)
        for channel in channels:
            kind, subject = topology.parse_channel(channel)
            by_kind[kind].append(subject)
        log.warning("resync.channels", channels=len(channels), rooms=len(by_kind[ChannelKind.CONVERSATION]))
        for conversation_id in by_kind[ChannelKind.CONVERSATION]:
            room = self.registry.rooms.get(conversation_id)
            if room is not None:
                self.rooms.on_gap(room)
        async with asyncio.TaskGroup() as group:
            for user_id in by_kind[ChannelKind.USER]:
                group.create_task(self._resync_user(user_id))
        await self._resync_presence(by_kind[ChannelKind.PRESENCE])

    async def _resync_user(self, user_id: str) -> None:
        """Put the user's sockets into the rooms of conversations that came meanwhile."""
        if user_id not in self.registry.by_user:
            return
        for state in await self.everything.put_in_place(user_id, set()):
            room = self.registry.rooms.get(state.id)
            if room is not None and room.sequencer.change_seq is None:
                room.sequencer.start(state.change_seq)

    async def _resync_presence(self, subjects: Sequence[str]) -> None:
        """Send the watchers of these users how they are now."""
        watched: defaultdict[Connection, list[str]] = defaultdict(list)
        for subject in subjects:
            user_id = subject.rpartition(":")[2]
            for connection in self.presence.watchers.by_user.get(user_id, ()):
                watched[connection].append(user_id)
        for connection, user_ids in watched.items():
            try:
                items = await self.presence.subscribe(connection, user_ids)
            except AppError:
                continue  # they are not watched any more: nothing wrong is shown for longer
            for item in items:
                connection.send(packets.presence_changed(item))
