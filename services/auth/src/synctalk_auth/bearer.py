"""Access tokens on auth's own routes: verified by its own keys, and refused from the moment the session has ended."""

from synctalk_runtime.errors import UnauthenticatedError
from synctalk_runtime.revocations import Revocations
from synctalk_runtime.tokens import Person, TokenVerifier

from synctalk_auth.actions import sessions
from synctalk_auth.parts import Parts


class OwnTokenVerifier(TokenVerifier):
    """Asks the table instead of a deny-list: few calls come here, and what one process ended holds in all at once."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.keyring, Revocations(), parts.settings.token_issuer, parts.settings.token_audience)
        self._parts = parts

    async def verify(self, token: str) -> Person:
        person = await super().verify(token)
        if not await sessions.is_live(self._parts, person):
            raise UnauthenticatedError("The session has ended.")
        return person
