"""`/v1/auth/password`."""

from fastapi import APIRouter
from synctalk_contracts.base import Request
from synctalk_contracts.errors import ErrorCode
from synctalk_runtime.openapi import BEARER, BODY, refusals
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_auth.routes.dependencies import NO_BOT, ServicesDep
from synctalk_auth.routes.tokens import AnyPassword, NewPassword

router = APIRouter(prefix="/v1/auth", tags=["auth"], dependencies=[NO_BOT])


class PasswordRequest(Request):
    current_password: AnyPassword
    new_password: NewPassword


@router.post(
    "/password",
    status_code=204,
    summary="Change the password and end all other sessions",
    responses=refusals(*BODY, *BEARER, ErrorCode.FORBIDDEN, ErrorCode.WRONG_PASSWORD, ErrorCode.RATE_LIMITED),
)
async def post_password(body: PasswordRequest, principal: CurrentPrincipal, services: ServicesDep) -> None:
    await services.password.change(principal, body.current_password, body.new_password)
