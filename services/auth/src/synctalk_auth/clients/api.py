"""Questions of auth to api. All are best effort: signing in works while api is away."""

import structlog
from synctalk_contracts.models import User
from synctalk_runtime.errors import AppError
from synctalk_runtime.internal import InternalClient

log = structlog.get_logger()


class ApiClient:
    def __init__(self, client: InternalClient) -> None:
        self._client = client

    async def introduce(self, user: User) -> None:
        """Add a user who has just registered. If it fails, the `user.registered` event does it later."""
        try:
            await self._client.put(f"/internal/users/{user.id}", user.model_dump(mode="json"))
        except AppError as error:
            log.warning("api.not_introduced", user_id=user.id, error=type(error).__name__)

    async def current(self, own: User) -> User:
        """Return the user's profile, or `own`, auth's copy, when api does not respond."""
        try:
            return User.model_validate(await self._client.get(f"/internal/users/{own.id}"), extra="ignore")
        except (AppError, ValueError) as error:
            log.warning("api.profile_not_read", user_id=own.id, error=type(error).__name__)
            return own
