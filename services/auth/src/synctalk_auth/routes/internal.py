"""`/internal`: for the other services. Guarded by the shared secret, never routed by the edge."""

from fastapi import APIRouter, Depends
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.internal import Ids, RevocationPage, Users
from synctalk_runtime.internal import require_internal
from synctalk_runtime.openapi import BODY, refusals

from synctalk_auth.actions import profiles
from synctalk_auth.routes.dependencies import ServicesDep

router = APIRouter(prefix="/internal", tags=["internal"], dependencies=[Depends(require_internal)])


@router.get(
    "/revocations",
    summary="List ended sessions whose access tokens may still be valid",
    responses=refusals(ErrorCode.NOT_FOUND),
)
async def get_revocations(services: ServicesDep) -> list[SessionRevoked]:
    return await services.sessions.revocations()


@router.get(
    "/revocations/changes",
    summary="List revocations after a cursor; without a cursor, all of them",
    responses=refusals(ErrorCode.NOT_FOUND, ErrorCode.BAD_CURSOR, ErrorCode.INVALID),
)
async def get_revocation_changes(services: ServicesDep, cursor: str | None = None) -> RevocationPage:
    return await services.sessions.revocations_since(cursor)


@router.post("/users", summary="Get users by id", responses=refusals(*BODY, ErrorCode.NOT_FOUND))
async def post_users(body: Ids, services: ServicesDep) -> Users:
    return Users(items=await profiles.look_up(services.postgres, body.ids))
