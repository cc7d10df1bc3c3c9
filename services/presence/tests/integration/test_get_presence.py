"""`GET /v1/presence`: who may not, who sees nothing, who sees what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from synctalk_testkit.tokens import TokenMaker

    from services.presence.tests.harness import ApiStub, Listen, Service, StartPresence

SOMEBODY = "00000000-0000-7000-8000-000000000001"


def nothing(user_id: str) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "status": "offline",
        "custom_status": None,
        "last_seen_at": None,
        "status_emoji": None,
        "status_expires_at": None,
    }


async def test_get__without_a_token__is_refused(presence: Service, ada: str) -> None:
    response = await presence.call("GET", f"/v1/presence?user_ids={ada}")
    assert (response.status, response.code) == (401, "unauthenticated")


async def test_get__with_an_ended_token__is_refused(presence: Service, token_maker: TokenMaker, ada: str) -> None:
    bearer = {"authorization": f"Bearer {token_maker.mint(ada, lifetime_s=-60)}"}
    response = await presence.call("GET", f"/v1/presence?user_ids={ada}", headers=bearer)
    assert (response.status, response.code) == (401, "token_expired")


async def test_get__an_unrelated_user__looks_like_one_who_does_not_exist(presence: Service, ada: str, ben: str) -> None:
    await presence.connect(ada)
    await presence.set_own(ada, custom_status="here")
    unknown = new_id()
    assert await presence.look(ben, ada, unknown) == [nothing(ada), nothing(unknown)]


async def test_get__the_invisible__look_like_one_who_does_not_exist(
    presence: Service, api: ApiStub, ada: str, ben: str
) -> None:
    api.befriend(ada, ben)
    await presence.connect(ada)
    await presence.set_own(ada, status="invisible", custom_status="here")
    assert await presence.look(ben, ada) == [nothing(ada)]
    assert await presence.look(ada, ada) == [nothing(ada) | {"custom_status": "here"}]


async def test_get__when_no_conversation_is_shared_any_longer__shows_nothing(
    presence: Service, api: ApiStub, ada: str, ben: str
) -> None:
    api.befriend(ada, ben)
    await presence.connect(ada)
    assert await presence.status_of(ben, ada) == "online"
    api.part(ada, ben)
    assert await presence.look(ben, ada) == [nothing(ada)]


async def test_get__while_api_is_away__shows_nobody(presence: Service, api: ApiStub, ada: str, ben: str) -> None:
    with api.unavailable():
        response = await presence.as_user(ben, "GET", f"/v1/presence?user_ids={ada}")
        assert (response.status, response.code) == (503, "unavailable")
        assert response.body["error"]["retry_after"] > 0
        assert [item["user_id"] for item in await presence.look(ada, ada)] == [ada], "one's own needs no other service"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?user_ids=",
        "?user_ids=x",
        "?user_ids=,",
        "?user_ids=%00",
        f"?user_ids={SOMEBODY},",
        f"?user_ids={SOMEBODY} ",
        "?user_ids=" + ",".join([SOMEBODY] * 101),
    ],
)
async def test_get__with_bad_ids__is_refused(presence: Service, ben: str, query: str) -> None:
    response = await presence.as_user(ben, "GET", f"/v1/presence{query}")
    assert (response.status, response.code) == (422, "invalid")
    assert response.body["error"]["details"][0]["field"] == "user_ids"


async def test_get__too_often__is_refused(start_presence: StartPresence, ada: str) -> None:
    presence = await start_presence(read_per_s=0.01, read_burst=2)
    await presence.look(ada, ada)
    await presence.look(ada, ada)
    response = await presence.as_user(ada, "GET", f"/v1/presence?user_ids={ada}")
    assert (response.status, response.code) == (429, "rate_limited")


async def test_get__a_hundred__in_the_order_asked_repeats_too(
    presence: Service, api: ApiStub, ada: str, ben: str
) -> None:
    api.befriend(ada, ben)
    await presence.connect(ada)
    asked = [new_id() for _ in range(97)] + [ada.upper(), ben, ada]
    items = await presence.look(ben, *asked)
    assert [item["user_id"] for item in items] == [user_id.lower() for user_id in asked]
    assert [item["status"] for item in items[-3:]] == ["online", "offline", "online"]


async def test_get__last_seen__is_hidden_when_they_wish_it(
    presence: Service, api: ApiStub, listen: Listen, ada: str, ben: str
) -> None:
    api.befriend(ada, ben)
    received = await listen(ada)
    connection = await presence.connect(ada)
    assert (await presence.look(ben, ada))[0]["last_seen_at"] is None
    await presence.disconnect(ada, connection)
    await eventually(lambda: received.statuses(ada)[-1:] == ["offline"])
    assert (await presence.look(ben, ada))[0]["last_seen_at"].endswith("Z")
    await presence.set_own(ada, last_seen_visible=False)
    assert (await presence.look(ben, ada))[0]["last_seen_at"] is None
    assert (await presence.look(ada, ada))[0]["last_seen_at"] is not None


async def test_last_seen__to_contacts__is_for_direct_ones_and_for_who_shows_theirs(
    presence: Service, api: ApiStub, ada: str, ben: str
) -> None:
    cleo = new_id()
    api.befriend(ada, ben, cleo)
    api.write_directly(ada, ben)
    await presence.disconnect(ada, await presence.connect(ada))
    await eventually(lambda: presence.is_last_seen(ben, ada))
    await presence.set_own(ada, last_seen_visible="contacts")
    assert [await presence.is_last_seen(user, ada) for user in (ada, ben, cleo)] == [True, True, False]
    await presence.set_own(ben, last_seen_visible="nobody")
    assert [await presence.is_last_seen(user, ada) for user in (ada, ben, cleo)] == [True, False, False]
    await presence.set_own(ada, last_seen_visible=True)
    assert [await presence.is_last_seen(user, ada) for user in (ada, ben, cleo)] == [True, False, True]


async def test_get_own__is_what_was_chosen(presence: Service, ada: str) -> None:
    chosen = {"status": "online", "custom_status": None, "status_emoji": None, "status_expires_at": None}
    assert (await presence.call("GET", "/v1/presence/me")).status == 401
    response = await presence.as_user(ada, "GET", "/v1/presence/me")
    assert (response.status, response.body) == (200, chosen | {"last_seen_visible": "everyone"})
    await presence.set_own(ada, status="invisible", custom_status="shh", last_seen_visible=False)
    response = await presence.as_user(ada, "GET", "/v1/presence/me")
    said = {"status": "invisible", "custom_status": "shh", "last_seen_visible": "nobody"}
    assert response.body == chosen | said


async def test_unknown_path_and_method__have_the_error_shape(presence: Service) -> None:
    assert (await presence.call("GET", "/v1/presence/nowhere/at/all")).code == "not_found"
    assert (await presence.call("POST", "/v1/presence")).code == "method_not_allowed"
