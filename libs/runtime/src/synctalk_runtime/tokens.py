"""Access tokens: verified here, offline, from auth's key set; refused once their session was revoked.

RFC 8725: one algorithm, every claim that we rely on required, `kid` only a dictionary key.
"""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import aiohttp
import jwt
import structlog
from fastapi import Depends, Request
from jwt import PyJWK

from synctalk_runtime.errors import TokenExpiredError, UnauthenticatedError, UnavailableError
from synctalk_runtime.revocations import Revocations

log = structlog.get_logger()

ALGORITHM = "ES256"
LEEWAY_S = 5
REFETCH_S = 30
REFRESH_S = 300
MAX_TOKEN_CHARS = 8192
_CLAIMS = ["iss", "aud", "sub", "sid", "iat", "exp", "jti"]


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a token speaks for."""

    user_id: str
    session_id: str
    expires_at: float
    """Unix time, seconds."""


class Keys(Protocol):
    """Where public keys are had from."""

    async def get(self, kid: str) -> PyJWK | None:
        """The key, or None when there is no such one."""


class KeySet:
    """auth's public keys by `kid`, read anew every five minutes in the background.

    An unknown `kid` reads them at once, but at most twice a minute: it is the attacker's input. While auth does not
    answer the keys that were read last stay good, and nobody waits for it twice.
    """

    def __init__(self, url: str, timeout_s: float = 2.0) -> None:
        self._url = url
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._keys: dict[str, PyJWK] = {}
        self._fetched_at = self._refreshed_at = self._missed_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def get(self, kid: str) -> PyJWK | None:
        """The key, or None when auth does not know it. Raises UnavailableError when no key set was ever read."""
        now = time.monotonic()
        key = self._keys.get(kid)
        if key is not None:
            if now - self._fetched_at >= REFRESH_S and now - self._refreshed_at >= REFETCH_S:
                self._refreshed_at = now
                self._fetch()
            return key
        if self._keys and now - self._missed_at < REFETCH_S:
            return None
        if self._keys:
            self._missed_at = now
        await asyncio.shield(self._fetch())
        if not self._keys:
            raise UnavailableError
        return self._keys.get(kid)

    async def check(self) -> None:
        """For readiness: raises when no key set can be had."""
        if not self._keys:
            await asyncio.shield(self._fetch())
        if not self._keys:
            raise UnavailableError

    async def close(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    def _fetch(self) -> asyncio.Task[None]:
        """One at a time, for all who wait."""
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._read(), name="jwks")
        return self._fetching

    async def _read(self) -> None:
        try:
            async with aiohttp.ClientSession(timeout=self._timeout) as http, http.get(self._url) as answer:
                answer.raise_for_status()
                document = await answer.json()
            self._keys = {
                entry["kid"]: PyJWK.from_dict(entry, algorithm=ALGORITHM)
                for entry in document["keys"]
                if entry["kty"] == "EC"
            }
            self._fetched_at = time.monotonic()
        except (aiohttp.ClientError, OSError, TimeoutError, KeyError, TypeError, ValueError, jwt.PyJWTError) as error:
            log.warning("tokens.keys_not_read", error=type(error).__name__)


class TokenVerifier:
    """Turns an access token into a `Person`, or refuses it."""

    CACHE = 10_000

    def __init__(self, keys: Keys, revocations: Revocations, issuer: str, audience: str) -> None:
        self._keys = keys
        self._revocations = revocations
        self._issuer = issuer
        self._audience = audience
        self._verified: OrderedDict[str, Person] = OrderedDict()

    async def verify(self, token: str) -> Person:
        """Raises UnauthenticatedError, TokenExpiredError, or UnavailableError when no keys can be had."""
        person = self._verified.get(token)
        if person is None:
            person = await self._decode(token)
            self._verified[token] = person
            if len(self._verified) > self.CACHE:
                self._verified.popitem(last=False)
        if person.expires_at + LEEWAY_S <= time.time():
            self._verified.pop(token, None)
            raise TokenExpiredError
        if self._revocations.is_revoked(person.session_id):
            raise UnauthenticatedError("The session has ended.")
        return person

    async def _decode(self, token: str) -> Person:
        if len(token) > MAX_TOKEN_CHARS:
            raise UnauthenticatedError
        try:
            header = jwt.get_unverified_header(token)
            kid = header.get("kid")
            key = await self._keys.get(kid) if isinstance(kid, str) and header.get("typ") == "JWT" else None
            if key is None:
                raise UnauthenticatedError
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_S,
                options={"require": _CLAIMS, "strict_aud": True},
            )
        except jwt.ExpiredSignatureError as error:
            raise TokenExpiredError from error
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise UnauthenticatedError from error
        if not isinstance(claims["sub"], str) or not isinstance(claims["sid"], str):
            raise UnauthenticatedError
        return Person(claims["sub"], claims["sid"], float(claims["exp"]))


async def current_person(request: Request) -> Person:
    """The caller of a REST route. The service's `TokenVerifier` is in `app.state.tokens`."""
    header = request.headers.get("authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise UnauthenticatedError
    verifier: TokenVerifier = request.app.state.tokens
    return await verifier.verify(token.strip())


CurrentPerson = Annotated[Person, Depends(current_person)]
