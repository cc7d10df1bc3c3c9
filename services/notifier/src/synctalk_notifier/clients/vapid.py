"""VAPID (RFC 8292): the key by which push services know us, and the signed header of each request."""

import base64
import time
from collections import OrderedDict

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LIFETIME_S = 12 * 3600
"""Push services take at most 24 h."""
RENEW_S = 3600
MAX_ORIGINS = 1_000
"""Whose headers are kept; there are a handful of push services."""


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Vapid:
    def __init__(self, key: ec.EllipticCurvePrivateKey, subject: str) -> None:
        self._key = key
        self._subject = subject
        point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.public_key = base64url(point)
        self._headers: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def authorization(self, origin: str) -> str:
        """Return the header for requests to a push service; signed anew an hour before it ends."""
        now = time.time()
        known = self._headers.get(origin)
        if known is None or known[0] - RENEW_S < now:
            expires_at = now + LIFETIME_S
            claims = {"aud": origin, "exp": int(expires_at), "sub": self._subject}
            token = jwt.encode(claims, self._key, algorithm="ES256")
            known = self._headers[origin] = (expires_at, f"vapid t={token}, k={self.public_key}")
            if len(self._headers) > MAX_ORIGINS:
                self._headers.popitem(last=False)
        return known[1]
