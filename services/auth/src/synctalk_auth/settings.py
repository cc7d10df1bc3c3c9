"""Every setting of auth, beside those that all services have. Limits by network address are the ones to raise for load
tests from one machine; limits by account stay."""

from typing import ClassVar

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from synctalk_runtime.settings import PostgresSettings
from synctalk_runtime.tokens import REFRESH_S

DAY_S = 86_400


class Settings(PostgresSettings):
    SERVICE: ClassVar[str] = "auth"

    api_url: str = Field(default="http://127.0.0.1:8002", description="Where the api service answers.")
    profile_timeout_s: float = Field(
        default=0.5,
        gt=0,
        description="Longest wait for api at a sign-in; then auth's own copy is answered, seconds.",
    )

    access_token_ttl_s: int = Field(default=900, ge=1, le=900, description="Life of an access token, seconds.")
    refresh_idle_s: int = Field(default=30 * DAY_S, ge=60, description="Life of an unused refresh token, seconds.")
    session_max_s: int = Field(default=90 * DAY_S, ge=60, description="Longest life of a session, seconds.")

    key_rotation_s: int = Field(default=30 * DAY_S, ge=3600, description="How long a key signs, seconds.")
    key_publish_ahead_s: int = Field(
        default=DAY_S, ge=2 * REFRESH_S, description="How long a key is published before it signs, seconds."
    )
    key_reload_s: float = Field(default=10, gt=0, le=60, description="How often the keys are read anew, seconds.")
    signing_key_passphrase: SecretStr | None = Field(
        default=None, min_length=16, description="Encrypts the private keys in the table; none: they are kept plain."
    )

    hash_threads: int = Field(default=2, ge=1, description="Passwords hashed at the same time.")
    hash_max_waiting: int = Field(default=400, ge=0, description="Passwords that may wait for a thread; more: 503.")

    trust_forwarded_for: bool = Field(
        default=True,
        description="Take the client's address from the last hop of X-Forwarded-For, which the edge overwrites.",
    )
    register_per_address_per_s: float = Field(default=0.1, gt=0, description="Registrations of one address, a second.")
    register_per_address_burst: float = Field(default=20, ge=1, description="Registrations of one address at once.")
    login_per_address_per_s: float = Field(default=1, gt=0, description="Logins of one address, a second.")
    login_per_address_burst: float = Field(default=60, ge=1, description="Logins of one address at once.")
    guess_per_s: float = Field(
        default=1 / 30, gt=0, description="Wrong passwords for one account from one address, a second."
    )
    guess_burst: float = Field(default=20, ge=1, description="Wrong passwords for an account from one address at once.")
    guess_strange_per_s: float = Field(
        default=1 / 20, gt=0, description="Wrong passwords for one account from all strange addresses, a second."
    )
    guess_strange_burst: float = Field(
        default=100, ge=1, description="Wrong passwords for one account from all strange addresses at once."
    )
    known_address_s: int = Field(
        default=30 * DAY_S, ge=1, description="How long an address that signed in well is not strange, seconds."
    )

    clean_interval_s: float = Field(default=60, gt=0, description="How often what has ended is removed, seconds.")
    clean_batch: int = Field(default=500, ge=1, description="Rows removed in one statement.")
    ended_session_keep_s: int = Field(
        default=DAY_S, ge=3600, description="How long an ended session is remembered, seconds."
    )

    @field_validator("key_publish_ahead_s")
    @classmethod
    def _while_the_last_key_signs(cls, value: int, info: ValidationInfo) -> int:
        if value >= info.data.get("key_rotation_s", value + 1):
            raise ValueError("must be less than SYNCTALK_KEY_ROTATION_S")
        return value
