"""Web Push (RFC 8030): pushes to browsers, encrypted for each (RFC 8291), signed with VAPID.

Endpoints are given by users, so connections are made to public addresses alone and no redirect is followed. To encrypt
and sign takes about 0.3 ms, and is done on the loop.
"""

import asyncio
import json
from dataclasses import asdict
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import aiohttp
import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from synctalk_contracts.models import PushData
from synctalk_runtime.outbound import Outbound, is_forbidden

from synctalk_notifier.clients.outcomes import QUOTA_PAUSE_S, End, Outcome
from synctalk_notifier.clients.vapid import Vapid
from synctalk_notifier.kinds import Subscription
from synctalk_notifier.rules import stand_in_path, unpadded
from synctalk_notifier.wording import Shown


class WebPush:
    """`stand_in_url` is where endpoints of the stand-in are reached; None: there is none."""

    def __init__(
        self, vapid: Vapid, outbound: Outbound, stand_in_url: str | None, timeout_s: float, keep_s: float
    ) -> None:
        self._vapid = vapid
        self._outbound = outbound
        self._stand_in_url = stand_in_url
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._keep_s = round(keep_s)
        self._http: aiohttp.ClientSession | None = None
        self._local: aiohttp.ClientSession | None = None

    async def send(self, subscription: Subscription, data: PushData, shown: Shown | None) -> Outcome:
        """Send one push to one browser; never raises for what its push service answers."""
        parts = urlsplit(subscription.endpoint)
        payload = {"data": data.model_dump(), "notification": asdict(shown) if shown else None}
        headers = {
            "Authorization": self._vapid.authorization(f"{parts.scheme}://{parts.netloc}"),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(self._keep_s),
            "Topic": (data.thread_id or data.conversation_id).replace("-", ""),  # 32 characters at most
            "Urgency": "high" if shown else "low",
        }
        try:
            body = _encrypt(json.dumps(payload, ensure_ascii=False).encode(), subscription)
        except ValueError:
            return Outcome(End.GONE, "INVALID_KEYS")
        try:
            http, url = self._way_to(subscription.endpoint)
            async with http.post(url, data=body, headers=headers, allow_redirects=False) as response:
                return _outcome(response.status, response.headers.get("Retry-After"))
        except aiohttp.ClientConnectorError as error:
            if is_forbidden(error):
                return Outcome(End.REFUSED, "FORBIDDEN_ADDRESS")
            return Outcome(End.LATER, "UNREACHABLE")
        except TimeoutError:
            return Outcome(End.MAYBE, "TIMEOUT")
        except aiohttp.ClientError as error:
            return Outcome(End.MAYBE, type(error).__name__)

    async def close(self) -> None:
        await asyncio.gather(*(http.close() for http in (self._http, self._local) if http is not None))

    def _way_to(self, endpoint: str) -> tuple[aiohttp.ClientSession, str]:
        """Return the client and the address of a request; the stand-in is reached where the operator says it is."""
        path = stand_in_path(endpoint)
        if self._stand_in_url is not None and path is not None:
            if self._local is None:
                self._local = aiohttp.ClientSession(timeout=self._timeout)
            return self._local, self._stand_in_url.rstrip("/") + path
        if self._http is None:
            connector = self._outbound.connector(limit_per_host=0)
            self._http = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        return self._http, endpoint


def _encrypt(payload: bytes, subscription: Subscription) -> bytes:
    """Encrypt for the browser. Raises ValueError when its keys are none."""
    encrypted: bytes = http_ece.encrypt(
        payload,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=unpadded(subscription.p256dh),
        auth_secret=unpadded(subscription.auth),
        version="aes128gcm",
    )
    return encrypted


def _outcome(status: int, retry_after: str | None) -> Outcome:
    code = str(status)
    if 200 <= status < 300:
        return Outcome(End.SENT)
    if status in (404, 410):
        return Outcome(End.GONE, code)
    if status in (401, 403):
        return Outcome(End.MISCONFIGURED, code)
    if status == 429:
        return Outcome(End.LATER, code, _seconds(retry_after) or QUOTA_PAUSE_S)
    if status >= 500:
        return Outcome(End.LATER, code, _seconds(retry_after))
    return Outcome(End.REFUSED, code)


def _seconds(header: str | None) -> float | None:
    """The header's seconds, or the seconds until its date."""
    if not header:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
