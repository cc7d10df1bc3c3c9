"""`receipt:*`: watermarks, acked after the commit."""

from synctalk_contracts import commands
from synctalk_contracts import sockets as contract

from synctalk_gateway.actions.order import order
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.parts import Parts


async def delivered(
    parts: Parts, connection: Connection, payload: contract.ReceiptDelivered, ack_id: int | None
) -> None:
    command = commands.MarkDelivered(
        conversation_id=payload.conversation_id, user_id=connection.user_id, seq=payload.seq
    )
    await order(parts, connection, command, ack_id, parts.limits.signal)


async def read(parts: Parts, connection: Connection, payload: contract.ReceiptRead, ack_id: int | None) -> None:
    command = commands.MarkRead(conversation_id=payload.conversation_id, user_id=connection.user_id, seq=payload.seq)
    await order(parts, connection, command, ack_id, parts.limits.signal)
