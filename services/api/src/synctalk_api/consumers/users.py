"""Auth tells who has registered."""

from collections.abc import Awaitable, Callable, Sequence

from synctalk_contracts.envelope import Event
from synctalk_contracts.events.users import UserRegistered

from synctalk_api.actions import users
from synctalk_api.parts import Parts

QUEUE = "api.users"
EVENTS = [UserRegistered]


def handler(parts: Parts) -> Callable[[Sequence[Event]], Awaitable[None]]:
    async def handle(events: Sequence[Event]) -> None:
        await users.learn(parts, [event.user for event in events if isinstance(event, UserRegistered)])

    return handle
