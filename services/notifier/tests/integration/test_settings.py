"""`/v1/notification-settings/{conversation_id}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.notifier.tests.integration.conftest import Rig

PATH = "/v1/notification-settings/"


class TestWhoMayNot:
    @pytest.mark.parametrize("method", ["PUT", "GET"])
    async def test_call__without_a_token__is_unauthenticated(self, rig: Rig, method: str) -> None:
        answer = await rig.http.request(method, PATH + new_id(), json={"level": "all"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthenticated")

    @pytest.mark.parametrize("method", ["PUT", "GET"])
    async def test_call__no_member__is_not_found(self, rig: Rig, method: str) -> None:
        eve, conversation_id = rig.person(), new_id()
        rig.neighbours.says(eve.id, conversation_id, member=False)
        answer = await eve.call(method, PATH + conversation_id, {"level": "all"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")

    async def test_call__removed_a_moment_ago__is_not_found(self, rig: Rig) -> None:
        ada, bob = rig.person(), rig.person()
        conversation = await rig.conversation(ada, bob)
        await rig.settled()
        rig.neighbours.says(bob.id, conversation.id, member=False)
        assert (await bob.call("GET", PATH + conversation.id)).status_code == 404

    async def test_call__api_down_and_never_heard_of__is_unavailable(self, rig: Rig) -> None:
        rig.neighbours.down = True
        try:
            answer = await rig.person().call("GET", PATH + new_id())
        finally:
            rig.neighbours.down = False
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
        assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"level": "some"},
        {"level": None},
        {"level": "all", "muted_until": 1767225600},
        {"level": "all", "muted_until": True},
        {"level": "all", "muted_until": "tomorrow"},
        {"level": "all", "muted_until": "2026-01-31"},
        {"level": "all", "muted_until": "2026-01-31T12:00:00"},
        {"level": "all", "muted_until": "2026-02-31T12:00:00Z"},
        {"level": "all", "muted_until": "9999-12-31T23:59:59-14:00"},
        {"level": "all", "muted_until": "0001-01-01T00:00:00+14:00"},
        {"level": "all", "extra": 1},
    ],
)
async def test_put__fields__are_invalid(rig: Rig, body: dict[str, Any]) -> None:
    answer = await rig.person().call("PUT", PATH + new_id(), body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid")


async def test_conversation_id__not_an_id__is_invalid(rig: Rig) -> None:
    assert (await rig.person().call("GET", PATH + "x")).status_code == 422


async def test_get__none_were_put__answers_the_defaults(rig: Rig) -> None:
    answer = await rig.person().call("GET", PATH + new_id())
    assert answer.json() == {"level": "all", "muted_until": None}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2099-01-31T12:00:00Z", "2099-01-31T12:00:00.000Z"),
        ("2099-01-31t12:00:00.1239+02:00", "2099-01-31T10:00:00.123Z"),
        ("2001-01-31T12:00:00Z", "2001-01-31T12:00:00.000Z"),
        (None, None),
    ],
)
async def test_put__then_get__is_what_was_put(rig: Rig, given: str | None, shown: str | None) -> None:
    ada, conversation_id = rig.person(), new_id()
    for _ in range(2):
        await ada.set(conversation_id, "mentions", given)
        answer = await ada.call("GET", PATH + conversation_id.upper())
        assert answer.json() == {"level": "mentions", "muted_until": shown}


async def test_put__null_or_left_out__clears_the_mute(rig: Rig) -> None:
    ada, conversation_id = rig.person(), new_id()
    await ada.set(conversation_id, "all", "2099-01-31T12:00:00Z")
    await ada.call("PUT", PATH + conversation_id, {"level": "all"})
    assert (await ada.call("GET", PATH + conversation_id)).json()["muted_until"] is None


async def test_get__api_down_but_heard_of__answers(rig: Rig) -> None:
    ada, bob = rig.person(), rig.person()
    conversation = await rig.conversation(ada, bob)
    await rig.settled()
    rig.neighbours.down = True
    try:
        await eventually(lambda: _answers(rig, conversation.id, ada))
    finally:
        rig.neighbours.down = False


async def _answers(rig: Rig, conversation_id: str, person: Any) -> bool:
    answer = await person.call("GET", PATH + conversation_id)
    return bool(answer.status_code == 200)
