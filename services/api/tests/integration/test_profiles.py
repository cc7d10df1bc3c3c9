"""A new name or picture is published to the clients that may be showing the user, a burst of changes once."""

from synctalk_contracts import topology
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api, Start


async def test_profile__changed_in_a_burst__is_published_once_to_the_user_and_their_conversations(
    start_api: Start,
) -> None:
    async with start_api(profile_delay_s=600) as api:
        ada, ben, cleo = await api.users(3)
        direct, group, left = await ada.direct(ben), await ada.group(ben), await ada.group(ben)
        foreign = await ben.group(cleo)
        await ada.delete(f"/v1/conversations/{left['id']}/members/{ada.id}")
        own = topology.user_channel(ada.id)
        rooms = [topology.conversation_channel(c["id"]) for c in (direct, group)]
        others = [topology.conversation_channel(c["id"]) for c in (left, foreign)] + [topology.user_channel(ben.id)]
        await api.redis.subscribe(own, *rooms, *others)

        for n in range(5):
            await ada.patch("/v1/users/me", {"display_name": f"Countess {n}"})
        await api.services.users.profiles.stop()  # what is due is published now

        await eventually(lambda: all(api.redis.profile_events(channel) for channel in (own, *rooms)))
        for channel in (own, *rooms):
            (event,) = api.redis.profile_events(channel)
            assert event.user.model_dump() == ada.profile.model_dump() | {"display_name": "Countess 4"}
        assert not any(api.redis.profile_events(channel) for channel in others)


async def test_profile__changed_to_the_same__is_not_published(api: Api) -> None:
    ada = await api.user("Ada")
    own = topology.user_channel(ada.id)
    await api.redis.subscribe(own)

    await ada.patch("/v1/users/me", {"display_name": "Ada"})
    await ada.patch("/v1/users/me", {"display_name": "Countess"})

    await eventually(lambda: api.redis.profile_events(own))
    assert {event.user.display_name for event in api.redis.profile_events(own)} == {"Countess"}


async def test_profile__in_more_conversations_than_the_bound__is_announced_in_the_most_active(start_api: Start) -> None:
    async with start_api(profile_conversations_max=1, profile_delay_s=0) as api:
        ada, ben = await api.users(2)
        quiet, active = await ada.direct(ben), await ada.group(ben)
        rooms = [topology.conversation_channel(c["id"]) for c in (quiet, active)]
        await api.redis.subscribe(*rooms)

        await ada.patch("/v1/users/me", {"display_name": "Countess"})

        await eventually(lambda: api.redis.profile_events(rooms[1]))
        assert not api.redis.profile_events(rooms[0])


async def test_profile__changed_too_often__is_refused(start_api: Start) -> None:
    async with start_api(profile_burst=2, profile_rate_per_s=0.001) as api:
        ada = await api.user()
        for n in range(2):
            await ada.patch("/v1/users/me", {"display_name": f"Countess {n}"})

        third = await ada.call("PATCH", "/v1/users/me", {"display_name": "Countess"})

        assert (third.status, third.body["error"]["details"]) == (429, {"limit": "api_profile"})
