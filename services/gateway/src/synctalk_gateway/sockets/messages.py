"""`message:*` and `reaction:*`: orders to api, acked after the commit."""

from synctalk_contracts import commands
from synctalk_contracts import sockets as contract

from synctalk_gateway.actions.order import order
from synctalk_gateway.context import Context
from synctalk_gateway.hub.connection import Connection


async def send(ctx: Context, connection: Connection, payload: contract.MessageSend, ack_id: int | None) -> None:
    command = commands.SendMessage.model_construct(
        conversation_id=payload.conversation_id,
        user_id=connection.user_id,
        client_message_id=payload.client_message_id,
        body=payload.body,
        reply_to=payload.reply_to,
    )
    connection.typing.pop(payload.conversation_id, None)  # the message itself ends it at every receiver
    await order(ctx, connection, command, ack_id, ctx.message_limit)


async def edit(ctx: Context, connection: Connection, payload: contract.MessageEdit, ack_id: int | None) -> None:
    command = commands.EditMessage(
        conversation_id=payload.conversation_id,
        user_id=connection.user_id,
        message_id=payload.message_id,
        body=payload.body,
    )
    await order(ctx, connection, command, ack_id, ctx.signal_limit)


async def delete(ctx: Context, connection: Connection, payload: contract.MessageDelete, ack_id: int | None) -> None:
    command = commands.DeleteMessage(
        conversation_id=payload.conversation_id, user_id=connection.user_id, message_id=payload.message_id
    )
    await order(ctx, connection, command, ack_id, ctx.signal_limit)


async def react(ctx: Context, connection: Connection, payload: contract.ReactionAdd, ack_id: int | None) -> None:
    command = commands.AddReaction(
        conversation_id=payload.conversation_id,
        user_id=connection.user_id,
        message_id=payload.message_id,
        emoji=payload.emoji,
    )
    await order(ctx, connection, command, ack_id, ctx.signal_limit)


async def unreact(ctx: Context, connection: Connection, payload: contract.ReactionRemove, ack_id: int | None) -> None:
    command = commands.RemoveReaction(
        conversation_id=payload.conversation_id,
        user_id=connection.user_id,
        message_id=payload.message_id,
        emoji=payload.emoji,
    )
    await order(ctx, connection, command, ack_id, ctx.signal_limit)
