"""Users who came into a conversation without this gateway's knowledge, because the publish of it was lost."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from synctalk_runtime.background import Tasks
from synctalk_runtime.errors import UnavailableError

from synctalk_gateway.actions.new_conversations import NewConversations
from synctalk_gateway.clients.api import Api
from synctalk_gateway.hub.registry import Registry

GRACE_S = 1.0
"""Redis takes milliseconds: a socket that is in the room after this got the publish."""


@dataclass(frozen=True, slots=True)
class MissedMemberships:
    registry: Registry
    api: Api
    new_conversations: NewConversations
    tasks: Tasks

    def check_soon(self, conversation_id: str, change_seq: int, user_ids: Sequence[str]) -> None:
        """Check those of the users who are connected here, after a grace."""
        here = [user_id for user_id in user_ids if user_id in self.registry.by_user]
        if here:
            self.tasks.spawn("missed-memberships", self._check_later(conversation_id, change_seq, here))

    async def _check_later(self, conversation_id: str, change_seq: int, user_ids: Sequence[str]) -> None:
        await asyncio.sleep(GRACE_S)
        for user_id in user_ids:
            await self._check(conversation_id, change_seq, user_id)

    async def _check(self, conversation_id: str, change_seq: int, user_id: str) -> None:
        """Let a user who is still not in the room join the conversation, as it is now."""
        connections = self.registry.by_user.get(user_id, ())
        if all(self.registry.is_in(connection, conversation_id) for connection in connections):
            return
        try:
            synced = await self.api.sync(user_id, {conversation_id: change_seq - 1})
        except UnavailableError:
            for connection in connections:  # found when the gateway looks for active conversations
                connection.partial = True
            return
        conversation = synced["conversations"][conversation_id].get("conversation")
        if conversation is not None:
            self.new_conversations.add(user_id, conversation)
