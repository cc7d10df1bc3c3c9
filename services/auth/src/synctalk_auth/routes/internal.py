"""`/internal`: what neighbours ask. Guarded by the shared secret, never routed by the edge."""

from fastapi import APIRouter, Depends
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.internal import Ids, Users
from synctalk_runtime.internal import require_internal

from synctalk_auth.actions import people, sessions
from synctalk_auth.routes.dependencies import BODY, TheParts, refusals

router = APIRouter(prefix="/internal", tags=["internal"], dependencies=[Depends(require_internal)])


@router.get(
    "/revocations",
    summary="Ended sessions whose access tokens may still be alive",
    responses=refusals(ErrorCode.NOT_FOUND),
)
async def get_revocations(parts: TheParts) -> list[SessionRevoked]:
    return await sessions.revocations(parts)


@router.post("/users", summary="People by their ids", responses=refusals(*BODY, ErrorCode.NOT_FOUND))
async def post_users(body: Ids, parts: TheParts) -> Users:
    return Users(items=await people.look_up(parts, body.ids))
