"""The setting `SYNCTALK_OIDC_PROVIDERS`: identity providers that the sign-in page offers."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from synctalk_auth.public_keys import SIGNATURES
from synctalk_auth.trusted_issuers import is_https_or_loopback


class OidcProvider(BaseModel):
    """A provider of OpenID Connect, whose addresses are in its discovery document."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9-]{1,32}$")
    """Its name in paths."""
    name: str = Field(min_length=1, max_length=64)
    """Its name on the sign-in page."""
    issuer: str = Field(min_length=1, max_length=2048)
    client_id: str = Field(min_length=1, max_length=255)
    client_secret: SecretStr | None = None
    """None: a public client, secured by PKCE alone."""
    algorithms: tuple[str, ...] = Field(default=("RS256",), min_length=1)
    scopes: tuple[str, ...] = Field(default=("openid", "profile"))
    create_users: bool = True
    external_id_prefix: str = Field(default="", max_length=64)
    """By default the id and a colon."""

    @field_validator("issuer")
    @classmethod
    def _encrypted_or_local(cls, url: str) -> str:
        if not is_https_or_loopback(url):
            raise ValueError("must be https, or http to a loopback address")
        return url

    @field_validator("algorithms")
    @classmethod
    def _signatures(cls, algorithms: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := sorted(set(algorithms) - set(SIGNATURES)):
            raise ValueError(f"algorithms that can't be used: {', '.join(wrong)}")
        return algorithms

    @model_validator(mode="after")
    def _with_openid(self) -> Self:
        if "openid" not in self.scopes:
            raise ValueError("needs the scope openid")
        return self

    @property
    def prefix(self) -> str:
        """Return what external ids of its users begin with."""
        return self.external_id_prefix if "external_id_prefix" in self.model_fields_set else f"{self.id}:"
