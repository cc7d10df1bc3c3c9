"""`/v1/server/conversations`: conversations by the names that a host app gives them.

A name may hold a slash: it is all that stands between the prefix and, for members, the last `/members/`.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import Field, StringConstraints
from synctalk_contracts.base import Request
from synctalk_contracts.ids import EXTERNAL, MAX_EXTERNAL_ID_CHARS, ExternalId
from synctalk_contracts.metadata import Metadata
from synctalk_contracts.models import ServerConversation, ServerMember
from synctalk_contracts.text import AvatarUrl, Description, Title

from synctalk_api.routes.callers import CONVERSATIONS_KEY
from synctalk_api.routes.conversations import MAX_NAMED, SlowModeS
from synctalk_api.routes.dependencies import ServicesDep
from synctalk_api.routes.shapes import refusals

router = APIRouter(prefix="/v1/server/conversations", tags=["server"], dependencies=[CONVERSATIONS_KEY])

InPath = Annotated[ExternalId, Path(description="What the host app calls the conversation, percent-encoded.")]
MAX_NAME_CHARS = len(EXTERNAL) + 4 * MAX_EXTERNAL_ID_CHARS
"""An external id may be longer before it is in NFC."""
UserName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME_CHARS)]
"""A user's id, or `external:` and what the host app calls the user."""


class PutConversation(Request):
    """What is left out or null keeps its value, but `avatar_url: null` removes the picture.

    A new one needs `member_ids`; of a direct one there are exactly two, and nothing else is given.
    """

    type: Literal["direct", "group"]
    member_ids: Annotated[list[UserName], Field(max_length=MAX_NAMED)] | None = None
    """All of the members afterwards: ids, or `external:ID`."""
    owner: UserName | None = None
    """One of the members; of a new group the first of them, when it is left out."""
    title: Title | None = None
    description: Description | None = None
    avatar_url: AvatarUrl | None = None
    metadata: Metadata | None = None
    """Replaced whole."""
    system_messages: bool | None = None
    visibility: Literal["private", "public"] | None = None
    posting: Literal["everyone", "admins"] | None = None
    slow_mode_s: SlowModeS | None = None
    history: Literal["all", "since_joined"] | None = None

    def details(self) -> dict[str, Any]:
        given = self.model_dump(exclude_unset=True, exclude={"type", "member_ids", "owner"})
        return {name: value for name, value in given.items() if value is not None or name == "avatar_url"}


@router.post("/{external_id:path}/members/{user_id:path}", responses=refusals(403, 404, 409))
async def add_member_by_name(external_id: InPath, user_id: UserName, services: ServicesDep) -> ServerMember:
    """Make a user, by id or `external:ID`, a member of the host app's group."""
    return await services.server_conversations.add_member(external_id, user_id)


@router.delete("/{external_id:path}/members/{user_id:path}", status_code=204, responses=refusals(403, 404))
async def remove_member_by_name(external_id: InPath, user_id: UserName, services: ServicesDep) -> Response:
    """Remove a user, by id or `external:ID`, from the host app's group."""
    await services.server_conversations.remove_member(external_id, user_id)
    return Response(status_code=204)


@router.put(
    "/{external_id:path}",
    responses={201: {"model": ServerConversation, "description": "It is new."}, **refusals(400, 403, 409)},
)
async def put_conversation(
    external_id: InPath, wanted: PutConversation, services: ServicesDep, response: Response
) -> ServerConversation:
    """Make or change the conversation that the host app calls so."""
    conversation, created = await services.server_conversations.put(
        external_id, wanted.type, wanted.details(), wanted.member_ids, wanted.owner
    )
    response.status_code = 201 if created else 200
    return conversation


@router.get("/{external_id:path}", responses=refusals(403, 404))
async def get_conversation_by_name(external_id: InPath, services: ServicesDep) -> ServerConversation:
    """Get the conversation that the host app calls so."""
    return await services.server_conversations.get(await services.names.get(external_id))


@router.delete("/{external_id:path}", status_code=204, responses=refusals(403, 404))
async def delete_conversation_by_name(external_id: InPath, services: ServicesDep) -> Response:
    """Delete the group that the host app calls so for everybody, with all that is in it."""
    await services.server_conversations.delete(external_id)
    return Response(status_code=204)
