"""The members of a conversation: list, add, role, remove, leave."""

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field, TypeAdapter
from synctalk_contracts.base import Contract, Request
from synctalk_contracts.ids import Id
from synctalk_contracts.models import Member, Role
from synctalk_runtime import cursors
from synctalk_runtime.tokens import CurrentPerson

from synctalk_api.actions import members
from synctalk_api.parts import TheParts
from synctalk_api.routes.shapes import READING, WRITING, Cursor, Page, PageLimit, refusals

router = APIRouter(prefix="/v1/conversations/{conversation_id}/members", tags=["members"])

MAX_ADDED = 1_000
POSITION = TypeAdapter(Id)


class NewMembers(Request):
    user_ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_ADDED)]


class RoleChange(Request):
    role: Literal["owner", "admin", "member"]


class Members(Contract):
    items: list[Member]


@router.get("", dependencies=[READING], responses=refusals(400, 404))
async def list_members(
    conversation_id: Id, person: CurrentPerson, parts: TheParts, limit: PageLimit = 50, cursor: Cursor = None
) -> Page[Member]:
    """Who is in it."""
    after = None if cursor is None else cursors.decode(cursor, POSITION)
    found = await members.page(parts, person.user_id, conversation_id, after, limit)
    rest = found[limit - 1].user.id if len(found) > limit else None
    return Page(items=found[:limit], next_cursor=None if rest is None else cursors.encode(rest))


@router.post("", dependencies=[WRITING], responses=refusals(400, 403, 404, 409))
async def add_members(conversation_id: Id, new: NewMembers, person: CurrentPerson, parts: TheParts) -> Members:
    """Add people to a group: any member may."""
    return Members(items=await members.add(parts, person.user_id, conversation_id, new.user_ids))


@router.patch("/{user_id}", dependencies=[WRITING], responses=refusals(400, 403, 404, 409))
async def set_role(
    conversation_id: Id, user_id: Id, change: RoleChange, person: CurrentPerson, parts: TheParts
) -> Member:
    """Give a member another role: the owner may; giving `owner` hands the group on."""
    return await members.set_role(parts, person.user_id, conversation_id, user_id, Role(change.role))


@router.delete("/{user_id}", status_code=204, dependencies=[WRITING], responses=refusals(403, 404))
async def remove_member(conversation_id: Id, user_id: Id, person: CurrentPerson, parts: TheParts) -> Response:
    """Remove a member, or leave."""
    await members.remove(parts, person.user_id, conversation_id, user_id)
    return Response(status_code=204)
