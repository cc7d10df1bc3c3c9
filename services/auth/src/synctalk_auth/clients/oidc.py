"""An identity provider: where it is (discovery), a code for an ID token, and whether that token holds.

The document's addresses are used only if its issuer is the one of the setting; keys, algorithms and audience of an ID
token are checked as those of any foreign token (`foreign_tokens.py`), then `nonce` and `azp`.
"""

import asyncio
import base64
import hmac
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp
import structlog
from synctalk_runtime.errors import TokenExpiredError, UnauthenticatedError, UnavailableError

from synctalk_auth.clients.json_over_http import FAILURES, HEADERS, get_object, read_object
from synctalk_auth.clients.jwks import JwksClient
from synctalk_auth.errors import SignInRefusedError
from synctalk_auth.foreign_tokens import ForeignTokens
from synctalk_auth.oidc_providers import OidcProvider
from synctalk_auth.trusted_issuers import TrustedIssuer, is_https_or_loopback

log = structlog.get_logger()

TIMEOUT_S = 5.0
FRESH_S = 3600.0
"""How long a discovery document is used before it is read anew; an older one is, while there is none."""
RETRY_S = 1.0
MAX_ID_TOKEN_CHARS = 16 * 1024


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What the discovery document says."""

    authorization: str
    token: str
    jwks: str
    basic: bool
    """Whether the client's secret goes into the header; else into the body."""
    says_issuer: bool
    """Whether its callbacks name the issuer (RFC 9207)."""


class OidcClient:
    def __init__(self, provider: OidcProvider) -> None:
        self.provider = provider
        self._endpoints: Endpoints | None = None
        self._keys: JwksClient | None = None
        self._tokens: ForeignTokens | None = None
        self._read_at = self._asked_at = float("-inf")
        self._reading = asyncio.Lock()

    async def close(self) -> None:
        if self._keys is not None:
            await self._keys.close()

    async def endpoints(self) -> Endpoints:
        """Return where the provider is. Raises UnavailableError."""
        async with self._reading:
            now = time.monotonic()
            if now - self._read_at > FRESH_S and now - self._asked_at > RETRY_S:
                self._asked_at = now
                await self._read()
        if self._endpoints is None:
            raise UnavailableError("The identity provider can't be reached right now. Try again.")
        return self._endpoints

    async def redeem(self, code: str, verifier: str, redirect_uri: str) -> str:
        """Return the ID token for a code. Raises SignInRefusedError, UnavailableError."""
        to = await self.endpoints()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers, secret = dict(HEADERS), self.provider.client_secret
        if secret is not None and to.basic:
            headers["Authorization"] = _basic(self.provider.client_id, secret.get_secret_value())
        else:
            form["client_id"] = self.provider.client_id
            form |= {"client_secret": secret.get_secret_value()} if secret is not None else {}
        try:
            answer, status = await self._post(to.token, form, headers)
        except FAILURES as error:
            log.warning("oidc.code_not_redeemed", provider=self.provider.id, error=type(error).__name__)
            raise UnavailableError from error
        token = answer.get("id_token")
        if status != 200 or not isinstance(token, str) or len(token) > MAX_ID_TOKEN_CHARS:
            log.warning("oidc.code_refused", provider=self.provider.id, status=status)
            raise SignInRefusedError
        return token

    async def verified(self, id_token: str, nonce: str) -> dict[str, Any]:
        """Return the claims. Raises SignInRefusedError, UnavailableError."""
        await self.endpoints()
        assert self._tokens is not None
        try:
            _, claims = await self._tokens.verify(id_token)
        except (UnauthenticatedError, TokenExpiredError) as error:
            log.warning("oidc.token_refused", provider=self.provider.id, error=type(error).__name__)
            raise SignInRefusedError from error
        given, audience, authorized = claims.get("nonce"), claims["aud"], claims.get("azp")
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
            raise SignInRefusedError
        several = isinstance(audience, list) and len(audience) > 1
        if (several or authorized is not None) and authorized != self.provider.client_id:
            raise SignInRefusedError
        return claims

    async def _post(self, url: str, form: dict[str, str], headers: dict[str, str]) -> tuple[dict[str, Any], int]:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as http,
            http.post(url, data=form, headers=headers, allow_redirects=False) as answer,
        ):
            if answer.status >= 500 or answer.status == 429:
                raise ValueError("not answered")
            return (await read_object(answer) if answer.status == 200 else {}), answer.status

    async def _read(self) -> None:
        """Read the discovery document; one that does not hold leaves the last one."""
        try:
            document = await get_object(
                self.provider.issuer.removesuffix("/") + "/.well-known/openid-configuration", TIMEOUT_S
            )
            endpoints = _endpoints_of(document, self.provider.issuer)
        except FAILURES as error:
            log.warning("oidc.discovery_failed", provider=self.provider.id, error=type(error).__name__)
            return
        if self._endpoints is None or self._endpoints.jwks != endpoints.jwks:
            await self.close()
            self._keys = JwksClient(endpoints.jwks)
            self._tokens = ForeignTokens(
                [_as_issuer(self.provider, endpoints.jwks)], {self.provider.issuer: self._keys}
            )
        self._endpoints, self._read_at = endpoints, time.monotonic()


def _endpoints_of(document: dict[str, Any], issuer: str) -> Endpoints:
    """Raises ValueError: it is of another issuer, or has an address that is none."""
    if document.get("issuer") != issuer:
        raise ValueError("of another issuer")
    urls = [document.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
    authorization, token, jwks = (url if isinstance(url, str) and is_https_or_loopback(url) else "" for url in urls)
    if not (authorization and token and jwks):
        raise ValueError("an address is missing")
    methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    says_issuer = document.get("authorization_response_iss_parameter_supported") is True
    return Endpoints(authorization, token, jwks, "client_secret_basic" in methods, says_issuer)


def _as_issuer(provider: OidcProvider, jwks_url: str) -> TrustedIssuer:
    return TrustedIssuer(
        issuer=provider.issuer, audience=provider.client_id, algorithms=provider.algorithms, jwks_url=jwks_url
    )


def _basic(name: str, secret: str) -> str:
    """Return the header of a client, each half encoded as in a form (RFC 6749, 2.3.1)."""
    pair = f"{quote(name, safe='')}:{quote(secret, safe='')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
