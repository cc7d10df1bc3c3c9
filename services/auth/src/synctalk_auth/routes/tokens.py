"""`/v1/auth/{register,login,refresh,logout}`: tokens begin, go on, end."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from synctalk_contracts.base import Request
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.ids import Username
from synctalk_contracts.models import Tokens
from synctalk_contracts.text import Name, Text, Title
from synctalk_runtime.errors import InvalidError
from synctalk_runtime.openapi import BEARER, BODY, refusals
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_auth import rules
from synctalk_auth.actions.register import NewAccount
from synctalk_auth.routes.dependencies import ClientAddress, ServicesDep
from synctalk_auth.routes.refresh_place import TheRefreshPlace

router = APIRouter(prefix="/v1/auth", tags=["auth"])

NewPassword = Annotated[Text, Field(min_length=rules.MIN_PASSWORD_CHARS, max_length=rules.MAX_PASSWORD_CHARS)]
AnyPassword = Annotated[Text, Field(max_length=rules.MAX_PASSWORD_CHARS)]
DeviceName = Title
"""The user's name for the device; the text rules are those of a title."""
Email = Annotated[Text, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]


InviteCode = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class RegisterRequest(Request):
    username: Username
    password: NewPassword
    display_name: Name | None = None
    email: Email | None = None
    device_name: DeviceName | None = None
    invite_code: InviteCode | None = None


class LoginRequest(Request):
    username: Annotated[Text, Field(max_length=64)]
    password: AnyPassword
    device_name: DeviceName | None = None


class RefreshRequest(Request):
    refresh_token: Annotated[Text, Field(max_length=512)] = ""
    """May be left out where it comes in the cookie."""


@router.post(
    "/register",
    status_code=201,
    summary="Create an account and sign in",
    responses=refusals(*BODY, ErrorCode.FORBIDDEN, ErrorCode.USERNAME_TAKEN, ErrorCode.RATE_LIMITED),
)
async def post_register(
    body: RegisterRequest, services: ServicesDep, address: ClientAddress, place: TheRefreshPlace
) -> Tokens:
    return place.put(await services.registration.register(NewAccount(**body.model_dump()), address))


@router.post(
    "/login",
    summary="Sign in with a password",
    responses=refusals(*BODY, ErrorCode.INVALID_CREDENTIALS, ErrorCode.FORBIDDEN, ErrorCode.RATE_LIMITED),
)
async def post_login(
    body: LoginRequest, services: ServicesDep, address: ClientAddress, place: TheRefreshPlace
) -> Tokens:
    return place.put(await services.login.login(body.username, body.password, body.device_name, address))


@router.post(
    "/refresh",
    summary="Exchange a refresh token for new tokens",
    responses=refusals(*BODY, ErrorCode.INVALID_REFRESH_TOKEN, ErrorCode.RATE_LIMITED),
)
async def post_refresh(
    body: RefreshRequest, services: ServicesDep, address: ClientAddress, place: TheRefreshPlace
) -> Tokens:
    shown = place.take(body.refresh_token if "refresh_token" in body.model_fields_set else None)
    if shown is None:
        raise InvalidError.of("refresh_token", "Field required")
    return place.put(await services.refresh.refresh(shown, address))


@router.post("/logout", status_code=204, summary="End this session", responses=refusals(*BEARER, ErrorCode.INVALID))
async def post_logout(principal: CurrentPrincipal, services: ServicesDep, place: TheRefreshPlace) -> None:
    await services.sessions.log_out(principal)
    place.clear()
