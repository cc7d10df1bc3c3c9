"""A browser's side of Web Push: its keys, and what it can read of a push."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from synctalk_fcm.inbox import Received
from synctalk_notifier.clients.vapid import base64url

AUTH = b"16 secret bytes!"


@dataclass(frozen=True)
class Browser:
    token: str = field(default_factory=lambda: uuid4().hex)
    """Of its endpoint at the stand-in."""
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def subscription(self, endpoint: str | None = None) -> dict[str, Any]:
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {
            "endpoint": endpoint or f"http://localhost:8080/dev/webpush/{self.token}",
            "keys": {"p256dh": base64url(point), "auth": base64url(AUTH)},
        }

    def read(self, received: Received) -> dict[str, Any]:
        """Decrypt a push."""
        assert received.body is not None
        body = base64.b64decode(received.body)
        text = http_ece.decrypt(body, private_key=self.key, auth_secret=AUTH, version="aes128gcm")
        found: dict[str, Any] = json.loads(text)
        return found
