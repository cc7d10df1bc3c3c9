"""What only other services may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from synctalk_runtime.ids import new_id

if TYPE_CHECKING:
    from services.presence.tests.harness import ApiStub, Service

SOMEBODY = "00000000-0000-7000-8000-000000000001"
ENDPOINTS = [("POST", "leases"), ("POST", "snapshot"), ("POST", "active"), ("PUT", SOMEBODY)]


@pytest.mark.parametrize(("method", "endpoint"), ENDPOINTS)
async def test_internal__without_the_secret__is_not_there(
    presence: Service, ada: str, method: str, endpoint: str
) -> None:
    for call in (presence.call, lambda *a, **o: presence.as_user(ada, *a, **o)):
        response = await call(method, f"/internal/presence/{endpoint}", json={})
        assert (response.status, response.code) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "endpoint", "body"),
    [
        (
            "POST",
            "leases",
            {"gateway": "gateway-1", "held": [{"user_id": "x", "connection_id": "1-a"}], "released": []},
        ),
        ("POST", "leases", {"gateway": "gateway-1"}),
        (
            "POST",
            "leases",
            {"gateway": "g", "held": [{"user_id": SOMEBODY, "connection_id": "a"}] * 2001, "released": []},
        ),
        ("POST", "snapshot", {"asker_id": SOMEBODY, "user_ids": [SOMEBODY] * 201}),
        ("POST", "active", {"ids": [SOMEBODY] * 1001}),
        ("PUT", "nobody", {"status": "away"}),
        ("PUT", SOMEBODY, {"status": None}),
    ],
)
async def test_internal__of_a_wrong_shape__is_refused(
    presence: Service, method: str, endpoint: str, body: object
) -> None:
    response = await presence.internal(method, endpoint, body)
    assert (response.status, response.code) == (422, "invalid")


async def test_internal__fields_of_a_newer_service__are_ignored(presence: Service, ada: str) -> None:
    lease = {"user_id": ada, "connection_id": "1-a", "device": "phone"}
    body = {"gateway": "gateway-1", "held": [lease], "released": [], "region": "north"}
    response = await presence.internal("POST", "leases", body)
    assert (response.status, response.body) == (204, None)


async def test_snapshot__of_200__in_order(presence: Service, api: ApiStub, ada: str, ben: str) -> None:
    api.befriend(ada, ben)
    await presence.connect(ada)
    asked = [new_id() for _ in range(198)] + [ada, ben]
    response = await presence.internal("POST", "snapshot", {"asker_id": ben, "user_ids": asked})
    assert response.status == 200
    assert [item["user_id"] for item in response.body["items"]] == asked
    assert [item["status"] for item in response.body["items"][-3:]] == ["offline", "online", "offline"]
    assert response.body["strangers"] == asked[:198]


async def test_snapshot__while_api_is_away__shows_nobody(presence: Service, api: ApiStub, ada: str, ben: str) -> None:
    with api.unavailable():
        response = await presence.internal("POST", "snapshot", {"asker_id": ben, "user_ids": [ada]})
    assert response.status == 503


async def test_put__for_a_user__is_their_own(presence: Service, ada: str) -> None:
    response = await presence.internal("PUT", ada, {"custom_status": "by socket"})
    assert (response.status, response.body) == (204, None)
    assert (await presence.look(ada, ada))[0]["custom_status"] == "by socket"


@pytest.mark.parametrize(("status", "active"), [("online", True), ("dnd", True), ("invisible", True), ("away", False)])
async def test_active__of_the_connected__by_status(presence: Service, ada: str, status: str, active: bool) -> None:
    await presence.connect(ada)
    await presence.set_own(ada, status=status)
    response = await presence.internal("POST", "active", {"ids": [new_id(), ada]})
    dnd = [ada] if status == "dnd" else []
    assert (response.status, response.body) == (200, {"ids": [ada] if active else [], "dnd": dnd})


async def test_active__in_the_grace__is_nobody(presence: Service, ada: str) -> None:
    connection = await presence.connect(ada)
    response = await presence.internal("POST", "active", {"ids": [ada]})
    assert (response.status, response.body) == (200, {"ids": [ada], "dnd": []})
    await presence.disconnect(ada, connection)
    response = await presence.internal("POST", "active", {"ids": [ada]})
    assert (response.status, response.body) == (200, {"ids": [], "dnd": []})


async def test_active__those_at_dnd__are_named_whether_connected_or_not(presence: Service, ada: str, ben: str) -> None:
    await presence.connect(ada)
    await presence.set_own(ada, status="dnd")
    await presence.set_own(ben, status="dnd")
    response = await presence.internal("POST", "active", {"ids": [ben, ada, ben]})
    assert response.body == {"ids": [ada], "dnd": [ben, ada]}
