"""Everything that a call may fail with."""

from typing import Any

RETRYABLE = frozenset({"unavailable", "rate_limited"})
TOKEN_REFUSED = frozenset({"token_expired", "unauthenticated"})


class SyncTalkError(Exception):
    """The base of all errors of this package."""


class CallError(SyncTalkError):
    """The server refused a call; `code` is one of its closed list."""

    def __init__(
        self,
        code: str,
        message: str,
        details: Any = None,
        retry_after_s: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.details = details
        self.retry_after_s = retry_after_s
        self.status = status
        """The HTTP status; None where a socket answered."""

    @property
    def is_retryable(self) -> bool:
        """Whether the same call may succeed later."""
        return self.code in RETRYABLE

    @property
    def refuses_token(self) -> bool:
        return self.code in TOKEN_REFUSED


class NoAnswerError(SyncTalkError):
    """No answer came: no connection, a lost one, or a timeout. The call may have been carried out all the same."""


class SessionEndedError(SyncTalkError):
    """The session is over, and no token of it is good any more; `reason` is as in `session:ended`, or `refused`."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The session has ended: {reason}.")
        self.reason = reason


def call_error(body: object, status: int | None = None) -> CallError | None:
    """Return the error that an error body or a failed ack carries, None where it is neither."""
    detail = body.get("error") if isinstance(body, dict) else None
    if not isinstance(detail, dict) or not isinstance(detail.get("code"), str):
        return None
    retry_after = detail.get("retry_after")
    return CallError(
        detail["code"],
        str(detail.get("message", "")),
        detail.get("details"),
        float(retry_after) if isinstance(retry_after, (int, float)) else None,
        status,
    )
