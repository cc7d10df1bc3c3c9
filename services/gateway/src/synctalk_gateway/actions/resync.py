"""Delivery was broken: read where things stand, put sockets where they belong, tell them to sync."""

import asyncio

import structlog
from synctalk_contracts.internal import ConversationState
from synctalk_runtime.errors import UnavailableError

from synctalk_gateway.actions.connect import heard_in_time
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.rooms import Room
from synctalk_gateway.parts import Parts
from synctalk_gateway.protocol import wire

log = structlog.get_logger()

CONCURRENT = 16
RETRY_S = 0.5


async def resync_room(parts: Parts, room: Room) -> None:
    """An event of this room did not come. Its sockets sync, and who is no member any longer leaves."""
    room.send(wire.event("sync:required", {"conversation_ids": [room.id]}))
    room.skip_gap()
    for user_id in {connection.user_id for connection in room.connections}:
        await _leave_what_was_left(parts, user_id)


async def _leave_what_was_left(parts: Parts, user_id: str) -> None:
    states = await _conversations(parts, user_id)
    for connection in list(parts.hub.by_user.get(user_id, ())):
        _leave_others(parts, connection, {state.id for state in states})


async def resync_all(parts: Parts) -> None:
    """The subscription was away: nothing is known of what was said meanwhile."""
    log.warning("resync.all", connections=len(parts.hub.connections))
    for room in parts.hub.rooms.values():
        room.forget_position()
    places = asyncio.Semaphore(CONCURRENT)

    async def one(user_id: str) -> None:
        async with places:
            await _resync_user(parts, user_id)

    async with asyncio.TaskGroup() as group:
        for user_id in list(parts.hub.by_user):
            group.create_task(one(user_id))


async def _resync_user(parts: Parts, user_id: str) -> None:
    states = await _conversations(parts, user_id)
    by_id = {state.id: state for state in states}
    for connection in list(parts.hub.by_user.get(user_id, ())):
        _leave_others(parts, connection, set(by_id))
        new = by_id.keys() - connection.rooms
        try:
            await heard_in_time([parts.hub.join(conversation_id, connection) for conversation_id in new])
        except UnavailableError:
            continue  # the feed broke again: this is run anew
        for conversation_id in new:
            await _announce(parts, connection, by_id[conversation_id])
        for room in parts.hub.rooms_of(connection):
            if room.change_seq is None and room.id in by_id:
                room.start(by_id[room.id].change_seq)
        connection.send(wire.event("sync:required", {"conversation_ids": None}))


async def _announce(parts: Parts, connection: Connection, state: ConversationState) -> None:
    """A conversation that came while nothing was heard."""
    answer = await parts.api.sync(connection.user_id, {state.id: state.change_seq})
    conversation = answer["conversations"][state.id].get("conversation")
    if conversation is not None:
        connection.send(wire.event("conversation:new", conversation))


def _leave_others(parts: Parts, connection: Connection, conversation_ids: set[str]) -> None:
    for room in parts.hub.rooms_of(connection):
        if room.id not in conversation_ids:
            connection.send(wire.event("conversation:removed", {"id": room.id}))
            parts.hub.leave(room, connection)


async def _conversations(parts: Parts, user_id: str) -> list[ConversationState]:
    """Asked until api answers: meanwhile the rooms concerned hold what comes."""
    while True:
        try:
            return (await parts.api.conversations(user_id)).items
        except UnavailableError:
            await asyncio.sleep(RETRY_S)
