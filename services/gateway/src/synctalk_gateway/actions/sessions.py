"""The end of a session, foreseen or not: the token's expiry, its renewal on the live socket, and revocation."""

import asyncio
import time

from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.ids import format_time
from synctalk_contracts.models import EndReason
from synctalk_contracts.sockets import SessionEnded, SessionExpiring
from synctalk_runtime.ids import from_unix

from synctalk_gateway import rules
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.hub import Hub
from synctalk_gateway.parts import Parts
from synctalk_gateway.protocol import wire
from synctalk_gateway.protocol.server import Server


def schedule_expiry(parts: Parts, connection: Connection) -> None:
    """Warn, then end: one timer, set anew for each step and at each renewal."""
    if connection.timer is not None:
        connection.timer.cancel()
    step, wait_s = rules.next_expiry_step(connection.expires_at, parts.settings.expiry_warning_s, time.time())
    run = _warn if step == "warn" else _expire
    connection.timer = asyncio.get_running_loop().call_later(wait_s, run, parts, connection)


def _warn(parts: Parts, connection: Connection) -> None:
    expires_at = format_time(from_unix(connection.expires_at))
    connection.send(wire.event(SessionExpiring.EVENT, {"expires_at": expires_at}))
    wait_s = max(0.0, connection.expires_at - time.time())
    connection.timer = asyncio.get_running_loop().call_later(wait_s, _expire, parts, connection)


def _expire(_: Parts, connection: Connection) -> None:
    end(connection, EndReason.EXPIRED)


async def renew(parts: Parts, connection: Connection, token: str) -> str:
    """A new access token of the same session; when it ends, as text. Raises what verification raises."""
    person = await parts.tokens.verify(token)
    rules.must_be_same_session(connection, person)
    connection.expires_at = person.expires_at
    schedule_expiry(parts, connection)
    return format_time(from_unix(person.expires_at))


async def revoke(hub: Hub, event: SessionRevoked) -> None:
    for connection in list(hub.by_session.get(event.session_id, ())):
        end(connection, event.reason)


def end(connection: Connection, reason: EndReason) -> None:
    """Say why, disconnect for good, close."""
    connection.socket.write(wire.event(SessionEnded.EVENT, {"reason": reason.value}))
    Server.disconnect_for_good(connection.socket)
