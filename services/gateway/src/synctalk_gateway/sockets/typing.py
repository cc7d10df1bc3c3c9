"""`typing:start` and `typing:stop`."""

from typing import Any

from synctalk_contracts import sockets as contract

from synctalk_gateway.actions import typing
from synctalk_gateway.actions.order import must_be_in_room
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.parts import Parts


async def start(parts: Parts, connection: Connection, payload: contract.TypingStart, _: int | None) -> dict[str, Any]:
    await must_be_in_room(parts, connection, payload.conversation_id)
    await parts.buckets.take(parts.limits.signal, connection.user_id)
    await typing.start(parts, connection, payload.conversation_id)
    return {"ok": True}


async def stop(parts: Parts, connection: Connection, payload: contract.TypingStop, _: int | None) -> dict[str, Any]:
    await must_be_in_room(parts, connection, payload.conversation_id)
    await parts.buckets.take(parts.limits.signal, connection.user_id)
    await typing.stop(parts, connection, payload.conversation_id)
    return {"ok": True}
