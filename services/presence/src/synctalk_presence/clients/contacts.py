"""Contacts, as api knows them: who shares a conversation with whom. Never cached, so that a removal holds at once."""

from collections.abc import Iterable

from synctalk_contracts.internal import ContactsQuestion, SharedWith
from synctalk_runtime.errors import NotFoundError, UnavailableError
from synctalk_runtime.internal import InternalClient

from synctalk_presence.rules import Sharing

PATH = "/internal/contacts"


class Contacts:
    def __init__(self, api: InternalClient) -> None:
        self._api = api

    async def sharing(self, user_id: str, others: Iterable[str]) -> Sharing:
        """Return those of the others who are in a conversation with the user.

        Raises:
            UnavailableError: api does not answer; nobody is shown to anybody then.
        """
        asked = list(others)
        if not asked:
            return Sharing()
        question = ContactsQuestion(user_id=user_id, others=asked)
        try:
            answer = await self._api.post(PATH, question.model_dump(mode="json"))
        except NotFoundError as error:
            raise UnavailableError from error
        found = SharedWith.model_validate(answer, extra="ignore")
        return Sharing(frozenset(found.ids), frozenset(found.direct))
