"""`user.updated`: auth's copy of a profile, answered while api is away, follows api."""

from synctalk_contracts.envelope import Event
from synctalk_contracts.events.users import UserUpdated
from synctalk_runtime.bus import Bus

from synctalk_auth.actions import people
from synctalk_auth.parts import Parts

QUEUE = "auth.users"


def subscribe(bus: Bus, parts: Parts) -> None:
    async def heard(events: list[Event]) -> None:
        await people.follow(parts, [event for event in events if isinstance(event, UserUpdated)])

    bus.subscribe(QUEUE, [UserUpdated], heard)
