"""`sync` and `auth:refresh`."""

from typing import Any

from synctalk_contracts import sockets as contract

from synctalk_gateway.actions import sessions
from synctalk_gateway.context import Context
from synctalk_gateway.hub.connection import Connection


async def sync(ctx: Context, connection: Connection, payload: contract.Sync, _: int | None) -> dict[str, Any]:
    await ctx.buckets.take(ctx.signal_limit, connection.user_id)
    answer = await ctx.api.sync(connection.user_id, payload.cursors)
    return {"ok": True, "conversations": answer["conversations"]}


async def refresh(ctx: Context, connection: Connection, payload: contract.AuthRefresh, _: int | None) -> dict[str, Any]:
    await ctx.buckets.take(ctx.signal_limit, connection.user_id)
    return {"ok": True, "expires_at": await sessions.renew(ctx, connection, payload.token)}
