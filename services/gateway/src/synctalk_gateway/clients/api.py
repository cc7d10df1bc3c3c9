"""Look-ups at api: which conversations a user is in, and what changed there."""

from typing import Any

from synctalk_contracts.ids import MAX_INT64
from synctalk_contracts.internal import ConversationStates, Heads, Ids, PartitionMap, RoomQuestion, RoomState
from synctalk_runtime.internal import InternalClient


class Api:
    """Questions to api. Raises UnavailableError when it does not answer."""

    def __init__(self, http: InternalClient) -> None:
        self._http = http

    async def conversations(self, user_id: str, limit: int) -> ConversationStates:
        """Return those with the newest activity, newest first, as they stand now."""
        response = await self._http.get(f"/internal/users/{user_id}/conversations", limit=str(limit))
        return ConversationStates.model_validate(response, extra="ignore")

    async def heads(self, conversation_ids: list[str]) -> dict[str, int]:
        """Return the latest `change_seq` of each conversation that exists."""
        response = await self._http.post("/internal/heads", Ids(ids=conversation_ids).model_dump())
        return Heads.model_validate(response, extra="ignore").items

    async def partitions(self) -> PartitionMap:
        """Return which api process owns which partition."""
        return PartitionMap.model_validate(await self._http.get("/internal/partitions"), extra="ignore")

    async def room(self, conversation_id: str, user_ids: list[str]) -> RoomState:
        """Return who of these users is a member, as of one `change_seq`."""
        question = RoomQuestion(conversation_id=conversation_id, user_ids=user_ids)
        response = await self._http.post("/internal/room", question.model_dump())
        return RoomState.model_validate(response, extra="ignore")

    async def is_member(self, user_id: str, conversation_id: str) -> bool:
        """Return whether the user is in the conversation now; nothing of it is read."""
        return conversation_id in await self.positions(user_id, [conversation_id])

    async def positions(self, user_id: str, conversation_ids: list[str]) -> dict[str, int]:
        """Return the `change_seq` of each of these conversations that the user is in; nothing else is read."""
        states = (await self.sync(user_id, dict.fromkeys(conversation_ids, MAX_INT64)))["conversations"]
        return {
            conversation_id: state["change_seq"]
            for conversation_id, state in states.items()
            if not state.get("removed")
        }

    async def members_count(self, user_id: str, conversation_id: str, change_seq: int) -> int | None:
        """Return how many members the conversation has; None when too much has changed since `change_seq`."""
        state = (await self.sync(user_id, {conversation_id: change_seq}))["conversations"][conversation_id]
        conversation = state.get("conversation")
        return None if conversation is None else int(conversation["members_count"])

    async def sync(self, user_id: str, cursors: dict[str, int]) -> dict[str, Any]:
        """`{"conversations": {...}}` as the client gets it."""
        response: dict[str, Any] = await self._http.post("/internal/sync", {"user_id": user_id, "cursors": cursors})
        return response
