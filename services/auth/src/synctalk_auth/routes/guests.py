"""`/v1/auth/{guest,claim}`: users without a login, and what becomes of them when they have one."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from synctalk_contracts.base import Request
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.models import Tokens
from synctalk_contracts.text import Name, Text
from synctalk_runtime.openapi import BEARER, BODY, refusals
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_auth.routes.dependencies import ClientAddress, ServicesDep
from synctalk_auth.routes.refresh_place import TheRefreshPlace

router = APIRouter(prefix="/v1/auth", tags=["auth"])


class GuestRequest(Request):
    display_name: Name | None = None


class ClaimRequest(Request):
    guest_refresh_token: Annotated[Text, Field(min_length=1, max_length=512)]


@router.post(
    "/guest",
    status_code=201,
    summary="Come in as a guest",
    responses=refusals(*BODY, ErrorCode.FORBIDDEN, ErrorCode.RATE_LIMITED),
)
async def post_guest(
    body: GuestRequest, services: ServicesDep, address: ClientAddress, place: TheRefreshPlace
) -> Tokens:
    return place.put(await services.guests.enter(body.display_name, address))


@router.post(
    "/claim",
    status_code=204,
    summary="Take over the conversations and messages of a guest, which ends",
    responses=refusals(*BODY, *BEARER, ErrorCode.INVALID_REFRESH_TOKEN, ErrorCode.FORBIDDEN),
)
async def post_claim(body: ClaimRequest, principal: CurrentPrincipal, services: ServicesDep) -> None:
    await services.guests.claim(principal, body.guest_refresh_token)
