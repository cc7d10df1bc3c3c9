"""`/v1/notification-settings/{conversation_id}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.notifier.tests.harness import Rig

PATH = "/v1/notification-settings/"


class TestWhoMayNot:
    @pytest.mark.parametrize("method", ["PUT", "GET"])
    async def test_call__without_a_token__is_unauthenticated(self, rig: Rig, method: str) -> None:
        response = await rig.service.call(method, PATH + new_id(), json={"level": "all"})
        assert (response.status, response.code) == (401, "unauthenticated")

    @pytest.mark.parametrize("method", ["PUT", "GET"])
    async def test_call__no_member__is_not_found(self, rig: Rig, method: str) -> None:
        eve, conversation_id = rig.user(), new_id()
        rig.upstreams.says(eve.id, conversation_id, member=False)
        response = await eve.call(method, PATH + conversation_id, {"level": "all"})
        assert (response.status, response.code) == (404, "not_found")

    async def test_call__removed_a_moment_ago__is_not_found(self, rig: Rig) -> None:
        ada, bob = rig.user(), rig.user()
        conversation = await rig.conversation(ada, bob)
        await rig.settled()
        rig.upstreams.says(bob.id, conversation.id, member=False)
        assert (await bob.call("GET", PATH + conversation.id)).status == 404

    async def test_call__api_down_and_not_in_the_projection__is_unavailable(self, rig: Rig) -> None:
        rig.upstreams.down = True
        try:
            response = await rig.user().call("GET", PATH + new_id())
        finally:
            rig.upstreams.down = False
        assert (response.status, response.code) == (503, "unavailable")
        assert response.headers["Retry-After"] == "1"


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
    response = await rig.user().call("PUT", PATH + new_id(), body)
    assert (response.status, response.code) == (422, "invalid")


async def test_conversation_id__not_an_id__is_invalid(rig: Rig) -> None:
    assert (await rig.user().call("GET", PATH + "x")).status == 422


async def test_get__none_were_put__answers_the_defaults(rig: Rig) -> None:
    response = await rig.user().call("GET", PATH + new_id())
    assert response.body == {"level": "all", "muted_until": None}


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
    ada, conversation_id = rig.user(), new_id()
    for _ in range(2):
        await ada.set(conversation_id, "mentions", given)
        response = await ada.call("GET", PATH + conversation_id.upper())
        assert response.body == {"level": "mentions", "muted_until": shown}


async def test_put__null_or_left_out__clears_the_mute(rig: Rig) -> None:
    ada, conversation_id = rig.user(), new_id()
    await ada.set(conversation_id, "all", "2099-01-31T12:00:00Z")
    await ada.call("PUT", PATH + conversation_id, {"level": "all"})
    assert (await ada.call("GET", PATH + conversation_id)).body["muted_until"] is None


async def test_get__api_down_but_in_the_projection__answers(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    conversation = await rig.conversation(ada, bob)
    await rig.settled()
    rig.upstreams.down = True
    try:
        await eventually(lambda: _answers(rig, conversation.id, ada))
    finally:
        rig.upstreams.down = False


async def _answers(rig: Rig, conversation_id: str, user: Any) -> bool:
    response = await user.call("GET", PATH + conversation_id)
    return bool(response.status == 200)
