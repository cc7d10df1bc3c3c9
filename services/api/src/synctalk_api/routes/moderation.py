"""Moderation: bans and mutes in a group, and reports of messages to the operators."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field, TypeAdapter
from synctalk_contracts.base import Contract, Request
from synctalk_contracts.ids import GivenTime, Id, Timestamp
from synctalk_contracts.models import User
from synctalk_contracts.text import Text
from synctalk_runtime import cursors
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.routes.dependencies import READING, WRITING, ServicesDep
from synctalk_api.routes.named import ConversationId
from synctalk_api.routes.shapes import Cursor, Page, PageLimit, refusals

router = APIRouter(prefix="/v1/conversations/{conversation_id}", tags=["moderation"])

MAX_REASON_CHARS = 500
Reason = Annotated[Text, Field(max_length=MAX_REASON_CHARS)]
_CURSOR = TypeAdapter(tuple[str, tuple[()], Id])


class NewBan(Request):
    reason: Reason = ""
    until: GivenTime | None = None


class NewReport(Request):
    reason: Reason = ""


class NewMute(Request):
    until: GivenTime | None
    """Null: until it is lifted."""


class Ban(Contract):
    user: User
    by: Id
    reason: str
    until: Timestamp | None
    """Null: until it is lifted."""
    created_at: Timestamp


@router.get("/bans", dependencies=[READING], responses=refusals(400, 403, 404))
async def list_bans(
    conversation_id: ConversationId,
    principal: CurrentPrincipal,
    services: ServicesDep,
    limit: PageLimit = 50,
    cursor: Cursor = None,
) -> Page[Ban]:
    """List who is banned from a group. Requires a moderator."""
    name = f"bans:{conversation_id}"
    after = None if cursor is None else cursors.decode(cursor, name, (), _CURSOR)[1]
    found = await services.moderation.bans(principal.user_id, conversation_id, after, limit)
    items = [
        Ban(user=row.user, by=row.banned_by, reason=row.reason, until=row.until, created_at=row.created_at)
        for row in found[:limit]
    ]
    rest = items[-1].user.id if len(found) > limit else None
    return Page(items=items, next_cursor=None if rest is None else cursors.encode(name, (), rest))


@router.put("/bans/{user_id}", status_code=204, dependencies=[WRITING], responses=refusals(400, 403, 404))
async def ban_user(
    conversation_id: ConversationId, user_id: Id, ban: NewBan, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """Remove a user from a group and keep them out. Requires a moderator, and a higher role than theirs."""
    await services.moderation.ban(principal.user_id, conversation_id, user_id, ban.reason, ban.until)
    return Response(status_code=204)


@router.delete("/bans/{user_id}", status_code=204, dependencies=[WRITING], responses=refusals(403, 404))
async def lift_ban(
    conversation_id: ConversationId, user_id: Id, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """Let a banned user come in again. Requires a moderator."""
    await services.moderation.lift_ban(principal.user_id, conversation_id, user_id)
    return Response(status_code=204)


@router.put("/members/{user_id}/mute", status_code=204, dependencies=[WRITING], responses=refusals(400, 403, 404))
async def mute_member(
    conversation_id: ConversationId, user_id: Id, mute: NewMute, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """Let a member of a group read and not write. Requires a moderator, and a higher role than theirs."""
    await services.moderation.mute(principal.user_id, conversation_id, user_id, mute.until)
    return Response(status_code=204)


@router.delete("/members/{user_id}/mute", status_code=204, dependencies=[WRITING], responses=refusals(403, 404))
async def unmute_member(
    conversation_id: ConversationId, user_id: Id, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """Let a muted member write again. Requires a moderator, and a higher role than theirs."""
    await services.moderation.unmute(principal.user_id, conversation_id, user_id)
    return Response(status_code=204)


@router.post("/messages/{message_id}/report", status_code=204, dependencies=[WRITING], responses=refusals(400, 404))
async def report_message(
    conversation_id: ConversationId,
    message_id: Id,
    report: NewReport,
    principal: CurrentPrincipal,
    services: ServicesDep,
) -> Response:
    """Report a message to the operators."""
    await services.reports.report(principal.user_id, conversation_id, message_id, report.reason)
    return Response(status_code=204)
