"""Pages of other origins: which may call, and which headers browsers get. Sockets have the same list in the gateway.

Access tokens travel in a header that a page must add itself, never in a cookie, so credentials are not allowed.
"""

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from synctalk_runtime.errors import ForbiddenError

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PREFLIGHT_S = 3600


class Cors(CORSMiddleware):
    """Answers preflights before anything else is done; a refused one has the error shape."""

    def __init__(self, app: ASGIApp, origins: list[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=("Authorization", "Content-Type"),
            expose_headers=("Retry-After",),
            max_age=PREFLIGHT_S,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code == 200:
            return response
        error = ForbiddenError("This origin may not make this call.")
        return JSONResponse(error.body(), status_code=error.status)
