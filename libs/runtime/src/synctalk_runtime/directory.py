"""Users as auth knows them, for services whose own copy lacks one: a user just made by a server key may be named in the
next call to any service."""

from collections.abc import Sequence

from pydantic import ValidationError
from synctalk_contracts.internal import KnownUsers, UsersQuestion
from synctalk_contracts.models import ServerUser

from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.internal import InternalClient


class Directory:
    """Asks auth, each time; about 1,000 users at most."""

    def __init__(self, auth: InternalClient) -> None:
        self._auth = auth

    async def by_external_ids(self, external_ids: Sequence[str]) -> dict[str, ServerUser]:
        """Return users by the host app's names, in NFC; unknown ones are left out. Raises UnavailableError."""
        found = await self._ask(UsersQuestion(external_ids=list(external_ids)))
        return {user.external_id: user for user in found if user.external_id is not None}

    async def by_ids(self, user_ids: Sequence[str]) -> dict[str, ServerUser]:
        """Return users by id, with their external ids; unknown ones are left out. Raises UnavailableError."""
        return {user.id: user for user in await self._ask(UsersQuestion(ids=list(user_ids)))}

    async def _ask(self, question: UsersQuestion) -> list[ServerUser]:
        try:
            answer = await self._auth.post("/internal/directory", question.model_dump())
            return KnownUsers.model_validate(answer, extra="ignore").items
        except ValidationError as error:
            raise UnavailableError from error
