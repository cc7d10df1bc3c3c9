"""`/v1/users`: oneself, by id, by name."""

from datetime import timedelta

import pytest
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.events.users import UserRegistered
from synctalk_contracts.models import EndReason, User
from synctalk_runtime import outbox
from synctalk_runtime.ids import new_id, utc_now
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api


async def test_users__without_a_token__are_refused(api: Api) -> None:
    ada = await api.user()

    for path in ("/v1/users/me", f"/v1/users/{ada.id}", "/v1/users?search=a"):
        response = await ada.call("GET", path, headers={"authorization": ""})
        assert (response.status, response.code) == (401, "unauthenticated")


async def test_users__expired_token__says_so(api: Api) -> None:
    ada = await api.user()
    token = api.auth.tokens.mint(ada.id, lifetime_s=-60)

    response = await ada.call("GET", "/v1/users/me", headers={"authorization": f"Bearer {token}"})

    assert (response.status, response.code) == (401, "token_expired")


async def test_users__session_revoked__are_refused(api: Api) -> None:
    ada, session_id = await api.user(), new_id()
    headers = {"authorization": f"Bearer {api.auth.tokens.mint(ada.id, session_id)}"}
    assert (await ada.call("GET", "/v1/users/me", headers=headers)).status == 200
    revoked = SessionRevoked(
        session_id=session_id,
        user_id=ada.id,
        reason=EndReason.LOGGED_OUT,
        deny_until=utc_now() + timedelta(minutes=15),
    )
    (event,), (envelope,) = outbox.rows([revoked])

    await api.bus.publish("synctalk.events", event, f"[{envelope}]".encode())

    async def refused() -> bool:
        return (await ada.call("GET", "/v1/users/me", headers=headers)).status == 401

    await eventually(refused)


async def test_me__registered_just_now__is_asked_at_auth(api: Api) -> None:
    ada = await api.user(introduced=False)

    assert await ada.get("/v1/users/me") == ada.profile.model_dump()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"display_name": ""}, "display_name"),
        ({"display_name": None}, "display_name"),
        ({"display_name": "x" * 65}, "display_name"),
        ({"display_name": "a\u202eb"}, "display_name"),
        ({"display_name": "a\u0000b"}, "display_name"),
        ({"display_name": 1}, "display_name"),
        ({"avatar_url": "http://example.org/a.png"}, "avatar_url"),
        ({"avatar_url": "javascript:alert(1)"}, "avatar_url"),
        ({"avatar_url": "https://example.org/" + "a" * 2048}, "avatar_url"),
        ({"username": "other"}, "username"),
    ],
)
async def test_update_me__with_bad_fields__names_them(api: Api, change: object, field: str) -> None:
    ada = await api.user()

    assert (await ada.call("PATCH", "/v1/users/me", change)).fields == {field}


async def test_update_me__what_is_left_out_stays(api: Api) -> None:
    ada = await api.user("Ada Lovelace")

    await ada.patch("/v1/users/me", {"avatar_url": "https://example.org/a.png"})
    await ada.patch("/v1/users/me", {"display_name": "Countess"})

    expected = ada.profile.model_dump() | {"display_name": "Countess", "avatar_url": "https://example.org/a.png"}
    assert await ada.get("/v1/users/me") == expected
    assert (await ada.patch("/v1/users/me", {})) == expected
    assert (await ada.patch("/v1/users/me", {"avatar_url": None}))["avatar_url"] is None


async def test_registered__learned_twice__does_not_undo_a_change(api: Api) -> None:
    ada = await api.user("Ada")
    await ada.patch("/v1/users/me", {"display_name": "Countess"})

    await api.internal("PUT", f"/internal/users/{ada.id}", ada.profile.model_dump())

    assert (await ada.get("/v1/users/me"))["display_name"] == "Countess"


async def test_registered__received_from_the_bus__is_known(api: Api) -> None:
    user = User(id=new_id(), username=f"bus-{new_id()[-12:]}", display_name="Bus", avatar_url=None)
    (event,), (envelope,) = outbox.rows([UserRegistered(user=user)])

    await api.bus.publish("synctalk.events", event, f"[{envelope},{envelope}]".encode())

    async def known() -> bool:
        return (await api.internal("GET", f"/internal/users/{user.id}")).status == 200

    await eventually(known)


async def test_by_ids__unknown_ones__are_left_out(api: Api) -> None:
    ada, ben = await api.users(2)

    page = await ada.get("/v1/users", params={"ids": f"{ben.id},{new_id()},{ada.id},{ben.id.upper()}"})

    assert page == {"items": [ben.profile.model_dump(), ada.profile.model_dump()], "next_cursor": None}


@pytest.mark.parametrize("params", [{}, {"search": "a", "ids": ""}, {"search": ""}, {"ids": "nonsense"}])
async def test_find__asked_wrongly__is_invalid(api: Api, params: dict[str, str]) -> None:
    ada = await api.user()

    assert (await ada.call("GET", "/v1/users", params=params)).code == "invalid"


async def test_by_ids__more_than_a_hundred__is_invalid(api: Api) -> None:
    ada = await api.user()

    assert (await ada.call("GET", "/v1/users", params={"ids": ",".join([ada.id] * 101)})).code == "invalid"


@pytest.mark.parametrize(
    "search",
    [
        "zo_quux",
        "ZO_Q",
        "Žofie",
        "zof",
        "Z\u030cof",
        "zo_quux.",
        "Quuxová",
        "quuxova-n",
        "nova",
        "Žofie Quux",
        "小明",
        "王",
    ],
)
async def test_search__beginning_of_a_name_or_word__finds(api: Api, search: str) -> None:
    zofie = await api.user("Žofie  Quuxová-Nová 王小明", username=f"zo_quux.{new_id()[-8:]}")

    found = await zofie.get("/v1/users", params={"search": search, "limit": "100"})

    assert zofie.id in [user["id"] for user in found["items"]]


@pytest.mark.parametrize("search", ["o_quux", "ofie", "%", "_", "\\", "' or 1=1", "quux ová"])
async def test_search__not_a_beginning__finds_nothing(api: Api, search: str) -> None:
    zofie = await api.user("Žofie Quuxová", username=f"zo_quux.{new_id()[-8:]}")

    found = await zofie.get("/v1/users", params={"search": search, "limit": "100"})

    assert zofie.id not in [user["id"] for user in found["items"]]


async def test_search__page_by_page__has_each_once(api: Api) -> None:
    mark = f"mark{new_id()[-10:]}"
    users = [await api.user(f"{mark} {mark}{n} x", username=f"{mark}{n}") for n in range(7)]

    walked, cursor = [], None
    while True:
        params = {"search": mark.upper(), "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = await users[0].get("/v1/users", params=params)
        walked += [user["id"] for user in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert sorted(walked) == sorted(user.id for user in users)
