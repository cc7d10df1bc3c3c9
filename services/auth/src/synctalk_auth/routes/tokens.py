"""`/v1/auth/{register,login,refresh,logout}`: tokens begin, go on, end."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from synctalk_contracts.base import Request
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.ids import Name, Text, Title, Username
from synctalk_contracts.models import Tokens
from synctalk_runtime.tokens import CurrentPerson

from synctalk_auth import rules
from synctalk_auth.actions import login, refresh, register, sessions
from synctalk_auth.routes.dependencies import BEARER, BODY, ClientAddress, TheParts, refusals

router = APIRouter(prefix="/v1/auth", tags=["auth"])

NewPassword = Annotated[Text, Field(min_length=rules.MIN_PASSWORD_CHARS, max_length=rules.MAX_PASSWORD_CHARS)]
AnyPassword = Annotated[Text, Field(max_length=rules.MAX_PASSWORD_CHARS)]
DeviceName = Title
"""What a person calls the device; the text rules are those of a title."""
Email = Annotated[Text, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]


class RegisterRequest(Request):
    username: Username
    password: NewPassword
    display_name: Name | None = None
    email: Email | None = None
    device_name: DeviceName | None = None


class LoginRequest(Request):
    username: Annotated[Text, Field(max_length=64)]
    password: AnyPassword
    device_name: DeviceName | None = None


class RefreshRequest(Request):
    refresh_token: Annotated[Text, Field(max_length=512)]


@router.post(
    "/register",
    status_code=201,
    summary="Make an account and sign in to it",
    responses=refusals(*BODY, ErrorCode.USERNAME_TAKEN, ErrorCode.RATE_LIMITED),
)
async def post_register(body: RegisterRequest, parts: TheParts, address: ClientAddress) -> Tokens:
    return await register.register(parts, register.NewPerson(**body.model_dump()), address)


@router.post(
    "/login",
    summary="Sign in with a password",
    responses=refusals(*BODY, ErrorCode.INVALID_CREDENTIALS, ErrorCode.RATE_LIMITED),
)
async def post_login(body: LoginRequest, parts: TheParts, address: ClientAddress) -> Tokens:
    return await login.login(parts, body.username, body.password, body.device_name, address)


@router.post(
    "/refresh",
    summary="Spend a refresh token for new tokens",
    responses=refusals(*BODY, ErrorCode.INVALID_REFRESH_TOKEN),
)
async def post_refresh(body: RefreshRequest, parts: TheParts) -> Tokens:
    return await refresh.refresh(parts, body.refresh_token)


@router.post("/logout", status_code=204, summary="End this session", responses=refusals(*BEARER))
async def post_logout(person: CurrentPerson, parts: TheParts) -> None:
    await sessions.log_out(parts, person)
