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
    """The subscription was away: nothing is known of what was said meanwhile.

    Every room holds what comes until everybody's state was read; then all are told to sync, and only after that the
    rooms go on from there. So nobody gets an event past the gap before they know of the gap.
    """
    log.warning("resync.all", connections=len(parts.hub.connections))
    for room in parts.hub.rooms.values():
        room.forget_position()
    places = asyncio.Semaphore(CONCURRENT)
    reached: dict[str, int] = {}

    async def one(user_id: str) -> None:
        async with places:
            for state in await _put_in_place(parts, user_id):
                reached[state.id] = max(state.change_seq, reached.get(state.id, 0))

    async with asyncio.TaskGroup() as group:
        for user_id in list(parts.hub.by_user):
            group.create_task(one(user_id))
    for connection in list(parts.hub.connections.values()):
        connection.send(wire.event("sync:required", {"conversation_ids": None}))
    for conversation_id, change_seq in reached.items():
        found = parts.hub.rooms.get(conversation_id)
        if found is not None and found.change_seq is None:
            found.start(change_seq)


async def _put_in_place(parts: Parts, user_id: str) -> list[ConversationState]:
    """Out of the rooms where they are no member any longer, into those that came meanwhile; how all of them stand."""
    states = await _conversations(parts, user_id)
    by_id = {state.id: state for state in states}
    for connection in list(parts.hub.by_user.get(user_id, ())):
        _leave_others(parts, connection, set(by_id))
        new = by_id.keys() - connection.rooms
        try:
            await heard_in_time([parts.hub.join(conversation_id, connection) for conversation_id in new])
            for conversation_id in new:
                await _announce(parts, connection, by_id[conversation_id])
        except UnavailableError:
            continue  # told to sync all the same; if the feed broke again, all this is run anew
    return states


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
