"""A webhook's request is an event only as its sender signed it, now."""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook
from synctalk.webhooks import WebhookError, verified

SECRET = f"whsec_{b64encode(bytes(range(32))).decode()}"
OTHER = f"whsec_{b64encode(bytes(32)).decode()}"
EVENT = {"id": "evt_1", "type": "message.created", "created_at": "2026-01-01T00:00:00.000Z", "data": {"message": {}}}
BODY = json.dumps(EVENT, ensure_ascii=False).encode()


def signed(*secrets: str, age: timedelta = timedelta(0), body: bytes = BODY) -> dict[str, str]:
    at = datetime.now(UTC) - age
    signatures = [Webhook(secret).sign("evt_1", at, body.decode()) for secret in secrets]
    return {
        "Webhook-Id": "evt_1",
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": " ".join(signatures),
    }


@pytest.mark.parametrize("secrets", [(SECRET,), (OTHER, SECRET)], ids=["one secret", "while it is rotated"])
def test_verified__as_it_was_signed__is_the_event(secrets: tuple[str, ...]) -> None:
    event = verified(SECRET, signed(*secrets), BODY)

    assert (event.id, event.type, event.data) == ("evt_1", "message.created", {"message": {}})


REFUSED: dict[str, Callable[[], tuple[dict[str, str], bytes]]] = {
    "another secret": lambda: (signed(OTHER), BODY),
    "another body": lambda: (signed(SECRET), BODY.replace(b"created", b"deleted")),
    "too old": lambda: (signed(SECRET, age=timedelta(minutes=6)), BODY),
    "from the future": lambda: (signed(SECRET, age=-timedelta(minutes=6)), BODY),
    "no headers": lambda: ({}, BODY),
    "another id": lambda: (signed(SECRET) | {"Webhook-Id": "evt_2"}, BODY),
    "a signature that cannot be read": lambda: (signed(SECRET) | {"Webhook-Signature": "v1"}, BODY),
    "no base64": lambda: (signed(SECRET) | {"Webhook-Signature": "v1,x"}, BODY),
    "no text": lambda: (signed(SECRET), b"\xff"),
    "no event": lambda: (signed(SECRET, body=b"[]"), b"[]"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_verified__what_is_not_signed__is_refused(case: str) -> None:
    headers, body = REFUSED[case]()
    with pytest.raises(WebhookError):
        verified(SECRET, headers, body)
