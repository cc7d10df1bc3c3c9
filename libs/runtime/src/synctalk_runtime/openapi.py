"""Declarations of the endpoints' error responses in OpenAPI."""

from collections.abc import Callable, Sequence
from typing import Any

from synctalk_contracts.errors import STATUS, ErrorBody, ErrorCode

BEARER = (ErrorCode.UNAUTHENTICATED, ErrorCode.TOKEN_EXPIRED)
"""What may be wrong with any access token."""

BODY = (ErrorCode.MALFORMED, ErrorCode.TOO_LARGE, ErrorCode.INVALID)
"""What may be wrong with any body."""


def _quoted(codes: Sequence[ErrorCode]) -> str:
    return " · ".join(f"`{code}`" for code in codes)


def refusals(
    *codes: ErrorCode, describe: Callable[[Sequence[ErrorCode]], str] | None = _quoted
) -> dict[int | str, dict[str, Any]]:
    """Return the error responses of an endpoint, one for each status; any endpoint may be unavailable.

    `describe` makes a status's description of its codes; None: the status's own name.
    """
    by_status: dict[int, list[ErrorCode]] = {}
    for code in dict.fromkeys((*codes, ErrorCode.UNAVAILABLE)):
        by_status.setdefault(STATUS[code], []).append(code)
    return {
        status: {"model": ErrorBody} | ({"description": describe(listed)} if describe is not None else {})
        for status, listed in by_status.items()
    }
