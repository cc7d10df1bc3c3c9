"""The behaviours of the stand-in, chosen by the beginning of a token, so that every failure can be tried at will."""

from dataclasses import dataclass, field
from typing import Any

FAILURES_BEFORE_SUCCESS = 2
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    after_s: float = 0.0


def google_error(status: int, name: str, message: str, *details: dict[str, Any]) -> dict[str, Any]:
    """The error body of Google's APIs."""
    error: dict[str, Any] = {"code": status, "message": message, "status": name}
    if details:
        error["details"] = list(details)
    return {"error": error}


def answer_for(token: str, earlier_sends: int, message_name: str, slow_s: float) -> Answer:
    """The answer to a well-formed message; `earlier_sends` counts those to the same token before."""
    failing = earlier_sends < FAILURES_BEFORE_SUCCESS
    if token.startswith("unregistered-"):
        return Answer(404, _fcm_error(404, "NOT_FOUND", "Requested entity was not found.", "UNREGISTERED"))
    if token.startswith("unavailable-") and failing:
        return Answer(503, _fcm_error(503, "UNAVAILABLE", "The service is currently unavailable.", "UNAVAILABLE"))
    if token.startswith("quota-") and failing:
        body = _fcm_error(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", "QUOTA_EXCEEDED")
        return Answer(429, body, {"Retry-After": "1"})
    return Answer(200, {"name": message_name}, after_s=slow_s if token.startswith("slow-") else 0.0)


def web_push_answer_for(token: str, earlier_sends: int, slow_s: float) -> Answer:
    """The answer of a browser's push service, by the same beginnings of a token."""
    failing = earlier_sends < FAILURES_BEFORE_SUCCESS
    if token.startswith("unregistered-"):
        return Answer(410, {})
    if token.startswith("unavailable-") and failing:
        return Answer(503, {})
    if token.startswith("quota-") and failing:
        return Answer(429, {}, {"Retry-After": "1"})
    return Answer(201, {}, after_s=slow_s if token.startswith("slow-") else 0.0)


def refusal(field_name: str, problem: str) -> Answer:
    """A message that is not of FCM's shape."""
    violation = {"@type": BAD_REQUEST, "fieldViolations": [{"field": field_name, "description": problem}]}
    return Answer(400, google_error(400, "INVALID_ARGUMENT", f"{field_name}: {problem}", violation))


def _fcm_error(status: int, name: str, message: str, code: str) -> dict[str, Any]:
    return google_error(status, name, message, {"@type": FCM_ERROR, "errorCode": code})
