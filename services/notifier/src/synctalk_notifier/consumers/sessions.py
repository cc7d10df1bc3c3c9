"""`notifier.sessions`: a session that ended takes its devices with it, however long the other queue is."""

from synctalk_contracts.envelope import Event
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_runtime.bus import Bus

from synctalk_notifier.actions import devices
from synctalk_notifier.parts import Parts

QUEUE = "notifier.sessions"


def subscribe(bus: Bus, parts: Parts) -> None:
    async def heard(events: list[Event]) -> None:
        ended = [event.session_id for event in events if isinstance(event, SessionRevoked)]
        if ended:
            await devices.remove_of_sessions(parts, ended)

    bus.subscribe(QUEUE, (SessionRevoked,), heard)
