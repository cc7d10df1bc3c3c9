"""The one error body, and the closed list of its codes."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel


class ErrorCode(StrEnum):
    MALFORMED = "malformed"
    BAD_CURSOR = "bad_cursor"
    UNAUTHENTICATED = "unauthenticated"
    TOKEN_EXPIRED = "token_expired"
    INVALID_CREDENTIALS = "invalid_credentials"
    INVALID_REFRESH_TOKEN = "invalid_refresh_token"
    FORBIDDEN = "forbidden"
    WRONG_PASSWORD = "wrong_password"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    USERNAME_TAKEN = "username_taken"
    CLIENT_MESSAGE_ID_REUSED = "client_message_id_reused"
    CONFLICT = "conflict"
    GONE = "gone"
    TOO_LARGE = "too_large"
    INVALID = "invalid"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    UNKNOWN_EVENT = "unknown_event"


STATUS: dict[ErrorCode, int] = {
    ErrorCode.MALFORMED: 400,
    ErrorCode.BAD_CURSOR: 400,
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.TOKEN_EXPIRED: 401,
    ErrorCode.INVALID_CREDENTIALS: 401,
    ErrorCode.INVALID_REFRESH_TOKEN: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.WRONG_PASSWORD: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.METHOD_NOT_ALLOWED: 405,
    ErrorCode.USERNAME_TAKEN: 409,
    ErrorCode.CLIENT_MESSAGE_ID_REUSED: 409,
    ErrorCode.CONFLICT: 409,
    ErrorCode.GONE: 410,
    ErrorCode.TOO_LARGE: 413,
    ErrorCode.INVALID: 422,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.UNAVAILABLE: 503,
    ErrorCode.UNKNOWN_EVENT: 400,
}
"""The HTTP status of each code; `unknown_event` is seen on sockets only."""


class ErrorDetail(BaseModel):
    code: ErrorCode
    message: str
    details: Any | None = None
    retry_after: float | None = None
    """Seconds."""


class ErrorBody(BaseModel):
    """The error of a REST response or a socket ack."""

    error: ErrorDetail

    def to_wire(self) -> dict[str, Any]:
        """Return it as JSON-ready values, without the fields that are not set."""
        return self.model_dump(mode="json", exclude_none=True)
