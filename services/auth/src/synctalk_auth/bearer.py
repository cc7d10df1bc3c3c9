"""Access tokens on auth's own routes: verified by its own keys, and refused from the moment the session has ended."""

from synctalk_runtime.credentials import Credentials
from synctalk_runtime.errors import UnauthenticatedError
from synctalk_runtime.revocations import Revocations
from synctalk_runtime.tokens import Principal, TokenVerifier

from synctalk_auth.actions.sessions import Sessions
from synctalk_auth.settings import Settings
from synctalk_auth.signing import Keyring


class OwnTokenVerifier(TokenVerifier):
    """Asks the table instead of a deny-list: few calls come here, and what one process ended holds in all at once."""

    def __init__(self, settings: Settings, keyring: Keyring, sessions: Sessions, credentials: Credentials) -> None:
        super().__init__(
            keyring,
            Revocations(),
            settings.token_issuer,
            settings.token_audience,
            settings.token_max_lifetime_s,
            credentials,
        )
        self._sessions = sessions

    async def verify(self, token: str) -> Principal:
        principal = await super().verify(token)
        if not await self._sessions.is_live(principal):
            raise UnauthenticatedError("The session has ended.")
        return principal
