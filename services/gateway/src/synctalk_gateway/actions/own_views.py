"""What a large group that has changed is to each user here: read from api, a portion of the users at a time.

A change of a small group is published with what it is to each member. Of 10,000 members few are connected, and which is
known here alone. The sockets have the change's number already; the conversation as it is now follows outside the order,
and never older than what they have: where messages come faster than it is read, the client is asked to sync.
"""

import asyncio
from functools import partial

from prometheus_client import Counter
from synctalk_contracts.ids import SYSTEM_USER_ID
from synctalk_contracts.internal import VIEWS_USERS_MAX, ConversationViews
from synctalk_runtime.background import Tasks
from synctalk_runtime.errors import UnavailableError

from synctalk_gateway.clients.api import Api
from synctalk_gateway.clients.reads import StateReads
from synctalk_gateway.hub import packets
from synctalk_gateway.hub.room import Room
from synctalk_gateway.hub.sequencer import Event

SYNCED = Counter("gateway_views_synced_total", "Users asked to sync because what their group is to them was not read.")

TRIES = 3
PAUSE_S = 0.02
"""After each portion: a large group leaves api to others in between."""


class OwnViews:
    """Reads one room at a time for each that has changed; once more when it has changed meanwhile."""

    def __init__(self, api: Api, reads: StateReads, tasks: Tasks) -> None:
        self._api = api
        self._reads = reads
        self._tasks = tasks
        self._changed: set[Room] = set()
        self._reading: set[Room] = set()

    def read_soon(self, room: Room) -> None:
        self._changed.add(room)
        if room not in self._reading:
            self._reading.add(room)
            self._tasks.spawn("own-views", self._read(room))

    async def _read(self, room: Room) -> None:
        try:
            while room in self._changed:
                self._changed.discard(room)
                users = sorted({connection.user_id for connection in room.connections})
                for start in range(0, len(users), VIEWS_USERS_MAX):
                    await self._read_portion(room, users[start : start + VIEWS_USERS_MAX])
                    await asyncio.sleep(PAUSE_S)
        finally:
            self._reading.discard(room)
            self._changed.discard(room)

    async def _read_portion(self, room: Room, user_ids: list[str]) -> None:
        for _ in range(TRIES):
            try:
                state = await self._reads.read(partial(self._api.views, room.id, user_ids))
            except UnavailableError:
                break
            if state.conversation is None:
                return
            if not room.sequencer.is_beyond(state.conversation.change_seq):
                room.sequencer.accept([_event(state)])
                return
        asked = set(user_ids)
        SYNCED.inc(len(asked))
        packet = packets.sync_required([room.id])
        for connection in room.connections:
            if connection.user_id in asked:
                connection.send(packet)


def _event(state: ConversationViews) -> Event:
    """Return it as one that api published beside the order, not to be delivered before what it counts."""
    assert state.conversation is not None
    return {
        "event": "conversation:updated",
        "change_seq": None,
        "after": state.conversation.change_seq,
        "origin": None,
        "user_id": SYSTEM_USER_ID,
        "payload": state.conversation.model_dump(mode="json"),
        "views": {each: view.model_dump(mode="json", exclude_unset=True) for each, view in state.views.items()},
    }
