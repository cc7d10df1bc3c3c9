"""Signing in with an identity provider: authorization code with PKCE, state and nonce (OpenID Connect).

One browser goes all the way: a cookie that no script can read binds start, callback and the one-time code together.
Nonce and PKCE verifier are derived from it and the state, so the tables give neither away. State, code and cookie are
kept as hashes; a state or code that was shown once is gone.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

import structlog
from synctalk_contracts.models import Tokens
from synctalk_runtime.errors import InvalidError, NotFoundError, UnauthenticatedError, UnavailableError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.limits import Limiter
from synctalk_runtime.postgres import Postgres

from synctalk_auth import rules
from synctalk_auth.actions.exchange import host_profile
from synctalk_auth.actions.host_users import HostProfile, HostUsers
from synctalk_auth.clients.oidc import OidcClient
from synctalk_auth.errors import InvalidCodeError, SignInRefusedError
from synctalk_auth.limits import Limits
from synctalk_auth.store import oidc
from synctalk_auth.store.oidc import CodeRow, LoginRow

log = structlog.get_logger()

SIGN_IN_PAGE = "/sign-in"
LOGIN_TTL = timedelta(minutes=10)
CODE_TTL = timedelta(seconds=60)
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and the cookie that it gets."""

    url: str
    browser: str


@dataclass(frozen=True, slots=True)
class Callback:
    """What the provider sent the browser back with."""

    state: str | None
    code: str | None
    error: str | None
    issuer: str | None


@dataclass(frozen=True, slots=True)
class Oidc:
    """Signs users in with identity providers."""

    postgres: Postgres
    limiter: Limiter
    limits: Limits
    clients: Mapping[str, OidcClient]
    allowed_origins: Sequence[str]
    host_users: HostUsers

    async def start(
        self, provider: str, return_to: str, code_challenge: str | None, browser: str | None, origin: str, address: str
    ) -> Begun:
        """Begin a sign-in. `browser`: the cookie of one that is under way, which goes on beside this one.

        Raises:
            NotFoundError: no such provider.
            InvalidError: `return_to` leads elsewhere.
            RateLimitedError, UnavailableError.
        """
        client = self.client_of(provider)
        if not rules.may_return_to(return_to, (origin, *self.allowed_origins)):
            raise InvalidError.of("return_to", "must be a path here, or of an allowed origin")
        await self.limiter.take_all(self.limits.of_address(self.limits.oidc, rules.address_blocks(address)))
        endpoints = await client.endpoints()
        browser = browser if browser is not None and rules.is_random_text(browser) else _random()
        state = _random()
        row = LoginRow(_hash(state), _hash(browser), provider, return_to, code_challenge, utc_now() + LOGIN_TTL)
        async with self.postgres.connection() as conn:
            await oidc.insert_login(conn, row)
        query = {
            "response_type": "code",
            "client_id": client.provider.client_id,
            "redirect_uri": redirect_uri(origin, provider),
            "scope": " ".join(client.provider.scopes),
            "state": state,
            "nonce": _derived(browser, state, "nonce"),
            "code_challenge": challenge_of(_derived(browser, state, "pkce")),
            "code_challenge_method": "S256",
        }
        joint = "&" if urlsplit(endpoints.authorization).query else "?"
        return Begun(f"{endpoints.authorization}{joint}{urlencode(query)}", browser)

    async def finish(self, provider: str, callback: Callback, browser: str | None, origin: str) -> str:
        """Return where the browser goes: to `return_to` with a one-time code, or to the sign-in page with an error.

        Raises NotFoundError: no such provider.
        """
        client = self.client_of(provider)
        if not callback.state or not browser:
            return failed_url("failed")
        async with self.postgres.connection() as conn:
            login = await oidc.take_login(conn, _hash(callback.state), _hash(browser), provider, utc_now())
        if login is None:
            return failed_url("failed")
        if callback.error is not None or not callback.code:
            return failed_url("access_denied" if callback.error == "access_denied" else "failed")
        try:
            profile = await self._profile(client, callback, callback.code, browser, origin)
        except UnavailableError:
            return failed_url("unavailable")
        except (SignInRefusedError, UnauthenticatedError):
            return failed_url("failed")
        code = _random()
        row = CodeRow(
            _hash(code), login.browser_hash, login.code_challenge, client.provider.create_users, asdict(profile),
            utc_now() + CODE_TTL,
        )  # fmt: skip
        async with self.postgres.connection() as conn:
            await oidc.insert_code(conn, row)
        return f"{login.return_to}#code={code}"

    async def complete(
        self, code: str, code_verifier: str | None, browser: str | None, device_name: str | None, address: str
    ) -> Tokens:
        """Open a session for a one-time code, which is used up whatever comes of it.

        Raises:
            InvalidCodeError: unknown, used, too old, or of another browser and without the verifier.
            UnknownUserError, DeactivatedError: the user may not come in.
            RateLimitedError, UnavailableError.
        """
        await self.limiter.take_all(self.limits.of_address(self.limits.oidc, rules.address_blocks(address)))
        async with self.postgres.connection() as conn:
            row = await oidc.take_code(conn, _hash(code))
        if row is None or row.expires_at <= utc_now() or not _is_proven(row, code_verifier, browser):
            raise InvalidCodeError
        return await self.host_users.sign_in(HostProfile(**row.profile), device_name, may_create=row.may_create)

    def client_of(self, provider: str) -> OidcClient:
        """Raises NotFoundError."""
        client = self.clients.get(provider)
        if client is None:
            raise NotFoundError
        return client

    async def _profile(
        self, client: OidcClient, callback: Callback, code: str, browser: str, origin: str
    ) -> HostProfile:
        """Return what the provider says of the user who signed in there. Raises SignInRefusedError, UnavailableError,
        and UnauthenticatedError: `sub` can be no external id."""
        endpoints, state = await client.endpoints(), callback.state or ""
        if callback.issuer != client.provider.issuer and (callback.issuer is not None or endpoints.says_issuer):
            log.warning("oidc.another_issuer", provider=client.provider.id)
            raise SignInRefusedError
        uri = redirect_uri(origin, client.provider.id)
        id_token = await client.redeem(code, _derived(browser, state, "pkce"), uri)
        claims = await client.verified(id_token, _derived(browser, state, "nonce"))
        return host_profile(client.provider.prefix, claims)


def redirect_uri(origin: str, provider: str) -> str:
    return f"{origin}/v1/auth/oidc/{provider}/callback"


def challenge_of(verifier: str) -> str:
    """Return the PKCE challenge by S256."""
    return _encoded(hashlib.sha256(verifier.encode()).digest())


def _is_proven(row: CodeRow, code_verifier: str | None, browser: str | None) -> bool:
    if browser is not None and hmac.compare_digest(_hash(browser), row.browser_hash):
        return True
    if code_verifier is None or row.code_challenge is None:
        return False
    return hmac.compare_digest(challenge_of(code_verifier), row.code_challenge)


def failed_url(error: str) -> str:
    return f"{SIGN_IN_PAGE}?error={error}"


def _random() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _derived(browser: str, state: str, use: str) -> str:
    return _encoded(hmac.digest(browser.encode(), f"{use}:{state}".encode(), hashlib.sha256))


def _encoded(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
