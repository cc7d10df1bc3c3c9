"""Tokens of other issuers, checked as RFC 8725 says: keys and algorithms are those of the setting, never the token's.

`jku`, `jwk`, `x5u` and `x5c` of a token are not read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import jwt
from jwt import PyJWK
from synctalk_runtime.errors import TokenExpiredError, UnauthenticatedError
from synctalk_runtime.ids import utc_now

from synctalk_auth import rules
from synctalk_auth.clients.jwks import JwksClient
from synctalk_auth.public_keys import PublicKeys
from synctalk_auth.trusted_issuers import TrustedIssuer

MAX_KEYS_TRIED = 10
_REQUIRED = ["iss", "aud", "sub", "iat", "exp"]
_UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, KeyError, OverflowError, RecursionError)


class KeySource(Protocol):
    async def of(self, kid: str | None, algorithm: str) -> Sequence[PyJWK | bytes]: ...


@dataclass(frozen=True, slots=True)
class _Fixed:
    """Public keys that are in the setting."""

    keys: PublicKeys

    async def of(self, kid: str | None, algorithm: str) -> Sequence[PyJWK]:
        return self.keys.of(kid, algorithm)


@dataclass(frozen=True, slots=True)
class _Secret:
    """A secret shared with the issuer."""

    secret: bytes

    async def of(self, kid: str | None, algorithm: str) -> Sequence[bytes]:
        return [self.secret]


class ForeignTokens:
    """Verifies the tokens of the trusted issuers."""

    def __init__(
        self,
        issuers: Sequence[TrustedIssuer],
        remote: Mapping[str, JwksClient],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._issuers = {issuer.issuer: issuer for issuer in issuers}
        self._keys = {issuer.issuer: _source(issuer, remote) for issuer in issuers}
        self._clock = clock

    async def verify(self, token: str) -> tuple[TrustedIssuer, dict[str, Any]]:
        """Return the issuer and the claims.

        Raises:
            UnauthenticatedError: forged, of another issuer or audience, or a demanded claim is missing or wrong.
            TokenExpiredError: past its end, and well otherwise.
            UnavailableError: the issuer's keys can't be had.
        """
        try:
            header = jwt.get_unverified_header(token)
            unverified = jwt.decode(token, options={"verify_signature": False})
        except _UNREADABLE as error:
            raise UnauthenticatedError from error
        name, algorithm, kid = unverified.get("iss"), header.get("alg"), header.get("kid")
        issuer = self._issuers.get(name) if isinstance(name, str) else None
        if issuer is None or algorithm not in issuer.algorithms or "crit" in header:
            raise UnauthenticatedError
        if kid is not None and not isinstance(kid, str):
            raise UnauthenticatedError
        keys = await self._keys[issuer.issuer].of(kid, algorithm)
        return issuer, self._claims(issuer, token, algorithm, keys)

    def _claims(
        self, issuer: TrustedIssuer, token: str, algorithm: str, keys: Sequence[PyJWK | bytes]
    ) -> dict[str, Any]:
        for key in keys[:MAX_KEYS_TRIED]:
            try:
                claims: dict[str, Any] = jwt.decode(
                    token,
                    key,
                    algorithms=[algorithm],
                    issuer=issuer.issuer,
                    audience=issuer.audience,
                    options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
                )
            except jwt.InvalidSignatureError:
                continue
            except _UNREADABLE as error:
                raise UnauthenticatedError from error
            times = rules.token_times(claims, self._clock())
            if times is rules.TokenTimes.EXPIRED:
                raise TokenExpiredError
            if times is not rules.TokenTimes.GOOD:
                raise UnauthenticatedError
            return claims
        raise UnauthenticatedError


def _source(issuer: TrustedIssuer, remote: Mapping[str, JwksClient]) -> KeySource:
    if issuer.jwks_url is not None:
        return remote[issuer.issuer]
    if issuer.shared_secret is not None:
        return _Secret(issuer.shared_secret.get_secret_value().encode())
    return _Fixed(PublicKeys(issuer.public_keys or ()))
