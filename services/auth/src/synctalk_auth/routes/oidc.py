"""`/v1/auth/providers` and `/v1/auth/oidc/…`: signing in with an identity provider.

`start` and `callback` are pages that the browser goes to, so their answers are redirects; `complete` is called by the
web client, or by an app that gave `start` a `code_challenge`.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field, StringConstraints
from synctalk_contracts.base import Contract
from synctalk_contracts.base import Request as RequestBody
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.models import Tokens
from synctalk_contracts.text import Text
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.openapi import BODY, refusals

from synctalk_auth.actions.oidc import LOGIN_TTL, Callback, failed_url
from synctalk_auth.routes.dependencies import ClientAddress, ServicesDep
from synctalk_auth.routes.refresh_place import TheRefreshPlace
from synctalk_auth.routes.tokens import DeviceName

router = APIRouter(prefix="/v1/auth", tags=["auth"])

COOKIE = "__Host-synctalk_oidc"
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
REDIRECT: dict[int | str, dict[str, Any]] = {302: {"description": "Go there."}}

ProviderId = Annotated[str, Path(max_length=64)]
Challenge = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
Verifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._~-]{43,128}$")]
FromProvider = Annotated[str | None, Query(max_length=4096)]


class OfferedProvider(Contract):
    id: str
    name: str
    start_url: str


class Providers(Contract):
    """What the sign-in page offers."""

    password: bool
    registration: Literal["open", "invite", "closed"]
    guests: bool
    items: list[OfferedProvider]


class CompleteRequest(RequestBody):
    code: Annotated[Text, Field(min_length=1, max_length=128)]
    code_verifier: Verifier | None = None
    device_name: DeviceName | None = None


@router.get("/providers", summary="List what the sign-in page offers", responses=refusals())
async def get_providers(services: ServicesDep) -> Providers:
    settings = services.settings
    items = [
        OfferedProvider(id=one.id, name=one.name, start_url=f"/v1/auth/oidc/{one.id}/start")
        for one in settings.oidc_providers
    ]
    return Providers(password=True, registration=settings.registration, guests=settings.guests != "off", items=items)


@router.get(
    "/oidc/{provider}/start",
    status_code=302,
    response_class=RedirectResponse,
    summary="Go to an identity provider to sign in",
    responses=refusals(ErrorCode.NOT_FOUND, ErrorCode.INVALID, ErrorCode.RATE_LIMITED) | REDIRECT,
)
async def get_start(
    provider: ProviderId,
    request: Request,
    services: ServicesDep,
    address: ClientAddress,
    return_to: Annotated[str, Query(max_length=2048)] = "/",
    code_challenge: Annotated[Challenge | None, Query()] = None,
) -> Response:
    origin, browser = _own_origin(request, services), request.cookies.get(COOKIE)
    try:
        begun = await services.oidc.start(provider, return_to, code_challenge, browser, origin, address)
    except UnavailableError:
        return RedirectResponse(failed_url("unavailable"), 302, HEADERS)
    response = RedirectResponse(begun.url, 302, HEADERS)
    response.set_cookie(
        COOKIE, begun.browser, max_age=int(LOGIN_TTL.total_seconds()), path="/", secure=True, httponly=True,
        samesite="lax",
    )  # fmt: skip
    return response


@router.get(
    "/oidc/{provider}/callback",
    status_code=302,
    response_class=RedirectResponse,
    summary="Come back from an identity provider",
    responses=refusals(ErrorCode.NOT_FOUND, ErrorCode.INVALID) | REDIRECT,
)
async def get_callback(
    provider: ProviderId,
    request: Request,
    services: ServicesDep,
    state: FromProvider = None,
    code: FromProvider = None,
    error: FromProvider = None,
    iss: FromProvider = None,
) -> Response:
    callback = Callback(state, code, error, iss)
    url = await services.oidc.finish(provider, callback, request.cookies.get(COOKIE), _own_origin(request, services))
    return RedirectResponse(url, 302, HEADERS)


@router.post(
    "/oidc/complete",
    summary="Exchange the one-time code for tokens",
    responses=refusals(*BODY, ErrorCode.INVALID_CREDENTIALS, ErrorCode.FORBIDDEN, ErrorCode.RATE_LIMITED),
)
async def post_complete(
    body: CompleteRequest, request: Request, services: ServicesDep, address: ClientAddress, place: TheRefreshPlace
) -> Tokens:
    browser = request.cookies.get(COOKIE)
    return place.put(await services.oidc.complete(body.code, body.code_verifier, browser, body.device_name, address))


def _own_origin(request: Request, services: ServicesDep) -> str:
    """Return the origin at which browsers reach us: the setting, or what the edge says of the request."""
    if services.settings.public_url:
        return services.settings.public_url
    scheme = request.headers.get("x-forwarded-proto", request.url.scheme)
    return f"{scheme}://{request.headers.get('host', '')}"
