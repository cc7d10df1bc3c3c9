"""Look-ups at api: what is asked, and what is taken from the response."""

from typing import Any, cast

from synctalk_contracts.ids import MAX_INT64
from synctalk_gateway.clients.api import Api
from synctalk_runtime.ids import new_id
from synctalk_runtime.internal import InternalClient

ADA, BOB, C, D = new_id(), new_id(), new_id(), new_id()


class Upstream:
    """In place of api: keeps what is asked and responds as a test wants it to."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self.asked: list[tuple[str, Any]] = []
        self.api = Api(cast(InternalClient, self))

    async def get(self, path: str, **query: str) -> Any:
        self.asked.append((path, query))
        return self.response

    async def post(self, path: str, body: Any) -> Any:
        self.asked.append((path, body))
        return self.response


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


async def test_positions__of_those_that_the_user_is_in() -> None:
    upstream = Upstream({"conversations": {C: {"change_seq": 3, "reset": True}, D: {"removed": True}}})
    assert await upstream.api.positions(ADA, [C, D]) == {C: 3}
    assert await upstream.api.is_member(ADA, C)
    assert not await upstream.api.is_member(ADA, D)
    assert upstream.asked[0] == ("/internal/sync", {"user_id": ADA, "cursors": {C: MAX_INT64, D: MAX_INT64}})


async def test_members_count__none_when_the_state_does_not_hold_it() -> None:
    known = Upstream({"conversations": {C: {"conversation": {"members_count": 4}}}})
    reset = Upstream({"conversations": {C: {"reset": True}}})
    assert await known.api.members_count(ADA, C, 9) == 4
    assert await reset.api.members_count(ADA, C, 9) is None
    assert known.asked == [("/internal/sync", {"user_id": ADA, "cursors": {C: 9}})]
