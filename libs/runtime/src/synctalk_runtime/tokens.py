"""Access tokens: verified here, offline, from auth's key set; refused once their session was revoked.

RFC 8725: one algorithm, every claim that we rely on required, `kid` only a dictionary key. A token is good for as long
as the key set has its key, and never for longer than auth lets its tokens live.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import aiohttp
import jwt
import structlog
from fastapi import Depends, Request
from jwt import PyJWK
from synctalk_contracts.models import Scope

from synctalk_runtime.background import Loop
from synctalk_runtime.credentials import (
    BOT_PREFIX,
    KEY_PREFIX,
    MAX_KEY_CHARS,
    USER_HEADER,
    Credentials,
    ServerKey,
    acted_for,
    hash_of,
    verified_key,
)
from synctalk_runtime.errors import ForbiddenError, TokenExpiredError, UnauthenticatedError, UnavailableError
from synctalk_runtime.revocations import Revocations

log = structlog.get_logger()

ALGORITHM = "ES256"
LEEWAY_S = 5
REFETCH_S = 30
REFRESH_S = 5.0
MAX_LIFETIME_S = 900
MAX_TOKEN_CHARS = 8192
NEVER = 253_402_300_799.0
"""When a principal ends who does not: the last second of the year 9999, which every format can say."""
_CLAIMS = ["iss", "aud", "sub", "sid", "iat", "exp", "jti"]


@dataclass(frozen=True, slots=True)
class Principal:
    """The user and session that a token was issued for."""

    user_id: str
    session_id: str
    """Of a call that a server key makes: the key's id."""
    expires_at: float
    """Unix time, seconds."""
    kid: str
    """Which key signed the token; empty for a server key."""
    is_bot: bool = False
    is_guest: bool = False


class Keys(Protocol):
    """A source of public keys."""

    async def get(self, kid: str) -> PyJWK | None:
        """Return the key, or None when there is no such one."""


OnWithdrawn = Callable[[frozenset[str]], None]


class KeySet:
    """auth's public keys by `kid`, read anew every five seconds between `start` and `close`.

    So a key that auth has withdrawn is gone here within seconds, and `on_withdrawn` is called with its `kid` (also
    for a key that has only outlived its last token). An unknown `kid` reads the keys at once, but at most twice a
    minute: it is the attacker's input. While auth does not answer, the keys read last stay good, and nobody waits.
    """

    def __init__(self, url: str, timeout_s: float = 2.0, on_withdrawn: OnWithdrawn | None = None) -> None:
        self._url = url
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._on_withdrawn = on_withdrawn
        self._keys: dict[str, PyJWK] = {}
        self._etag: str | None = None
        self._missed_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._polling = Loop("jwks", self._fetch_once, REFRESH_S)
        self.start = self._polling.start

    async def close(self) -> None:
        await self._polling.stop()
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    async def get(self, kid: str) -> PyJWK | None:
        """Return the key, or None when auth does not know it. Raises UnavailableError when no key set was ever read."""
        key = self._keys.get(kid)
        if key is not None:
            return key
        now = time.monotonic()
        if self._keys and now - self._missed_at < REFETCH_S:
            return None
        if self._keys:
            self._missed_at = now
        await asyncio.shield(self._fetch())
        if not self._keys:
            raise UnavailableError
        return self._keys.get(kid)

    async def check(self) -> None:
        """Raise when no key set can be fetched, for readiness."""
        if not self._keys:
            await asyncio.shield(self._fetch())
        if not self._keys:
            raise UnavailableError

    async def _fetch_once(self) -> None:
        await self._fetch()

    def _fetch(self) -> asyncio.Task[None]:
        """Fetch the key set, once for all who wait."""
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._read(), name="jwks")
        return self._fetching

    async def _read(self) -> None:
        headers = {"If-None-Match": self._etag} if self._etag else {}
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout) as http,
                http.get(self._url, headers=headers) as answer,
            ):
                answer.raise_for_status()
                if answer.status == 304:
                    return
                document = await answer.json()
            self._replace(_parse(document))
            self._etag = answer.headers.get("ETag")
        except Exception as error:  # whatever auth answers: the keys read last stay good, and the polling goes on
            log.warning("tokens.keys_not_read", error=type(error).__name__)

    def _replace(self, keys: dict[str, PyJWK]) -> None:
        withdrawn = frozenset(self._keys) - frozenset(keys)
        self._keys = keys
        if not withdrawn:
            return
        log.info("tokens.keys_withdrawn", kids=sorted(withdrawn))
        if self._on_withdrawn is None:
            return
        try:
            self._on_withdrawn(withdrawn)
        except Exception as error:  # the keys hold all the same
            log.exception("tokens.withdrawal_failed", error=type(error).__name__)


