"""`PUT /v1/presence/me`: who may not, what is refused, what it changes."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from synctalk_contracts.ids import format_time
from synctalk_runtime.ids import utc_now
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.presence.tests.harness import ApiStub, Listen, Service, StartPresence

PATH = "/v1/presence/me"


async def test_put__without_a_token__is_refused(presence: Service) -> None:
    response = await presence.call("PUT", PATH, json={"status": "away"})
    assert (response.status, response.code) == (401, "unauthenticated")


@pytest.mark.parametrize(
    "given",
    [
        '{"status": "offline"}',
        '{"status": "ONLINE"}',
        '{"status": null}',
        '{"status": 1}',
        '{"last_seen_visible": null}',
        '{"last_seen_visible": "yes"}',
        '{"last_seen_visible": "Everyone"}',
        '{"last_seen_visible": 1}',
        '{"custom_status": 5}',
        '{"custom_status": "\\u0000"}',
        '{"custom_status": "\\ud800"}',
        '{"custom_status": NaN}',
        '{"custom_status": "' + "x" * 129 + '"}',
        '{"custom_status": "a\\u202eb"}',
        '{"custom_status": "a\\u0007b"}',
        '{"custom_status": "\\u3164"}',
        '{"custom_status": {"emoji": "x"}}',
        '{"custom_status": {"emoji": ""}}',
        '{"custom_status": {"text": "a\\u0007b"}}',
        '{"custom_status": {"text": "x", "expires_at": "tomorrow"}}',
        '{"custom_status": {"text": "x", "expires_at": "2026-01-01T00:00:00"}}',
        '{"custom_status": {"text": "x", "expires_at": 1}}',
        '{"custom_status": {"text": "x", "colour": "red"}}',
        '{"custom_status": []}',
        '{"mood": "fine"}',
    ],
)
async def test_put__of_bad_fields__is_refused_and_changes_nothing(presence: Service, ada: str, given: str) -> None:
    await presence.connect(ada)
    response = await presence.put_raw(ada, PATH, given.encode())
    assert (response.status, response.code) == (422, "invalid"), response.body
    assert await presence.status_of(ada, ada) == "online"


@pytest.mark.parametrize("given", [b"", b"{", b"[]", b'"away"', b"null", b"\xff"])
async def test_put__of_what_is_no_object__is_malformed(presence: Service, ada: str, given: bytes) -> None:
    response = await presence.put_raw(ada, PATH, given)
    assert (response.status, response.code) == (400, "malformed"), response.body


async def test_put__of_too_much__is_refused(presence: Service, ada: str) -> None:
    response = await presence.as_user(ada, "PUT", PATH, json={"custom_status": "x" * 300_000})
    assert (response.status, response.code) == (413, "too_large")


async def test_put__too_often__is_refused(start_presence: StartPresence, ada: str) -> None:
    presence = await start_presence(set_per_s=0.01, set_burst=1)
    await presence.set_own(ada, status="away")
    response = await presence.as_user(ada, "PUT", PATH, json={"status": "dnd"})
    assert (response.status, response.code) == (429, "rate_limited")
    assert response.body["error"]["retry_after"] > 0


async def test_put__given_fields__are_true_for_the_next_call_and_said(
    start_presence: StartPresence, api: ApiStub, listen: Listen, ada: str, ben: str
) -> None:
    api.befriend(ada, ben)
    here, there = await start_presence(), await start_presence(instance="presence-2")
    received = await listen(ada)
    await here.connect(ada)
    await here.set_own(ada, status="dnd", custom_status="in a meeting")
    await here.set_own(ada, last_seen_visible=False)
    assert (await there.look(ben, ada))[0] == {
        "user_id": ada,
        "status": "dnd",
        "custom_status": "in a meeting",
        "last_seen_at": None,
        "status_emoji": None,
        "status_expires_at": None,
    }
    await there.set_own(ada, custom_status=None)
    assert (await here.look(ben, ada))[0]["custom_status"] is None
    await eventually(lambda: len(received.statuses(ada)) == 3)
    assert [e.shown.custom_status for e in received.of(ada) if e.shown_changed] == [None, "in a meeting", None]


async def test_put__repeated__answers_alike_and_is_said_once(presence: Service, listen: Listen, ada: str) -> None:
    received = await listen(ada)
    await presence.connect(ada)
    for _ in range(3):
        await presence.set_own(ada, status="away")
    await presence.set_own(ada, status="dnd")
    await eventually(lambda: received.statuses(ada) == ["online", "away", "dnd"])


async def test_put__of_nothing__is_well_and_says_nothing(presence: Service, listen: Listen, ada: str) -> None:
    received = await listen(ada)
    await presence.set_own(ada)
    await presence.connect(ada)
    await eventually(lambda: received.statuses(ada) == ["online"])


async def test_put__while_offline__shows_the_text_and_is_kept(
    presence: Service, api: ApiStub, listen: Listen, ada: str, ben: str
) -> None:
    api.befriend(ada, ben)
    received = await listen(ada)
    await presence.set_own(ada, status="away", custom_status="on holiday")
    assert (await presence.look(ben, ada))[0]["custom_status"] == "on holiday"
    await presence.connect(ada)
    await eventually(lambda: received.statuses(ada) == ["offline", "away"])


async def test_put__many_at_once__end_with_what_is_stored(
    start_presence: StartPresence, api: ApiStub, listen: Listen, ada: str, ben: str
) -> None:
    api.befriend(ada, ben)
    services = [await start_presence(set_burst=1000, instance=f"presence-{n}") for n in range(2)]
    received = await listen(ada)
    await services[0].connect(ada)
    await asyncio.gather(*(services[n % 2].set_own(ada, custom_status=f"text {n}") for n in range(30)))
    stored = (await services[0].look(ben, ada))[0]["custom_status"]
    await eventually(lambda: received.of(ada)[-1].shown.custom_status == stored)


async def test_put__with_an_emoji_and_an_end__is_cleared_by_itself_and_said(
    start_presence: StartPresence, api: ApiStub, listen: Listen, ada: str, ben: str
) -> None:
    api.befriend(ada, ben)
    processes = [await start_presence(instance=f"presence-{n}") for n in range(2)]
    received = await listen(ada)
    await processes[0].connect(ada)
    ends_at = format_time(utc_now() + timedelta(seconds=1.5))
    given = {"text": "at lunch", "emoji": "\U0001f35c", "expires_at": ends_at}
    await processes[0].set_own(ada, custom_status=given)
    seen = (await processes[1].look(ben, ada))[0]
    assert (seen["custom_status"], seen["status_emoji"], seen["status_expires_at"]) == (
        "at lunch",
        "\U0001f35c",
        ends_at,
    )
    await eventually(lambda: [e.shown.custom_status for e in received.of(ada)] == [None, "at lunch", None])
    assert received.of(ada)[-1].shown.status_expires_at is None
    assert (await processes[1].look(ben, ada))[0] == seen | {
        "custom_status": None,
        "status_emoji": None,
        "status_expires_at": None,
    }


async def test_put__a_status_that_has_ended__is_none(presence: Service, ada: str) -> None:
    await presence.set_own(ada, custom_status="before")
    await presence.set_own(ada, custom_status={"text": "late", "expires_at": "2026-01-01T00:00:00Z"})
    assert (await presence.look(ada, ada))[0]["custom_status"] is None


async def test_invisible__coming_and_going__reaches_nobody_else(presence: Service, listen: Listen, ada: str) -> None:
    received = await listen(ada)
    await presence.set_own(ada, status="invisible", custom_status="hidden")
    connection = await presence.connect(ada)
    await presence.disconnect(ada, connection)
    await eventually(lambda: received.of(ada) and received.of(ada)[-1].own.last_seen_at is not None)
    assert received.statuses(ada) == []
    assert {event.shown.custom_status for event in received.of(ada)} == {None}


async def test_invisible__while_online__is_gone_for_others_and_back_later(
    presence: Service, listen: Listen, ada: str
) -> None:
    received = await listen(ada)
    await presence.connect(ada)
    await presence.set_own(ada, status="invisible")
    await presence.set_own(ada, status="online")
    await eventually(lambda: received.statuses(ada) == ["online", "offline", "online"])


async def test_put__by_rest_and_by_socket__share_one_burst(start_presence: StartPresence, ada: str) -> None:
    presence = await start_presence(set_per_s=0.001, set_burst=4)
    statuses = []
    for _ in range(3):
        statuses.append((await presence.as_user(ada, "PUT", PATH, json={"status": "away"})).status)
        statuses.append((await presence.internal("PUT", ada, {"status": "dnd"})).status)
    assert statuses == [204, 204, 204, 204, 429, 429]
