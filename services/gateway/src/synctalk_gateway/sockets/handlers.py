"""The handlers of the socket's events, in one table.

A handler returns the ack, or the ack to come: a command is acked after api's commit, and meanwhile the socket's next
event is handled. A payload was parsed by its contract before; a handler calls one action and decides nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from pydantic import ValidationError
from synctalk_contracts import commands
from synctalk_contracts import sockets as contract
from synctalk_contracts.encoding.commands import Encoded, Encoder
from synctalk_runtime.errors import InvalidError, UnknownEventError
from synctalk_runtime.telemetry import span

from synctalk_gateway import acks
from synctalk_gateway.acks import Ack, PendingAck
from synctalk_gateway.actions.commands import CommandSubmission
from synctalk_gateway.actions.presence import PresenceSubscriptions
from synctalk_gateway.actions.receipts import ReceiptReports
from synctalk_gateway.actions.rooms import RoomMembership
from synctalk_gateway.actions.sessions import TokenExpiry
from synctalk_gateway.actions.typing import Typing
from synctalk_gateway.clients.api import Api
from synctalk_gateway.clients.presence import Leases, PresenceClient
from synctalk_gateway.errors import MalformedPacketError
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.limits import RateLimits

Result = Ack | PendingAck
Handle = Callable[[Connection, Any], Awaitable[Result]]


class Handler(NamedTuple):
    payload: type[contract.ToServer]
    handle: Handle


class SocketHandlers:
    """The handlers of every event that a client may send."""

    def __init__(
        self,
        *,
        submission: CommandSubmission,
        receipts: ReceiptReports,
        rooms: RoomMembership,
        typing: Typing,
        subscriptions: PresenceSubscriptions,
        presence: PresenceClient,
        leases: Leases,
        expiry: TokenExpiry,
        api: Api,
        limits: RateLimits,
    ) -> None:
        self._submission = submission
        self._receipts = receipts
        self._rooms = rooms
        self._typing = typing
        self._subscriptions = subscriptions
        self._presence = presence
        self._leases = leases
        self._expiry = expiry
        self._api = api
        self._limits = limits
        self._handlers = {
            payload.EVENT: Handler(payload, handle)
            for payload, handle in (
                (contract.MessageSendToServer, _command(commands.SendMessage, submission.send)),
                (contract.MessageEditToServer, _command(commands.EditMessage, submission.change)),
                (contract.MessageDeleteToServer, _command(commands.DeleteMessage, submission.change)),
                (contract.MessageStreamStartToServer, _command(commands.StartStream, submission.send)),
                (contract.MessageStreamAppendToServer, _command(commands.AppendToStream, submission.append)),
                (contract.MessageStreamEndToServer, _command(commands.EndStream, submission.change)),
                (contract.ReactionAddToServer, _command(commands.AddReaction, submission.change)),
                (contract.ReactionRemoveToServer, _command(commands.RemoveReaction, submission.change)),
                (contract.ReceiptDeliveredToServer, self._mark(commands.MarkDelivered)),
                (contract.ReceiptReadToServer, self._mark(commands.MarkRead)),
                (contract.ThreadReadToServer, _command(commands.MarkThreadRead, submission.change)),
                (contract.ReceiptsToServer, self._receipts.report),
                (contract.TypingStartToServer, self._typing_start),
                (contract.TypingStopToServer, self._typing_stop),
                (contract.PresenceSubscribeToServer, self._presence_subscribe),
                (contract.PresenceUnsubscribeToServer, self._presence_unsubscribe),
                (contract.PresenceSetToServer, self._presence_set),
                (contract.ActivityToServer, self._activity),
                (contract.SyncToServer, self._sync),
                (contract.AuthRefreshToServer, self._auth_refresh),
            )
        }

    async def on_event(self, connection: Connection, name: str, payload: Any) -> Result:
        """Parse and handle one event. Raises AppError for every refusal."""
        handler = self._handlers.get(name)
        if handler is None:
            raise UnknownEventError
        if not isinstance(payload, dict):
            raise MalformedPacketError
        try:
            parsed = handler.payload.model_validate(payload)
        except ValidationError as error:
            raise InvalidError.from_validation(error) from error
        with span(name):
            return await handler.handle(connection, parsed)

    # ── messages and receipts ────────────────────────────────────────────────────────────────────────────────────

    def _mark(self, kind: type[commands.MarkDelivered | commands.MarkRead]) -> Handle:
        encoder = Encoder(kind)

        async def handle(
            connection: Connection, payload: contract.ReceiptDeliveredToServer | contract.ReceiptReadToServer
        ) -> Result:
            command = encoder.of(connection.user_id, vars(payload))
            return await self._submission.mark(connection, command, payload.seq)

        return handle

    # ── typing ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _typing_start(self, connection: Connection, payload: contract.TypingStartToServer) -> Result:
        await self._rooms.must_be_in_room(connection, payload.conversation_id)
        await self._limits.take_signal(connection.user_id)
        return await self._typing.start(connection, payload.conversation_id, payload.thread_id)

    async def _typing_stop(self, connection: Connection, payload: contract.TypingStopToServer) -> Result:
        await self._rooms.must_be_in_room(connection, payload.conversation_id)
        await self._limits.take_signal(connection.user_id)
        await self._typing.stop(connection, payload.conversation_id)
        return acks.done()

    # ── presence ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _presence_subscribe(self, connection: Connection, payload: contract.PresenceSubscribeToServer) -> Result:
        await self._limits.take_signal(connection.user_id)
        connection.pause()
        try:
            items = await self._subscriptions.subscribe(connection, payload.user_ids)
        finally:
            # In the loop's next turn, when the ack is out: no change may overtake the state that the ack carries.
            asyncio.get_running_loop().call_soon(connection.resume, {})
        return acks.done(items=items)

    async def _presence_unsubscribe(
        self, connection: Connection, payload: contract.PresenceUnsubscribeToServer
    ) -> Result:
        self._subscriptions.unsubscribe(connection, payload.user_ids)
        return acks.done()

    async def _presence_set(self, connection: Connection, payload: contract.PresenceSetToServer) -> Result:
        await self._limits.take_signal(connection.user_id)
        await self._presence.set(connection.user_id, payload.model_dump(mode="json", exclude_unset=True))
        return acks.done()

    async def _activity(self, connection: Connection, payload: contract.ActivityToServer) -> Result:
        await self._limits.take_signal(connection.user_id)
        if connection.active != payload.active:
            connection.active = payload.active
            await self._leases.opened(connection)
        return acks.done()

    # ── session ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _sync(self, connection: Connection, payload: contract.SyncToServer) -> Result:
        await self._limits.take_signal(connection.user_id)
        synced = await self._api.sync_reachable(connection.user_id, payload.cursors)
        return acks.done(conversations=synced["conversations"])

    async def _auth_refresh(self, connection: Connection, payload: contract.AuthRefreshToServer) -> Result:
        await self._limits.take_signal(connection.user_id)
        return acks.done(expires_at=await self._expiry.renew(connection, payload.token))


def _command(kind: type[commands.Command], submit: Callable[[Connection, Encoded], Awaitable[Result]]) -> Handle:
    """Return the handler of an event that has the fields of that command."""
    encoder = Encoder(kind)

    async def handle(connection: Connection, payload: contract.ToServer) -> Result:
        return await submit(connection, encoder.of(connection.user_id, vars(payload)))

    return handle
