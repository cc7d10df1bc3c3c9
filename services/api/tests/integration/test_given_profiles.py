"""Names and pictures that a host app gave, as auth passes them on: by a call at once, and by an event in any case."""

from synctalk_contracts.events.users import ProfileProvided

from services.api.tests.integration.conftest import Api


async def test_given_profile__by_call__is_taken_over_and_the_rest_stays(api: Api) -> None:
    [ada] = await api.users(1)
    before = await ada.get("/v1/users/me")
    given = ProfileProvided(user_id=ada.id, display_name="Ada L.", avatar_url=None)

    answer = await api.internal("POST", "/internal/users/profile", given.model_dump())

    assert answer.status == 204
    assert await ada.get("/v1/users/me") == before | {"display_name": "Ada L."}


async def test_given_profile__of_nobody__is_not_found(api: Api) -> None:
    given = ProfileProvided(user_id="01a00000-0000-7000-8000-000000000000", display_name="X", avatar_url=None)
    assert (await api.internal("POST", "/internal/users/profile", given.model_dump())).status == 404
