"""Invites into groups: make, list and delete them, look at one, accept it."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Request as HttpRequest
from pydantic import Field, TypeAdapter
from synctalk_contracts.base import Contract, Request
from synctalk_contracts.ids import Id, Timestamp
from synctalk_contracts.models import Conversation
from synctalk_contracts.text import Text
from synctalk_runtime import cursors
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.routes.dependencies import NO_GUEST, READING, WRITING, ServicesDep
from synctalk_api.routes.named import ConversationId
from synctalk_api.routes.shapes import Cursor, Page, PageLimit, refusals
from synctalk_api.routes.times import Millis, millis, time_of
from synctalk_api.store.invites import Invite as InviteRow

router = APIRouter(prefix="/v1", tags=["invites"])

_START = datetime(1970, 1, 1, tzinfo=UTC), ""
_CURSOR = TypeAdapter(tuple[str, tuple[()], tuple[Millis, Annotated[Text, Field(max_length=64)]]])


class NewInvite(Request):
    expires_in_s: Annotated[int, Field(ge=60, le=31_536_000)] | None = None
    """None: never."""
    max_uses: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """None: no limit."""


class Invite(Contract):
    code: str
    url: str
    expires_at: Timestamp | None
    max_uses: int | None
    uses: int
    created_by: Id
    created_at: Timestamp


class InvitePreview(Contract):
    title: str
    members_count: int
    avatar_url: str | None


@router.post(
    "/conversations/{conversation_id}/invites",
    status_code=201,
    dependencies=[WRITING, NO_GUEST],
    responses=refusals(400, 403, 404, 409),
)
async def create_invite(
    conversation_id: ConversationId,
    new: NewInvite,
    principal: CurrentPrincipal,
    services: ServicesDep,
    request: HttpRequest,
) -> Invite:
    """Make a link by which users come into a group. Requires an admin."""
    made = await services.invites.create(principal.user_id, conversation_id, new.expires_in_s, new.max_uses)
    return _shown(made, _origin(request, services))


@router.get("/conversations/{conversation_id}/invites", dependencies=[READING], responses=refusals(400, 403, 404))
async def list_invites(
    conversation_id: ConversationId,
    principal: CurrentPrincipal,
    services: ServicesDep,
    request: HttpRequest,
    limit: PageLimit = 50,
    cursor: Cursor = None,
) -> Page[Invite]:
    """List the invites into a group that are still good, oldest first. Requires an admin."""
    name, after = f"invites:{conversation_id}", _START
    if cursor is not None:
        _, (at, code) = cursors.decode(cursor, name, (), _CURSOR)
        after = time_of(at), code
    found = await services.invites.page(principal.user_id, conversation_id, after, limit)
    items = [_shown(invite, _origin(request, services)) for invite in found[:limit]]
    rest = [millis(items[-1].created_at), items[-1].code] if len(found) > limit else None
    return Page(items=items, next_cursor=None if rest is None else cursors.encode(name, (), rest))


@router.delete(
    "/conversations/{conversation_id}/invites/{code}",
    status_code=204,
    dependencies=[WRITING],
    responses=refusals(403, 404),
)
async def delete_invite(
    conversation_id: ConversationId,
    code: Annotated[Text, Field(max_length=64)],
    principal: CurrentPrincipal,
    services: ServicesDep,
) -> Response:
    """Make an invite good for nothing more. Requires an admin."""
    await services.invites.delete(principal.user_id, conversation_id, code)
    return Response(status_code=204)


@router.get("/invites/{code}", responses=refusals(404))
async def get_invite(code: str, services: ServicesDep) -> InvitePreview:
    """Show what an invite leads to; needs no token."""
    found = await services.invites.preview(code)
    return InvitePreview(title=found.title, members_count=found.members_count, avatar_url=found.avatar_url)


@router.post("/invites/{code}/accept", dependencies=[WRITING], responses=refusals(403, 404, 409))
async def accept_invite(code: str, principal: CurrentPrincipal, services: ServicesDep) -> Conversation:
    """Come into a group by an invite."""
    return await services.invites.accept(principal.user_id, code)


def _shown(invite: InviteRow, origin: str) -> Invite:
    return Invite(
        code=invite.code,
        url=f"{origin}/invite/{invite.code}",
        expires_at=invite.expires_at,
        max_uses=invite.max_uses,
        uses=invite.uses,
        created_by=invite.created_by,
        created_at=invite.created_at,
    )


def _origin(request: HttpRequest, services: ServicesDep) -> str:
    """Return the origin at which browsers reach us: the setting, or what the edge says of the request."""
    if services.public_url:
        return services.public_url
    scheme = request.headers.get("x-forwarded-proto", request.url.scheme)
    return f"{scheme}://{request.headers.get('host', '')}"
