"""`Server.conversations`: conversations by the names that the app gives them."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from synctalk.models import Member, ServerConversation
from synctalk.rest import Rest


def external(external_id: str) -> str:
    """Return how a user or a conversation is named by what the app calls it, where an id may stand as well."""
    return f"external:{external_id}"


class ServerConversations:
    """Calls with a server key (scope `conversations`); made by `Server`.

    Users are given by id, or by `external(…)`.
    """

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def put(self, external_id: str, member_ids: Sequence[str] | None = None, **fields: Any) -> ServerConversation:
        """Make or change the group that the app calls so; what is left out keeps its value.

        `member_ids`, all of the members afterwards, are needed to make one; also `owner`, `title`, `description`,
        `avatar_url`, `metadata`, `system_messages`, `visibility`, `posting`, `slow_mode_s`.
        """
        return await self._put(external_id, {"type": "group", **fields}, member_ids)

    async def put_direct(self, external_id: str, one: str, other: str) -> ServerConversation:
        """Give the direct conversation of two users, a new one if there is none, this name."""
        return await self._put(external_id, {"type": "direct"}, [one, other])

    async def _put(
        self, external_id: str, body: dict[str, Any], member_ids: Sequence[str] | None
    ) -> ServerConversation:
        if member_ids is not None:
            body["member_ids"] = list(member_ids)
        return ServerConversation.model_validate(await self._rest.call("PUT", _path(external_id), json=body))

    async def get(self, external_id: str) -> ServerConversation:
        return ServerConversation.model_validate(await self._rest.call("GET", _path(external_id)))

    async def find(self, conversation: str) -> ServerConversation:
        """Return any conversation, by id or by `external(…)`."""
        path = f"/v1/conversations/{quote(conversation, safe='')}"
        return ServerConversation.model_validate(await self._rest.call("GET", path))

    async def delete(self, external_id: str) -> None:
        """Delete a group for everybody, with all that is in it; its name is free then."""
        await self._rest.call("DELETE", _path(external_id))

    async def add_member(self, external_id: str, user: str) -> Member:
        path = f"{_path(external_id)}/members/{quote(user, safe='')}"
        return Member.model_validate(await self._rest.call("POST", path, repeatable=True))

    async def remove_member(self, external_id: str, user: str) -> None:
        await self._rest.call("DELETE", f"{_path(external_id)}/members/{quote(user, safe='')}")


def _path(external_id: str) -> str:
    return f"/v1/server/conversations/{quote(external_id, safe='')}"
