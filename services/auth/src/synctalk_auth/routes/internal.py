"""`/internal`: for the other services. Each is for the callers that the contract names, never routed by the edge."""

from fastapi import APIRouter, Depends
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.internal import (
    ActingQuestion,
    ActingUser,
    Ids,
    KeyQuestion,
    KnownBot,
    KnownKey,
    KnownUsers,
    RevocationPage,
    Users,
    UsersQuestion,
)
from synctalk_runtime.errors import NotFoundError
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


@router.post("/directory", summary="Get users by id or external id", responses=refusals(*BODY, ErrorCode.NOT_FOUND))
async def post_directory(body: UsersQuestion, services: ServicesDep) -> KnownUsers:
    return KnownUsers(items=await services.server_users.look_up(body.ids, body.external_ids))


@router.post("/credentials/key", summary="Get a server key by its hash", responses=refusals(*BODY, ErrorCode.NOT_FOUND))
async def post_key(body: KeyQuestion, services: ServicesDep) -> KnownKey:
    row = await services.server_keys.row_of(body.hash)
    if row is None:
        raise NotFoundError
    return KnownKey(id=row.id, scopes=row.scopes, expires_at=row.expires_at)


@router.post(
    "/credentials/bot", summary="Get a bot by its token's hash", responses=refusals(*BODY, ErrorCode.NOT_FOUND)
)
async def post_bot(body: KeyQuestion, services: ServicesDep) -> KnownBot:
    bot = await services.server_keys.bot_of(body.hash)
    if bot is None:
        raise NotFoundError
    return bot


@router.post(
    "/credentials/user",
    summary="Get an active user by id or external id",
    responses=refusals(*BODY, ErrorCode.NOT_FOUND),
)
async def post_user(body: ActingQuestion, services: ServicesDep) -> ActingUser:
    user = await services.server_keys.user_of(body.user)
    if user is None:
        raise NotFoundError
    return user
