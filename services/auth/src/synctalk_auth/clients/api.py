"""Questions of auth to api. Those about profiles are best effort: signing in works while api is away."""

from collections.abc import Sequence
from typing import TypeVar

import structlog
from synctalk_contracts.events.users import ProfileProvided
from synctalk_contracts.internal import Ids, InviteUse
from synctalk_contracts.models import User
from synctalk_runtime.errors import AppError, NotFoundError
from synctalk_runtime.internal import InternalClient

log = structlog.get_logger()

U = TypeVar("U", bound=User)


class ApiClient:
    def __init__(self, client: InternalClient) -> None:
        self._client = client

    async def introduce(self, user: User) -> None:
        """Add a user who has just registered. If it fails, the `user.registered` event does it later."""
        try:
            await self._client.put(f"/internal/users/{user.id}", user.model_dump(mode="json"))
        except AppError as error:
            log.warning("api.not_introduced", user_id=user.id, error=type(error).__name__)

    async def give_profile(self, given: ProfileProvided) -> None:
        """Pass on the name or picture that a host app gave. If it fails, the `profile.provided` event does it later."""
        try:
            await self._client.post("/internal/users/profile", given.model_dump(mode="json"))
        except AppError as error:
            log.warning("api.profile_not_given", user_id=given.user_id, error=type(error).__name__)

    async def current(self, own: U) -> U:
        """Return the user's profile, or `own`, auth's copy, when api does not respond."""
        try:
            found = User.model_validate(await self._client.get(f"/internal/users/{own.id}"), extra="ignore")
        except (AppError, ValueError) as error:
            log.warning("api.profile_not_read", user_id=own.id, error=type(error).__name__)
            return own
        return own.model_copy(update={"display_name": found.display_name, "avatar_url": found.avatar_url})

    async def forget_guests(self, user_ids: Sequence[str]) -> list[str]:
        """Return those of the guests who are in no conversation, whom api has forgotten. Raises UnavailableError."""
        asked = Ids(ids=list(user_ids)).model_dump()
        return Ids.model_validate(await self._client.post("/internal/guests/forget", asked), extra="ignore").ids

    async def use_invite(self, code: str, user_id: str) -> bool:
        """Take one use of an invite for a user who is about to register. False: there is no use left, or no such code.

        Raises UnavailableError: api does not answer, and without it nobody may come in.
        """
        try:
            await self._client.post("/internal/invites/use", InviteUse(code=code, user_id=user_id).model_dump())
        except NotFoundError:
            return False
        return True
