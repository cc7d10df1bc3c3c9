"""The queue of users who registered at auth."""

from collections.abc import Awaitable, Callable, Sequence

from synctalk_contracts.envelope import Event
from synctalk_contracts.events.users import UserRegistered

from synctalk_api.actions.users import Users


def registration_handler(users: Users) -> Callable[[Sequence[Event]], Awaitable[None]]:
    async def handle(events: Sequence[Event]) -> None:
        await users.learn([event.user for event in events if isinstance(event, UserRegistered)])

    return handle
