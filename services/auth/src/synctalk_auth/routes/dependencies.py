"""What the routes ask for: the service's parts, the caller's address, and the refusals that they declare."""

from typing import Annotated, Any

from fastapi import Depends, Request
from synctalk_contracts.errors import STATUS, ErrorBody, ErrorCode

from synctalk_auth import rules
from synctalk_auth.parts import Parts


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


TheParts = Annotated[Parts, Depends(_parts)]


def _address(request: Request, parts: TheParts) -> str:
    peer = request.client.host if request.client is not None else "unknown"
    forwarded_for = request.headers.getlist("x-forwarded-for")
    return rules.client_address(peer, forwarded_for, trusted=parts.settings.trust_forwarded_for)


ClientAddress = Annotated[str, Depends(_address)]


def refusals(*codes: ErrorCode) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for OpenAPI; 503 any may give."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for code in (*codes, ErrorCode.UNAVAILABLE):
        said = by_status.setdefault(STATUS[code], {"model": ErrorBody, "description": ""})
        said["description"] = " · ".join(filter(None, (said["description"], f"`{code}`")))
    return by_status


BODY = (ErrorCode.MALFORMED, ErrorCode.TOO_LARGE, ErrorCode.INVALID)
"""What may be wrong with any body."""

BEARER = (ErrorCode.UNAUTHENTICATED, ErrorCode.TOKEN_EXPIRED)
"""What may be wrong with any access token."""
