"""`typing:start` and `typing:stop`."""

from typing import Any

from synctalk_contracts import sockets as contract

from synctalk_gateway.actions import typing
from synctalk_gateway.actions.order import must_be_in_room
from synctalk_gateway.context import Context
from synctalk_gateway.hub.connection import Connection


async def start(ctx: Context, connection: Connection, payload: contract.TypingStart, _: int | None) -> dict[str, Any]:
    must_be_in_room(ctx, connection, payload.conversation_id)
    await ctx.buckets.take(ctx.signal_limit, connection.user_id)
    await typing.start(ctx, connection, payload.conversation_id)
    return {"ok": True}


async def stop(ctx: Context, connection: Connection, payload: contract.TypingStop, _: int | None) -> dict[str, Any]:
    must_be_in_room(ctx, connection, payload.conversation_id)
    await ctx.buckets.take(ctx.signal_limit, connection.user_id)
    await typing.stop(ctx, connection, payload.conversation_id)
    return {"ok": True}
