"""The errors of all services: one base class, and its two forms, the HTTP response and the socket ack."""

from typing import Any, ClassVar

from pydantic import ValidationError
from synctalk_contracts.errors import STATUS, ErrorBody, ErrorCode, ErrorDetail


class AppError(Exception):
    """A refusal that the caller sees. Subclasses fix `code` and `message`."""

    code: ClassVar[ErrorCode]
    message: ClassVar[str]

    def __init__(self, message: str | None = None, *, details: Any = None, retry_after: float | None = None) -> None:
        super().__init__(message or self.message)
        self.details = details
        self.retry_after = retry_after

    @property
    def status(self) -> int:
        return STATUS[self.code]

    def body(self) -> dict[str, Any]:
        """The error body as JSON-ready values."""
        detail = ErrorDetail(code=self.code, message=str(self), details=self.details, retry_after=self.retry_after)
        return ErrorBody(error=detail).to_wire()


class MalformedError(AppError):
    code = ErrorCode.MALFORMED
    message = "The request body must be a JSON object."


class BadCursorError(AppError):
    code = ErrorCode.BAD_CURSOR
    message = "Invalid cursor."


class UnauthenticatedError(AppError):
    code = ErrorCode.UNAUTHENTICATED
    message = "A valid access token is required."


class TokenExpiredError(AppError):
    code = ErrorCode.TOKEN_EXPIRED
    message = "The access token has expired."


class ForbiddenError(AppError):
    code = ErrorCode.FORBIDDEN
    message = "You don't have permission to do this."


class NotFoundError(AppError):
    code = ErrorCode.NOT_FOUND
    message = "Not found."


class MethodNotAllowedError(AppError):
    code = ErrorCode.METHOD_NOT_ALLOWED
    message = "Method not allowed."


class ConflictError(AppError):
    code = ErrorCode.CONFLICT
    message = "This conflicts with the current state."


class GoneError(AppError):
    code = ErrorCode.GONE
    message = "This is no longer kept."


class TooLargeError(AppError):
    code = ErrorCode.TOO_LARGE
    message = "The request is too large."


class InvalidError(AppError):
    """`details` is a list of `{field, message}`."""

    code = ErrorCode.INVALID
    message = "Some fields are invalid."

    @classmethod
    def of(cls, field: str, message: str) -> "InvalidError":
        return cls(details=[{"field": field, "message": message}])

    @classmethod
    def from_validation(cls, error: ValidationError) -> "InvalidError":
        return cls(details=field_errors(error.errors(include_url=False, include_context=False, include_input=False)))


class RateLimitedError(AppError):
    code = ErrorCode.RATE_LIMITED
    message = "Too many requests. Try again later."


class UnavailableError(AppError):
    """A part that is needed does not answer: nothing was done, or trying again with the same id is safe."""

    code = ErrorCode.UNAVAILABLE
    message = "The service is temporarily unavailable. Try again."

    def __init__(self, message: str | None = None, *, details: Any = None, retry_after: float | None = 1.0) -> None:
        super().__init__(message, details=details, retry_after=retry_after)


class UnknownEventError(AppError):
    code = ErrorCode.UNKNOWN_EVENT
    message = "Unknown event."


MAX_FIELD_ERRORS = 20


def field_errors(errors: Any, *, skip: int = 0) -> list[dict[str, str]]:
    """pydantic's errors as `[{field, message}]`, the first 20, without the offending input.

    `skip` leading parts of each location are not the field's name (over HTTP: where it was given).
    """
    return [
        {
            "field": ".".join(_printable(part) for part in error["loc"][skip:]),
            "message": str(error["msg"]).removeprefix("Value error, "),
        }
        for error in errors[:MAX_FIELD_ERRORS]
    ]


def _printable(part: object) -> str:
    return str(part).encode("utf-8", "replace").decode()[:64].replace("\0", "")
