"""`sync` and `auth:refresh`."""

from typing import Any

from synctalk_contracts import sockets as contract

from synctalk_gateway.actions import sessions
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.parts import Parts


async def sync(parts: Parts, connection: Connection, payload: contract.Sync, _: int | None) -> dict[str, Any]:
    await parts.buckets.take(parts.limits.signal, connection.user_id)
    answer = await parts.api.sync(connection.user_id, payload.cursors)
    return {"ok": True, "conversations": answer["conversations"]}


async def refresh(parts: Parts, connection: Connection, payload: contract.AuthRefresh, _: int | None) -> dict[str, Any]:
    await parts.buckets.take(parts.limits.signal, connection.user_id)
    return {"ok": True, "expires_at": await sessions.renew(parts, connection, payload.token)}
