"""Look-ups at api: which conversations a user is in, and what changed there."""

from datetime import datetime
from typing import Any

from synctalk_contracts.ids import MAX_INT64
from synctalk_contracts.internal import (
    ROOM_USERS_MAX,
    ConversationStates,
    ConversationViews,
    Heads,
    Ids,
    PartitionMap,
    RoomQuestion,
    RoomState,
    StatesQuestion,
    TypingQuestion,
    TypingState,
    ViewsQuestion,
)
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.internal import InternalClient


class Api:
    """Questions to api. Raises UnavailableError when it does not answer."""

    def __init__(self, http: InternalClient) -> None:
        self._http = http

    async def conversations(self, user_id: str, limit: int) -> ConversationStates:
        """Return those with the newest activity, newest first, as they stand now."""
        response = await self._http.get(f"/internal/users/{user_id}/conversations", limit=str(limit))
        return ConversationStates.model_validate(response, extra="ignore")

    async def conversation_ids(self, user_id: str, before: str | None, limit: int) -> list[str]:
        """Return the ids of the user's conversations below `before` (None: from the highest on), the highest first."""
        position = {} if before is None else {"before": before}
        response = await self._http.get(f"/internal/users/{user_id}/conversation-ids", limit=str(limit), **position)
        return Ids.model_validate(response, extra="ignore").ids

    async def states(
        self, user_id: str, conversation_ids: list[str], since: datetime | None = None
    ) -> ConversationStates:
        """Return those that the user is in, as they stand now, and which of them may have changed since."""
        question = StatesQuestion(user_id=user_id, ids=conversation_ids, since=since)
        response = await self._http.post("/internal/states", question.model_dump(mode="json"))
        return ConversationStates.model_validate(response, extra="ignore")

    async def heads(self, conversation_ids: list[str]) -> dict[str, int]:
        """Return the latest `change_seq` of each conversation that exists."""
        response = await self._http.post("/internal/heads", Ids(ids=conversation_ids).model_dump())
        return Heads.model_validate(response, extra="ignore").items

    async def partitions(self) -> PartitionMap:
        """Return which api process owns which partition."""
        return PartitionMap.model_validate(await self._http.get("/internal/partitions"), extra="ignore")

    async def room(self, conversation_id: str, user_ids: list[str]) -> RoomState:
        """Return who of these users is a member as of one `change_seq`, or of a later one."""
        change_seq = MAX_INT64
        member_ids: list[str] = []
        for start in range(0, max(1, len(user_ids)), ROOM_USERS_MAX):
            question = RoomQuestion(conversation_id=conversation_id, user_ids=user_ids[start : start + ROOM_USERS_MAX])
            response = await self._http.post("/internal/room", question.model_dump())
            state = RoomState.model_validate(response, extra="ignore")
            change_seq = min(change_seq, state.change_seq)
            member_ids += state.member_ids
        return RoomState(change_seq=change_seq, member_ids=member_ids)

    async def views(self, conversation_id: str, user_ids: list[str]) -> ConversationViews:
        """Return the conversation as those of these users see it who are members."""
        question = ViewsQuestion(conversation_id=conversation_id, user_ids=user_ids)
        response = await self._http.post("/internal/views", question.model_dump())
        return ConversationViews.model_validate(response, extra="ignore")

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

    async def typing(self, user_id: str, conversation_id: str) -> TypingState:
        """Return whether the member may type in the conversation, and how many members it has."""
        question = TypingQuestion(user_id=user_id, conversation_id=conversation_id)
        response = await self._http.post("/internal/typing", question.model_dump())
        return TypingState.model_validate(response, extra="ignore")

    async def sync(self, user_id: str, cursors: dict[str, int]) -> dict[str, Any]:
        """`{"conversations": {...}}` of all of them. Raises UnavailableError while the store of one is away."""
        response = await self.sync_reachable(user_id, cursors)
        if len(response["conversations"]) < len(cursors):
            raise UnavailableError
        return response

    async def sync_reachable(self, user_id: str, cursors: dict[str, int]) -> dict[str, Any]:
        """The same as the client gets it: without those whose store is away."""
        response: dict[str, Any] = await self._http.post("/internal/sync", {"user_id": user_id, "cursors": cursors})
        return response
