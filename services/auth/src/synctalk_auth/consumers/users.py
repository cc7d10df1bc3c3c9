"""From api: `user.updated`, which auth's copy of a profile follows, and `erasure.completed`."""

from synctalk_contracts import topology
from synctalk_contracts.envelope import Event
from synctalk_contracts.events.users import ErasureCompleted, UserUpdated
from synctalk_runtime.bus import Bus
from synctalk_runtime.postgres import Postgres

from synctalk_auth.actions import profiles, server_users


def subscribe(bus: Bus, postgres: Postgres) -> None:
    async def receive(events: list[Event]) -> None:
        await profiles.follow(postgres, [event for event in events if isinstance(event, UserUpdated)])
        await server_users.finish_erasures(postgres, [event for event in events if isinstance(event, ErasureCompleted)])

    bus.subscribe(topology.AUTH_USERS, receive)
