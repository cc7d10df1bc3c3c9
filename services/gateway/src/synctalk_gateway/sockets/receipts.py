"""`receipt:*`: watermarks, acked after the commit."""

from synctalk_contracts import commands
from synctalk_contracts import sockets as contract

from synctalk_gateway.actions.order import order
from synctalk_gateway.context import Context
from synctalk_gateway.hub.connection import Connection


async def delivered(
    ctx: Context, connection: Connection, payload: contract.ReceiptDelivered, ack_id: int | None
) -> None:
    command = commands.MarkDelivered(
        conversation_id=payload.conversation_id, user_id=connection.user_id, seq=payload.seq
    )
    await order(ctx, connection, command, ack_id, ctx.signal_limit)


async def read(ctx: Context, connection: Connection, payload: contract.ReceiptRead, ack_id: int | None) -> None:
    command = commands.MarkRead(conversation_id=payload.conversation_id, user_id=connection.user_id, seq=payload.seq)
    await order(ctx, connection, command, ack_id, ctx.signal_limit)
