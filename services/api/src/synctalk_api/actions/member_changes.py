"""The member changes of one transaction, numbered in sequence, with their events."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from synctalk_contracts import sockets
from synctalk_contracts.events.conversations import MemberChanged
from synctalk_contracts.models import Role
from synctalk_runtime import outbox
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Connection

from synctalk_api.actions.system_messages import system_message
from synctalk_api.clients.fanout import Broadcast
from synctalk_api.store import conversations, system_messages
from synctalk_api.store.conversations import LockedConversation
from synctalk_api.store.messages import MessageRow


class MemberChanges:
    def __init__(self, locked: LockedConversation) -> None:
        self.change_seq = locked.change_seq
        self.broadcast = Broadcast()
        self._conversation_id = locked.id
        self._last_seq = locked.last_seq
        self._says = locked.details.system_messages
        self._said: list[MessageRow] = []
        self._now = utc_now()
        self._events: list[MemberChanged] = []

    def next(self, user_id: str, role: Role | None, muted_until: datetime | None = None) -> int:
        """Record that the user has this role now (None: is gone), and return the number of the change."""
        self.change_seq += 1
        self._events.append(
            MemberChanged(conversation_id=self._conversation_id, user_id=user_id, role=role, change_seq=self.change_seq)
        )
        event = sockets.MemberChangedToClient(
            conversation_id=self._conversation_id,
            user_id=user_id,
            role=role,
            change_seq=self.change_seq,
            muted_until=muted_until,
        )
        self.broadcast.to_room(
            self._conversation_id,
            type(event),
            user_id,
            event.model_dump(mode="json"),
            change_seq=self.change_seq,
        )
        return self.change_seq

    def say(self, user_id: str, what: Mapping[str, Any]) -> None:
        """Let the group say what this user did, where it has such messages."""
        if self._says:
            self.change_seq += 1
            self._last_seq += 1
            numbers = {"seq": self._last_seq, "change_seq": self.change_seq}
            row = system_message(self.broadcast, self._conversation_id, user_id, what, **numbers, now=self._now)
            self._said.append(row)

    async def save(self, conn: Connection, *, more_members: int = 0) -> None:
        await conversations.count_changes(
            conn, self._conversation_id, self.change_seq, self._now, more_members=more_members
        )
        await outbox.add(conn, self._events)
        await system_messages.insert(conn, self._said, self._now)
