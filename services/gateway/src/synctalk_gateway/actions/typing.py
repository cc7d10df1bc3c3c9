"""Typing: from gateway to gateways over the conversation's channel, never through api; each receiver ends it."""

import time

from synctalk_contracts import topology
from synctalk_contracts.fanout import RoomBatch, RoomEvent
from synctalk_runtime import fanout

from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.parts import Parts

RENEWAL_S = 2.0
"""A renewal sooner than this after the last says nothing new and is not published."""


async def start(parts: Parts, connection: Connection, conversation_id: str) -> None:
    now = time.monotonic()
    if now - connection.typing.get(conversation_id, float("-inf")) < RENEWAL_S:
        return
    connection.typing[conversation_id] = now
    await _publish(parts, connection, conversation_id, active=True)


async def stop(parts: Parts, connection: Connection, conversation_id: str) -> None:
    if connection.typing.pop(conversation_id, None) is not None:
        await _publish(parts, connection, conversation_id, active=False)


async def _publish(parts: Parts, connection: Connection, conversation_id: str, *, active: bool) -> None:
    payload = {"conversation_id": conversation_id, "user_id": connection.user_id, "active": active}
    event = RoomEvent(event="typing", origin=connection.id, user_id=connection.user_id, payload=payload)
    batch = RoomBatch(conversation_id=conversation_id, events=[event])
    await fanout.publish(parts.line, [(topology.conversation_channel(conversation_id), batch.to_bytes())])
