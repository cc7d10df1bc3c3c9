"""The Engine.IO v4 server of one gateway: its sessions, and who may open one.

https://github.com/socketio/engine.io-protocol (v4).
"""

import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

import orjson
from synctalk_runtime import cors
from synctalk_runtime.errors import ForbiddenError, MalformedError, NotFoundError

from synctalk_gateway.errors import DrainingError
from synctalk_gateway.protocol import wire
from synctalk_gateway.protocol.admission import Admission
from synctalk_gateway.protocol.engine_socket import EngineSocket
from synctalk_gateway.protocol.packet_limits import UserLimits
from synctalk_gateway.protocol.websocket import WebSocketConnection
from synctalk_gateway.settings import Settings


def parse_query(query: str) -> dict[str, str]:
    """Return the first value of each parameter; none of a query that is too long or malformed."""
    try:
        return {key: values[0] for key, values in parse_qs(query[:2048], max_num_fields=20).items()}
    except ValueError:
        return {}


class Engine:
    """The sessions by sid. A sid begins with the gateway's name, by which the edge routes."""

    def __init__(
        self,
        settings: Settings,
        on_message: Callable[[EngineSocket, str], Awaitable[None]],
        on_ended: Callable[[EngineSocket], None],
    ) -> None:
        self.settings = settings
        self.on_message = on_message
        self.on_ended = on_ended
        self.users = UserLimits(settings)
        self.sockets: dict[str, EngineSocket] = {}
        self.draining = False
        self._admission = Admission(settings)

    def check_upgrade(self, query: dict[str, str], origin: str | None, host: str | None, address: str) -> None:
        """Raise the AppError that the upgrade request is refused with."""
        if query.get("transport") != "websocket":
            raise MalformedError("A session can only be upgraded to the websocket transport.")
        self.check_origin(origin, host)
        if "sid" not in query:
            self.check_handshake(query, address)
            return
        session = self.sockets.get(query["sid"])
        if session is None or session.websocket is not None or session.ended:
            raise NotFoundError("Unknown session.")
        session.candidate.check()

    def check_handshake(self, query: dict[str, str], address: str) -> None:
        """Raise the AppError that a new session is refused with."""
        if query.get("EIO") != "4":
            raise MalformedError("Engine.IO version 4 is required.")
        if self.draining:
            raise DrainingError
        self._admission.check(address)

    def check_origin(self, origin: str | None, host: str | None) -> None:
        """Raise ForbiddenError for a page that is neither of this host nor allowed; only browsers send an origin."""
        if origin is None or cors.is_allowed(origin, self.settings.allowed_origins) or cors.is_own(origin, host):
            return
        raise ForbiddenError("This origin is not allowed.")

    def open_websocket(self, query: dict[str, str], websocket: WebSocketConnection) -> None:
        """Begin a session on an accepted websocket, or the upgrade of one."""
        if "sid" in query:
            session = self.sockets.get(query["sid"])
            if session is None or session.ended:
                websocket.abort()
            else:
                session.begin_upgrade(websocket)
            return
        opened = self._open(websocket.address)
        opened.use(websocket)
        websocket.write(wire.frame(b"0" + self._handshake(opened, upgrades=[])))

    def open_polling(self, address: str) -> str:
        """Begin a session with polling; return its first payload."""
        return "0" + self._handshake(self._open(address), upgrades=["websocket"]).decode()

    def _open(self, address: str) -> EngineSocket:
        opened = EngineSocket(self, f"{self.settings.gateway_name}.{secrets.token_urlsafe(15)}", address)
        self.sockets[opened.sid] = opened
        self._admission.opened(address)
        opened.heartbeat.start()
        return opened

    def on_authenticated(self, session: EngineSocket) -> None:
        """Count a session as pending no longer."""
        self._admission.authenticated(session.address)

    def forget(self, session: EngineSocket) -> None:
        """Remove an ended session, once there is nothing left that a polling client could fetch."""
        if self.sockets.pop(session.sid, None) is not None:
            self._admission.closed(session.address, pending=session.pending)

    def _handshake(self, opened: EngineSocket, upgrades: list[str]) -> bytes:
        return orjson.dumps(
            {
                "sid": opened.sid,
                "upgrades": upgrades,
                "pingInterval": self.settings.ping_interval_s * 1000,
                "pingTimeout": self.settings.ping_timeout_s * 1000,
                "maxPayload": self.settings.max_frame_bytes,
            }
        )
