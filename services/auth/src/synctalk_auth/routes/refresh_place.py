"""The place of a refresh token: in the body, or, for a browser that asks, in a cookie that no script can read.

A page of another origin cannot send the header that asks without a preflight, which CORS refuses: the cookie alone does
nothing.
"""

from typing import Annotated, Literal

from fastapi import Depends, Header, Request, Response
from synctalk_contracts.models import Tokens

from synctalk_auth.routes.dependencies import ServicesDep

COOKIE = "synctalk_refresh"
PATH = "/v1/auth"

RefreshHeader = Annotated[
    Literal["cookie"] | None,
    Header(
        alias="X-Synctalk-Refresh",
        description=f"`cookie`: the refresh token travels in the HttpOnly cookie `{COOKIE}`, not in the body.",
    ),
]


class RefreshPlace:
    """Hands the refresh token of one call over, and takes it, where the caller wants it."""

    def __init__(self, request: Request, response: Response, max_age_s: int, *, in_cookie: bool) -> None:
        self._request = request
        self._response = response
        self._max_age_s = max_age_s
        self._in_cookie = in_cookie

    def take(self, from_body: str | None) -> str | None:
        """The token that was shown; one in the body moves into the cookie. None: there is none where it belongs."""
        if from_body or not self._in_cookie:
            return from_body
        return self._request.cookies.get(COOKIE, "")

    def put(self, tokens: Tokens) -> Tokens:
        """The answer's body."""
        if not self._in_cookie:
            return tokens
        self._set_cookie(tokens.refresh_token, self._max_age_s)
        return tokens.model_copy(update={"refresh_token": ""})

    def clear(self) -> None:
        if self._in_cookie:
            self._set_cookie("", 0)

    def _set_cookie(self, value: str, max_age_s: int) -> None:
        """Without `__Host-` in its name, which a browser takes over https only: development is plain http."""
        scheme = self._request.headers.get("x-forwarded-proto", self._request.url.scheme)
        self._response.set_cookie(
            COOKIE, value, max_age=max_age_s, path=PATH, secure=scheme == "https", httponly=True, samesite="strict"
        )


def _refresh_place(
    request: Request, response: Response, services: ServicesDep, x_synctalk_refresh: RefreshHeader = None
) -> RefreshPlace:
    settings = services.settings
    max_age_s = min(settings.refresh_idle_s, settings.session_max_s)
    return RefreshPlace(request, response, max_age_s, in_cookie=x_synctalk_refresh is not None)


TheRefreshPlace = Annotated[RefreshPlace, Depends(_refresh_place)]
