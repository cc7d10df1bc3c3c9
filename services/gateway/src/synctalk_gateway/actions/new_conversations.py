"""A user is in a conversation from now on: their sockets join its room and get `conversation:new`, without a gap.

One user's new conversations are joined together, one batch after the other, so that a user who is added to many groups
quickly is paused briefly and seldom. What is beyond the queue is found when the gateway looks for active conversations.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from synctalk_contracts.encoding import fanout
from synctalk_runtime.background import Tasks, wait
from synctalk_runtime.errors import UnavailableError

from synctalk_gateway.actions.presence import PresenceSubscriptions
from synctalk_gateway.actions.resync import close_all
from synctalk_gateway.actions.subscribing import all_subscribed
from synctalk_gateway.clients.api import Api
from synctalk_gateway.hub import packets
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.registry import Registry
from synctalk_gateway.protocol.wire import Encoded

REJOIN_WAIT_S = 2.0
PAUSE_S = 0.05
"""Between two batches of one user."""
MAX_BATCH = 100
MAX_QUEUED = 1_000

Conversation = dict[str, Any]


@dataclass(slots=True)
class _Queue:
    """The conversations that one user is to join."""

    conversations: dict[str, tuple[float, Conversation]] = field(default_factory=dict)
    """By id, with the loop's time at which it was added."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """There is more in it, or something happened in a room that one of them waits for."""

    def put(self, conversation: Conversation) -> None:
        self.conversations[conversation["id"]] = (asyncio.get_running_loop().time(), conversation)
        self.changed.set()


