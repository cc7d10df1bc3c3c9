"""A conversation's room on this gateway: its sockets, and the one order of its events."""

import asyncio
from collections.abc import Callable
from typing import Any

from prometheus_client import Counter

from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.protocol import wire

DELIVERED = Counter("gateway_delivered_total", "Events handed to sockets.")
GAPS = Counter("gateway_gaps_total", "Times that an event was missing and clients were told to sync.")

Event = dict[str, Any]
"""A `RoomEvent` of the contracts, as it came: checked by who built it."""

MAX_EARLY = 1_000


class Room:
    """Delivers in the order of `change_seq`.

    `heal` is called when what is missing does not come by itself; `on_gone` when a member left or was removed, with the
    sockets that had to leave the room.
    """

    def __init__(
        self,
        conversation_id: str,
        gap_wait_s: float,
        heal: "Callable[[Room], None]",
        on_gone: "Callable[[Room, str, list[Connection]], None]",
    ) -> None:
        self.id = conversation_id
        self.connections: set[Connection] = set()
        self.change_seq: int | None = None
        """Everything up to here was delivered; None until the state was read."""
        self.typing: dict[str, asyncio.TimerHandle] = {}
        self._early: dict[int, Event] = {}
        self._floors: dict[Connection, int] = {}
        self._gap_wait_s = gap_wait_s
        self._heal = heal
        self._on_gone = on_gone
        self._gap_timer: asyncio.TimerHandle | None = None

    # ── order ────────────────────────────────────────────────────────────────────────────────────────────────────

    def forget_position(self) -> None:
        """Delivery was broken: hold everything until the state is read again."""
        self.change_seq = None
        self._stop_waiting()

    def skip_gap(self) -> None:
        """What is missing will not come: go on with what is there."""
        if self.change_seq is not None and self._early:
            self.change_seq = min(self._early) - 1
            self._drain()

    def start(self, change_seq: int) -> None:
        """The state was read up to here; what has come since then is delivered now."""
        if self.change_seq is None or change_seq > self.change_seq:
            self.change_seq = change_seq
            self._drain()

    def accept(self, events: list[Event]) -> None:
        """Events of one commit, as they came from the channel."""
        for event in events:
            number = event.get("change_seq")
            if number is None:
                self._deliver(event)
            elif self.change_seq is not None and number == self.change_seq + 1:
                self.change_seq = number
                self._deliver(event)
            elif self.change_seq is None or number > self.change_seq:
                self._early[number] = event
        if self._early:
            self._drain()

    def _drain(self) -> None:
        """Deliver what is next in order; wait a little for what is missing."""
        if self.change_seq is None:
            if len(self._early) > MAX_EARLY:
                self._early.pop(min(self._early))
            return
        self._early = {number: event for number, event in self._early.items() if number > self.change_seq}
        while (event := self._early.pop(self.change_seq + 1, None)) is not None:
            self.change_seq += 1
            self._deliver(event)
        if not self._early:
            self._stop_waiting()
        elif self._gap_timer is None:
            self._gap_timer = asyncio.get_running_loop().call_later(self._gap_wait_s, self._give_up_waiting)

    def _give_up_waiting(self) -> None:
        self._gap_timer = None
        if self._early:
            GAPS.inc()
            self._heal(self)

    def _stop_waiting(self) -> None:
        if self._gap_timer is not None:
            self._gap_timer.cancel()
            self._gap_timer = None

    # ── members ──────────────────────────────────────────────────────────────────────────────────────────────────

    def add(self, connection: Connection) -> None:
        self.connections.add(connection)
        connection.rooms.add(self.id)

    def remove(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self._floors.pop(connection, None)
        connection.rooms.discard(self.id)

    def set_floor(self, connection: Connection, change_seq: int) -> None:
        """This connection has the state up to here already: leave it out of what is still on its way to the room."""
        if self.change_seq is None or change_seq > self.change_seq:
            self._floors[connection] = change_seq

    def close(self) -> None:
        self._stop_waiting()
        for timer in self.typing.values():
            timer.cancel()
        self.typing.clear()

    # ── delivery ─────────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, packet: wire.Encoded, *, origin: str | None = None, but_user: str | None = None) -> None:
        """To every socket of the room but the one that caused it, or but all of one person."""
        for connection in list(self.connections):
            if connection.id != origin and connection.user_id != but_user:
                connection.send(packet, self.id)
        DELIVERED.inc(len(self.connections))

    def _deliver(self, event: Event) -> None:
        kind = event["event"]
        if kind in ("message:new", "message:updated", "message:deleted"):
            self._deliver_message(kind, event)
        elif kind == "receipt:updated":
            self.send(wire.event(kind, event["payload"]), origin=event.get("origin"))
        elif kind == "member:changed":
            self._deliver_member(event)
        elif kind == "conversation:updated":
            self._deliver_views(event)

    def _deliver_message(self, kind: str, event: Event) -> None:
        packet = wire.event(kind, event["payload"])
        number, origin = event["change_seq"], event.get("origin")
        if kind == "message:new" and event["user_id"] in self.typing:
            self.stop_typing(event["user_id"])
        floors, frame = self._floors, packet.frame
        for connection in self.connections:
            if connection.id == origin or (floors and not self._passes(connection, number)):
                continue
            if connection.held is None and (write := connection.socket.write_frame) is not None:
                write(frame)
            else:
                connection.send(packet, self.id, number)
        DELIVERED.inc(len(self.connections))

    def _passes(self, connection: Connection, number: int) -> bool:
        floor = self._floors.get(connection)
        if floor is None:
            return True
        if number >= floor:
            del self._floors[connection]
        return number > floor

    def _deliver_member(self, event: Event) -> None:
        """The one it is about learns of a removal as such, and hears nothing of the room from then on."""
        number, payload = event["change_seq"], event["payload"]
        packet = wire.event("member:changed", payload)
        gone = payload["user_id"] if payload["role"] is None else None
        left = []
        for connection in list(self.connections):
            if not self._passes(connection, number):
                continue
            if connection.user_id == gone:
                connection.send(wire.event("conversation:removed", {"id": self.id}))
                self.remove(connection)
                left.append(connection)
            elif connection.id != event.get("origin"):
                connection.send(packet, self.id, number)
        if gone is not None:
            self.stop_typing(gone)
            self._on_gone(self, gone, left)

    def _deliver_views(self, event: Event) -> None:
        """A conversation differs from member to member: the shared part and each one's own."""
        views = event["views"] or {}
        number = event["change_seq"]
        packets: dict[str, wire.Encoded] = {}
        for connection in self.connections:
            view = views.get(connection.user_id)
            if view is None or connection.id == event.get("origin") or not self._passes(connection, number):
                continue
            if connection.user_id not in packets:
                packets[connection.user_id] = wire.event("conversation:updated", {**event["payload"], **view})
            connection.send(packets[connection.user_id], self.id, number)

    # ── typing ───────────────────────────────────────────────────────────────────────────────────────────────────

    def start_typing(self, user_id: str, ttl_s: float) -> None:
        """Shown to the others until a stop, a message, the end of the socket, or `ttl_s` without a renewal."""
        known = self.typing.pop(user_id, None)
        if known is not None:
            known.cancel()
        self.typing[user_id] = asyncio.get_running_loop().call_later(ttl_s, self.stop_typing, user_id)
        self._send_typing(user_id, active=True)

    def stop_typing(self, user_id: str) -> None:
        timer = self.typing.pop(user_id, None)
        if timer is not None:
            timer.cancel()
            self._send_typing(user_id, active=False)

    def _send_typing(self, user_id: str, *, active: bool) -> None:
        payload = {"conversation_id": self.id, "user_id": user_id, "active": active}
        self.send(wire.event("typing", payload), but_user=user_id)
