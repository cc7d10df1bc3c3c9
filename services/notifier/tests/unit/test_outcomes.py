"""What FCM's answers mean, as Firebase's own client reads them from the wire."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from firebase_admin import messaging
from synctalk_notifier.clients.outcomes import FCM_ERROR, End, Outcome, outcome_of

BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


def read_by_firebase(error: httpx.HTTPError) -> Outcome:
    exception = messaging._MessagingService._handle_fcm_httpx_error(None, error)
    return outcome_of(messaging.SendResponse(resp=None, exception=exception))


def answered(status: int, body: Any, headers: dict[str, str] | None = None) -> Outcome:
    request = httpx.Request("POST", "https://fcm.test")
    content = body if isinstance(body, bytes) else httpx.Response(200, json=body).content
    response = httpx.Response(status, content=content, headers=headers, request=request)
    return read_by_firebase(httpx.HTTPStatusError("", request=request, response=response))


def error(name: str, code: str | None = None, kind: str = FCM_ERROR) -> dict[str, Any]:
    details = [{"@type": kind, "errorCode": code}] if code else []
    return {"error": {"message": "said by FCM", "status": name, "details": details}}


def test_no_error__is_sent() -> None:
    assert outcome_of(messaging.SendResponse({"name": "projects/p/messages/1"}, None)).end is End.SENT


@pytest.mark.parametrize(
    ("status", "body", "end"),
    [
        (404, error("NOT_FOUND", "UNREGISTERED"), End.GONE),
        (403, error("PERMISSION_DENIED", "SENDER_ID_MISMATCH"), End.GONE),
        (400, error("INVALID_ARGUMENT", "INVALID_ARGUMENT"), End.GONE),
        (400, error("INVALID_ARGUMENT", "x", BAD_REQUEST), End.REFUSED),
        (400, error("INVALID_ARGUMENT"), End.REFUSED),
        (400, b"not json", End.REFUSED),
        (401, error("UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"), End.MISCONFIGURED),
        (401, error("UNAUTHENTICATED"), End.MISCONFIGURED),
        (403, error("PERMISSION_DENIED"), End.MISCONFIGURED),
        (404, error("NOT_FOUND"), End.MISCONFIGURED),
        (429, error("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), End.LATER),
        (500, error("INTERNAL", "INTERNAL"), End.LATER),
        (503, error("UNAVAILABLE", "UNAVAILABLE"), End.LATER),
        (503, b"<html>", End.LATER),
        (418, b"", End.MAYBE),
    ],
)
def test_answer__means(status: int, body: Any, end: End) -> None:
    assert answered(status, body).end is end


@pytest.mark.parametrize(
    ("failure", "end"),
    [
        (httpx.ConnectError("refused"), End.LATER),
        (httpx.ReadTimeout("slow"), End.MAYBE),
        (httpx.PoolTimeout("full"), End.MAYBE),
        (httpx.RemoteProtocolError("cut"), End.MAYBE),
    ],
)
def test_no_answer__means(failure: httpx.HTTPError, end: End) -> None:
    assert read_by_firebase(failure).end is end


def test_retry_after__in_seconds__is_read() -> None:
    assert answered(503, error("UNAVAILABLE"), {"Retry-After": "7"}).retry_after_s == 7


def test_retry_after__as_a_date__is_read() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    asked = answered(429, error("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), {"Retry-After": date}).retry_after_s
    assert asked is not None
    assert 25 < asked <= 30


def test_retry_after__nonsense__is_ignored() -> None:
    assert answered(503, error("UNAVAILABLE"), {"Retry-After": "soon"}).retry_after_s is None


def test_quota__without_retry_after__waits_a_minute() -> None:
    assert answered(429, error("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED")).retry_after_s == 60
