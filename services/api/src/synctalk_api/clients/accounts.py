"""Ask auth for users who are registered but not known here yet."""

from collections.abc import Sequence

from synctalk_contracts.internal import Ids, Users
from synctalk_contracts.models import User
from synctalk_runtime.internal import InternalClient

PATH = "/internal/users"
MAX_IDS = 1_000


class Accounts:
    def __init__(self, auth: InternalClient) -> None:
        self._auth = auth

    async def by_ids(self, user_ids: Sequence[str]) -> list[User]:
        """Return those who are registered. Raises UnavailableError when auth does not answer."""
        found = await self._auth.post(PATH, Ids(ids=list(user_ids[:MAX_IDS])).model_dump())
        return Users.model_validate(found, extra="ignore").items
