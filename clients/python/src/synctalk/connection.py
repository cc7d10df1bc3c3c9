"""The one socket of a client: connected as long as the session lasts, over as many transports as that takes.

The stock Socket.IO client has the protocol; when to reconnect is decided here, so that a refused token is renewed first
and the server's own wishes (`retry_after`, `server:draining`) are kept. Live means that `ready` came: from then on
nothing is missed.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import socketio

from synctalk.auth import TokenSource
from synctalk.errors import CallError, NoAnswerError, SessionEndedError, call_error
from synctalk.timing import backoff_s

CONNECT_TIMEOUT_S = 10.0
READY_TIMEOUT_S = 15.0
"""From the connection to `ready`; a gateway that hangs is left for another."""

ACK_TIMEOUT_S = 10.0

OnEvent = Callable[[str, Any], None]


class Connection:
    """`on_event` gets each event in the order in which they came, and `disconnected` (with None) when one is lost."""

    def __init__(self, base_url: str, tokens: TokenSource, on_event: OnEvent, transports: tuple[str, ...]) -> None:
        self._base_url = base_url
        self._tokens = tokens
        self._on_event = on_event
        self._transports = transports
        self._socket: socketio.AsyncClient | None = None
        self._lost = asyncio.Event()
        self._ready = asyncio.Event()
        self._token = ""
        self._end_reason: str | None = None
        self._drain_s: float | None = None
        self._renewal: asyncio.Task[None] | None = None

    @property
    def is_live(self) -> bool:
        return self._ready.is_set() and not self._lost.is_set()

    async def run(self) -> None:
        """Keep the connection until it is cancelled.

        Raises SessionEndedError; CallError where the server refuses it for good.
        """
        attempt = 0
        refused: str | None = None
        while True:
            self._drain_s = None
            wait_s: float | None = None
            try:
                self._token = await self._tokens.token(refused=refused)
                await self._connect()
                attempt, refused = 0, None
                await self._lost.wait()
                wait_s = self._drain_s
            except NoAnswerError:
                pass
            except CallError as error:
                if error.refuses_token and refused is None:
                    wait_s = 0.0  # the first time, a new token is tried at once
                elif not (error.refuses_token or error.is_retryable):
                    raise
                else:
                    wait_s = error.retry_after_s
                if error.refuses_token:
                    refused = self._token
            finally:
                await self._drop()
            if self._end_reason == "expired":
                refused, self._end_reason = self._token, None
            if self._end_reason is not None:
                raise SessionEndedError(self._end_reason)
            await asyncio.sleep(backoff_s(attempt) if wait_s is None else wait_s)
            attempt += 1

    async def request(self, event: str, payload: Any, on_ack: Callable[[Any], None] | None = None) -> Any:
        """Emit and return the ack; `on_ack` gets it in its place among the events.

        Raises NoAnswerError when the connection is not live, or lost before the ack, CallError when it refuses.
        """
        socket = self._socket
        if socket is None or not self.is_live:
            raise NoAnswerError("Not connected.")
        acked: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def take(ack: Any = None) -> None:
            if on_ack is not None and isinstance(ack, dict) and ack.get("ok") is True:
                on_ack(ack)
            if not acked.done():
                acked.set_result(ack)

        lost = asyncio.create_task(self._lost.wait())
        try:
            await socket.emit(event, payload, callback=take)
            await asyncio.wait({acked, lost}, timeout=ACK_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
        except (socketio.exceptions.SocketIOError, OSError) as error:
            raise NoAnswerError(f"{event}: {error}") from error
        finally:
            lost.cancel()
        if not acked.done():
            acked.cancel()
            raise NoAnswerError(f"{event}: no ack.")
        ack = acked.result()
        if error_of_ack := call_error(ack):
            raise error_of_ack
        return ack

    async def _connect(self) -> None:
        """Connect and wait for `ready`. Raises CallError with what the server refuses it for, NoAnswerError."""
        refusals: list[Any] = []
        self._lost, self._ready = asyncio.Event(), asyncio.Event()
        socket = self._socket = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        lost = self._lost

        # Plain functions: they run at once, so events keep their order.
        def on_any(event: str, *payload: Any) -> None:
            if socket is self._socket:
                self._receive(event, payload[0] if payload else None)

        socket.on("*", on_any)
        socket.on("disconnect", lambda *_: lost.set())
        socket.on("connect_error", lambda data=None: refusals.append(data))
        try:
            await socket.connect(
                self._base_url,
                auth={"token": self._token},
                transports=list(self._transports),
                wait_timeout=CONNECT_TIMEOUT_S,
            )
            await asyncio.wait_for(self._first_of(self._ready, lost), READY_TIMEOUT_S)
        except (socketio.exceptions.SocketIOError, OSError, TimeoutError) as error:
            raise _refusal(refusals) or NoAnswerError(f"Not connected: {error}") from error
        if not self.is_live:
            raise _refusal(refusals) or NoAnswerError("The connection was lost before it was ready.")

    async def _first_of(self, *events: asyncio.Event) -> None:
        waits = [asyncio.create_task(event.wait()) for event in events]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _drop(self) -> None:
        socket, self._socket = self._socket, None
        was_live = self._ready.is_set()
        self._lost.set()
        self._ready.clear()
        if self._renewal is not None:
            self._renewal.cancel()
            self._renewal = None
        if was_live:
            self._on_event("disconnected", None)
        if socket is not None:
            with suppress(socketio.exceptions.SocketIOError, OSError, TimeoutError):  # it may be gone already
                await asyncio.wait_for(socket.shutdown(), CONNECT_TIMEOUT_S)

    def _receive(self, event: str, payload: Any) -> None:
        if event == "ready":
            self._ready.set()
        elif event == "session:ended":
            self._end_reason = str(payload["reason"])
            self._lost.set()
        elif event == "server:draining":
            self._drain_s = random.random() * float(payload["reconnect_in_ms"]) / 1000  # noqa: S311 - spreads clients
        elif event == "session:expiring":
            self._renewal = asyncio.create_task(self._renew())
        self._on_event(event, payload)

    async def _renew(self) -> None:
        """Go on with a new token. Should that fail, the server ends the connection, and the next has a new token."""
        try:
            token = await self._tokens.token(refused=self._token)
            await self.request("auth:refresh", {"token": token})
            self._token = token
        except SessionEndedError as ended:
            self._end_reason = ended.reason
            self._lost.set()
        except (CallError, NoAnswerError):
            pass


def _refusal(refusals: list[Any]) -> CallError | None:
    for data in refusals:
        body = data.get("data", data) if isinstance(data, dict) else data
        if error := call_error(body):
            return error
    return None
