"""The setting `SYNCTALK_TRUSTED_ISSUERS`: who else may vouch for users, with which keys and algorithms.

Everything that a token says about its own keys is ignored: issuer, keys and algorithms are the operator's.
"""

import ipaddress
from collections.abc import Sequence
from typing import Any, Self
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt import PyJWKSet
from jwt.exceptions import PyJWTError
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from synctalk_auth.public_keys import HMAC, SIGNATURES, PublicKeys, as_jwk

MIN_SECRET_BYTES = 32


class TrustedIssuer(BaseModel):
    """An issuer whose tokens become sessions here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(min_length=1, max_length=2048)
    """The `iss` of its tokens, to the letter."""
    audience: str = Field(min_length=1, max_length=2048)
    """What their `aud` is, or contains."""
    algorithms: tuple[str, ...] = Field(min_length=1)
    jwks_url: str | None = None
    public_keys: tuple[dict[str, Any], ...] | None = Field(default=None, min_length=1, max_length=20)
    """JWKs; a PEM is turned into one."""
    shared_secret: SecretStr | None = None
    create_users: bool = True
    external_id_prefix: str = Field(default="", max_length=64)

    @field_validator("public_keys", mode="before")
    @classmethod
    def _as_jwks(cls, keys: Any) -> Any:
        if not isinstance(keys, list):
            return keys
        return [as_jwk(load_pem_public_key(key.encode())) if isinstance(key, str) else key for key in keys]

    @field_validator("public_keys")
    @classmethod
    def _only_public(cls, keys: tuple[dict[str, Any], ...] | None) -> tuple[dict[str, Any], ...] | None:
        for key in keys or ():
            if key.get("kty") == "oct" or "d" in key:
                raise ValueError("must be public keys only")
            try:
                PyJWKSet.from_dict({"keys": [key]})
            except PyJWTError:
                raise ValueError("has a key that can't be read") from None
        return keys

    @field_validator("jwks_url")
    @classmethod
    def _encrypted_or_local(cls, url: str | None) -> str | None:
        if url is not None and not is_https_or_loopback(url):
            raise ValueError("must be https, or http to a loopback address")
        return url

    @model_validator(mode="after")
    def _one_kind_of_key(self) -> Self:
        given = [kind for kind in (self.jwks_url, self.public_keys, self.shared_secret) if kind is not None]
        if len(given) != 1:
            raise ValueError("needs exactly one of jwks_url, public_keys and shared_secret")
        allowed = HMAC if self.shared_secret is not None else SIGNATURES
        if wrong := sorted(set(self.algorithms) - set(allowed)):
            raise ValueError(f"algorithms that don't go with its keys: {', '.join(wrong)}")
        secret = self.shared_secret.get_secret_value() if self.shared_secret is not None else None
        if secret is not None and len(secret.encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"shared_secret needs {MIN_SECRET_BYTES} bytes at least")
        if self.public_keys is not None:
            keys = PublicKeys(self.public_keys)
            unusable = [name for name in self.algorithms if not keys.of(None, name)]
            if unusable:
                raise ValueError(f"no public key for {', '.join(unusable)}")
        return self


def is_https_or_loopback(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    if parts.scheme != "http" or not parts.hostname:
        return False
    if parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return False


def repeated(values: Sequence[str]) -> list[str]:
    """Return those that are there more than once."""
    return sorted({value for value in values if values.count(value) > 1})
