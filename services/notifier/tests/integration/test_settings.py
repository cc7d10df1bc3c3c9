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


async def test_conversation__by_the_host_apps_name__is_the_same(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    conversation = await rig.conversation(ada, bob)
    rig.upstreams.names["ticket/7-\u00e9"] = conversation.id
    place = f"{PATH}external:ticket%2F7-e%CC%81"
    assert (await ada.call("PUT", place, {"level": "none"})).status == 204
    for path in (place, PATH + conversation.id):
        assert (await ada.call("GET", path)).body["level"] == "none"
    rig.upstreams.says(bob.id, conversation.id, member=False)
    assert (await bob.call("GET", place)).status == 404
    for unknown in ("external:nothing", "external:", "external:a%20b"):
        assert (await ada.call("GET", PATH + unknown)).status == 404
    assert (await ada.call("GET", PATH + "nothing")).status == 422


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


ALL = "/v1/notification-settings"
DEFAULTS = {"quiet_hours": None, "content": "full", "level": "all"}
NIGHT = {"from": "22:00", "to": "07:00", "time_zone": "Europe/Berlin"}


@pytest.mark.parametrize("method", ["PUT", "GET"])
async def test_all__without_a_token__is_unauthenticated(rig: Rig, method: str) -> None:
    response = await rig.service.call(method, ALL, json={})
    assert (response.status, response.code) == (401, "unauthenticated")


@pytest.mark.parametrize(
    "body",
    [
        {"level": None},
        {"level": "default"},
        {"content": None},
        {"content": "some"},
        {"quiet_hours": {}},
        {"quiet_hours": []},
        {"quiet_hours": NIGHT | {"from": None}},
        {"quiet_hours": NIGHT | {"from": "24:00"}},
        {"quiet_hours": NIGHT | {"from": "7:00"}},
        {"quiet_hours": NIGHT | {"from": "22:00\n"}},
        {"quiet_hours": NIGHT | {"to": "07:60"}},
        {"quiet_hours": NIGHT | {"to": 420}},
        {"quiet_hours": NIGHT | {"time_zone": "Europe/Nowhere"}},
        {"quiet_hours": NIGHT | {"time_zone": "../../etc/passwd"}},
        {"quiet_hours": NIGHT | {"time_zone": "Europe"}},
        {"quiet_hours": NIGHT | {"time_zone": "posix/Europe/Berlin"}},
        {"quiet_hours": NIGHT | {"time_zone": "localtime"}},
        {"quiet_hours": NIGHT | {"time_zone": "+02:00"}},
        {"quiet_hours": NIGHT | {"time_zone": ""}},
        {"quiet_hours": NIGHT | {"time_zone": "\u0000"}},
        {"quiet_hours": NIGHT | {"days": 5}},
        {"extra": 1},
    ],
)
async def test_all__fields__are_invalid(rig: Rig, body: dict[str, Any]) -> None:
    response = await rig.user().call("PUT", ALL, body)
    assert (response.status, response.code) == (422, "invalid")


async def test_all__fields_left_out__stay(rig: Rig) -> None:
    ada = rig.user()
    assert (await ada.call("GET", ALL)).body == {"settings": DEFAULTS, "conversations": {}}
    await ada.set_all(quiet_hours=NIGHT)
    await ada.set_all(content="none", level="none")
    await ada.set_all()
    assert (await ada.call("GET", ALL)).body["settings"] == {"quiet_hours": NIGHT, "content": "none", "level": "none"}
    await ada.set_all(quiet_hours=None)
    assert (await ada.call("GET", ALL)).body["settings"] == {"quiet_hours": None, "content": "none", "level": "none"}


async def test_default__own_level__is_removed_and_the_mute_kept(rig: Rig) -> None:
    ada, conversation_id = rig.user(), new_id()
    await ada.set_all(level="mentions")
    assert (await ada.call("GET", PATH + conversation_id)).body == {"level": "mentions", "muted_until": None}
    later = "2126-01-01T00:00:00.000Z"
    await ada.set(conversation_id, "none", later)
    assert (await ada.call("GET", ALL)).body["conversations"] == {
        conversation_id: {"level": "none", "muted_until": later}
    }
    await ada.put(PATH + conversation_id, {"level": "default"})
    assert (await ada.call("GET", PATH + conversation_id)).body == {"level": "mentions", "muted_until": later}
    await ada.put(PATH + conversation_id, {"level": "default", "muted_until": None})
    assert (await ada.call("GET", PATH + conversation_id)).body == {"level": "mentions", "muted_until": None}
    assert (await ada.call("GET", ALL)).body["conversations"] == {}


async def test_all__level_none__badge_counts_only_what_has_a_level_of_its_own(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    loud, quiet, muted = [await rig.conversation(ada, bob) for _ in range(3)]
    await bob.set_all(level="none")
    await bob.set(loud.id, "mentions")
    await bob.set(quiet.id, "none")
    await bob.set(muted.id, "all", "2999-01-01T00:00:00.000Z")
    await loud.write(ada, mentions=(bob.id,))
    await rig.pushes(token, 1)
    await bob.set_all(level="all")
    await loud.write(ada, mentions=(bob.id,))
    await rig.pushes(token, 2)

    few, most = [question for question in rig.upstreams.questions if question.user_id == bob.id][-2:]
    assert (few.loud_conversation_ids, few.quiet_conversation_ids) == ([loud.id], [])
    assert (most.loud_conversation_ids, set(most.quiet_conversation_ids)) == (None, {quiet.id, muted.id})


async def test_all__a_conversation_that_was_left__is_not_listed(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    conversation = await rig.conversation(ada, bob)
    await bob.set(conversation.id, "none")
    assert list((await bob.call("GET", ALL)).body["conversations"]) == [conversation.id]
    await rig.publish(conversation.member_changed(bob, None))
    await rig.settled()
    assert (await bob.call("GET", ALL)).body["conversations"] == {}
