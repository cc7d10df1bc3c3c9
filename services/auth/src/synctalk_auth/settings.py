"""The settings of auth, in addition to those of all services. Limits by network address are the ones to raise for load
tests from one machine; limits by account stay."""

from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

import orjson
from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode
from synctalk_runtime.settings import PostgresSettings

from synctalk_auth.oidc_providers import OidcProvider
from synctalk_auth.trusted_issuers import TrustedIssuer, is_https_or_loopback, repeated

DAY_S = 86_400


class Settings(PostgresSettings):
    SERVICE: ClassVar[str] = "auth"

    api_url: str = Field(default="http://127.0.0.1:8002", description="Address of the api service.")
    profile_timeout_s: float = Field(
        default=0.5,
        gt=0,
        description="Maximum wait for api at sign-in, in seconds; after it auth's own copy of the profile is used.",
    )

    registration: Literal["open", "invite", "closed"] = Field(
        default="open",
        description="Who may register with a password: `open` everybody, `invite` who has the code of an invite, "
        "`closed` nobody.",
    )

    trusted_issuers: Annotated[tuple[TrustedIssuer, ...], NoDecode] = Field(
        default=(),
        max_length=20,
        description="Issuers whose tokens become sessions (`POST /v1/auth/exchange`), as a JSON list of `{issuer, "
        "audience, algorithms, jwks_url | public_keys | shared_secret, create_users, external_id_prefix}`.",
    )

    oidc_providers: Annotated[tuple[OidcProvider, ...], NoDecode] = Field(
        default=(),
        max_length=20,
        description="Identity providers that the sign-in page offers, as a JSON list of `{id, name, issuer, client_id, "
        "client_secret, algorithms, scopes, create_users, external_id_prefix}`.",
    )
    public_url: str | None = Field(
        default=None,
        description="Origin at which browsers reach the system, for identity providers to send them back to, for "
        "example `https://chat.example.org`. If not set, it is taken from the request.",
    )

    server_keys_max: int = Field(default=100, ge=1, description="Maximum number of server keys.")

    guests: Literal["off", "joined", "open"] = Field(
        default="joined",
        description="Whether guests may come in: `off` no, `joined` into conversations they were added or invited to, "
        "`open` also to begin conversations.",
    )

    guest_unused_s: int = Field(
        default=30 * DAY_S,
        ge=60,
        description="How long a guest that is in no conversation and that nobody uses is kept, in seconds.",
    )
    access_token_ttl_s: int = Field(default=900, ge=1, le=900, description="Lifetime of an access token, in seconds.")
    refresh_idle_s: int = Field(
        default=30 * DAY_S, ge=60, description="Lifetime of an unused refresh token, in seconds."
    )
    refresh_grace_s: float = Field(
        default=30,
        ge=0,
        description="How long a used refresh token returns the same new token again, in case the first reply "
        "was lost, in seconds. Using it later ends the session.",
    )
    session_max_s: int = Field(default=90 * DAY_S, ge=60, description="Maximum lifetime of a session, in seconds.")

    key_rotation_s: int = Field(default=30 * DAY_S, ge=3600, description="How long a signing key is used, in seconds.")
    key_publish_ahead_s: int = Field(
        default=DAY_S, ge=600, description="How long a key is published before it is used to sign, in seconds."
    )
    key_reload_s: float = Field(
        default=10, gt=0, le=60, description="Time between two reloads of the keys, in seconds."
    )
    signing_key_passphrase: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="Passphrase that encrypts private keys in the database. If not set, they are stored in plain text.",
    )

    hash_threads: int = Field(default=2, ge=1, description="Number of passwords hashed at the same time.")
    hash_max_waiting: int = Field(
        default=60, ge=0, description="Maximum number of passwords waiting for a thread; further requests get 503."
    )

    trust_forwarded_for: bool = Field(
        default=True,
        description="Take the client's address from the last hop of X-Forwarded-For, which the edge overwrites.",
    )
    register_per_address_per_s: float = Field(
        default=0.1, gt=0, description="Registrations per network address and second."
    )
    register_per_address_burst: float = Field(
        default=20, ge=1, description="Registrations per network address at once."
    )
    login_per_address_per_s: float = Field(default=1, gt=0, description="Logins per network address and second.")
    login_per_address_burst: float = Field(default=30, ge=1, description="Logins per network address at once.")
    exchange_per_address_per_s: float = Field(
        default=1, gt=0, description="Exchanged tokens of trusted issuers per network address and second."
    )
    exchange_per_address_burst: float = Field(
        default=60, ge=1, description="Exchanged tokens of trusted issuers per network address at once."
    )
    guests_per_address_per_s: float = Field(
        default=1 / 6, gt=0, description="New guests per network address and second."
    )
    guests_per_address_burst: float = Field(default=10, ge=1, description="New guests per network address at once.")
    oidc_per_address_per_s: float = Field(
        default=1, gt=0, description="Steps of sign-ins with identity providers per network address and second."
    )
    oidc_per_address_burst: float = Field(
        default=60, ge=1, description="Steps of sign-ins with identity providers per network address at once."
    )
    refresh_per_session_per_s: float = Field(
        default=1 / 30,
        gt=0,
        description="Token refreshes per session and second. Each page load of the web client is one.",
    )
    refresh_per_session_burst: float = Field(default=60, ge=1, description="Token refreshes per session at once.")
    guess_per_s: float = Field(
        default=1 / 30, gt=0, description="Wrong passwords per account and network address, per second."
    )
    guess_burst: float = Field(default=20, ge=1, description="Wrong passwords per account and network address at once.")
    guess_strange_per_s: float = Field(
        default=1 / 20,
        gt=0,
        description="Wrong passwords per account from all unknown network addresses together, per second.",
    )
    guess_strange_burst: float = Field(
        default=100,
        ge=1,
        description="Wrong passwords per account from all unknown network addresses together, at once.",
    )
    local_buckets: int = Field(
        default=20_000,
        ge=100,
        description="Maximum number of rate limits a process keeps itself while Redis is unavailable.",
    )
    known_address_s: int = Field(
        default=30 * DAY_S,
        ge=1,
        description="How long a network address stays known to an account after a successful login, in seconds.",
    )

    outbox_interval_s: float = Field(
        default=0.05, ge=0, description="Minimum pause between two rounds of the outbox relay, in seconds."
    )
    clean_interval_s: float = Field(
        default=60, gt=0, description="Time between two clean-ups of ended sessions, tokens and keys, in seconds."
    )
    clean_batch: int = Field(default=500, ge=1, description="Rows removed by one statement.")
    ended_session_keep_s: int = Field(
        default=DAY_S, ge=3600, description="How long ended sessions are kept, in seconds."
    )

    def production_problems(self) -> list[str]:
        problems = super().production_problems()
        if self.signing_key_passphrase is None:
            problems.append(
                "SYNCTALK_SIGNING_KEY_PASSPHRASE is not set: anyone who reads the database could sign tokens."
            )
        if self.oidc_providers and self.public_url is None:
            problems.append(
                "SYNCTALK_PUBLIC_URL is not set: identity providers need to know where to send browsers back."
            )
        return problems

    @field_validator("trusted_issuers", "oidc_providers", mode="before")
    @classmethod
    def _json(cls, value: object) -> object:
        """Read it here, not in pydantic-settings, whose refusal of what is no JSON is no sentence."""
        if not isinstance(value, str):
            return value
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            raise ValueError("must be a JSON list") from None

    @field_validator("trusted_issuers")
    @classmethod
    def _apart(cls, issuers: tuple[TrustedIssuer, ...], info: ValidationInfo) -> tuple[TrustedIssuer, ...]:
        names = [issuer.issuer for issuer in issuers]
        if twice := repeated([*names, info.data.get("token_issuer", "")]):
            raise ValueError(f"the issuer {twice[0]} is there twice, or is SYNCTALK_TOKEN_ISSUER")
        if twice := repeated([issuer.external_id_prefix for issuer in issuers]):
            raise ValueError(f"the external_id_prefix {twice[0]!r} is there twice: users would be mixed up")
        return issuers

    @field_validator("oidc_providers")
    @classmethod
    def _apart_from_issuers(cls, providers: tuple[OidcProvider, ...], info: ValidationInfo) -> tuple[OidcProvider, ...]:
        if twice := repeated([provider.id for provider in providers]):
            raise ValueError(f"the id {twice[0]} is there twice")
        issuers: tuple[TrustedIssuer, ...] = info.data.get("trusted_issuers", ())
        prefixes = [*(p.prefix for p in providers), *(issuer.external_id_prefix for issuer in issuers)]
        if twice := repeated(prefixes):
            raise ValueError(f"the external_id_prefix {twice[0]!r} is there twice: users would be mixed up")
        return providers

    @field_validator("public_url")
    @classmethod
    def _an_origin(cls, url: str | None) -> str | None:
        if url is not None and (
            not is_https_or_loopback(url) or url != f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
        ):
            raise ValueError(
                "must be an origin: https, or http to a loopback address, and nothing behind host and port"
            )
        return url

    @field_validator("key_publish_ahead_s")
    @classmethod
    def _while_the_last_key_signs(cls, value: int, info: ValidationInfo) -> int:
        if value >= info.data.get("key_rotation_s", value + 1):
            raise ValueError("must be less than SYNCTALK_KEY_ROTATION_S")
        return value
