"""auth's copy of a profile follows api, in whichever order its events are received."""

from datetime import timedelta
from typing import Any

import pytest
from synctalk_auth.actions import profiles
from synctalk_contracts.events.users import UserUpdated
from synctalk_contracts.models import User
from synctalk_runtime.ids import utc_now

from services.auth.tests.harness import Auth

NOW = utc_now()


def called(tokens: dict[str, Any], name: str, after_s: float | None) -> UserUpdated:
    user = User.model_validate(tokens["user"]).model_copy(update={"display_name": name})
    return UserUpdated(user=user, changed_at=None if after_s is None else NOW + timedelta(seconds=after_s))


async def name_of(auth: Auth, tokens: dict[str, Any]) -> str:
    [user] = await profiles.look_up(auth.services.postgres, [tokens["user"]["id"]])
    return user.display_name


@pytest.mark.parametrize("together", [True, False])
async def test_follow__swapped_by_two_relays__the_later_name_holds(auth: Auth, together: bool) -> None:
    tokens = await auth.register()
    later, earlier = called(tokens, "Later", 2), called(tokens, "Earlier", 1)

    for batch in [[later, earlier]] if together else [[later], [earlier]]:
        await profiles.follow(auth.services.postgres, batch)

    assert await name_of(auth, tokens) == "Later"


async def test_follow__in_order__each_holds_until_the_next(auth: Auth) -> None:
    tokens = await auth.register()
    for n, name in enumerate(("First", "Second")):
        await profiles.follow(auth.services.postgres, [called(tokens, name, n)])
        assert await name_of(auth, tokens) == name


async def test_follow__of_a_version_that_does_not_say_when__the_last_received_holds(auth: Auth) -> None:
    tokens = await auth.register()
    await profiles.follow(auth.services.postgres, [called(tokens, "Dated", 5)])
    await profiles.follow(auth.services.postgres, [called(tokens, "Undated", None)])

    assert await name_of(auth, tokens) == "Undated"
