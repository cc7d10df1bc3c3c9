"""A conversation's room on this gateway: its sockets, and who of them gets which event.

An event is encoded and framed once, and the same bytes go to every socket of the room but the one that caused it. The
sequencer keeps the order; what the room needs from the rest of the gateway it asks for through `RoomCallbacks`.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from prometheus_client import Counter
from synctalk_contracts.encoding import fanout
from synctalk_runtime.limits import Limit

from synctalk_gateway.hub import packets
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.profiles import Profiles
from synctalk_gateway.hub.receipts import ReceiptChanges
from synctalk_gateway.hub.sequencer import Event, Sequencer
from synctalk_gateway.hub.threads import ThreadChanges
from synctalk_gateway.hub.typing import Place, TypingUsers
from synctalk_gateway.protocol.buckets import TokenBucket
from synctalk_gateway.protocol.wire import Encoded

DELIVERED = Counter("gateway_delivered_total", "Events handed to sockets.")

RECEIPTS_AT_ONCE = 100
"""Sockets of a room up to which each gets every receipt at once."""


class RoomCallbacks(Protocol):
    """The callbacks of rooms into the rest of the gateway."""

    def on_gap(self, room: "Room") -> None:
        """Handle that what is missing did not come by itself: the state has to be read."""

    def on_member_removed(self, room: "Room", user_id: str, removed: list[Connection]) -> None:
        """A member left or was removed, and these sockets with them."""

    def on_views_missing(self, room: "Room") -> None:
        """The conversation has changed, and how each user here sees it has to be read."""


@dataclass(frozen=True, slots=True)
class TypingRefusal:
    """The reason why a user may not type in a conversation."""

    error: dict[str, Any]
    until: datetime | None
    """When it ends by itself."""

    def holds(self, now: datetime) -> bool:
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class RoomSettings:
    gap_wait_s: float
    typing_ttl_s: float
    typing_limit: Limit


class Room:
    """The sockets of one conversation. `on_empty` is called when the last one is gone."""

    __slots__ = (
        "_events",
        "_on_empty",
        "_profiles",
        "_read_up_to",
        "_receipts",
        "_settings",
        "_threads",
        "_typing_bucket",
        "change_events",
        "check_running",
        "connections",
        "id",
        "members_count",
        "sequencer",
        "typing",
        "typing_refusals",
    )

    def __init__(
        self,
        conversation_id: str,
        settings: RoomSettings,
        events: RoomCallbacks,
        profiles: Profiles,
        on_empty: "Callable[[Room], None]",
    ) -> None:
        self.id = conversation_id
        self.connections: set[Connection] = set()
        self.sequencer = Sequencer(self, settings.gap_wait_s)
        self.typing = TypingUsers(self._show_typing, settings.typing_limit)
        self._threads: ThreadChanges | None = None
        """None: there was no change yet. Most rooms have no threads, and a gateway has many rooms."""
        self._receipts: ReceiptChanges | None = None
        """None: it has never had many sockets."""
        self.change_events: set[asyncio.Event] = set()
        """Set whenever its position or its sockets may have changed, for those who wait for that."""
        self.check_running = False
        """A check whether it stays behind api is under way."""
        self.members_count: int | None = None
        """None: not known, or it has changed since."""
        self.typing_refusals: dict[str, TypingRefusal | None] = {}
        """Whether users may type here, of those who tried; another dict after each change that may concern it."""
        self._settings = settings
        self._events = events
        self._profiles = profiles
        self._on_empty = on_empty
        self._typing_bucket: TokenBucket | None = None
        self._read_up_to: dict[Connection, int] = {}

    # ── sockets ──────────────────────────────────────────────────────────────────────────────────────────────────

    def add(self, connection: Connection) -> None:
        self.connections.add(connection)
        connection.enter(self.id)

    def leave(self, connection: Connection) -> None:
        self._remove(connection)
        self._close_if_empty()

    def _close_if_empty(self) -> None:
        if not self.connections:
            self._on_empty(self)

    def evict(self, connection: Connection) -> None:
        """Take out a socket whose user is no longer a member, and notify it."""
        if connection in self.connections:
            connection.send(packets.conversation_removed(self.id))
            self.leave(connection)
            self._events.on_member_removed(self, connection.user_id, [connection])

    def _remove(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self._read_up_to.pop(connection, None)
        connection.rooms.discard(self.id)
        self._note_change()

    def _note_change(self) -> None:
        for event in self.change_events:
            event.set()

    def note_state(self, connection: Connection, change_seq: int) -> None:
        """Note that this socket has the state up to here: what is still on its way up to that number is not for it."""
        reached = self.sequencer.change_seq
        if connection in self.connections and (reached is None or change_seq > reached):
            self._read_up_to[connection] = change_seq
        if reached is None:
            self.sequencer.start(change_seq)

    def has_read_beyond(self, connection: Connection, change_seq: int) -> bool:
        """Return whether this socket has read a newer state for itself."""
        return self._read_up_to.get(connection, -1) > change_seq

    def close(self) -> None:
        self.sequencer.close()
        self.typing.close()
        for changes in self._collected():
            changes.close()

    # ── what comes on the channel ────────────────────────────────────────────────────────────────────────────────

    def receive(self, data: bytes) -> None:
        """Take one message of the conversation's channel: a `RoomBatch` or a `ProfileEvent`."""
        message = fanout.read_conversation(data)
        if "user" in message:
            self._profiles.send_soon(message["user"], self)
        elif message["events"][0]["event"] == "typing":
            self._receive_typing(message["events"][0])
        else:
            self._receive_events(message["events"])

    def _receive_events(self, events: list[Event]) -> None:
        try:
            self.sequencer.accept(events)
        except Exception:  # its number counts as delivered, though it may not be
            self._events.on_gap(self)
            raise
        finally:
            self._note_change()

    # ── what the sequencer calls ─────────────────────────────────────────────────────────────────────────────────

    def deliver(self, event: Event) -> None:
        """Deliver the next event in order; other kinds than these are of a newer version, and ignored."""
        kind = event["event"]
        if kind in ("message:new", "message:updated", "message:deleted"):
            self._deliver_message(kind, event)
        elif kind == "receipt:updated":
            self._deliver_receipt(event)
        elif kind in ("message:delta", "message:ephemeral"):
            self.send(packets.room_event(event), origin=event.get("origin"), but_users=event.get("hidden_from") or ())
        elif kind == "thread:changed":
            self._deliver_thread(event)
        elif kind == "thread:updated":
            self._deliver_own_thread(event)
        elif kind == "member:changed":
            self._deliver_member(event)
        elif kind == "member:replaced":
            self._deliver_replaced(event)
        elif kind == "conversation:updated":
            self._deliver_conversation(event)
        elif kind == "conversation:removed":
            self._deliver_end()
        elif kind == "rights:changed":
            self._forget_rights()

    def on_waiting(self) -> None:
        self.typing.pause()
        for changes in self._collected():
            changes.pause()
        self._note_change()

    def on_caught_up(self) -> None:
        self.typing.resume()
        for changes in self._collected():
            changes.resume()
        self._note_change()

    def on_gap(self) -> None:
        self._events.on_gap(self)

    def _collected(self) -> list[ThreadChanges | ReceiptChanges]:
        return [changes for changes in (self._threads, self._receipts) if changes is not None]

    # ── delivery ─────────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, packet: Encoded, *, origin: str | None = None, but_users: Collection[str] = ()) -> None:
        """Send to every socket but the one that caused it, and but those of some users."""
        self._send_to([c for c in self.connections if c.user_id not in but_users], packet, origin=origin)

    def _send_to(self, connections: Sequence[Connection], packet: Encoded, *, origin: str | None = None) -> None:
        recipients = [connection for connection in connections if connection.id != origin]
        for connection in recipients:
            connection.send(packet, self.id)
        DELIVERED.inc(len(recipients))

    def _deliver_message(self, kind: str, event: Event) -> None:
        packet = packets.room_event(event)
        number, origin = event["change_seq"], event.get("origin")
        if event.get("hidden_from"):
            self._deliver_partly(packet, event)
            return
        if kind == "message:new" and origin is None:
            self._end_typing(event["user_id"])
        read_up_to, frame, skipped = self._read_up_to, packet.frame, 0
        for connection in self.connections:
            if connection.id == origin or (read_up_to and not self._is_after_own_state(connection, number)):
                skipped += 1
                continue
            # Straight to the transport: a call of `send` for each socket would double the cost of a delivery.
            if connection.buffer is None and (write := connection.socket.write_frame) is not None:
                write(frame)
            else:
                connection.send(packet, self.id, number)
        DELIVERED.inc(len(self.connections) - skipped)

    def _deliver_partly(self, packet: Encoded, event: Event) -> None:
        """Deliver a change of a message that does not exist for some members: they get its number alone."""
        number, hidden_from = event["change_seq"], set(event["hidden_from"])
        hidden = packets.change_hidden(self.id, number)
        for connection in self._behind(number):
            if connection.id != event.get("origin"):
                connection.send(hidden if connection.user_id in hidden_from else packet, self.id, number)
                DELIVERED.inc()

    def _deliver_thread(self, event: Event) -> None:
        """Send soon what a root message says of its thread, to everybody."""
        if self._threads is None:
            self._threads = ThreadChanges(self._send_thread)
        self._threads.accept(event)

    def _send_thread(self, event: Event) -> None:
        self.send(packets.room_event(event), but_users=set(event.get("hidden_from") or ()))

    def _deliver_receipt(self, event: Event) -> None:
        """Deliver how far a user has read: among many sockets at once to their own, and to the others in their turn."""
        if len(self.connections) <= RECEIPTS_AT_ONCE:
            self.send(packets.room_event(event), origin=event.get("origin"))
            return
        own = [c for c in self._profiles.sockets_of(event["user_id"]) if c in self.connections]
        self._send_to(own, packets.room_event(event), origin=event.get("origin"))
        if self._receipts is None:
            self._receipts = ReceiptChanges(self.connections, self._send_receipts)
        self._receipts.accept(event)

    def _send_receipts(self, events: Sequence[Event]) -> None:
        """Send these to each socket in one write; those of its own user it has."""
        encoded = {event["user_id"]: packets.room_event(event) for event in events}
        frames = b"".join(packet.frame for packet in encoded.values())
        for connection in self.connections:
            write = connection.socket.write_frame
            if connection.buffer is None and write is not None and connection.user_id not in encoded:
                write(frames)
                DELIVERED.inc(len(encoded))
            else:
                for user_id, packet in encoded.items():
                    if user_id != connection.user_id:
                        self._send_to([connection], packet)

    def _deliver_own_thread(self, event: Event) -> None:
        """Send what a thread is to a user to their own other sockets."""
        packet = packets.room_event(event)
        for connection in self.connections:
            if connection.user_id == event["user_id"] and connection.id != event.get("origin"):
                connection.send(packet, self.id)
                DELIVERED.inc()

    def _is_after_own_state(self, connection: Connection, number: int) -> bool:
        """Return whether the event is newer than the state that the socket has read; forget that state once reached."""
        read_up_to = self._read_up_to.get(connection)
        if read_up_to is None:
            return True
        if number >= read_up_to:
            del self._read_up_to[connection]
        return number > read_up_to

    def _deliver_member(self, event: Event) -> None:
        """Deliver a changed member. Who was removed gets that removal, and nothing of the room from then on."""
        self._deliver_member_to(self._behind(event["change_seq"]), event)

    def _behind(self, number: int) -> list[Connection]:
        """Return the sockets that have not read a state with this number."""
        return [connection for connection in self.connections if self._is_after_own_state(connection, number)]

    def _deliver_member_to(self, connections: list[Connection], event: Event) -> None:
        number, payload = event["change_seq"], event["payload"]
        packet = packets.room_event(event)
        gone = payload["user_id"] if payload["role"] is None else None
        removed = []
        for connection in connections:
            if connection.user_id == gone:
                connection.send(packets.conversation_removed(self.id))
                self._remove(connection)
                removed.append(connection)
            elif connection.id != event.get("origin"):
                connection.send(packet, self.id, number)
                DELIVERED.inc()
        self._forget_rights()
        if not self.connections:  # closed later: the sequencer is at work, and calls this
            asyncio.get_running_loop().call_soon(self._close_if_empty)
        if gone is not None:
            self.typing.stop_all(gone)
            self._events.on_member_removed(self, gone, removed)

    def _deliver_replaced(self, event: Event) -> None:
        """Deliver that a user is in the place of another one: one number, both members, and everybody loads anew.

        They are asked to before they have that number: a sync from it says nothing of what was before.
        """
        payload, number = event["payload"], event["change_seq"]
        sync = packets.sync_required([self.id])
        for connection in self.connections:
            if connection.user_id != payload["replaced_id"]:
                connection.send(sync)
        behind = self._behind(number)
        changes = [{"user_id": payload["replaced_id"], "role": None, "muted_until": None}]
        if payload["role"] is not None:
            changes.append({name: payload[name] for name in ("user_id", "role", "muted_until")})
        for change in changes:
            changed = {"conversation_id": self.id, "change_seq": number, **change}
            member_event = {**event, "event": "member:changed", "user_id": change["user_id"], "payload": changed}
            self._deliver_member_to([each for each in behind if each in self.connections], member_event)

    def _deliver_conversation(self, event: Event) -> None:
        """Deliver a conversation, which differs from member to member: the shared part and the member's view.

        Without a number it comes beside an event that has one, as with pins. Without views, of a large group, its
        number is delivered now, and the conversation when it has been read.
        """
        number = event["change_seq"]
        if number is not None:
            self._forget_rights()
        views = event.get("views")
        if views is None:
            self._deliver_number(number)
            self._events.on_views_missing(self)
            return
        encoded: dict[str, Encoded] = {}
        for connection in self.connections:
            view = views.get(connection.user_id)
            if view is None or connection.id == event.get("origin"):
                continue
            if number is not None and not self._is_after_own_state(connection, number):
                continue
            if connection.user_id not in encoded:
                encoded[connection.user_id] = packets.conversation_updated(event["payload"], view)
            connection.send(encoded[connection.user_id], self.id, number)
            DELIVERED.inc()

    def _deliver_number(self, number: int | None) -> None:
        if number is None:
            return
        packet = packets.change_hidden(self.id, number)
        for connection in self._behind(number):
            connection.send(packet, self.id, number)
            DELIVERED.inc()

    def _deliver_end(self) -> None:
        """Deliver that the conversation was deleted: nobody is in it any more."""
        removed: dict[str, list[Connection]] = {}
        for connection in list(self.connections):
            connection.send(packets.conversation_removed(self.id))
            self._remove(connection)
            removed.setdefault(connection.user_id, []).append(connection)
        DELIVERED.inc(sum(map(len, removed.values())))
        self._forget_rights()
        asyncio.get_running_loop().call_soon(self._close_if_empty)
        for user_id, connections in removed.items():
            self.typing.stop_all(user_id)
            self._events.on_member_removed(self, user_id, connections)

    def _forget_rights(self) -> None:
        self.members_count = None
        self.typing_refusals = {}

    # ── typing ───────────────────────────────────────────────────────────────────────────────────────────────────

    def take_typing_token(self, now: float) -> bool:
        """Return whether one more socket of this gateway may publish that it types here; `now` is monotonic seconds."""
        if self._typing_bucket is None:
            limit = self._settings.typing_limit
            self._typing_bucket = TokenBucket(limit.per_second, limit.burst, now)
        return self._typing_bucket.take(now)

    def _receive_typing(self, event: Event) -> None:
        payload = event["payload"]
        place = Place(event["user_id"], payload.get("thread_id"))
        if payload["active"]:
            self.typing.start(place, event["origin"], self._settings.typing_ttl_s)
        else:
            self.typing.stop(place, event["origin"])

    def _end_typing(self, user_id: str) -> None:
        """End it at a message by REST, which no socket sent; what the user types next is published at once."""
        self.typing.stop_all(user_id)
        for connection in self.connections:
            if connection.user_id == user_id:
                connection.typing.pop(self.id, None)

    def _show_typing(self, place: Place, active: bool) -> None:
        user_id, thread_id = place
        self.send(packets.typing(self.id, user_id, active=active, thread_id=thread_id), but_users=(user_id,))
