"""Letting a socket in, and letting go of it.

Subscribe first, read the state second, then send `ready`: whatever happens in between waits in the connection and is
sent after `ready`, less what the state contained. So there is neither a gap nor a repeat. Rooms that `ready` does not
name are joined after it (`later_joins`).
"""

import asyncio
import secrets
import time
from functools import partial
from typing import Any

from synctalk_contracts.internal import ConversationStates
from synctalk_contracts.sockets import ReadyConversation, ReadyToClient
from synctalk_runtime.errors import AppError, RateLimitedError, UnauthenticatedError, UnavailableError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.tokens import Principal, TokenVerifier

from synctalk_gateway.actions.later_joins import LaterJoins
from synctalk_gateway.actions.new_conversations import NewConversations
from synctalk_gateway.actions.sessions import TokenExpiry
from synctalk_gateway.actions.subscribing import all_subscribed
from synctalk_gateway.actions.typing import Typing
from synctalk_gateway.clients.api import Api
from synctalk_gateway.clients.presence import Leases
from synctalk_gateway.errors import RefusedError, TooManyConnectionsError
from synctalk_gateway.gate import Gate
from synctalk_gateway.hub import packets
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.registry import Registry
from synctalk_gateway.hub.watchers import Watchers
from synctalk_gateway.limits import RateLimits, connect_limit
from synctalk_gateway.local_buckets import LocalBuckets
from synctalk_gateway.protocol.engine_socket import EngineSocket
from synctalk_gateway.protocol.server import Accepted
from synctalk_gateway.settings import Settings


class Connections:
    """Connects and disconnects sockets."""

    def __init__(
        self,
        settings: Settings,
        *,
        tokens: TokenVerifier,
        limits: RateLimits,
        registry: Registry,
        watchers: Watchers,
        api: Api,
        leases: Leases,
        expiry: TokenExpiry,
        new_conversations: NewConversations,
        later_joins: LaterJoins,
        typing: Typing,
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._limits = limits
        self._addresses = LocalBuckets(connect_limit(settings))
        self._gate = Gate(settings)
        self._registry = registry
        self._watchers = watchers
        self._api = api
        self._leases = leases
        self._expiry = expiry
        self._new_conversations = new_conversations
        self._later_joins = later_joins
        self._typing = typing

    async def connect(self, socket: EngineSocket, auth: Any) -> Accepted:
        """Authenticate and let in.

        Raises:
            RefusedError: the client gets the error and stays away.
            UnavailableError: something does not answer; the transport is closed and the client comes back.
        """
        await self._limit_address(socket.address)
        token = auth.get("token") if isinstance(auth, dict) else None
        principal = await self._authenticate(token)
        socket.identify(principal.user_id)
        try:
            await self._limits.take_connect_of(principal.user_id)
        except RateLimitedError as error:
            raise UnavailableError from error
        async with self._gate.place(principal.user_id):
            try:
                async with asyncio.timeout(self._settings.let_in_timeout_s):
                    return await self._let_in(socket, principal, token)
            except TimeoutError as error:
                raise UnavailableError from error

    async def _limit_address(self, address: str) -> None:
        """Limit before anything that costs more. The bucket in this process counts while Redis is away.

        Raises UnavailableError, which closes the transport: a stock client comes back later.
        """
        if not self._addresses.take(address, time.monotonic()):
            raise UnavailableError
        try:
            await self._limits.take_connect(address)
        except RateLimitedError as error:
            raise UnavailableError from error

    async def _authenticate(self, token: Any) -> Principal:
        if not isinstance(token, str):
            raise RefusedError(UnauthenticatedError())
        try:
            return await self._tokens.verify(token)
        except UnavailableError:
            raise
        except AppError as error:
            raise RefusedError(error) from error

    async def _let_in(self, socket: EngineSocket, principal: Principal, token: Any) -> Accepted:
        if socket.ended:
            raise UnavailableError
        if len(self._registry.by_user.get(principal.user_id, ())) >= self._settings.max_connections_per_user:
            raise RefusedError(TooManyConnectionsError())
        connection = Connection(
            secrets.token_urlsafe(12),
            principal.user_id,
            principal.session_id,
            principal.expires_at,
            socket,
            principal.kid,
            principal.is_bot,
        )
        connection.pause()
        subscribed = self._registry.add(connection, partial(self._new_conversations.receive, connection.user_id))
        try:
            await all_subscribed([subscribed])
            await self._authenticate(token)  # a revocation while it waited is received from here on only
            joined = await self._join_rooms(connection)
            await self._leases.opened(connection)
            if socket.ended:
                raise UnavailableError
        except BaseException:
            self.disconnect(connection)
            raise
        return Accepted(connection, connection.id, partial(self._start, connection, joined))

    async def _join_rooms(self, connection: Connection) -> ConversationStates:
        """Join the most recently active conversations; return their state as it was once their rooms were joined."""
        listed = await self._api.conversations(connection.user_id, self._settings.ready_conversations)
        if not listed.items:
            return listed
        await all_subscribed([self._registry.join(state.id, connection) for state in listed.items])
        read = await self._api.states(connection.user_id, [state.id for state in listed.items])
        known = {state.id: state for state in read.items}
        for room in self._registry.rooms_of(connection):
            state = known.get(room.id)
            if state is None:
                room.leave(connection)  # removed in between
            else:
                room.note_state(connection, state.change_seq)
        # What came in between is announced on the user's channel, or joined after `ready`.
        items = [known[state.id] for state in listed.items if state.id in known and state.id in connection.rooms]
        return ConversationStates(items=items, more=listed.more, as_of=listed.as_of)

    def _start(self, connection: Connection, joined: ConversationStates) -> None:
        states = joined.items
        ready = ReadyToClient(
            user_id=connection.user_id,
            session_id=connection.session_id,
            connection_id=connection.id,
            server_time=utc_now(),
            conversations=[ReadyConversation(id=s.id, last_seq=s.last_seq, change_seq=s.change_seq) for s in states],
            more=joined.more,
        )
        connection.start(packets.ready(ready), {state.id: state.change_seq for state in states})
        self._expiry.schedule(connection)
        if joined.more:
            self._later_joins.begin(connection, joined.as_of)

    def disconnect(self, connection: Connection) -> None:
        """Forget a socket that is gone, and everything of it."""
        for conversation_id in list(connection.typing):
            self._typing.end(connection, conversation_id)
        self._watchers.remove(connection)
        self._registry.remove(connection)
        self._leases.closed(connection)
