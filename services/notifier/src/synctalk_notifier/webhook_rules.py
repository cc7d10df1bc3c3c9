"""When a delivery is tried again, and what an endpoint's requests are signed with."""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from standardwebhooks import Webhook as Signer
from synctalk_runtime.background import jittered

from synctalk_notifier.store.webhooks import Webhook

RETRIES_S = (5, 20, 60, 200, 900, 3_600, 7_200, 14_400, 28_800, 28_800)
"""Pauses after the first, second … failure: five tries in about five minutes, all of them in about a day."""
PASSED_AFTER = 5
"""Failures after which later events of the same conversation do not wait any more."""
DISABLED_AFTER = timedelta(days=3)
"""Without any success an endpoint is switched off."""
OLD_SECRET_FOR = timedelta(hours=24)
SECRET_BYTES = 32


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def next_try(failures: int, now: datetime, retries_s: Sequence[float]) -> datetime | None:
    """Return when to try again; None: it is dead."""
    if failures > len(retries_s):
        return None
    return now + timedelta(seconds=jittered(retries_s[failures - 1]))


def headers(webhook: Webhook, event_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """Return the headers of a request, as Standard Webhooks says: https://www.standardwebhooks.com"""
    signing = [webhook.secret]
    if webhook.old_secret is not None and webhook.old_secret_until is not None and now < webhook.old_secret_until:
        signing.append(webhook.old_secret)
    signatures = [Signer(secret).sign(event_id, now, body.decode()) for secret in signing]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
        "content-type": "application/json",
        "user-agent": "SyncTalk",
    }
