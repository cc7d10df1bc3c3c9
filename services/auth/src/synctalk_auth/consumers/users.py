"""`user.updated`: auth's copy of a profile, answered while api is away, follows api."""

from synctalk_contracts import topology
from synctalk_contracts.envelope import Event
from synctalk_contracts.events.users import UserUpdated
from synctalk_runtime.bus import Bus
from synctalk_runtime.postgres import Postgres

from synctalk_auth.actions import profiles


def subscribe(bus: Bus, postgres: Postgres) -> None:
    async def receive(events: list[Event]) -> None:
        await profiles.follow(postgres, [event for event in events if isinstance(event, UserUpdated)])

    bus.subscribe(topology.AUTH_USERS, receive)
