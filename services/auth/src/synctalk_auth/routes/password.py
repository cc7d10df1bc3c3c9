"""`/v1/auth/password`."""

from fastapi import APIRouter
from synctalk_contracts.base import Request
from synctalk_contracts.errors import ErrorCode
from synctalk_runtime.tokens import CurrentPerson

from synctalk_auth.actions import password
from synctalk_auth.routes.dependencies import BEARER, BODY, TheParts, refusals
from synctalk_auth.routes.tokens import AnyPassword, NewPassword

router = APIRouter(prefix="/v1/auth", tags=["auth"])


class PasswordRequest(Request):
    current_password: AnyPassword
    new_password: NewPassword


@router.post(
    "/password",
    status_code=204,
    summary="Change the password and end all other sessions",
    responses=refusals(*BODY, *BEARER, ErrorCode.WRONG_PASSWORD, ErrorCode.RATE_LIMITED),
)
async def post_password(body: PasswordRequest, person: CurrentPerson, parts: TheParts) -> None:
    await password.change(parts, person, body.current_password, body.new_password)
