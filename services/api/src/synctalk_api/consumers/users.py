"""The queue of what auth says of users: registered, given a profile, deactivated, to be erased."""

from collections.abc import Awaitable, Callable, Sequence

from synctalk_contracts.envelope import Event
from synctalk_contracts.events.users import (
    ErasureRequested,
    GuestClaimed,
    ProfileProvided,
    UserDeactivated,
    UserReactivated,
    UserRegistered,
)

from synctalk_api.actions.claims import Claims
from synctalk_api.actions.erasures import Erasures
from synctalk_api.actions.users import Users


def users_handler(users: Users, erasures: Erasures, claims: Claims) -> Callable[[Sequence[Event]], Awaitable[None]]:
    async def handle(events: Sequence[Event]) -> None:
        await users.learn([event.user for event in events if isinstance(event, UserRegistered)])
        for event in events:
            match event:
                case ProfileProvided():
                    await users.give_profile(event)
                case UserDeactivated() | UserReactivated():
                    await users.set_deactivated(event.user_id, deactivated=isinstance(event, UserDeactivated))
                case GuestClaimed():
                    await claims.request(event)
                case ErasureRequested():
                    await erasures.request(event)

    return handle
