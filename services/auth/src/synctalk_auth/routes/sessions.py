"""`/v1/auth/sessions`: where one is signed in."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from synctalk_contracts.base import Contract
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.ids import Id
from synctalk_contracts.models import Session
from synctalk_runtime.openapi import BEARER, refusals
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_auth.routes.dependencies import NO_BOT, ServicesDep

router = APIRouter(prefix="/v1/auth/sessions", tags=["auth"], dependencies=[NO_BOT])


class SessionPage(Contract):
    items: list[Session]
    next_cursor: str | None


@router.get(
    "",
    summary="List your sessions, the most recent sign-in first",
    responses=refusals(*BEARER, ErrorCode.FORBIDDEN, ErrorCode.BAD_CURSOR, ErrorCode.INVALID),
)
async def get_sessions(
    principal: CurrentPrincipal,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: str | None = None,
) -> SessionPage:
    items, next_cursor = await services.sessions.own(principal, limit, cursor)
    return SessionPage(items=items, next_cursor=next_cursor)


@router.delete(
    "/{session_id}",
    status_code=204,
    summary="End one of your sessions",
    responses=refusals(*BEARER, ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND, ErrorCode.INVALID),
)
async def delete_session(principal: CurrentPrincipal, services: ServicesDep, session_id: Annotated[Id, Path()]) -> None:
    await services.sessions.end(principal, session_id)
