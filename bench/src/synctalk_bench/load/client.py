"""One lean Socket.IO client: it uses the real protocol, reads no more than it must, and checks every message.

It does what the interface asks of clients: a message that is refused for now is sent again under the same id, and who
is asked to sync does.
"""

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from synctalk_bench.load import wire
from synctalk_bench.load.cursor import Cursor
from synctalk_bench.load.ledger import Ledger
from synctalk_bench.load.plan import Seat
from synctalk_bench.load.tally import Tally

CONNECT_TIMEOUT_S = 30.0
ATTEMPTS = 5
READ_BUFFER_BYTES = 4096
RETRY_AFTER_S = 0.5
RETRYABLE = frozenset({"unavailable", "rate_limited"})

Answer = dict[str, Any]


class RefusedError(Exception):
    """The server does not want this connection; the text says what it answered."""


class Client(WSListener):
    def __init__(self, seat: Seat, tally: Tally) -> None:
        self.seat = seat
        self.ledger: Ledger | None = None
        self._cursor = Cursor(0)
        self.waiting: dict[int, Callable[[Answer], None]] = {}
        """What to do with each answer that is still to come, by the ack's number."""
        self._tally = tally
        self._transport: WSTransport | None = None
        self._accepted = False
        self._last_seq: int | None = None
        self._ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._next_ack = 0
        self._leaving = False

    async def ready(self) -> int:
        """The conversation's `last_seq` at the moment from which on this socket receives all of it."""
        return await self._ready

    def send(self, client_message_id: str, body_chars: int) -> None:
        sent_ns = time.monotonic_ns()
        body = wire.body_text(sent_ns, client_message_id, body_chars)
        conversation_id = self.seat.conversation_id
        payload = {"conversation_id": conversation_id, "client_message_id": client_message_id, "body": body}
        self._call("message:send", payload, lambda answer: self._on_stored(answer, payload, sent_ns))

    def close(self) -> None:
        self._leaving = True
        self._ready.cancel()
        if self._transport is not None:
            self._write(wire.DISCONNECT)
            self._transport.disconnect(graceful=True)

    # ── the websocket ────────────────────────────────────────────────────────────────────────────────────────────

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        # picows asks for an immediate ACK of every segment, which no stock client does and whose cost, on one machine,
        # is charged to who sends.
        raw = transport.underlying_transport.get_extra_info("socket")
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()
            return
        data = frame.get_payload_as_bytes()
        if data.startswith(wire.NEW_MESSAGE):
            self._on_new_message(data)
        elif data.startswith(wire.ACK):
            self._on_ack(data)
        elif data == wire.PING:
            self._write(wire.PONG)
        else:
            self._on_other(data)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._transport = None
        if not self._ready.done():
            self._ready.set_exception(ConnectionError("closed before it was ready"))
        elif not self._leaving:
            self._tally.faults["connection lost"] += 1

    def _write(self, packet: bytes) -> None:
        if self._transport is not None:
            self._transport.send(WSMsgType.TEXT, packet)

    # ── the protocol ─────────────────────────────────────────────────────────────────────────────────────────────

    def _on_new_message(self, data: bytes) -> None:
        message = self._tally.parse(data)
        if message is None or self.ledger is None or message.conversation_id != self.seat.conversation_id:
            self._tally.faults["unexpected message"] += 1
            return
        self._tally.delivered(message.sent_ns)
        if message.sender_id == self.seat.user_id:
            self._tally.faults["echoed to its sender"] += 1
        self.ledger.received(message.seq)
        self._cursor.saw(message.change_seq)

    def _call(self, event: str, payload: dict[str, Any], then: Callable[[Answer], None], after_s: float = 0.0) -> None:
        ack_id, self._next_ack = self._next_ack, self._next_ack + 1
        self.waiting[ack_id] = then
        packet = wire.event(ack_id, event, payload)
        if after_s:
            asyncio.get_running_loop().call_later(after_s, self._write, packet)
        else:
            self._write(packet)

    def _on_ack(self, data: bytes) -> None:
        ack_id, answer = wire.parse_ack(data)
        then = self.waiting.pop(ack_id, None)
        if then is None:
            self._tally.faults["acked twice"] += 1
        else:
            then(answer)

    def _on_stored(self, answer: Answer, payload: dict[str, Any], sent_ns: int) -> None:
        if answer["ok"] and self.ledger is not None:
            self._tally.acked_after(sent_ns)
            message = answer["message"]
            self._tally.acked[self.seat.conversation_id].append(message["seq"])
            self.ledger.acked(message["seq"])
            self._cursor.saw(message["change_seq"])
            return
        error = answer["error"]
        if error["code"] in RETRYABLE:
            self._tally.retries += 1
            again_s = error.get("retry_after", RETRY_AFTER_S)
            self._call("message:send", payload, lambda later: self._on_stored(later, payload, sent_ns), again_s)
        else:
            self._tally.faults[f"refused: {error['code']}"] += 1

    def _sync(self, after_s: float = 0.0) -> None:
        self._call("sync", {"cursors": {self.seat.conversation_id: self._cursor.at}}, self._on_synced, after_s)

    def _on_synced(self, answer: Answer) -> None:
        if not answer["ok"]:
            self._sync(answer["error"].get("retry_after", RETRY_AFTER_S))
            return
        state = answer["conversations"][self.seat.conversation_id]
        if self.ledger is None or "messages" not in state:
            self._tally.faults["sync brought no messages"] += 1
            return
        for message in state["messages"]:
            if message["sender_id"] != self.seat.user_id:
                self.ledger.synced(message["seq"])
        self._cursor.reached(state["change_seq"])
        if state["more"]:
            self._sync()

    def _on_other(self, data: bytes) -> None:
        if data.startswith(wire.EVENT):
            self._on_event(*wire.parse_event(data))
        elif data.startswith(wire.CONNECT_ERROR):
            self._refuse(f"connect_error: {data[2:200].decode(errors='replace')}")
        elif data.startswith(wire.CONNECT):
            self._accepted = True
            self._check_ready()
        elif data.startswith(wire.OPEN):
            self._write(wire.connect(self.seat.token))
        elif data.startswith((wire.DISCONNECT, wire.CLOSE)):
            self._tally.faults["disconnected by the server"] += 1

    def _on_event(self, name: str, payload: Any) -> None:
        """Only what says that something is not well is of interest: presence, typing and receipts pass."""
        if name == "ready":
            self._on_ready({one["id"]: one for one in payload["conversations"]})
        elif name == "sync:required":
            self._tally.syncs += 1
            self._sync()
        elif name in ("session:ended", "server:draining"):
            self._tally.faults[name] += 1

    def _on_ready(self, conversations: dict[str, dict[str, int]]) -> None:
        mine = conversations.get(self.seat.conversation_id)
        if mine is None:
            self._refuse("the server does not know that it is a member")
            return
        self._last_seq, self._cursor = mine["last_seq"], Cursor(mine["change_seq"])
        self._check_ready()

    def _check_ready(self) -> None:
        """Servers may say `ready` before or after the CONNECT packet."""
        if self._accepted and self._last_seq is not None and not self._ready.done():
            self.ledger = Ledger(self._last_seq)
            self._ready.set_result(self._last_seq)

    def _refuse(self, reason: str) -> None:
        if not self._ready.done():
            self._ready.set_exception(RefusedError(reason))


async def connect(url: str, seat: Seat, tally: Tally) -> Client:
    """A client that is ready. Like stock clients it tries again when the server is busy or the connection is lost."""
    address = f"{url.replace('http', 'ws', 1)}/socket.io/?EIO=4&transport=websocket"
    for attempt in range(ATTEMPTS):
        client = Client(seat, tally)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await ws_connect(
                    lambda client=client: client,
                    address,
                    read_buffer_init_size=READ_BUFFER_BYTES,
                    websocket_handshake_timeout=CONNECT_TIMEOUT_S,
                )
                await client.ready()
                return client
        except (OSError, TimeoutError, WSError) as error:
            client.close()
            if attempt == ATTEMPTS - 1:
                raise RefusedError(f"no connection after {ATTEMPTS} attempts: {error!r}") from error
            await asyncio.sleep(0.5 * 2**attempt)
    raise AssertionError("unreachable")
