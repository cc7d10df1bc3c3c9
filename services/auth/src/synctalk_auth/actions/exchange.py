"""A token of a trusted issuer becomes a session here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError
from synctalk_contracts.models import Tokens
from synctalk_contracts.text import Name, PictureUrl, Text
from synctalk_runtime.errors import UnauthenticatedError
from synctalk_runtime.limits import Limiter

from synctalk_auth import rules
from synctalk_auth.actions.host_users import HostProfile, HostUsers
from synctalk_auth.foreign_tokens import ForeignTokens
from synctalk_auth.limits import Limits

MAX_CLAIM_CHARS = 2048
MAX_NAME_CHARS = 64

_NAME: TypeAdapter[str] = TypeAdapter(Name)
_PICTURE: TypeAdapter[str] = TypeAdapter(PictureUrl)
_TEXT: TypeAdapter[str] = TypeAdapter(Text)


@dataclass(frozen=True, slots=True)
class Exchange:
    """Exchanges tokens of trusted issuers."""

    limiter: Limiter
    limits: Limits
    tokens: ForeignTokens
    host_users: HostUsers

    async def exchange(self, token: str, device_name: str | None, address: str) -> Tokens:
        """Open a session of the user whom the token is about.

        Raises:
            UnauthenticatedError, TokenExpiredError: the token does not hold.
            UnknownUserError, DeactivatedError: it does, and the user may not come in.
            RateLimitedError, UnavailableError: nothing was made.
        """
        blocks = rules.address_blocks(address)
        await self.limiter.take_all(self.limits.of_address(self.limits.exchange, blocks))
        issuer, claims = await self.tokens.verify(token)
        profile = host_profile(issuer.external_id_prefix, claims)
        return await self.host_users.sign_in(profile, device_name, may_create=issuer.create_users)


def host_profile(prefix: str, claims: Mapping[str, Any]) -> HostProfile:
    """Return what the claims say. A name or picture that can't be shown here counts as left out.

    Raises UnauthenticatedError: `sub` can't be an external id.
    """
    external_id = rules.external_id_of(prefix, claims.get("sub"))
    if external_id is None:
        raise UnauthenticatedError
    return HostProfile(
        external_id=external_id,
        display_name=_read(_NAME, claims.get("name"), MAX_NAME_CHARS),
        avatar_url=_read(_PICTURE, claims.get("picture")),
        preferred_username=_read(_TEXT, claims.get("preferred_username"), MAX_CLAIM_CHARS),
    )


def _read(adapter: TypeAdapter[str], claim: Any, max_chars: int | None = None) -> str | None:
    if not isinstance(claim, str):
        return None
    try:
        return adapter.validate_python(claim[:max_chars])
    except ValidationError:
        return None
