"""The end of a session, foreseen or not: the token's expiry, its renewal on the live socket, and revocation."""

import asyncio
import time
from dataclasses import dataclass

from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.ids import format_time
from synctalk_contracts.models import EndReason
from synctalk_runtime.ids import from_unix
from synctalk_runtime.tokens import TokenVerifier

from synctalk_gateway import rules
from synctalk_gateway.hub import packets
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.registry import Registry


@dataclass(frozen=True, slots=True)
class SessionEnds:
    """Ends sockets whose sessions or keys are no longer good."""

    registry: Registry

    async def revoke(self, event: SessionRevoked) -> None:
        for connection in list(self.registry.by_session.get(event.session_id, ())):
            connection.disconnect(packets.session_ended(event.reason))

    def withdraw(self, key_ids: frozenset[str]) -> None:
        """End the sockets whose token was signed by a withdrawn key: it may be forged."""
        for connection in list(self.registry.connections.values()):
            if connection.key_id in key_ids:
                connection.disconnect(packets.session_ended(EndReason.REVOKED))


@dataclass(frozen=True, slots=True)
class TokenExpiry:
    tokens: TokenVerifier
    warning_s: float

    def schedule(self, connection: Connection) -> None:
        """Warn, then end: one timer, set anew for each step and at each renewal."""
        if connection.timer is not None:
            connection.timer.cancel()
        step, wait_s = rules.next_expiry_step(connection.expires_at, self.warning_s, time.time())
        run = _warn if step == "warn" else _expire
        connection.timer = asyncio.get_running_loop().call_later(wait_s, run, connection)

    async def renew(self, connection: Connection, token: str) -> str:
        """Take a new access token of the same session; return when it ends. Raises what verification raises."""
        principal = await self.tokens.verify(token)
        rules.must_be_same_session(connection, principal)
        connection.expires_at, connection.key_id = principal.expires_at, principal.kid
        self.schedule(connection)
        return format_time(from_unix(principal.expires_at))


def _warn(connection: Connection) -> None:
    connection.send(packets.session_expiring(format_time(from_unix(connection.expires_at))))
    wait_s = max(0.0, connection.expires_at - time.time())
    connection.timer = asyncio.get_running_loop().call_later(wait_s, _expire, connection)


def _expire(connection: Connection) -> None:
    connection.disconnect(packets.session_ended(EndReason.EXPIRED))
