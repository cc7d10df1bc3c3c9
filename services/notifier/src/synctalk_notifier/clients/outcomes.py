"""The outcomes of a push by FCM's answer: done, never, later, or unknown.

"never" is only said where FCM names the token as the reason; a payload that it refuses costs the push, not the device.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

from firebase_admin import exceptions, messaging

QUOTA_PAUSE_S = 60.0
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


class End(StrEnum):
    SENT = "sent"
    GONE = "gone"
    """FCM no longer knows the token: the device goes."""
    REFUSED = "refused"
    """This push will never be taken."""
    LATER = "later"
    MAYBE = "maybe"
    """No answer: it may have arrived."""
    MISCONFIGURED = "misconfigured"
    """Our account or its keys are not accepted: an alarm, and later."""


@dataclass(frozen=True, slots=True)
class Outcome:
    end: End
    code: str = ""
    """FCM's word for it, for logs."""
    retry_after_s: float | None = None


def outcome_of(response: messaging.SendResponse) -> Outcome:
    error = response.exception
    if error is None:
        return Outcome(End.SENT)
    for kind, read in _BY_KIND:
        if isinstance(error, kind):
            return read(error)
    return Outcome(End.MAYBE, str(error.code))


def _gone(error: Any) -> Outcome:
    return Outcome(End.GONE, _fcm_code(error) or str(error.code))


def _invalid(error: Any) -> Outcome:
    """INVALID_ARGUMENT is the token's fault only if FCM itself says so; else the payload's."""
    code = _fcm_code(error)
    return Outcome(End.GONE, code) if code is not None else Outcome(End.REFUSED, str(error.code))


def _misconfigured(error: Any) -> Outcome:
    return Outcome(End.MISCONFIGURED, _fcm_code(error) or str(error.code))


def _quota(error: Any) -> Outcome:
    """Without a `Retry-After` FCM wants a minute's pause."""
    return Outcome(End.LATER, str(error.code), _retry_after_s(error) or QUOTA_PAUSE_S)


def _later(error: Any) -> Outcome:
    return Outcome(End.LATER, str(error.code), _retry_after_s(error))


def _maybe(error: Any) -> Outcome:
    return Outcome(End.MAYBE, str(error.code))


_BY_KIND: tuple[tuple[type[Exception], Callable[[Any], Outcome]], ...] = (
    (messaging.UnregisteredError, _gone),
    (messaging.SenderIdMismatchError, _gone),
    (messaging.ThirdPartyAuthError, _misconfigured),
    (messaging.QuotaExceededError, _quota),
    (exceptions.ResourceExhaustedError, _quota),
    (exceptions.InvalidArgumentError, _invalid),
    (exceptions.UnauthenticatedError, _misconfigured),
    (exceptions.PermissionDeniedError, _misconfigured),
    (exceptions.NotFoundError, _misconfigured),
    (exceptions.UnavailableError, _later),
    (exceptions.InternalError, _later),
    (exceptions.DeadlineExceededError, _maybe),
)


def _fcm_code(error: Any) -> str | None:
    """The `errorCode` of an `FcmError` in the answer's details."""
    if error.http_response is None:
        return None
    try:
        details = error.http_response.json()["error"]["details"]
        return next((str(d["errorCode"]) for d in details if d.get("@type") == FCM_ERROR), None)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _retry_after_s(error: Any) -> float | None:
    """The header's seconds, or the seconds until its date."""
    header = error.http_response.headers.get("Retry-After") if error.http_response is not None else None
    if not header:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
