"""`presence:*`."""

from typing import Any

from synctalk_contracts import sockets as contract

from synctalk_gateway.actions import presence
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.parts import Parts
from synctalk_gateway.protocol import wire


async def subscribe(
    parts: Parts, connection: Connection, payload: contract.PresenceSubscribe, ack_id: int | None
) -> None:
    await parts.buckets.take(parts.limits.signal, connection.user_id)
    connection.hold()
    first: list[wire.Encoded] = []
    try:
        items = await presence.subscribe(parts, connection, payload.user_ids)
        if ack_id is not None:
            first.append(wire.ack(ack_id, {"ok": True, "items": items}))
    finally:
        connection.release({}, first)


async def unsubscribe(
    parts: Parts, connection: Connection, payload: contract.PresenceUnsubscribe, _: int | None
) -> dict[str, Any]:
    presence.unsubscribe(parts, connection, payload.user_ids)
    return {"ok": True}


async def set_own(parts: Parts, connection: Connection, payload: contract.PresenceSet, _: int | None) -> dict[str, Any]:
    update = payload.model_dump(mode="json", exclude_unset=True)
    await parts.buckets.take(parts.limits.signal, connection.user_id)
    await parts.presence.set(connection.user_id, update)
    return {"ok": True}
