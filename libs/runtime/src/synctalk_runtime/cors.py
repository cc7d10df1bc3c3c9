"""Pages of other origins: which may call, and which headers browsers get. Sockets have the same list in the gateway.

Access tokens travel in a header that a page must add itself, never in a cookie, so credentials are not allowed. The
edge adds the same headers to what it answers by itself.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from synctalk_runtime.errors import ForbiddenError

METHODS = "GET, POST, PUT, PATCH, DELETE"
ALLOWED_HEADERS = "Authorization, Content-Type"
EXPOSED_HEADERS = "Retry-After"
PREFLIGHT_S = 600
ANY = "*"


def is_allowed(origin: str, allowed: Sequence[str]) -> bool:
    """Return whether pages of this other origin may call."""
    return origin in allowed or ANY in allowed


def is_own(origin: str, host: str | None) -> bool:
    """Return whether a page is of the host that it calls."""
    return urlsplit(origin).netloc == host


def let_read(headers: MutableHeaders, origin: str) -> None:
    """Let a page of the origin read the response."""
    headers["Access-Control-Allow-Origin"] = origin
    headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS


def let_send(headers: MutableHeaders, methods: str) -> None:
    """Let a page make calls with these methods."""
    headers["Access-Control-Allow-Methods"] = methods
    headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
    headers["Access-Control-Max-Age"] = str(PREFLIGHT_S)


class Cors:
    """Answers preflights before anything else is done; a refused one has the error shape."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        allowed = origin if origin is not None and is_allowed(origin, self._origins) else None

        async def send_readable(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                if origin is not None or self._origins:
                    answered.add_vary_header("Origin")
                if allowed is not None:
                    let_read(answered, allowed)
            await send(message)

        is_preflight = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
        if origin is None or not is_preflight or (allowed is None and is_own(origin, headers.get("host"))):
            await self._app(scope, receive, send_readable)
        else:
            await _preflight_response(allowed)(scope, receive, send_readable)


def _preflight_response(allowed: str | None) -> Response:
    if allowed is None:
        error = ForbiddenError("This origin may not make this call.")
        return JSONResponse(error.body(), status_code=error.status)
    response = Response(status_code=200)
    let_send(response.headers, METHODS)
    return response