class NewConversations:
    """The conversations that users came into, and whose rooms they are not in yet."""

    def __init__(self, registry: Registry, api: Api, presence: PresenceSubscriptions, tasks: Tasks) -> None:
        self._registry = registry
        self._api = api
        self._presence = presence
        self._tasks = tasks
        self._queued: dict[str, _Queue] = {}

    def receive(self, user_id: str, data: bytes) -> None:
        """Take one message of the user's channel: a `UserEvent`, a `ProfileEvent` or a `ContactsEvent`."""
        event = fanout.read_user(data)
        if "user" in event:
            self._registry.profiles.send_soon(event["user"])
        elif "conversation" in event:
            self.add(user_id, event["conversation"])
        else:
            for connection in self._registry.by_user.get(user_id, ()):
                self._presence.refresh_soon(connection)

    def add(self, user_id: str, conversation: Conversation) -> None:
        """Join it soon; of the same one twice, the later counts."""
        queue = self._queued.get(user_id)
        if queue is None:
            queue = self._queued[user_id] = _Queue()
            self._tasks.spawn("new-conversations", self._work(user_id, queue))
        if len(queue.conversations) < MAX_QUEUED or conversation["id"] in queue.conversations:
            queue.put(conversation)
        else:
            for connection in self._registry.by_user.get(user_id, ()):
                connection.partial = True

    async def _work(self, user_id: str, queue: _Queue) -> None:
        try:
            while queue.conversations:
                queue.changed.clear()
                batch = self._take(user_id, queue)
                if batch:
                    await self._join(user_id, batch)
                    await asyncio.sleep(PAUSE_S)
                else:
                    await self._until_changed(queue)
        except Exception:
            close_all(self._registry.by_user.get(user_id, ()))
            raise
        finally:
            del self._queued[user_id]

    def _take(self, user_id: str, queue: _Queue) -> list[Conversation]:
        """Take a batch. After a removal that is not delivered yet a conversation waits for it, for a while."""
        overdue = asyncio.get_running_loop().time() - REJOIN_WAIT_S
        batch = [
            conversation
            for added_at, conversation in queue.conversations.values()
            if added_at <= overdue or self._has_left(user_id, conversation)
        ][:MAX_BATCH]
        for conversation in batch:
            del queue.conversations[conversation["id"]]
        return batch

    async def _until_changed(self, queue: _Queue) -> None:
        """Wait until the queue or a room in question has changed, or the first of the conversations is overdue."""
        rooms = [room for id_ in queue.conversations if (room := self._registry.rooms.get(id_)) is not None]
        overdue_at = min(added_at for added_at, _ in queue.conversations.values()) + REJOIN_WAIT_S
        for room in rooms:
            room.change_events.add(queue.changed)
        try:
            await wait(queue.changed, overdue_at - asyncio.get_running_loop().time())
        finally:
            for room in rooms:
                room.change_events.discard(queue.changed)

    def _has_left(self, user_id: str, conversation: Conversation) -> bool:
        """Return whether the room is past the time before the user came (back) into it."""
        room = self._registry.rooms.get(conversation["id"])
        if room is None or not room.sequencer.is_behind(conversation["change_seq"]):
            return True
        return not any(connection.user_id == user_id for connection in room.connections)

    async def _join(self, user_id: str, conversations: list[Conversation]) -> None:
        """Send `conversation:new` of each, then whatever happened there since."""
        joining = self._pause_joining(user_id, conversations)
        if not joining:
            return
        subscribed = [
            self._registry.join(conversation["id"], connection)
            for connection, new in joining.items()
            for conversation in new
        ]
        try:
            await all_subscribed(subscribed)
            cursors = {conversation["id"]: conversation["change_seq"] for conversation in conversations}
            states: dict[str, Any] = (await self._api.sync(user_id, cursors))["conversations"]
        except UnavailableError:
            # They are in the rooms, whose position is unknown. The client learns of the conversation and loads it.
            states = {c["id"]: {"reset": True, "change_seq": c["change_seq"]} for c in conversations}
        for connection, new in joining.items():
            self._settle(connection, new, states)
            if connection.unrelated or _is_with_watched(connection, new):
                self._presence.refresh_soon(connection)

    def _pause_joining(self, user_id: str, conversations: list[Conversation]) -> dict[Connection, list[Conversation]]:
        """Pause those sockets of the user that are not in all of these rooms; return what is new to each."""
        joining: dict[Connection, list[Conversation]] = {}
        for connection in list(self._registry.by_user.get(user_id, ())):
            new = [c for c in conversations if not self._registry.is_in(connection, c["id"])]
            if connection.partial or connection.joining:
                # It may be in there already, since its user wrote there, and not know it yet.
                for conversation in conversations:
                    if conversation not in new:
                        connection.send(packets.conversation_new(conversation))
            if new:
                joining[connection] = new
                connection.pause()
        return joining

    def _settle(self, connection: Connection, new: list[Conversation], states: Mapping[str, Any]) -> None:
        first: list[Encoded] = []
        reached: dict[str, int] = {}
        for conversation in new:
            state = states[conversation["id"]]
            room = self._registry.rooms.get(conversation["id"])
            if state.get("removed"):
                if room is not None:
                    room.leave(connection)
                continue
            reached[conversation["id"]] = state["change_seq"]
            first += [packets.conversation_new(conversation), *_since(conversation, state)]
            if room is not None:
                room.note_state(connection, state["change_seq"])
        connection.resume(reached, first)


def _is_with_watched(connection: Connection, conversations: list[Conversation]) -> bool:
    """Return whether one is a direct one with a user whose presence the connection gets: more of that may be seen."""
    return any((c.get("peer") or {}).get("id") in connection.watching for c in conversations)


def _since(conversation: Conversation, state: dict[str, Any]) -> list[Encoded]:
    """Encode what happened between the announced conversation and the state, in the order of `change_seq`."""
    if state.get("reset") or state.get("more"):
        return [packets.sync_required([conversation["id"]])]
    changes = [
        (m["change_seq"], packets.message(m, new=m["seq"] > conversation["last_seq"])) for m in state["messages"]
    ]
    changes += [(m["change_seq"], packets.member_changed(conversation["id"], m)) for m in state["members"]]
    events = [packet for _, packet in sorted(changes, key=lambda change: change[0])]
    if state["conversation"]["title"] != conversation["title"]:
        events.append(packets.conversation_changed(state["conversation"]))
    return events
