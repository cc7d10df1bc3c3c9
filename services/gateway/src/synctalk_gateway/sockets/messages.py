"""`message:*` and `reaction:*`: orders to api, acked after the commit."""

from synctalk_contracts import commands
from synctalk_contracts import sockets as contract

from synctalk_gateway.actions.order import order
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.parts import Parts


async def send(parts: Parts, connection: Connection, payload: contract.MessageSend, ack_id: int | None) -> None:
    command = commands.SendMessage.model_construct(
        conversation_id=payload.conversation_id,
        user_id=connection.user_id,
        client_message_id=payload.client_message_id,
        body=payload.body,
        reply_to=payload.reply_to,
    )
    connection.typing.pop(payload.conversation_id, None)  # the message itself ends it at every receiver
    await order(parts, connection, command, ack_id, parts.limits.message)


async def edit(parts: Parts, connection: Connection, payload: contract.MessageEdit, ack_id: int | None) -> None:
    command = commands.EditMessage(
        conversation_id=payload.conversation_id,
        user_id=connection.user_id,
        message_id=payload.message_id,
        body=payload.body,
    )
    await order(parts, connection, command, ack_id, parts.limits.signal)


async def delete(parts: Parts, connection: Connection, payload: contract.MessageDelete, ack_id: int | None) -> None:
    command = commands.DeleteMessage(
        conversation_id=payload.conversation_id, user_id=connection.user_id, message_id=payload.message_id
    )
    await order(parts, connection, command, ack_id, parts.limits.signal)


async def react(parts: Parts, connection: Connection, payload: contract.ReactionAdd, ack_id: int | None) -> None:
    command = commands.AddReaction(
        conversation_id=payload.conversation_id,
        user_id=connection.user_id,
        message_id=payload.message_id,
        emoji=payload.emoji,
    )
    await order(parts, connection, command, ack_id, parts.limits.signal)


async def unreact(parts: Parts, connection: Connection, payload: contract.ReactionRemove, ack_id: int | None) -> None:
    command = commands.RemoveReaction(
        conversation_id=payload.conversation_id,
        user_id=connection.user_id,
        message_id=payload.message_id,
        emoji=payload.emoji,
    )
    await order(parts, connection, command, ack_id, parts.limits.signal)
