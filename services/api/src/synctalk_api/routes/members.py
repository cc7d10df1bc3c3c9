"""The members of a conversation: list, add, set a role, remove, leave."""

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field, TypeAdapter
from synctalk_contracts.base import Contract, Request
from synctalk_contracts.ids import Id
from synctalk_contracts.models import Member, Role, ServerMember
from synctalk_runtime import cursors
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.routes.callers import ReaderOfConversations
from synctalk_api.routes.dependencies import NO_GUEST, WRITING, ServicesDep
from synctalk_api.routes.named import ConversationId
from synctalk_api.routes.shapes import Cursor, Page, PageLimit, refusals

router = APIRouter(prefix="/v1/conversations/{conversation_id}/members", tags=["members"])

MAX_ADDED = 1_000
_CURSOR = TypeAdapter(tuple[str, tuple[()], Id])


class NewMembers(Request):
    user_ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_ADDED)]


class RoleChange(Request):
    role: Literal["owner", "admin", "moderator", "member"]


class Members(Contract):
    items: list[Member]


@router.get("", responses=refusals(400, 404))
async def list_members(
    conversation_id: ConversationId,
    caller: ReaderOfConversations,
    services: ServicesDep,
    limit: PageLimit = 50,
    cursor: Cursor = None,
) -> Page[Member] | Page[ServerMember]:
    """List the members of a conversation."""
    name = f"members:{conversation_id}"
    after = None if cursor is None else cursors.decode(cursor, name, (), _CURSOR)[1]
    found = await services.members.page(caller, conversation_id, after, limit)
    rest = found[limit - 1].user.id if len(found) > limit else None
    next_cursor = None if rest is None else cursors.encode(name, (), rest)
    if caller is None:
        shown = await services.host_users.shown_members(found[:limit])
        return Page[ServerMember](items=shown, next_cursor=next_cursor)
    return Page[Member](items=found[:limit], next_cursor=next_cursor)


@router.post("", dependencies=[WRITING, NO_GUEST], responses=refusals(400, 403, 404, 409))
async def add_members(
    conversation_id: ConversationId, new: NewMembers, principal: CurrentPrincipal, services: ServicesDep
) -> Members:
    """Add users to a group. Requires a member."""
    return Members(items=await services.members.add(principal.user_id, conversation_id, new.user_ids))


@router.patch("/{user_id}", dependencies=[WRITING], responses=refusals(400, 403, 404, 409))
async def set_role(
    conversation_id: ConversationId, user_id: Id, change: RoleChange, principal: CurrentPrincipal, services: ServicesDep
) -> Member:
    """Change a member's role. Requires the owner; setting `owner` transfers the group."""
    return await services.members.set_role(principal.user_id, conversation_id, user_id, Role(change.role))


@router.delete("/{user_id}", status_code=204, dependencies=[WRITING], responses=refusals(403, 404))
async def remove_member(
    conversation_id: ConversationId, user_id: Id, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """Remove a member, or leave the group."""
    await services.members.remove(principal.user_id, conversation_id, user_id)
    return Response(status_code=204)
