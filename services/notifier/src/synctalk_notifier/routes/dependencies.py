"""What the routes ask for: the service's parts, and the refusals that they declare."""

from typing import Annotated, Any

from fastapi import Depends, Request
from synctalk_contracts.errors import STATUS, ErrorBody, ErrorCode

from synctalk_notifier.parts import Parts


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


TheParts = Annotated[Parts, Depends(_parts)]

ALWAYS = (ErrorCode.UNAUTHENTICATED, ErrorCode.TOKEN_EXPIRED, ErrorCode.INVALID, ErrorCode.UNAVAILABLE)
"""What any call here may be answered with."""

BODY = (ErrorCode.MALFORMED, ErrorCode.TOO_LARGE)
"""What else may be wrong with a body."""


def refusals(*codes: ErrorCode) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for OpenAPI."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for code in (*codes, *ALWAYS):
        said = by_status.setdefault(STATUS[code], {"model": ErrorBody, "description": ""})
        said["description"] = " · ".join(filter(None, (said["description"], f"`{code}`")))
    return by_status
