"""Google's OAuth step: a signed assertion is changed for an access token (RFC 7523)."""

import secrets
import time
from collections import OrderedDict
from pathlib import Path

import jwt

from synctalk_fcm.credentials import public_key

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFETIME_S = 3600
MAX_TOKENS = 1000
_CLAIMS = ["iss", "aud", "iat", "exp"]


class AssertionRefusedError(Exception):
    """The assertion is not one of the service account."""


class AccessTokens:
    """The tokens given out, forgotten when they end or the process does: clients then ask anew."""

    def __init__(self, credentials_file: Path | None) -> None:
        self._credentials_file = credentials_file
        self._expires_at: OrderedDict[str, float] = OrderedDict()

    def issue(self, grant_type: str, assertion: str) -> str:
        """Exchange an assertion for an access token. Raises AssertionRefusedError."""
        if grant_type != GRANT_TYPE:
            raise AssertionRefusedError("unsupported grant type")
        self._check(assertion)
        token = secrets.token_urlsafe(32)
        self._expires_at[token] = time.monotonic() + LIFETIME_S
        if len(self._expires_at) > MAX_TOKENS:
            self._expires_at.popitem(last=False)
        return token

    def is_valid(self, token: str) -> bool:
        return self._expires_at.get(token, 0.0) > time.monotonic()

    def _check(self, assertion: str) -> None:
        """Without the account's file there is no key to check with; then the form has to do."""
        signed = self._credentials_file is not None and self._credentials_file.exists()
        key = public_key(self._credentials_file) if signed and self._credentials_file else ""
        options = {"require": _CLAIMS, "verify_aud": False, "verify_signature": signed}
        try:
            jwt.decode(assertion, key, algorithms=["RS256"], leeway=60, options=options)  # type: ignore[arg-type]
        except (jwt.PyJWTError, ValueError) as error:
            raise AssertionRefusedError(type(error).__name__) from error