def _parse(document: Any) -> dict[str, PyJWK]:
    """Return the keys of a JWKS document. Raises ValueError when there is none: auth always has one that signs."""
    keys = {
        entry["kid"]: PyJWK.from_dict(entry, algorithm=ALGORITHM) for entry in document["keys"] if entry["kty"] == "EC"
    }
    if not keys:
        raise ValueError("no keys")
    return keys


class TokenVerifier:
    """Turns an access token into a `Principal`, or refuses it."""

    CACHE = 10_000

    def __init__(
        self,
        keys: Keys,
        revocations: Revocations,
        issuer: str,
        audience: str,
        max_lifetime_s: float = MAX_LIFETIME_S,
        credentials: Credentials | None = None,
    ) -> None:
        self._keys = keys
        self.revocations = revocations
        self._issuer = issuer
        self._audience = audience
        self._max_lifetime_s = max_lifetime_s
        self._credentials = credentials
        self._verified: OrderedDict[str, Principal] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        """Verify an access token, or a bot's.

        Raises UnauthenticatedError, TokenExpiredError, or UnavailableError without keys or list of revocations.
        """
        if token.startswith(BOT_PREFIX):
            return await self._verify_bot(token)
        principal = self._verified.get(token)
        if principal is None:
            principal = await self._decode(token)
            self._verified[token] = principal
            if len(self._verified) > self.CACHE:
                self._verified.popitem(last=False)
        if principal.expires_at + LEEWAY_S <= time.time():
            self._verified.pop(token, None)
            raise TokenExpiredError
        if await self._keys.get(principal.kid) is None:
            self._verified.pop(token, None)
            raise UnauthenticatedError
        await self.revocations.ready()
        if self.revocations.is_revoked(principal.session_id):
            raise UnauthenticatedError("The session has ended.")
        return principal

    async def _verify_bot(self, token: str) -> Principal:
        """A bot's token is no JWT: auth says whose it is. Its revocation is also in the list, and so known at once."""
        if self._credentials is None or len(token) > MAX_KEY_CHARS:
            raise UnauthenticatedError
        bot = await self._credentials.bot_of(hash_of(token))
        if bot is None:
            raise UnauthenticatedError
        await self.revocations.ready()
        if self.revocations.is_revoked(bot.session_id):
            raise UnauthenticatedError("The session has ended.")
        return Principal(bot.user_id, bot.session_id, NEVER, "", is_bot=True)

    async def _decode(self, token: str) -> Principal:
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
        expires_at = float(claims["exp"])
        if expires_at - float(claims["iat"]) > self._max_lifetime_s + LEEWAY_S:  # auth never signs such a token
            raise UnauthenticatedError
        is_guest = claims.get("guest") is True
        return Principal(claims["sub"], claims["sid"], expires_at, header["kid"], is_guest=is_guest)


def bearer_of(request: Request) -> str:
    """Return the token of the header, which is the only place for one. Raises UnauthenticatedError: there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthenticatedError
    return token.strip()


async def current_principal(request: Request) -> Principal:
    """Return the user who calls a REST route, or for whom a server key does.

    The service's `TokenVerifier` is in `app.state.tokens`, what it knows of server keys in `app.state.credentials`.
    """
    token = bearer_of(request)
    user = request.headers.get(USER_HEADER)
    if token.startswith(KEY_PREFIX):
        key = await _server_key(request, token)
        acted = await acted_for(request.app.state.credentials, key, user)
        ends_at = key.expires_at or NEVER
        return Principal(acted.user_id, key.id, ends_at, "", is_bot=acted.is_bot, is_guest=acted.is_guest)
    verifier: TokenVerifier = request.app.state.tokens
    principal = await verifier.verify(token)
    if user is not None:
        raise ForbiddenError(f"{USER_HEADER} is for server keys only.")
    return principal


CurrentPrincipal = Annotated[Principal, Depends(current_principal)]


def acts_by_itself(request: Request) -> bool:
    """Return whether a server key calls for no user."""
    return USER_HEADER not in request.headers and bearer_of(request).startswith(KEY_PREFIX)


async def no_bot(principal: CurrentPrincipal) -> None:
    """Refuse bots, as a dependency of routes that are not for them. Raises ForbiddenError."""
    if principal.is_bot:
        raise ForbiddenError("A bot can't make this call.")


def requires(scope: Scope) -> Callable[[Request], Awaitable[ServerKey]]:
    """Return the dependency of a route that only server keys with the scope may call."""

    async def server_key(request: Request) -> ServerKey:
        token = bearer_of(request)
        if not token.startswith(KEY_PREFIX):
            await request.app.state.tokens.verify(token)
            raise ForbiddenError("This call needs a server key.")
        key = await _server_key(request, token)
        if USER_HEADER in request.headers:
            raise ForbiddenError(f"This call can't be made with {USER_HEADER}.")
        key.require(scope)
        return key

    return server_key


async def _server_key(request: Request, token: str) -> ServerKey:
    if "origin" in request.headers:
        raise ForbiddenError("A server key belongs in no browser.")
    return await verified_key(request.app.state.credentials, token)
