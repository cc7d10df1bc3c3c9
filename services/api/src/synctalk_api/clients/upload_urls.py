"""Addresses for uploads into the folder: good for one file, its size and an hour, without a token."""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime

from synctalk_runtime.settings import secrets_in

from synctalk_api import rules
from synctalk_api.settings import Settings

_PURPOSE = b"synctalk upload urls"


@dataclass(frozen=True, slots=True)
class UploadUrls:
    keys: tuple[bytes, ...] = field(repr=False)
    """The first signs; all are accepted, while the secret is changed."""

    @classmethod
    def of(cls, settings: Settings) -> "UploadUrls":
        secrets = secrets_in(settings.internal_secret)
        return cls(tuple(hmac.digest(secret.encode(), _PURPOSE, hashlib.sha256) for secret in secrets))

    def signed(self, file_id: str, size: int, expires_at: datetime) -> str:
        expires = int(expires_at.timestamp())
        signature = _signature(self.keys[0], file_id, size, expires)
        return f"/v1/uploads/{file_id}?size={size}&expires={expires}&signature={signature}"

    def is_valid(self, file_id: str, size: str, expires: str, signature: str, now: datetime) -> bool:
        if not rules.is_count(expires) or not signature.isascii():
            return False
        expected = (_signature(key, file_id, size, expires) for key in self.keys)
        return now.timestamp() < int(expires) and any(hmac.compare_digest(each, signature) for each in expected)


def _signature(key: bytes, file_id: str, size: int | str, expires: int | str) -> str:
    return hmac.digest(key, f"{file_id} {size} {expires}".encode(), hashlib.sha256).hex()
