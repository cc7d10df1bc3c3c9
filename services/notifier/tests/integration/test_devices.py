"""`/v1/devices`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.models import EndReason
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.tokens import NEVER, Principal, current_principal

if TYPE_CHECKING:
    from services.notifier.tests.harness import NotifierUser, Rig

GOOD = {"platform": "ios", "token": "a"}


async def device_ids(user: NotifierUser) -> list[str]:
    return [item["device_id"] for item in (await user.call("GET", "/v1/devices")).body["items"]]


class TestWhoMayNot:
    @pytest.mark.parametrize(
        ("method", "path"), [("PUT", "/v1/devices/a"), ("GET", "/v1/devices"), ("DELETE", "/v1/devices/a")]
    )
    @pytest.mark.parametrize("header", [None, "Bearer", "Bearer x.y.z", "Basic YTpi"])
    async def test_call__without_a_token__is_unauthenticated(
        self, rig: Rig, method: str, path: str, header: str | None
    ) -> None:
        headers = {"Authorization": header} if header else {}
        response = await rig.service.call(method, path, json=GOOD, headers=headers)
        assert (response.status, response.code) == (401, "unauthenticated")

    async def test_call__by_a_bot__is_forbidden(self, rig: Rig) -> None:
        async def bot() -> Principal:
            return Principal(new_id(), new_id(), NEVER, "", is_bot=True)

        rig.app.dependency_overrides[current_principal] = bot
        try:
            for method, path in (("PUT", "/v1/devices/a"), ("GET", "/v1/devices"), ("DELETE", "/v1/devices/a")):
                response = await rig.service.call(method, path, GOOD if method == "PUT" else None)
                assert (response.status, response.code) == (403, "forbidden")
        finally:
            rig.app.dependency_overrides.clear()

    async def test_put__expired_token__says_so(self, rig: Rig) -> None:
        token = rig.maker.mint(lifetime_s=-60)
        response = await rig.service.call("GET", "/v1/devices", headers={"Authorization": f"Bearer {token}"})
        assert response.code == "token_expired"

    async def test_put__session_ended_a_moment_ago__leaves_no_device(self, rig: Rig) -> None:
        ada = rig.user()
        other = ada.other_session()
        ended = SessionRevoked(
            session_id=ada.session_id,
            user_id=ada.id,
            reason=EndReason.REVOKED,
            deny_until=utc_now() + timedelta(hours=1),
        )
        await rig.app.state.tokens.revocations.add(ended)
        assert (await ada.call("PUT", "/v1/devices/a", GOOD)).status == 401
        assert await device_ids(other) == []

    async def test_others__devices__are_neither_seen_nor_removed(self, rig: Rig) -> None:
        ada, eve = rig.user(), rig.user()
        await ada.add_device()
        assert await device_ids(eve) == []
        assert (await eve.call("DELETE", "/v1/devices/phone")).status == 204
        assert await device_ids(ada) == ["phone"]

    async def test_put__over_the_limit__is_a_conflict(self, rig: Rig) -> None:
        ada = rig.user()
        for number in range(3):
            await ada.add_device(device_id=f"d{number}")
        response = await ada.call("PUT", "/v1/devices/d3", {"platform": "web", "token": uuid4().hex})
        assert (response.status, response.code) == (409, "conflict")
        await ada.add_device(device_id="d1")
        assert await device_ids(ada) == ["d0", "d1", "d2"]


class TestBadInput:
    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"platform": "ios"},
            {"token": "a"},
            {"platform": "symbian", "token": "a"},
            {"platform": "ios", "token": ""},
            {"platform": "ios", "token": "a" * 4097},
            {"platform": "ios", "token": "a\0b"},
            {"platform": "ios", "token": 7},
            {"platform": "ios", "token": None},
            {"platform": "ios", "token": "a", "extra": 1},
        ],
    )
    async def test_put__fields__are_invalid(self, rig: Rig, body: dict[str, Any]) -> None:
        response = await rig.user().call("PUT", "/v1/devices/a", body)
        assert (response.status, response.code) == (422, "invalid")
        assert response.body["error"]["details"][0].keys() == {"field", "message"}

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b'"x"', b"null"])
    async def test_put__not_an_object__is_malformed(self, rig: Rig, content: bytes) -> None:
        ada = rig.user()
        headers = {"Authorization": f"Bearer {ada.tokens.mint(ada.id)}", "content-type": "application/json"}
        response = await rig.service.call("PUT", "/v1/devices/a", data=content, headers=headers)
        assert (response.status, response.code) == (400, "malformed")

    async def test_put__lone_surrogate__is_invalid(self, rig: Rig) -> None:
        ada = rig.user()
        headers = {"Authorization": f"Bearer {ada.tokens.mint(ada.id)}", "content-type": "application/json"}
        content = b'{"platform": "ios", "token": "\\ud800"}'
        assert (await rig.service.call("PUT", "/v1/devices/a", data=content, headers=headers)).status == 422

    @pytest.mark.parametrize("device_id", ["a" * 129, "a%20b", "a%00", "%C3%A9", "a%0A"])
    async def test_device_id__of_other_characters__is_invalid(self, rig: Rig, device_id: str) -> None:
        ada = rig.user()
        for method in ("PUT", "DELETE"):
            assert (await ada.call(method, f"/v1/devices/{device_id}", GOOD)).status == 422

    async def test_unknown_path_and_wrong_method__have_the_error_shape(self, rig: Rig) -> None:
        ada = rig.user()
        assert (await ada.call("GET", "/v1/devices/a/b")).code == "not_found"
        assert (await ada.call("POST", "/v1/devices")).code == "method_not_allowed"


class TestDevices:
    async def test_put__then_listed_oldest_first_and_removed(self, rig: Rig) -> None:
        ada = rig.user()
        await ada.add_device(device_id="one")
        await ada.add_device(device_id="two.2:~_-")
        listed = (await ada.call("GET", "/v1/devices")).body
        assert listed["next_cursor"] is None
        assert [item.keys() for item in listed["items"]] == [{"device_id", "platform", "created_at"}] * 2
        assert await device_ids(ada) == ["one", "two.2:~_-"]
        for _ in range(2):
            assert (await ada.call("DELETE", "/v1/devices/one")).status == 204
        assert await device_ids(ada) == ["two.2:~_-"]

    async def test_put__again__answers_as_the_first_and_keeps_its_time(self, rig: Rig) -> None:
        ada = rig.user()
        token = await ada.add_device()
        before = (await ada.call("GET", "/v1/devices")).body
        await ada.add_device(token)
        await ada.add_device()
        assert (await ada.call("GET", "/v1/devices")).body == before

    async def test_put__longest_token__is_kept_whole(self, rig: Rig) -> None:
        ada, bob = rig.user(), rig.user()
        token = await bob.add_device(bob.id + "x" * 4060)
        await (await rig.conversation(ada, bob)).write(ada)
        await rig.pushes(token, 1)

    async def test_put__token_of_another__is_taken_over(self, rig: Rig) -> None:
        ada, bob = rig.user(), rig.user()
        token = await ada.add_device()
        await bob.add_device(token)
        assert await device_ids(ada) == []
        assert await device_ids(bob) == ["phone"]

    async def test_put__own_token_under_another_name__is_one_device(self, rig: Rig) -> None:
        ada = rig.user()
        await ada.add_device(await ada.add_device(), device_id="renamed")
        assert await device_ids(ada) == ["renamed"]
