"""Letting a socket in.

Subscribe first, read the state second, then say `ready`: whatever happens in between waits in the connection and is
sent after `ready`, less what the state contained. So there is neither a gap nor a repeat.
"""

import asyncio
import secrets
from typing import Any

from synctalk_contracts.internal import ConversationState
from synctalk_contracts.sockets import Ready, ReadyConversation
from synctalk_runtime.errors import AppError, RateLimitedError, UnauthenticatedError, UnavailableError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.tokens import Person

from synctalk_gateway.actions import sessions, typing
from synctalk_gateway.errors import RefusedError, TooManyConnectionsError
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.parts import Parts
from synctalk_gateway.protocol import wire
from synctalk_gateway.protocol.engine import EngineSocket
from synctalk_gateway.protocol.server import Server

SUBSCRIBE_TIMEOUT_S = 3.0


async def connect(parts: Parts, socket: EngineSocket, auth: Any) -> None:
    """Authenticate and let in.

    Raises:
        RefusedError: the client is told why and stays away.
        UnavailableError: something does not answer; the transport is closed and the client comes back.
    """
    person = await _authenticate(parts, auth)
    await _limit_address(parts, socket.address)
    if parts.gate.waiting >= parts.settings.max_waiting_connects:
        raise UnavailableError
    parts.gate.waiting += 1
    try:
        async with parts.gate.places:
            await _let_in(parts, socket, person)
    finally:
        parts.gate.waiting -= 1


async def _authenticate(parts: Parts, auth: Any) -> Person:
    token = auth.get("token") if isinstance(auth, dict) else None
    if not isinstance(token, str):
        raise RefusedError(UnauthenticatedError())
    try:
        return await parts.tokens.verify(token)
    except UnavailableError:
        raise
    except AppError as error:
        raise RefusedError(error) from error


async def _limit_address(parts: Parts, address: str) -> None:
    try:
        await parts.buckets.take(parts.limits.connect, address)
    except RateLimitedError as error:
        raise UnavailableError from error  # closes the transport: a stock client comes back later


async def _let_in(parts: Parts, socket: EngineSocket, person: Person) -> None:
    if socket.ended:
        return
    if len(parts.hub.by_user.get(person.user_id, ())) >= parts.settings.max_connections_per_user:
        raise RefusedError(TooManyConnectionsError())
    connection = Connection(secrets.token_urlsafe(12), person.user_id, person.session_id, person.expires_at, socket)
    connection.hold()
    heard = parts.hub.add(connection)
    try:
        await heard_in_time([heard])
        if parts.revocations.is_revoked(person.session_id):
            raise RefusedError(UnauthenticatedError("The session has ended."))
        states = await _join_rooms(parts, connection)
        await parts.leases.opened(connection)
    except BaseException:
        parts.hub.remove(connection)
        raise
    if socket.ended:
        disconnected(parts, connection)
        return
    _say_ready(parts, connection, states)
    sessions.schedule_expiry(parts, connection)


async def _join_rooms(parts: Parts, connection: Connection) -> list[ConversationState]:
    """In every conversation's room, with the state as it was once the room was heard."""
    listed = await parts.api.conversations(connection.user_id)
    await heard_in_time([parts.hub.join(state.id, connection) for state in listed.items])
    if not listed.items:
        return []
    states = (await parts.api.conversations(connection.user_id)).items
    known = {state.id: state for state in states}
    for room in parts.hub.rooms_of(connection):
        state = known.get(room.id)
        if state is None:
            parts.hub.leave(room, connection)  # removed in between
        else:
            room.set_floor(connection, state.change_seq)
            if room.change_seq is None:
                room.start(state.change_seq)
    return states


async def heard_in_time(subscriptions: "list[asyncio.Future[None]]") -> None:
    """Until Redis has confirmed them all. Raises UnavailableError when it does not."""
    waiting = [subscription for subscription in subscriptions if not subscription.done()]
    if waiting:
        _, late = await asyncio.wait(waiting, timeout=SUBSCRIBE_TIMEOUT_S)
        if late:
            raise UnavailableError


def _say_ready(parts: Parts, connection: Connection, states: list[ConversationState]) -> None:
    listed = states[: parts.settings.ready_conversations]
    ready = Ready(
        user_id=connection.user_id,
        session_id=connection.session_id,
        connection_id=connection.id,
        server_time=utc_now(),
        conversations=[ReadyConversation(id=s.id, last_seq=s.last_seq, change_seq=s.change_seq) for s in listed],
        more=len(states) > len(listed),
    )
    Server.accept(connection.socket, connection, connection.id)
    connection.socket.write(wire.event(Ready.EVENT, ready.model_dump(mode="json")))
    connection.release({state.id: state.change_seq for state in states})


def disconnected(parts: Parts, connection: Connection) -> None:
    """The socket is gone: so is everything that it held."""
    for conversation_id in list(connection.typing):
        parts.hub.spawn(typing.stop(parts, connection, conversation_id))
    parts.hub.remove(connection)
    parts.leases.closed(connection)
