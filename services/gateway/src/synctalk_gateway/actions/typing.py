"""Typing: from gateway to gateways over the conversation's channel; each receiver ends it.

An event names the connection on which the user types: with two connections typing goes on until both have stopped. The
end by a message is published before the message is sent, so that what is typed after it is not taken for what came
before.
"""

import time
from contextlib import suppress
from dataclasses import dataclass, field

from synctalk_contracts import topology
from synctalk_contracts.fanout import RoomBatch, RoomEvent
from synctalk_runtime import fanout
from synctalk_runtime.background import Tasks
from synctalk_runtime.errors import AppError, UnavailableError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.redis_pipeline import RedisPipeline

from synctalk_gateway import acks
from synctalk_gateway.acks import Ack, PendingAck
from synctalk_gateway.clients.api import Api
from synctalk_gateway.hub.connection import Connection, Typed
from synctalk_gateway.hub.registry import Registry
from synctalk_gateway.hub.room import Room, TypingRefusal

RENEWAL_S = 2.0
"""A renewal sooner than this after the last one is not published."""


@dataclass(frozen=True, slots=True)
class Typing:
    registry: Registry
    api: Api
    redis: RedisPipeline
    tasks: Tasks
    max_members: int
    """Of a conversation in which typing is shown."""

    _asking: dict[tuple[str, str], list[tuple[Connection, PendingAck]]] = field(default_factory=dict)
    """By room and user about whom api is being asked, those that wait for it: it is asked once."""

    async def start(
        self, connection: Connection, conversation_id: str, thread_id: str | None = None
    ) -> Ack | PendingAck:
        """Publish that the user types, in conversations that are not too large for it; refuse it to who may not write.

        Of who has not typed there yet api knows it: meanwhile the socket's next event is handled. Typing elsewhere in
        the conversation ends.
        """
        now = time.monotonic()
        typed = Typed(thread_id, now)
        room = self.registry.rooms.get(conversation_id)
        if room is None:
            return acks.done()
        known = connection.user_id in room.typing_refusals
        refusal = room.typing_refusals.get(connection.user_id)
        if refusal is not None and refusal.holds(utc_now()):
            return {"ok": False, "error": refusal.error}
        before = connection.typing.get(conversation_id)
        if before is not None and before.thread_id != thread_id:
            await self.stop(connection, conversation_id)
            before = None
        if (conversation_id, connection.user_id) in self._asking:
            connection.typing[conversation_id] = typed
            return self._ask(room, connection)
        if before is not None and now - before.published_at < RENEWAL_S:
            return acks.done()
        if known and refusal is None and room.members_count is not None:
            await self._start_in(room, connection, thread_id)
            return acks.done()
        connection.typing[conversation_id] = typed
        return self._ask(room, connection)

    async def _start_in(self, room: Room, connection: Connection, thread_id: str | None) -> None:
        now = time.monotonic()
        if (room.members_count or 0) <= self.max_members and room.take_typing_token(now):
            connection.typing[room.id] = Typed(thread_id, now)
            await self._publish(connection, room.id, thread_id, active=True)
        else:
            connection.typing.pop(room.id, None)

    def _ask(self, room: Room, connection: Connection) -> PendingAck:
        ack = PendingAck()
        place = (room.id, connection.user_id)
        if place in self._asking:
            self._asking[place].append((connection, ack))
        else:
            self._asking[place] = [(connection, ack)]
            self.tasks.spawn("typing", self._ask_and_start(connection.user_id, room))
        return ack

    async def _ask_and_start(self, user_id: str, room: Room) -> None:
        """Run beside the socket's other events, so that none waits for api. While it is away everybody may type."""
        refusal = None
        refusals = room.typing_refusals
        try:
            with suppress(AppError):
                state = await self.api.typing(user_id, room.id)
                refusal = None if state.refusal is None else TypingRefusal(state.refusal, state.until)
                if refusals is room.typing_refusals:
                    room.members_count = state.members_count
                    refusals[user_id] = refusal
        finally:
            waiting = self._asking.pop((room.id, user_id))
        for connection, ack in waiting:
            if refusal is not None:
                connection.typing.pop(room.id, None)
                ack.set({"ok": False, "error": refusal.error})
                continue
            ack.set(acks.done())
        for connection in {connection for connection, _ in waiting}:
            typed = connection.typing.get(room.id)
            if typed is not None:
                with suppress(UnavailableError):
                    await self._start_in(room, connection, typed.thread_id)

    async def stop(self, connection: Connection, conversation_id: str) -> None:
        typed = connection.typing.pop(conversation_id, None)
        if typed is not None:
            await self._publish(connection, conversation_id, typed.thread_id, active=False)

    def end(self, connection: Connection, conversation_id: str) -> None:
        """Stop it beside whatever ends it: a message, or the end of the socket."""
        if conversation_id in connection.typing:
            self.tasks.spawn("typing", self._end(connection, conversation_id))

    async def _end(self, connection: Connection, conversation_id: str) -> None:
        with suppress(UnavailableError):  # then it ends by its time
            await self.stop(connection, conversation_id)

    async def _publish(
        self, connection: Connection, conversation_id: str, thread_id: str | None, *, active: bool
    ) -> None:
        payload = {
            "conversation_id": conversation_id,
            "thread_id": thread_id,
            "user_id": connection.user_id,
            "active": active,
        }
        event = RoomEvent(event="typing", origin=connection.id, user_id=connection.user_id, payload=payload)
        batch = RoomBatch(conversation_id=conversation_id, events=[event])
        await fanout.publish(self.redis, [(topology.conversation_channel(conversation_id), batch.to_bytes())])
