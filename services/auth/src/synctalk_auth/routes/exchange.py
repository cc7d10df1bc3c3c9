"""`/v1/auth/exchange`: a host app's own login opens sessions here."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from synctalk_contracts.base import Request
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.models import Tokens
from synctalk_contracts.text import Text
from synctalk_runtime.openapi import BEARER, BODY, refusals
from synctalk_runtime.tokens import MAX_TOKEN_CHARS

from synctalk_auth.routes.dependencies import ClientAddress, ServicesDep
from synctalk_auth.routes.refresh_place import TheRefreshPlace
from synctalk_auth.routes.tokens import DeviceName

router = APIRouter(prefix="/v1/auth", tags=["auth"])


class ExchangeRequest(Request):
    token: Annotated[Text, Field(max_length=MAX_TOKEN_CHARS)]
    device_name: DeviceName | None = None


@router.post(
    "/exchange",
    summary="Sign in with a token of a trusted issuer",
    responses=refusals(*BODY, *BEARER, ErrorCode.FORBIDDEN, ErrorCode.RATE_LIMITED),
)
async def post_exchange(
    body: ExchangeRequest, services: ServicesDep, address: ClientAddress, place: TheRefreshPlace
) -> Tokens:
    return place.put(await services.exchange.exchange(body.token, body.device_name, address))
