"""Look-ups at api: what is asked, and what is taken from the response."""

from collections.abc import Sequence
from itertools import chain, repeat
from typing import Any, cast

import pytest
from synctalk_contracts.ids import MAX_INT64
from synctalk_contracts.internal import ROOM_USERS_MAX
from synctalk_gateway.clients.api import Api
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.ids import new_id
from synctalk_runtime.internal import InternalClient

ADA, BOB, C, D = new_id(), new_id(), new_id(), new_id()


class Upstream:
    """In place of api: keeps what is asked and responds as a test wants it to."""

    def __init__(self, response: Any, in_turn: Sequence[Any] = ()) -> None:
        self._responses = chain(in_turn, repeat(response))
        self.asked: list[tuple[str, Any]] = []
        self.api = Api(cast(InternalClient, self))

    async def get(self, path: str, **query: str) -> Any:
        self.asked.append((path, query))
        return next(self._responses)

    async def post(self, path: str, body: Any) -> Any:
        self.asked.append((path, body))
        return next(self._responses)


async def test_conversations__ignores_fields_that_are_new() -> None:
    state = {"id": C, "last_seq": 1, "change_seq": 2, "later": True}
    upstream = Upstream({"items": [state], "more": True})
    states = await upstream.api.conversations(ADA, 7)

    assert upstream.asked == [(f"/internal/users/{ADA}/conversations", {"limit": "7"})]
    assert (states.items[0].change_seq, states.more) == (2, True)


async def test_heads() -> None:
    upstream = Upstream({"items": {C: 3}, "later": True})
    assert await upstream.api.heads([C, D]) == {C: 3}
    assert upstream.asked == [("/internal/heads", {"ids": [C, D]})]


async def test_room() -> None:
    upstream = Upstream({"change_seq": 3, "member_ids": [ADA], "later": True})
    state = await upstream.api.room(C, [ADA, BOB])
    assert (state.change_seq, state.member_ids) == (3, [ADA])
    assert upstream.asked == [("/internal/room", {"conversation_id": C, "user_ids": [ADA, BOB]})]


async def test_room__of_more_users_than_a_question_takes__is_as_of_the_earliest_answer() -> None:
    users = [new_id() for _ in range(ROOM_USERS_MAX + 1)]
    answers = [{"change_seq": 4, "member_ids": users[:2]}, {"change_seq": 3, "member_ids": users[-1:]}]
    upstream = Upstream(None, answers)
    state = await upstream.api.room(C, users)

    assert (state.change_seq, state.member_ids) == (3, [*users[:2], users[-1]])
    assert [body["user_ids"] for _, body in upstream.asked] == [users[:ROOM_USERS_MAX], users[ROOM_USERS_MAX:]]


async def test_positions__of_those_that_the_user_is_in() -> None:
    upstream = Upstream({"conversations": {C: {"change_seq": 3, "reset": True}, D: {"removed": True}}})
    assert await upstream.api.positions(ADA, [C, D]) == {C: 3}
    assert await upstream.api.is_member(ADA, C)
    assert not await upstream.api.is_member(ADA, D)
    assert upstream.asked[0] == ("/internal/sync", {"user_id": ADA, "cursors": {C: MAX_INT64, D: MAX_INT64}})


async def test_typing__asks_for_one_member_of_one_conversation() -> None:
    upstream = Upstream({"members_count": 4, "refusal": None, "until": None})
    assert (await upstream.api.typing(ADA, C)).members_count == 4
    assert upstream.asked == [("/internal/typing", {"user_id": ADA, "conversation_id": C})]


async def test_sync__one_is_missing_since_its_store_is_away__is_unavailable_but_to_the_client() -> None:
    upstream = Upstream({"conversations": {C: {"change_seq": 3, "reset": True}}})
    with pytest.raises(UnavailableError):
        await upstream.api.sync(ADA, {C: 1, D: 1})
    assert list((await upstream.api.sync_reachable(ADA, {C: 1, D: 1}))["conversations"]) == [C]
