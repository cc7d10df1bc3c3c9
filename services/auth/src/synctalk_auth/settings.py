"""The settings of auth, in addition to those of all services. Limits by network address are the ones to raise for load
tests from one machine; limits by account stay."""

from typing import ClassVar

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from synctalk_runtime.settings import PostgresSettings

DAY_S = 86_400


class Settings(PostgresSettings):
    SERVICE: ClassVar[str] = "auth"

    api_url: str = Field(default="http://127.0.0.1:8002", description="Address of the api service.")
    profile_timeout_s: float = Field(
        default=0.5,
        gt=0,
        description="Maximum wait for api at sign-in, in seconds; after it auth's own copy of the profile is used.",
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
        return problems

    @field_validator("key_publish_ahead_s")
    @classmethod
    def _while_the_last_key_signs(cls, value: int, info: ValidationInfo) -> int:
        if value >= info.data.get("key_rotation_s", value + 1):
            raise ValueError("must be less than SYNCTALK_KEY_ROTATION_S")
        return value
