"""Look-ups at api: which conversations somebody is in, and what changed there."""

from typing import Any

from synctalk_contracts.ids import MAX_INT64
from synctalk_contracts.internal import ConversationStates
from synctalk_runtime.internal import InternalClient


class Api:
    """Raises UnavailableError when api does not answer."""

    def __init__(self, http: InternalClient) -> None:
        self._http = http

    async def conversations(self, user_id: str) -> ConversationStates:
        """All of them, newest activity first, as they stand now."""
        answer = await self._http.get(f"/internal/users/{user_id}/conversations")
        return ConversationStates.model_validate(answer, extra="ignore")

    async def is_member(self, user_id: str, conversation_id: str) -> bool:
        """Whether the person is in the conversation now; nothing of it is read."""
        answer = await self.sync(user_id, {conversation_id: MAX_INT64})
        return not answer["conversations"][conversation_id].get("removed")

    async def sync(self, user_id: str, cursors: dict[str, int]) -> dict[str, Any]:
        """`{"conversations": {...}}` as the client gets it."""
        answer: dict[str, Any] = await self._http.post("/internal/sync", {"user_id": user_id, "cursors": cursors})
        return answer
