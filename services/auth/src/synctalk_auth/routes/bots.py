"""`/v1/server/bots`: the bots of a host app."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from synctalk_contracts.base import Contract, Request
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.ids import Id, Username
from synctalk_contracts.models import Scope, User
from synctalk_contracts.text import Name
from synctalk_runtime.openapi import BEARER, BODY, refusals
from synctalk_runtime.tokens import requires

from synctalk_auth.routes.dependencies import ServicesDep

router = APIRouter(prefix="/v1/server/bots", tags=["server"], dependencies=[Depends(requires(Scope.BOTS))])


class NewBot(Request):
    username: Username
    display_name: Name


class CreatedBot(Contract):
    user: User
    token: str
    """Shown only here."""


class BotToken(Contract):
    token: str
    """Shown only here."""


class BotPage(Contract):
    items: list[User]
    next_cursor: str | None


@router.post(
    "",
    status_code=201,
    summary="Make a bot",
    responses=refusals(*BODY, *BEARER, ErrorCode.FORBIDDEN, ErrorCode.USERNAME_TAKEN),
)
async def post_bot(body: NewBot, services: ServicesDep) -> CreatedBot:
    user, token = await services.bots.create(body.username, body.display_name)
    return CreatedBot(user=user, token=token)


@router.get(
    "",
    summary="List the bots, the newest first",
    responses=refusals(*BEARER, ErrorCode.FORBIDDEN, ErrorCode.BAD_CURSOR, ErrorCode.INVALID),
)
async def get_bots(
    services: ServicesDep, limit: Annotated[int, Query(ge=1, le=100)] = 50, cursor: str | None = None
) -> BotPage:
    items, next_cursor = await services.bots.page(limit, cursor)
    return BotPage(items=items, next_cursor=next_cursor)


@router.post(
    "/{user_id}/token",
    summary="Give a bot a new token; the old one ends",
    responses=refusals(*BEARER, ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND, ErrorCode.INVALID),
)
async def post_bot_token(services: ServicesDep, user_id: Annotated[Id, Path()]) -> BotToken:
    return BotToken(token=await services.bots.renew(user_id))


@router.delete(
    "/{user_id}",
    status_code=204,
    summary="End a bot",
    responses=refusals(*BEARER, ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND, ErrorCode.INVALID),
)
async def delete_bot(services: ServicesDep, user_id: Annotated[Id, Path()]) -> None:
    await services.bots.remove(user_id)
